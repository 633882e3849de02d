//! `resources`: resource types, their published schemas and their calls.

use serde_json::Value;

use super::attribute::MappedLine;
use super::call::{DefaultBody, Names, Shared};
use super::schemas::Schemas;
use super::{Compiler, Keys};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::model::{Body, Carries, Create, Delete, Get, Id, Membership, Resource, Send, Target, Update};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::vocabulary;
use crate::scim::schema::{self, Attribute, Extension, Mutability, ResourceType, Schema, Type};
use crate::scim::{AttrPath, Target as ScimTarget};

impl Compiler<'_> {
    pub(super) fn resources(&mut self, node: &Node, schemas: &Schemas, shared: &Shared) -> Option<Vec<Resource>> {
        let entries = self.entries(node, "resources")?;
        let types: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        if types.is_empty() {
            self.error(Code::MissingKey, node.span, "there is no resource type", "map at least one, such as `User`");
        }
        let resources: Vec<Option<Resource>> =
            entries.iter().map(|entry| self.resource(entry, schemas, shared, &types)).collect();
        let mut resources = resources.into_iter().collect::<Option<Vec<_>>>()?;
        for (index, one) in resources.iter().enumerate() {
            if resources.iter().skip(index + 1).any(|other| other.kind.endpoint == one.kind.endpoint) {
                self.error(
                    Code::BadValue,
                    node.span,
                    format!("two resource types are served at {}", one.kind.endpoint),
                    "give one another `endpoint`",
                );
            }
        }
        link_groups(&mut resources);
        Some(resources)
    }

    fn resource(&mut self, entry: &Entry, schemas: &Schemas, shared: &Shared, types: &[&str]) -> Option<Resource> {
        let keys = self.block(&entry.value, &vocabulary::RESOURCE)?;
        let name = entry.key.as_str();
        let base = self.base_schema(&keys, entry, schemas)?.clone();
        let endpoint = self.endpoint(&keys, name)?;
        let full = ResourceType {
            name: name.to_owned(),
            description: keys
                .get("description")
                .and_then(|node| self.text(node))
                .map_or_else(|| base.description.clone(), str::to_owned),
            endpoint,
            extensions: schemas
                .all()
                .filter(|schema| **schema != base)
                .map(|schema| Extension { schema: schema.clone(), required: false })
                .collect(),
            schema: base,
        };
        let id = self.require(&keys, "id", "tell where the key is in a record: `id: $.id`").and_then(|node| self.id(node));
        let lines = self
            .require(&keys, "attributes", "map at least one attribute")
            .map(|node| self.lines(node, &full, schemas, types))?;
        let members = keys.get("members").map(|node| self.membership(node, name, shared, types));
        let kind =
            narrow(&full, &lines, matches!(&members, Some(Some(members)) if members.list.display.is_some()), members.is_some());
        for attribute in full.schema.attributes.iter().filter(|attribute| attribute.required) {
            if kind.schema.attribute(&attribute.name).is_none() {
                self.error(
                    Code::RequiredNotMapped,
                    entry.key_span,
                    format!("the schema requires `{}`, but no line maps it", attribute.name),
                    format!("write a line `{}: $.field`", attribute.name),
                );
            }
        }
        let get = keys.get("get").map(|node| self.get(node, name, shared));
        let list = keys.get("list").map(|node| self.list(node, name, &kind, shared));
        let create = keys.get("create").map(|node| self.create(node, name, &kind, shared));
        let update = keys.get("update").map_or(Some(Vec::new()), |node| self.updates(node, name, &kind, shared));
        let delete = keys.get("delete").map(|node| self.delete(node, name, shared));
        if let (Some(update), Some(create)) = (&update, flat(create.as_ref())) {
            self.check_carried(&lines, &kind, update, create);
        }
        let resource = Resource {
            id: id?,
            lines: lines.into_iter().map(|line| line.line).collect(),
            get: known(get)?,
            list: known(list)?,
            create: known(create)?,
            update: update?,
            delete: known(delete)?,
            members: known(members)?,
            groups: None,
            kind,
        };
        Some(resource)
    }

    fn base_schema<'s>(&mut self, keys: &Keys<'_>, entry: &Entry, schemas: &'s Schemas) -> Option<&'s Schema> {
        let (name, span) = match keys.get("schema") {
            Some(node) => (self.text(node)?, node.span),
            None => (entry.key.as_str(), entry.key_span),
        };
        let found = schemas.get(name);
        if found.is_none() {
            let help = match did_you_mean(name, schemas.names()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!(
                    "declare it under `schemas`, or write `schema:` with one of {}",
                    schemas.names().collect::<Vec<_>>().join(", ")
                ),
            };
            self.error(Code::UnknownSchema, span, format!("there is no schema `{name}`"), help);
        }
        found
    }

    fn endpoint(&mut self, keys: &Keys<'_>, name: &str) -> Option<String> {
        let Some(node) = keys.get("endpoint") else { return Some(format!("/{name}s")) };
        let text = self.text(node)?;
        let taken = ["/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"];
        let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if text.strip_prefix('/').is_some_and(plain) && !taken.contains(&text) {
            return Some(text.to_owned());
        }
        self.error(
            Code::BadValue,
            node.span,
            format!("`{text}` cannot be an endpoint"),
            "write a slash and one name, such as `/Devices`",
        );
        None
    }

    fn id(&mut self, node: &Node) -> Option<Id> {
        if node.text().is_some() {
            return Some(Id { path: self.path(node)?, convert: Vec::new() });
        }
        let keys = self.block(node, &vocabulary::ID)?;
        let path = self.require(&keys, "at", "write `at: $.id`").and_then(|node| self.path(node));
        let text = Attribute { kind: Type::String, ..schema::common().iter().find(|attribute| attribute.name == "id")?.clone() };
        let convert = self.converters(&keys, &text);
        Some(Id { path: path?, convert })
    }

    fn get(&mut self, node: &Node, name: &str, shared: &Shared) -> Option<Get> {
        let (keys, line) = self.call_keys(node, &vocabulary::GET)?;
        let call = self.call(format!("{name}.get"), &keys, line, &Names::KEY, shared, DefaultBody::None);
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        Some(Get { call: call?, item: item? })
    }

    /// An attribute that this resource type maps, as `filters`, `carries` and `when` name it.
    pub(super) fn target(&mut self, text: &str, span: Span, kind: &ResourceType) -> Option<Target> {
        let expanded = match text.strip_prefix("enterprise:") {
            Some(rest) => format!("{}:{rest}", schema::ENTERPRISE_USER),
            None => text.to_owned(),
        };
        if let Some(ScimTarget::Attribute(found)) = AttrPath::parse(&expanded).and_then(|path| kind.resolve(&path, true)) {
            return Some(Target::of(&found));
        }
        let known: Vec<String> = kind.attributes().map(|reference| reference.attribute.name.clone()).collect();
        let help = match did_you_mean(text, known.iter().map(String::as_str)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => "map it under `attributes` first".to_owned(),
        };
        self.error(Code::UnknownAttribute, span, format!("this resource type maps no `{text}`"), help);
        None
    }

    fn create(&mut self, node: &Node, name: &str, kind: &ResourceType, shared: &Shared) -> Option<Create> {
        let (keys, line) = self.call_keys(node, &vocabulary::CREATE)?;
        let names = Names::NOTHING.with(kind);
        let call = self.call(format!("{name}.create"), &keys, line, &names, shared, DefaultBody::Record);
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        let read_back = self.then(&keys);
        let undo = keys.get("undo").map_or(Some(false), |node| self.word(node, &[("delete", true)]));
        Some(Create { call: call?, item: item?, read_back: read_back?, undo: undo? })
    }

    fn then(&mut self, keys: &Keys<'_>) -> Option<bool> {
        keys.get("then").map_or(Some(false), |node| self.word(node, &[("read", true)]))
    }

    fn updates(&mut self, node: &Node, name: &str, kind: &ResourceType, shared: &Shared) -> Option<Vec<Update>> {
        match &node.data {
            Data::Sequence(items) => {
                let updates: Vec<Option<Update>> = items.iter().map(|item| self.update(item, name, kind, shared)).collect();
                updates.into_iter().collect()
            }
            _ => Some(vec![self.update(node, name, kind, shared)?]),
        }
    }

    fn update(&mut self, node: &Node, name: &str, kind: &ResourceType, shared: &Shared) -> Option<Update> {
        let (keys, line) = self.call_keys(node, &vocabulary::UPDATE)?;
        let carries = match (keys.get("when"), keys.get("carries")) {
            (Some(when), None) => self.transition(when, kind),
            (None, Some(node)) => match &node.data {
                Data::Sequence(items) => {
                    let targets: Vec<Option<Target>> =
                        items.iter().map(|item| self.text(item).and_then(|text| self.target(text, item.span, kind))).collect();
                    targets.into_iter().collect::<Option<Vec<_>>>().map(Carries::Attributes)
                }
                _ => self.word(node, &[("rest", ())]).map(|()| Carries::Rest),
            },
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
        let default_body = if matches!(carries, Some(Carries::Transition(..))) { DefaultBody::None } else { DefaultBody::Record };
        let names = Names::ONE.with(kind);
        let suffix = match &carries {
            Some(Carries::Transition(target, value)) => format!("{} {}", target.attribute, value),
            _ => String::new(),
        };
        let call = self.call(format!("{name}.update {suffix}").trim_end().to_owned(), &keys, line, &names, shared, default_body);
        let send = keys
            .get("send")
            .map_or(Some(Send::Changed), |node| self.word(node, &[("changed", Send::Changed), ("full", Send::Full)]));
        let item = self.path_or(keys.get("item"), &JsonPath::root());
        let read_back = self.then(&keys);
        Some(Update { call: call?, item: item?, carries: carries?, send: send?, read_back: read_back? })
    }

    /// `active eq false`
    fn transition(&mut self, node: &Node, kind: &ResourceType) -> Option<Carries> {
        let text = self.text(node)?;
        let mut words = text.splitn(3, ' ');
        if let (Some(attribute), Some("eq"), Some(value)) = (words.next(), words.next(), words.next()) {
            let target = self.target(attribute, node.span, kind)?;
            match serde_json::from_str::<Value>(value) {
                Ok(value) if !value.is_array() && !value.is_object() => return Some(Carries::Transition(target, value)),
                _ => {}
            }
        }
        self.error(
            Code::BadFilter,
            node.span,
            format!("`{text}` is not a change"),
            "write an attribute, `eq` and a value: `active eq false`",
        );
        None
    }

    fn delete(&mut self, node: &Node, name: &str, shared: &Shared) -> Option<Delete> {
        if let Data::Mapping(entries) = &node.data
            && let [entry] = entries.as_slice()
            && entry.key == "refuse"
        {
            return self.text(&entry.value).map(|reason| Delete::Refuse(reason.to_owned()));
        }
        let (keys, line) = self.call_keys(node, &vocabulary::DELETE)?;
        self.call(format!("{name}.delete"), &keys, line, &Names::ONE, shared, DefaultBody::None)
            .map(|call| Delete::Call(Box::new(call)))
    }

    /// Every writable attribute must be in some body, or a PATCH of it would be lost.
    fn check_carried(&mut self, lines: &[MappedLine], kind: &ResourceType, update: &[Update], create: &Create) {
        let carries = |body: &Body, target: &Target| matches!(body, Body::Record) || body.uses(target);
        for mapped in lines.iter().filter(|mapped| mapped.line.shape.is_writable()) {
            let target = &mapped.line.target;
            let leaf = target.resolve(kind).map(|reference| reference.leaf().mutability);
            let by_update = update.iter().any(|update| match &update.carries {
                Carries::Rest => carries(&update.call.body, target),
                Carries::Attributes(targets) => targets.iter().any(|carried| carried.same_top(target)),
                Carries::Transition(changed, _) => changed.same_top(target),
            });
            let by_create = carries(&create.call.body, target);
            let missing = match leaf {
                Some(Mutability::Immutable) if !by_create => "`create`",
                Some(Mutability::ReadOnly | Mutability::Immutable) => continue,
                _ if !by_update => "`update`",
                _ => continue,
            };
            self.error(
                Code::NotCarried,
                mapped.span,
                format!("`{target}` can be written, but no {missing} call carries it"),
                "put it into a body, or say that the backend does not take it: `mutability: readOnly`, or `immutable` if only `create` does",
            );
        }
    }
}

fn flat<T>(value: Option<&Option<T>>) -> Option<&T> {
    value.and_then(Option::as_ref)
}

/// A part that was given must have compiled.
#[expect(clippy::option_option, reason = "given or not, and compiled or not")]
fn known<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(compiled) => Some(compiled),
        None => Some(None),
    }
}

/// The part of the schemas that the mapping can hold.
fn narrow(full: &ResourceType, lines: &[MappedLine], member_display: bool, members: bool) -> ResourceType {
    let pick = |extension: Option<&str>, attributes: &[Attribute]| -> Vec<Attribute> {
        let of = |attribute: &Attribute| {
            lines
                .iter()
                .filter(|line| line.line.target.extension.as_deref() == extension && line.line.target.attribute == attribute.name)
                .map(|line| (line, line.line.target.sub.clone()))
                .collect::<Vec<_>>()
        };
        attributes
            .iter()
            .filter_map(|attribute| {
                if extension.is_none() && attribute.name == "members" && members {
                    let mut kept = attribute.clone();
                    kept.sub_attributes.retain(|sub| sub.name != "display" || member_display);
                    kept.sub_attributes.iter_mut().filter(|sub| sub.name == "display").for_each(|sub| sub.mutability = Mutability::ReadOnly);
                    return Some(kept);
                }
                let own = of(attribute);
                match own.as_slice() {
                    [] => None,
                    [(line, None)] => Some(line.narrow(attribute)),
                    parts => {
                        let mut kept = attribute.clone();
                        let refers = parts.iter().any(|(line, _)| matches!(&line.line.shape, crate::mapping::model::Shape::Field(field) if field.refers.is_some()));
                        kept.sub_attributes = attribute
                            .sub_attributes
                            .iter()
                            .filter_map(|sub| match parts.iter().find(|(_, name)| name.as_deref() == Some(&sub.name)) {
                                Some((line, _)) => Some(line.narrow(sub)),
                                None => (sub.name == "$ref" && refers).then(|| sub.clone()),
                            })
                            .collect();
                        if kept.sub_attributes.iter().all(|sub| sub.mutability == Mutability::ReadOnly) {
                            kept.mutability = Mutability::ReadOnly;
                        }
                        Some(kept)
                    }
                }
            })
            .collect()
    };
    let schema = Schema { attributes: pick(None, &full.schema.attributes), ..full.schema.clone() };
    let extensions = full
        .extensions
        .iter()
        .map(|extension| Extension {
            schema: Schema {
                attributes: pick(Some(&extension.schema.id), &extension.schema.attributes),
                ..extension.schema.clone()
            },
            required: extension.required,
        })
        .filter(|extension| !extension.schema.attributes.is_empty())
        .collect();
    ResourceType { schema, extensions, ..full.clone() }
}

/// The membership of a group gives its members their `groups`.
fn link_groups(resources: &mut [Resource]) {
    let links: Vec<(usize, usize, bool)> = resources
        .iter()
        .enumerate()
        .filter_map(|(group, resource)| {
            let Membership { of, groups: Some(groups), .. } = resource.members.as_ref()? else { return None };
            Some((*of, group, groups.display.is_some()))
        })
        .collect();
    let Some(attribute) =
        schema::core().iter().find(|schema| schema.id == schema::USER).and_then(|schema| schema.attribute("groups"))
    else {
        return;
    };
    for (member, group, display) in links {
        if let Some(resource) = resources.get_mut(member) {
            resource.groups = Some(group);
            let mut attribute = attribute.clone();
            attribute.sub_attributes.retain(|sub| sub.name != "display" || display);
            resource.kind.schema.attributes.push(attribute);
        }
    }
}
