//! Changes on fake backends of every kind: what they come to, what they cost, and what is true when calls fail.

mod crowd;
mod fake;
mod faults;
mod mapping;
mod model;
mod properties;
mod requests;
mod table;

use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use scimitar::app::{Given, load_mapping};
use scimitar::engine::ports::System;
use scimitar::engine::{Context, Engine, Offer};
use scimitar::mapping::Mapping;
use scimitar::scim::Profile;

use fake::{Fake, Kind, State};
use model::Model;

const BASE: &str = "https://scim.test/v2";

/// An engine in front of a fake backend.
struct Gateway {
    engine: Engine<Fake>,
    fake: Fake,
}

/// A clock that is moved by waiting alone, so that nothing depends on how fast this runs.
#[derive(Debug, Clone)]
struct Clock(Arc<Mutex<Instant>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl System for Clock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        *self.0.lock().unwrap() += time;
        Box::pin(tokio::task::yield_now())
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        bytes.fill(7);
        true
    }
}

fn context() -> Context {
    Context { base_url: BASE.to_owned(), profile: &Profile::LENIENT, if_match: None, if_none_match: None }
}

impl Gateway {
    fn new(kind: Kind, state: State) -> Self {
        Self::before(Fake::new(kind, state))
    }

    /// One more gateway before the same backend.
    fn before(fake: Fake) -> Self {
        static MAPPINGS: LazyLock<Mutex<Vec<(Kind, Mapping)>>> = LazyLock::new(Default::default);
        let mut known = MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let mapping = match known.iter().find(|(kind, _)| *kind == fake.kind) {
            Some((_, mapping)) => mapping.clone(),
            None => {
                let text = mapping::text(fake.kind);
                let mapping = load_mapping("mapping.yaml", &text, &Given(&[])).unwrap_or_else(|error| panic!("{text}\n{error}"));
                known.push((fake.kind, mapping.clone()));
                mapping
            }
        };
        Self { engine: Engine::new(mapping, fake.clone(), Clock::default(), Offer::default()), fake }
    }

    /// What the backend holds.
    fn held(&self) -> Model {
        Model::of_state(&self.fake.state())
    }
}
