//! Topics that live elsewhere than the map says, because they are older than it.
//!
//! Found when the queue is opened, and none is added: a new topic goes where the map says. Another process may
//! delete one at any time, so this is a guess, and the topic's own database knows.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::subject;
use crate::engine::Work;

#[derive(Debug, Default)]
pub(super) struct Strays(RwLock<HashMap<String, usize>>);

impl From<HashMap<String, usize>> for Strays {
    /// Topics, and the place of the database that each was found in.
    fn from(found: HashMap<String, usize>) -> Self {
        Self(RwLock::new(found))
    }
}

impl Strays {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, usize>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn place(&self, topic: &str) -> Option<usize> {
        self.read().get(topic).copied()
    }

    pub(super) fn has(&self, topic: &str) -> bool {
        self.read().contains_key(topic)
    }

    /// Those that the work is about.
    pub(super) fn among(&self, work: &Work) -> HashSet<String> {
        let strays = self.read();
        if strays.is_empty() {
            return HashSet::new();
        }
        let topics = subject::topics(work).into_iter();
        topics.filter(|topic| strays.contains_key(*topic)).map(str::to_owned).collect()
    }

    /// Another process has deleted it.
    pub(super) fn forget(&self, topic: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }
}
