//! No permission to write.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use blockqueue::Queue;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::world::{Disk, create_with, drain, open, refusal};

/// Makes this thread, and those that it starts, obey permissions although they may be root's.
fn obey_permissions() {
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).unwrap();
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn assert_holds(file: &Path, payloads: &[&str]) {
    let queue = open(file).unwrap();
    assert_eq!(drain(&queue), payloads);
    queue.shutdown().wait().unwrap();
}

#[test]
fn a_file_that_may_not_be_written_is_read_only() {
    obey_permissions();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    permit(&file, 0o444);
    assert_eq!(refusal(&file), "read_only");
    permit(&file, 0o644);
    assert_holds(&file, &["kept"]);
}

#[test]
fn a_file_in_a_folder_that_may_not_be_written_is_read_only() {
    obey_permissions();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    permit(folder.path(), 0o555);
    assert_eq!(refusal(&file), "read_only");
    let other = folder.path().join("other.db");
    assert_eq!(Queue::open(&other).unwrap_err().code(), "cannot_open");
    permit(folder.path(), 0o755);
    assert_holds(&file, &["kept"]);
}

#[test]
fn a_file_on_a_read_only_file_system_is_read_only() {
    let Some(disk) = Disk::of(4 << 20) else { return };
    let file = disk.path("queue.db");
    create_with(&file, &["kept"]);
    disk.set_read_only(true);
    assert_eq!(refusal(&file), "read_only");
    assert_eq!(Queue::open(disk.path("other.db")).unwrap_err().code(), "cannot_open");
    disk.set_read_only(false);
    assert_holds(&file, &["kept"]);
}

#[test]
fn a_path_where_no_file_can_be_is_refused_by_name() {
    obey_permissions();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    create_with(&file, &["kept"]);
    permit(&file, 0o000);
    assert_eq!(open(&file).unwrap_err().code(), "cannot_open");
    permit(&file, 0o644);
    assert_holds(&file, &["kept"]);
    for place in [folder.path().to_owned(), folder.path().join("nowhere/queue.db")] {
        assert_eq!(Queue::open(&place).unwrap_err().code(), "cannot_open", "{}", place.display());
    }
    assert_eq!(open(&folder.path().join("none.db")).unwrap_err().code(), "cannot_open");
    assert!(!folder.path().join("none.db").exists());
}
