//! What to type instead: the mistakes that people make in filters, and the names they may have meant.

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};

use super::ast::CompareOp;
use super::lexer::Shown;
use super::predicate::Op;
use crate::scim::path::AttrPath;
use crate::scim::schema::{Attribute, ResourceType};

/// Similarity from which on a name is worth a suggestion: `mail` for `emails` is, `login` for `locale` is not.
const SIMILAR: f64 = 0.65;
/// Longer words are not compared; nobody mistypes a name of this length.
const LONGEST: usize = 64;
/// The characters that operators of other languages are made of.
const SYMBOLS: [char; 7] = ['=', '!', '<', '>', '~', '&', '|'];

/// The operator that somebody meant.
pub(super) fn operator(word: &str) -> Option<Op> {
    let lower = word.to_ascii_lowercase();
    let known = match lower.as_str() {
        "=" | "==" | "===" | "equals" | "equal" | "is" => Op::Eq,
        "!=" | "<>" | "!==" | "neq" => Op::Ne,
        ">" => Op::Gt,
        ">=" | "=>" | "gte" => Op::Ge,
        "<" => Op::Lt,
        "<=" | "=<" | "lte" => Op::Le,
        "contains" | "like" | "~" | "=~" => Op::Co,
        "startswith" | "starts_with" | "starts" => Op::Sw,
        "endswith" | "ends_with" | "ends" => Op::Ew,
        "exists" | "present" => Op::Pr,
        short if short.len() <= 3 => return Op::ALL.into_iter().find(|op| damerau_levenshtein(op.as_str(), short) == 1),
        _ => return None,
    };
    Some(known)
}

/// The operators in a message.
pub(super) fn operators() -> String {
    let names: Vec<_> = CompareOp::ALL.into_iter().map(CompareOp::as_str).collect();
    format!("{} or pr", names.join(", "))
}

/// `and` or `or`, if somebody meant that.
pub(super) fn connective(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "&&" | "&" | "," | "+" => Some("and"),
        "||" | "|" => Some("or"),
        short if short.len() > 4 => None,
        short => ["and", "or"].into_iter().find(|known| damerau_levenshtein(known, short) == 1),
    }
}

/// What is wrong with a word that is no attribute path: at which byte of it, and the message.
pub(super) fn attribute_path(word: &str) -> (usize, String) {
    let found = Shown(word);
    if let Some(i) = word.find(SYMBOLS)
        && let (Some(name), Some(rest)) = (word.get(..i), word.get(i..))
        && AttrPath::parse(name).is_some()
    {
        let end = rest.find(|c| !SYMBOLS.contains(&c)).unwrap_or(rest.len());
        let symbol = rest.get(..end).unwrap_or_default();
        let advice = operator(symbol).map_or_else(String::new, |op| format!("; write `{name} {op}`"));
        return (i, format!("expected a blank and an operator after `{name}`, found `{symbol}`{advice}"));
    }
    if let Some(pointer) = word.strip_prefix('/') {
        let advice = pointer.replace('/', ".");
        return (0, format!("expected an attribute name, found {found}; a SCIM path is no JSON Pointer: write `{advice}`"));
    }
    if let Some(path) = word.strip_prefix("$.") {
        return (0, format!("expected an attribute name, found {found}; a SCIM path is no JSONPath: write `{path}`"));
    }
    let local = word.rfind(':').map_or(0, |colon| colon + 1);
    let names = word.get(local..).unwrap_or_default();
    if names.starts_with('.') {
        return (local, format!("expected an attribute name before the dot, found {found}"));
    }
    let mut dots = names.match_indices('.').map(|(i, _)| local + i);
    if let Some(first) = dots.next() {
        let attribute = word.get(..first).unwrap_or_default();
        if word.get(first + 1..).is_none_or(|rest| rest.is_empty() || rest.starts_with('.')) {
            return (first + 1, format!("expected the name of a sub-attribute after `{attribute}.`, as in `name.familyName`"));
        }
        if let Some(second) = dots.next() {
            let path = word.get(..second).unwrap_or_default();
            return (
                second,
                format!(
                    "expected an operator or the end after `{path}`, found a second dot; SCIM has one level of sub-attributes"
                ),
            );
        }
    }
    let message = format!("expected an attribute name (a letter, then letters, digits, `-` and `_`), found {found}");
    (0, message)
}

/// The most similar of the candidates, if one is similar enough.
pub(in crate::scim) fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (normalized_damerau_levenshtein(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(score, _)| *score >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A path that no schema of these resource types has: the whole message.
pub(in crate::scim) fn unknown_attribute(path: &AttrPath, resource_types: &[&ResourceType]) -> String {
    let types: Vec<_> = resource_types.iter().map(|resource_type| resource_type.name.as_str()).collect();
    let on = types.join(" or ");
    for resource_type in resource_types {
        if let Some(uri) = path.uri()
            && !resource_type.schema_uris().any(|known| known.eq_ignore_ascii_case(uri))
        {
            continue;
        }
        // The attribute exists; then it is the sub-attribute that does not.
        if let Some(attribute) = top_level(path, resource_type) {
            return unknown_sub_attribute(path.sub().unwrap_or_default(), attribute);
        }
    }
    if let Some(uri) = path.uri()
        && !resource_types.iter().any(|t| t.schema_uris().any(|known| known.eq_ignore_ascii_case(uri)))
    {
        let known: Vec<_> = resource_types.iter().flat_map(|t| t.schema_uris()).collect();
        return format!("{on} has no schema {}; it has {}", Shown(uri), listed(known));
    }
    let advice = suggestion(path, resource_types)
        .map_or_else(|| "; /Schemas lists the attributes".to_owned(), |suggestion| format!("; did you mean `{suggestion}`?"));
    format!("{on} has no attribute {}{advice}", Shown(path.as_str()))
}

/// A sub-attribute that the attribute does not have: the whole message.
pub(in crate::scim) fn unknown_sub_attribute(name: &str, attribute: &Attribute) -> String {
    let found = Shown(name);
    let parent = &attribute.name;
    let known = || attribute.sub_attributes.iter().map(|sub| sub.name.as_str());
    if attribute.sub_attributes.is_empty() {
        return format!("`{parent}` has no sub-attributes, so no {found}; write `{parent}` alone");
    }
    match similar(name, known()) {
        Some(suggestion) => format!("`{parent}` has no sub-attribute {found}; did you mean `{suggestion}`?"),
        None => format!("`{parent}` has no sub-attribute {found}; it has {}", listed(known())),
    }
}

/// `a`, `b` and `c`.
pub(in crate::scim) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn top_level<'s>(path: &AttrPath, resource_type: &'s ResourceType) -> Option<&'s Attribute> {
    path.sub()?;
    match path.uri() {
        None => resource_type.attribute(path.name()),
        Some(uri) if resource_type.schema.is(uri) => resource_type.attribute(path.name()),
        Some(uri) => resource_type.extension(uri)?.schema.attribute(path.name()),
    }
}

fn suggestion(path: &AttrPath, resource_types: &[&ResourceType]) -> Option<String> {
    let all = || resource_types.iter().flat_map(|resource_type| resource_type.attributes());
    // The right name without its URN, or with the wrong one.
    if let Some(found) = all().find(|a| a.attribute.name.eq_ignore_ascii_case(path.name())) {
        let sub = path.sub().map_or_else(String::new, |sub| format!(".{sub}"));
        return Some(format!("{found}{sub}"));
    }
    // The right name without its parent: `familyName`.
    if path.sub().is_none()
        && let Some((parent, sub)) = all().find_map(|a| Some((a, a.attribute.sub_attribute(path.name())?)))
        && !matches!(sub.name.as_str(), "value" | "type" | "primary" | "display" | "$ref")
    {
        return Some(format!("{parent}.{}", sub.name));
    }
    let name = similar(path.name(), all().map(|a| a.attribute.name.as_str()))?;
    let found = all().find(|a| a.attribute.name == name)?;
    let sub =
        path.sub().and_then(|sub| found.attribute.sub_attribute(sub)).map_or_else(String::new, |sub| format!(".{}", sub.name));
    Some(format!("{found}{sub}"))
}
