//! How the members of a group change: by which calls, how many, and what is read before.

use serde_json::{Value, json};

use super::calls::{self, AS_IT_IS, At, Effect, Known, WriteCall};
use super::write::{Seen, Subject, Writer};
use crate::mapping::model::{Call, Inline, MemberCall, Membership, Send, UnknownMember};
use crate::mapping::template::{Root, Scope};
use crate::scim::ScimError;
use crate::translate::change;
use crate::translate::create::member_element;
use crate::translate::read::id_of;
use crate::translate::relation::{self, MemberChange, Way, needs_group};
use crate::translate::write::key_of;

/// How many members a text names before it counts the others.
const NAMED: usize = 5;

impl Writer<'_> {
    /// The calls of a change of members. `more` says that others go, too, whom the list of members tells; `is_read` that the
    /// group has been read. Gives what is known of the group afterwards.
    pub(super) fn members(
        &mut self,
        subject: &Subject,
        change: &MemberChange,
        more: bool,
        is_read: bool,
    ) -> Result<Seen, ScimError> {
        let Some(members) = &self.resource().members else { return Ok(Seen::Not) };
        if change.is_empty() && !more {
            return Ok(Seen::Not);
        }
        let (keys, strangers) = self.keys(members, &change.add);
        if !strangers.is_empty() && (members.unknown == UnknownMember::Refuse || keys.is_empty()) {
            return Err(relation::unknown(&strangers));
        }
        if !change.add.is_empty() {
            self.note(
                "unknown",
                match members.unknown {
                    UnknownMember::Skip => {
                        "members that the backend does not know are skipped; if it knows none of them: 400 invalidValue"
                    }
                    UnknownMember::Refuse => "a member that the backend does not know is 400 invalidValue",
                },
            );
        }
        match relation::way(members, change)? {
            Way::Each { add, remove } => self.each(subject, (add, remove), change, &keys, more, is_read),
            Way::Whole(set) => self.whole(subject, set, change, &keys, is_read),
            Way::Member(inline) => self.in_members(subject, inline, change, &keys, more, is_read),
        }
    }

    fn each(
        &mut self,
        subject: &Subject,
        (add, remove): (&MemberCall, &MemberCall),
        change: &MemberChange,
        keys: &[Value],
        more: bool,
        is_read: bool,
    ) -> Result<Seen, ScimError> {
        let Some(members) = &self.resource().members else { return Ok(Seen::Not) };
        let removes = more || change.replace || !change.remove.is_empty();
        // Removals that a filter tells are like any others, once they are known.
        let rows = relation::needs_rows(members, Some(remove), change)
            || more && (remove.call.uses_any(&[Root::Membership]) || members.pinned.is_some());
        if rows {
            match members.list.call() {
                Some(list) => self.list(list, subject)?,
                None => self.read(subject, None)?,
            }
            self.note(
                "members",
                if change.replace {
                    "all members are replaced, so those who are members are read first: only who comes and who goes is called for"
                } else {
                    "those who are members are read first, as a removal needs their rows"
                },
            );
        }
        let mut record = is_read;
        let needs = !change.add.is_empty() && needs_group(&add.call) || removes && needs_group(&remove.call);
        if needs && !is_read {
            // Additions are held against the rows only where all members are replaced.
            let adds = !change.add.is_empty() && !change.replace && needs_group(&add.call);
            let named = !change.remove.is_empty() && !remove.call.uses_any(&[Root::Membership]) && needs_group(&remove.call);
            self.read(subject, (!adds && !named).then(|| "if somebody comes or goes".to_owned()))?;
            record = true;
        }
        if !keys.is_empty() {
            let when = change.replace.then(|| "for those who are no members yet".to_owned());
            self.member_calls(subject, add, keys, when, record)?;
        }
        let (gone, _) = self.keys(members, &change.remove);
        if change.replace || more {
            let when =
                if change.replace { "for those who are members and not wanted" } else { "for those whom the filter matches" };
            self.member_calls(subject, remove, &[], Some(when.to_owned()), record)?;
        }
        if !gone.is_empty() {
            let asks = remove.call.uses_any(&[Root::Membership]) || members.pinned.is_some();
            self.member_calls(subject, remove, &gone, asks.then(|| "for those who are members".to_owned()), record)?;
        }
        if members.pinned.is_some() && removes {
            self.note(
                "pinned",
                "who belongs to the group for good stays where all are replaced, and is 400 mutability where named",
            );
        }
        Ok(Seen::Not)
    }

    /// The calls for some members; with no keys, for members that are not known yet.
    fn member_calls(
        &mut self,
        subject: &Subject,
        call: &MemberCall,
        keys: &[Value],
        when: Option<String>,
        record: bool,
    ) -> Result<(), ScimError> {
        let explainer = self.explainer;
        let members = explainer.resource.members.as_ref().and_then(|members| explainer.mapping.resources.get(members.of));
        if let Some(of) = members.filter(|_| call.call.uses_any(&[Root::MemberRecord])) {
            let member = super::Explainer { resource: of, ..explainer };
            let key = match keys {
                [one] => one.clone(),
                _ => Value::from("KEY"),
            };
            let get = member.key_call(&key).map(|get| WriteCall {
                effect: Effect::Reads,
                name: get.name,
                method: get.method,
                target: get.target,
                conditions: Vec::new(),
                body: None,
                document: None,
                when: when.clone(),
                repeated: Some("for each member".to_owned()),
                undo: None,
            });
            self.plan.calls.extend(get);
        }
        let several = call.batch > 1;
        let first: Vec<Value> = keys.iter().take(call.batch).cloned().collect();
        let batch = json!(first);
        let one = if several { first.first() } else { keys.first().filter(|_| keys.len() == 1) };
        let is_list = several && !keys.is_empty() && !(when.is_some() && keys.len() > call.batch);
        let scope = Scope { members: is_list.then_some(&batch), member: one, ..subject.scope() };
        let known = Known::These(Vec::new());
        let explained = calls::written(&call.call, &At { scope, known: &known, record }, None)?;
        let side_by_side = self.explainer.mapping.backend.concurrency;
        let alone = call.call.uses_any(&[Root::Record, Root::Version]);
        let pace = if alone || side_by_side < 2 { String::new() } else { format!("; {side_by_side} side by side") };
        let repeated = match (several, keys.len()) {
            (true, 0) => Some(format!("for each {} of them", call.batch)),
            (true, count) if count > call.batch => {
                let calls = count.div_ceil(call.batch);
                let most = if when.is_some() { " at the most" } else { "" };
                Some(format!("{calls} times{most}, for {count} members, {} at once", call.batch))
            }
            (true, _) | (false, 1) => None,
            (false, 0) => Some(format!("a call each{pace}")),
            (false, _) => Some(format!("for each of {}{pace}", named(keys))),
        };
        self.plan.calls.push(WriteCall { when, repeated, ..explained });
        if call.results.is_some() {
            self.note("results", "the answer tells of each member whether it is known, and what became of it");
        }
        Ok(())
    }

    /// The writes of those whose own records have their groups.
    fn in_members(
        &mut self,
        subject: &Subject,
        inline: &Inline,
        change: &MemberChange,
        keys: &[Value],
        more: bool,
        is_read: bool,
    ) -> Result<Seen, ScimError> {
        let explainer = self.explainer;
        let Some(members) = &explainer.resource.members else { return Ok(Seen::Not) };
        if !is_read {
            self.read(subject, None)?;
        }
        if relation::needs_rows(members, None, change) || more && members.pinned.is_some() {
            match members.list.call() {
                Some(list) => self.list(list, subject)?,
                None => self.read(subject, None)?,
            }
        }
        let (gone, _) = self.keys(members, &change.remove);
        if !keys.is_empty() {
            self.member_record(subject, inline, keys, ("if it is no member yet", "with"))?;
        }
        if change.replace || more {
            let when =
                if change.replace { "for those who are members and not wanted" } else { "for those whom the filter matches" };
            self.member_record(subject, inline, &[], (when, "without"))?;
        }
        if !gone.is_empty() {
            self.member_record(subject, inline, &gone, ("if it is a member", "without"))?;
        }
        Ok(Seen::Not)
    }

    fn member_record(
        &mut self,
        subject: &Subject,
        inline: &Inline,
        keys: &[Value],
        (when, with): (&str, &str),
    ) -> Result<(), ScimError> {
        let explainer = self.explainer;
        let of = explainer.resource.members.as_ref().and_then(|members| explainer.mapping.resources.get(members.of));
        let Some((of, update)) = of.and_then(|of| Some((of, change::rest(of)?))) else {
            return Err(ScimError::status(500, "members: no call writes the record of a member"));
        };
        let (several, key) = match keys {
            [one] => (None, one.clone()),
            [] => (Some("for each of them".to_owned()), Value::from("KEY")),
            more => (Some(format!("for each of {}", named(more))), Value::from("KEY")),
        };
        let mut body = json!({});
        if update.send == Send::Full {
            for line in of.lines.iter().filter(|line| change::is_rest(of, line)) {
                if let Some(place) = line.shape.place() {
                    place.put(&mut body, Value::from(AS_IT_IS));
                }
            }
        }
        if let Some((place, _)) = &inline.write {
            let group = crate::mapping::convert::text(&subject.key);
            place.put(&mut body, Value::from(format!("(as it is, {with} {group})")));
        }
        let id = id_of(of, &key).map_or_else(|| key.clone(), Value::from);
        let scope = Scope { key: Some(&key), id: Some(&id), ..Scope::default() };
        let known = Known::These(Vec::new());
        if let Some(get) = &of.get {
            let read = calls::read(&get.call, &At { scope, known: &Known::All, record: false })?;
            self.plan.calls.push(WriteCall { repeated: several.clone(), ..read });
        }
        let call = calls::written(&update.call, &At { scope, known: &known, record: true }, Some(&body))?;
        self.plan.calls.push(WriteCall { when: Some(when.to_owned()), repeated: several, ..call });
        if update.needs_record() {
            self.note("stale", "if the backend has another revision of the member by then, it is read again; then 409");
        }
        Ok(())
    }

    fn whole(
        &mut self,
        subject: &Subject,
        set: Option<&Call>,
        change: &MemberChange,
        keys: &[Value],
        is_read: bool,
    ) -> Result<Seen, ScimError> {
        let resource = self.resource();
        let Some(members) = &resource.members else { return Ok(Seen::Not) };
        let is_blind = relation::sets_blindly(members, change, set);
        let mut record = is_read;
        if !is_blind {
            if relation::lists_with_group(members) && !is_read {
                self.read(subject, None)?;
                record = true;
            }
            if let Some(list) = members.list.call() {
                self.list(list, subject)?;
            }
            self.note("members", "those who are members are read first: the call holds all of them");
        }
        // Who stays is told by the list, who is all there will be by the request.
        let exact = change.replace && members.pinned.is_none();
        let (gone, _) = self.keys(members, &change.remove);
        let stay = || {
            let without = if gone.is_empty() { String::new() } else { format!(", without {}", named(&gone)) };
            let with = if keys.is_empty() { String::new() } else { format!(", with {}", named(keys)) };
            let those = if change.replace { "(those who cannot be removed" } else { "(those who are members" };
            Value::from(format!("{those}{without}{with})"))
        };
        let when = (!is_blind).then(|| "if the members differ".to_owned());
        let known = Known::These(Vec::new());
        if let Some(set) = set {
            let list = if exact { json!(keys) } else { stay() };
            let scope = Scope { members: Some(&list), ..subject.scope() };
            let call = calls::written(set, &At { scope, known: &known, record }, None)?;
            self.plan.calls.push(WriteCall { when, ..call });
            return Ok(if is_blind { Seen::Not } else { Seen::Unless("if the members were set".to_owned()) });
        }
        let missing = || ScimError::status(500, "members: no call writes the record");
        let update = change::rest(resource).ok_or_else(missing)?;
        let place = members.list.inline().and_then(|inline| inline.write.as_ref()).map(|(place, _)| place);
        let mut body = json!({});
        for line in resource.lines.iter().filter(|line| update.send == Send::Full && change::is_rest(resource, line)) {
            if let Some(place) = line.shape.place() {
                place.put(&mut body, Value::from(AS_IT_IS));
            }
        }
        let elements = || {
            let ids = change.add.iter();
            ids.filter_map(|id| member_element(self.explainer.mapping, resource, id)).collect::<Value>()
        };
        if let Some(place) = place {
            place.put(&mut body, if exact { elements() } else { stay() });
        }
        let call = calls::written(&update.call, &At { scope: subject.scope(), known: &known, record }, Some(&body))?;
        self.plan.calls.push(WriteCall { when, ..call });
        if update.needs_record() {
            self.note("stale", "if the backend has another revision by then, the group is read again; then 409");
        }
        let when = if update.read_back { "if the members were changed" } else { "if the answer is not the whole record" };
        Ok(Seen::Unless(when.to_owned()))
    }

    /// The keys of members, and the ids that none can have.
    fn keys(&self, members: &Membership, ids: &[String]) -> (Vec<Value>, Vec<String>) {
        let (mut keys, mut strangers) = (Vec::new(), Vec::new());
        let Some(of) = self.explainer.mapping.resources.get(members.of) else { return (keys, strangers) };
        for id in ids {
            match key_of(of, id) {
                Some(key) => keys.push(key),
                None => strangers.push(id.clone()),
            }
        }
        (keys, strangers)
    }
}

fn named(keys: &[Value]) -> String {
    let names: Vec<String> = keys.iter().take(NAMED).map(crate::mapping::convert::text).collect();
    match keys.len().saturating_sub(names.len()) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
