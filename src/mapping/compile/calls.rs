//! The calls of a resource type: get, and update.

use http::Method;
use serde_json::Value;

use super::attribute::MappedLine;
use super::call::{Names, Purpose, Shared};
use super::field::{example, is_of};
use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Around, Call, Carries, Get, Send, Shape, Target, Update};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Node, Span};
use crate::mapping::template::Root;
use crate::mapping::vocabulary;
use crate::scim::schema::ResourceType;
use crate::scim::{AttrPath, Target as ScimTarget};

/// What the calls of a resource type are compiled with.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'c> {
    /// The name of the resource type.
    pub(super) name: &'c str,
    pub(super) kind: &'c ResourceType,
    pub(super) lines: &'c [MappedLine],
    pub(super) schemas: &'c Schemas,
    pub(super) shared: &'c Shared,
}

impl Compiler<'_> {
    pub(super) fn get(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Get> {
        let (keys, line) = self.call_keys(node, &vocabulary::GET)?;
        let call = self.call(format!("{}.get", around.name), &keys, line, &Names::KEY, around.shared, Purpose::Read);
        self.about_one(call.as_ref(), line);
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        Some(Get { call: call?, item: item? })
    }

    /// An attribute that this resource type maps, as `filters`, `carries` and `when` name it.
    pub(super) fn target(&mut self, text: &str, span: Span, around: Surroundings<'_>) -> Option<Target> {
        let Surroundings { kind, schemas, .. } = around;
        if let Some(ScimTarget::Attribute(found)) =
            AttrPath::parse(&schemas.expand(text)).and_then(|path| kind.resolve(&path, true))
        {
            return Some(Target::of(&found));
        }
        let known = schemas.paths(kind);
        let help = match did_you_mean(text, known.iter().map(String::as_str)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => "map it under `attributes` first".to_owned(),
        };
        self.error(Code::UnknownAttribute, span, format!("this resource type maps no `{text}`"), help);
        None
    }

    pub(super) fn updates(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Vec<Update>> {
        let nodes = match &node.data {
            Data::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let updates: Vec<Option<Update>> = nodes.iter().map(|node| self.update(node, around)).collect();
        for (index, (node, update)) in nodes.iter().zip(&updates).enumerate() {
            let Some(update) = update else { continue };
            let mut earlier = updates.iter().take(index).flatten();
            let Some(what) = earlier.find_map(|other| twice(&other.carries, &update.carries)) else { continue };
            self.error(
                Code::BadValue,
                node.span,
                format!("an earlier call under `update` is for {what} already"),
                "a change is carried by one call: tell them apart by `carries: [...]` or `when`",
            );
        }
        updates.into_iter().collect()
    }

    fn update(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Update> {
        let (keys, line) = self.call_keys(node, &vocabulary::UPDATE)?;
        let carries = match (keys.get("when"), keys.get("carries")) {
            (Some(when), None) => self.transition(when, around),
            (None, Some(node)) => self.carries(node, around),
            (None, None) => Some(Carries::Rest),
            (Some(_), Some(carries)) => {
                self.error(
                    Code::BadValue,
                    carries.span,
                    "a call either carries attributes or performs a change",
                    "keep `carries` or `when`",
                );
                None
            }
        };
        let purpose = if keys.get("when").is_some() { Purpose::Act } else { Purpose::Record };
        let send = keys.get("send").map_or(Some(Send::Changed), |node| {
            self.word(node, &[("changed", Send::Changed), ("full", Send::Full), ("each", Send::Each)])
        });
        let (before, kept) = self.side_calls(keys.get("before"), &name_of(around, "update.before"), Names::ONE, around, &[]);
        let names = match send {
            Some(Send::Each) => Names::UPDATE_EACH,
            _ if purpose == Purpose::Act => Names::ONE,
            _ => Names::UPDATE,
        };
        let names = names.with(around.kind, around.schemas).keeping(&kept);
        let suffix = match &carries {
            Some(Carries::Transition(target, value)) => format!("{} {}", target.attribute, value),
            _ => String::new(),
        };
        let name = format!("{}.update {suffix}", around.name);
        let call = self.call(name.trim_end().to_owned(), &keys, line, &names, around.shared, purpose);
        self.about_one(call.as_ref(), line);
        if keys.get("when").is_some() {
            self.meaningless(&keys, &["send", "with"], "a call for one change", "it is for bodies that the attribute map writes");
        } else if let Some(call) = &call {
            self.check_send(&keys, send, call, line);
        }
        let destroys = keys.get("destroys").map_or(Some(false), |node| self.flag(node));
        if let (Some(when), Some(call), Some(false)) = (keys.get("when"), &call, destroys) {
            self.check_destroys(call, when.span, when.text().unwrap_or_default());
        }
        let (after, _) = self.side_calls(keys.get("after"), &name_of(around, "update.after"), Names::ONE, around, &kept);
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        let read_back = self.then(&keys);
        let around = Around { before: before?, after: after? };
        Some(Update {
            call: call?,
            item: item?,
            carries: carries?,
            send: send?,
            read_back: read_back?,
            destroys: destroys?,
            around,
        })
    }

    /// Who is switched off is expected to come back: a DELETE in the place of that must be meant.
    pub(super) fn check_destroys(&mut self, call: &Call, span: Span, change: &str) {
        if call.method == Method::DELETE {
            self.error(
                Code::Destructive,
                span,
                format!("the change `{change}` is made by a DELETE, which destroys the record"),
                "name a call that can be taken back; or write `destroys: true` beside it, if this is what deactivation shall do",
            );
        }
    }

    /// What `send` says must fit the body.
    fn check_send(&mut self, keys: &Keys<'_>, send: Option<Send>, call: &Call, line: &Node) {
        if send == Some(Send::Each) {
            if keys.get("body").is_none() || !call.uses_any(&[Root::Value]) {
                self.error(
                    Code::BadCall,
                    line.span,
                    "a call for each field needs a body with `{{value}}`",
                    "write for example `body: { name: \"{{field}}\", value: \"{{value}}\" }`",
                );
            }
        } else if keys.get("body").is_some() && !call.uses_any(&[Root::Fields]) {
            let what = "a body that is spelled out";
            self.meaningless(keys, &["send"], what, "it is for bodies that the attribute map writes: `{{fields}}`");
        }
    }

    /// `rest`, or `[emails, phoneNumbers]`
    fn carries(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Carries> {
        let Data::Sequence(items) = &node.data else {
            return match node.text() {
                Some("rest") => Some(Carries::Rest),
                _ => {
                    let help = format!("write `carries: [{}]`, or `carries: rest`", node.text().unwrap_or("emails"));
                    self.error(Code::WrongShape, node.span, "`carries` is a list of attributes, or `rest`", help);
                    None
                }
            };
        };
        if items.is_empty() {
            self.error(Code::BadValue, node.span, "this call carries nothing", "name attributes, or write `carries: rest`");
            return None;
        }
        let targets: Vec<Option<Target>> = items
            .iter()
            .map(|item| {
                let target = self.text(item).and_then(|text| self.target(text, item.span, around))?;
                if let Some(sub) = &target.sub {
                    self.error(
                        Code::BadAttribute,
                        item.span,
                        format!("a call carries `{}` as a whole, not `{sub}` alone", target.attribute),
                        format!("write `{}`", target.attribute),
                    );
                    return None;
                }
                self.is_written(&target, item.span, around).then_some(target)
            })
            .collect();
        targets.into_iter().collect::<Option<Vec<_>>>().map(Carries::Attributes)
    }

    fn is_written(&mut self, target: &Target, span: Span, around: Surroundings<'_>) -> bool {
        let mut lines = around.lines.iter().filter(|mapped| mapped.line.target.same_top(target)).peekable();
        let written = lines.peek().is_some() && lines.any(|mapped| mapped.broken || mapped.line.shape.is_writable());
        if !written {
            self.error(
                Code::BadAttribute,
                span,
                format!("`{target}` is not written by any line under `attributes`"),
                "take it out, or tell there where it is written",
            );
        }
        written
    }

    /// `active eq false`
    pub(super) fn transition(&mut self, node: &Node, around: Surroundings<'_>) -> Option<Carries> {
        let text = self.text(node)?;
        let mut words = text.splitn(3, ' ');
        let (Some(attribute), Some("eq"), Some(value)) = (words.next(), words.next(), words.next()) else {
            self.error(
                Code::BadFilter,
                node.span,
                format!("`{text}` is not a change"),
                "write an attribute, `eq` and a value: `active eq false`",
            );
            return None;
        };
        let target = self.target(attribute, node.span, around)?;
        let kind = target.resolve(around.kind)?.leaf().kind;
        let line = around.lines.iter().find(|mapped| mapped.line.target.same_top(&target))?;
        if line.broken {
            return None;
        }
        if line.line.target != target || !matches!(line.line.shape, Shape::Field(_)) {
            self.error(
                Code::BadFilter,
                node.span,
                format!("`{attribute}` does not have one value, so it has no change to a value"),
                "name an attribute with one value, or use `carries`",
            );
            return None;
        }
        if !self.is_written(&target, node.span, around) {
            return None;
        }
        match serde_json::from_str::<Value>(value) {
            Ok(value) if is_of(&value, kind) => Some(Carries::Transition(target, value)),
            _ => {
                let (what, example) = example(kind);
                self.error(
                    Code::BadFilter,
                    node.span,
                    format!("`{attribute}` is {what}, and `{value}` is none"),
                    format!("write for example `{attribute} eq {example}`"),
                );
                None
            }
        }
    }
}

/// What a call is called in logs.
pub(super) fn name_of(around: Surroundings<'_>, part: &str) -> String {
    format!("{}.{part}", around.name)
}

/// What two update calls are both for.
fn twice(one: &Carries, other: &Carries) -> Option<String> {
    match (one, other) {
        (Carries::Rest, Carries::Rest) => Some("the rest".to_owned()),
        (Carries::Attributes(ones), Carries::Attributes(others)) => {
            others.iter().find(|target| ones.contains(target)).map(|target| format!("`{target}`"))
        }
        (Carries::Attributes(targets), Carries::Transition(target, _))
        | (Carries::Transition(target, _), Carries::Attributes(targets)) => {
            targets.iter().any(|carried| carried.same_top(target)).then(|| format!("`{target}`"))
        }
        (Carries::Transition(one, value), Carries::Transition(other, same)) => {
            (one == other && value == same).then(|| format!("`{one} eq {value}`"))
        }
        _ => None,
    }
}
