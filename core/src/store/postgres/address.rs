//! Addresses: `postgres://user:password@host:port/database?schema=…`.
//!
//! What `tokio-postgres` understands is its own; `schema` and `sslrootcert` are ours. Holds secrets: shows
//! none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};
use crate::options::Durability;
use crate::store::percent;

/// How long a server may take to answer a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The longest name of a schema: that of the channel for signals holds it.
const SCHEMA_BYTES_MAX: usize = 48;

#[derive(Clone)]
pub(super) struct Address {
    pub config: Config,
    pub schema: String,
    pub durability: Durability,
    tls: MakeRustlsConnect,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Address {
    pub(super) fn parse(text: &str, durability: Durability) -> Result<Self> {
        let (mut schema, mut certificates) = ("blockqueue".to_owned(), None);
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("schema", value)) => schema = decode(value)?,
                Some(("sslrootcert", value)) => certificates = Some(decode(value)?),
                // A certificate is always verified.
                Some(("sslmode", "verify-full" | "verify-ca")) => rest.push("sslmode=require"),
                _ => rest.push(pair),
            }
        }
        if schema.is_empty() || schema.len() > SCHEMA_BYTES_MAX || schema.contains('\0') {
            return Err(wrong("schema must be a name of 1 to 48 bytes"));
        }
        // The error of the parser may quote the address.
        let mut config: Config = format!("{place}?{}", rest.join("&"))
            .parse()
            .map_err(|_| wrong("it is not understood"))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WITHIN);
        }
        if config.get_application_name().is_none() {
            config.application_name("blockqueue");
        }
        Ok(Self { config, schema, durability, tls: tls(certificates.as_deref())? })
    }

    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// The channel of signals, as `bq_announce` names it.
    pub(super) fn channel(&self) -> String {
        format!("blockqueue_{}", self.schema)
    }
}

/// The system's certificates, or those of a file.
fn tls(certificates: Option<&str>) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = certificates {
        let unreadable = |error| wrong(format!("sslrootcert cannot be read: {error}"));
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            let certificate = certificate.map_err(unreadable)?;
            roots.add(certificate).map_err(|error| wrong(format!("sslrootcert: {error}")))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn wrong(rule: impl fmt::Display) -> Error {
    Error::CannotOpen { detail: format!("address of a PostgreSQL database: {rule}") }
}

fn decode(value: &str) -> Result<String> {
    percent::decode(value).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address> {
        Address::parse(text, Durability::Full)
    }

    #[test]
    fn a_schema_is_ours_and_the_rest_is_the_drivers() {
        let address =
            parse("postgres://u:p%40ss@host/db?schema=my%20queue&sslmode=require").unwrap();
        assert_eq!(address.schema, "my queue");
        assert_eq!(address.config.get_dbname(), Some("db"));
        assert_eq!(parse("postgres://host").unwrap().schema, "blockqueue");
    }

    #[test]
    fn secrets_are_not_shown() {
        let address = parse("postgres://user:hunter2@host/db").unwrap();
        assert!(!format!("{address:?} {:?}", address.config).contains("hunter2"));
        let error = parse("postgres://user:hunter2@host:port/db").unwrap_err();
        assert_eq!(error.code(), "cannot_open");
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in [
            "postgres://host?schema=",
            "postgres://host?schema=%g0",
            "postgres://host?colour=red",
            "postgres://host?sslrootcert=/nowhere/at/all",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), "cannot_open", "{text}");
        }
    }
}
