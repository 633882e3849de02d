//! Bulk (RFC 7644 section 3.7): one operation after the other; [`BulkRequest::order`] says in which order.

use std::collections::HashMap;

use serde_json::Value;

use super::ports::Backend;
use super::{Context, Engine, Error, Names, Reply, ScimRequest};
use crate::scim::ScimError;
use crate::scim::bulk::{BulkEntry, BulkMethod, BulkOperation, BulkRequest, BulkResult, Resolved, bulk_response};

/// Section 3.7.1 allows to give up.
const CIRCLE: &str =
    "This operation and others of the job refer to each other in a circle: create the resources first, then link them.";

impl<B: Backend> Engine<B> {
    pub(super) async fn bulk(&self, context: &Context, body: Value) -> Result<Reply, Error> {
        let request = BulkRequest::parse(body, context.profile)?;
        let (order, circular) = request.order();
        let mut entries: Vec<Option<BulkEntry>> = request.operations.into_iter().map(Some).collect();
        let mut known: HashMap<String, Resolved> = HashMap::new();
        let mut results: Vec<(usize, BulkResult)> = Vec::new();
        let mut errors = 0;
        let steps = order.into_iter().map(|place| (place, false)).chain(circular.into_iter().map(|place| (place, true)));
        for (place, in_circle) in steps {
            if request.fail_on_errors.is_some_and(|most| errors >= most) {
                break;
            }
            let Some(entry) = entries.get_mut(place).and_then(Option::take) else { continue };
            let result = if in_circle {
                entry.failed(None, &ScimError::status(409, CIRCLE))
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
                // A second operation of that bulkId has failed, and must not take the first one's id away.
                known.entry(bulk_id.clone()).or_insert(resolved);
            }
            results.push((place, result));
        }
        results.sort_by_key(|(place, _)| *place);
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
                if !matches!(error, Error::Client(_) | Error::Partly { .. }) {
                    tracing::warn!(%error, "an operation of a job failed");
                }
                entry.failed(location, &error.to_scim())
            }
        }
    }

    /// Where the resource of an operation is; nowhere for one that is yet to be created.
    fn bulk_location(&self, context: &Context, operation: &BulkOperation) -> Option<String> {
        let resource = self.mapping.at(&operation.path.endpoint)?;
        let id = operation.path.id.as_deref().filter(|id| !id.starts_with("bulkId:"))?;
        Some(crate::translate::read::location(&context.base_url, resource, id))
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
