//! Explanations of writes, held to the calls that were made: nothing is made that was not foretold, nothing that was foretold
//! for certain is left out, and bodies are those foretold but for what only the record knows.

use scimitar::engine::{Names, ScimRequest};
use scimitar::mapping::Mapping;
use scimitar::scim::Profile;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::explain::{Explainer, WriteCall};
use serde_json::Value;

use super::BASE;
use super::fake::Entry;

/// Method and path of a call, with KEY for numbers and variables.
fn path(method: &str, target: &str) -> String {
    let path = target.split('?').next().unwrap();
    let is_key = |segment: &str| segment.parse::<u64>().is_ok() || segment.starts_with("{{");
    let segments: Vec<&str> = path.split('/').map(|segment| if is_key(segment) { "KEY" } else { segment }).collect();
    format!("{method} {}", segments.join("/"))
}

/// Whether a text stands for what the plan cannot know.
fn stands(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with('(') || text.starts_with("{{") || text == "KEY")
}

/// Whether a body that was sent is one that was foretold. What turns out not to differ is not sent, be it a field or a
/// member of a group.
fn fits(foretold: &Value, made: &Value) -> bool {
    match (foretold, made) {
        _ if stands(foretold) => true,
        (Value::Object(foretold), Value::Object(made)) => {
            made.iter().all(|(name, value)| foretold.get(name).is_some_and(|foretold| fits(foretold, value)))
        }
        (Value::Array(foretold), Value::Array(made)) => {
            made.iter().all(|made| foretold.iter().any(|foretold| fits(foretold, made)))
        }
        (foretold, made) => foretold == made,
    }
}

fn body_fits(foretold: &WriteCall, made: &Entry) -> bool {
    match &foretold.body {
        None => made.body.is_null(),
        Some(body) => fits(body, &made.body),
    }
}

/// The explanation of a request, if the calls that were made for it are not those foretold.
pub(super) fn wrongly(mapping: &Mapping, request: &ScimRequest, made: &[Entry]) -> Option<String> {
    let resource = mapping.at(request.endpoint().unwrap()).unwrap();
    let explainer = Explainer { mapping, resource, base_url: BASE, profile: &Profile::LENIENT };
    let search = |names: &Names| SearchRequest {
        attributes: names.attributes.clone(),
        excluded_attributes: names.excluded.clone(),
        ..SearchRequest::default()
    };
    let explained = match request {
        ScimRequest::Create { body, names, .. } => explainer.create(body.clone(), &search(names)),
        ScimRequest::Replace { id, body, names, .. } => explainer.replace(id, body.clone(), &search(names)),
        ScimRequest::Patch { id, body, names, .. } => explainer.patch(id, body.clone(), &search(names)),
        ScimRequest::Delete { id, .. } => explainer.delete(id),
        other => panic!("{other:?}"),
    };
    let explained = match explained {
        Ok(explained) => explained,
        Err(error) => return Some(format!("refused: {error:?}")),
    };
    let foretold: Vec<(String, &WriteCall)> =
        explained.calls.iter().map(|call| (path(&call.method, &call.target), call)).collect();
    let paths: Vec<String> = made
        .iter()
        .map(|made| {
            let (method, target) = made.line.split_once(' ').unwrap();
            path(method, target)
        })
        .collect();
    let mut wrong = Vec::new();
    for (made, path) in made.iter().zip(&paths) {
        let mut same = foretold.iter().filter(|(other, _)| other == path).peekable();
        if same.peek().is_none() {
            wrong.push(format!("{path} is not foretold"));
        } else if !same.any(|(_, call)| body_fits(call, made)) {
            wrong.push(format!("{path} is foretold with another body than {}", made.body));
        }
    }
    for (path, _) in foretold.iter().filter(|(path, call)| call.when.is_none() && !paths.contains(path)) {
        wrong.push(format!("{path} is foretold and not made"));
    }
    // What comes first is certain, or it is the first of those that may come.
    let certain = foretold.iter().position(|(_, call)| call.when.is_none());
    let first = certain.map_or(foretold.len(), |place| place + 1);
    let starts = paths.first().is_none_or(|path| foretold.iter().take(first).any(|(other, _)| other == path));
    if !starts {
        wrong.push(format!("{:?} is the first", paths.first()));
    }
    (!wrong.is_empty()).then(|| format!("{}\n{explained}", wrong.join("\n")))
}
