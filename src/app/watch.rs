//! Tells that something has happened in one of several folders.
//!
//! Folders are watched, not files: an editor or `mv` puts another file into the place of the one that was watched, and
//! Kubernetes turns the link `..data` beside a ConfigMap's files to another folder.

use std::collections::BTreeSet;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::limits;

/// The folders that are watched.
#[derive(Debug)]
pub(super) struct Watch {
    folders: BTreeSet<PathBuf>,
    /// `None` if the system refused.
    watcher: Option<RecommendedWatcher>,
    told: Arc<Told>,
}

/// What the watcher's own thread tells.
#[derive(Debug, Default)]
struct Told {
    changed: Notify,
    failed: AtomicBool,
}

// === impl Watch ===

impl Watch {
    pub(super) fn new(folders: BTreeSet<PathBuf>) -> Self {
        let mut watch = Self { folders: BTreeSet::new(), watcher: None, told: Arc::default() };
        watch.follow(folders, true);
        watch
    }

    /// Watches these folders from now on. `anew`: also if they are those of before.
    pub(super) fn follow(&mut self, folders: BTreeSet<PathBuf>, anew: bool) {
        let failed = self.told.failed.swap(false, Ordering::AcqRel);
        if folders == self.folders && !anew && !failed {
            return;
        }
        self.watcher = match watcher(&folders, Arc::clone(&self.told)) {
            Ok(watcher) => {
                // What happened before it began to watch, nobody told.
                self.told.changed.notify_one();
                Some(watcher)
            }
            Err(error) => {
                let seconds = limits::RELOAD_SECONDS;
                tracing::warn!(%error, "the folder of the mapping cannot be watched; a change is seen within {seconds} seconds");
                None
            }
        };
        self.folders = folders;
    }

    /// Returns when something has happened, and nothing more for a moment: who writes a file in pieces is not to be read
    /// in the middle. Never, where nothing is watched.
    pub(super) async fn quiet_after_change(watch: Option<&Self>) {
        let Some(watch) = watch else { return pending().await };
        watch.told.changed.notified().await;
        let more = async {
            let quiet = Duration::from_millis(limits::RELOAD_QUIET_MILLIS);
            while tokio::time::timeout(quiet, watch.told.changed.notified()).await.is_ok() {}
        };
        // In a folder where something happens all the time it would never be quiet.
        drop(tokio::time::timeout(Duration::from_secs(1), more).await);
    }
}

fn watcher(folders: &BTreeSet<PathBuf>, told: Arc<Told>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
        Ok(event) if is_change(event.kind) => told.changed.notify_one(),
        Ok(_) => {}
        Err(_) => {
            told.failed.store(true, Ordering::Release);
            told.changed.notify_one();
        }
    })?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Whether it can be a change. To be read is none: every look would lead to the next one.
const fn is_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if !matches!(access, AccessKind::Close(AccessMode::Write)))
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
