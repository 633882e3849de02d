//! Converters from end to end: ids, dates, types, many values in one text.

use serde_json::{Value, json};

use super::USER;
use crate::scripted::{BASE, Scripted, Step, call};
use crate::support::with_members;

const HR: &str = "urn:example:hr";
const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test/api" }
schemas:
  hr:
    id: urn:example:hr
    attributes:
      hired: { type: dateTime }
      shift: { type: dateTime }
      grade: { type: integer }
      rate: { type: decimal }
      tags: { multiValued: true }
      site: {}
resources:
  User:
    id: { at: $.pno, as: [ { prefix: P- }, { pad: 5 } ] }
    attributes:
      userName: { at: $.login, as: { suffix: "@corp" } }
      title: $.job
      active: $.enabled
      enterprise:employeeNumber: $.number
      enterprise:manager.value: { at: $.boss, refers: User }
      hr:hired: { at: $.hired, as: { date: "%d.%m.%Y", zone: Europe/Prague } }
      hr:shift: { at: $.shift, as: { date: "%Y-%m-%d %H:%M", zone: Europe/Prague } }
      hr:grade: { at: $.grade, as: number }
      hr:rate: $.rate
      hr:tags: { at: $.tags, as: [ { split: ";" }, lower ] }
      hr:site: { at: $.site, as: upper }
    get: GET /person/{{key}}
    list:
      call: GET /person
      filters:
        userName eq: { query: { login: "{{value}}" }, match: exact }
        userName ew: { query: { ends: "{{value}}" } }
        hr:hired gt: { query: { after: "{{value}}" } }
        hr:grade eq: { query: { grade: "{{value}}" } }
    create: POST /person
    update: PATCH /person/{{key}}
    delete: DELETE /person/{{key}}
  Group:
    id: $.tid
    attributes: { displayName: $.name }
    get: GET /team/{{key}}
    list: GET /team
    create: POST /team
    update: PATCH /team/{{key}}
    members:
      list: { call: "GET /team/{{key}}/people", key: $.pno }
      add: { call: "POST /team/{{key}}/people", body: { pno: "{{member}}" } }
      remove: DELETE /team/{{key}}/people/{{member}}
"#;

fn people() -> Scripted {
    Scripted::new(MAPPING)
}

fn record(changes: &Value) -> Value {
    with_members(json!({ "pno": "P-00042", "login": "ann@corp" }), changes)
}

fn read(changes: &Value) -> Step {
    call("GET /person/P-00042").answer(record(changes))
}

#[tokio::test]
async fn an_id_is_converted_wherever_it_stands() {
    let people = people();
    let seen = people.read("/Users/42", &[], [read(&json!({ "boss": "P-00007" }))]).await;
    assert_eq!((&seen.body["id"], &seen.body["userName"]), (&json!("42"), &json!("ann")));
    assert_eq!(seen.location, Some(format!("{BASE}/Users/42")));
    let manager = &seen.body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"];
    assert_eq!(manager, &json!({ "value": "7", "$ref": format!("{BASE}/Users/7") }));
    let seen = people.list("/Users", "id eq \"42\"", [read(&json!({}))]).await;
    assert_eq!(seen.body["Resources"][0]["id"], "42");
    // Ids have no other spelling, so there is nobody to ask for.
    for id in ["042", "00042", "P-00042"] {
        let seen = people
            .read(
                &format!("/Users/{id}"),
                &[],
                if id.starts_with('P') { vec![call("GET /person/P-P-00042").status(404)] } else { vec![] },
            )
            .await;
        assert_eq!(seen.status, 404, "{id}");
    }
    let steps = [
        call("GET /team/1").answer(json!({ "tid": "1", "name": "x" })),
        call("GET /team/1/people").answer(json!([{ "pno": "P-00042" }])),
    ];
    let seen = people.read("/Groups/1", &[], steps).await;
    assert_eq!(
        (&seen.body["members"][0]["value"], &seen.body["members"][0]["$ref"]),
        (&json!("42"), &json!(format!("{BASE}/Users/42")))
    );
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "42" }] }]);
    let steps = [
        call("POST /team/1/people").body(json!({ "pno": "P-00042" })),
        call("GET /team/1").answer(json!({ "tid": "1", "name": "x" })),
        call("GET /team/1/people").answer(json!([{ "pno": "P-00042" }])),
    ];
    assert_eq!(people.patch("/Groups/1", add, steps).await.status, 200);
    assert_eq!(people.delete("/Users/42", [call("DELETE /person/P-00042").status(204)]).await.status, 204);
}

#[tokio::test]
async fn dates_are_read_and_written_in_their_zone() {
    let people = people();
    // The morning after the clocks were put forward, and the day on which they are put back.
    let there = json!({ "hired": "30.03.2026", "shift": "2026-10-25 02:30" });
    let seen = people.read("/Users/42", &[], [read(&there)]).await;
    assert_eq!(seen.body[HR], json!({ "hired": "2026-03-29T22:00:00Z", "shift": "2026-10-25T00:30:00Z" }));
    let body = json!({ "schemas": [USER, HR], "userName": "ann", HR: { "hired": "2026-03-29T22:00:00Z", "shift": "2026-07-01T12:00:00+02:00" } });
    let written = json!({ "login": "ann@corp", "hired": "30.03.2026", "shift": "2026-07-01 12:00" });
    let seen = people.create("/Users", body, [call("POST /person").body(written.clone()).answer(record(&written))]).await;
    assert_eq!((seen.status, seen.location), (201, Some(format!("{BASE}/Users/42"))));
    // The second of two hours with one name cannot be told there.
    let twice = json!([{ "op": "replace", "path": "urn:example:hr:shift", "value": "2026-10-25T01:30:00Z" }]);
    let seen = people.patch("/Users/42", twice, []).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
    // A text that is no such date has no value.
    let seen = people.read("/Users/42", &[], [read(&json!({ "hired": "2026-03-30", "shift": "2026-03-29 02:30" }))]).await;
    assert_eq!(seen.body.get(HR), None);
}

/// After a moment within a day come the days behind it.
#[tokio::test]
async fn comparisons_of_dates_are_pushed_down_by_day() {
    let rows = json!([record(&json!({ "hired": "01.02.2026" })), record(&json!({ "pno": "P-00043", "hired": "02.02.2026" }))]);
    let filter = "urn:example:hr:hired gt \"2026-02-01T08:00:00Z\"";
    let seen = people().list("/Users", filter, [call("GET /person?after=01.02.2026").answer(rows.clone())]).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("43")));
    // Not before it is something that days cannot say.
    let filter = "urn:example:hr:hired ge \"2026-02-01T08:00:00Z\"";
    let seen = people().list("/Users", filter, [call("GET /person").answer(rows)]).await;
    assert_eq!(seen.body["totalResults"], 1);
}

#[tokio::test]
async fn suffixes_and_numbers_are_compared_in_their_form() {
    let row = json!([record(&json!({ "grade": "7" }))]);
    let people = people();
    let asked = |line: &str| [call(line).answer(row.clone())];
    let seen = people.list("/Users", "userName eq \"ann\"", asked("GET /person?login=ann%40corp")).await;
    assert_eq!(seen.body["totalResults"], 1);
    let seen = people.list("/Users", "userName ew \"nn\"", asked("GET /person?ends=nn%40corp")).await;
    assert_eq!(seen.body["totalResults"], 1);
    let seen = people.list("/Users", "urn:example:hr:grade eq 7", asked("GET /person?grade=7")).await;
    assert_eq!(seen.body["Resources"][0][HR]["grade"], 7);
}

#[tokio::test]
async fn many_values_stand_in_one_text() {
    let people = people();
    let seen = people.read("/Users/42", &[], [read(&json!({ "tags": "a; b;;c d" }))]).await;
    assert_eq!(seen.body[HR]["tags"], json!(["a", "b", "c d"]));
    let add = json!([{ "op": "add", "path": "urn:example:hr:tags", "value": ["E"] }]);
    let after = json!({ "tags": "a;e" });
    let steps = [read(&json!({ "tags": "a" })), call("PATCH /person/P-00042").body(after.clone()).answer(record(&after))];
    assert_eq!(people.patch("/Users/42", add, steps).await.body[HR]["tags"], json!(["a", "e"]));
    let none = json!([{ "op": "remove", "path": "urn:example:hr:tags" }]);
    let steps = [read(&after), call("PATCH /person/P-00042").body(json!({ "tags": "" })).answer(record(&json!({ "tags": "" })))];
    assert_eq!(people.patch("/Users/42", none, steps).await.body.get(HR), None);
    let two = json!([{ "op": "replace", "path": "urn:example:hr:tags", "value": ["a;b"] }]);
    assert_eq!(people.patch("/Users/42", two, []).await.status, 400);
}

/// An answer holds no value of another type than /Schemas says.
#[tokio::test]
async fn values_have_the_types_of_the_schema() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let there = json!({ "job": 7, "enabled": "TRUE", "number": 4711, "rate": "7.5", "grade": 3 });
    let seen = people().read("/Users/42", &[], [read(&there)]).await;
    assert_eq!((&seen.body["title"], &seen.body["active"]), (&json!("7"), &json!(true)));
    assert_eq!((&seen.body[enterprise]["employeeNumber"], &seen.body[HR]), (&json!("4711"), &json!({ "rate": 7.5, "grade": 3 })));
    let there = json!({ "job": { "name": "x" }, "enabled": 1, "number": ["a"], "rate": "much", "grade": "3.5" });
    let seen = people().read("/Users/42", &[], [read(&there)]).await;
    for name in ["title", "active", enterprise, HR] {
        assert_eq!(seen.body.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_array_of_plain_texts_holds_values_with_sub_attributes() {
    let mapping = r#"
mapping: v1
backend: { url: "https://people.test/api" }
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      roles: { each: "$.roles[*]", value: $ }
    get: GET /users/{{key}}
    list: GET /users
    create: POST /users
    update: PATCH /users/{{key}}
"#;
    let people = Scripted::new(mapping);
    let there = |roles: Value| json!({ "id": "1", "login": "ann", "roles": roles });
    let add = json!([{ "op": "add", "path": "roles", "value": [{ "value": "dev" }] }]);
    let steps = [
        call("GET /users/1").answer(there(json!(["admin"]))),
        call("PATCH /users/1").body(json!({ "roles": ["admin", "dev"] })).answer(there(json!(["admin", "dev"]))),
    ];
    assert_eq!(people.patch("/Users/1", add, steps).await.body["roles"], json!([{ "value": "admin" }, { "value": "dev" }]));
}
