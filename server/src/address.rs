//! Addresses of queues as logs and errors show them: without what is secret.

use std::path::Path;

/// A path as it is; of a server's address only scheme, host and database.
pub fn shown(address: &Path) -> String {
    let text = address.display().to_string();
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    let place = rest.split_once('?').map_or(rest, |(place, _)| place);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let shown = |text: &str| shown(Path::new(text));
        assert_eq!(shown("/var/lib/queue.db"), "/var/lib/queue.db");
        assert_eq!(shown("postgres://u:p@ss@host:1/db?password=x"), "postgres://host:1/db");
        assert_eq!(shown("postgres://host"), "postgres://host");
        assert_eq!(shown("libsql://db-me.turso.io?authToken=x"), "libsql://db-me.turso.io");
    }
}
