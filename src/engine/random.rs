//! Texts that nobody can guess, for backends that demand a password.

use super::Error;
use super::ports::System;

/// What such a text is made of: 64 characters, so that a random byte chooses each with the same chance. Those that are
/// mistaken for each other stay in: nobody types it.
const CHARS: [&[u8]; 4] = [b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789", b"-_"];

/// A text of so many characters, with a small letter, a capital, a digit and a sign among them, as most rules for passwords
/// want it.
pub(super) fn text(system: &dyn System, chars: usize) -> Result<String, Error> {
    let all: Vec<u8> = CHARS.concat();
    // One try in a few has all kinds; the bound is for a source of chance that is broken.
    for _ in 0..1_000 {
        let mut bytes = vec![0; chars];
        if !system.random(&mut bytes) {
            break;
        }
        let text: Vec<u8> = bytes.iter().filter_map(|byte| all.get(usize::from(byte & 63)).copied()).collect();
        if CHARS.iter().all(|kind| text.iter().any(|byte| kind.contains(byte))) {
            return String::from_utf8(text).map_err(|_| Error::gateway("a random text is not a text"));
        }
    }
    Err(Error::gateway("the system gives no random bytes"))
}

#[cfg(test)]
#[path = "random_tests.rs"]
mod tests;
