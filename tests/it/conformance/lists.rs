//! What several groups ask of lists.

use serde_json::Value;

use crate::demo::{Answer, Demo};
use crate::scim::filtered;

/// All rows of a list of the backend, in its order.
pub(crate) fn rows(demo: &Demo, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let Value::Array(more) = demo.record(&format!("{path}?per_page=100&page={page}")) else { panic!("{path} is no list") };
        if more.is_empty() {
            break;
        }
        rows.extend(more);
    }
    demo.directory.clear_calls();
    rows
}

/// The ids in a list, in its order.
#[track_caller]
pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    texts(answer, "id")
}

/// One attribute of everything in a list.
#[track_caller]
pub(crate) fn texts(answer: &Answer, name: &str) -> Vec<String> {
    let resources = answer.ok(200)["Resources"].as_array().unwrap();
    resources.iter().map(|resource| resource[name].as_str().unwrap_or_default().to_owned()).collect()
}

/// The user names that a filter finds, under the strict profile.
pub(crate) async fn found(demo: &Demo, filter: &str) -> Vec<String> {
    let answer = demo.strictly("GET", &format!("{}&excludedAttributes=groups", filtered("/Users", filter)), None).await;
    let mut names = texts(&answer, "userName");
    assert_eq!(answer.body["totalResults"], names.len(), "{filter}");
    names.sort_unstable();
    names
}
