//! stub
use std::path::Path;
use super::*;
use crate::options::OpenOptions;
pub(crate) struct SqliteStore;
impl SqliteStore {
    pub(crate) fn open(_p: &Path, _o: &OpenOptions) -> Result<Self> { Ok(Self) }
}
impl Store for SqliteStore {
    fn apply(&mut self, _ops: &[Op], _f: &mut dyn Follow) -> Result<Applied, Fault> { Err(Fault::NotApplied(Error::Busy)) }
    fn changed(&mut self) -> Result<bool> { Ok(false) }
    fn tidy(&mut self, _idle: bool) -> Result<()> { Ok(()) }
    fn reader(&self) -> Result<Option<Box<dyn Read>>> { Ok(None) }
    fn read(&mut self, _q: &Query) -> Result<Answer> { Err(Error::Busy) }
}
