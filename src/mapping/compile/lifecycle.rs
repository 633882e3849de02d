//! How resources come and go: create and delete, and the calls around a call.

use super::attribute::MappedLine;
use super::call::{Names, Purpose};
use super::calls::{Surroundings, name_of};
use super::{Compiler, Keys, known};
use crate::limits;
use crate::mapping::diagnostics::{Code, Diagnostic};
use crate::mapping::model::{
    Around, Batch, Carries, Conflict, Create, Delete, Deletion, Field, Initial, Shape, SideCall, Target, Update,
};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::template::Root;
use crate::mapping::vocabulary;
use crate::scim::Profile;
use crate::scim::filter::{self, Filter};
use crate::scim::schema::{Mutability, ResourceType};

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
        let batch = keys.get("batch").map(|node| self.batch(node, &keys, around));
        Some(Create {
            call: call?,
            item: item?,
            key: known(key)?,
            read_back: read_back?,
            undo: undo?,
            conflict: known(conflict)?,
            around: Around { before: before?, after: after? },
            batch: known(batch)?.map(Box::new),
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
            self.single(text, node.span, around)
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

    fn batch(&mut self, node: &Node, create: &Keys<'_>, around: Surroundings<'_>) -> Option<Batch> {
        for word in ["before", "after"] {
            if let Some(entry) = create.entry(word) {
                self.error(
                    Code::BadValue,
                    entry.key_span,
                    format!("resources that are created together have no calls `{word}` each"),
                    "take it out, or `batch`",
                );
            }
        }
        if let Some(look) = create.get("conflict").and_then(|conflict| conflict.entry("look")) {
            self.error(
                Code::BadValue,
                look.key_span,
                "each resource is looked for before it is created, so none are created together",
                "take it out, or `batch`",
            );
        }
        let keys = self.block(node, &vocabulary::BATCH)?;
        let line = self.require(&keys, "call", "write method and path: `call: POST /users/batch`")?;
        let call = self.call(name_of(around, "create.batch"), &keys, line, &Names::BATCH, around.shared, Purpose::Act);
        if call.as_ref().is_some_and(|call| !call.uses_any(&[Root::Records])) {
            self.error(
                Code::BadCall,
                line.span,
                "the call does not hold the resources",
                "put them into the body: `body: { users: \"{{records}}\" }`",
            );
        }
        let size = keys.get("size").map_or(Some(limits::BATCH), |node| self.count(node));
        let items = self.items(&keys);
        let status = keys.get("status").map(|node| self.path(node));
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        let by = keys.get("match").map(|node| {
            let text = self.text(node)?;
            self.single(text, node.span, around)
        });
        Some(Batch { call: call?, size: size?, items: items?, status: known(status)?, item: item?, by: known(by)? })
    }

    /// An attribute with one value, by which resources are told apart.
    fn single(&mut self, text: &str, span: Span, around: Surroundings<'_>) -> Option<Target> {
        let target = self.target(text, span, around)?;
        let leaf = target.resolve(around.kind)?;
        if leaf.attribute.multi_valued || leaf.leaf().is_complex() {
            self.error(
                Code::BadAttribute,
                span,
                format!("`{text}` does not have one value, so nothing is found by it"),
                "name an attribute with one value, such as `userName`",
            );
            return None;
        }
        let is_hidden = |mapped: &MappedLine| mapped.line.target == target && !mapped.broken && !mapped.line.shape.is_readable();
        if around.lines.iter().any(is_hidden) {
            self.error(
                Code::BadAttribute,
                span,
                format!("`{target}` is only written, so nothing is found by it"),
                "name an attribute that is read, such as `userName`",
            );
            return None;
        }
        Some(target)
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
        if let (Some(entry), Some(condition)) = (keys.entry("keep"), keys.get("if")) {
            let text = condition.text().unwrap_or_default();
            self.report(
                Diagnostic::warning(Code::BadValue, entry.key_span, format!("these values are there only where `{text}`"))
                    .help("use them in calls with the same `if` only, or keep them in a call that is always made"),
            );
        }
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

    /// What only a creation needs must have one, and what a creation needs must be there.
    pub(super) fn check_created(&mut self, lines: &[MappedLine], create: Option<&Create>, lists: bool, keys: &Keys<'_>) {
        for mapped in lines.iter().filter(|mapped| !mapped.broken) {
            let Shape::Field(Field { initial: Some(initial), read, .. }) = &mapped.line.shape else { continue };
            if create.is_none() {
                self.error(
                    Code::BadAttribute,
                    mapped.span,
                    format!("`{}` has a first value, but there is no `create`", mapped.name),
                    "describe `create`, or take `initial` or `generate` out",
                );
            } else if matches!(initial, Initial::Random(_)) && read.is_some() {
                self.report(
                    Diagnostic::warning(
                        Code::BadAttribute,
                        mapped.span,
                        format!("`{}` is made up and can be read, so that every client is told it", mapped.name),
                    )
                    .help("write it only, `write: $.field`, if it is a secret"),
                );
            }
        }
        if let Some(entry) = keys.get("create").and_then(|create| create.entry("conflict"))
            && !lists
        {
            self.error(
                Code::MissingKey,
                entry.key_span,
                "the other resource is looked for in the list, but there is none",
                "describe the call that lists them: `list: GET /users`",
            );
        }
    }

    /// A change that stands for a deletion must be made by some call.
    pub(super) fn check_deleted(&mut self, delete: Option<&Delete>, kind: &ResourceType, update: &[Update], keys: &Keys<'_>) {
        let Some(Delete::Change(target, value)) = delete else { return };
        let is_written = target
            .resolve(kind)
            .is_some_and(|reference| !matches!(reference.leaf().mutability, Mutability::ReadOnly | Mutability::Immutable));
        let particular = |update: &Update| match &update.carries {
            Carries::Rest => false,
            Carries::Attributes(targets) => targets.iter().any(|carried| carried.same_top(target)),
            Carries::Transition(changed, _) => changed == target,
        };
        let makes = |one: &Update| match &one.carries {
            Carries::Rest => !update.iter().any(particular),
            Carries::Attributes(_) => particular(one),
            Carries::Transition(changed, to) => changed == target && to == value,
        };
        let Some(entry) = keys.get("delete").and_then(|delete| delete.entry("set")) else { return };
        let change = entry.value.text().unwrap_or_default();
        for update in update.iter().filter(|update| makes(update) && !update.destroys) {
            // A call with `when` was told already.
            if !matches!(update.carries, Carries::Transition(..)) {
                self.check_destroys(&update.call, entry.value.span, change);
            }
        }
        if !(is_written && update.iter().any(makes)) {
            self.error(
                Code::NotCarried,
                entry.key_span,
                format!("no call under `update` changes `{target}` to {value}, so that every deletion would be refused"),
                format!("describe it: `{{ when: {target} eq {value}, call: ... }}`"),
            );
        }
    }
}
