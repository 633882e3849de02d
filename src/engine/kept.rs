//! Walks that are kept for the later pages of a query.
//!
//! A client that pages through a list which the backend cannot page for it would cause a walk a page. The first page
//! always walks anew, so a look-up never sees what is kept; later pages are served from the walk of the first, for a
//! bounded time and within a bound of memory. What is lost is walked again. A write through this process makes all that
//! was kept of the resource type unreachable, also one that ends after a reload on the mapping before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use crate::limits;
use crate::scim::Object;
use crate::translate::pages::Start;

/// What is kept.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// Every resource of a query, in order.
    Walk(Arc<Walk>),
    /// Where the window behind another one begins.
    Position(Arc<Position>),
}

/// All resources that a query found.
#[derive(Debug)]
pub(super) struct Walk {
    rows: Vec<Box<str>>,
    bytes: usize,
    keep: Duration,
}

/// The page of a list that holds the first row of a window.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) start: Start,
    /// Rows of the list before that page.
    pub(super) before: u64,
    pub(super) keep: Duration,
}

/// What is kept of all queries.
#[derive(Debug)]
pub(super) struct Keeper {
    cache: Cache<String, Kept>,
    /// One a resource type, counting its writes.
    epochs: Vec<AtomicU64>,
    /// Which of all that have shared `strays` this is.
    number: u64,
    strays: Arc<Strays>,
}

/// Writes on mappings that were replaced while they ran. Which types of the newest they are about nobody can tell, so they
/// count for all.
#[derive(Debug, Default)]
struct Strays {
    /// The number of the newest keeper.
    newest: AtomicU64,
    writes: AtomicU64,
}

struct Lifetime;

impl Expiry<String, Kept> for Lifetime {
    fn expire_after_create(&self, _: &String, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(match kept {
            Kept::Walk(walk) => walk.keep,
            Kept::Position(position) => position.keep,
        })
    }
}

// === impl Keeper ===

impl Keeper {
    pub(super) fn new(resource_types: usize) -> Self {
        Self::with(resource_types, 0, Arc::default())
    }

    /// A keeper that takes the place of this one. It has nothing yet: what was kept is in the form of another mapping.
    pub(super) fn after(&self, resource_types: usize) -> Self {
        // One order of all of these: a write that does not see this one had ended before the new one was there.
        let number = self.strays.newest.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        Self::with(resource_types, number, Arc::clone(&self.strays))
    }

    fn with(resource_types: usize, number: u64, strays: Arc<Strays>) -> Self {
        let weigh = |key: &String, kept: &Kept| {
            let bytes = match kept {
                Kept::Walk(walk) => walk.bytes,
                Kept::Position(_) => 64,
            };
            u32::try_from(bytes + key.len() + 64).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(limits::KEEP_BYTES).weigher(weigh).expire_after(Lifetime).build();
        Self { cache, epochs: (0..resource_types).map(|_| AtomicU64::new(0)).collect(), number, strays }
    }

    /// How often a resource type was written: part of the key of everything that is kept of it.
    pub(super) fn epoch(&self, resource_type: usize) -> u64 {
        let own = self.epochs.get(resource_type).map_or(0, |epoch| epoch.load(Ordering::Acquire));
        own.saturating_add(self.strays.writes.load(Ordering::SeqCst))
    }

    /// A resource type is written. To be called before and after: a walk that runs meanwhile may have seen either.
    pub(super) fn written(&self, resource_type: usize) {
        if let Some(epoch) = self.epochs.get(resource_type) {
            epoch.fetch_add(1, Ordering::AcqRel);
        }
        if self.strays.newest.load(Ordering::SeqCst) != self.number {
            self.strays.writes.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Kept> {
        self.cache.get(key)
    }

    pub(super) fn put(&self, key: String, kept: Kept) {
        self.cache.insert(key, kept);
    }
}

// === impl Walk ===

impl Walk {
    pub(super) fn new(keep: Duration) -> Self {
        Self { rows: Vec::new(), bytes: 0, keep }
    }

    /// Adds a resource; `false` if there is more than may be kept.
    pub(super) fn push(&mut self, resource: &Object) -> bool {
        let Ok(text) = serde_json::to_string(resource) else { return false };
        self.bytes += text.len() + size_of::<Box<str>>();
        self.rows.push(text.into_boxed_str());
        self.bytes as u64 <= limits::KEEP_BYTES / 2
    }

    pub(super) fn total(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The resources of a window.
    pub(super) fn slice(&self, skip: u64, count: u64) -> Vec<Object> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.rows.iter().skip(skip).take(count).filter_map(|row| serde_json::from_str(row).ok()).collect()
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
