//! From the body of a PATCH to operations on one attribute each.

use serde_json::Value;

use super::values::{echoed_id, is_removal, unpacked};
use super::{EchoedId, Op, Operation, PATCH_OP_SCHEMA, PatchRequest, at};
use crate::limits;
use crate::scim::access::refuse_unheld;
use crate::scim::filter::{PatchTarget, Predicate, parse_path};
use crate::scim::json::kind;
use crate::scim::members::{Members, refuse_ambiguous};
use crate::scim::resource::{is_blank, is_schemas};
use crate::scim::value::{Place, Reader};
use crate::scim::{AttrPath, AttrRef, Mutability, Object, Profile, ResourceType, Schema, ScimError, Target};

/// Collects the operations of one request.
struct Parser<'s, 'p> {
    resource_type: &'s ResourceType,
    profile: &'p Profile,
    reader: Reader<'p>,
    operations: Vec<Operation<'s>>,
    id: Option<EchoedId>,
}

/// An operation of the request, before its target is known.
#[derive(Clone, Copy)]
struct Step {
    index: usize,
    op: Op,
}

// === impl PatchRequest ===

impl<'s> PatchRequest<'s> {
    /// Reads the body of a PATCH. Everything that needs no current state is checked: structure, paths, read-only and
    /// required attributes, types of values.
    pub fn parse(body: Value, resource_type: &'s ResourceType, profile: &Profile) -> Result<Self, ScimError> {
        let mut members = Members::of(body, "The body of a PATCH")?;
        members.expect_schema(PATCH_OP_SCHEMA, profile.schemas_optional)?;
        let operations = match members.take("Operations") {
            Some(Value::Array(operations)) => operations,
            Some(single @ Value::Object(_)) => vec![single],
            Some(other) => {
                return Err(ScimError::invalid_syntax(format!(
                    "\"Operations\" must be an array of operations, not {}.",
                    kind(&other)
                )));
            }
            None => return Err(ScimError::invalid_syntax("The body of a PATCH lacks \"Operations\", an array of operations.")),
        };
        if operations.is_empty() {
            return Err(ScimError::invalid_syntax("\"Operations\" is empty: send one operation or more."));
        }
        if operations.len() > limits::PATCH_OPERATIONS {
            return Err(ScimError::status(
                413,
                format!(
                    "The PATCH has {} operations; the most in one request is {}. Send several requests.",
                    operations.len(),
                    limits::PATCH_OPERATIONS
                ),
            ));
        }
        let mut parser = Parser { resource_type, profile, reader: Reader::new(profile), operations: Vec::new(), id: None };
        for (index, operation) in operations.into_iter().enumerate() {
            parser.operation(index, operation).map_err(|error| at(index, &error))?;
        }
        Ok(Self {
            resource_type,
            profile: *profile,
            operations: parser.operations,
            id: parser.id,
            ignored: parser.reader.ignored,
        })
    }
}

// === impl Op ===

impl Op {
    /// Entra ID writes `Add`, Keycloak `REPLACE`: any case.
    fn parse(text: &str) -> Result<Self, ScimError> {
        let advice = match text.to_ascii_lowercase().as_str() {
            "add" => return Ok(Self::Add),
            "remove" => return Ok(Self::Remove),
            "replace" => return Ok(Self::Replace),
            "delete" => "use \"remove\"",
            "update" | "set" | "modify" | "put" => "use \"replace\"",
            "move" | "copy" | "test" => "RFC 6902 has it, SCIM does not: use \"add\", \"remove\" or \"replace\"",
            _ => "use \"add\", \"remove\" or \"replace\"",
        };
        Err(ScimError::invalid_syntax(format!("\"op\" cannot be {text:?}: {advice}.")))
    }
}

// === impl Parser ===

impl<'s> Parser<'s, '_> {
    fn operation(&mut self, index: usize, operation: Value) -> Result<(), ScimError> {
        let mut members = Members::of(operation, "a PATCH operation")?;
        let op = members
            .take_string("op")?
            .ok_or_else(|| ScimError::invalid_syntax("\"op\" is missing: send \"add\", \"remove\" or \"replace\"."))?;
        let step = Step { index, op: Op::parse(&op)? };
        let path = match members.take("path") {
            None => None,
            // A blank path names the resource itself, as none does.
            Some(Value::String(path)) if path.trim().is_empty() && self.profile.coerce_values => None,
            Some(Value::String(path)) => Some(path),
            Some(other) => {
                return Err(ScimError::invalid_path(format!("\"path\" must be a string, not {}.", kind(&other))));
            }
        };
        let value = members.take_even_null("value");
        match (path, step.op) {
            (None, Op::Remove) => {
                Err(ScimError::no_target("a \"remove\" needs a \"path\" that names what to remove, such as \"nickName\"."))
            }
            (Some(_), Op::Add | Op::Replace) | (None, _) if value.is_none() => Err(ScimError::invalid_value(format!(
                "\"value\" is missing: {:?} needs one; to unassign an attribute, send null.",
                step.op.as_str()
            ))),
            (None, _) => self.resource(step, value.unwrap_or(Value::Null)),
            (Some(path), _) => self.path(step, &path, value),
        }
    }

    fn path(&mut self, step: Step, text: &str, value: Option<Value>) -> Result<(), ScimError> {
        let path = parse_path(text, self.profile)?;
        if self.profile.ignore_unknown {
            let is_unknown = match self.resource_type.resolve(&path.path, self.profile.bare_extension_names) {
                None => true,
                Some(Target::Attribute(attribute)) => {
                    path.sub.as_ref().is_some_and(|sub| attribute.attribute.sub_attribute(sub).is_none())
                }
                Some(_) => false,
            };
            // The same attribute comes as a key of a value object from the same client (Entra ID with and without
            // `aadOptscim062020`); both forms are treated alike.
            if is_unknown {
                refuse_unheld(text.trim(), value.as_ref().unwrap_or(&Value::Null), self.resource_type)?;
                self.reader.ignored.push(text.to_owned());
                return Ok(());
            }
        }
        match path.resolve(self.resource_type, self.profile)? {
            PatchTarget::Resource if step.op == Op::Remove => Err(ScimError::no_target(
                "a \"remove\" cannot name the resource itself: name an attribute, or DELETE the resource.",
            )),
            PatchTarget::Resource => self.resource(step, value.unwrap_or(Value::Null)),
            PatchTarget::Extension(schema) => self.extension(step, schema, value.unwrap_or(Value::Null)),
            PatchTarget::Attribute { attribute, filter } => self.attribute(step, attribute, filter, value),
        }
    }

    /// An operation on the resource itself: the value names the attributes.
    fn resource(&mut self, step: Step, value: Value) -> Result<(), ScimError> {
        let attributes = self.container(value, "Without a \"path\"")?;
        let lenient = self.profile.ignore_unknown;
        for (name, value) in attributes {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("schemas") || (is("meta") && lenient) {
                continue;
            }
            if is("id") && lenient {
                if let Some(id) = echoed_id(value) {
                    self.id = Some(EchoedId { index: step.index, id });
                }
                continue;
            }
            if let Some(attribute) = self.resource_type.attribute(&name) {
                self.attribute(step, AttrRef { extension: None, attribute, sub: None }, None, Some(value))?;
            } else if let Some(extension) = self.resource_type.extension(&name) {
                self.extension(step, &extension.schema, value)?;
            } else if lenient && !name.contains('[') && AttrPath::parse(&name).is_none() {
                refuse_unheld(&name, &value, self.resource_type)?;
                self.reader.ignored.push(name);
            } else {
                // Entra ID: "name.givenName", "urn:...:User:department", also with a filter.
                self.path(step, &name, Some(value))?;
            }
        }
        Ok(())
    }

    /// An operation on a whole extension.
    fn extension(&mut self, step: Step, schema: &'s Schema, value: Value) -> Result<(), ScimError> {
        if step.op == Op::Remove || (step.op == Op::Replace && value.is_null()) {
            let writable = schema.attributes.iter().filter(|attribute| attribute.mutability != Mutability::ReadOnly);
            self.operations.extend(writable.map(|attribute| Operation {
                index: step.index,
                op: Op::Remove,
                target: AttrRef { extension: Some(schema), attribute, sub: None },
                filter: None,
                value: None,
            }));
            return Ok(());
        }
        let attributes = self.container(value, &format!("For {:?}", schema.id))?;
        for (name, value) in attributes {
            match schema.attribute(&name) {
                Some(attribute) => {
                    self.attribute(step, AttrRef { extension: Some(schema), attribute, sub: None }, None, Some(value))?;
                }
                None => self.path(step, &format!("{}:{name}", schema.id), Some(value))?,
            }
        }
        Ok(())
    }

    fn container(&self, value: Value, what: &str) -> Result<Object, ScimError> {
        let value = match value {
            Value::Array(mut list) if list.len() == 1 && self.profile.coerce_values => list.pop().unwrap_or(Value::Null),
            other => other,
        };
        let Value::Object(attributes) = value else {
            return Err(ScimError::invalid_value(format!(
                "{what}, \"value\" must be an object with the attributes to change, not {}.",
                kind(&value)
            )));
        };
        refuse_ambiguous(&attributes, &"\"value\"")?;
        Ok(attributes)
    }

    fn attribute(
        &mut self,
        step: Step,
        target: AttrRef<'s>,
        filter: Option<Predicate<'s>>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        if is_schemas(&target) {
            return match step.op {
                Op::Remove => Err(ScimError::mutability(
                    "\"schemas\" follows from the attributes: to take an extension away, remove its attributes, with its URN as the \"path\".",
                )),
                Op::Add | Op::Replace => Ok(()),
            };
        }
        if target.attribute.mutability == Mutability::ReadOnly || target.leaf().mutability == Mutability::ReadOnly {
            return Err(ScimError::mutability(format!("{target} is read-only and cannot be changed.")));
        }
        let value = match step.op {
            Op::Remove => self.removed(target, filter.is_some(), value)?,
            Op::Add | Op::Replace => match self.assigned(step.op, target, filter.is_some(), value.unwrap_or(Value::Null))? {
                Assigned::Nothing => return Ok(()),
                Assigned::Value(value) => Some(value),
                Assigned::Unassign if target.leaf().required && (target.sub.is_some() || filter.is_none()) => {
                    return Err(ScimError::invalid_value(format!("{target} is required and cannot be unassigned.")));
                }
                Assigned::Unassign => None,
            },
        };
        if value.as_ref().is_some_and(is_blank) && target.leaf().required && step.op != Op::Remove {
            return Err(ScimError::invalid_value(format!("{target} is required and must not be blank.")));
        }
        self.operations.push(Operation { index: step.index, op: step.op, target, filter, value });
        Ok(())
    }

    /// The values that a `remove` lists, if the profile looks at them. `null` counts as no value: serialisers write it
    /// for a member that is not set.
    fn removed(&mut self, target: AttrRef<'s>, filtered: bool, value: Option<Value>) -> Result<Option<Value>, ScimError> {
        let whole = target.sub.is_none() && !filtered;
        let listed =
            value.filter(|value| self.profile.remove_listed_values && whole && target.attribute.multi_valued && !value.is_null());
        if let Some(listed) = listed {
            let items = match unpacked(listed, target.attribute) {
                Value::Array(items) => items,
                other => vec![other],
            };
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                let Some(value) = self.reader.sample(item, Place::of(target.attribute))? else { continue };
                if !is_removal(&value, target.attribute) {
                    return Err(ScimError::invalid_value(format!(
                        "\"value\" must say which values of {target} to remove: each entry needs \"value\"."
                    )));
                }
                values.push(value);
            }
            return Ok(Some(Value::Array(values)));
        }
        if target.leaf().required && (whole || target.sub.is_some()) {
            return Err(ScimError::mutability(format!("{target} is required and cannot be removed.")));
        }
        Ok(None)
    }

    fn assigned(&mut self, op: Op, target: AttrRef<'s>, filtered: bool, value: Value) -> Result<Assigned, ScimError> {
        let attribute = target.attribute;
        if let Some(sub) = target.sub {
            let value = self.reader.whole(value, Place::under(Some(attribute), sub))?;
            return Ok(value.map_or(Assigned::Unassign, Assigned::Value));
        }
        if attribute.multi_valued && !filtered {
            let value = match unpacked(value, attribute) {
                // Section 3.5.2.1 lets `value` be one object; everywhere else it can mean but one thing.
                value @ (Value::Null | Value::Array(_)) => value,
                Value::String(text) if text.is_empty() && self.profile.empty_string_clears => Value::Null,
                single => Value::Array(vec![single]),
            };
            let values = self.reader.list(value, Place::of(attribute))?;
            return Ok(match (values.is_empty(), op) {
                (false, _) => Assigned::Value(Value::Array(values)),
                (true, Op::Add) => Assigned::Nothing,
                (true, _) => Assigned::Unassign,
            });
        }
        if !attribute.is_complex() {
            let value = if attribute.multi_valued {
                self.reader.sample(value, Place::of(attribute))?
            } else {
                self.reader.whole(value, Place::of(attribute))?
            };
            return Ok(value.map_or(Assigned::Unassign, Assigned::Value));
        }
        let Some(partial) = self.reader.partial(value, Place::of(attribute))? else { return Ok(Assigned::Unassign) };
        if let Some(sub) =
            attribute.sub_attributes.iter().find(|sub| sub.required && partial.get(&sub.name).is_some_and(is_blank))
        {
            return Err(ScimError::invalid_value(format!("{target}.{} is required and cannot be unassigned.", sub.name)));
        }
        // `{}` or `{"value": ""}` for the manager unassigns it (Entra ID).
        let says_nothing = partial.values().all(Value::is_null);
        if says_nothing && !filtered && self.profile.empty_string_clears && attribute.sub_attribute("value").is_some() {
            return Ok(Assigned::Unassign);
        }
        Ok(if partial.is_empty() { Assigned::Nothing } else { Assigned::Value(Value::Object(partial)) })
    }
}

/// What an `add` or `replace` assigns.
enum Assigned {
    Value(Value),
    Unassign,
    /// No change: an empty list to add, an object that names no sub-attribute.
    Nothing,
}
