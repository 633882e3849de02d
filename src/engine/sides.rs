//! Calls around a call: what they keep for later ones, and how they are taken back.

use http::Method;
use serde_json::Value;

use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::{Error, Operation};
use crate::mapping::model::SideCall;
use crate::mapping::template::Scope;
use crate::scim::{Object, Profile};
use crate::translate::outcome::Outcome;

/// The further calls of one operation that were made.
#[derive(Debug, Default)]
pub(super) struct Sides<'m> {
    /// What they gave, by name.
    pub(super) kept: Object,
    done: Vec<&'m SideCall>,
}

impl Sides<'_> {
    /// No calls yet, but the values that others kept.
    pub(super) fn keeping(kept: &Object) -> Self {
        Self { kept: kept.clone(), done: Vec::new() }
    }

    /// The calls that changed something, for people.
    pub(super) fn names(&self) -> Vec<String> {
        let changes = self.done.iter().filter(|side| side.call.method != Method::GET);
        changes.map(|side| side.call.name.clone()).collect()
    }

    /// A mark behind the calls that were made so far.
    pub(super) const fn mark(&self) -> usize {
        self.done.len()
    }

    /// Takes out the calls behind a mark.
    pub(super) fn since(&mut self, mark: usize) -> Self {
        Self { kept: self.kept.clone(), done: self.done.split_off(mark.min(self.done.len())) }
    }
}

impl<B: Backend> Operation<'_, B> {
    /// Makes calls one after the other. What was made, or may have been made, is in `sides`, also when one fails.
    pub(super) async fn side_calls<'m>(
        &self,
        calls: &'m [SideCall],
        scope: &Scope<'_>,
        sides: &mut Sides<'m>,
    ) -> Result<(), Error> {
        for side in calls {
            if let Some(condition) = &side.condition {
                // Whoever makes calls with conditions knows the resource.
                let Some(resource) = scope.resource else {
                    return Err(Error::gateway("a condition on a resource that is not known"));
                };
                if !condition.check(&self.resource.kind, &Profile::STRICT)?.matches(resource) {
                    continue;
                }
            }
            let scope = Scope { kept: Some(&sides.kept), ..*scope };
            let sent = self.send(build(&side.call, &scope, None)?).await;
            if sent.as_ref().map_or_else(Error::may_have_acted, |outcome| matches!(outcome, Outcome::Good(_))) {
                sides.done.push(side);
            }
            match sent? {
                Outcome::Good(body) => {
                    let payload = side.call.envelope.first(&body);
                    for (name, path) in &side.keep {
                        let value = payload.and_then(|payload| path.first(payload)).filter(|value| !value.is_null());
                        let value = value.ok_or_else(|| {
                            unintelligible(&side.call, &format!("the answer has nothing at {} for `{name}`", path.as_str()))
                        })?;
                        sides.kept.insert(name.clone(), value.clone());
                    }
                }
                Outcome::Done => {}
                Outcome::Refused(error) => return Err(error.into()),
                // What is missing may be the resource itself, or what the call is about besides.
                Outcome::NotFound if self.is_missing(&scope).await? => {
                    return Err(self.not_found(scope.id.and_then(Value::as_str).unwrap_or_default()));
                }
                other => return Err(unexpected(&side.call, &other)),
            }
        }
        Ok(())
    }

    /// Whether the resource that calls are about is not there.
    async fn is_missing(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        match scope.key {
            Some(key) => Ok(self.fetch(key).await?.is_none()),
            None => Ok(false),
        }
    }

    /// Takes the calls back in reverse order; tells which could not be.
    pub(super) async fn undo(&self, sides: Sides<'_>, scope: &Scope<'_>) -> Vec<String> {
        let mut left = Vec::new();
        let scope = Scope { kept: Some(&sides.kept), ..*scope };
        for side in sides.done.into_iter().rev() {
            let Some(undo) = &side.undo else {
                if side.call.method != Method::GET {
                    left.push(side.call.name.clone());
                }
                continue;
            };
            let sent = match build(undo, &scope, None) {
                Ok(call) => self.send(call).await,
                Err(error) => Err(error),
            };
            if !matches!(sent, Ok(Outcome::Good(_) | Outcome::Done | Outcome::NotFound)) {
                left.push(side.call.name.clone());
            }
        }
        left
    }
}

/// The id and the key of a resource, as the variables of its calls.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) id: Value,
    pub(super) key: Value,
}

impl Identity {
    pub(super) fn new(id: &str, key: &Value) -> Self {
        Self { id: Value::from(id), key: key.clone() }
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { id: Some(&self.id), key: Some(&self.key), ..Scope::default() }
    }
}
