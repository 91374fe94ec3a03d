//! The original project's `config.yaml`, in our settings.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::{LogFormat, ServeArgs};
use crate::http::parse_duration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Original {
    http: Http,
    logging: Logging,
    sqlite: Sqlite,
    turso: Turso,
    metric: Metric,
    etcd: Option<serde_yaml_ng::Value>,
    job: Option<serde_yaml_ng::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Http {
    port: Option<u16>,
    shutdown: Option<String>,
    driver: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Logging {
    level: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sqlite {
    db_name: Option<String>,
    busy_timeout: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Turso {
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Metric {
    enable: Option<bool>,
}

pub(super) fn parse(text: &str) -> Result<ServeArgs, String> {
    let original: Original = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
    let db = match original.http.driver.as_deref() {
        Some("turso") => {
            let url = original.turso.url.as_ref();
            Some(url.ok_or("http.driver: turso needs turso.url")?.into())
        }
        None | Some("sqlite") => original.sqlite.db_name.map(Into::into),
        Some(driver) => return Err(format!("http.driver: {driver} is neither sqlite nor turso")),
    };
    let is_turso = original.http.driver.as_deref() == Some("turso");
    for (key, is_given) in [
        ("etcd", original.etcd.is_some()),
        ("job", original.job.is_some()),
        ("sqlite.busy_timeout", original.sqlite.busy_timeout.is_some()),
        ("turso.url", original.turso.url.is_some() && !is_turso),
    ] {
        if is_given {
            // The log does not stand yet when settings are read.
            eprintln!("warning: {key} has no effect");
        }
    }
    let shutdown_seconds = match original.http.shutdown {
        Some(text) => {
            Some(parse_duration(&text).ok_or("http.shutdown is a duration such as 10s")?.as_secs())
        }
        None => None,
    };
    let log_format = match original.logging.kind.as_deref() {
        Some("json") => Some(LogFormat::Json),
        Some(_) => Some(LogFormat::Text),
        None => None,
    };
    Ok(ServeArgs {
        listen: original.http.port.map(|port| (Ipv4Addr::LOCALHOST, port).into()),
        shutdown_seconds,
        log_level: original.logging.level,
        metrics: original.metric.enable,
        log_format,
        db,
        ..ServeArgs::default()
    })
}
