//! JSONPath (RFC 9535), lowered once when the mapping loads.
//!
//! jsonpath-rust parses and validates. Singular queries become a list of steps, queries with one `[*]` or one
//! `[?@.name == literal]` a prefix and a tail; these run without allocating. What is left runs in the library.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, JpQuery, Literal, Segment, Selector, SingularQuery, SingularQuerySegment,
};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::path_rules;
pub use super::place::WritePath;
use super::place::{Element, Key};

/// A query that reads an answer of the backend.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    text: String,
    form: Form,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Name(String),
    /// Negative ones count from the end.
    Index(i64),
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// `$.a.b[0]`
    Steps(Box<[Step]>),
    /// `$.a[*].b`
    Each { prefix: Box<[Step]>, tail: Box<[Step]> },
    /// `$.a[?@.id == 7].b`
    Keyed { prefix: Box<[Step]>, key: Box<Key>, tail: Box<[Step]> },
    /// Anything else.
    General(Box<JpQuery>),
}

/// Follows steps; `None` where one leads nowhere.
pub fn follow<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.get(name),
        Step::Index(index) => {
            let items = value.as_array()?;
            let index = if *index < 0 {
                items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            items.get(index)
        }
    })
}

// === impl JsonPath ===

impl JsonPath {
    /// Reads a path; the error is for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('$') {
            return Err("a JSONPath begins with `$`".to_owned());
        }
        let query = parse_json_path(text).map_err(|error| tidy(text, &error.to_string()))?;
        path_rules::check(&query, text)?;
        Ok(Self { text: text.to_owned(), form: lower(query) })
    }

    /// `$`: the whole answer.
    pub fn root() -> Self {
        Self { text: "$".to_owned(), form: Form::Steps(Box::default()) }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The array whose elements are selected, or the one place; what a path of another form begins at.
    pub fn container<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &self.form {
            Form::Steps(steps) => follow(value, steps),
            Form::Each { prefix, .. } => follow(value, prefix),
            Form::Keyed { .. } | Form::General(_) => Some(value),
        }
    }

    /// What the array whose elements are selected is a member of.
    pub fn around<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &self.form {
            Form::Each { prefix, .. } => follow(value, prefix.split_last()?.1),
            Form::Steps(_) | Form::Keyed { .. } | Form::General(_) => None,
        }
    }

    /// The names of what is taken for an array: all elements of it are selected, or one by its place or its key.
    pub fn arrays(&self) -> Vec<&str> {
        fn indexed(steps: &[Step]) -> impl Iterator<Item = &str> {
            steps.windows(2).filter_map(|pair| match pair {
                [Step::Name(name), Step::Index(_)] => Some(name.as_str()),
                _ => None,
            })
        }
        match &self.form {
            Form::Steps(steps) => indexed(steps).collect(),
            Form::Each { prefix, tail } | Form::Keyed { prefix, tail, .. } => {
                let last = prefix.last().and_then(|step| match step {
                    Step::Name(name) => Some(name.as_str()),
                    Step::Index(_) => None,
                });
                indexed(prefix).chain(last).chain(indexed(tail)).collect()
            }
            // A filter looks at the members of an object as well.
            Form::General(query) => query
                .segments
                .windows(2)
                .filter_map(|pair| match pair {
                    [
                        Segment::Selector(Selector::Name(name)),
                        Segment::Selector(Selector::Wildcard | Selector::Index(_) | Selector::Slice(..)),
                    ] => Some(name.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// The first selected value.
    pub fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &self.form {
            Form::Steps(steps) => follow(value, steps),
            Form::Each { prefix, tail } => items(follow(value, prefix)?).find_map(|item| follow(item, tail)),
            Form::Keyed { prefix, key, tail } => {
                items(follow(value, prefix)?).filter(|item| key.is_of(item)).find_map(|item| follow(item, tail))
            }
            Form::General(query) => run(query, value).into_iter().next(),
        }
    }

    /// All selected values, in order.
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match &self.form {
            Form::Steps(steps) => follow(value, steps).into_iter().collect(),
            Form::Each { prefix, tail } => {
                follow(value, prefix).into_iter().flat_map(items).filter_map(|item| follow(item, tail)).collect()
            }
            Form::Keyed { prefix, key, tail } => {
                let found = follow(value, prefix).into_iter().flat_map(items).filter(|item| key.is_of(item));
                found.filter_map(|item| follow(item, tail)).collect()
            }
            Form::General(query) => run(query, value),
        }
    }

    /// As a condition, a path holds where it selects something.
    pub fn holds(&self, value: &Value) -> bool {
        match &self.form {
            Form::General(query) => !run(query, value).is_empty(),
            _ => self.first(value).is_some(),
        }
    }

    /// The place to write for a path of names, of which one step may be a key: `[?@.id == 7]`.
    pub fn to_write(&self) -> Option<WritePath> {
        match &self.form {
            Form::Steps(steps) if !steps.is_empty() => names(steps).map(WritePath::plain),
            Form::Keyed { prefix, key, tail } => {
                let names = (names(prefix)?, names(tail)?);
                WritePath::keyed(names.0, Element { key: (**key).clone(), names: names.1 })
            }
            _ => None,
        }
    }

    /// The place of the array for a path that ends in `[*]`.
    pub fn to_write_items(&self) -> Option<WritePath> {
        match &self.form {
            Form::Each { prefix, tail } if tail.is_empty() && !prefix.is_empty() => names(prefix).map(WritePath::plain),
            _ => None,
        }
    }

    /// The place to write within an element of an array: `$` is the element itself.
    pub fn to_write_within(&self) -> Option<WritePath> {
        match &self.form {
            Form::Steps(steps) if steps.is_empty() => Some(WritePath::root()),
            _ => self.to_write(),
        }
    }
}

fn names(steps: &[Step]) -> Option<Box<[String]>> {
    steps
        .iter()
        .map(|step| match step {
            Step::Name(name) => Some(name.clone()),
            Step::Index(_) => None,
        })
        .collect()
}

fn items(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn run<'v>(query: &JpQuery, value: &'v Value) -> Vec<&'v Value> {
    // The library fails only on queries that it refuses to parse.
    js_path_process(query, value)
        .map(|found| found.into_iter().map(jsonpath_rust::query::QueryRef::val).collect())
        .unwrap_or_default()
}

fn lower(query: JpQuery) -> Form {
    let mut prefix = Vec::new();
    // Where several may be selected: by a key, or all.
    let mut tail: Option<(Option<Key>, Vec<Step>)> = None;
    for segment in &query.segments {
        let Segment::Selector(selector) = segment else { return Form::General(Box::new(query)) };
        let step = match selector {
            Selector::Name(name) => Step::Name(name.clone()),
            Selector::Index(index) => Step::Index(*index),
            Selector::Wildcard if tail.is_none() => {
                tail = Some((None, Vec::new()));
                continue;
            }
            Selector::Filter(filter) if tail.is_none() => {
                let Some(key) = key(filter) else { return Form::General(Box::new(query)) };
                tail = Some((Some(key), Vec::new()));
                continue;
            }
            _ => return Form::General(Box::new(query)),
        };
        tail.as_mut().map_or(&mut prefix, |(_, tail)| tail).push(step);
    }
    match tail {
        None => Form::Steps(prefix.into()),
        Some((None, tail)) => Form::Each { prefix: prefix.into(), tail: tail.into() },
        Some((Some(key), tail)) => Form::Keyed { prefix: prefix.into(), key: Box::new(key), tail: tail.into() },
    }
}

/// The key of a filter that is `@.name == literal`.
fn key(filter: &Filter) -> Option<Key> {
    let Filter::Atom(FilterAtom::Comparison(comparison)) = filter else { return None };
    let Comparison::Eq(left, right) = comparison.as_ref() else { return None };
    let ((Comparable::SingularQuery(SingularQuery::Current(segments)), Comparable::Literal(literal))
    | (Comparable::Literal(literal), Comparable::SingularQuery(SingularQuery::Current(segments)))) = (left, right)
    else {
        return None;
    };
    let name = |segment: &SingularQuerySegment| match segment {
        SingularQuerySegment::Name(name) => Some(name.clone()),
        SingularQuerySegment::Index(_) => None,
    };
    let names = segments.iter().map(name).collect::<Option<_>>()?;
    let value = match literal {
        Literal::Int(number) => Value::from(*number),
        Literal::Float(number) => Value::from(*number),
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Bool(flag) => Value::from(*flag),
        Literal::Null => return None,
    };
    Some(Key { names, value })
}

/// The library's message for a person: the place, not the names of its grammar's rules.
fn tidy(text: &str, message: &str) -> String {
    let column = message.lines().find_map(|line| line.split_once("--> 1:")?.1.trim().parse::<usize>().ok());
    match column {
        Some(column) => {
            let rest: String = text.chars().skip(column.saturating_sub(1)).collect();
            if rest.is_empty() { "it ends too early".to_owned() } else { format!("`{rest}` cannot stand there") }
        }
        None => {
            let reason = message.lines().next().unwrap_or_default();
            reason.trim_start_matches("Invalid json path: ").trim_start_matches("Invalid ").to_owned()
        }
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
