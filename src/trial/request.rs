//! The request of a test, as it would come from a client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use http_body_util::Full;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::limits;
use crate::mapping::Mapping;
use crate::mapping::model::Sent;
use crate::scim::Profile;
use crate::scim::bulk::BULK_REQUEST_SCHEMA;
use crate::scim::messages::SEARCH_REQUEST_SCHEMA;
use crate::scim::patch::PATCH_OP_SCHEMA;
use crate::scim::resource::schemas_of;
use crate::server::auth::{Client, Clients, TokenHash};
use crate::server::base::BaseUrl;
use crate::server::routes::{self, Route};
use crate::server::step::{Body, Request};
use crate::server::trace::X_REQUEST_ID;
use crate::server::{Options, media};

/// The base URL of the gateway in a test.
pub(super) const BASE_URL: &str = "https://scim.test";
/// The token of the one client.
const TOKEN: &str = "test";
/// What a person types and a URL does not hold. A plus would be read as a blank, which nobody means who types blanks, too.
const TYPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The settings of the server in a test.
pub(super) fn options(profile: &'static Profile) -> Options {
    Options {
        base: BaseUrl::new(Some(BASE_URL), "", ""),
        clients: Clients(vec![Client { name: Arc::from("test"), tokens: vec![TokenHash::of(&TOKEN.into())], profile }]),
        profile,
        discovery_without_token: true,
        request_bytes: limits::REQUEST_BYTES,
        request_timeout: Duration::from_secs(limits::REQUEST_SECONDS),
        concurrent_requests: 1,
    }
}

/// The request over HTTP.
pub(super) fn of(mapping: &Mapping, sent: &Sent) -> Result<Request, http::Error> {
    let target = utf8_percent_encode(&sent.target, TYPED).to_string();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut request = http::Request::builder().method(&sent.method).uri(target);
    if let Some(headers) = request.headers_mut() {
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer test"));
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("test"));
        if sent.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::SCIM_JSON));
        }
        for (name, value) in &sent.headers {
            headers.insert(name, value.clone());
        }
    }
    let body = sent.body.clone().map(|body| with_schemas(mapping, &sent.method, &path, body));
    request.body(Body::new(Full::new(Bytes::from(body.map(|body| body.to_string()).unwrap_or_default()))))
}

/// The body with `schemas`, unless it says something of them: every request needs them, and no test is about them.
fn with_schemas(mapping: &Mapping, method: &Method, path: &str, mut body: Value) -> Value {
    let endpoints: Vec<String> = mapping.resources.iter().map(|resource| resource.kind.endpoint.clone()).collect();
    let route = routes::resolve("", &endpoints, path).ok();
    let Some(object) = body.as_object_mut() else { return body };
    let schemas = match (route, method) {
        (Some(Route::Bulk), _) => {
            if let Some(operations) = object.get_mut("Operations").and_then(Value::as_array_mut) {
                for operation in operations.iter_mut() {
                    operation_with_schemas(mapping, operation);
                }
            }
            json!([BULK_REQUEST_SCHEMA])
        }
        (Some(Route::Search { .. } | Route::RootSearch), _) => json!([SEARCH_REQUEST_SCHEMA]),
        (Some(Route::Resource { .. }), &Method::PATCH) => json!([PATCH_OP_SCHEMA]),
        (Some(Route::Collection { endpoint } | Route::Resource { endpoint, .. }), _) => match mapping.at(&endpoint) {
            Some(resource) => json!(schemas_of(object, &resource.kind)),
            None => return body,
        },
        _ => return body,
    };
    object.entry("schemas").or_insert(schemas);
    body
}

fn operation_with_schemas(mapping: &Mapping, operation: &mut Value) {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (path, method) = (text("path"), text("method").to_ascii_uppercase());
    if let (Some(data), Ok(method)) = (operation.get_mut("data"), Method::from_bytes(method.as_bytes())) {
        *data = with_schemas(mapping, &method, &path, data.take());
    }
}
