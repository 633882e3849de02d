//! The gateway of a test: the engine behind the server's port, and a note of the queries that were asked.

use std::sync::{Mutex, PoisonError};

use crate::engine::{Context, Engine, Error, Reply, ScimRequest};
use crate::scim::Profile;
use crate::scim::messages::SearchRequest;
use crate::server::Service;

use super::script::Script;

/// A query of one resource type.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) endpoint: String,
    pub(super) asked: SearchRequest,
    pub(super) profile: &'static Profile,
}

pub(super) struct Gateway {
    engine: Engine<Script>,
    searches: Mutex<Vec<Search>>,
    reason: Mutex<Option<String>>,
}

impl Gateway {
    pub(super) fn new(engine: Engine<Script>) -> Self {
        Self { engine, searches: Mutex::default(), reason: Mutex::default() }
    }

    /// What an operator would be told of the last failure, since the last look.
    pub(super) fn reason(&self) -> Option<String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The queries since the last look.
    pub(super) fn searches(&self) -> Vec<Search> {
        std::mem::take(&mut *self.searches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service for Gateway {
    async fn call(&self, context: Context, request: ScimRequest) -> Result<Reply, Error> {
        if let ScimRequest::List { endpoint: Some(endpoint), search } = &request {
            let search = Search { endpoint: endpoint.clone(), asked: search.clone(), profile: context.profile };
            self.searches.lock().unwrap_or_else(PoisonError::into_inner).push(search);
        }
        let reply = self.engine.call(&context, request).await;
        let reason = match &reply {
            Err(Error::Backend { fault, .. }) => Some(fault.to_string()),
            Err(error @ (Error::Mapping { .. } | Error::Gateway { .. })) => Some(error.to_string()),
            _ => None,
        };
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        reply
    }

    fn endpoints(&self) -> &[String] {
        self.engine.endpoints()
    }
}
