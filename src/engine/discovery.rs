//! The discovery documents (RFC 7644 section 4), derived from the mapping.

use serde_json::{Value, json};

use super::ports::Backend;
use super::{Context, Engine, Error};
use crate::limits;
use crate::mapping::model::Resource;
use crate::scim::messages::list_response;
use crate::scim::{ResourceType, Schema, ScimError};

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What the service offers that does not follow from the mapping.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Resources in one ListResponse.
    pub max_results: usize,
    /// Bytes of one request.
    pub max_payload: usize,
}

impl Default for Offer {
    fn default() -> Self {
        Self { max_results: limits::LIST_RESULTS, max_payload: limits::REQUEST_BYTES }
    }
}

impl<B: Backend> Engine<B> {
    pub(super) fn service_provider_config(&self, context: &Context) -> Value {
        let maps = |test: &dyn Fn(&Resource) -> bool| self.mapping.resources.iter().any(test);
        let line = |name: &'static str, sub: Option<&'static str>| {
            move |resource: &Resource| {
                resource.lines.iter().any(|line| line.target.attribute == name && line.target.sub.as_deref() == sub)
            }
        };
        json!({
            "schemas": [SERVICE_PROVIDER_CONFIG],
            "patch": { "supported": maps(&|resource| !resource.update.is_empty() || resource.members.is_some()) },
            "bulk": { "supported": true, "maxOperations": limits::BULK_OPERATIONS, "maxPayloadSize": self.offer.max_payload },
            "filter": { "supported": true, "maxResults": self.offer.max_results },
            "changePassword": { "supported": maps(&line("password", None)) },
            "sort": { "supported": true },
            "etag": { "supported": true },
            "pagination": {
                "cursor": true,
                "index": true,
                "defaultPaginationMethod": "index",
                "defaultPageSize": self.offer.max_results,
                "maxPageSize": self.offer.max_results,
            },
            "authenticationSchemes": [{
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token in the header Authorization, issued by the operator of this service.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": true,
            }],
            "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{}/ServiceProviderConfig", context.base_url) },
        })
    }

    pub(super) fn resource_types(&self, context: &Context, name: Option<&str>) -> Result<Value, Error> {
        let kinds = self.mapping.resources.iter().map(|resource| &resource.kind);
        match name {
            None => Ok(all(kinds.map(|kind| resource_type(kind, context)).collect())),
            Some(name) => kinds
                .clone()
                .find(|kind| kind.name == name)
                .map(|kind| resource_type(kind, context))
                .ok_or_else(|| missing("resource type", name, kinds.map(|kind| kind.name.as_str()))),
        }
    }

    pub(super) fn schemas(&self, context: &Context, id: Option<&str>) -> Result<Value, Error> {
        let mut schemas: Vec<&Schema> = Vec::new();
        for resource in &self.mapping.resources {
            let extensions = resource.kind.extensions.iter().map(|extension| &extension.schema);
            for one in std::iter::once(&resource.kind.schema).chain(extensions) {
                if !schemas.iter().any(|known| known.id == one.id) {
                    schemas.push(one);
                }
            }
        }
        match id {
            None => Ok(all(schemas.into_iter().map(|one| schema(one, context)).collect())),
            Some(id) => schemas
                .iter()
                .find(|one| one.is(id))
                .map(|one| schema(one, context))
                .ok_or_else(|| missing("schema", id, schemas.iter().map(|one| one.id.as_str()))),
        }
    }
}

fn all(resources: Vec<Value>) -> Value {
    list_response(resources.len() as u64, 1, resources)
}

fn missing<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Error {
    let known: Vec<&str> = known.collect();
    ScimError::not_found(format!("There is no {what} \"{name}\"; there are {}.", known.join(", "))).into()
}

fn resource_type(kind: &ResourceType, context: &Context) -> Value {
    let extensions: Vec<Value> = kind
        .extensions
        .iter()
        .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
        .collect();
    let mut document = json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "description": kind.description,
        "endpoint": kind.endpoint,
        "schema": kind.schema.id,
        "meta": { "resourceType": "ResourceType", "location": format!("{}/ResourceTypes/{}", context.base_url, kind.name) },
    });
    if let (false, Some(object)) = (extensions.is_empty(), document.as_object_mut()) {
        object.insert("schemaExtensions".to_owned(), Value::Array(extensions));
    }
    document
}

fn schema(schema: &Schema, context: &Context) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes,
        "meta": { "resourceType": "Schema", "location": format!("{}/Schemas/{}", context.base_url, schema.id) },
    })
}
