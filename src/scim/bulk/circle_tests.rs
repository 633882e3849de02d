use super::*;
use crate::scim::schema::{self, Attribute, Extension, Schema};

/// A type of resources with a reference of each kind.
fn kind() -> ResourceType {
    let attribute = |text: Value| serde_json::from_value::<Attribute>(text).unwrap();
    let attributes = vec![
        attribute(json!({"name": "name"})),
        attribute(json!({"name": "owner", "type": "reference", "required": true})),
        attribute(json!({"name": "origin", "type": "reference", "mutability": "immutable"})),
        attribute(json!({"name": "shown", "type": "reference", "mutability": "readOnly"})),
        attribute(json!({"name": "friend", "type": "reference"})),
        attribute(json!({"name": "some", "multiValued": true, "required": true})),
    ];
    let schema = Schema { id: "urn:x:Thing".to_owned(), name: "Thing".to_owned(), description: String::new(), attributes };
    let enterprise = Extension { schema: schema::core()[2].clone(), required: false };
    ResourceType {
        name: "Thing".to_owned(),
        description: String::new(),
        endpoint: "/Things".to_owned(),
        schema,
        extensions: vec![enterprise],
    }
}

fn post(bulk_id: &str, data: Value) -> BulkOperation {
    let path = BulkPath { endpoint: "/Things".to_owned(), id: None };
    BulkOperation { method: BulkMethod::Post, path, bulk_id: Some(bulk_id.to_owned()), version: None, data: Some(data) }
}

/// The steps, as `create 0 {data}` and `link 0 {operations}`.
fn plan(data: &[Value]) -> Result<Vec<String>, u16> {
    let operations: Vec<BulkOperation> =
        data.iter().enumerate().map(|(place, data)| post(&place.to_string(), data.clone())).collect();
    let places: Vec<(usize, &BulkOperation)> = operations.iter().enumerate().collect();
    let kind = kind();
    let circle = Circle::plan(&places, &[&kind]).map_err(|error| error.status)?;
    let shown = circle.steps.iter().map(|step| match step {
        Step::Create(place, operation) => format!("create {place} {}", operation.data.as_ref().unwrap()),
        Step::Link(place, operation) => format!("link {place} {}", operation.data.as_ref().unwrap()["Operations"]),
        Step::Whole(place, _) => format!("whole {place}"),
    });
    Ok(shown.collect())
}

#[test]
fn circles_are_opened_where_something_can_be_left_out() {
    let uri = schema::ENTERPRISE_USER;
    let cases = [
        (
            vec![json!({"name": "a", "friend": "bulkId:1"}), json!({"friend": "bulkId:0"})],
            vec![
                r#"create 0 {"name":"a"}"#.to_owned(),
                r#"create 1 {"friend":"bulkId:0"}"#.to_owned(),
                r#"link 0 [{"op":"add","path":"friend","value":"bulkId:1"}]"#.to_owned(),
            ],
        ),
        // Of many values some are known.
        (
            vec![json!({"some": ["x", "bulkId:1", "bulkId:9"]}), json!({"friend": "bulkId:0"})],
            vec![
                r#"create 0 {"some":["x","bulkId:9"]}"#.to_owned(),
                r#"create 1 {"friend":"bulkId:0"}"#.to_owned(),
                r#"link 0 [{"op":"add","path":"some","value":["bulkId:1"]}]"#.to_owned(),
            ],
        ),
        // The first cannot be opened, the second can.
        (
            vec![json!({"owner": "bulkId:1"}), json!({"friend": "bulkId:0"})],
            vec![
                "create 1 {}".to_owned(),
                r#"create 0 {"owner":"bulkId:1"}"#.to_owned(),
                r#"link 1 [{"op":"add","path":"friend","value":"bulkId:0"}]"#.to_owned(),
            ],
        ),
        // Extensions; and what is ignored anyway is not linked.
        (
            vec![json!({"shown": "bulkId:0", uri: {"department": "d", "manager": {"value": "bulkId:0"}}})],
            vec![
                format!(r#"create 0 {{"{uri}":{{"department":"d"}}}}"#),
                format!(r#"link 0 [{{"op":"add","path":"{uri}:manager","value":{{"value":"bulkId:0"}}}}]"#),
            ],
        ),
    ];
    for (data, expected) in cases {
        assert_eq!(plan(&data), Ok(expected), "{data:?}");
    }
}

#[test]
fn circles_that_cannot_be_opened() {
    for data in [
        vec![json!({"owner": "bulkId:0"})],
        vec![json!({"origin": "bulkId:0"})],
        vec![json!({"owner": "bulkId:1"}), json!({"origin": "bulkId:0"})],
        vec![json!({"some": ["bulkId:0"]})],
        vec![json!({"nobody": "bulkId:0"})],
    ] {
        assert_eq!(plan(&data), Err(409), "{data:?}");
    }
    let deletion = BulkOperation { method: BulkMethod::Delete, ..post("1", json!({})) };
    let creation = post("0", json!({"friend": "bulkId:1"}));
    assert_eq!(Circle::plan(&[(0, &creation), (1, &deletion)], &[&kind()]).unwrap_err().status, 409);
}
