//! Answers about several members that tell what became of each.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::Error;
use super::fetch::unintelligible;
use super::membership::{Group, refused_or_unexpected};
use crate::mapping::convert::text;
use crate::mapping::model::MemberCall;
use crate::translate::outcome::{self, Outcome};
use crate::translate::read::id_of;

/// Who of the members is unknown, by a good answer. All results are looked at before one of them is an error, so that what
/// was changed is counted.
pub(super) fn judge(group: &Group<'_>, call: &MemberCall, members: &[Value], body: &Value) -> Result<Vec<Value>, Error> {
    let Some(results) = &call.results else {
        group.changed.fetch_add(members.len(), Ordering::Relaxed);
        return Ok(Vec::new());
    };
    let rows = results.call.envelope.first(body).map(|payload| results.items.all(payload)).unwrap_or_default();
    let row_of = |place: usize, member: &Value| match &results.key {
        Some(path) => {
            let is_of = |row: &&&Value| path.first(row).is_some_and(|key| id_of(group.of, key) == id_of(group.of, member));
            rows.iter().find(is_of).copied()
        }
        None if rows.len() == members.len() => rows.get(place).copied(),
        None => None,
    };
    let (mut unknown, mut error) = (Vec::new(), None);
    for (place, member) in members.iter().enumerate() {
        let outcome = row_of(place, member).and_then(|row| {
            let status = match &results.status {
                Some(path) => path.first(row).and_then(|status| text(status).parse().ok())?,
                None => 200,
            };
            Some(outcome::classify_result(&results.call, status, row))
        });
        match outcome {
            Some(Outcome::Good(_)) => drop(group.changed.fetch_add(1, Ordering::Relaxed)),
            Some(Outcome::Done) => {}
            Some(Outcome::NotFound | Outcome::UnknownMembers(_)) => unknown.push(member.clone()),
            Some(Outcome::Fault(fault)) => error = error.or(Some(fault.into())),
            Some(other) => error = error.or(Some(refused_or_unexpected(&call.call, other))),
            None => {
                let detail = "the answer does not tell what became of each member: see `results`";
                error = error.or(Some(unintelligible(&call.call, detail)));
            }
        }
    }
    error.map_or(Ok(unknown), Err)
}
