//! Time and chance of a test: waiting takes none, and what is random is the same each time.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::engine::ports::System;

/// Rounds in which everything else may go on before the next sleeper wakes up. There is no I/O in a test, so that whoever can go
/// on is through with it long before.
const ROUNDS: u32 = 100;

/// A clock that stands still unless everybody waits; then it jumps to the moment that the next one waits for. That keeps the order of
/// events: a short pause is over before a long patience is.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Instant,
    next: u64,
    /// By the moment that they wake up at.
    sleepers: BTreeMap<(Instant, u64), Option<Waker>>,
    chance: u64,
}

struct Sleep {
    clock: Clock,
    until: (Instant, u64),
    rounds: u32,
}

// === impl Clock ===

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { now: Instant::now(), next: 0, sleepers: BTreeMap::new(), chance: 1 })))
    }
}

impl Clock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl System for Clock {
    fn now(&self) -> Instant {
        self.state().now
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.state();
        state.next += 1;
        let until = (state.now.checked_add(time).unwrap_or(state.now), state.next);
        state.sleepers.insert(until, None);
        Box::pin(Sleep { clock: self.clone(), until, rounds: 0 })
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        let mut state = self.state();
        for byte in bytes {
            // A linear congruence (Knuth's MMIX): all kinds of characters come, and nobody relies on more.
            state.chance = state.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [high, ..] = state.chance.to_be_bytes();
            *byte = high;
        }
        true
    }
}

// === impl Sleep ===

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (clock, until) = (self.clock.clone(), self.until);
        let mut state = clock.state();
        if state.now >= until.0 {
            return Poll::Ready(());
        }
        if state.sleepers.keys().next() == Some(&until) {
            self.rounds += 1;
            if self.rounds > ROUNDS {
                state.now = until.0;
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
        }
        state.sleepers.insert(until, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.sleepers.remove(&self.until);
        // The next one takes over.
        let next = state.sleepers.values().next().cloned().flatten();
        drop(state);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}
