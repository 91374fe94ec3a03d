//! The engines of this process, by the file that each has open: a second opening of a file joins.
//!
//! Those who ask for other options get an engine of their own, as in another process, and so does whoever
//! finds another file under the same name. What is only in memory is never shared. Invariant: an engine is
//! listed as long as it has handles.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use super::Engine;
use crate::error::Result;
use crate::options::OpenOptions;
use crate::process::FileId;
use crate::process::fork;

static ENGINES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

struct Entry {
    file: FileId,
    options: OpenOptions,
    engine: Arc<Engine>,
    handles: usize,
}

fn engines() -> MutexGuard<'static, Vec<Entry>> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fork::hold_during_forks(|| {
            Box::new(ENGINES.lock().unwrap_or_else(PoisonError::into_inner))
        });
    });
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    // Those of the parent have no threads here.
    engines.retain(|entry| !entry.engine.birth.is_inherited());
    engines
}

/// The engine that has this file open with these options, or a new one. Each call is to be followed by one
/// of [`leave`].
pub(super) fn join(path: &Path, options: &OpenOptions) -> Result<Arc<Engine>> {
    if path == Path::new(":memory:") {
        return Engine::start(path, options).map(Arc::new);
    }
    let listed = FileId::of(path).and_then(|file| find(&mut engines(), &file, options));
    if let Some(engine) = listed {
        return Ok(engine);
    }
    // Without the lock: it may have to wait for other processes, and other files need not.
    let engine = Arc::new(Engine::start(path, options)?);
    Ok(list(path, options, engine))
}

fn find(engines: &mut [Entry], file: &FileId, options: &OpenOptions) -> Option<Arc<Engine>> {
    let is_it = |entry: &&mut Entry| entry.file == *file && entry.options.is_as(options);
    let entry = engines.iter_mut().find(is_it)?;
    entry.handles += 1;
    Some(Arc::clone(&entry.engine))
}

/// Lists a new engine. If somebody else was faster with the same file, theirs is used and the new one ends.
fn list(path: &Path, options: &OpenOptions, engine: Arc<Engine>) -> Arc<Engine> {
    let Some(file) = FileId::of(path) else { return engine };
    let mut engines = engines();
    if let Some(first) = find(&mut engines, &file, options) {
        return first;
    }
    let (options, listed) = (options.clone(), Arc::clone(&engine));
    engines.push(Entry { file, options, engine: listed, handles: 1 });
    engine
}

/// A handle is done with its engine; the answer is whether it was the last one.
pub(super) fn leave(engine: &Arc<Engine>) -> bool {
    let mut engines = engines();
    let place = engines.iter().position(|entry| Arc::ptr_eq(&entry.engine, engine));
    let Some(entry) = place.and_then(|place| engines.get_mut(place)) else { return true };
    entry.handles -= 1;
    if entry.handles > 0 {
        return false;
    }
    if let Some(place) = place {
        engines.swap_remove(place);
    }
    true
}
