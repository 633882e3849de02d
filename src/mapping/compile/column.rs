//! Lines for fixed columns: `emails[type eq "work"].value: $.mail`.

use serde_json::Value;

use super::Compiler;
use super::attribute::MappedLine;
use super::schemas::Schemas;
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::source::Entry;
use crate::scim::filter::{self, PatchTarget};
use crate::scim::schema::ResourceType;
use crate::scim::{AttrRef, Profile};

const EXAMPLE: &str = "write for example `emails[type eq \"work\"].value: $.mail`";

impl Compiler<'_> {
    /// The attribute that a key with brackets names, and what its values are told apart by.
    pub(super) fn column_named<'s>(
        &mut self,
        entry: &Entry,
        full: &'s ResourceType,
        schemas: &Schemas,
    ) -> Option<(AttrRef<'s>, Vec<(String, Value)>)> {
        let key = &entry.key;
        let path = filter::parse_path(&schemas.expand(key), &Profile::STRICT);
        let (attribute, filter) = match path.and_then(|path| path.resolve(full, &Profile::STRICT)) {
            Ok(PatchTarget::Attribute { attribute, filter: Some(filter) }) => (attribute, filter),
            Ok(_) => {
                self.error(Code::BadAttribute, entry.key_span, format!("`{key}` is not a column"), EXAMPLE);
                return None;
            }
            Err(error) => {
                let known: Vec<&str> = full.schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
                let name = key.split('[').next().unwrap_or_default();
                let help = match did_you_mean(name, known.iter().copied()).filter(|word| *word != name) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => EXAMPLE.to_owned(),
                };
                self.error(Code::BadAttribute, entry.key_span, format!("`{key}` cannot be used: {}", error.detail), help);
                return None;
            }
        };
        let name = &attribute.attribute.name;
        let Some(sub) = attribute.sub.filter(|_| !matches!(name.as_str(), "members" | "groups")) else {
            let (problem, help) = if attribute.sub.is_some() {
                ("is a relation, not an attribute", "describe the calls under `members` of the group's resource type".to_owned())
            } else {
                ("does not name the sub-attribute that the field holds", format!("write `{key}.value`"))
            };
            self.error(Code::BadAttribute, entry.key_span, format!("`{key}` {problem}"), help);
            return None;
        };
        let equalities = filter.equalities().unwrap_or_default();
        let tags: Vec<(String, Value)> =
            equalities.into_iter().filter_map(|(target, value)| Some((target.sub?.name.clone(), value))).collect();
        if tags.is_empty() || tags.iter().any(|(name, _)| *name == sub.name) {
            self.error(
                Code::BadAttribute,
                entry.key_span,
                format!("`{key}`: a column is told by values that its other sub-attributes have, joined by `and`"),
                EXAMPLE,
            );
            return None;
        }
        Some((attribute, tags))
    }

    /// One value at the most is the primary one (RFC 7643 section 2.4).
    pub(super) fn one_primary(&mut self, lines: &[MappedLine]) {
        let is_primary = |line: &MappedLine| line.line.target.tags.contains(&("primary".to_owned(), Value::Bool(true)));
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| is_primary(line)) {
            let target = &line.line.target;
            let other = lines
                .iter()
                .take(index)
                .find(|other| is_primary(other) && other.line.target.same_top(target) && other.line.target.tags != target.tags);
            if let Some(other) = other {
                self.error(
                    Code::BadAttribute,
                    line.span,
                    format!("`{}` is primary, and so is `{}`", line.name, other.name),
                    "let one column be the primary one: take `primary eq true` out of the others",
                );
            }
        }
    }
}
