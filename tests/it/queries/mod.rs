//! The planner and the engine that runs its plans, on fake backends of every kind.

mod fake;
mod injection;
mod languages;
mod lies;
mod mapping;
mod properties;
mod table;
mod walks;

use scimitar::app::{Given, load_mapping};
use scimitar::engine::{Context, Engine, Error, Offer, ScimRequest};
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use serde_json::Value;

use fake::{Fake, Kind};

/// The base URL that the gateway believes to have.
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
    fn new(kind: Kind, users: Vec<Value>, groups: Vec<Value>) -> Self {
        let text = mapping::text(&kind);
        let mapping = load_mapping("mapping.yaml", &text, &Given(&[])).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let fake = Fake::new(kind, users, groups);
        Self { engine: Engine::new(mapping, fake.clone(), scimitar::app::Host, Offer::default()), fake }
    }

    async fn search(&self, endpoint: &str, search: SearchRequest) -> Result<Value, Error> {
        let request = ScimRequest::List { endpoint: Some(endpoint.to_owned()), search };
        self.engine.call(&context(), request).await.map(|reply| reply.body.unwrap())
    }
}

/// The ids of a ListResponse.
fn ids(body: &Value) -> Vec<String> {
    body["Resources"].as_array().unwrap().iter().map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
}

fn window(filter: Option<&str>, start: i64, count: i64) -> SearchRequest {
    SearchRequest { filter: filter.map(str::to_owned), start_index: Some(start), count: Some(count), ..SearchRequest::default() }
}
