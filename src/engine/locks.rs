//! Writes of one resource, one after the other.
//!
//! Two changes of one resource at the same time would read the same state, and the later one would undo the earlier. Within
//! this process they wait for each other, first come, first served. Between processes only the backend's revision can tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
// The lock of tokio needs no runtime of it.
use tokio::sync::{Mutex as Fair, OwnedMutexGuard};

use super::Error;
use super::ports::System;
use crate::limits;

/// What is written. Places of types in a mapping are of no use here: after a reload another type may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// The resource of an endpoint with this id.
    Id { endpoint: String, id: String },
    /// The one that is yet to be, by its name.
    New { endpoint: String, name: String },
}

/// Who writes what. Holds the resources that are being written, and nothing of others.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: Mutex<HashMap<Name, Arc<Fair<()>>>>,
}

/// The right to write a resource; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Held<'l> {
    locks: &'l Locks,
    name: Name,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Waits for the turn of a write. After a bounded time, or behind a bounded number of others, the write is refused
    /// before anything was done.
    pub(super) async fn hold(&self, system: &dyn System, name: Name) -> Result<Held<'_>, Error> {
        let (Name::Id { id: shown, .. } | Name::New { name: shown, .. }) = &name;
        let refusal = format!(
            "Too many changes of the resource \"{shown}\" are waiting: nothing was done; send the request again after the time \
             in Retry-After."
        );
        let lock = Arc::clone(self.table().entry(name.clone()).or_default());
        // From here on the entry goes when the last one who waits goes, however that ends.
        let mut held = Held { locks: self, name, guard: None };
        let busy = || Error::Busy(refusal.clone());
        // One is the table's, one this one's.
        if Arc::strong_count(&lock) > limits::WRITERS + 2 {
            return Err(busy());
        }
        let turn = Box::pin(lock.lock_owned());
        held.guard = match select(turn, system.sleep(Duration::from_secs(limits::WRITER_SECONDS))).await {
            Either::Left((guard, _)) => Some(guard),
            Either::Right(((), turn)) => {
                drop(turn);
                return Err(busy());
            }
        };
        Ok(held)
    }

    /// Of the map no more than single entries are changed, so that a panic elsewhere leaves it whole.
    fn table(&self) -> MutexGuard<'_, HashMap<Name, Arc<Fair<()>>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many resources are being written.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.table().len()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut table = self.locks.table();
        // Nobody can come in between: who wants the lock takes it out of the table first.
        if table.get(&self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            table.remove(&self.name);
        }
    }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
