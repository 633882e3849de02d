//! Turns, by a clock that the tests move.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{NoTurn, Turns};
use crate::limits;
use crate::mapping::model::Rate;

fn turns(calls: usize, seconds: u64) -> Turns {
    Turns { rate: Rate { calls, period: Duration::from_secs(seconds) }, given: std::sync::Mutex::default() }
}

/// The most turns that lie in any period.
fn most(turns: &[Instant], period: Duration) -> usize {
    let within = |first: &Instant| turns.iter().filter(|turn| **turn >= *first && **turn < *first + period).count();
    turns.iter().map(within).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn no_period_has_more() {
    let turns = turns(5, 1);
    let (now, far) = (Instant::now(), Instant::now() + Duration::from_secs(1_000));
    // They come at all times: all at once, and one by one.
    let given: Vec<Instant> =
        (0..200).map(|number: u64| turns.take(now + Duration::from_millis(number / 7 * 130), far).unwrap()).collect();
    assert_eq!(most(&given, Duration::from_secs(1)), 5);
    assert!(given.is_sorted(), "in the order in which they are asked for");
    assert!(given.iter().take(5).all(|turn| *turn == now), "all at once, as far as there are any");
    // No turn is lost: 200 in 40 periods.
    let margin = Duration::from_millis(limits::RATE_MARGIN_MILLIS);
    assert_eq!(given.last().unwrap().duration_since(now), (Duration::from_secs(1) + margin) * 39);
    assert_eq!(turns.given.lock().unwrap().len(), 5, "no more is remembered");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_in_vain() {
    let turns = turns(1, 60);
    let now = Instant::now();
    let latest = now + Duration::from_secs(10);
    assert_eq!(turns.take(now, latest).ok(), Some(now));
    let Err(NoTurn { wait }) = turns.take(now, latest) else { panic!("there is one a minute") };
    assert!(wait >= Duration::from_mins(1) && wait < Duration::from_secs(61), "{wait:?}");
    // Who is refused takes no turn from others.
    let later = now + Duration::from_secs(61);
    assert_eq!(turns.take(later, later).ok(), Some(later));
}

#[tokio::test(start_paused = true)]
async fn turns_are_given_side_by_side() {
    let turns = Arc::new(turns(3, 1));
    let (now, far) = (Instant::now(), Instant::now() + Duration::from_secs(1_000));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let turns = Arc::clone(&turns);
            std::thread::spawn(move || (0..30).map(|_| turns.take(now, far).unwrap()).collect::<Vec<_>>())
        })
        .collect();
    let given: Vec<Instant> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!((given.len(), most(&given, Duration::from_secs(1))), (120, 3));
}
