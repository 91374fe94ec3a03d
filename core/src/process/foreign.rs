//! Finds another SQLite library in this process that has the same file open.
//!
//! Each library maps the file's shared memory once, however many connections it has: a second mapping
//! is another library's. Needed only where locks are not private ([`super::locks`]). Linux alone shows
//! a process its mappings.

use std::fs;
use std::path::Path;

use super::{beside, fork, locks};

/// Whether another library is there, and could destroy the file.
pub(crate) fn is_dangerous(database: &Path) -> bool {
    // A forked child has the mappings of its parent besides its own, and cannot tell.
    !locks::are_private(database) && fork::generation() == 0 && mappings(database) > 1
}

fn mappings(database: &Path) -> usize {
    let shared = beside(database, "-shm");
    let maps = fs::read("/proc/self/maps").unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    maps.lines().filter(|line| is_start_of(line, &shared.to_string_lossy())).count()
}

/// Address, permissions, offset, device, number, and then the path, which may hold spaces.
fn is_start_of(line: &str, path: &str) -> bool {
    let offset = line.split(' ').nth(2);
    offset.is_some_and(|offset| offset.bytes().all(|digit| digit == b'0')) && line.ends_with(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_part_of_the_right_file_counts() {
        let line =
            |offset, path| format!("7f00-7f01 rw-s {offset} fe:00 42                 {path}");
        assert!(is_start_of(&line("00000000", "/a b/q.db-shm"), "/a b/q.db-shm"));
        assert!(!is_start_of(&line("00008000", "/a b/q.db-shm"), "/a b/q.db-shm"));
        assert!(!is_start_of(&line("00000000", "/a b/q.db-shm (deleted)"), "/a b/q.db-shm"));
        assert!(!is_start_of("", "/a b/q.db-shm"));
    }
}
