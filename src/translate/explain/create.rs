//! POST: the calls around the one that creates, its body, what comes after, and what becomes of a name that is taken.

use std::convert::Infallible;

use serde_json::{Value, json};

use super::Explainer;
use super::calls::{self, AS_SENT, At, Effect, Known, MADE_UP, WriteCall, is_secret, shown};
use super::change::{Touched, Wish};
use super::write::{Seen, Subject, WriteExplanation, Writer};
use crate::mapping::model::{Conflict, Create, Delete, Target, UnknownMember};
use crate::mapping::template::Scope;
use crate::scim::messages::SearchRequest;
use crate::scim::resource::{Intent, read};
use crate::scim::{Object, ScimError};
use crate::translate::relation::{self, MemberChange};
use crate::translate::write::{key_of, value_of};
use crate::translate::{change, create};

impl Explainer<'_> {
    /// POST of a resource.
    pub fn create(&self, sent: Value, names: &SearchRequest) -> Result<WriteExplanation, ScimError> {
        let resource = self.resource;
        let Some(create) = &resource.create else {
            return Err(ScimError::status(501, format!("{} resources cannot be created here.", resource.kind.name)));
        };
        let projection = self.projection(names)?;
        let mut incoming = read(sent, &resource.kind, Intent::Create, self.profile)?;
        let members = resource.members.as_ref().and_then(|_| incoming.resource.remove("members"));
        let sent = incoming.resource;
        let mut desired = sent.clone();
        match create::fill_in::<Infallible>(resource, &mut desired, |_| Ok(MADE_UP.to_owned())) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let mut writer = Writer::new(*self);
        writer.names(resource.lines.iter().filter(|line| value_of(&desired, &line.target).is_some()));
        writer.conflict(create, &desired)?;
        let looked = writer.plan.calls.len();
        let ids: Vec<String> = relation::ids(members.as_ref()).collect();
        writer.creation(create, &sent, &desired, &ids)?;
        let subject = Subject::new();
        writer.completion(&desired, &subject)?;
        let mut seen = Seen::Now;
        if members.is_some() && !create::carries_members(resource, create) {
            let change = MemberChange { replace: false, ..relation::replaced(members.as_ref()) };
            if !change.is_empty() {
                seen = writer.members(&subject, &change, false, true)?;
            }
        }
        writer.created_fails(create);
        writer.answer(&subject, seen, &projection)?;
        if looked > 0 {
            for call in writer.plan.calls.iter_mut().skip(looked).filter(|call| call.when.is_none()) {
                call.when = Some("if there is no other".to_owned());
            }
        }
        Ok(writer.plan)
    }
}

impl<'m> Writer<'m> {
    /// What becomes of a name that is taken.
    fn conflict(&mut self, create: &Create, desired: &Object) -> Result<(), ScimError> {
        let Some(conflict) = &create.conflict else {
            self.note("conflict", "what the backend says is taken is 409 uniqueness");
            return Ok(());
        };
        let by = &conflict.by;
        let Some(value) = value_of(desired, by) else {
            self.note("conflict", format!("{by} has no value: nothing is looked for"));
            return Ok(());
        };
        let look = SearchRequest {
            filter: Some(format!("{by} eq {value}")),
            count: Some(2),
            attributes: vec!["id".to_owned()],
            ..SearchRequest::default()
        };
        let calls = self.explainer.list(&look)?.calls;
        if conflict.look_first {
            self.plan.calls.extend(calls.into_iter().map(|call| WriteCall {
                effect: Effect::Reads,
                name: call.name,
                method: call.method,
                target: call.target,
                conditions: Vec::new(),
                body: None,
                document: None,
                when: None,
                repeated: call.repeated,
                undo: None,
            }));
            self.note("conflict", format!("another with the same {by} is looked for first; {}", adoption(conflict)));
        } else if conflict.adopt.is_some() {
            let looks: Vec<String> = calls.iter().map(|call| format!("{} {}", call.method, call.target)).collect();
            let looks = looks.join(" and ");
            let text = format!(
                "if the backend says that a value is taken, the other is looked for by {by} ({looks}); {}",
                adoption(conflict)
            );
            self.note("conflict", text);
        } else {
            self.note("conflict", "what the backend says is taken is 409 uniqueness");
        }
        Ok(())
    }

    /// The call that creates, with those around it.
    fn creation(&mut self, create: &Create, sent: &Object, desired: &Object, ids: &[String]) -> Result<(), ScimError> {
        let (mapping, resource) = (self.explainer.mapping, self.resource());
        let shown = shown(resource, desired);
        let known = Known::All;
        let scope = Scope { resource: Some(&shown), ..Scope::default() };
        let at = At { scope, known: &known, record: false };
        self.plan.calls.extend(calls::sides(&resource.kind, &create.around.before, &at)?);
        let mut record = create::record(mapping, &self.explainer.tables(), resource, create, desired, ids)?;
        for line in change::created(resource) {
            let made_up = value_of(sent, &line.target).is_none() && value_of(desired, &line.target) == Some(&json!(MADE_UP));
            let secret = value_of(sent, &line.target).is_some() && is_secret(&resource.kind, &line.target);
            let instead = if made_up { MADE_UP } else { AS_SENT };
            if let Some(place) = line.shape.place().filter(|_| made_up || secret) {
                place.put(&mut record, Value::from(instead));
            }
        }
        let of = resource.members.as_ref().and_then(|members| mapping.resources.get(members.of));
        let keys: Value = of.map(|of| ids.iter().filter_map(|id| key_of(of, id)).collect()).unwrap_or_default();
        let here = At { scope: Scope { members: Some(&keys), ..scope }, ..at };
        self.plan.calls.push(calls::written(&create.call, &here, Some(&record))?);
        if !ids.is_empty() && create::carries_members(resource, create) {
            let refuses = resource.members.as_ref().is_some_and(|members| members.unknown == UnknownMember::Refuse);
            self.note(
                "unknown",
                if refuses {
                    "a member that the backend does not know is 400 invalidValue"
                } else {
                    "members that the backend does not know are left out, and the call is made again; if it knows none of them: 400 invalidValue"
                },
            );
        }
        let subject = Subject::new();
        if create.read_back || create.key.is_some() {
            self.read(&subject, None)?;
        }
        if !create.around.after.is_empty() {
            let around = At { scope: Scope { resource: Some(&shown), ..subject.scope() }, record: true, ..at };
            self.plan.calls.extend(calls::sides(&resource.kind, &create.around.after, &around)?);
            self.read(&subject, None)?;
        }
        Ok(())
    }

    /// The changes that the call that creates could not carry.
    fn completion(&mut self, desired: &Object, subject: &Subject) -> Result<(), ScimError> {
        let resource = self.resource();
        let mut rest = Object::new();
        create::complete(resource, desired, &mut rest);
        let carried: Vec<&Target> = change::created(resource).map(|line| &line.target).collect();
        let lines = resource.lines.iter().filter(|line| {
            line.shape.is_writable()
                && change::is_written(resource, line)
                && !carried.contains(&&line.target)
                && value_of(&rest, &line.target).is_some()
        });
        let touched: Vec<Touched<'m>> = lines.map(|line| Touched::new(&self.explainer, line, true)).collect();
        let known = Known::These(touched.iter().map(|touched| touched.line.target.clone()).collect());
        self.change(Wish { desired: rest, touched, known, is_seen: true }, subject)
    }

    /// What becomes of a resource whose creation cannot be completed.
    fn created_fails(&mut self, create: &Create) {
        if self.plan.calls.last().is_some_and(|call| call.name == create.call.name) {
            return;
        }
        let what = "if something fails once the record is there,";
        match self.resource().delete.as_ref().filter(|_| create.undo) {
            Some(Delete::Calls(deletion)) => {
                let known = Known::These(Vec::new());
                let subject = Subject::new();
                let at = At { scope: subject.scope(), known: &known, record: true };
                let call = calls::written(&deletion.call, &at, None).map(|call| format!("{} {}", call.method, call.target));
                let call = call.unwrap_or_else(|_| deletion.call.name.clone());
                self.note("failure", format!("{what} it is deleted again ({call}); if it cannot be, the error names it"));
            }
            _ => self.note("failure", format!("{what} it stays, and the error names it")),
        }
    }
}

fn adoption(conflict: &Conflict) -> String {
    match &conflict.adopt {
        Some(condition) => format!(
            "one that matches {} is changed to what was sent, as by PUT, and answered with 201; any other is 409 uniqueness",
            condition.text()
        ),
        None => "one that is there is 409 uniqueness".to_owned(),
    }
}
