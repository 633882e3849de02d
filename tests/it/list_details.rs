//! Lists whose rows do not tell everything, whose total is told by a call of its own, and cursors over cursors.

use scimitar::app::{Given, load_mapping};
use scimitar::engine::ScimRequest;
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::explain::Explainer;
use serde_json::{Value, json};

use crate::scripted::{Scripted, Seen, Step, call};

const MAPPING: &str = r#"
mapping: v1
name: lists
backend:
  url: https://people.test/api
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.job
      active: $.enabled
    get: GET /users/{{key}}
    list:
      call: GET /users
      items: $.rows[*]
      pages: { by: offset, offset: skip, size: limit, max: 3, total: { call: GET /users/count, at: $.n } }
      filters:
        active eq: { query: { enabled: "{{value}}" }, match: exact }
      has: [userName, active]
    create: POST /users
    update: "PATCH /users/{{key}}"
"#;

fn row(id: &str) -> Value {
    json!({ "id": id, "login": format!("login-{id}"), "enabled": true })
}

fn record(id: &str) -> Value {
    json!({ "id": id, "login": format!("login-{id}"), "enabled": true, "job": format!("job of {id}") })
}

fn page(ids: &[&str]) -> Value {
    json!({ "rows": ids.iter().map(|id| row(id)).collect::<Vec<_>>() })
}

fn detail(id: &str) -> Step {
    call(&format!("GET /users/{id}")).answer(record(id))
}

async fn list(gateway: &Scripted, search: SearchRequest, steps: Vec<Step>) -> Seen {
    gateway.ask(ScimRequest::List { endpoint: Some("/Users".to_owned()), search }, steps).await
}

fn only(names: &[&str]) -> SearchRequest {
    SearchRequest { attributes: names.iter().map(|name| (*name).to_owned()).collect(), ..SearchRequest::default() }
}

#[tokio::test]
async fn rows_that_tell_enough_cost_no_more_calls() {
    let gateway = Scripted::new(MAPPING);
    let search = SearchRequest { count: Some(2), ..only(&["userName", "active"]) };
    let steps =
        vec![call("GET /users?skip=0&limit=2").answer(page(&["a", "b"])), call("GET /users/count").answer(json!({ "n": 7 }))];
    let seen = list(&gateway, search, steps).await;
    assert_eq!((seen.status, &seen.body["totalResults"], &seen.body["itemsPerPage"]), (200, &json!(7), &json!(2)));
    assert_eq!(seen.body["Resources"][1]["userName"], "login-b");
}

#[tokio::test]
async fn what_rows_do_not_tell_is_read_for_the_page_only() {
    let gateway = Scripted::new(MAPPING);
    let search = SearchRequest { count: Some(2), start_index: Some(3), ..only(&["title"]) };
    let steps = vec![
        call("GET /users?skip=2&limit=2").answer(page(&["c", "d"])),
        call("GET /users/count").answer(json!({ "n": 7 })),
        detail("c"),
        detail("d"),
    ];
    let seen = list(&gateway, search, steps).await;
    assert_eq!(seen.body["Resources"][0]["title"], "job of c");
    assert_eq!((&seen.body["totalResults"], &seen.body["startIndex"]), (&json!(7), &json!(3)));
}

#[tokio::test]
async fn a_filter_on_what_rows_do_not_tell_reads_every_one() {
    let gateway = Scripted::new(MAPPING);
    let search = SearchRequest { filter: Some("title eq \"job of b\"".to_owned()), ..only(&["userName"]) };
    let steps = vec![call("GET /users?skip=0&limit=3").answer(page(&["a", "b"])), detail("a"), detail("b")];
    let seen = list(&gateway, search, steps).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"][0]["id"]), (&json!(1), &json!("b")));
}

#[tokio::test]
async fn a_count_asks_for_no_rows_and_takes_the_filter_along() {
    let gateway = Scripted::new(MAPPING);
    let search = SearchRequest { filter: Some("active eq true".to_owned()), count: Some(0), ..SearchRequest::default() };
    let steps = vec![call("GET /users/count?enabled=true").answer(json!({ "n": 5 }))];
    let seen = list(&gateway, search, steps).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["Resources"]), (&json!(5), &json!([])));
}

#[tokio::test]
async fn the_last_page_tells_the_total_itself() {
    let gateway = Scripted::new(MAPPING);
    let search = SearchRequest { count: Some(3), start_index: Some(4), ..only(&["userName"]) };
    let seen = list(&gateway, search, vec![call("GET /users?skip=3&limit=3").answer(page(&["d", "e"]))]).await;
    assert_eq!((&seen.body["totalResults"], &seen.body["itemsPerPage"]), (&json!(5), &json!(2)));
}

#[tokio::test]
async fn a_cursor_goes_on_with_the_backends_own_cursor() {
    let mapping = MAPPING.replace(
        "pages: { by: offset, offset: skip, size: limit, max: 3, total: { call: GET /users/count, at: $.n } }",
        "pages: { by: cursor, cursor: after, next: $.next, size: limit, max: 3 }",
    );
    assert_ne!(mapping, MAPPING);
    // Processes that share the credentials of the backend read each other's cursors.
    let mapping =
        mapping.replace("  url: https://people.test/api\n", "  url: https://people.test/api\n  auth: { bearer: \"${TOKEN}\" }\n");
    // Each page of the client by another process: everything is in the cursor.
    let with_next = |ids: &[&str], next: &str| json!({ "rows": page(ids)["rows"], "next": next });
    let search = |cursor: &str| SearchRequest { cursor: Some(cursor.to_owned()), count: Some(2), ..only(&["userName"]) };
    let first = vec![call("GET /users?limit=2").answer(with_next(&["a", "b"], "t1"))];
    let first = list(&Scripted::new(&mapping), search(""), first).await;
    assert_eq!((first.body.get("totalResults"), first.body["Resources"].as_array().unwrap().len()), (None, 2));
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let second = vec![call("GET /users?after=t1&limit=2").answer(page(&["c"]))];
    let second = list(&Scripted::new(&mapping), search(cursor), second).await;
    assert_eq!((second.body["Resources"][0]["id"].as_str(), second.body.get("nextCursor")), (Some("c"), None));
}

#[tokio::test]
async fn the_rows_of_a_look_up_tell_no_more_and_come_in_pages_too() {
    let mapping = MAPPING.replace(
        "      filters:\n",
        "      filters:\n        userName sw: { call: \"GET /search?q={{value}}\", items: \"$.rows[*]\" }\n",
    );
    assert_ne!(mapping, MAPPING);
    let gateway = Scripted::new(&mapping);
    let search = |filter: &str, names: &[&str]| SearchRequest { filter: Some(filter.to_owned()), ..only(names) };
    let pages = || {
        vec![
            call("GET /search?q=login&skip=0&limit=3").answer(page(&["a", "b", "c"])),
            call("GET /search?q=login&skip=3&limit=3").answer(page(&["d"])),
        ]
    };
    let seen = list(&gateway, search("userName sw \"login\"", &["userName"]), pages()).await;
    assert_eq!((&seen.body["totalResults"], seen.body["Resources"][3]["id"].as_str()), (&json!(4), Some("d")));
    // What the rows do not tell is read, for the answer and for what is left of the filter.
    let steps = pages().into_iter().chain([detail("a"), detail("b"), detail("c"), detail("d")]).collect();
    let filter = "userName sw \"login\" and title eq \"job of d\"";
    let seen = list(&gateway, search(filter, &["title"]), steps).await;
    assert_eq!(seen.body["Resources"], json!([seen.body["Resources"][0]]), "{}", seen.body);
    assert_eq!(seen.body["Resources"][0]["title"], "job of d");
    // A search that gives everything at once says so.
    let gateway = Scripted::new(&mapping.replace("items: \"$.rows[*]\" }", "items: \"$.rows[*]\", pages: none }"));
    let steps = vec![call("GET /search?q=login").answer(page(&["a", "b", "c", "d"]))];
    let seen = list(&gateway, search("userName sw \"login\"", &["userName"]), steps).await;
    assert_eq!(seen.body["totalResults"], 4);
}

#[test]
fn explain_tells_the_calls_for_what_rows_lack() {
    let mapping = load_mapping("mapping.yaml", MAPPING, &Given(&[])).unwrap();
    let explainer = Explainer {
        mapping: &mapping,
        resource: mapping.at("/Users").unwrap(),
        base_url: "https://scim.test/v2",
        profile: &Profile::LENIENT,
    };
    let explain = |search: SearchRequest| {
        let explained = explainer.list(&SearchRequest { count: Some(2), ..search }).unwrap();
        let calls: Vec<_> = explained.calls.into_iter().map(|call| (call.target, call.repeated)).collect();
        (calls, explained.calls_at_most)
    };
    let get = |repeated: &str| ("/users/KEY".to_owned(), Some(repeated.to_owned()));

    let (calls, at_most) = explain(only(&["userName"]));
    assert_eq!((calls.len(), at_most), (2, 3), "{calls:?}");
    let (calls, at_most) = explain(SearchRequest::default());
    assert_eq!((calls.last(), at_most), (Some(&get("for each resource of the answer")), 5), "{calls:?}");
    let filter = Some("title eq \"clerk\"".to_owned());
    let (calls, _) = explain(SearchRequest { filter, ..only(&["userName"]) });
    assert_eq!(calls.last(), Some(&get("for each row that is left to check or to sort")), "{calls:?}");
}

/// Groups that only the record of one user has are read for a filter and for an answer.
#[tokio::test]
async fn groups_in_the_record_are_read_where_rows_do_not_tell_them() {
    let groups = r#"
  Group:
    id: $.id
    attributes: { displayName: $.name }
    get: GET /teams/{{key}}
    list: GET /teams
    members: { list: { call: "GET /teams/{{key}}/people", key: $.id }, groups: { inline: "$.teams[*]", key: $.id } }
"#;
    let gateway = Scripted::new(&format!("{MAPPING}{groups}"));
    let detail = |id: &str, team: &str| {
        let mut record = record(id);
        record["teams"] = json!([{ "id": team }]);
        call(&format!("GET /users/{id}")).answer(record)
    };
    let filter = r#"groups.value eq "t2" and userName sw "login""#;
    let rows = call("GET /users?skip=0&limit=3").answer(page(&["1", "2"]));
    let search = SearchRequest { filter: Some(filter.to_owned()), ..only(&["groups"]) };
    let seen = list(&gateway, search, vec![rows, detail("1", "t1"), detail("2", "t2")]).await;
    assert_eq!(seen.body["totalResults"], json!(1), "{}", seen.body);
    assert_eq!(seen.body["Resources"][0]["groups"][0]["value"], json!("t2"), "{}", seen.body);
}

/// A list that has to be told that it shall leave out nobody, and a filter by the same parameter.
#[tokio::test]
async fn a_parameter_of_a_filter_replaces_that_of_the_list() {
    let mapping =
        MAPPING.replace("call: GET /users\n      items", "call: GET /users\n      query: { enabled: \"\" }\n      items");
    assert_ne!(mapping, MAPPING);
    let gateway = Scripted::new(&mapping);
    let all = call("GET /users?enabled=&skip=0&limit=3").answer(page(&["1", "2"]));
    let search = SearchRequest { filter: Some(r#"userName ew "2""#.to_owned()), ..only(&["userName"]) };
    assert_eq!(list(&gateway, search, vec![all]).await.body["totalResults"], json!(1));
    let some = call("GET /users?enabled=true&skip=0&limit=3").answer(page(&["1", "2"]));
    let search = SearchRequest { filter: Some(r#"active eq true and userName ew "2""#.to_owned()), ..only(&["userName"]) };
    assert_eq!(list(&gateway, search, vec![some]).await.body["totalResults"], json!(1));
}
