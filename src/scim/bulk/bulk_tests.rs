use std::collections::HashMap;

use super::*;
use crate::limits;
use crate::scim::{Profile, ScimType};

#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn job(operations: Value) -> Value {
    json!({"schemas": [BULK_REQUEST_SCHEMA], "Operations": operations})
}

fn read(body: &Value, profile: &Profile) -> Result<BulkRequest, ScimError> {
    BulkRequest::parse(body.to_string().as_bytes(), profile)
}

fn parse(operations: Value) -> Vec<BulkEntry> {
    read(&job(operations), &Profile::STRICT).unwrap().operations
}

#[test]
fn operations_are_read() {
    let entries = parse(json!([
        {"method": "POST", "path": "/Users", "bulkId": "q", "data": {"userName": "a"}},
        {"method": "put", "path": "/Users/a%20b/", "version": "W/\"1\"", "data": {}},
        {"method": "PATCH", "path": "Groups/bulkId:q", "data": {"Operations": []}},
        {"METHOD": "DELETE", "path": "/Users/1", "bulkId": null, "data": {"ignored": true}},
    ]));
    let operations: Vec<BulkOperation> = entries.into_iter().map(|entry| entry.operation.unwrap()).collect();
    let path = |endpoint: &str, id: Option<&str>| BulkPath { endpoint: endpoint.to_owned(), id: id.map(str::to_owned) };
    let found: Vec<(BulkMethod, BulkPath)> =
        operations.iter().map(|operation| (operation.method, operation.path.clone())).collect();
    assert_eq!(
        found,
        [
            (BulkMethod::Post, path("/Users", None)),
            (BulkMethod::Put, path("/Users", Some("a b"))),
            (BulkMethod::Patch, path("/Groups", Some("bulkId:q"))),
            (BulkMethod::Delete, path("/Users", Some("1"))),
        ]
    );
    assert_eq!(operations[0].bulk_id.as_deref(), Some("q"));
    assert_eq!(operations[1].version.as_deref(), Some("W/\"1\""));
    assert_eq!(operations[3].data, None);
}

#[test]
fn what_is_wrong_with_one_operation_stays_with_it() {
    for (operation, scim_type) in [
        (json!({"path": "/Users", "bulkId": "q", "data": {}}), ScimType::InvalidSyntax),
        (json!({"method": "GET", "path": "/Users/1"}), ScimType::InvalidValue),
        (json!({"method": "POST", "bulkId": "q", "data": {}}), ScimType::InvalidSyntax),
        (json!({"method": "POST", "path": "/Users", "data": {}}), ScimType::InvalidSyntax),
        (json!({"method": "POST", "path": "/Users", "bulkId": "q"}), ScimType::InvalidSyntax),
        (json!({"method": "POST", "path": "/Users", "bulkId": "q", "data": []}), ScimType::InvalidSyntax),
        (json!({"method": "POST", "path": "/Users/1", "bulkId": "q", "data": {}}), ScimType::InvalidValue),
        (json!({"method": "POST", "path": "/Bulk", "bulkId": "q", "data": {}}), ScimType::InvalidPath),
        (json!({"method": "PUT", "path": "/Users", "data": {}}), ScimType::InvalidValue),
        (json!({"method": "PATCH", "path": "/Users/1"}), ScimType::InvalidSyntax),
        (json!({"method": "DELETE", "path": "/Users"}), ScimType::InvalidValue),
        (json!({"method": "DELETE", "path": "/Users/1/2"}), ScimType::InvalidPath),
        (json!({"method": "DELETE", "path": "/Users/%2e%2e"}), ScimType::InvalidPath),
        (json!({"method": "DELETE", "path": "/Users/1?x=y"}), ScimType::InvalidPath),
        (json!({"method": "DELETE", "path": "https://example.com/Users/1"}), ScimType::InvalidPath),
        (json!({"method": "DELETE", "path": "/"}), ScimType::InvalidPath),
        (json!({"method": 1, "path": "/Users/1"}), ScimType::InvalidSyntax),
        (json!("x"), ScimType::InvalidSyntax),
    ] {
        let entries = parse(json!([operation, {"method": "DELETE", "path": "/Users/9"}]));
        let error = entries[0].operation.clone().unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{operation}");
        assert_eq!(entries[0].bulk_id.as_deref(), operation.get("bulkId").and_then(Value::as_str));
        assert_eq!(entries[0].method.as_deref(), operation.get("method").and_then(Value::as_str));
        assert!(entries[1].operation.is_ok());
    }
    let twice = json!({"method": "POST", "path": "/Users", "bulkId": "q", "data": {}});
    let entries = parse(json!([twice, twice]));
    assert!(entries[0].operation.is_ok());
    assert!(entries[1].operation.clone().unwrap_err().detail.contains("\"q\""));
}

#[test]
fn what_is_wrong_with_the_message_is_an_error() {
    let status = |body: Value| read(&body, &Profile::STRICT).map(|_| ()).map_err(|error| (error.status, error.scim_type));
    let syntax = Err((400, Some(ScimType::InvalidSyntax)));
    assert_eq!(status(json!({"Operations": []})), syntax);
    assert_eq!(status(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": []})), syntax);
    assert_eq!(status(json!({"schemas": [BULK_REQUEST_SCHEMA]})), syntax);
    assert_eq!(status(json!({"schemas": [BULK_REQUEST_SCHEMA], "Operations": {}})), syntax);
    assert_eq!(
        status(json!({"schemas": [BULK_REQUEST_SCHEMA], "Operations": [], "failOnErrors": 0})),
        Err((400, Some(ScimType::InvalidValue)))
    );
    assert_eq!(status(job(json!(vec![1; limits::BULK_OPERATIONS]))), Ok(()));
    let error = read(&job(json!(vec![1; limits::BULK_OPERATIONS + 1])), &Profile::STRICT).unwrap_err();
    assert_eq!((error.status, error.scim_type), (413, None));
    assert!(error.detail.contains("5000"), "{error}");
    assert!(read(&json!({"Operations": []}), &Profile::LENIENT).is_ok());
    let limit = read(&json!({"failOnErrors": 3, "Operations": []}), &Profile::LENIENT).unwrap().fail_on_errors;
    assert_eq!(limit, Some(3));
}

#[test]
fn references_become_ids_in_data_and_path() {
    let entries = parse(json!([{
        "method": "PATCH", "path": "/Groups/bulkId:g",
        "data": {
            "members": [{"value": "bulkId:u", "$ref": "https://example.com/v2/Users/bulkId:u"}],
            "urn:x": {"manager": {"value": "bulkId:m"}},
            "Operations": [{"op": "remove", "path": "members[value eq \"bulkId:u\" or value eq \"bulkId:m\"]"}],
            "displayName": "the bulkId: of it", "n": 1
        }
    }]));
    let mut operation = entries[0].operation.clone().unwrap();
    assert_eq!(operation.references().into_iter().collect::<Vec<_>>(), ["g", "m", "u"]);
    let mut known: HashMap<String, Resolved> = [("g", "1"), ("m", "2"), ("u", "3")]
        .into_iter()
        .map(|(bulk_id, id)| (bulk_id.to_owned(), Resolved::Id(id.to_owned())))
        .collect();
    let untouched = operation.clone();
    operation.resolve(&known).unwrap();
    assert_eq!(operation.path.id.as_deref(), Some("1"));
    assert_eq!(
        operation.data,
        Some(json!({
            "members": [{"value": "3", "$ref": "https://example.com/v2/Users/3"}],
            "urn:x": {"manager": {"value": "2"}},
            "Operations": [{"op": "remove", "path": "members[value eq \"3\" or value eq \"2\"]"}],
            "displayName": "the bulkId: of it", "n": 1
        }))
    );

    known.insert("m".to_owned(), Resolved::Failed);
    let error = untouched.clone().resolve(&known).unwrap_err();
    assert_eq!((error.status, error.scim_type), (409, None));
    known.remove("m");
    let error = untouched.clone().resolve(&known).unwrap_err();
    assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidValue)));
    assert!(error.detail.contains("\"m\""), "{error}");
}

#[test]
fn results_have_their_status_as_a_string() {
    let done = BulkResult {
        method: Some("POST".to_owned()),
        bulk_id: Some("q".to_owned()),
        version: Some("W/\"1\"".to_owned()),
        location: Some("https://example.com/Users/1".to_owned()),
        status: 201,
        response: None,
    };
    let failed = BulkResult::failed(Some("POST".to_owned()), Some("q".to_owned()), None, &ScimError::invalid_value("no"));
    assert_eq!(
        bulk_response(vec![done, failed]),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
            "Operations": [
                {"method": "POST", "bulkId": "q", "version": "W/\"1\"", "location": "https://example.com/Users/1", "status": "201"},
                {"method": "POST", "bulkId": "q", "status": "400", "response": {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": "invalidValue", "detail": "no"
                }},
            ]
        })
    );
}

#[test]
fn the_reading_ends_at_the_first_operation_too_many() {
    let many = vec!["1"; limits::BULK_OPERATIONS + 1].join(",");
    let refused = |text: &str| {
        let error = BulkRequest::parse(text.as_bytes(), &Profile::STRICT).unwrap_err();
        (error.status, error.detail)
    };
    // Behind it there is no JSON any more.
    assert_eq!(refused(&format!("{{\"Operations\":[{many} !!!")).0, 413);
    let full = vec!["1"; limits::BULK_OPERATIONS].join(",");
    assert_eq!(refused(&format!("{{\"Operations\":[{full} !!!")).0, 400);
    let deep = format!("{}{}", "[".repeat(limits::JSON_DEPTH + 1), "]".repeat(limits::JSON_DEPTH + 1));
    for (text, reason) in [
        ("[]".to_owned(), "BulkRequest"),
        (r#"{"Operations":[],"Operations":[]}"#.to_owned(), "twice"),
        (r#"{"Operations":[],"operations":[]}"#.to_owned(), "twice"),
        (r#"{"Operations":null,"operations":[]}"#.to_owned(), "twice"),
        (r#"{"Operations":[],"a":1,"a":2}"#.to_owned(), "twice"),
        (r#"{"Operations":[{"method":"PUT","method":"PUT"}]}"#.to_owned(), "twice"),
        (format!("{{\"Operations\":[{{\"data\":{deep}}}]}}"), "deeper"),
        (r#"{"Operations":"x"}"#.to_owned(), "array of operations"),
        (r#"{"Operations":{"a":1,"a":2}}"#.to_owned(), "twice"),
        (deep.repeat(2), "deeper"),
        (r#"{"Operations":null}"#.to_owned(), "schemas"),
        (r#"{"Operations":[]} x"#.to_owned(), "trailing"),
    ] {
        let (status, detail) = refused(&text);
        assert!(status == 400 && detail.contains(reason), "{text}: {detail}");
    }
}
