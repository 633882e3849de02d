//! Bulk (RFC 7644 section 3.7): one operation after the other; one that refers to a later one waits for it.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::ports::Backend;
use super::{Context, Engine, Error, Names, Reply, ScimRequest};
use crate::scim::ScimError;
use crate::scim::bulk::{BulkEntry, BulkMethod, BulkOperation, BulkRequest, BulkResult, Resolved, bulk_response};

impl<B: Backend> Engine<B> {
    pub(super) async fn bulk(&self, context: &Context, body: Value) -> Result<Reply, Error> {
        let request = BulkRequest::parse(body, context.profile)?;
        let mut known: HashMap<String, Resolved> = HashMap::new();
        let mut results: Vec<(usize, BulkResult)> = Vec::new();
        let mut waiting: VecDeque<(usize, BulkEntry)> = request.operations.into_iter().enumerate().collect();
        let mut errors = 0;
        // How many in a row could not be done yet; when that is all of them, they wait for each other.
        let mut postponed = 0;
        while let Some((index, entry)) = waiting.pop_front() {
            if request.fail_on_errors.is_some_and(|most| most > 0 && errors >= most) {
                break;
            }
            let depends = entry.operation.as_ref().is_ok_and(|operation| {
                let later = |id: &String| waiting.iter().any(|(_, other)| other.bulk_id.as_ref() == Some(id));
                operation.references().iter().any(|id| !known.contains_key(id) && later(id))
            });
            if depends && postponed < waiting.len() {
                postponed += 1;
                waiting.push_back((index, entry));
                continue;
            }
            let circular = depends;
            postponed = 0;
            let result = if circular {
                let error = ScimError::status(
                    409,
                    "The operations of this job refer to each other in a circle: create the resources first, then link them.",
                );
                entry.failed(None, &error)
            } else {
                self.bulk_entry(context, entry, &known).await
            };
            let failed = result.status >= 400;
            errors += u64::from(failed);
            if let Some(bulk_id) = &result.bulk_id {
                let id = result.response.as_ref().and_then(|response| response.get("id")).and_then(Value::as_str);
                let resolved = match id {
                    Some(id) if !failed => Resolved::Id(id.to_owned()),
                    _ => Resolved::Failed,
                };
                known.insert(bulk_id.clone(), resolved);
            }
            results.push((index, result));
        }
        results.sort_by_key(|(index, _)| *index);
        Ok(Reply::ok(bulk_response(results.into_iter().map(|(_, result)| result).collect())))
    }

    async fn bulk_entry(&self, context: &Context, entry: BulkEntry, known: &HashMap<String, Resolved>) -> BulkResult {
        let mut operation = match entry.operation.clone() {
            Ok(operation) => operation,
            Err(error) => return entry.failed(None, &error),
        };
        if let Err(error) = operation.resolve(known) {
            return entry.failed(self.bulk_location(context, &operation), &error);
        }
        let location = self.bulk_location(context, &operation);
        let context = Context { if_match: operation.version.clone(), if_none_match: None, ..context.clone() };
        match self.write(&context, request(operation)).await {
            Ok(reply) => BulkResult {
                method: entry.method,
                bulk_id: entry.bulk_id,
                version: reply.version,
                location: reply.location.or(location),
                status: reply.status,
                response: reply.body,
            },
            Err(error) => {
                if !matches!(error, Error::Client(_)) {
                    tracing::warn!(%error, "an operation of a job failed");
                }
                entry.failed(location, &error.to_scim())
            }
        }
    }

    /// Where the resource of an operation is; nowhere for one that is yet to be created.
    fn bulk_location(&self, context: &Context, operation: &BulkOperation) -> Option<String> {
        let resource = self.mapping.at(&operation.path.endpoint)?;
        Some(crate::translate::read::location(&context.base_url, resource, operation.path.id.as_deref()?))
    }
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
