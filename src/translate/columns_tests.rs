use serde_json::json;

use super::*;
use crate::mapping::{Mapping, Secrets, load};

struct Plain;

impl Secrets for Plain {
    fn resolve(&self, text: &str) -> Result<secrecy::SecretString, String> {
        Ok(text.to_owned().into())
    }
}

fn mapping() -> Mapping {
    let text = r#"
mapping: v1
backend: { url: "https://people.test" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      emails[type eq "work" and primary eq true].value: $.mail
      emails[type eq "home"].value: $.mail2
      emails[type eq "home"].display: $.label2
      phoneNumbers[type eq "mobile"].value: $.mobile
    get: GET /users/{{key}}
    list: GET /users
    create: POST /users
    update: PATCH /users/{{key}}
"#;
    let (mapping, diagnostics) = load(text, &Plain);
    mapping.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// What becomes of values, and how many are left over.
fn fitted(name: &str, values: &Value) -> (Value, usize) {
    let mapping = mapping();
    let mut resource = Object::from_iter([(name.to_owned(), values.clone())]);
    let dropped = fit(&mapping.resources[0], &mut resource);
    (resource.remove(name).unwrap_or_default(), dropped.len())
}

#[test]
fn values_take_their_columns() {
    let work = |value: &str| json!({ "type": "work", "primary": true, "value": value });
    let home = |value: &str| json!({ "type": "home", "value": value });
    for (sent, placed, left) in [
        // As it is read.
        (json!([work("a"), home("b")]), json!([work("a"), home("b")]), 0),
        // In any order and case, with primary as clients set it.
        (json!([{ "type": "Home", "value": "b" }, { "type": "work", "value": "a" }]), json!([work("a"), home("b")]), 0),
        (json!([{ "type": "home", "value": "b", "primary": true }]), json!([home("b")]), 0),
        // The primary one of two of a type.
        (json!([{ "type": "work", "value": "x" }, work("a")]), json!([work("a")]), 1),
        // Without a type: the first column that is free.
        (json!([{ "value": "a" }]), json!([work("a")]), 0),
        (json!([{ "value": "a" }, { "type": "home", "value": "b" }]), json!([work("a"), home("b")]), 0),
        (json!([{ "value": "b" }, work("a")]), json!([work("a"), home("b")]), 0),
        // A type that has no column takes none.
        (json!([{ "type": "other", "value": "x" }, work("a")]), json!([work("a")]), 1),
        (json!([{ "type": "other", "value": "x" }]), Value::Null, 1),
        // What a column has no field for is not kept.
        (
            json!([{ "type": "work", "value": "a", "display": "A" }, { "type": "home", "value": "b", "display": "B" }]),
            json!([work("a"), { "type": "home", "value": "b", "display": "B" }]),
            0,
        ),
    ] {
        assert_eq!(fitted("emails", &sent), (placed, left), "{sent}");
    }
    assert_eq!(fitted("phoneNumbers", &json!([{ "type": "fax", "value": "1" }])), (Value::Null, 1));
}
