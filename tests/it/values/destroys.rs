//! Deactivation that destroys: refused by the checker, and done where the mapping says so.

use serde_json::json;

use super::USER;
use crate::scripted::{Scripted, call};

const MAPPING: &str = r#"
mapping: v1
backend: { url: "https://people.test/api" }
resources:
  User:
    id: $.id
    attributes: { userName: $.login, active: { read: $.enabled, write: $.enabled, default: true } }
    get: GET /users/{{key}}
    list: GET /users
    create: POST /users
    update:
      - { when: active eq false, call: "DELETE /users/{{key}}", destroys: true }
      - { when: active eq true, call: "POST /users/{{key}}/enable" }
      - PATCH /users/{{key}}
    delete: { set: active eq false }
"#;

#[tokio::test]
async fn who_is_destroyed_is_seen_a_last_time() {
    let people = Scripted::new(MAPPING);
    let ann = || call("GET /users/1").answer(json!({ "id": "1", "login": "ann" }));
    let gone = || [ann(), call("DELETE /users/1").status(204), call("GET /users/1").status(404)];
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let seen = people.patch("/Users/1", off, gone()).await;
    assert_eq!((seen.status, &seen.body["active"], &seen.body["userName"]), (200, &json!(false), &json!("ann")));
    let put = json!({ "schemas": [USER], "userName": "ann", "active": false });
    assert_eq!(people.replace("/Users/1", put, gone()).await.body["active"], false);
    assert_eq!(people.read("/Users/1", &[], [call("GET /users/1").status(404)]).await.status, 404);
    // A deletion by that change does not look afterwards.
    assert_eq!(people.delete("/Users/1", [ann(), call("DELETE /users/1").status(204)]).await.status, 204);
}
