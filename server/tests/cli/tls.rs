//! TLS, from the command line to a server with a certificate of its own.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::support::{Ended, Server, program};

/// A folder with certificates for this machine, which nobody has signed, and their keys.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in ["cert", "other-cert"] {
            let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
            fs::write(folder.path(name), made.cert.pem()).unwrap();
            let key = name.replace("cert", "key");
            fs::write(folder.path(&key), made.signing_key.serialize_pem()).unwrap();
        }
        fs::write(folder.path("garbage"), "garbage").unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn serve(&self, cert: &str, key: &str) -> Command {
        let mut serve = program();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--db"]).arg(self.path("queue.db"));
        serve.arg("--tls-cert").arg(self.path(cert)).arg("--tls-key").arg(self.path(key));
        serve
    }
}

fn list(url: &str, trusted: Option<&Path>) -> Ended {
    let mut list = program();
    list.args(["topic", "list", "--url", url]);
    if let Some(trusted) = trusted {
        list.env("SSL_CERT_FILE", trusted);
    }
    Ended::of(list.output().unwrap())
}

#[test]
fn a_server_is_reached_by_those_who_trust_its_certificate() {
    let folder = Folder::new();
    let server = Server::start(&mut folder.serve("cert", "key"));
    let url = format!("https://{}", server.address);
    let trusting = list(&url, Some(&folder.path("cert")));
    assert_eq!(trusting.status, Some(0), "{trusting:?}");
    for (url, trusted) in [
        (url.clone(), None),
        (url.clone(), Some(folder.path("other-cert"))),
        (url.replace("https", "http"), None),
    ] {
        let refused = list(&url, trusted.as_deref());
        assert_eq!(refused.status, Some(1), "{refused:?}");
        assert!(refused.err.contains("[io]"), "{refused:?}");
    }
}

#[test]
fn a_client_that_says_nothing_does_not_hold_up_the_end() {
    let folder = Folder::new();
    let mut server = Server::start(&mut folder.serve("cert", "key"));
    let _silent = TcpStream::connect(&server.address).unwrap();
    // Accepted behind the other one.
    let url = format!("https://{}", server.address);
    assert_eq!(list(&url, Some(&folder.path("cert"))).status, Some(0));
    server.terminate();
    assert!(server.ends_without_saying("given up"));
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_keeps_the_server_from_starting() {
    let folder = Folder::new();
    for (cert, key, named) in [
        ("none", "key", "none"),
        ("garbage", "key", "garbage"),
        ("cert", "none", "none"),
        ("cert", "garbage", "garbage"),
        ("cert", "other-key", "cert"),
    ] {
        let ended = Ended::of(folder.serve(cert, key).output().unwrap());
        assert_eq!(ended.status, Some(1), "{cert} {key}: {ended:?}");
        let path = folder.path(named).display().to_string();
        assert!(ended.err.contains(&path), "{cert} {key}: {ended:?}");
        assert!(!folder.path("queue.db").exists(), "{cert} {key}");
    }
}
