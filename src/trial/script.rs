//! The backend of a test: it answers the calls that it was told of, and notes what came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue};

use super::seen::Call;
use super::{Failure, diff, paste};
use crate::engine::ports;
use crate::mapping::model::{Answered, Given, NoAnswer, Turn};
use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::{Fault, FaultClass};

/// The script of one request.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Headers that all calls have.
    shared: Arc<[(HeaderName, HeaderValue)]>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Slot>,
    came: Vec<Came>,
}

/// A call that must come.
#[derive(Debug)]
struct Slot {
    call: Answered,
    /// Calls of one turn may come in any order.
    turn: usize,
    /// Which of the calls took it.
    taken: Option<usize>,
}

/// A call that came.
#[derive(Debug)]
struct Came {
    call: Call,
    /// What answered it.
    slot: Option<usize>,
    /// Whether it was the turn of just this call.
    is_due: bool,
}

// === impl Script ===

impl Script {
    pub(super) fn new(shared: &[(HeaderName, HeaderValue)]) -> Self {
        Self { shared: shared.into(), state: Arc::default() }
    }

    /// Sets up the calls of the next request.
    pub(super) fn begin(&self, turns: &[Turn]) {
        let calls = turns
            .iter()
            .enumerate()
            .flat_map(|(turn, Turn(calls))| calls.iter().map(move |call| Slot { call: call.clone(), turn, taken: None }));
        *self.state() = State { slots: calls.collect(), came: Vec::new() };
    }

    /// The calls that came, and what was wrong with them.
    pub(super) fn end(&self) -> (Vec<Call>, Vec<Failure>) {
        let state = std::mem::take(&mut *self.state());
        let failures = state.failures();
        (state.came.into_iter().map(|came| came.call).collect(), failures)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ports::Backend for Script {
    async fn send(&self, sent: &HttpCall<'_>) -> Result<Answer, Fault> {
        let call = Call::of(sent, &self.shared);
        let fault =
            |class, detail: &str| Fault { class, call: sent.call.name.clone(), detail: detail.to_owned(), retry_after: None };
        match self.state().take(call) {
            Some(Given::Answer { status, headers, body }) => Ok(Answer { status, headers, body }),
            Some(Given::None(NoAnswer::Timeout)) => Err(fault(FaultClass::TimedOut, "the test says so")),
            Some(Given::None(NoAnswer::Refused)) => Err(fault(FaultClass::Unreachable, "the test says so")),
            Some(Given::None(NoAnswer::Cut)) => Err(fault(FaultClass::Broken, "the test says so")),
            // Nothing was sent, so that the gateway has nothing to take back.
            None => Err(fault(FaultClass::Unreachable, "the test has no answer for this call")),
        }
    }
}

// === impl State ===

impl State {
    /// Finds the answer for a call. One that comes out of its turn is answered, too: what follows is then told as it is.
    fn take(&mut self, mut call: Call) -> Option<Given> {
        let due = self.slots.iter().filter(|slot| slot.taken.is_none()).map(|slot| slot.turn).min();
        let free = || self.slots.iter().enumerate().filter(|(_, slot)| slot.taken.is_none());
        let is_due = |slot: &Slot| Some(slot.turn) == due;
        let same = |slot: &Slot| slot.call.method == call.method && slot.call.target.is(&call.target);
        let agrees = |slot: &Slot| same(slot) && diff::body(&slot.call.body, &call.body, &call.format).is_none();
        let alike = |slot: &Slot| slot.call.method == call.method && slot.call.target.path == call.target.path;
        let find = |fits: &dyn Fn(&Slot) -> bool| free().find(|(_, slot)| fits(slot)).map(|(index, _)| index);
        let found = find(&|slot| is_due(slot) && agrees(slot)).or_else(|| find(&|slot| is_due(slot) && same(slot)));
        let (slot, is_due) = match found {
            Some(found) => (Some(found), true),
            None => (find(&same).or_else(|| find(&|slot| is_due(slot) && alike(slot))), false),
        };
        let given = slot.and_then(|index| {
            let slot = self.slots.get_mut(index)?;
            slot.taken = Some(self.came.len());
            Some(slot.call.answer.clone())
        });
        if let Some(Given::Answer { status, headers, body }) = &given {
            call.answer = Some(Answer { status: *status, headers: headers.clone(), body: body.clone() });
        }
        self.came.push(Came { call, slot, is_due });
        given
    }

    fn failures(&self) -> Vec<Failure> {
        let mut failures: Vec<Failure> = self.order().into_iter().collect();
        for came in &self.came {
            let Some(wanted) = came.slot.and_then(|index| self.slots.get(index)).map(|slot| &slot.call) else { continue };
            if let Some(lines) = diff::body(&wanted.body, &came.call.body, &came.call.format) {
                failures.push(Failure::new(format!("`{}` has another body", wanted.line)).with_diff(lines));
            }
            for (name, expected) in &wanted.headers {
                failures.extend(header(&wanted.line, name, expected.as_deref(), came.call.header(name)));
            }
        }
        failures
    }

    /// Calls that did not come, came too much or out of their turn.
    fn order(&self) -> Option<Failure> {
        let missing: Vec<&Slot> = self.slots.iter().filter(|slot| slot.taken.is_none()).collect();
        let strange: Vec<&Call> = self.came.iter().filter(|came| came.slot.is_none()).map(|came| &came.call).collect();
        let message = match (strange.first(), missing.first()) {
            (Some(call), _) => format!("`{}` came, and the test has no answer for it", call.line()),
            (None, Some(slot)) => format!("`{}` did not come", slot.call.line),
            (None, None) if self.came.iter().any(|came| !came.is_due) => "the calls are not those of the test".to_owned(),
            (None, None) => return None,
        };
        let mut slots: Vec<&Slot> = self.slots.iter().collect();
        // Where any order will do, it is that of the calls that came.
        slots.sort_by_key(|slot| (slot.turn, slot.taken.unwrap_or(usize::MAX)));
        let expected: Vec<String> = slots.iter().map(|slot| slot.call.shown()).collect();
        let line = |came: &Came| {
            let as_written =
                came.slot.and_then(|index| self.slots.get(index)).filter(|slot| slot.call.target.is(&came.call.target));
            as_written.map_or_else(|| came.call.line(), |slot| slot.call.shown())
        };
        let got: Vec<String> = self.came.iter().map(line).collect();
        let text = |lines: &[String]| lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
        let paste = strange.into_iter().map(paste::element).collect();
        Some(Failure { paste, ..Failure::new(message).with_diff(diff::lines(&text(&expected), &text(&got))) })
    }
}

impl Answered {
    /// The line, with the parameters that stand below it.
    fn shown(&self) -> String {
        let inline = self.line.split_once('?').map_or(0, |(_, query)| query.split('&').filter(|pair| !pair.is_empty()).count());
        let more: Vec<String> = self.target.query.iter().skip(inline).map(|(name, value)| format!("{name}={value}")).collect();
        let mark = match (more.is_empty(), inline) {
            (true, _) => "",
            (false, 0) => "?",
            (false, _) => "&",
        };
        format!("{}{mark}{}", self.line, more.join("&"))
    }
}

/// What is wrong with a header. Credentials are not shown: there are none in a test, but what looks like one might be.
fn header(line: &str, name: &HeaderName, expected: Option<&str>, got: Option<&HeaderValue>) -> Option<Failure> {
    if got.map(HeaderValue::as_bytes) == expected.map(str::as_bytes) {
        return None;
    }
    let shown = match got {
        Some(value) if value.is_sensitive() => "(a secret)\n".to_owned(),
        Some(value) => format!("{}\n", String::from_utf8_lossy(value.as_bytes())),
        None => "(not there)\n".to_owned(),
    };
    let expected = expected.map_or("(not there)\n".to_owned(), |text| format!("{text}\n"));
    Some(Failure::new(format!("`{line}` has another header {name}")).with_diff(diff::lines(&expected, &shown)))
}
