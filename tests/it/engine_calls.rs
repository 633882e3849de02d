//! What the gateway asks of the backend: the fewest calls, and the right ones.

use serde_json::json;

use crate::demo::Demo;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[tokio::test]
async fn a_look_up_by_user_name_is_one_call() {
    let demo = Demo::start(250, 3).await;
    let answer = demo.get("/Users?filter=userName%20eq%20%22nobody%22").await;
    assert_eq!((answer.status, &answer.body["totalResults"]), (200, &json!(0)));
    assert_eq!(demo.calls(), ["GET /users?login=nobody&page=1&per_page=100"]);
}

#[tokio::test]
async fn adding_a_member_is_one_call_and_never_reads_the_group() {
    let demo = Demo::start(250, 1).await;
    let group = demo.create("/Groups", json!({ "displayName": "Night shift" })).await;
    let user = demo.create("/Users", json!({ "userName": "new.one" })).await;
    demo.calls();
    let add = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] });
    let answer = demo.send("PATCH", &format!("/Groups/{group}"), Some(add)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(demo.calls(), [format!("POST /teams/{group}/members")]);
}

#[tokio::test]
async fn members_that_are_excluded_are_not_fetched() {
    let demo = Demo::start(20, 2).await;
    let answer = demo.get("/Groups?excludedAttributes=members").await;
    assert_eq!(answer.body["totalResults"], 2);
    assert_eq!(demo.calls(), ["GET /teams?page=1&per_page=100"]);
}
