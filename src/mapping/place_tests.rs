use crate::mapping::path::JsonPath;
use serde_json::{Value, json};

use super::WritePath;

fn place(text: &str) -> WritePath {
    JsonPath::parse(text).unwrap().to_write().unwrap_or_else(|| panic!("{text}"))
}

fn put(text: &str, mut body: Value, value: Value) -> Value {
    place(text).put(&mut body, value);
    body
}

#[test]
fn an_element_is_found_by_its_key_or_made() {
    let path = "$.custom_fields[?@.id == 7].value";
    assert_eq!(put(path, json!({}), json!("x")), json!({ "custom_fields": [{ "id": 7, "value": "x" }] }));
    let body = json!({ "custom_fields": [{ "id": 3, "value": "a" }, { "id": 7, "name": "Code", "value": "b" }] });
    let written = json!({ "custom_fields": [{ "id": 3, "value": "a" }, { "id": 7, "name": "Code", "value": "x" }] });
    assert_eq!(put(path, body.clone(), json!("x")), written);
    assert_eq!(place(path).get(&body), Some(&json!("b")));
    assert_eq!(place(path).get(&json!({ "custom_fields": [{ "id": "7", "value": "b" }] })), None, "a text is not a number");
    // What is in the way is no array.
    assert_eq!(put(path, json!({ "custom_fields": null }), json!(1)), json!({ "custom_fields": [{ "id": 7, "value": 1 }] }));
    let deep = "$.p.attrs[?@.def.key == 'cost center'].val.text";
    let made = json!({ "p": { "attrs": [{ "def": { "key": "cost center" }, "val": { "text": "x" } }] } });
    assert_eq!(put(deep, json!({}), json!("x")), made);
}

#[test]
fn other_elements_stay() {
    let path = place("$.f[?@.id == 7].value");
    let record = json!({ "f": [{ "id": 3 }, { "id": 7, "value": 1 }] });
    let mut body = json!({});
    path.begin(&mut body, &record);
    assert_eq!(body, record);
    path.remove(&mut body);
    assert_eq!(body, json!({ "f": [{ "id": 3 }] }));
    // What another line has begun is not begun anew.
    path.begin(&mut body, &record);
    assert_eq!(body, json!({ "f": [{ "id": 3 }] }));
    let mut none = json!({});
    path.begin(&mut none, &json!({ "f": "no array" }));
    path.remove(&mut none);
    assert_eq!(none, json!({}));
}

#[test]
fn places_that_would_be_written_twice() {
    let cases = [
        ("$.a.b", "$.a", true),
        ("$.a.b", "$.a.c", false),
        ("$.f[?@.id == 7].value", "$.f[?@.id == 8].value", false),
        ("$.f[?@.id == 7].value", "$.f[?@.id == 7].value", true),
        ("$.f[?@.id == 7].value", "$.f[?@.id == 7].value.text", true),
        ("$.f[?@.id == 7].value", "$.f[?@.id == 7].note", false),
        ("$.f[?@.id == 7].value", "$.f[?@.name == 'x'].value", true),
        ("$.f[?@.id == 7].value", "$.f", true),
        ("$.f[?@.id == 7].value", "$.g", false),
    ];
    for (one, other, clash) in cases {
        assert_eq!(place(one).overlaps(&place(other)), clash, "{one} {other}");
        assert_eq!(place(other).overlaps(&place(one)), clash, "{other} {one}");
    }
}

#[test]
fn paths_with_one_key_are_written() {
    for text in ["$.f[?@.id == 7].value", "$.f[?'x' == @.name].a.b", "$.p.f[?@.on == true].v"] {
        assert!(place(text).is_keyed(), "{text}");
    }
    assert_eq!(place("$.f[?@.id == 7].value").to_string(), "$.f[?@.id == 7].value");
    assert_eq!(place("$.p.f[?@.k == 'x'].v").field(), "p.f.x.v");
    assert_eq!(place("$.f[?@.k == \"it's\"].v").to_string(), "$.f[?@.k == 'it\\'s'].v");
    for text in [
        "$.f[?@.id == 7]",
        "$.f[?@.id == 7].id",
        "$.f[?@.id.no == 7].id",
        "$.f[?@.id == 7].g[?@.k == 1].v",
        "$.f[?@.id == 7 || @.id == 8].v",
        "$.f[?@.id != 7].v",
        "$.f[?@.id == null].v",
        "$.f[?@.id == $.main].v",
        "$.f[?@.id == 7].v[0]",
        "$[?@.id == 7].v",
        "$.f[?@ == 7].v",
    ] {
        assert!(JsonPath::parse(text).unwrap().to_write().is_none(), "{text}");
    }
}
