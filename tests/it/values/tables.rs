//! Tables of values in the parameters of filters.

use serde_json::{Value, json};

use crate::scripted::{Scripted, call};

const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test/api" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      active: { at: $.state, values: { true: A, false: [D, L] } }
      userType: $.type
      locale: { at: $.lang, caseExact: true }
    get: GET /users/{{key}}
    list:
      call: GET /users
      query: { states: "A,D,L" }
      pages: { by: offset, offset: from, size: n, max: 10, total: $.total }
      items: "$.rows[*]"
      together: true
      filters:
        active eq: { query: { only: { true: A, false: "D,L" } }, match: exact }
        userType eq: { query: { kind: { employee: E }, exactly: "{{value}}" } }
        locale eq: { query: { lang: { de: 1, cs: 2 } }, match: exact }
"#;

fn rows(rows: &Value) -> Value {
    json!({ "total": rows.as_array().unwrap().len(), "rows": rows })
}

#[tokio::test]
async fn a_value_is_sent_as_the_table_says() {
    let people = Scripted::new(MAPPING);
    let found = rows(&json!([{ "id": "1", "login": "ann", "state": "D" }, { "id": "2", "login": "bob", "state": "L" }]));
    // Several values there are one here, which `{{value}}` could not say.
    let line = "GET /users?states=A%2CD%2CL&only=D%2CL&from=0&n=10";
    let seen = people.list("/Users", "active eq false", [call(line).answer(found)]).await;
    assert_eq!(seen.body["totalResults"], 2);
    let found = rows(&json!([{ "id": "1", "login": "ann", "state": "A", "lang": "de" }]));
    let line = "GET /users?states=A%2CD%2CL&only=A&lang=1&from=0&n=10";
    let seen = people.list("/Users", "active eq true and locale eq \"de\"", [call(line).answer(found)]).await;
    assert_eq!(seen.body["totalResults"], 1);
}

#[tokio::test]
async fn a_value_that_no_table_names_is_left_to_the_gateway() {
    let people = Scripted::new(MAPPING);
    let all = rows(
        &json!([{ "id": "1", "login": "ann", "type": "Guest", "lang": "DE" }, { "id": "2", "login": "bob", "type": "employee" }]),
    );
    let scan = || [call("GET /users?states=A%2CD%2CL&from=0&n=10").answer(all.clone())];
    let seen = people.list("/Users", "userType eq \"guest\"", scan()).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("1")));
    // Case counts as the attribute says.
    let seen = people.list("/Users", "locale eq \"DE\"", scan()).await;
    assert_eq!(seen.body["totalResults"], 1);
    let line = "GET /users?states=A%2CD%2CL&exactly=EMPLOYEE&kind=E&from=0&n=10";
    let seen = people.list("/Users", "userType eq \"EMPLOYEE\"", [call(line).answer(all.clone())]).await;
    assert_eq!(seen.body["Resources"][0]["id"], "2");
}
