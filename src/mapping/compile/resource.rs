//! `resources`: resource types, their published schemas and their calls.

use super::call::Shared;
use super::calls::Surroundings;
use super::publish::narrow;
use super::relation::Group;
use super::schemas::Schemas;
use super::{Compiler, Keys, known};
use crate::mapping::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::mapping::model::{Id, List, Resource};
use crate::mapping::source::{Entry, Node, Span};
use crate::mapping::vocabulary;
use crate::scim::schema::{self, Attribute, Extension, ResourceType, Schema, Type};

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
        for (index, (one, entry)) in resources.iter().zip(entries).enumerate() {
            if let Some(other) = resources.iter().take(index).find(|other| other.kind.endpoint == one.kind.endpoint) {
                self.error(
                    Code::BadValue,
                    entry.key_span,
                    format!("{} is served at {} already", other.kind.name, one.kind.endpoint),
                    format!("give {} another `endpoint`", one.kind.name),
                );
            }
        }
        self.link_groups(&mut resources, entries);
        self.link_member_records(&mut resources, entries);
        Some(resources)
    }

    fn resource(&mut self, entry: &Entry, schemas: &Schemas, shared: &Shared, types: &[&str]) -> Option<Resource> {
        let keys = Keys { span: entry.key_span, ..self.block(&entry.value, &vocabulary::RESOURCE)? };
        let name = entry.key.as_str();
        let endpoint = self.endpoint(&keys, name, entry.key_span);
        let base = self.base_schema(&keys, entry, schemas)?.clone();
        // User and Group are no extensions of anything.
        let extends = |schema: &&Schema| **schema != base && schema.id != schema::USER && schema.id != schema::GROUP;
        let full = ResourceType {
            name: name.to_owned(),
            description: keys
                .get("description")
                .and_then(|node| self.text(node))
                .map_or_else(|| base.description.clone(), str::to_owned),
            endpoint: endpoint.clone().unwrap_or_default(),
            extensions: schemas
                .all()
                .filter(extends)
                .map(|schema| Extension { schema: schema.clone(), required: false })
                .collect(),
            schema: base,
        };
        let id = self.require(&keys, "id", "tell where the key is in a record: `id: $.id`").and_then(|node| self.id(node));
        let writes = keys.get("create").is_some() || keys.get("update").is_some();
        let lines = self.require(&keys, "attributes", "map at least one attribute: `userName: $.login`");
        let known_lines = lines.is_some();
        let lines = lines.map(|node| self.lines(node, &full, schemas, types, !writes)).unwrap_or_default();
        let members = keys.entry("members").filter(|entry| !entry.value.is_null());
        let related = full.schema.attribute("members").is_some_and(|members| members.is_complex() && members.multi_valued);
        if let Some(entry) = members.filter(|_| !related) {
            self.error(
                Code::UnknownAttribute,
                entry.key_span,
                format!("the schema of {name} has no `members`"),
                "describe members where the schema is `Group`, or one of your own with a complex `members`",
            );
        }
        let version = self.version(keys.get("attributes"), &lines);
        let gone = keys.get("gone").map(|node| self.path(node));
        let members = members.map(|entry| {
            self.membership(&entry.value, Group { name, kind: &full, schemas, shared, lines: &lines, writes }, types)
        });
        let kind = narrow(&full, &lines, members.as_ref().map(Option::as_ref));
        for attribute in full.schema.attributes.iter().filter(|attribute| attribute.required && known_lines) {
            if kind.schema.attribute(&attribute.name).is_none() {
                self.error(
                    Code::RequiredNotMapped,
                    entry.key_span,
                    format!("the schema requires `{}`, but no line maps it", attribute.name),
                    format!("write a line `{}: $.field`", attribute.name),
                );
            }
        }
        let around = Surroundings { name, kind: &kind, lines: &lines, schemas, shared };
        let get = self.require(&keys, "get", "describe the call that reads one: `get: GET /users/{{key}}`");
        let get = get.map(|node| self.get(node, around));
        if keys.get("list").is_none() {
            self.report(
                Diagnostic::warning(
                    Code::MissingKey,
                    entry.key_span,
                    format!("{name} has no `list`: only filters by id can be answered, and most clients look people up by name"),
                )
                .help("describe the call that lists them: `list: GET /users`"),
            );
        }
        let list = keys.get("list").map(|node| self.list(node, around));
        let create = keys.get("create").map(|node| self.create(node, around, keys.get("delete").is_some_and(deletes)));
        let update = keys.get("update").map_or(Some(Vec::new()), |node| self.updates(node, around));
        let delete = keys.get("delete").map(|node| self.delete(node, around));
        if let (Some(update), Some(create)) = (&update, known_ref(create.as_ref())) {
            self.check_carried(&lines, &kind, update, create, entry);
            self.check_created(&lines, create, keys.get("list").is_some(), &keys);
            self.check_deleted(delete.as_ref().and_then(Option::as_ref), &kind, update, &keys);
            if let Some((Some(members), place)) =
                members.as_ref().zip(keys.entry("members")).map(|(members, entry)| (members.as_ref(), entry))
            {
                self.check_members_carried(members, update, create, place);
            }
        }
        let (get, list, create, delete, members) = (known(get)?, known(list)?, known(create)?, known(delete)?, known(members)?);
        endpoint?;
        let lines = lines.into_iter().map(|line| line.line).collect();
        if let Some(list) = keys.get("list").filter(|_| keys.get("gone").is_none())
            && let Some(list) = list.entry("gone")
        {
            self.error(
                Code::BadValue,
                list.key_span,
                "nothing is said to be gone",
                "tell what is: `gone: \"$[?@.state == 'retired']\"`",
            );
        }
        let (version, gone) = (version?, known(gone)?);
        let list = list.map(|list: List| List { counts_gone: list.counts_gone && gone.is_some(), ..list });
        Some(Resource { id: id?, gone, version, lines, get, list, create, update: update?, delete, members, groups: None, kind })
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

    fn endpoint(&mut self, keys: &Keys<'_>, name: &str, span: Span) -> Option<String> {
        let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !plain(name) {
            self.error(
                Code::BadValue,
                span,
                format!("`{name}` cannot be the name of a resource type"),
                "write letters and digits, such as `Device`",
            );
            return None;
        }
        let default = format!("/{name}s");
        let (text, span) = match keys.get("endpoint") {
            Some(node) => (self.text(node)?, node.span),
            None => (default.as_str(), span),
        };
        let taken = ["/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"];
        if text.strip_prefix('/').is_some_and(plain) && !taken.contains(&text) {
            return Some(text.to_owned());
        }
        let why = if taken.contains(&text) { ": the standard has another use for it" } else { "" };
        self.error(
            Code::BadValue,
            span,
            format!("`{text}` cannot be an endpoint{why}"),
            "write a slash and one name, such as `endpoint: /Devices`",
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
        let convert = self.converters(&keys, &text, true, false);
        Some(Id { path: path?, convert: convert? })
    }
}

/// Whether `delete` has calls.
fn deletes(node: &Node) -> bool {
    node.entry("refuse").is_none() && node.entry("set").is_none()
}

/// A part that was given must have compiled.
#[expect(clippy::option_option, reason = "given or not, and compiled or not")]
fn known_ref<T>(value: Option<&Option<T>>) -> Option<Option<&T>> {
    known(value.map(Option::as_ref))
}
