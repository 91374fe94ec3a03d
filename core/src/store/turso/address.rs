//! Addresses: `libsql://host[:port]?authToken=…`, and `https://` and `http://` the same.
//!
//! Holds a secret: shows none.

use std::env;
use std::fmt;
use std::fs;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::{OpenOptions, TokenProvider};
use crate::store::percent;

/// Where the token stands if nobody gives one: ours, and that of Turso's own tools.
const VARIABLES: [&str; 2] = ["BLOCKQUEUE_TURSO_TOKEN", "TURSO_AUTH_TOKEN"];
/// How often a server is asked for news while somebody waits.
const POLL: Duration = Duration::from_millis(100);
/// More often than this nobody may ask, and less often is of no use.
const POLL_MS: (u64, u64) = (10, 60_000);

pub(super) struct Address {
    /// Where batches are sent.
    pub url: String,
    pub token: Token,
    pub poll: Duration,
    /// Each request says that its stream ends with it. Some servers have no streams, and no word for that.
    pub says_close: bool,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Where the token comes from, each time that one is needed.
pub(super) enum Token {
    Text(String),
    File(String),
    Given(TokenProvider),
    Environment,
}

impl Token {
    /// `None`: the server wants none, or says so.
    pub(super) fn get(&self) -> Result<Option<String>> {
        let token = match self {
            Self::Text(text) => Some(text.clone()),
            Self::File(path) => Some(fs::read_to_string(path).map_err(|error| {
                wrong(format!("the file of the token, {path}, cannot be read: {error}"))
            })?),
            Self::Given(provider) => {
                let given = provider.get();
                Some(given.map_err(|error| wrong(format!("nobody gives a token: {error}")))?)
            }
            Self::Environment => VARIABLES.iter().find_map(|name| env::var(name).ok()),
        };
        let Some(token) = token.map(|token| token.trim().to_owned()) else { return Ok(None) };
        // Those of a header. What it is, is not told.
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("a token has no spaces, and no letters beyond ASCII"));
        }
        Ok(Some(token).filter(|token| !token.is_empty()))
    }
}

impl Address {
    pub(super) fn parse(text: &str, options: &OpenOptions) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place = place.trim_end_matches('/');
        let host = place.split('/').next().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        // It may be a password: not repeated.
        if place.contains('@') {
            return Err(wrong("it takes a token (authToken), no user and no password"));
        }
        if !place.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte)) {
            return Err(wrong("it has characters that no address has"));
        }
        let (mut is_secure, mut token, mut poll) = (scheme != "http", None, POLL);
        let mut says_close = true;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (name, value) {
                ("tls", "0") if scheme != "https" => is_secure = false,
                ("tls", "1") if scheme != "http" => is_secure = true,
                ("close", "0") => says_close = false,
                ("authToken", value) => token = Some(Token::Text(decode(value)?)),
                ("authTokenFile", value) => token = Some(Token::File(decode(value)?)),
                ("poll_ms", value) => {
                    let number = value.parse().ok().filter(|n| (POLL_MS.0..=POLL_MS.1).contains(n));
                    let number = number.ok_or_else(|| wrong("poll_ms is from 10 to 60000"))?;
                    poll = Duration::from_millis(number);
                }
                // Values may be secrets.
                _ => return Err(wrong(format!("{name:?}, or its value, is not understood"))),
            }
        }
        let given = options.token_provider.clone().map(Token::Given);
        let token = token.or(given).unwrap_or(Token::Environment);
        let scheme = if is_secure { "https" } else { "http" };
        Ok(Self { url: format!("{scheme}://{place}/v2/pipeline"), token, poll, says_close })
    }
}

fn wrong(rule: impl fmt::Display) -> Error {
    Error::CannotOpen { detail: format!("address of a Turso database: {rule}") }
}

fn decode(value: &str) -> Result<String> {
    percent::decode(value).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address> {
        Address::parse(text, &OpenOptions::default())
    }

    #[test]
    fn an_address_says_where_batches_go() {
        let url = |text: &str| parse(text).unwrap().url;
        assert_eq!(url("libsql://db-me.turso.io"), "https://db-me.turso.io/v2/pipeline");
        assert_eq!(url("libsql://host:8080?tls=0"), "http://host:8080/v2/pipeline");
        assert_eq!(url("http://host:8080/"), "http://host:8080/v2/pipeline");
        assert_eq!(url("https://host/dev/db?tls=1"), "https://host/dev/db/v2/pipeline");
    }

    #[test]
    fn a_token_is_of_the_address_or_a_file_or_whoever_gives_one() {
        let token = |address: Address| address.token.get().unwrap();
        assert_eq!(token(parse("libsql://h?authToken=a.b-c").unwrap()).unwrap(), "a.b-c");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a token");
        fs::write(&file, "first\n").unwrap();
        let path = file.display().to_string().replace(' ', "%20");
        let address = parse(&format!("libsql://h?authTokenFile={path}")).unwrap();
        assert_eq!(address.token.get().unwrap().unwrap(), "first");
        fs::write(&file, "second\n").unwrap();
        assert_eq!(address.token.get().unwrap().unwrap(), "second");
        let options = OpenOptions::default().with_token_provider(|| Ok("given".to_owned()));
        assert_eq!(token(Address::parse("libsql://h", &options).unwrap()).unwrap(), "given");
    }

    #[test]
    fn secrets_are_not_shown() {
        let address = parse("libsql://host?authToken=hunter2").unwrap();
        let options = OpenOptions::default().with_token_provider(|| Ok("hunter2".to_owned()));
        assert!(!format!("{address:?} {options:?}").contains("hunter2"));
        for text in [
            "libsql://me:hunter2@host",
            "libsql://host?token=hunter2",
            "libsql://host?authToken=x&tls=hunter2",
            "libsql://host/#hunter2",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), "cannot_open", "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let spaced = parse("libsql://host?authToken=hunter2%20").map(|address| address.token.get());
        assert!(!format!("{spaced:?}").contains("hunter2\u{20}"));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in [
            "libsql://",
            "libsql:///db",
            "libsql://ho st",
            "https://host?tls=0",
            "libsql://host?poll_ms=1",
            "libsql://host?authTokenFile=%g0",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), "cannot_open", "{text}");
        }
    }
}
