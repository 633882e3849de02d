//! Creating several resources in one call, for backends that can: Bulk uses it.

use http::HeaderMap;
use serde_json::Value;

use super::create::Wanted;
use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::{Context, Engine, Error, Names, Operation, Reply};
use crate::mapping::convert::{same_name, text};
use crate::mapping::model::{Batch, Create, Shape, Target};
use crate::mapping::template::Scope;
use crate::scim::resource::{Incoming, Intent, read};
use crate::scim::{Object, ScimError, ScimType};
use crate::telemetry::audit;
use crate::translate::call;
use crate::translate::outcome::{self, Outcome};
use crate::translate::read::read_field;
use crate::translate::write::value_of;

/// One of several resources that are created together.
struct Candidate<'m> {
    place: usize,
    incoming: Incoming<'m>,
    wanted: Wanted<'m>,
    record: Value,
}

impl<B: Backend> Engine<B> {
    /// Creates several resources of one type; gives what became of each.
    pub(super) async fn create_several(&self, context: &Context, endpoint: &str, sent: Vec<Value>) -> Vec<Result<Reply, Error>> {
        let operation = match self.at(context, endpoint) {
            Ok(operation) => operation,
            Err(error) => return sent.iter().map(|_| Err(error.clone())).collect(),
        };
        let written = self.related(endpoint);
        for place in &written {
            self.kept.written(*place);
        }
        let replies = operation.create_several(sent).await;
        for left in replies.iter().filter_map(|reply| reply.as_ref().err()?.left()) {
            audit::left_behind(&operation.resource.kind.name, None, left);
        }
        for place in &written {
            self.kept.written(*place);
        }
        replies
    }
}

impl<'e, B: Backend> Operation<'e, B> {
    async fn create_several(&self, sent: Vec<Value>) -> Vec<Result<Reply, Error>> {
        let Some((create, batch)) = self.resource.create.as_ref().and_then(|create| Some((create, create.batch.as_deref()?)))
        else {
            return sent.iter().map(|_| Err(Error::gateway("no batch"))).collect();
        };
        let mut results: Vec<Option<Result<Reply, Error>>> = sent.iter().map(|_| None).collect();
        let mut candidates = Vec::new();
        for (place, body) in sent.iter().enumerate() {
            match self.candidate(create, place, body).await {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => set(&mut results, place, Err(error)),
            }
        }
        match self.send_batch(batch, &candidates).await {
            Ok(Some(outcomes)) => {
                for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
                    let place = candidate.place;
                    let result = match outcome {
                        Ok(row) => self.conclude(create, batch, candidate, row).await,
                        Err(error) => Err(error),
                    };
                    set(&mut results, place, result);
                }
            }
            // The backend refused all of them together, so that nothing was created: each is tried alone.
            Ok(None) => {
                for candidate in candidates {
                    let result = match sent.get(candidate.place) {
                        Some(body) => self.create(body.clone(), &Names::default()).await,
                        None => Err(Error::gateway("a candidate without a body")),
                    };
                    set(&mut results, candidate.place, result);
                }
            }
            Err(error) => {
                for candidate in &candidates {
                    set(&mut results, candidate.place, Err(error.clone()));
                }
            }
        }
        results.into_iter().map(|result| result.unwrap_or_else(|| Err(Error::gateway("no result")))).collect()
    }

    async fn candidate(&self, create: &'e Create, place: usize, body: &Value) -> Result<Candidate<'e>, Error> {
        let incoming = read(body.clone(), &self.resource.kind, Intent::Create, self.context.profile)?;
        let (incoming, mut wanted) = self.wanted(create, incoming)?;
        self.settle_wanted(&mut wanted).await?;
        let (record, keys) = self.new_body(&wanted)?;
        let scope = Scope { resource: Some(&wanted.desired), members: Some(&keys), ..Scope::default() };
        let record = call::body(&create.call, &scope, Some(&record))
            .map_err(|error| Error::mapping(format!("{}: {error}", create.call.name)))?;
        Ok(Candidate { place, incoming, wanted, record: record.unwrap_or_default() })
    }

    /// Makes the call, and gives each candidate its result; nothing if all are refused together.
    async fn send_batch(
        &self,
        batch: &Batch,
        candidates: &[Candidate<'_>],
    ) -> Result<Option<Vec<Result<Option<Row>, Error>>>, Error> {
        if candidates.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let records: Value = candidates.iter().map(|candidate| candidate.record.clone()).collect();
        let scope = Scope { records: Some(&records), ..Scope::default() };
        let (outcome, _) = self.exchange(build(&batch.call, &scope, None)?).await?;
        let body = match outcome {
            Outcome::Good(body) => body,
            Outcome::Refused(_) => return Ok(None),
            other => return Err(unexpected(&batch.call, &other)),
        };
        let rows = batch.call.envelope.first(&body).map(|payload| batch.items.all(payload)).unwrap_or_default();
        let Some(by) = &batch.by else {
            if rows.len() != candidates.len() {
                return Err(unintelligible(
                    &batch.call,
                    "the answer does not have a result for each resource: see `items`, or tell by `match` whose each is",
                ));
            }
            return Ok(Some(rows.into_iter().map(|row| Ok(Some(row.clone()))).collect()));
        };
        let mut found: Vec<(Option<Value>, &Value)> = Vec::with_capacity(rows.len());
        for row in rows {
            let record = batch.item.first(row);
            found.push((record.and_then(|record| self.value_in(record, by)), row));
        }
        let is_of = |value: &Option<Value>, candidate: &Candidate<'_>| {
            let wanted = value_of(&candidate.wanted.desired, by);
            value.as_ref().zip(wanted).is_some_and(|(value, wanted)| same_name(value, wanted))
        };
        // A result that is nobody's may be that of somebody who seems to be left out.
        let unclear = found.iter().any(|(value, _)| !candidates.iter().any(|candidate| is_of(value, candidate)));
        let row_of = |candidate: &Candidate<'_>| {
            let row = found.iter().find(|(value, _)| is_of(value, candidate)).map(|(_, row)| (*row).clone());
            match row {
                None if unclear => Err(unintelligible(&batch.call, "a result does not tell whose it is: see `match` and `item`")),
                row => Ok(row),
            }
        };
        Ok(Some(candidates.iter().map(row_of).collect()))
    }

    /// What a record has for an attribute.
    fn value_in(&self, record: &Value, target: &Target) -> Option<Value> {
        let line = self.resource.lines.iter().find(|line| line.target == *target)?;
        match &line.shape {
            Shape::Field(field) => read_field(self.mapping(), &self.tables(), field, record),
            Shape::Values(_) | Shape::Each(_) => None,
        }
    }

    /// What became of one candidate.
    async fn conclude(
        &self,
        create: &'e Create,
        batch: &Batch,
        candidate: Candidate<'e>,
        row: Option<Row>,
    ) -> Result<Reply, Error> {
        let Candidate { incoming, wanted, .. } = candidate;
        // Who is left out of the results was there already.
        let taken = || match &batch.by {
            Some(by) => self.taken(by),
            None => ScimError::new(ScimType::Uniqueness, "Another resource has this value already.").into(),
        };
        let outcome = match &row {
            Some(row) => {
                let status = match &batch.status {
                    Some(path) => path.first(row).and_then(|status| text(status).parse::<u16>().ok()),
                    None => Some(200),
                };
                let status =
                    status.ok_or_else(|| unintelligible(&batch.call, "a result does not tell its status: see `status`"))?;
                outcome::classify_result(&batch.call, status, row)
            }
            None => return self.refused_in_batch(&wanted, &incoming, taken()).await,
        };
        let made = match outcome {
            Outcome::Good(row) if create.read_back || create.key.is_some() => {
                self.created(create, Some(&row), batch.item.first(&row)).await?
            }
            Outcome::Good(row) => self.found(&batch.call, batch.item.first(&row), None::<&HeaderMap>).await?,
            Outcome::Refused(error) => return self.refused_in_batch(&wanted, &incoming, error.into()).await,
            Outcome::Fault(fault) => return Err(fault.into()),
            other => return Err(unexpected(&batch.call, &other)),
        };
        let made = self.finish(&wanted, made, &Object::new()).await?;
        self.created_reply(&wanted, made, &Names::default()).await
    }

    /// A name that is taken may be taken over.
    async fn refused_in_batch(&self, wanted: &Wanted<'_>, incoming: &Incoming<'_>, error: Error) -> Result<Reply, Error> {
        let made = self.adopt_on_conflict(wanted, incoming, error).await?;
        self.created_reply(wanted, made, &Names::default()).await
    }
}

/// One result of a batch.
type Row = Value;

fn set<T>(results: &mut [Option<T>], place: usize, result: T) {
    if let Some(slot) = results.get_mut(place) {
        *slot = Some(result);
    }
}
