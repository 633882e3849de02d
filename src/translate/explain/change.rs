//! PUT, PATCH and DELETE: what is read before, the calls that carry what the request touches, and what happens if one fails.

use serde_json::Value;

use super::Explainer;
use super::calls::{self, AS_IT_IS, AS_SENT, At, CHANGED, Known, OTHERS, WriteCall, is_secret, shown};
use super::write::{Seen, Subject, WriteExplanation, Writer};
use crate::limits;
use crate::mapping::model::{Carries, Delete, Deletion, Line, Send, Target};
use crate::mapping::template::Scope;
use crate::scim::messages::SearchRequest;
use crate::scim::patch::{Op, Operation, PatchRequest};
use crate::scim::resource::{Incoming, Intent, read};
use crate::scim::schema::Type;
use crate::scim::{AttrRef, Mutability, Object, ScimError, ScimType};
use crate::translate::change::{self, Planned};
use crate::translate::merge::{is_kept, merged};
use crate::translate::read::put;
use crate::translate::relation;
use crate::translate::write::{self, Before, value_of};

/// How many attributes a condition names before it counts the others.
const NAMED: usize = 4;

/// What a request wants of a resource that is there, as far as that can be told without it.
pub(super) struct Wish<'m> {
    pub(super) desired: Object,
    pub(super) touched: Vec<Touched<'m>>,
    pub(super) known: Known,
    /// Whether what is there in the end is needed.
    pub(super) is_seen: bool,
}

/// A line whose value may change.
#[derive(Clone, Copy)]
pub(super) struct Touched<'m> {
    pub(super) line: &'m Line,
    /// What is shown in the place of its value.
    pub(super) shown: Option<&'static str>,
    /// Whether it changes whatever is there: it cannot be compared.
    pub(super) certain: bool,
}

impl Explainer<'_> {
    /// PATCH.
    pub fn patch(&self, id: &str, sent: Value, names: &SearchRequest) -> Result<WriteExplanation, ScimError> {
        change::check_changeable(self.resource)?;
        let projection = self.projection(names)?;
        let subject = Subject::of(self.resource, id)?;
        let request = PatchRequest::parse(sent, &self.resource.kind, self.profile)?;
        request.check_id(id)?;
        let members = self.resource.members.as_ref();
        let (on_members, rest) = request.split(|target| members.is_some() && target.attribute.name == "members");
        let mut writer = Writer::new(*self);
        let mut change = None;
        if let Some(members) = members.filter(|_| !on_members.is_empty()) {
            let found_by_filter = relation::needs_members(&on_members);
            if found_by_filter {
                match members.list.call() {
                    Some(list) => writer.list(list, &subject)?,
                    None => writer.read(&subject, None)?,
                }
                writer.note("members", "who goes is told by a filter, so those who are members are read first");
            }
            change = Some((relation::fold(&on_members, &[])?, found_by_filter));
        }
        let mut seen = Seen::Not;
        let blind = if change.is_none() { change::blind(self.resource, &rest) } else { None };
        if let Some((desired, step)) = blind {
            writer.note("blind", "nothing is read before: one call carries all that the request says");
            writer.names(step.changed.iter().copied());
            let touched: Vec<_> = step.changed.iter().map(|line| Touched::new(self, line, true)).collect();
            let known = Known::These(touched.iter().map(|touched| touched.line.target.clone()).collect());
            let wish = Wish { desired, touched, known, is_seen: true };
            writer.steps(&[step], &wish, &subject, false)?;
            seen = Seen::Now;
        } else if !rest.operations().is_empty() {
            writer.read(&subject, None)?;
            writer.names(&self.resource.lines);
            let wish = writer.patched(&rest)?;
            writer.immutable(&wish);
            writer.change(wish, &subject)?;
            seen = Seen::Now;
        }
        let (mut is_there, mut nobody) = (matches!(seen, Seen::Now), false);
        if let Some((change, more)) = change {
            let is_read = matches!(seen, Seen::Now);
            if is_read {
                writer.members_fail_after_others();
            }
            nobody = more && change.is_empty();
            is_there |= !change.is_empty();
            seen = writer.members(&subject, &change, more, is_read)?;
        }
        let answers = members.is_none() || !self.profile.patch_group_no_content || !projection.is_default();
        if answers {
            writer.answer(&subject, seen, &projection)?;
        } else {
            if !is_there {
                writer.read(&subject, nobody.then(|| "if the filter matches nobody".to_owned()))?;
            }
            writer.note("answer", "204 without a body");
        }
        Ok(writer.plan)
    }

    /// PUT.
    pub fn replace(&self, id: &str, sent: Value, names: &SearchRequest) -> Result<WriteExplanation, ScimError> {
        change::check_changeable(self.resource)?;
        let projection = self.projection(names)?;
        let subject = Subject::of(self.resource, id)?;
        let mut incoming = read(sent, &self.resource.kind, Intent::Replace, self.profile)?;
        let members = self.resource.members.as_ref().filter(|members| members.change.is_possible());
        let members = members.map(|_| incoming.resource.remove("members"));
        let mut writer = Writer::new(*self);
        writer.read(&subject, None)?;
        writer.names(&self.resource.lines);
        let wish = writer.replaced(&incoming)?;
        writer.immutable(&wish);
        writer.change(wish, &subject)?;
        let mut seen = Seen::Now;
        if let Some(members) = &members {
            writer.members_fail_after_others();
            seen = writer.members(&subject, &relation::replaced(members.as_ref()), false, true)?;
        }
        writer.answer(&subject, seen, &projection)?;
        Ok(writer.plan)
    }

    /// DELETE.
    pub fn delete(&self, id: &str) -> Result<WriteExplanation, ScimError> {
        let subject = Subject::of(self.resource, id)?;
        let mut writer = Writer::new(*self);
        match &self.resource.delete {
            Some(Delete::Calls(deletion)) => {
                let is_read = deletion.needs_record() || self.resource.gone.is_some();
                if is_read {
                    writer.read(&subject, None)?;
                }
                writer.deletion(deletion, &subject, is_read)?;
            }
            Some(Delete::Change(target, value)) => {
                writer.read(&subject, None)?;
                writer.note("delete", format!("nothing is deleted: {target} becomes {value} instead"));
                let mut desired = Object::new();
                put(&mut desired, target, value.clone(), None);
                let lines = self.resource.lines.iter().filter(|line| line.target == *target && line.shape.is_writable());
                let touched = lines.map(|line| Touched::new(self, line, true)).collect();
                let wish = Wish { desired, touched, known: Known::These(vec![target.clone()]), is_seen: false };
                writer.change(wish, &subject)?;
            }
            Some(Delete::Refuse(reason)) => return Err(ScimError::status(403, reason.clone())),
            None => {
                return Err(ScimError::status(501, format!("{} resources cannot be deleted here.", self.resource.kind.name)));
            }
        }
        writer.note("answer", "204 without a body");
        Ok(writer.plan)
    }
}

impl<'m> Writer<'m> {
    /// What a PATCH wants.
    fn patched(&self, request: &PatchRequest<'m>) -> Result<Wish<'m>, ScimError> {
        let resource = self.resource();
        let open: Vec<AttrRef<'_>> =
            request.operations().iter().filter(|operation| operation.needs_current()).map(|operation| operation.target).collect();
        let is_open = |target: &AttrRef<'_>| open.iter().any(|other| other.same_attribute(target));
        let (_, plain) = request.clone().split(is_open);
        // What is required is there: taking it away is refused, as it is when the record is at hand.
        let required = |attribute: &AttrRef<'_>| {
            attribute.attribute.required && !attribute.attribute.multi_valued && attribute.attribute.kind == Type::String
        };
        let mut desired = Object::new();
        for attribute in resource.kind.attributes().filter(required) {
            attribute.set(&mut desired, Value::from(AS_IT_IS));
        }
        plain.apply(&mut desired)?;
        let mut touched = Vec::new();
        for line in self.writable() {
            if request.operations().iter().any(|operation| concerns(operation, line)) {
                let depends = open.iter().any(|attribute| line.target.same_attribute(attribute));
                let has_value = depends || value_of(&desired, &line.target).is_some();
                if line.shape.is_readable() || has_value {
                    let touch = Touched::new(&self.explainer, line, has_value);
                    touched.push(if depends { Touched { shown: Some(CHANGED), ..touch } } else { touch });
                }
            }
        }
        let settled = touched.iter().filter(|touched| touched.shown != Some(CHANGED));
        let known = Known::These(settled.map(|touched| touched.line.target.clone()).collect());
        Ok(Wish { desired, touched, known, is_seen: true })
    }

    /// What a PUT wants.
    fn replaced(&self, incoming: &Incoming<'_>) -> Result<Wish<'m>, ScimError> {
        let (resource, profile) = (self.resource(), self.explainer.profile);
        let desired = merged(resource, profile, incoming, &Object::new())?;
        let kept = |attribute: &AttrRef<'_>| is_kept(resource, profile, incoming, attribute);
        let mut touched = Vec::new();
        for line in self.writable() {
            let Some(reference) = line.target.resolve(&resource.kind) else { continue };
            let has_value = value_of(&desired, &line.target).is_some();
            if !kept(&reference) && (line.shape.is_readable() || has_value) {
                touched.push(Touched::new(&self.explainer, line, has_value));
            }
        }
        let known = resource.kind.attributes().filter(|attribute| !kept(attribute));
        let known = Known::These(known.map(|attribute| Target::of(&attribute)).collect());
        Ok(Wish { desired, touched, known, is_seen: true })
    }

    /// Says which attributes can be given a value, but not another one.
    fn immutable(&mut self, wish: &Wish<'_>) {
        let kind = &self.resource().kind;
        let is_immutable = |line: &Line| {
            line.target.resolve(kind).is_some_and(|reference| {
                [reference.attribute, reference.leaf()].iter().any(|attribute| attribute.mutability == Mutability::Immutable)
            })
        };
        let lines = wish.touched.iter().map(|touched| touched.line).filter(|line| is_immutable(line));
        let names: Vec<String> = lines.map(|line| line.target.to_string()).collect();
        if !names.is_empty() {
            self.note(
                "immutable",
                format!("400 mutability, before anything is changed, if there is another value: {}", names.join(", ")),
            );
        }
    }

    fn writable(&self) -> impl Iterator<Item = &'m Line> {
        let resource = self.resource();
        resource.lines.iter().filter(|line| line.shape.is_writable() && change::is_written(resource, line))
    }

    /// The calls from what the resource is, which has been read, to what is wanted.
    pub(super) fn change(&mut self, mut wish: Wish<'m>, subject: &Subject) -> Result<(), ScimError> {
        let resource = self.resource();
        let mut carried = Vec::with_capacity(wish.touched.len());
        for touched in wish.touched {
            match change::updates(resource, &[touched.line], &wish.desired) {
                Ok(_) => carried.push(touched),
                Err(error) if touched.certain => return Err(error),
                Err(error) => self.note(
                    "refused",
                    format!("{} {} if it differs, before anything is changed: {}", error.status, name_of(&error), error.detail),
                ),
            }
        }
        wish.touched = carried;
        let lines: Vec<&Line> = wish.touched.iter().map(|touched| touched.line).collect();
        let planned = change::updates(resource, &lines, &wish.desired)?;
        self.steps(&planned, &wish, subject, true)?;
        if planned.iter().any(|step| step.update.send == Send::Changed && step.lines.len() > 1) {
            self.note("body", "of the fields shown, only those are sent that differ from the record");
        }
        if planned.iter().any(Planned::needs_record) {
            self.note(
                "stale",
                format!(
                    "if the backend has another revision by then, the resource is read and the change planned again, up to {} \
                     times; then 409",
                    limits::REPLANS
                ),
            );
        }
        if planned.len() > 1 {
            self.failure("a later call fails, what the earlier ones changed is changed back", &wish.touched);
        }
        Ok(())
    }

    fn failure(&mut self, what: &str, touched: &[Touched<'_>]) {
        let lost: Vec<String> = touched
            .iter()
            .filter(|touched| !touched.line.shape.is_readable())
            .map(|touched| touched.line.target.to_string())
            .collect();
        let lost = if lost.is_empty() { String::new() } else { format!(", but for {}, which cannot be read", lost.join(", ")) };
        self.note("failure", format!("if {what}{lost}; what cannot be is named in the error"));
    }

    /// Says that what was changed before the members is changed back if they cannot be changed.
    pub(super) fn members_fail_after_others(&mut self) {
        if self.plan.calls.iter().any(|call| call.effect == calls::Effect::Writes) {
            self.note(
                "failure",
                "if the members cannot be changed, what was changed before is changed back; what cannot be is named in the error",
            );
        }
    }

    /// The calls of a change, and what is read after them.
    pub(super) fn steps(
        &mut self,
        planned: &[Planned<'m>],
        wish: &Wish<'m>,
        subject: &Subject,
        record: bool,
    ) -> Result<(), ScimError> {
        let kind = &self.resource().kind;
        let desired = shown(self.resource(), &wish.desired);
        let mut any_certain = false;
        for (index, step) in planned.iter().enumerate() {
            let update = step.update;
            let mine: Vec<&Touched<'_>> = wish.touched.iter().filter(|touched| step.makes(touched.line)).collect();
            let certain = !record || mine.iter().any(|touched| touched.certain);
            any_certain |= certain;
            let when = (!certain).then(|| differs(&mine));
            let scope = Scope { resource: Some(&desired), ..subject.scope() };
            let at = At { scope, known: &wish.known, record };
            let under = |call: WriteCall| match (&when, &call.when) {
                (Some(when), Some(more)) => WriteCall { when: Some(format!("{when}, {more}")), ..call },
                (Some(when), None) => WriteCall { when: Some(when.clone()), ..call },
                (None, _) => call,
            };
            self.plan.calls.extend(calls::sides(kind, &update.around.before, &at)?.into_iter().map(under));
            let body = self.step_body(step, wish)?;
            let place = step.lines.first().and_then(|line| line.shape.place()).filter(|_| update.send == Send::Each);
            let field = place.map(|place| Value::from(place.field()));
            let value = place.zip(body.as_ref()).and_then(|(place, body)| place.get(body));
            let here = At { scope: Scope { field: field.as_ref(), value, ..scope }, ..at };
            self.plan.calls.push(under(calls::written(&update.call, &here, body.as_ref())?));
            self.plan.calls.extend(calls::sides(kind, &update.around.after, &at)?.into_iter().map(under));
            if update.destroys {
                self.note("destroys", "the change destroys the record: the answer shows it a last time");
            }
            let followed = planned.iter().skip(index + 1).any(Planned::needs_record);
            if followed && (update.read_back || !update.around.after.is_empty()) {
                self.read(subject, Some("if another of these calls follows".to_owned()))?;
            }
        }
        let forced = planned.iter().all(|step| step.update.read_back || !step.update.around.after.is_empty());
        let when = match (forced, any_certain) {
            _ if planned.is_empty() || !wish.is_seen => return Ok(()),
            (true, true) => None,
            (true, false) => Some("if a call was made"),
            (false, true) => Some("if the last answer is not the whole record"),
            (false, false) => Some("if a call was made whose answer is not the whole record"),
        };
        self.read(subject, when.map(str::to_owned))
    }

    /// What the attribute map writes for a call, with what only the record has as a placeholder.
    fn step_body(&self, step: &Planned<'m>, wish: &Wish<'m>) -> Result<Option<Value>, ScimError> {
        let update = step.update;
        if !update.call.holds_fields() && update.send != Send::Each {
            return Ok(None);
        }
        let find = |line: &Line| wish.touched.iter().find(|touched| touched.line.target == line.target);
        let settled: Vec<&Line> = step
            .changed
            .iter()
            .filter(|line| find(line).is_some_and(|touched| touched.shown != Some(CHANGED)))
            .copied()
            .collect();
        let before = Before { record: &Value::Null, changed: &settled, restore: None };
        let lines = step.lines.iter().copied();
        let mut body = write::body(self.explainer.mapping, &self.explainer.tables(), lines, &wish.desired, Some(before))?;
        for line in &step.lines {
            let instead = match find(line) {
                Some(touched) => touched.shown,
                None => Some(AS_IT_IS),
            };
            if let (Some(place), Some(instead)) = (line.shape.place(), instead) {
                place.put(&mut body, Value::from(instead));
            }
        }
        for place in step.lines.iter().filter_map(|line| line.shape.place()) {
            place.remark(&mut body, OTHERS);
        }
        let is_whole = update.send == Send::Full && matches!(update.carries, Carries::Rest);
        for place in self.explainer.mapping.arrays(self.resource()).filter(|_| is_whole) {
            place.put(&mut body, Value::from(AS_IT_IS));
        }
        Ok(Some(body))
    }

    /// The calls of a deletion.
    pub(super) fn deletion(&mut self, deletion: &Deletion, subject: &Subject, is_read: bool) -> Result<(), ScimError> {
        let kind = &self.resource().kind;
        let nothing = Object::new();
        let scope = Scope { resource: is_read.then_some(&nothing), ..subject.scope() };
        let known = if is_read { Known::These(Vec::new()) } else { Known::All };
        let at = At { scope, known: &known, record: is_read };
        let calls = &mut self.plan.calls;
        calls.extend(calls::sides(kind, &deletion.around.before, &at)?);
        calls.push(calls::written(&deletion.call, &at, None)?);
        calls.extend(calls::sides(kind, &deletion.around.after, &at)?);
        if !deletion.around.is_empty() {
            self.note(
                "failure",
                "if a call fails, those before it are taken back as far as the mapping says how; what remains is named in the error",
            );
        }
        Ok(())
    }
}

/// Whether an operation may change the value of a line.
fn concerns(operation: &Operation<'_>, line: &Line) -> bool {
    if !line.target.same_attribute(&operation.target) {
        return false;
    }
    let (Some(sub), false) = (&line.target.sub, operation.target.attribute.multi_valued) else { return true };
    match (&operation.target.sub, &operation.value) {
        (Some(named), _) => named.name == *sub,
        // What a complex value does not name stays.
        (None, Some(Value::Object(parts))) if operation.op != Op::Remove => parts.contains_key(sub),
        (None, _) => true,
    }
}

/// The condition that one of these differs from what is there.
fn differs(touched: &[&Touched<'_>]) -> String {
    let names: Vec<String> = touched.iter().take(NAMED).map(|touched| touched.line.target.to_string()).collect();
    match (names.as_slice(), touched.len().saturating_sub(names.len())) {
        ([one], 0) => format!("if {one} differs"),
        (several, 0) => format!("if one of these differs: {}", several.join(", ")),
        (several, more) => format!("if one of these differs: {} and {more} more", several.join(", ")),
    }
}

fn name_of(error: &ScimError) -> &'static str {
    error.scim_type.map(ScimType::as_str).unwrap_or_default()
}

// === impl Touched ===

impl<'m> Touched<'m> {
    pub(super) fn new(explainer: &Explainer<'_>, line: &'m Line, has_value: bool) -> Self {
        let secret = has_value && is_secret(&explainer.resource.kind, &line.target);
        Self { line, shown: secret.then_some(AS_SENT), certain: has_value && !line.shape.is_readable() }
    }
}
