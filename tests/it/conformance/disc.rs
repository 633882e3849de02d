//! Discovery (RFC 7644 section 4; RFC 7643 sections 5 to 7).

use std::collections::BTreeSet;

use scimitar::engine::Offer;
use serde_json::{Map, Value, json};

use crate::demo::{BASE, Demo, mapping_with};
use crate::scim::{ENTERPRISE, GROUP, USER};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

fn resources(list: &Value) -> &Vec<Value> {
    let resources = list["Resources"].as_array().unwrap();
    assert_eq!(list["totalResults"], json!(resources.len()));
    resources
}

fn ids(list: &Value) -> BTreeSet<&str> {
    resources(list).iter().map(|resource| resource["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn disc_01_disc_02_disc_03_disc_05_disc_07_service_provider_config() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.get("/ServiceProviderConfig").await;
    let config = answer.ok(200);
    assert_eq!(config["schemas"], json!([CONFIG]));
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        assert!(config[feature]["supported"].is_boolean(), "{feature}");
    }
    for (feature, bound) in [("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")] {
        assert!(config[feature][bound].is_u64(), "{feature}.{bound}");
    }
    assert!(config.get("documentationUri").is_none_or(|uri| uri.as_str().is_some_and(|uri| uri.starts_with("http"))));
    assert_eq!(config["meta"]["resourceType"], "ServiceProviderConfig");
    assert_eq!(config["meta"]["location"], json!(format!("{BASE}/ServiceProviderConfig")));
}

/// What the configuration says follows from the mapping.
#[tokio::test]
async fn disc_02_features_that_the_mapping_lacks_are_not_claimed() {
    let mapping = mapping_with(&[
        ("      password: { write: $.secret }\n", ""),
        ("      meta.version: { read: $.rev }         # gives the ETag\n", ""),
        ("      meta.version: { read: $.rev }\n", ""),
    ]);
    let (full, less) = (Demo::start(0, 0).await, Demo::with(&mapping, 0, 0, Offer::default()).await);
    // Without a version of the backend there is a hash.
    for (feature, without) in [("changePassword", false), ("etag", true)] {
        assert_eq!(full.get("/ServiceProviderConfig").await.body[feature]["supported"], true, "{feature}");
        assert_eq!(less.get("/ServiceProviderConfig").await.body[feature]["supported"], without, "{feature}");
    }
}

#[tokio::test]
async fn disc_04_auth_04_authentication_schemes() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.get("/ServiceProviderConfig").await;
    let schemes = answer.body["authenticationSchemes"].as_array().unwrap();
    assert_eq!(schemes.len(), 1);
    assert_eq!(schemes[0]["type"], "oauthbearertoken");
    assert!(["name", "description"].iter().all(|name| schemes[0][name].as_str().is_some_and(|text| !text.is_empty())));
    assert!(schemes[0]["specUri"].as_str().unwrap().starts_with("https://"));
}

#[tokio::test]
async fn disc_06_disc_21_discovery_is_read_only() {
    let demo = Demo::start(0, 0).await;
    let schema = format!("/Schemas/{USER}");
    for path in ["/ServiceProviderConfig", "/Schemas", &schema, "/ResourceTypes", "/ResourceTypes/User"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = demo.send(method, path, Some(json!({ "schemas": [CONFIG] }))).await;
            answer.refused(405, None);
            assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn disc_08_the_configuration_is_readable_without_a_token() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.raw("GET", "/ServiceProviderConfig", &[], Vec::new()).await;
    assert_eq!(answer.ok(200)["authenticationSchemes"][0]["type"], "oauthbearertoken");
    demo.raw("GET", "/Schemas", &[], Vec::new()).await.refused(401, None);
}

#[tokio::test]
async fn disc_09_disc_10_disc_11_schemas() {
    let demo = Demo::start(0, 0).await;
    let list = demo.get("/Schemas").await;
    assert_eq!(ids(list.ok(200)), BTreeSet::from([USER, GROUP, ENTERPRISE]));
    for schema in resources(&list.body) {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(demo.get(&format!("/Schemas/{id}")).await.ok(200), schema);
        assert_eq!(schema["meta"], json!({ "resourceType": "Schema", "location": format!("{BASE}/Schemas/{id}") }));
        assert!(!id.starts_with("urn:ietf:params:scim:api:"), "{id}");
    }
    // RFC 8141: the case of a URN says nothing.
    assert_eq!(demo.get(&format!("/Schemas/{}", USER.to_lowercase())).await.ok(200)["id"], USER);
    demo.get("/Schemas/urn:example:nothing").await.refused(404, None);
    demo.get("/Schemas/urn:ietf:params:scim:api:messages:2.0:PatchOp").await.refused(404, None);
}

#[tokio::test]
async fn disc_12_disc_15_disc_16_resource_types() {
    let demo = Demo::start(0, 0).await;
    let list = demo.get("/ResourceTypes").await;
    assert_eq!(ids(list.ok(200)), BTreeSet::from(["User", "Group"]));
    let schemas = demo.get("/Schemas").await;
    for kind in resources(&list.body) {
        let id = kind["id"].as_str().unwrap();
        assert_eq!(demo.get(&format!("/ResourceTypes/{id}")).await.ok(200), kind);
        assert_eq!((&kind["name"], &kind["endpoint"]), (&json!(id), &json!(format!("/{id}s"))));
        assert_eq!(kind["meta"]["location"], json!(format!("{BASE}/ResourceTypes/{id}")));
        let extensions = kind["schemaExtensions"].as_array().cloned().unwrap_or_default();
        for schema in std::iter::once(&kind["schema"]).chain(extensions.iter().map(|extension| &extension["schema"])) {
            assert!(ids(&schemas.body).contains(schema.as_str().unwrap()), "{schema}");
        }
    }
    demo.get("/ResourceTypes/Nothing").await.refused(404, None);
}

#[tokio::test]
async fn disc_13_other_parameters_are_ignored() {
    let demo = Demo::start(0, 0).await;
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        let plain = demo.get(path).await;
        let answer = demo.get(&format!("{path}?startIndex=2&count=1&sortBy=id&sortOrder=descending")).await;
        assert_eq!(answer.ok(200), &plain.body, "{path}");
    }
}

#[tokio::test]
async fn disc_14_filter_on_discovery_is_403() {
    let demo = Demo::start(0, 0).await;
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/ResourceTypes/User"] {
        let answer = demo.get(&format!("{path}?filter=id%20pr")).await;
        assert!(answer.refused(403, None).contains("filter"), "{path}");
    }
}

#[tokio::test]
async fn disc_17_extensions_say_whether_they_are_required() {
    let demo = Demo::start(0, 0).await;
    let answer = demo.get("/ResourceTypes/User").await;
    assert_eq!(answer.ok(200)["schemaExtensions"], json!([{ "schema": ENTERPRISE, "required": false }]));
}

#[tokio::test]
async fn disc_18_meta_resource_type_is_the_name_of_the_type() {
    let demo = Demo::start(1, 1).await;
    for name in ["User", "Group"] {
        let kind = demo.get(&format!("/ResourceTypes/{name}")).await;
        let list = demo.get(kind.body["endpoint"].as_str().unwrap()).await;
        assert_eq!(list.body["Resources"][0]["meta"]["resourceType"], kind.body["name"]);
    }
}

fn check_attribute(attribute: &Value, top: bool) {
    let one_of = |name: &str, words: &[&str]| {
        assert!(attribute[name].as_str().is_some_and(|word| words.contains(&word)), "{name} of {attribute}");
    };
    assert!(attribute["name"].as_str().is_some_and(|name| !name.is_empty()));
    assert!(attribute["description"].as_str().is_some_and(|text| !text.is_empty()), "{attribute}");
    one_of("type", &["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"]);
    one_of("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"]);
    one_of("returned", &["always", "never", "default", "request"]);
    one_of("uniqueness", &["none", "server", "global"]);
    for name in ["multiValued", "required", "caseExact"] {
        assert!(attribute[name].is_boolean(), "{name} of {attribute}");
    }
    for name in ["canonicalValues", "referenceTypes"] {
        assert!(attribute.get(name).is_none_or(|list| list.as_array().is_some_and(|list| list.iter().all(Value::is_string))));
    }
    assert_eq!(attribute["type"] == "reference", attribute.get("referenceTypes").is_some(), "{attribute}");
    let subs = attribute.get("subAttributes").map(|subs| subs.as_array().unwrap());
    assert_eq!(attribute["type"] == "complex", subs.is_some_and(|subs| !subs.is_empty()), "{attribute}");
    assert!(top || attribute["type"] != "complex", "{attribute}");
    for sub in subs.into_iter().flatten() {
        check_attribute(sub, false);
    }
}

#[tokio::test]
async fn disc_19_schemas_have_all_characteristics() {
    let demo = Demo::start(0, 0).await;
    for schema in resources(demo.get("/Schemas").await.ok(200)) {
        assert!(["name", "description"].iter().all(|name| schema[name].as_str().is_some_and(|text| !text.is_empty())));
        let attributes = schema["attributes"].as_array().unwrap();
        assert!(!attributes.is_empty());
        for attribute in attributes {
            check_attribute(attribute, true);
        }
    }
}

/// A value for an attribute of a published schema.
fn sample(attribute: &Value, manager: &str) -> Value {
    let name = attribute["name"].as_str().unwrap();
    let one = match attribute["type"].as_str().unwrap() {
        "complex" => {
            let subs = attribute["subAttributes"].as_array().unwrap().iter();
            let writable = subs.filter(|sub| sub["mutability"] != "readOnly" && sub["name"] != "$ref");
            Value::Object(writable.map(|sub| (sub["name"].as_str().unwrap().to_owned(), sample(sub, manager))).collect())
        }
        "boolean" => json!(true),
        "binary" => json!("AQID"),
        "reference" => json!("https://example.com/x"),
        "string" if name == "value" => json!(manager),
        "string" => attribute["canonicalValues"].get(0).cloned().unwrap_or_else(|| json!(format!("a {name}"))),
        other => panic!("no value of type {other}"),
    };
    if attribute["multiValued"] == true { json!([one]) } else { one }
}

fn samples(schema: &Value, manager: &str) -> Map<String, Value> {
    let attributes = schema["attributes"].as_array().unwrap().iter();
    let writable = attributes.filter(|attribute| attribute["mutability"] == "readWrite");
    writable.map(|attribute| (attribute["name"].as_str().unwrap().to_owned(), sample(attribute, manager))).collect()
}

#[tokio::test]
async fn disc_20_whatever_is_published_as_writable_is_stored() {
    let demo = Demo::start(1, 0).await;
    let core = demo.get(&format!("/Schemas/{USER}")).await;
    let extension = demo.get(&format!("/Schemas/{ENTERPRISE}")).await;
    let (core, extension) = (samples(&core.body, "1001"), samples(&extension.body, "1001"));
    assert!(core.len() > 15 && extension.len() > 5, "{core:?} {extension:?}");
    let mut body = core.clone();
    body.insert("schemas".to_owned(), json!([USER, ENTERPRISE]));
    body.insert(ENTERPRISE.to_owned(), Value::Object(extension.clone()));
    let id = demo.strictly("POST", "/Users", Some(Value::Object(body))).await.ok(201)["id"].clone();
    let read = demo.get(&format!("/Users/{}", id.as_str().unwrap())).await;
    for (name, value) in core {
        assert_eq!(read.body[&name], value, "{name}");
    }
    for (name, value) in extension {
        for (sub, value) in value.as_object().into_iter().flatten() {
            assert_eq!(&read.body[ENTERPRISE][&name][sub], value, "{name}.{sub}");
        }
        assert!(value.is_object() || read.body[ENTERPRISE][&name] == value, "{name}");
    }
}

#[tokio::test]
async fn disc_20_what_has_no_field_is_not_published() {
    let title = "      title: $.employment.job_title\n";
    let demo = Demo::with(&mapping_with(&[(title, "")]), 1, 0, Offer::default()).await;
    let schema = demo.get(&format!("/Schemas/{USER}")).await;
    let attributes = schema.body["attributes"].as_array().unwrap();
    assert!(attributes.iter().any(|attribute| attribute["name"] == "nickName"));
    assert!(!attributes.iter().any(|attribute| attribute["name"] == "title"));
}
