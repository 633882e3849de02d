//! Fixed columns: a field of the backend for each of the values that an attribute may have.
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use serde_json::{Value, json};

use crate::scripted::{Scripted, call};
use crate::support::with_members;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test/api" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.job
      emails[type eq "work" and primary eq true].value: { at: $.mail, as: lower }
      emails[type eq "home"].value: $.mail2
      phoneNumbers[type eq "mobile"].value: $.phones.mobile
    get: GET /users/{{key}}
    list:
      call: GET /users
      filters:
        emails.value eq: { query: { mail: "{{value}}" } }
    create: POST /users
    update: PATCH /users/{{key}}
"#;

fn people() -> Scripted {
    Scripted::new(MAPPING)
}

fn record(changes: Value) -> Value {
    with_members(json!({ "id": "7", "login": "ann", "mail": "ann@x.test" }), &changes)
}

fn read(changes: Value) -> crate::scripted::Step {
    call("GET /users/7").answer(record(changes))
}

fn work(value: &str) -> Value {
    json!({ "type": "work", "primary": true, "value": value })
}

fn home(value: &str) -> Value {
    json!({ "type": "home", "value": value })
}

#[tokio::test]
async fn columns_are_read_as_values_with_what_they_are_told_by() {
    let seen = people().read("/Users/7", &[], [read(json!({ "mail2": "ann@home.test", "phones": { "mobile": "1" } }))]).await;
    assert_eq!(seen.body["emails"], json!([work("ann@x.test"), home("ann@home.test")]));
    assert_eq!(seen.body["phoneNumbers"], json!([{ "type": "mobile", "value": "1" }]));
    let seen = people().read("/Users/7", &[], [read(json!({ "mail": null }))]).await;
    assert_eq!(seen.body.get("emails"), None);
}

#[tokio::test]
async fn values_are_written_to_their_columns() {
    let body = json!({
        "schemas": [USER], "userName": "ann",
        "emails": [{ "value": "Ann@X.test", "type": "work" }, home("h@x.test"), { "value": "o@x.test", "type": "other" }],
        "phoneNumbers": [{ "value": "2", "type": "fax" }],
    });
    let written = json!({ "login": "ann", "mail": "ann@x.test", "mail2": "h@x.test" });
    let seen =
        people().create("/Users", body, [call("POST /users").body(written).answer(record(json!({ "mail2": "h@x.test" })))]).await;
    // What has no column is not echoed.
    assert_eq!((seen.status, &seen.body["emails"]), (201, &json!([work("ann@x.test"), home("h@x.test")])));
    assert_eq!(seen.body.get("phoneNumbers"), None);
}

#[tokio::test]
async fn a_put_changes_what_differs_and_clears_what_is_left_out() {
    let put = |emails: Value| json!({ "schemas": [USER], "userName": "ann", "emails": emails });
    let seen = people().replace("/Users/7", put(json!([{ "value": "ann@x.test", "type": "work" }])), [read(json!({}))]).await;
    assert_eq!(seen.status, 200);
    let steps =
        [read(json!({ "mail2": "h@x.test" })), call("PATCH /users/7").body(json!({ "mail2": null })).answer(record(json!({})))];
    assert_eq!(people().replace("/Users/7", put(json!([work("ann@x.test")])), steps).await.status, 200);
}

#[tokio::test]
async fn the_patches_of_identity_providers() {
    let patched = |body: Value, answer: Value| call("PATCH /users/7").body(body).answer(record(answer));
    // Entra, for a value that is there, and for one that is not.
    let there = json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@x.test" }]);
    let steps = [read(json!({})), patched(json!({ "mail": "b@x.test" }), json!({ "mail": "b@x.test" }))];
    assert_eq!(people().patch("/Users/7", there, steps).await.body["emails"], json!([work("b@x.test")]));
    let new = json!([{ "op": "Add", "path": "emails", "value": [{ "type": "home", "value": "h@x.test" }] }]);
    let steps = [read(json!({})), patched(json!({ "mail2": "h@x.test" }), json!({ "mail2": "h@x.test" }))];
    assert_eq!(people().patch("/Users/7", new, steps).await.body["emails"], json!([work("ann@x.test"), home("h@x.test")]));
    // One of them goes.
    let gone = json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]);
    let steps = [read(json!({ "mail2": "h" })), patched(json!({ "mail": null }), json!({ "mail": null, "mail2": "h" }))];
    assert_eq!(people().patch("/Users/7", gone, steps).await.body["emails"], json!([home("h")]));
    // All are replaced: nothing has to be read, and columns that are left out are cleared.
    let all = json!([{ "op": "replace", "path": "emails", "value": [{ "type": "home", "value": "h@x.test" }] }]);
    let steps = [patched(
        json!({ "mail": null, "mail2": "h@x.test" }),
        json!({ "mail": null, "mail2": "h@x.test", "job": null, "phones": { "mobile": null } }),
    )];
    assert_eq!(people().patch("/Users/7", all, steps).await.body["emails"], json!([home("h@x.test")]));
}

#[tokio::test]
async fn what_has_no_column_is_told_unless_something_else_is_done() {
    let fax = json!({ "op": "add", "path": "phoneNumbers", "value": [{ "type": "fax", "value": "1" }] });
    let seen = people().patch("/Users/7", json!([fax]), [read(json!({}))]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
    assert!(seen.body["detail"].as_str().unwrap().contains("type eq \"mobile\""), "{}", seen.body);
    let title = json!({ "op": "replace", "path": "title", "value": "Guide" });
    let steps =
        [read(json!({})), call("PATCH /users/7").body(json!({ "job": "Guide" })).answer(record(json!({ "job": "Guide" })))];
    let seen = people().patch("/Users/7", json!([fax, title]), steps).await;
    assert_eq!((seen.status, seen.body.get("phoneNumbers")), (200, None));
}

#[tokio::test]
async fn filters_on_columns_are_pushed_down_and_checked() {
    let rows = json!([record(json!({})), { "id": "8", "login": "bob", "mail2": "ann@x.test" }, { "id": "9", "login": "eve" }]);
    let asked = || call("GET /users?mail=ann%40x.test").answer(rows.clone());
    let seen = people().list("/Users", "emails.value eq \"ann@x.test\"", [call("GET /users").answer(rows.clone())]).await;
    assert_eq!(seen.body["totalResults"], 2, "the columns have other converters: none is pushed down");
    let alike = Scripted::new(&MAPPING.replace("{ at: $.mail, as: lower }", "$.mail"));
    let seen = alike.list("/Users", "emails.value eq \"ann@x.test\"", [asked()]).await;
    assert_eq!(seen.body["totalResults"], 2);
    let seen = alike.list("/Users", "emails[type eq \"home\" and value eq \"ann@x.test\"]", [asked()]).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("8")));
}

#[tokio::test]
async fn the_schema_tells_which_values_there_are() {
    let mapping = crate::scripted::mapping(MAPPING);
    let user = &mapping.at("/Users").unwrap().kind;
    let emails = user.schema.attribute("emails").unwrap();
    let names: Vec<&str> = emails.sub_attributes.iter().map(|sub| sub.name.as_str()).collect();
    assert_eq!(names, ["value", "type", "primary"]);
    assert_eq!(emails.sub_attribute("type").unwrap().canonical_values, ["work", "home"]);
}
