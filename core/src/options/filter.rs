//! Which messages a subscriber wants: conditions on headers, given as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::limits;

/// A condition on the headers of a message.
///
/// Written as JSON, one object per condition:
///
/// | form | holds if |
/// |---|---|
/// | `{"header": "type", "equals": "order"}` | the header is there and has this value |
/// | `{"header": "type", "any_of": ["order", "refund"]}` | it has one of these values |
/// | `{"header": "type", "prefix": "order."}` | its value begins so |
/// | `{"header": "trace", "exists": true}` | it is there; with `false`: it is not |
/// | `{"not": condition}` | the condition does not hold |
/// | `{"all": [condition, …]}` | all of them hold |
/// | `{"any": [condition, …]}` | at least one of them holds |
///
/// ```
/// use blockqueue::Filter;
///
/// let filter: Filter =
///     r#"{"all": [{"header": "type", "equals": "order"}, {"not": {"header": "test", "exists": true}}]}"#
///         .parse()?;
/// # Ok::<(), blockqueue::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Arc<Condition>);

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Header { name: String, test: Test },
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Equals(String),
    AnyOf(Vec<String>),
    Prefix(String),
    Exists(bool),
}

impl Filter {
    /// Whether a message with these headers is wanted.
    pub fn matches(&self, headers: &BTreeMap<String, String>) -> bool {
        self.0.holds(headers)
    }
}

impl FromStr for Filter {
    type Err = Error;

    /// Reads a filter from its JSON form.
    ///
    /// # Errors
    /// `invalid_argument` if it is not a filter, `limit_exceeded` if it is larger than 8 KiB or more than
    /// eight conditions deep.
    fn from_str(json: &str) -> Result<Self> {
        super::at_most("filter", json.len(), limits::FILTER_BYTES_MAX)?;
        let value = serde_json::from_str(json)
            .map_err(|error| Error::invalid(format!("filter is not JSON: {error}")))?;
        Condition::read(&value, 1).map(|condition| Self(Arc::new(condition)))
    }
}

/// The JSON form, without spaces, the members of an object in the order of the table above.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Condition {
    fn holds(&self, headers: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Header { name, test } => test.holds(headers.get(name)),
            Self::Not(condition) => !condition.holds(headers),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(headers)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(headers)),
        }
    }

    fn read(value: &Value, depth: usize) -> Result<Self> {
        super::at_most("depth of filter", depth, limits::FILTER_DEPTH_MAX)?;
        let object = value.as_object().ok_or_else(|| wrong("a condition is an object"))?;
        if let Some(name) = object.get("header") {
            let name = name.as_str().ok_or_else(|| wrong("header is a text"))?.to_owned();
            if name.is_empty() {
                return Err(wrong("header has a name"));
            }
            return Ok(Self::Header { name, test: Test::read(object)? });
        }
        let mut members = object.iter();
        let (Some((word, inner)), None) = (members.next(), members.next()) else {
            return Err(wrong("a condition is one of header, not, all and any"));
        };
        match word.as_str() {
            "not" => Ok(Self::Not(Box::new(Self::read(inner, depth + 1)?))),
            "all" => Self::read_list(inner, depth).map(Self::All),
            "any" => Self::read_list(inner, depth).map(Self::Any),
            _ => Err(wrong("a condition is one of header, not, all and any")),
        }
    }

    fn read_list(value: &Value, depth: usize) -> Result<Vec<Self>> {
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| wrong("all and any have a list of conditions"))?;
        list.iter().map(|value| Self::read(value, depth + 1)).collect()
    }
}

impl Test {
    fn holds(&self, value: Option<&String>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), value) => value.is_some() == *wanted,
            (_, None) => false,
            (Self::Equals(wanted), Some(value)) => value == wanted,
            (Self::AnyOf(wanted), Some(value)) => wanted.contains(value),
            (Self::Prefix(wanted), Some(value)) => value.starts_with(wanted.as_str()),
        }
    }

    /// The one member beside `header`.
    fn read(object: &Map<String, Value>) -> Result<Self> {
        let mut members = object.iter().filter(|(name, _)| *name != "header");
        let (Some((word, value)), None) = (members.next(), members.next()) else {
            return Err(wrong("a header has one of equals, any_of, prefix and exists"));
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let test = match word.as_str() {
            "equals" => text(value).map(Self::Equals),
            "prefix" => text(value).map(Self::Prefix),
            "exists" => value.as_bool().map(Self::Exists),
            "any_of" => {
                let list = value.as_array().filter(|list| !list.is_empty());
                list.and_then(|list| list.iter().map(text).collect()).map(Self::AnyOf)
            }
            _ => return Err(wrong("a header has one of equals, any_of, prefix and exists")),
        };
        test.ok_or_else(|| {
            wrong("equals and prefix have a text, any_of a list of texts, exists true or false")
        })
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Header { name, test } => {
                map.serialize_entry("header", name)?;
                match test {
                    Test::Equals(value) => map.serialize_entry("equals", value)?,
                    Test::AnyOf(values) => map.serialize_entry("any_of", values)?,
                    Test::Prefix(value) => map.serialize_entry("prefix", value)?,
                    Test::Exists(wanted) => map.serialize_entry("exists", wanted)?,
                }
            }
            Self::Not(condition) => map.serialize_entry("not", condition)?,
            Self::All(conditions) => map.serialize_entry("all", conditions)?,
            Self::Any(conditions) => map.serialize_entry("any", conditions)?,
        }
        map.end()
    }
}

fn wrong(rule: &str) -> Error {
    Error::invalid(format!("filter: {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn conditions_hold_as_the_table_says() {
        let message = headers(&[("type", "order.paid"), ("region", "eu")]);
        for (filter, wanted) in [
            (r#"{"header":"region","equals":"eu"}"#, true),
            (r#"{"header":"region","equals":"e"}"#, false),
            (r#"{"header":"other","equals":"eu"}"#, false),
            (r#"{"header":"region","any_of":["us","eu"]}"#, true),
            (r#"{"header":"region","any_of":["us"]}"#, false),
            (r#"{"header":"type","prefix":"order."}"#, true),
            (r#"{"header":"type","prefix":"refund."}"#, false),
            (r#"{"header":"type","exists":true}"#, true),
            (r#"{"header":"other","exists":false}"#, true),
            (r#"{"not":{"header":"other","equals":"x"}}"#, true),
            (
                r#"{"all":[{"header":"type","exists":true},{"header":"other","exists":true}]}"#,
                false,
            ),
            (r#"{"any":[{"header":"type","exists":true},{"header":"other","exists":true}]}"#, true),
        ] {
            assert_eq!(filter.parse::<Filter>().unwrap().matches(&message), wanted, "{filter}");
        }
    }

    #[test]
    fn the_text_of_a_filter_reads_back_as_the_same() {
        let text = r#"{"all":[{"header":"a","equals":"\"\n"},{"not":{"any":[{"header":"b","exists":false},{"header":"c","any_of":["x","y"]}]}}]}"#;
        let filter: Filter = text.parse().unwrap();
        assert_eq!(filter.to_string(), text);
        let spaced = r#" { "equals" : "x", "header" : "a" } "#.parse::<Filter>().unwrap();
        assert_eq!(spaced.to_string(), r#"{"header":"a","equals":"x"}"#);
    }

    #[test]
    fn what_is_not_a_filter_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "true",
            r#"{"header":""}"#,
            r#"{"header":"a"}"#,
            r#"{"header":"","equals":"x"}"#,
            r#"{"header":"a","equals":1}"#,
            r#"{"header":"a","equals":"x","prefix":"x"}"#,
            r#"{"header":"a","like":"x"}"#,
            r#"{"header":"a","any_of":[]}"#,
            r#"{"header":"a","any_of":["x",1]}"#,
            r#"{"header":"a","exists":"yes"}"#,
            r#"{"all":[]}"#,
            r#"{"all":{}}"#,
            r#"{"none":[]}"#,
            r#"{"not":{"header":"a","exists":true},"all":[]}"#,
        ] {
            let error = text.parse::<Filter>().unwrap_err();
            assert_eq!(error.code(), "invalid_argument", "{text}");
        }
    }

    #[test]
    fn a_filter_has_bounds() {
        let nested = |depth: usize| {
            let (open, close) = (r#"{"not":"#.repeat(depth - 1), "}".repeat(depth - 1));
            format!(r#"{open}{{"header":"a","exists":true}}{close}"#)
        };
        assert!(nested(limits::FILTER_DEPTH_MAX).parse::<Filter>().is_ok());
        let error = nested(limits::FILTER_DEPTH_MAX + 1).parse::<Filter>().unwrap_err();
        assert_eq!(error.code(), "limit_exceeded");
        let long =
            format!(r#"{{"header":"a","equals":"{}"}}"#, "x".repeat(limits::FILTER_BYTES_MAX));
        assert_eq!(long.parse::<Filter>().unwrap_err().code(), "limit_exceeded");
    }
}
