//! The operations of a job that refer to each other in a circle (RFC 7644 section 3.7.1), as [`Circle`] plans them: one
//! after the other, as all of them are about each other.
//!
//! Each result is true of its operation. If a resource cannot be created, the others that need it are taken back where the
//! mapping can do that; if a reference cannot be put in, the operation has failed and the error names the resource that
//! is there without it, as others of the circle may hold its id already.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::bulk::{Done, Name, told};
use super::ports::Backend;
use super::{Context, Engine, Error, Names, Reply, ScimRequest};
use crate::mapping::model::Delete;
use crate::scim::ScimError;
use crate::scim::bulk::{BulkOperation, Circle, Resolved, Step};
use crate::telemetry::audit;

const FAILED: &str =
    "This operation and others of the job refer to each other in a circle; as another one failed, this one could not be done.";
const LATE: &str = "The time for the job ran out before all operations that refer to each other in a circle were done.";

/// A circle with what it needs to know.
pub(super) struct CircleJob {
    pub(super) names: Vec<Name>,
    pub(super) plan: Result<Circle, ScimError>,
    /// What it refers to outside.
    pub(super) known: HashMap<String, Resolved>,
}

/// A resource that was created for the circle.
struct Made {
    endpoint: String,
    id: String,
    reply: Reply,
}

impl<B: Backend> Engine<B> {
    pub(super) async fn circle(&self, context: &Context, job: CircleJob) -> Vec<Done> {
        let CircleJob { names, plan, mut known } = job;
        let mut names: BTreeMap<usize, Name> = names.into_iter().map(|name| (name.place, name)).collect();
        let circle = match plan {
            Ok(circle) => circle,
            Err(error) => return names.into_values().map(|name| name.failed(&error)).collect(),
        };
        circle.learn(&mut known);
        let mut made: BTreeMap<usize, Made> = BTreeMap::new();
        let mut done = Vec::with_capacity(names.len());
        let mut steps = circle.steps.iter().peekable();
        while let Some(Step::Create(place, operation)) = steps.next_if(|step| matches!(step, Step::Create(..))) {
            let error = match self.create_in_circle(context, operation, &known).await {
                Ok(new) => {
                    known.extend(operation.bulk_id.clone().map(|bulk_id| (bulk_id, Resolved::Id(new.id.clone()))));
                    circle.learn(&mut known);
                    made.insert(*place, new);
                    continue;
                }
                Err(error) => error,
            };
            done.extend(names.remove(place).map(|name| name.failed(&told(&error))));
            // All others need it, directly or through others.
            let status = if self.is_late(context) { (503, LATE) } else { (409, FAILED) };
            for (place, name) in names.into_iter().rev() {
                let left = match made.remove(&place) {
                    Some(made) => self.take_back(context, made).await,
                    None => Vec::new(),
                };
                let error = Error::Client(ScimError::status(status.0, status.1)).leaving(left);
                done.push(name.failed(&remaining(&error)));
            }
            return done;
        }
        let alone = names.len() == 1;
        for step in steps {
            let Some(name) = names.remove(&step.place()) else { continue };
            done.push(match (step, made.remove(&step.place())) {
                (Step::Link(_, link), Some(made)) => self.link(context, name, link, made, &known, alone).await,
                (Step::Whole(_, operation), _) => self.whole(context, name, operation, &known).await,
                (Step::Create(..) | Step::Link(..), _) => name.failed(&ScimError::status(409, FAILED)),
            });
        }
        for (place, name) in names {
            done.push(match made.remove(&place) {
                Some(made) => name.done(made.reply, Some(made.id)),
                None => name.failed(&ScimError::status(409, FAILED)),
            });
        }
        done
    }

    async fn create_in_circle(
        &self,
        context: &Context,
        operation: &BulkOperation,
        known: &HashMap<String, Resolved>,
    ) -> Result<Made, Error> {
        if self.is_late(context) {
            return Err(ScimError::status(503, LATE).into());
        }
        let mut operation = operation.clone();
        operation.resolve(known)?;
        let endpoint = operation.path.endpoint.clone();
        let reply = self.bulk_write(context, operation).await?;
        let id = reply.body.as_ref().and_then(|body| body.get("id")?.as_str()).map(str::to_owned);
        let id = id.ok_or_else(|| Error::gateway("a created resource has no id"))?;
        Ok(Made { endpoint, id, reply })
    }

    /// Puts the references that were left out into a resource.
    async fn link(
        &self,
        context: &Context,
        name: Name,
        link: &BulkOperation,
        made: Made,
        known: &HashMap<String, Resolved>,
        alone: bool,
    ) -> Done {
        let linked = async {
            if self.is_late(context) {
                return Err(ScimError::status(503, LATE).into());
            }
            let mut link = link.clone();
            link.resolve(known)?;
            self.bulk_write(context, link).await
        };
        match linked.await {
            Ok(reply) => {
                let body = match reply.body {
                    Some(body) => Some(body),
                    // Some clients want no answer to a PATCH, but all one to a POST.
                    None => self.read_again(context, &made).await,
                };
                let location = made.reply.location;
                name.done(
                    Reply { status: made.reply.status, body, location, version: reply.version, adopted: false },
                    Some(made.id),
                )
            }
            Err(error) => {
                // Nobody else can have its id if it refers to nothing but itself.
                let left = if alone { self.take_back(context, made).await } else { vec![self.describe(&made)] };
                name.failed(&remaining(&Error::Client(told(&error)).leaving(left)))
            }
        }
    }

    async fn whole(&self, context: &Context, name: Name, operation: &BulkOperation, known: &HashMap<String, Resolved>) -> Done {
        if self.is_late(context) {
            return name.failed(&ScimError::status(503, LATE));
        }
        let mut operation = operation.clone();
        match operation.resolve(known) {
            Ok(()) => {
                let location = self.bulk_location(context, &operation);
                self.bulk_one(context, Name { location, ..name }, operation).await
            }
            Err(error) => name.failed(&error),
        }
    }

    /// The resource as it is now; nothing if it cannot be read, as a success needs no response.
    async fn read_again(&self, context: &Context, made: &Made) -> Option<Value> {
        let context = Context { if_match: None, if_none_match: None, ..context.clone() };
        let operation = self.at(&context, &made.endpoint).ok()?;
        operation.read(&made.id, &Names::default()).await.ok()?.body
    }

    /// Deletes a resource that was created, if the mapping says so and there is time; tells what is left.
    async fn take_back(&self, context: &Context, made: Made) -> Vec<String> {
        let left = vec![self.describe(&made)];
        let undo = self.mapping.at(&made.endpoint).is_some_and(|resource| {
            resource.create.as_ref().is_some_and(|create| create.undo) && matches!(resource.delete, Some(Delete::Calls(_)))
        });
        // Who was there before stays there.
        if !undo || made.reply.adopted || self.is_late(context) {
            return left;
        }
        let context = Context { if_match: None, if_none_match: None, ..context.clone() };
        match self.write(&context, ScimRequest::Delete { endpoint: made.endpoint, id: made.id }).await {
            Ok(_) => Vec::new(),
            Err(Error::Client(error)) if error.status == 404 => Vec::new(),
            Err(_) => left,
        }
    }

    fn describe(&self, made: &Made) -> String {
        let kind = self.mapping.at(&made.endpoint).map_or("resource", |resource| &resource.kind.name);
        format!("{kind} {}", made.id)
    }
}

/// What the client is told of an error; what remains is for the operator, too.
fn remaining(error: &Error) -> ScimError {
    if let Some(left) = error.left() {
        audit::left_behind("Bulk", None, left);
    }
    error.to_scim()
}
