//! The members of a message by name, in any case (RFC 7643 section 2.1), and the URN that says what message it is.

use std::collections::HashSet;

use serde_json::Value;

use super::filter::similar;
use super::{Object, ScimError, json};

/// The members of one JSON object.
#[derive(Debug)]
pub(super) struct Members {
    /// What the object is, for messages: "the body of a PATCH".
    what: &'static str,
    object: Object,
}

/// Refuses names that differ only in case: which of them counts would be a guess.
pub(super) fn refuse_ambiguous(object: &Object, what: &dyn std::fmt::Display) -> Result<(), ScimError> {
    let mut seen = HashSet::with_capacity(object.len());
    for name in object.keys() {
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(ScimError::invalid_syntax(format!(
                "{what} has {name:?} twice, in different case. Names are case-insensitive; send it once."
            )));
        }
    }
    Ok(())
}

/// The known name that was probably meant, as the end of a message: " Did you mean \"userName\"?", or nothing.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    similar(name, known).map_or_else(String::new, |meant| format!(" Did you mean {meant:?}?"))
}

// === impl Members ===

impl Members {
    pub(super) fn of(value: Value, what: &'static str) -> Result<Self, ScimError> {
        let Value::Object(object) = value else {
            return Err(ScimError::invalid_syntax(format!("{what} must be a JSON object, not {}.", json::kind(&value))));
        };
        refuse_ambiguous(&object, &what)?;
        Ok(Self { what, object })
    }

    /// Takes a member out; `null` counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.take_even_null(name).filter(|value| !value.is_null())
    }

    /// Takes a member out, also one that is `null`.
    pub(super) fn take_even_null(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).or_else(|| {
            let key = self.object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
            self.object.remove(&key)
        })
    }

    /// Takes a member out that must be a string.
    pub(super) fn take_string(&mut self, name: &str) -> Result<Option<String>, ScimError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ScimError::invalid_syntax(format!(
                "{:?} in {} must be a string, not {}.",
                name,
                self.what,
                json::kind(&other)
            ))),
        }
    }

    /// Checks `schemas` against the URN of the message. One string instead of an array is understood (ConductorOne).
    pub(super) fn expect_schema(&mut self, urn: &str, optional: bool) -> Result<(), ScimError> {
        let is_it = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(urn));
        let found = match self.take("schemas") {
            None if optional => return Ok(()),
            None => return Err(ScimError::invalid_syntax(format!("{} lacks \"schemas\": [{urn:?}].", self.what))),
            Some(Value::Array(list)) if list.is_empty() && optional => return Ok(()),
            Some(Value::Array(list)) => list.iter().any(is_it),
            Some(other) => is_it(&other),
        };
        if found {
            return Ok(());
        }
        Err(ScimError::invalid_syntax(format!("{} has other \"schemas\" than it needs: [{urn:?}].", self.what)))
    }
}
