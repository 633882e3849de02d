//! Changes on fake backends of every kind: what they come to, what they cost, and what is true when calls fail.

mod api;
mod bulk;
mod crowd;
mod fake;
mod faults;
mod foretold;
mod mapping;
mod model;
mod properties;
mod requests;
mod table;

use std::sync::{LazyLock, Mutex, PoisonError};

use scimitar::app::{Given, Host, load_mapping};
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

fn context() -> Context {
    Context { base_url: BASE.to_owned(), profile: &Profile::LENIENT, if_match: None, if_none_match: None, deadline: None }
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
        Self { engine: Engine::new(mapping, fake.clone(), Host, Offer::default()), fake }
    }

    /// What the backend holds.
    fn held(&self) -> Model {
        Model::of_state(&self.fake.state())
    }
}
