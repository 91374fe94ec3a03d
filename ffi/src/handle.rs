//! Handles: what a caller holds instead of a pointer to an object.
//!
//! A handle is the key of an entry in a table: kind, place, and how often the place was used before. It is
//! passed as a pointer, for the sake of C's types, and never followed. Invariant: no two entries ever have the
//! same handle, so one that is freed, or of another kind, is found out and gives `invalid_argument`.
//!
//! The price is a lock that is shared by all readers of a sixteenth of the table, and the count of an `Arc`:
//! about 20 ns per call.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use blockqueue::{Error, Result};

use crate::arguments::invalid;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a handle has 64 bits");

/// What handles of one kind stand for.
pub(crate) trait Object: Send + Sync + Sized + 'static {
    /// The type that C sees a pointer to.
    type Opaque;
    /// Distinguishes the kinds; from 1.
    const KIND: u8;
    /// For messages.
    const NAME: &'static str;
    /// Where the objects are.
    fn table() -> &'static Table<Self>;
}

/// Makes a type the object of a handle, with a table of its own.
macro_rules! object {
    ($type:ty, $opaque:ty, $kind:literal, $name:literal) => {
        impl $crate::handle::Object for $type {
            type Opaque = $opaque;
            const KIND: u8 = $kind;
            const NAME: &'static str = $name;
            fn table() -> &'static $crate::handle::Table<Self> {
                static TABLE: $crate::handle::Table<$type> = $crate::handle::Table::new();
                &TABLE
            }
        }
    };
}
pub(crate) use object;

/// A handle for this object.
pub(crate) fn give<T: Object>(object: T) -> *mut T::Opaque {
    give_shared(Arc::new(object))
}

/// A handle for this object, which others hold, too.
pub(crate) fn give_shared<T: Object>(object: Arc<T>) -> *mut T::Opaque {
    let table = T::table();
    table.hold_during_forks(|| Box::new(T::table().hold()));
    std::ptr::without_provenance_mut(table.insert(object).pack(T::KIND))
}

/// The object of a handle. It lives as long as somebody uses it, even if the handle is freed meanwhile.
pub(crate) fn get<T: Object>(handle: *mut T::Opaque) -> Result<Arc<T>> {
    T::table().get(key::<T>(handle)?).ok_or_else(freed::<T>)
}

/// The object of a handle, which ends.
pub(crate) fn take<T: Object>(handle: *mut T::Opaque) -> Result<Arc<T>> {
    T::table().remove(key::<T>(handle)?).ok_or_else(freed::<T>)
}

/// As [`take`], for functions that free; none is no error.
pub(crate) fn free<T: Object>(handle: *mut T::Opaque) -> Result<()> {
    if handle.is_null() { Ok(()) } else { take::<T>(handle).map(drop) }
}

fn key<T: Object>(handle: *mut T::Opaque) -> Result<Key> {
    if handle.is_null() {
        return Err(invalid(format!("the {} is NULL", T::NAME)));
    }
    Key::unpack(handle.addr(), T::KIND)
        .ok_or_else(|| invalid(format!("this is not the handle of a {}", T::NAME)))
}

fn freed<T: Object>() -> Error {
    invalid(format!("the {} was freed", T::NAME))
}

/// The place of an entry, and how often the place was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    shard: usize,
    slot: usize,
    generation: u32,
}

const SHARDS: usize = 16;
const SLOT_BITS: u32 = 26;
const GENERATION_BITS: u32 = 26;
const SHARD_BITS: u32 = SHARDS.trailing_zeros();

impl Key {
    fn pack(self, kind: u8) -> usize {
        let kind = usize::from(kind) << (GENERATION_BITS + SLOT_BITS + SHARD_BITS);
        let generation = (self.generation as usize) << (SLOT_BITS + SHARD_BITS);
        kind | generation | self.slot << SHARD_BITS | self.shard
    }

    fn unpack(handle: usize, kind: u8) -> Option<Self> {
        let field = |shift: u32, width: u32| (handle >> shift) & ((1 << width) - 1);
        if handle >> (GENERATION_BITS + SLOT_BITS + SHARD_BITS) != usize::from(kind) {
            return None;
        }
        let generation = u32::try_from(field(SLOT_BITS + SHARD_BITS, GENERATION_BITS)).ok()?;
        Some(Self { shard: field(0, SHARD_BITS), slot: field(SHARD_BITS, SLOT_BITS), generation })
    }
}

/// The objects of one kind.
pub(crate) struct Table<T> {
    shards: [RwLock<Shard<T>>; SHARDS],
    next: AtomicUsize,
    is_held_during_forks: AtomicBool,
}

struct Shard<T> {
    slots: Vec<Slot<T>>,
    free: VecDeque<usize>,
}

struct Slot<T> {
    generation: u32,
    object: Option<Arc<T>>,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        let shards =
            [const { RwLock::new(Shard { slots: Vec::new(), free: VecDeque::new() }) }; SHARDS];
        Self { shards, next: AtomicUsize::new(0), is_held_during_forks: AtomicBool::new(false) }
    }

    /// A child of a program with threads makes handles of its own, so it must find the locks free.
    fn hold_during_forks(&self, hold: fn() -> Box<dyn Any>) {
        if !self.is_held_during_forks.load(Ordering::Relaxed)
            && !self.is_held_during_forks.swap(true, Ordering::Relaxed)
        {
            blockqueue::hold_during_forks(hold);
        }
    }

    /// All of the table.
    fn hold(&self) -> Vec<RwLockWriteGuard<'_, Shard<T>>> {
        let shards = self.shards.iter();
        shards.map(|shard| shard.write().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    fn insert(&self, object: Arc<T>) -> Key {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "a remainder by the number of them")]
        let mut entries = self.shards[shard].write().unwrap_or_else(PoisonError::into_inner);
        let (slot, generation) = entries.insert(object);
        Key { shard, slot, generation }
    }

    fn get(&self, key: Key) -> Option<Arc<T>> {
        let entries = self.shards.get(key.shard)?.read().unwrap_or_else(PoisonError::into_inner);
        let slot = entries.slots.get(key.slot)?;
        if slot.generation == key.generation { slot.object.clone() } else { None }
    }

    fn remove(&self, key: Key) -> Option<Arc<T>> {
        let shard = self.shards.get(key.shard)?;
        shard.write().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

impl<T> Shard<T> {
    fn insert(&mut self, object: Arc<T>) -> (usize, u32) {
        if let Some(place) = self.free.pop_front()
            && let Some(slot) = self.slots.get_mut(place)
        {
            slot.object = Some(object);
            return (place, slot.generation);
        }
        // Two million million bytes of slots come before the bits of a place are used up.
        self.slots.push(Slot { generation: 0, object: Some(object) });
        (self.slots.len() - 1, 0)
    }

    fn remove(&mut self, key: Key) -> Option<Arc<T>> {
        let slot = self.slots.get_mut(key.slot)?;
        if slot.generation != key.generation {
            return None;
        }
        let object = slot.object.take()?;
        slot.generation += 1;
        // A place whose numbers are used up is not used again.
        if slot.generation >> GENERATION_BITS == 0 {
            self.free.push_back(key.slot);
        }
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_survives_its_bits() {
        let key = Key { shard: 15, slot: 7, generation: (1 << GENERATION_BITS) - 1 };
        assert_eq!(Key::unpack(key.pack(9), 9), Some(key));
        assert_eq!(Key::unpack(key.pack(9), 8), None);
    }

    #[test]
    fn a_place_that_is_used_again_has_another_key() {
        let table = Table::new();
        let keys: Vec<_> = (0..SHARDS).map(|n| table.insert(Arc::new(n))).collect();
        for key in &keys {
            assert!(table.remove(*key).is_some());
            assert!(table.remove(*key).is_none());
        }
        let again: Vec<_> = (0..SHARDS).map(|n| table.insert(Arc::new(n))).collect();
        for (old, new) in keys.iter().zip(&again) {
            assert_eq!((old.shard, old.slot), (new.shard, new.slot));
            assert!(table.get(*old).is_none());
            assert!(table.get(*new).is_some());
        }
    }

    #[test]
    fn a_place_is_retired_before_its_numbers_come_again() {
        let mut shard = Shard { slots: Vec::new(), free: VecDeque::new() };
        shard
            .slots
            .push(Slot { generation: (1 << GENERATION_BITS) - 1, object: Some(Arc::new(())) });
        let last = Key { shard: 0, slot: 0, generation: (1 << GENERATION_BITS) - 1 };
        assert!(shard.remove(last).is_some());
        assert_eq!(shard.insert(Arc::new(())), (1, 0));
    }
}
