//! How resources come and go: create and delete, and the calls around a call.

use super::call::{Names, Purpose};
use super::calls::{Surroundings, name_of};
use super::{Compiler, Keys, known};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Around, Carries, Conflict, Create, Delete, Deletion, SideCall};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::vocabulary;
use crate::scim::Profile;
use crate::scim::filter::{self, Filter};

impl Compiler<'_> {
    pub(super) fn create(&mut self, node: &Node, around: Surroundings<'_>, deletes: bool) -> Option<Create> {
        let (keys, line) = self.call_keys(node, &vocabulary::CREATE)?;
        let (before, kept) = self.side_calls(keys.get("before"), &name_of(around, "create.before"), Names::NOTHING, around, &[]);
        let names = Names::CREATE.with(around.kind, around.schemas).keeping(&kept);
        let call = self.call(name_of(around, "create"), &keys, line, &names, around.shared, Purpose::Record);
        let (after, _) = self.side_calls(keys.get("after"), &name_of(around, "create.after"), Names::ONE, around, &kept);
        if let Some(entry) = keys.entry("undo").filter(|_| !deletes) {
            self.error(
                Code::MissingKey,
                entry.key_span,
                "`undo: delete` needs the call that deletes one",
                "describe `delete`, or take `undo` out",
            );
        }
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        let key = keys.get("key").map(|node| self.path(node));
        let read_back = self.then(&keys);
        let undo = keys.get("undo").map_or(Some(false), |node| self.word(node, &[("delete", true)]));
        let conflict = keys.get("conflict").map(|node| self.conflict(node, around));
        Some(Create {
            call: call?,
            item: item?,
            key: known(key)?,
            read_back: read_back?,
            undo: undo?,
            conflict: known(conflict)?,
            around: Around { before: before?, after: after? },
        })
    }

    pub(super) fn then(&mut self, keys: &Keys<'_>) -> Option<bool> {
        keys.get("then").map_or(Some(false), |node| self.word(node, &[("read", true)]))
    }

    fn conflict(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Conflict> {
        let keys = self.block(node, &vocabulary::CONFLICT)?;
        let by = self.require(&keys, "match", "name the attribute that the other one is found by: `match: userName`");
        let by = by.and_then(|node| {
            let text = self.text(node)?;
            let target = self.target(text, node.span, around)?;
            let leaf = target.resolve(around.kind)?;
            if leaf.attribute.multi_valued || leaf.leaf().is_complex() {
                self.error(
                    Code::BadAttribute,
                    node.span,
                    format!("`{text}` does not have one value, so nothing is found by it"),
                    "name an attribute with one value, such as `userName`",
                );
                return None;
            }
            Some(target)
        });
        let adopt = keys.get("adopt").map(|node| self.condition(node, around));
        let look_first = keys.get("look").map_or(Some(false), |node| self.word(node, &[("first", true)]));
        if keys.get("adopt").is_none() && keys.get("look").is_none() {
            self.error(
                Code::MissingKey,
                keys.span,
                "this says nothing that would not be so without it",
                "write `adopt: active eq false` to take over a resource that this matches, or `look: first`",
            );
            return None;
        }
        Some(Conflict { by: by?, adopt: known(adopt)?, look_first: look_first? })
    }

    /// A SCIM filter on a resource of this type.
    fn condition(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Filter> {
        let text = self.text(node)?;
        let parsed = filter::parse(text, &Profile::STRICT).and_then(|filter| {
            filter.check(around.kind, &Profile::STRICT)?;
            Ok(filter)
        });
        match parsed {
            Ok(filter) => Some(filter),
            Err(error) => {
                let help = "write a filter of RFC 7644 on attributes that are mapped, such as `active eq false`";
                self.error(Code::BadFilter, node.span, format!("this filter cannot be used: {}", error.detail), help);
                None
            }
        }
    }

    pub(super) fn delete(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Delete> {
        if let Data::Sequence(calls) = &node.data {
            return self.deletions(calls, node, around);
        }
        for (word, others) in [
            ("refuse", ["call", "query", "headers", "body", "errors", "before", "after", "set"]),
            ("set", ["call", "query", "headers", "body", "errors", "before", "after", "refuse"]),
        ] {
            let Data::Mapping(entries) = &node.data else { break };
            let Some(entry) = entries.iter().find(|entry| entry.key == word) else { continue };
            let keys = self.block(node, &vocabulary::DELETE)?;
            let what = if word == "set" { "a change that stands for a deletion" } else { "a delete that is refused" };
            self.meaningless(&keys, &others, what, &format!("keep `{word}` alone"));
            return match word {
                "set" => match self.transition(&entry.value, around)? {
                    Carries::Transition(target, value) => Some(Delete::Change(target, value)),
                    Carries::Rest | Carries::Attributes(_) => None,
                },
                _ => self.text(&entry.value).map(|reason| Delete::Refuse(reason.to_owned())),
            };
        }
        let (keys, line) = self.call_keys(node, &vocabulary::DELETE)?;
        let (before, kept) = self.side_calls(keys.get("before"), &name_of(around, "delete.before"), Names::ONE, around, &[]);
        let names = Names::ONE.keeping(&kept);
        let call = self.call(name_of(around, "delete"), &keys, line, &names, around.shared, Purpose::Act);
        self.about_one(call.as_ref(), line);
        let (after, _) = self.side_calls(keys.get("after"), &name_of(around, "delete.after"), Names::ONE, around, &kept);
        let around = Around { before: before?, after: after? };
        Some(Delete::Calls(Box::new(Deletion { call: call?, around })))
    }

    /// Several calls, of which the last one deletes.
    fn deletions(&mut self, calls: &[Node], node: &Node, around: Surroundings<'_>) -> Option<Delete> {
        let Some((last, first)) = calls.split_last() else {
            self.error(Code::WrongShape, node.span, "there is no call", "write one, such as `- DELETE /users/{{key}}`");
            return None;
        };
        let mut kept = Vec::new();
        let mut before = Vec::new();
        for node in first {
            before.push(self.side_call(node, &name_of(around, "delete.before"), Names::ONE, around, &mut kept));
        }
        let (keys, line) = self.call_keys(last, &vocabulary::DELETE)?;
        self.meaningless(&keys, &["before", "after", "set", "refuse"], "one call of several", "write the calls in their order");
        let names = Names::ONE.keeping(&kept);
        let call = self.call(name_of(around, "delete"), &keys, line, &names, around.shared, Purpose::Act);
        self.about_one(call.as_ref(), line);
        let before = before.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Delete::Calls(Box::new(Deletion { call: call?, around: Around { before, after: Vec::new() } })))
    }

    /// The calls before or after another one, and the names of all values that are kept by then.
    pub(super) fn side_calls(
        &mut self,
        node: Option<&Node>,
        name: &str,
        names: Names<'static>,
        around: Surroundings<'_>,
        kept: &[String],
    ) -> (Option<Vec<SideCall>>, Vec<String>) {
        let mut kept = kept.to_vec();
        let Some(node) = node else { return (Some(Vec::new()), kept) };
        let nodes = match &node.data {
            Data::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let calls: Vec<_> = nodes.iter().map(|node| self.side_call(node, name, names, around, &mut kept)).collect();
        (calls.into_iter().collect(), kept)
    }

    fn side_call(
        &mut self,
        node: &Node,
        name: &str,
        names: Names<'static>,
        around: Surroundings<'_>,
        kept: &mut Vec<String>,
    ) -> Option<SideCall> {
        let (keys, line) = self.call_keys(node, &vocabulary::SIDE_CALL)?;
        let before = kept.clone();
        let scope = names.with(around.kind, around.schemas).keeping(&before);
        let call = self.call(name.to_owned(), &keys, line, &scope, around.shared, Purpose::Act);
        let condition = keys.get("if").map(|node| self.condition(node, around));
        let keep = match keys.get("keep") {
            Some(node) => {
                let entries = self.entries(node, "keep").unwrap_or_default();
                let kept: Vec<_> = entries.iter().map(|entry| self.kept(entry, &scope)).collect();
                kept.into_iter().collect()
            }
            None => Some(Vec::new()),
        };
        kept.extend(keep.iter().flatten().map(|(name, _): &(String, JsonPath)| name.clone()));
        let undo = keys.get("undo").map(|node| {
            let (keys, line) = self.call_keys(node, &vocabulary::UNDO)?;
            let scope = names.with(around.kind, around.schemas).keeping(kept);
            self.call(format!("{name}.undo"), &keys, line, &scope, around.shared, Purpose::Act)
        });
        Some(SideCall { call: call?, condition: known(condition)?, keep: keep?, undo: known(undo)? })
    }

    /// A value that is kept: its name must be free, or it would hide another variable.
    fn kept(&mut self, entry: &Entry, scope: &Names<'_>) -> Option<(String, JsonPath)> {
        let name = &entry.key;
        let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || scope.is_taken(name) {
            let (what, help) = if plain {
                ("is a variable already", "choose another name")
            } else {
                ("cannot be the name of a variable", "write letters and digits, such as `account`")
            };
            self.error(Code::BadValue, entry.key_span, format!("`{name}` {what}"), help);
            return None;
        }
        Some((name.clone(), self.path(&entry.value)?))
    }
}
