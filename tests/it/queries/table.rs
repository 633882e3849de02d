//! The calls of the queries that identity providers send, on four kinds of backend: no more than each needs, and those
//! that `explain` foretells.

use serde_json::{Value, json};

use scimitar::app::{Given, load_mapping};
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::explain::Explainer;

use super::fake::{Kind, Lookup, Pages, Push, Total};
use super::languages::Language;
use super::{BASE, Gateway, mapping};
use crate::support::lines;

fn kind(name: &str) -> Kind {
    match name {
        // Parameters that compare exactly, page numbers, a total in the body.
        "number" => Kind::default(),
        // Parameters that give more than they should.
        "offset" => Kind { push: Push::Superset, pages: Pages::Offset, first: 0, total: Total::Header, ..Kind::default() },
        // A look-up of its own, and no total anywhere.
        "cursor" => Kind { lookup: Lookup::Path, pages: Pages::Cursor, total: Total::Counted, ..Kind::default() },
        // A query language instead of parameters.
        "odata" => Kind {
            push: Push::None,
            pages: Pages::Range,
            total: Total::ContentRange,
            language: Some(Language::OData),
            ..Kind::default()
        },
        other => panic!("{other}"),
    }
}

fn users() -> Vec<Value> {
    let user = |id| {
        json!({
            "id": id, "login": format!("user{id}"), "ext": format!("x{id}"), "surname": "Lee", "status": "A", "created": id * 1_000,
            "mails": [{ "address": format!("user{id}@x.test"), "kind": "work" }]
        })
    };
    (1..=250).map(user).collect()
}

fn groups() -> Vec<Value> {
    vec![
        json!({ "id": 1, "name": "Staff", "members": (1..=150).collect::<Vec<_>>() }),
        json!({ "id": 2, "name": "Night", "members": [3] }),
        json!({ "id": 3, "name": "Empty", "members": [] }),
    ]
}

/// Method and path of a call, with KEY for every number: explanations know the keys of some records only.
fn path(call: &str) -> String {
    let (method, target) = call.split_once(' ').unwrap();
    let path = target.split(['?', ' ']).next().unwrap();
    let segments = path.split('/').map(|segment| if segment.parse::<u64>().is_ok() { "KEY" } else { segment });
    format!("{method} {}", segments.collect::<Vec<_>>().join("/"))
}

/// The explanation of a request, if it is not so: its calls start with the first one made, hold every one made, and are no
/// fewer than were made.
fn foretold_wrongly(kind: &Kind, endpoint: &str, search: &SearchRequest, made: &[String]) -> Option<String> {
    let text = mapping::text(kind);
    let mapping = load_mapping("mapping.yaml", &text, &Given(&[])).unwrap();
    let resource = mapping.at(endpoint).unwrap();
    let explainer = Explainer { mapping: &mapping, resource, base_url: BASE, profile: &Profile::LENIENT };
    let explained = explainer.list(search).unwrap();
    let foretold: Vec<_> = explained.calls.iter().map(|call| path(&format!("{} {}", call.method, call.target))).collect();
    let made: Vec<_> = made.iter().map(|call| path(call)).collect();
    let right = foretold.first() == made.first()
        && made.iter().all(|call| foretold.contains(call))
        && made.len() as u64 <= explained.calls_at_most;
    (!right).then(|| format!("{explained:?}"))
}

#[tokio::test]
async fn the_queries_of_identity_providers_take_the_calls_they_need() {
    let mut wrong = Vec::new();
    let cases = lines("query-calls.jsonl");
    assert!(cases.len() >= 30);
    for case in cases {
        let request = &case["request"];
        let names = |name: &str| -> Vec<String> {
            request[name]
                .as_array()
                .map(|names| names.iter().map(|name| name.as_str().unwrap().to_owned()).collect())
                .unwrap_or_default()
        };
        let text = |name: &str| request[name].as_str().map(str::to_owned);
        let search = SearchRequest {
            attributes: names("attributes"),
            excluded_attributes: names("excluded"),
            filter: text("filter"),
            sort_by: text("sort"),
            start_index: request["start"].as_i64(),
            count: request["count"].as_i64(),
            ..SearchRequest::default()
        };
        let endpoint = request["endpoint"].as_str().unwrap();
        for (name, expected) in case["calls"].as_object().unwrap() {
            let gateway = Gateway::new(kind(name), users(), groups());
            let answer = gateway.search(endpoint, search.clone()).await;
            let made = gateway.fake.calls();
            if let Some(explained) = foretold_wrongly(&kind(name), endpoint, &search, &made) {
                wrong.push(format!("{}: {request} on {name}\n  made      {made:?}\n  explained {explained}", case["why"]));
            }
            let calls = json!(made);
            if answer.is_err() || calls != *expected {
                wrong.push(format!(
                    "{}: {request} on {name}\n  wanted {expected}\n  made   {calls} {:?}",
                    case["why"],
                    answer.err()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
