//! Lists that are asked for by POST: the page, the filter and the order are in the body, as JSON-RPC and GraphQL have it.

use serde_json::{Value, json};

use scimitar::scim::messages::{SearchRequest, SortOrder};

use crate::scripted::{Scripted, Step, call};

const RPC: &str = r#"
mapping: v1
backend:
  url: https://directory.example.com
  envelope: $.result
  pages: { by: offset, max: 2, total: $.result.total }
  errors:
    - { when: "$.error[?@ == -32001]", as: notFound }
    - { when: $.error, as: invalidValue, detail: "{{body.error.message}}" }
resources:
  User:
    id: { at: $.id, as: integer }
    attributes: { userName: $.login, title: $.job }
    get: { call: POST /rpc, body: { method: person.get, params: ["{{key}}"] } }
    list:
      call: POST /rpc
      body: { method: person.search, params: { from: "{{offset}}", count: "{{size}}" } }
      items: "$.people[*]"
      together: true
      filters:
        userName eq: { body: { params: { where: { login: "{{value}}" } } }, match: exact }
        title eq: { body: { params: { where: { job: "{{value}}" } } }, match: exact }
      sort:
        userName: { ascending: { params: { order: login } }, descending: { params: { order: -login } } }
    update: { call: POST /rpc, body: { method: person.change, params: ["{{key}}", "{{fields}}"] } }
"#;

const GRAPH: &str = r#"
mapping: v1
backend:
  url: https://graph.example.com
  envelope: $.data
  pages: { by: cursor, next: $.data.users.pageInfo.endCursor, max: 2 }
  errors:
    - { when: "$.errors[?@.code == 'NOT_FOUND']", as: notFound }
resources:
  User:
    id: $.id
    attributes: { userName: $.login }
    get: { call: POST /graphql, body: { query: "query($id: ID!) { user(id: $id) { id login } }", variables: { id: "{{id}}" } }, item: $.user }
    list:
      call: POST /graphql
      body:
        query: "query($n: Int, $after: String, $login: String) { users(first: $n, after: $after, login: $login) { nodes { id login } pageInfo { endCursor } } }"
        variables: { n: "{{size}}", after: "{{cursor}}" }
      items: "$.users.nodes[*]"
      filters:
        userName eq: { body: { variables: { login: "{{value}}" } } }
"#;

fn search(params: &Value) -> Step {
    call("POST /rpc").body(json!({ "method": "person.search", "params": params }))
}

fn people(names: &[(i32, &str)], total: usize) -> Value {
    let rows: Vec<Value> = names.iter().map(|(id, login)| json!({ "id": id, "login": login, "job": "Boss" })).collect();
    json!({ "result": { "people": rows, "total": total } })
}

#[tokio::test]
async fn the_page_is_in_the_body() {
    let window = SearchRequest { start_index: Some(4), count: Some(2), ..SearchRequest::default() };
    let steps = [search(&json!({ "from": 3, "count": 2 })).answer(people(&[(4, "dan"), (5, "eve")], 9))];
    let seen = Scripted::new(RPC).search("/Users", window, steps).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(9)));
    assert_eq!(seen.body["Resources"][0]["userName"], "dan");
}

#[tokio::test]
async fn filters_and_orders_are_merged_into_the_body() {
    let query = SearchRequest {
        filter: Some(r#"userName eq "ann" and title eq "Boss""#.to_owned()),
        sort_by: Some("userName".to_owned()),
        sort_order: SortOrder::Descending,
        count: Some(1),
        ..SearchRequest::default()
    };
    let asked = json!({ "from": 0, "count": 1, "where": { "login": "ann", "job": "Boss" }, "order": "-login" });
    let seen = Scripted::new(RPC).search("/Users", query, [search(&asked).answer(people(&[(7, "ann")], 1))]).await;
    assert_eq!((seen.status, &seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (200, &json!(1), &json!("7")));
}

/// What a value holds stays a value: a body is never made by pasting.
#[tokio::test]
async fn what_is_compared_with_stays_a_text() {
    let login = r#"x", "order": "y"#;
    let asked = json!({ "from": 0, "count": 2, "where": { "login": login } });
    let filter = format!("userName eq {}", json!(login));
    let seen = Scripted::new(RPC).list("/Users", &filter, [search(&asked).answer(people(&[], 0))]).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(0)));
}

#[tokio::test]
async fn a_walk_asks_for_page_after_page_in_the_body() {
    let steps = [
        search(&json!({ "from": 0, "count": 2 })).answer(people(&[(1, "ann"), (2, "bea")], 3)),
        search(&json!({ "from": 2, "count": 2 })).answer(people(&[(3, "cas")], 3)),
    ];
    let seen = Scripted::new(RPC).list("/Users", r#"userName co "a""#, steps).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(3)));
}

#[tokio::test]
async fn one_is_read_and_changed_by_the_same_path() {
    let get = json!({ "method": "person.get", "params": [7] });
    let change = json!({ "method": "person.change", "params": [7, { "job": "Head" }] });
    let steps = [call("POST /rpc").body(change).answer(json!({ "result": { "id": 7, "login": "ann", "job": "Head" } }))];
    let operations = json!([{ "op": "replace", "path": "title", "value": "Head" }]);
    let seen = Scripted::new(RPC).patch("/Users/7", operations, steps).await;
    assert_eq!((seen.status, &seen.body["title"]), (200, &json!("Head")));

    let gone = [call("POST /rpc").body(get).answer(json!({ "error": { "code": -32001, "message": "no such person" } }))];
    assert_eq!(Scripted::new(RPC).read("/Users/7", &[], gone).await.status, 404);
}

#[tokio::test]
async fn a_cursor_is_in_the_body_from_the_second_page_on() {
    let asked = |variables: Value| {
        let query = "query($n: Int, $after: String, $login: String) { users(first: $n, after: $after, login: $login) { nodes { id login } pageInfo { endCursor } } }";
        call("POST /graphql").body(json!({ "query": query, "variables": variables }))
    };
    let page = |names: &[&str], next: Option<&str>| {
        let nodes: Vec<Value> = names.iter().map(|name| json!({ "id": format!("u-{name}"), "login": name })).collect();
        json!({ "data": { "users": { "nodes": nodes, "pageInfo": { "endCursor": next } } } })
    };
    let steps = [
        asked(json!({ "n": 2 })).answer(page(&["ann", "bea"], Some("c2"))),
        asked(json!({ "n": 2, "after": "c2" })).answer(page(&["cas"], None)),
    ];
    let seen = Scripted::new(GRAPH).list("/Users", "", steps).await;
    assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(3)));

    let steps = [asked(json!({ "n": 2, "login": "bea" })).answer(page(&["bea"], None))];
    let seen = Scripted::new(GRAPH).list("/Users", r#"userName eq "bea""#, steps).await;
    assert_eq!((seen.status, &seen.body["Resources"][0]["id"]), (200, &json!("u-bea")));
}
