//! What of a resource is returned (RFC 7644 sections 3.4.2.5 and 3.9; `returned` of RFC 7643 section 7).

use serde_json::Value;

use super::{AttrPath, AttrRef, Attribute, Object, Profile, ResourceType, Returned, Schema, ScimError, Target};
use crate::limits;

/// The parameters `attributes` and `excludedAttributes`, held against a resource type.
#[derive(Debug, Clone)]
pub struct Projection<'s> {
    resource_type: &'s ResourceType,
    mode: Mode,
    named: Vec<Target<'s>>,
    /// What the client wrote in the same request: `returned: request` attributes show in that response.
    written: Vec<AttrRef<'s>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Neither parameter.
    Default,
    /// `attributes`.
    Only,
    /// `excludedAttributes`.
    Without,
}

/// How much of an attribute is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    No,
    /// By the URN of its schema.
    WithSchema,
    /// Itself.
    Itself,
    /// Some of its sub-attributes.
    Parts,
}

// === impl Projection ===

impl<'s> Projection<'s> {
    /// Reads the names: each may be a comma list, with blanks, in any case, and name a sub-attribute or a whole schema.
    ///
    /// Names of nothing are ignored, so that `attributes=nope` gives the minimum set. Both parameters together are 400
    /// invalidValue, or `attributes` wins, as the profile says; parameters without any name count as not given.
    pub fn new(
        attributes: &[String],
        excluded: &[String],
        resource_type: &'s ResourceType,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        let attributes = names(attributes, "attributes")?;
        let excluded = names(excluded, "excludedAttributes")?;
        let (mode, texts) = match (attributes.is_empty(), excluded.is_empty()) {
            (true, true) => (Mode::Default, attributes),
            (true, false) => (Mode::Without, excluded),
            (false, false) if !profile.attributes_over_excluded => {
                return Err(ScimError::invalid_value(
                    "\"attributes\" and \"excludedAttributes\" exclude each other (RFC 7644 section 3.9): send one of them.",
                ));
            }
            (false, _) => (Mode::Only, attributes),
        };
        let named = texts
            .into_iter()
            .filter_map(|name| resource_type.resolve(&AttrPath::parse(name)?, profile.bare_extension_names))
            .collect();
        Ok(Self { resource_type, mode, named, written: Vec::new() })
    }

    /// No parameters: everything that is returned by default.
    pub const fn of(resource_type: &'s ResourceType) -> Self {
        Self { resource_type, mode: Mode::Default, named: Vec::new(), written: Vec::new() }
    }

    /// Adds what the client wrote: attributes with `returned: request` appear in the response to a write that set them
    /// (RFC 7643 section 7), unless the parameters say otherwise.
    #[must_use]
    pub fn also(mut self, written: impl IntoIterator<Item = AttrRef<'s>>) -> Self {
        self.written.extend(written);
        self
    }

    /// Whether the parameters leave everything that is returned by default.
    pub fn is_default(&self) -> bool {
        self.mode == Mode::Default
    }

    /// Whether the attribute or sub-attribute is returned if it has a value. A top-level attribute is, when any part of
    /// it is. What is not wanted need not be fetched.
    pub fn wants(&self, attribute: &AttrRef<'_>) -> bool {
        let named = self.named(attribute);
        if !self.wants_attribute(attribute, named) {
            return false;
        }
        if let Some(sub) = attribute.sub {
            return self.wants_sub(attribute, sub, named);
        }
        let subs = &attribute.attribute.sub_attributes;
        subs.is_empty() || subs.iter().any(|sub| self.wants_sub(attribute, sub, named))
    }

    /// Takes everything out of a resource that is not returned, and what no schema defines.
    pub fn apply(&self, resource: &mut Object) {
        let full = std::mem::take(resource);
        for (name, value) in full {
            if let Some(attribute) = self.resource_type.attribute(&name) {
                let attribute = AttrRef { extension: None, attribute, sub: None };
                if let Some(value) = self.select(&attribute, value) {
                    resource.insert(name, value);
                }
            } else if let Some(extension) = self.resource_type.extension(&name)
                && let Some(kept) = self.select_extension(&extension.schema, value)
            {
                resource.insert(name, kept);
            }
        }
    }

    fn select_extension(&self, schema: &'s Schema, value: Value) -> Option<Value> {
        let Value::Object(data) = value else { return None };
        let mut kept = Object::new();
        for (name, value) in data {
            let Some(attribute) = schema.attribute(&name) else { continue };
            if let Some(value) = self.select(&AttrRef { extension: Some(schema), attribute, sub: None }, value) {
                kept.insert(name, value);
            }
        }
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn select(&self, attribute: &AttrRef<'_>, value: Value) -> Option<Value> {
        let named = self.named(attribute);
        if !self.wants_attribute(attribute, named) {
            return None;
        }
        match value {
            Value::Object(members) => self.select_members(attribute, named, members).map(Value::Object),
            Value::Array(values) if attribute.attribute.is_complex() => {
                let was_empty = values.is_empty();
                let kept: Vec<Value> = values
                    .into_iter()
                    .filter_map(|value| match value {
                        Value::Object(members) => self.select_members(attribute, named, members).map(Value::Object),
                        other => Some(other),
                    })
                    .collect();
                // An empty list that somebody put there on purpose stays (`members: []` for authentik).
                (was_empty || !kept.is_empty()).then_some(Value::Array(kept))
            }
            other => Some(other),
        }
    }

    fn select_members(&self, attribute: &AttrRef<'_>, named: Named, mut members: Object) -> Option<Object> {
        members
            .retain(|name, _| attribute.attribute.sub_attribute(name).is_some_and(|sub| self.wants_sub(attribute, sub, named)));
        (!members.is_empty()).then_some(members)
    }

    fn named(&self, attribute: &AttrRef<'_>) -> Named {
        let mut best = Named::No;
        for target in &self.named {
            match target {
                Target::Attribute(name) if name.same_attribute(attribute) => match name.sub {
                    None => return Named::Itself,
                    Some(_) => best = Named::Parts,
                },
                Target::Extension(schema) if attribute.extension.is_some_and(|own| own.id == schema.id) => {
                    return self.itself_or(attribute, Named::WithSchema);
                }
                Target::Resource if attribute.extension.is_none() => return self.itself_or(attribute, Named::WithSchema),
                _ => {}
            }
        }
        best
    }

    fn itself_or(&self, attribute: &AttrRef<'_>, otherwise: Named) -> Named {
        let itself = |target: &Target<'_>| matches!(target, Target::Attribute(name) if name.sub.is_none() && name.same_attribute(attribute));
        if self.named.iter().any(itself) { Named::Itself } else { otherwise }
    }

    fn is_written(&self, attribute: &AttrRef<'_>, sub: Option<&Attribute>) -> bool {
        self.written.iter().any(|written| {
            written.same_attribute(attribute)
                && match (sub, written.sub) {
                    (Some(sub), Some(own)) => sub.name == own.name,
                    _ => true,
                }
        })
    }

    fn wants_attribute(&self, attribute: &AttrRef<'_>, named: Named) -> bool {
        match (attribute.attribute.returned, self.mode) {
            (Returned::Never, _) => false,
            (Returned::Always, _) | (Returned::Default, Mode::Default) => true,
            (Returned::Default, Mode::Only) => named != Named::No,
            (Returned::Default, Mode::Without) => matches!(named, Named::No | Named::Parts),
            // The URN of a schema asks for what that schema returns by default, not for what is costly.
            (Returned::Request, Mode::Only) => matches!(named, Named::Itself | Named::Parts),
            (Returned::Request, Mode::Default) => self.is_written(attribute, None),
            (Returned::Request, Mode::Without) => matches!(named, Named::No | Named::Parts) && self.is_written(attribute, None),
        }
    }

    /// About a sub-attribute of an attribute that is wanted.
    fn wants_sub(&self, attribute: &AttrRef<'_>, sub: &Attribute, named: Named) -> bool {
        let sub_named = self.names_sub(attribute, sub);
        match (sub.returned, self.mode) {
            (Returned::Never, _) => false,
            (Returned::Always, _) | (Returned::Default, Mode::Default) => true,
            (Returned::Default, Mode::Only) => sub_named || named != Named::Parts,
            (Returned::Default, Mode::Without) => !sub_named,
            (Returned::Request, Mode::Only) => sub_named,
            (Returned::Request, Mode::Default) => self.is_written(attribute, Some(sub)),
            (Returned::Request, Mode::Without) => !sub_named && self.is_written(attribute, Some(sub)),
        }
    }

    fn names_sub(&self, attribute: &AttrRef<'_>, sub: &Attribute) -> bool {
        self.named.iter().any(|target| {
            matches!(target, Target::Attribute(name) if name.same_attribute(attribute)
                && name.sub.is_some_and(|own| own.name == sub.name))
        })
    }
}

fn names<'t>(texts: &'t [String], parameter: &str) -> Result<Vec<&'t str>, ScimError> {
    let names: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .take(limits::PROJECTION_NAMES + 1)
        .collect();
    if names.len() > limits::PROJECTION_NAMES {
        return Err(ScimError::invalid_value(format!(
            "\"{parameter}\" has more than {} names; send fewer.",
            limits::PROJECTION_NAMES
        )));
    }
    Ok(names)
}

#[cfg(test)]
#[path = "projection_tests.rs"]
mod tests;
