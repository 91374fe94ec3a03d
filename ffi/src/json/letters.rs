//! Which dead letters an operation is about.

use blockqueue::{DeadLetters, Filter, Purge, Redrive, Result};
use serde::Deserialize;
use serde_json::Value;

/// How to redrive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedriveIn {
    #[serde(default)]
    which: WhichIn,
    filter: Option<Value>,
    to: Option<String>,
    rate: Option<f64>,
    #[serde(default)]
    dry_run: bool,
}

/// How to purge. What is thrown away is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurgeIn {
    which: WhichIn,
    filter: Option<Value>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhichIn {
    #[default]
    All,
    Oldest(u64),
    Ids(Vec<String>),
}

impl RedriveIn {
    pub(crate) fn into_core(self) -> Result<Redrive> {
        let mut redrive = Redrive::from(self.which.into_core()?).with_dry_run(self.dry_run);
        redrive.filter = filter(self.filter)?;
        redrive.to = self.to;
        redrive.rate = self.rate;
        Ok(redrive)
    }
}

impl PurgeIn {
    pub(crate) fn into_core(self) -> Result<Purge> {
        let mut purge = Purge::from(self.which.into_core()?).with_dry_run(self.dry_run);
        purge.filter = filter(self.filter)?;
        Ok(purge)
    }
}

impl WhichIn {
    fn into_core(self) -> Result<DeadLetters> {
        Ok(match self {
            Self::All => DeadLetters::All,
            Self::Oldest(limit) => DeadLetters::Oldest(limit),
            Self::Ids(ids) => {
                DeadLetters::Ids(ids.iter().map(|id| id.parse()).collect::<Result<_>>()?)
            }
        })
    }
}

fn filter(json: Option<Value>) -> Result<Option<Filter>> {
    json.map(|json| json.to_string().parse()).transpose()
}
