//! Whether every attribute that clients may write reaches the backend.

use super::Compiler;
use super::attribute::MappedLine;
use crate::mapping::diagnostics::{Code, Diagnostic};
use crate::mapping::model::{Carries, Create, Send, Target, Update};
use crate::mapping::source::Entry;
use crate::scim::schema::{Mutability, ResourceType, Type};
use serde_json::Value;

impl Compiler<'_> {
    /// Every writable attribute must be in some call, or a PATCH of it would be lost.
    pub(super) fn check_carried(
        &mut self,
        lines: &[MappedLine],
        kind: &ResourceType,
        update: &[Update],
        create: Option<&Create>,
        entry: &Entry,
    ) {
        let mutability = |target: &Target| target.resolve(kind).map(|reference| reference.leaf().mutability);
        let writable = || lines.iter().filter(|mapped| !mapped.broken && mapped.line.shape.is_writable());
        if update.is_empty() {
            let lost = writable()
                .filter(|mapped| !matches!(mutability(&mapped.line.target), Some(Mutability::ReadOnly | Mutability::Immutable)));
            let names: Vec<String> = lost.map(|mapped| format!("`{}`", mapped.name)).collect();
            if let Some(first) = names.first() {
                let and = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
                self.error(
                    Code::NotCarried,
                    entry.key_span,
                    format!("{first}{and} can be written, but there is no `update` call"),
                    "describe `update`, or say on the lines what the backend takes: `mutability: immutable` if only `create` does, else `readOnly`",
                );
                return;
            }
        }
        for mapped in writable() {
            let target = &mapped.line.target;
            // What a call is for in particular is not part of the rest.
            let particular = |update: &&Update| match &update.carries {
                Carries::Rest => false,
                Carries::Attributes(targets) => targets.iter().any(|carried| carried.same_top(target)),
                Carries::Transition(changed, _) => changed == target,
            };
            let by_update = match update.iter().find(particular) {
                Some(Update { carries: Carries::Transition(..), .. }) => true,
                Some(own) => own.send == Send::Each || own.call.carries(&mapped.line),
                None => update.iter().any(|update| {
                    matches!(update.carries, Carries::Rest) && (update.send == Send::Each || update.call.carries(&mapped.line))
                }),
            };
            let by_create = create.is_none_or(|create| create.call.carries(&mapped.line));
            let missing = match mutability(target) {
                Some(Mutability::Immutable) if !by_create => "`create`",
                Some(Mutability::ReadOnly | Mutability::Immutable) => continue,
                _ if !by_update => "`update`",
                _ => {
                    self.both_ways(mapped, kind, update);
                    continue;
                }
            };
            self.error(
                Code::NotCarried,
                mapped.span,
                format!("`{}` can be written, but no {missing} call carries it", mapped.name),
                "put it into a body, or say that the backend does not take it: `mutability: readOnly`, or `immutable` if only `create` does",
            );
        }
    }

    /// Warns of a boolean that has a call for one of its values only.
    fn both_ways(&mut self, mapped: &MappedLine, kind: &ResourceType, update: &[Update]) {
        let target = &mapped.line.target;
        if target.resolve(kind).is_none_or(|reference| reference.leaf().kind != Type::Boolean) {
            return;
        }
        let changes: Vec<&Value> = update
            .iter()
            .filter_map(|update| match &update.carries {
                Carries::Transition(changed, value) if changed == target => Some(value),
                _ => None,
            })
            .collect();
        if let [Value::Bool(value)] = changes.as_slice() {
            let (name, other) = (&mapped.name, !value);
            self.report(
                Diagnostic::warning(
                    Code::NotCarried,
                    mapped.span,
                    format!("there is a call for `{name} eq {value}` but none for `{name} eq {other}`: that change is refused"),
                )
                .help(format!("describe it under `update`: `{{ when: {name} eq {other}, call: ... }}`")),
            );
        }
    }
}
