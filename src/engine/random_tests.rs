use std::collections::HashSet;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// A source of chance: a generator of numbers, or one that gives zeros, or none.
#[derive(Debug)]
enum Chance {
    Numbers(AtomicU64),
    Zeros,
    None,
}

impl System for Chance {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(ready(()))
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        for byte in bytes {
            *byte = match self {
                Self::Numbers(state) => {
                    let next = state.load(Ordering::Relaxed).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.store(next, Ordering::Relaxed);
                    next.to_be_bytes()[2]
                }
                Self::Zeros => 0,
                Self::None => return false,
            };
        }
        true
    }
}

#[test]
fn a_text_has_its_length_and_all_kinds_of_characters() {
    let chance = Chance::Numbers(AtomicU64::new(7));
    let mut seen = HashSet::new();
    for chars in [8, 24, 256] {
        for _ in 0..20 {
            let text = text(&chance, chars).unwrap();
            assert_eq!(text.len(), chars);
            for kind in [char::is_lowercase, char::is_uppercase, char::is_numeric, |c: char| "-_".contains(c)] {
                assert!(text.contains(kind), "{text}");
            }
            assert!(seen.insert(text));
        }
    }
}

#[test]
fn without_chance_there_is_no_text() {
    assert!(text(&Chance::None, 24).is_err());
    assert!(text(&Chance::Zeros, 24).is_err());
}
