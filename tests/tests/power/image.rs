//! What is on a disk after the power failed: everything that was synced, and of the rest anything.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use blockqueue_tests::chance::Chance;

use crate::system::Event;

/// The smallest part that a disk writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    /// Since the last sync, in order.
    changes: Vec<Change>,
    /// Its name is on the disk.
    named: bool,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// The files of a folder, as far as they are on the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    files: BTreeMap<String, File>,
    /// Removed, but their names may still be on the disk.
    removed: BTreeMap<String, File>,
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl Image {
    pub(crate) fn happen(&mut self, event: &Event) {
        match event {
            Event::Write { file, offset, bytes } => {
                let change = Change::Write(index(*offset), bytes.clone());
                self.files.entry(file.clone()).or_default().changes.push(change);
            }
            Event::Truncate { file, size } => {
                let change = Change::Truncate(index(*size));
                self.files.entry(file.clone()).or_default().changes.push(change);
            }
            Event::Sync { file } => {
                let file = self.files.entry(file.clone()).or_default();
                for change in std::mem::take(&mut file.changes) {
                    change.apply(&mut file.synced, |_| true);
                }
            }
            Event::Remove { file } => {
                if let Some(old) = self.files.remove(file).filter(|old| old.named) {
                    self.removed.insert(file.clone(), old);
                }
            }
            Event::SyncFolder => {
                self.removed.clear();
                self.files.values_mut().for_each(|file| file.named = true);
            }
            Event::Mark(_) => {}
        }
    }

    /// Writes the files as they may be after a power cut.
    pub(crate) fn write(&self, folder: &Path, chance: &mut Chance) {
        // Sometimes nearly all was written, sometimes nearly nothing, sometimes any part.
        let percent = [0, 3, 50, 97, 100];
        let kept = percent.get(index(chance.below(5))).copied().unwrap_or(50);
        for (name, file) in &self.removed {
            if chance.below(2) == 0 {
                fs::write(folder.join(name), file.after_cut(chance, kept)).unwrap();
            }
        }
        for (name, file) in &self.files {
            if file.named || chance.below(2) == 0 {
                fs::write(folder.join(name), file.after_cut(chance, kept)).unwrap();
            }
        }
    }
}

impl File {
    fn after_cut(&self, chance: &mut Chance, kept: u64) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.changes {
            change.clone().apply(&mut bytes, |_| chance.below(100) < kept);
        }
        bytes
    }
}

impl Change {
    /// Of a write only the sectors that are `kept`, by their place in the file.
    fn apply(self, bytes: &mut Vec<u8>, mut kept: impl FnMut(usize) -> bool) {
        match self {
            Self::Truncate(size) => {
                if kept(size) {
                    bytes.resize(size, 0);
                }
            }
            Self::Write(offset, data) => {
                let mut start = 0;
                while start < data.len() {
                    let place = offset + start;
                    let end = (start + SECTOR - place % SECTOR).min(data.len());
                    if kept(place)
                        && let Some(part) = data.get(start..end)
                    {
                        let length = bytes.len().max(offset + end);
                        bytes.resize(length, 0);
                        if let Some(target) = bytes.get_mut(place..offset + end) {
                            target.copy_from_slice(part);
                        }
                    }
                    start = end;
                }
            }
        }
    }
}
