//! Calls and their outcomes, and reading one record.

use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::Value;

use super::ports::{Backend, System};
use super::{Error, Operation};
use crate::mapping::model::{Call, Version};
use crate::mapping::path::JsonPath;
use crate::mapping::template::Scope;
use crate::scim::{Object, etag};
use crate::translate::call::{self, Answer, HttpCall};
use crate::translate::outcome::{self, Fault, FaultClass, Outcome};
use crate::translate::read;

/// A record and the resource that it is; relations that have calls of their own are not in it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) record: Value,
    pub(super) resource: Object,
    /// The version as the backend told it.
    pub(super) version: Option<Value>,
}

/// The first pause before a record that lags behind is read again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The pauses between several looks at one thing, until the time is over that the backend may lag behind.
pub(super) struct Pauses<'s> {
    system: &'s dyn System,
    lag: Duration,
    began: Instant,
    next: Duration,
}

impl Pauses<'_> {
    /// Waits; `false` at once if the time is over.
    pub(super) async fn pause(&mut self) -> bool {
        let spent = self.system.now().duration_since(self.began);
        if spent >= self.lag {
            return false;
        }
        self.system.sleep(self.next.min(self.lag.saturating_sub(spent))).await;
        self.next *= 2;
        true
    }
}

/// A fault that the answer itself does not show.
pub(super) fn unintelligible(call: &Call, detail: &str) -> Error {
    let fault =
        Fault { class: FaultClass::Unintelligible, call: call.name.clone(), detail: detail.to_owned(), retry_after: None };
    fault.into()
}

/// Builds a call. That it cannot be built is for the author of the mapping to mend, unless a value of the client's cannot
/// stand where the call has it.
pub(super) fn build<'m>(call: &'m Call, scope: &Scope<'_>, record: Option<&Value>) -> Result<HttpCall<'m>, Error> {
    call::build(call, scope, record).map_err(|error| match call::refusal(call, &error) {
        Some(refusal) => refusal.into(),
        None => Error::mapping(format!("{}: {error}", call.name)),
    })
}

/// What a read may come to, besides what was asked for: anything else is a fault of the backend or the mapping.
pub(super) fn unexpected(call: &Call, outcome: &Outcome) -> Error {
    let meaning = match outcome {
        Outcome::NotFound => "nothing there",
        Outcome::Stale => "a stale revision",
        Outcome::Done => "nothing to do",
        Outcome::Refused(_) => return Error::mapping(format!("{}: the backend refuses the call", call.name)),
        _ => "an answer of another kind",
    };
    let detail = format!("the answer means {meaning}, which it cannot here: see `errors`");
    Fault { class: FaultClass::Unexpected, call: call.name.clone(), detail, retry_after: None }.into()
}

impl<B: Backend> Operation<'_, B> {
    /// Sends a call. Faults are errors; what else the answer may mean is for the caller to see.
    pub(super) async fn send(&self, call: HttpCall<'_>) -> Result<Outcome, Error> {
        self.exchange(call).await.map(|(outcome, _)| outcome)
    }

    /// Sends a call, and gives the headers of the answer, too.
    pub(super) async fn exchange(&self, call: HttpCall<'_>) -> Result<(Outcome, HeaderMap), Error> {
        let described = call.call;
        let answer = self.answer(call).await?;
        match outcome::classify(described, &answer) {
            Outcome::Fault(fault) => Err(fault.into()),
            outcome => Ok((outcome, answer.headers)),
        }
    }

    /// Makes a call. The backend is not waited for behind the end of the request.
    pub(super) async fn answer(&self, call: HttpCall<'_>) -> Result<Answer, Error> {
        Ok(self.engine.backend.send(&HttpCall { deadline: self.context.deadline, ..call }).await?)
    }

    /// Reads the record with a key; `None` if there is none.
    pub(super) async fn fetch(&self, key: &Value) -> Result<Option<Found>, Error> {
        let Some(get) = &self.resource.get else {
            return Err(Error::mapping(format!("{} has no `get`: describe the call that reads one", self.resource.kind.name)));
        };
        let id = read::id_of(self.resource, key).map(Value::from);
        let scope = Scope { key: Some(key), id: id.as_ref(), ..Scope::default() };
        let (outcome, headers) = self.exchange(build(&get.call, &scope, None)?).await?;
        match outcome {
            Outcome::Good(body) => {
                let found = self.record(&get.call, &get.item, &body, Some(&headers)).await?;
                // A backend may find more than it was asked for: `GET /users/ANN`, `GET /users/007`. Ids are exact (RFC 7643 section 3.1).
                let same = found.resource.get("id") == id.as_ref();
                Ok(Some(found).filter(|found| same && !self.is_gone(&found.record)))
            }
            Outcome::NotFound => Ok(None),
            // The id came from the client.
            Outcome::Refused(error) => Err(error.into()),
            other => Err(unexpected(&get.call, &other)),
        }
    }

    /// Reads the record with a key after a write of it, again and again while it lags behind: until it is as it should be, or
    /// until the time is over that the mapping gives the backend. What is there then is the truth, whatever was asked for.
    pub(super) async fn settled(&self, key: &Value, is_settled: impl Fn(&Found) -> bool) -> Result<Option<Found>, Error> {
        let mut pauses = self.pauses();
        loop {
            let found = self.fetch(key).await?;
            if found.as_ref().is_some_and(&is_settled) || !pauses.pause().await {
                return Ok(found);
            }
        }
    }

    /// The pauses between two looks at a backend whose reads lag behind its writes.
    pub(super) fn pauses(&self) -> Pauses<'_> {
        let system = &*self.engine.system;
        Pauses { system, lag: self.mapping().backend.lag, began: system.now(), next: FIRST_PAUSE }
    }

    /// Whether a record does not exist for SCIM.
    pub(super) fn is_gone(&self, record: &Value) -> bool {
        // A condition selects among elements, so the record is held as one.
        self.resource.gone.as_ref().is_some_and(|gone| gone.holds(&Value::Array(vec![record.clone()])))
    }

    /// The record in the body of a good answer.
    pub(super) async fn record(
        &self,
        call: &Call,
        item: &JsonPath,
        body: &Value,
        headers: Option<&HeaderMap>,
    ) -> Result<Found, Error> {
        let record = call.envelope.first(body).and_then(|payload| item.first(payload));
        self.found(call, record, headers).await
    }

    /// A record as the answer to a call has it.
    pub(super) async fn found(&self, call: &Call, record: Option<&Value>, headers: Option<&HeaderMap>) -> Result<Found, Error> {
        if self.learns() {
            self.learn(record.into_iter().collect()).await?;
        }
        let found = record.and_then(|record| {
            let mut resource = self.resource_of(record)?;
            let version = read::revision(self.resource, record, headers);
            if let (Version::Header(_), Some(version)) = (&self.resource.version, &version)
                && let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut)
            {
                meta.insert("version".to_owned(), Value::from(etag::of_header(version.as_str().unwrap_or_default())));
            }
            Some(Found { resource, record: record.clone(), version })
        });
        found.ok_or_else(|| unintelligible(call, "there is no record with an id in the answer: see `envelope`, `item` and `id`"))
    }

    /// The resource that a record is.
    pub(super) fn resource_of(&self, record: &Value) -> Option<Object> {
        read::resource(self.mapping(), &self.tables(), self.resource, record, &self.context.base_url)
    }
}
