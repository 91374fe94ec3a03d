//! Bearer tokens: who may do what, with which topics.
//!
//! A setting that cannot be read is an error at the start, never a server without auth. Secrets are
//! compared by digest in constant time, and never appear in logs, errors or `Debug`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// Shorter secrets could be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Publishing.
    Publish,
    /// Claiming and settling.
    Consume,
    /// Everything, topology and looking included.
    Admin,
}

/// A malformed line of tokens; the secret is not repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("tokens, line {line}: {rule}")]
pub struct Malformed {
    line: usize,
    rule: &'static str,
}

struct Token {
    digest: [u8; 32],
    scopes: Vec<Scope>,
    /// A topic's name, or its beginning and `*`.
    topics: Vec<String>,
}

/// The tokens that a server accepts. None at all means that everybody may do everything.
#[derive(Default)]
pub struct Tokens(Vec<Token>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

/// What a request was refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No token, or one that is not known.
    Unauthorized,
    /// A known token that does not allow this.
    Forbidden,
}

impl Tokens {
    /// Reads one token per line: the secret, its scopes joined by commas, and the topics it is for, `*`
    /// if none are named. Empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`Malformed`], also if there is no token at all.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut tokens = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let malformed = |rule| Malformed { line: index + 1, rule };
                tokens.push(Token::parse(line).map_err(malformed)?);
            }
        }
        if tokens.is_empty() {
            return Err(Malformed { line: 1, rule: "there is no token" });
        }
        Ok(Self(tokens))
    }

    /// Whether requests need a token.
    pub fn is_required(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether the holder of `secret` may do what needs `scope`, with `topic` if it is about one.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(
        &self,
        secret: Option<&str>,
        scope: Option<Scope>,
        topic: Option<&str>,
    ) -> Result<(), Refused> {
        if !self.is_required() {
            return Ok(());
        }
        let digest = digest(secret.ok_or(Refused::Unauthorized)?);
        // Every token is looked at, so that the time tells nothing about which one it was.
        let mut held: Option<&Token> = None;
        for token in &self.0 {
            let same: Choice = token.digest.ct_eq(&digest);
            if bool::from(same) {
                held = Some(token);
            }
        }
        let token = held.ok_or(Refused::Unauthorized)?;
        if token.allows(scope, topic) { Ok(()) } else { Err(Refused::Forbidden) }
    }
}

impl Token {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let mut words = line.split_whitespace();
        let secret = words.next().unwrap_or_default();
        if secret.len() < SECRET_BYTES_MIN {
            return Err("a secret has at least 16 characters");
        }
        let mut scopes = Vec::new();
        for word in words.next().ok_or("scopes are missing")?.split(',') {
            scopes.push(match word {
                "publish" => Scope::Publish,
                "consume" => Scope::Consume,
                "admin" => Scope::Admin,
                _ => return Err("a scope is publish, consume or admin"),
            });
        }
        let mut topics: Vec<String> = words.map(str::to_owned).collect();
        let stray_star = |topic: &String| topic.trim_end_matches('*').contains('*');
        if topics.iter().any(stray_star) {
            return Err("* stands only at the end of a topic");
        }
        if topics.is_empty() {
            topics.push("*".to_owned());
        }
        Ok(Self { digest: digest(secret), scopes, topics })
    }

    fn allows(&self, scope: Option<Scope>, topic: Option<&str>) -> bool {
        let in_scope = scope.is_none_or(|scope| {
            self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
        });
        let matches = |pattern: &str, topic: &str| match pattern.strip_suffix('*') {
            Some(beginning) => topic.starts_with(beginning),
            None => topic == pattern,
        };
        // What is about no topic in particular is for tokens of all topics.
        let topic = topic.unwrap_or_default();
        in_scope && (scope.is_none() || self.topics.iter().any(|pattern| matches(pattern, topic)))
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn tokens(rest: &str) -> Tokens {
        Tokens::parse(&format!("# comment\n\n{SECRET} {rest}\n")).unwrap()
    }

    #[test]
    fn without_tokens_everybody_may_do_everything() {
        assert_eq!(Tokens::default().check(None, Some(Scope::Admin), None), Ok(()));
    }

    #[test]
    fn a_token_allows_its_scopes_on_its_topics_and_nothing_else() {
        let tokens = tokens("publish,consume orders.* mail");
        let check = |scope, topic| tokens.check(Some(SECRET), Some(scope), Some(topic));
        assert_eq!(check(Scope::Publish, "orders.eu"), Ok(()));
        assert_eq!(check(Scope::Consume, "mail"), Ok(()));
        assert_eq!(check(Scope::Publish, "mailing"), Err(Refused::Forbidden));
        assert_eq!(check(Scope::Admin, "mail"), Err(Refused::Forbidden));
        assert_eq!(tokens.check(Some(SECRET), Some(Scope::Admin), None), Err(Refused::Forbidden));
        assert_eq!(tokens.check(Some(SECRET), None, None), Ok(()));
    }

    #[test]
    fn admin_is_everything() {
        let tokens = tokens("admin");
        assert_eq!(tokens.check(Some(SECRET), Some(Scope::Publish), Some("t")), Ok(()));
        assert_eq!(tokens.check(Some(SECRET), Some(Scope::Admin), None), Ok(()));
    }

    #[test]
    fn a_wrong_secret_or_none_is_unauthorized() {
        let tokens = tokens("admin");
        for secret in [None, Some(""), Some("0123456789abcdeg"), Some("0123456789abcde")] {
            assert_eq!(tokens.check(secret, None, None), Err(Refused::Unauthorized));
        }
    }

    #[test]
    fn malformed_tokens_are_an_error_that_does_not_tell_the_secret() {
        for text in [
            "",
            "# nothing",
            "short admin",
            SECRET,
            "0123456789abcdef root",
            "0123456789abcdef publish a*b",
        ] {
            let error = Tokens::parse(text).unwrap_err();
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}
