//! Bulk (RFC 7644 section 3.7): operations that do not wait for each other are worked on side by side; [`Schedule`] knows
//! which do.

use std::collections::HashMap;

use super::circle::CircleJob;
use super::ports::Backend;
use super::{Context, Engine, Error, Names, Reply, ScimRequest};
use crate::limits;
use crate::scim::bulk::{
    BulkEntry, BulkMethod, BulkOperation, BulkRequest, BulkResult, Circle, Resolved, Schedule, bulk_response,
};
use crate::scim::{ResourceType, ScimError};
use crate::translate::create::batch_size;
use crate::translate::read::location;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// What the client is told of operations that were not begun in time.
const NOT_BEGUN: &str =
    "The time for the job ran out before this operation was begun, and nothing of it was done: send it again.";

/// What is known of an operation, whatever becomes of it.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) place: usize,
    pub(super) method: Option<String>,
    pub(super) bulk_id: Option<String>,
    pub(super) location: Option<String>,
}

/// An operation that is done.
pub(super) struct Done {
    pub(super) place: usize,
    pub(super) result: BulkResult,
    /// The id that references to it mean.
    pub(super) id: Option<String>,
}

/// Operations that are begun together, with all that they refer to known.
enum Work {
    One(Name, Result<BulkOperation, ScimError>),
    /// Creations of one type, for a backend that takes several in one call.
    Several(Vec<(Name, BulkOperation)>),
    Circle(CircleJob),
}

impl Work {
    /// The number of operations.
    fn len(&self) -> u64 {
        match self {
            Self::One(..) => 1,
            Self::Several(several) => several.len() as u64,
            Self::Circle(job) => job.names.len() as u64,
        }
    }
}

/// What came of a job so far.
struct Progress {
    entries: Vec<Option<BulkEntry>>,
    known: HashMap<String, Resolved>,
    results: Vec<(usize, BulkResult)>,
    errors: u64,
}

impl<B: Backend> Engine<B> {
    /// Works through a job. With `failOnErrors` operations are begun in their sequence, and only while all that run could
    /// fail without more errors than that: so exactly those are done that would be done one after the other.
    pub(super) async fn bulk(&self, context: &Context, job: BulkRequest) -> Reply {
        let kinds: Vec<&ResourceType> = self.mapping.resources.iter().map(|resource| &resource.kind).collect();
        let mut schedule = Schedule::new(&job, &kinds);
        let most = job.fail_on_errors;
        let bound = limits::BULK_CONCURRENCY.min(self.mapping.backend.concurrency).max(1);
        let mut progress = Progress {
            entries: job.operations.into_iter().map(Some).collect(),
            known: HashMap::new(),
            results: Vec::new(),
            errors: 0,
        };
        let mut running = FuturesUnordered::new();
        let mut underway: u64 = 0;
        loop {
            while running.len() < bound && !self.is_late(context) {
                // A circle counts with all its operations, so that it may have to run alone.
                let may_fail = progress.errors + underway;
                if most.is_some_and(|most| progress.errors >= most || (underway > 0 && may_fail >= most)) {
                    break;
                }
                let Some(unit) = schedule.begin(most.is_some()) else { break };
                let (places, is_circle) = schedule.unit(unit);
                let mut work = self.work(context, &kinds, places, is_circle, &mut progress);
                let mut units = vec![unit];
                // With failOnErrors each has to wait for those before it.
                if let (Work::One(..), None) = (&work, most) {
                    work = self.more(context, &kinds, work, &mut units, &mut schedule, &mut progress);
                }
                underway += work.len();
                running.push(Box::pin(self.perform(context, units, work)));
            }
            let Some((units, done)) = running.next().await else { break };
            underway -= done.len() as u64;
            for done in done {
                progress.take(done, &schedule);
            }
            for unit in units {
                schedule.done(unit);
            }
        }
        let mut late = 0;
        for place in schedule.rest() {
            if most.is_some_and(|most| progress.errors >= most) {
                break;
            }
            let Some(entry) = progress.entries.get_mut(place).and_then(Option::take) else { continue };
            let name = self.bulk_name(context, place, &entry);
            progress.take(name.failed(&ScimError::status(503, NOT_BEGUN)), &schedule);
            late += 1;
        }
        if late > 0 {
            tracing::warn!(count = late, "operations of a job were not begun in time");
        }
        let mut results = progress.results;
        results.sort_by_key(|(place, _)| *place);
        Reply::ok(bulk_response(results.into_iter().map(|(_, result)| result).collect()))
    }

    /// Takes the operations of a unit out of the job, with what they refer to.
    fn work(
        &self,
        context: &Context,
        kinds: &[&ResourceType],
        places: &[usize],
        is_circle: bool,
        progress: &mut Progress,
    ) -> Work {
        let known = &progress.known;
        let mut entries = Vec::with_capacity(places.len());
        for place in places {
            if let Some(entry) = progress.entries.get_mut(*place).and_then(Option::take) {
                entries.push((self.bulk_name(context, *place, &entry), entry.operation));
            }
        }
        if !is_circle && let Some((mut name, mut operation)) = entries.pop() {
            if let Ok(operation_) = &mut operation {
                if let Err(error) = operation_.resolve(known) {
                    operation = Err(error);
                } else {
                    name.location = self.bulk_location(context, operation_);
                }
            }
            return Work::One(name, operation);
        }
        let (mut names, mut operations) = (Vec::new(), Vec::new());
        for (name, operation) in entries {
            operations.extend(operation.ok().map(|operation| (name.place, operation)));
            names.push(name);
        }
        let referred = operations.iter().flat_map(|(_, operation)| operation.references());
        let known = referred.filter_map(|bulk_id| known.get(&bulk_id).cloned().map(|id| (bulk_id, id))).collect();
        let borrowed: Vec<(usize, &BulkOperation)> = operations.iter().map(|(place, operation)| (*place, operation)).collect();
        Work::Circle(CircleJob { names, plan: Circle::plan(&borrowed, kinds), known })
    }

    /// Adds further creations of the same type that wait for nothing, if the backend takes several in one call.
    fn more(
        &self,
        context: &Context,
        kinds: &[&ResourceType],
        work: Work,
        units: &mut Vec<usize>,
        schedule: &mut Schedule,
        progress: &mut Progress,
    ) -> Work {
        let Work::One(name, Ok(operation)) = work else { return work };
        let size = Some(&operation).filter(|operation| operation.method == BulkMethod::Post);
        let Some(size) = size.and_then(|operation| batch_size(self.mapping.at(&operation.path.endpoint)?)) else {
            return Work::One(name, Ok(operation));
        };
        let endpoint = operation.path.endpoint.clone();
        let mut several = vec![(name, operation)];
        while several.len() < size
            && let Some(next) = schedule.next()
            && progress.creates(schedule.unit(next), &endpoint)
            && let Some(unit) = schedule.begin(false)
        {
            units.push(unit);
            let (places, is_circle) = schedule.unit(unit);
            match self.work(context, kinds, places, is_circle, progress) {
                Work::One(name, Ok(operation)) => several.push((name, operation)),
                // What it refers to has failed: it cannot be begun, and is told with the others.
                Work::One(name, Err(error)) => progress.take(name.failed(&error), schedule),
                Work::Several(_) | Work::Circle(_) => {}
            }
        }
        match several.pop() {
            Some((name, operation)) if several.is_empty() => Work::One(name, Ok(operation)),
            Some(last) => {
                several.push(last);
                Work::Several(several)
            }
            None => Work::Several(several),
        }
    }

    async fn perform(&self, context: &Context, units: Vec<usize>, work: Work) -> (Vec<usize>, Vec<Done>) {
        let done = match work {
            Work::One(name, Ok(operation)) => vec![self.bulk_one(context, name, operation).await],
            Work::One(name, Err(error)) => vec![name.failed(&error)],
            Work::Several(several) => self.bulk_several(context, several).await,
            Work::Circle(job) => self.circle(context, job).await,
        };
        (units, done)
    }

    async fn bulk_several(&self, context: &Context, several: Vec<(Name, BulkOperation)>) -> Vec<Done> {
        let endpoint = several.first().map(|(_, operation)| operation.path.endpoint.clone()).unwrap_or_default();
        let (names, bodies): (Vec<Name>, Vec<_>) =
            several.into_iter().map(|(name, operation)| (name, operation.data.unwrap_or_default())).unzip();
        let context = Context { if_match: None, if_none_match: None, ..context.clone() };
        let replies = self.create_several(&context, &endpoint, bodies).await;
        let done = names.into_iter().zip(replies).map(|(name, reply)| match reply {
            Ok(reply) => name.done(reply, None),
            Err(error) => name.failed(&told(&error)),
        });
        done.collect()
    }

    pub(super) async fn bulk_one(&self, context: &Context, name: Name, operation: BulkOperation) -> Done {
        let id = operation.path.id.clone().filter(|_| operation.method != BulkMethod::Delete);
        match self.bulk_write(context, operation).await {
            Ok(reply) => name.done(reply, id),
            Err(error) => name.failed(&told(&error)),
        }
    }

    /// One operation by itself.
    pub(super) async fn bulk_write(&self, context: &Context, operation: BulkOperation) -> Result<Reply, Error> {
        let context = Context { if_match: operation.version.clone(), if_none_match: None, ..context.clone() };
        self.write(&context, request(operation)).await
    }

    /// Whether no further operation may be begun.
    pub(super) fn is_late(&self, context: &Context) -> bool {
        context.deadline.is_some_and(|deadline| self.system.now() >= deadline)
    }

    fn bulk_name(&self, context: &Context, place: usize, entry: &BulkEntry) -> Name {
        let location = entry.operation.as_ref().ok().and_then(|operation| self.bulk_location(context, operation));
        Name { place, method: entry.method.clone(), bulk_id: entry.bulk_id.clone(), location }
    }

    /// Where the resource of an operation is; nowhere for one that is yet to be created.
    pub(super) fn bulk_location(&self, context: &Context, operation: &BulkOperation) -> Option<String> {
        let resource = self.mapping.at(&operation.path.endpoint)?;
        let id = operation.path.id.as_deref().filter(|_| operation.path.reference().is_none())?;
        Some(location(&context.base_url, resource, id))
    }
}

/// What the client is told of an error; what the operator has to know goes into the log.
pub(super) fn told(error: &Error) -> ScimError {
    if !matches!(error, Error::Client(_) | Error::Partly { .. }) {
        tracing::warn!(%error, "an operation of a job failed");
    }
    error.to_scim()
}

fn request(operation: BulkOperation) -> ScimRequest {
    let BulkOperation { method, path, data, .. } = operation;
    let (endpoint, id) = (path.endpoint, path.id.unwrap_or_default());
    let (body, names) = (data.unwrap_or_default(), Names::default());
    match method {
        BulkMethod::Post => ScimRequest::Create { endpoint, body, names },
        BulkMethod::Put => ScimRequest::Replace { endpoint, id, body, names },
        BulkMethod::Patch => ScimRequest::Patch { endpoint, id, body, names },
        BulkMethod::Delete => ScimRequest::Delete { endpoint, id },
    }
}

// === impl Name ===

impl Name {
    /// The result of a success; the id is that of the path, for what was there before.
    pub(super) fn done(self, reply: Reply, id: Option<String>) -> Done {
        let created = reply.body.as_ref().and_then(|body| body.get("id")?.as_str()).map(str::to_owned);
        let result = BulkResult {
            method: self.method,
            bulk_id: self.bulk_id,
            version: reply.version,
            location: reply.location.or(self.location),
            status: reply.status,
            response: reply.body,
        };
        Done { place: self.place, result, id: created.or(id) }
    }

    pub(super) fn failed(self, error: &ScimError) -> Done {
        Done { place: self.place, result: BulkResult::failed(self.method, self.bulk_id, self.location, error), id: None }
    }
}

// === impl Progress ===

impl Progress {
    /// Whether a unit is one creation at an endpoint.
    fn creates(&self, (places, is_circle): (&[usize], bool), endpoint: &str) -> bool {
        let [place] = places else { return false };
        let entry = self.entries.get(*place).and_then(Option::as_ref);
        let operation = entry.and_then(|entry| entry.operation.as_ref().ok()).filter(|_| !is_circle);
        operation.is_some_and(|operation| operation.method == BulkMethod::Post && operation.path.endpoint == endpoint)
    }

    fn take(&mut self, done: Done, schedule: &Schedule) {
        let failed = done.result.status >= 400;
        self.errors += u64::from(failed);
        if let Some(bulk_id) = &done.result.bulk_id
            && schedule.is_maker(bulk_id, done.place)
        {
            let resolved = done.id.filter(|_| !failed).map_or(Resolved::Failed, Resolved::Id);
            self.known.insert(bulk_id.clone(), resolved);
        }
        self.results.push((done.place, done.result));
    }
}
