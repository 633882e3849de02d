//! Operations that refer to each other in a circle (RFC 7644 section 3.7.1): first the resources are created without what
//! is not known yet, then this is put into them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::{Value, json};

use super::references::references;
use super::{BulkMethod, BulkOperation, BulkPath, Resolved, named};
use crate::scim::patch::PATCH_OP_SCHEMA;
use crate::scim::{Mutability, Object, ResourceType, ScimError, Target};

const CIRCLE: &str = "This operation and others of the job refer to each other in a circle that cannot be opened: create the \
                      resources first, then link them.";

/// How the operations of a circle are done. All references of a step are known when its turn comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Circle {
    pub steps: Vec<Step>,
    /// The bulkIds of operations on resources that are there already, with the ids in their paths.
    aliases: Vec<(String, BulkPath)>,
}

/// A step; the place is that of the operation in the job.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Creates a resource, possibly without some of its references.
    Create(usize, BulkOperation),
    /// A PATCH that puts the left out references into the resource of the operation.
    Link(usize, BulkOperation),
    /// An operation on a resource that is there.
    Whole(usize, BulkOperation),
}

/// An operation of a circle while the circle is planned.
struct Member<'j> {
    place: usize,
    operation: &'j BulkOperation,
    kind: Option<&'j ResourceType>,
    /// The bulkIds within the circle that its creation needs.
    needs: BTreeSet<String>,
    planned: bool,
}

// === impl Circle ===

impl Circle {
    /// Plans a circle. One that cannot be opened, as what closes it is required or immutable, is 409 before anything is done.
    pub fn plan(operations: &[(usize, &BulkOperation)], kinds: &[&ResourceType]) -> Result<Self, ScimError> {
        if operations.iter().any(|(_, operation)| operation.method == BulkMethod::Delete) {
            // Something refers to what is no more when this one is done.
            return Err(ScimError::status(409, CIRCLE));
        }
        let makers: HashSet<&str> = operations.iter().filter_map(|(_, operation)| operation.bulk_id.as_deref()).collect();
        let mut aliases = Vec::new();
        let mut members = Vec::with_capacity(operations.len());
        for (place, operation) in operations {
            let kind = kinds.iter().copied().find(|kind| kind.endpoint == operation.path.endpoint);
            let mut needs = operation.references();
            if operation.method != BulkMethod::Post {
                // Its id is known by its path; all else can wait until everything is created.
                needs = operation.path.reference().map(str::to_owned).into_iter().collect();
                if let Some(bulk_id) = &operation.bulk_id {
                    aliases.push((bulk_id.clone(), operation.path.clone()));
                }
            }
            needs.retain(|bulk_id| makers.contains(bulk_id.as_str()));
            members.push(Member { place: *place, operation, kind, needs, planned: false });
        }
        let mut unknown: HashSet<String> = makers.into_iter().map(str::to_owned).collect();
        let mut users: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, member) in members.iter().enumerate() {
            for bulk_id in &member.needs {
                users.entry(bulk_id.clone()).or_default().push(index);
            }
        }
        let bare: Vec<bool> = members.iter().map(|member| member.without(&unknown).is_some()).collect();
        let mut bare = bare.iter().enumerate().filter(|(_, can)| **can).map(|(index, _)| index);
        let mut ready: VecDeque<usize> =
            members.iter().enumerate().filter(|(_, member)| member.needs.is_empty()).map(|(index, _)| index).collect();
        let (mut creations, mut later) = (Vec::new(), Vec::new());
        for _ in 0..members.len() {
            let next = ready.pop_front().or_else(|| bare.find(|index| members.get(*index).is_some_and(|member| !member.planned)));
            let Some(member) = next.and_then(|index| members.get_mut(index)) else {
                return Err(ScimError::status(409, CIRCLE));
            };
            member.planned = true;
            let (place, operation) = (member.place, member.operation.clone());
            if operation.method == BulkMethod::Post {
                let (creation, link) = member.without(&unknown).ok_or_else(|| ScimError::status(409, CIRCLE))?;
                creations.push(Step::Create(place, creation));
                later.extend(link.map(|link| Step::Link(place, link)));
            } else {
                later.push(Step::Whole(place, operation.clone()));
            }
            let Some(bulk_id) = operation.bulk_id else { continue };
            unknown.remove(&bulk_id);
            for user in users.remove(&bulk_id).unwrap_or_default() {
                let Some(member) = members.get_mut(user).filter(|member| !member.planned) else { continue };
                member.needs.remove(&bulk_id);
                if member.needs.is_empty() {
                    ready.push_back(user);
                }
            }
        }
        later.sort_by_key(Step::place);
        creations.extend(later);
        Ok(Self { steps: creations, aliases })
    }

    /// Adds the bulkIds of operations on resources that are there, as far as their ids are known.
    pub fn learn(&self, known: &mut HashMap<String, Resolved>) {
        for (bulk_id, path) in &self.aliases {
            let id = match path.reference() {
                Some(other) => known.get(other).cloned(),
                None => path.id.clone().map(Resolved::Id),
            };
            known.extend(id.map(|id| (bulk_id.clone(), id)));
        }
    }
}

// === impl Step ===

impl Step {
    /// The place of the operation in the job.
    pub const fn place(&self) -> usize {
        match self {
            Self::Create(place, _) | Self::Link(place, _) | Self::Whole(place, _) => *place,
        }
    }
}

// === impl Member ===

impl Member<'_> {
    /// The creation without references to what is unknown, and the PATCH that adds them; `None` if one cannot be left out.
    fn without(&self, unknown: &HashSet<String>) -> Option<(BulkOperation, Option<BulkOperation>)> {
        if self.operation.method != BulkMethod::Post {
            return None;
        }
        let (Some(Value::Object(data)), Some(kind)) = (&self.operation.data, self.kind) else { return None };
        let (kept, left_out) = bare(data, None, kind, unknown)?;
        let creation = BulkOperation { data: Some(Value::Object(kept)), ..self.operation.clone() };
        if left_out.is_empty() {
            return Some((creation, None));
        }
        let bulk_id = self.operation.bulk_id.as_deref()?;
        let link = BulkOperation {
            method: BulkMethod::Patch,
            path: BulkPath { endpoint: self.operation.path.endpoint.clone(), id: Some(format!("bulkId:{bulk_id}")) },
            bulk_id: None,
            version: None,
            data: Some(json!({ "schemas": [PATCH_OP_SCHEMA], "Operations": left_out })),
        };
        Some((creation, Some(link)))
    }
}

/// The attributes without references to what is unknown, and the PATCH operations that add these.
fn bare(data: &Object, extension: Option<&str>, kind: &ResourceType, unknown: &HashSet<String>) -> Option<(Object, Vec<Value>)> {
    let refers = |value: &Value| {
        let mut found = false;
        references(value, &mut |bulk_id| found |= unknown.contains(bulk_id));
        found
    };
    let (mut kept, mut left_out) = (Object::new(), Vec::new());
    for (name, value) in data {
        if !refers(value) {
            kept.insert(name.clone(), value.clone());
            continue;
        }
        let path = extension.map_or_else(|| name.clone(), |uri| format!("{uri}:{name}"));
        let attribute = match named(kind, &path)? {
            Target::Attribute(attribute) => attribute,
            Target::Extension(schema) if extension.is_none() => {
                let (inside, more) = bare(value.as_object()?, Some(&schema.id), kind, unknown)?;
                left_out.extend(more);
                if !inside.is_empty() {
                    kept.insert(name.clone(), Value::Object(inside));
                }
                continue;
            }
            Target::Extension(_) | Target::Resource => return None,
        };
        match attribute.leaf().mutability {
            // It is ignored, with the reference in it.
            Mutability::ReadOnly => continue,
            Mutability::Immutable => return None,
            Mutability::ReadWrite | Mutability::WriteOnly => {}
        }
        let (now, later) = match value {
            Value::Array(items) => {
                let (later, now): (Vec<Value>, Vec<Value>) = items.iter().cloned().partition(&refers);
                ((!now.is_empty()).then_some(Value::Array(now)), Value::Array(later))
            }
            other => (None, other.clone()),
        };
        if now.is_none() && (attribute.attribute.required || attribute.leaf().required) {
            return None;
        }
        kept.extend(now.map(|now| (name.clone(), now)));
        left_out.push(json!({ "op": "add", "path": path, "value": later }));
    }
    Some((kept, left_out))
}

#[cfg(test)]
#[path = "circle_tests.rs"]
mod tests;
