//! What a resource type publishes: the part of the schemas that the mapping can hold.

use super::Compiler;
use super::attribute::MappedLine;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Membership, Resource, Shape};
use crate::mapping::source::Entry;
use crate::scim::schema::{self, Attribute, Extension, Mutability, ResourceType, Schema};
use serde_json::Value;

/// The part of the schemas that the mapping can hold.
#[expect(clippy::option_option, reason = "given or not, and compiled or not")]
pub(super) fn narrow(full: &ResourceType, lines: &[MappedLine], members: Option<Option<&Membership>>) -> ResourceType {
    // A membership that did not compile is not told about a second time.
    let member_display = members.flatten().is_some_and(|members| members.list.element().display.is_some());
    let members_change = members.flatten().is_none_or(|members| members.change.is_possible());
    let members = members.is_some();
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
                    kept.sub_attributes
                        .iter_mut()
                        .filter(|sub| sub.name == "display")
                        .for_each(|sub| sub.mutability = Mutability::ReadOnly);
                    if !members_change {
                        kept.mutability = Mutability::ReadOnly;
                    }
                    return Some(kept);
                }
                let own = of(attribute);
                match own.as_slice() {
                    [] => None,
                    [(line, None)] => Some(line.narrow(attribute)),
                    parts => {
                        let mut kept = attribute.clone();
                        let refers = parts
                            .iter()
                            .any(|(line, _)| matches!(&line.line.shape, Shape::Field(field) if field.refers.is_some()));
                        let tags: Vec<&(String, Value)> = parts.iter().flat_map(|(line, _)| &line.line.target.tags).collect();
                        let is_tag = |sub: &Attribute| tags.iter().any(|(name, _)| *name == sub.name);
                        kept.sub_attributes = attribute
                            .sub_attributes
                            .iter()
                            .filter_map(|sub| match parts.iter().find(|(_, name)| name.as_deref() == Some(&sub.name)) {
                                Some((line, _)) => Some(line.narrow(sub)),
                                None if is_tag(sub) => Some(tagged(sub, &tags)),
                                None => (sub.name == "$ref" && refers).then(|| sub.clone()),
                            })
                            .collect();
                        let fields = || kept.sub_attributes.iter().filter(|sub| !is_tag(sub));
                        if fields().all(|sub| sub.mutability == Mutability::ReadOnly) {
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

/// A sub-attribute that tells fixed columns apart: these are the values that it has.
fn tagged(sub: &Attribute, tags: &[&(String, Value)]) -> Attribute {
    let mut canonical_values: Vec<String> = Vec::new();
    for value in tags.iter().filter(|(name, _)| *name == sub.name).filter_map(|(_, value)| value.as_str()) {
        if !canonical_values.iter().any(|known| known == value) {
            canonical_values.push(value.to_owned());
        }
    }
    Attribute { canonical_values, ..sub.clone() }
}

impl Compiler<'_> {
    /// The membership of a group gives its members their `groups`.
    pub(super) fn link_groups(&mut self, resources: &mut [Resource], entries: &[Entry]) {
        let links: Vec<(usize, usize, bool)> = resources
            .iter()
            .enumerate()
            .filter_map(|(group, resource)| {
                let Membership { of, groups: Some(groups), .. } = resource.members.as_ref()? else { return None };
                Some((*of, group, groups.element().display.is_some()))
            })
            .collect();
        let Some(attribute) =
            schema::core().iter().find(|schema| schema.id == schema::USER).and_then(|schema| schema.attribute("groups"))
        else {
            return;
        };
        for (member, group, display) in links {
            let Some(resource) = resources.get_mut(member) else { continue };
            if resource.groups.is_some() {
                if let Some(entry) = entries.get(group) {
                    self.error(
                        Code::BadValue,
                        entry.key_span,
                        format!("`groups` of {} come from another resource type already", resource.kind.name),
                        "keep `members.groups` in one of the two",
                    );
                }
                continue;
            }
            resource.groups = Some(group);
            let mut attribute = attribute.clone();
            attribute.sub_attributes.retain(|sub| sub.name != "display" || display);
            resource.kind.schema.attributes.push(attribute);
        }
    }
}
