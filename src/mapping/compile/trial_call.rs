//! The calls in a test, and how they are answered.

use http::{HeaderMap, Method};

use super::{Compiler, Keys};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Answered, CallTarget, Given, NoAnswer, Turn, Wanted};
use crate::mapping::source::{Data, Node};
use crate::mapping::vocabulary;

/// The key of calls that may come in any order.
const ANY_ORDER: &str = "any order";
/// What to type where a list of calls is meant.
const CALLS: &str = "begin each call with a dash: `- GET /people/7: { reply: { id: 7 } }`";
/// Words for fault.
const FAULTS: [(&str, NoAnswer); 3] = [("timeout", NoAnswer::Timeout), ("refused", NoAnswer::Refused), ("cut", NoAnswer::Cut)];

impl Compiler<'_> {
    /// `backend` of a test.
    pub(super) fn turns(&mut self, node: &Node) -> Option<Vec<Turn>> {
        let items = self.listed(node, "backend", CALLS)?;
        let turns: Vec<Option<Turn>> = items.iter().map(|item| self.turn(item)).collect();
        turns.into_iter().collect()
    }

    fn turn(&mut self, node: &Node) -> Option<Turn> {
        let Some(entry) = node.entry(ANY_ORDER) else { return self.answered(node).map(|call| Turn(vec![call])) };
        if let Data::Mapping(entries) = &node.data
            && entries.len() > 1
        {
            let message = "other keys stand beside `any order`";
            self.error(Code::BadTest, entry.key_span, message, "begin the next element with a dash: `- GET /people/7: ...`");
        }
        let items = self.listed(&entry.value, ANY_ORDER, CALLS)?;
        let calls: Vec<Option<Answered>> = items.iter().map(|item| self.answered(item)).collect();
        calls.into_iter().collect::<Option<Vec<_>>>().map(Turn)
    }

    fn answered(&mut self, node: &Node) -> Option<Answered> {
        let (line, place, below) = self.one_line(node, "a call", "`- GET /people/7: { reply: { id: 7 } }`")?;
        let (method, text) = self.request_line(line, place, "GET /people/7")?;
        let empty = Keys { entries: &[], span: place, name: vocabulary::TEST_CALL.name };
        let keys = match below.filter(|below| !below.is_null()) {
            Some(below) => self.block(below, &vocabulary::TEST_CALL)?,
            None => empty,
        };
        let mut target = CallTarget::parse(text);
        if let Some(node) = keys.get("query") {
            for entry in self.entries(node, "query")? {
                target.query.push((entry.key.clone(), self.text(&entry.value)?.to_owned()));
            }
        }
        let headers = self.wanted_headers(&keys);
        let body = self.wanted(&keys);
        if method == Method::GET && matches!(body, Wanted::Exactly(_) | Wanted::Holding(_)) {
            let span = keys.entry("body").or_else(|| keys.entry("contains")).map_or(place, |entry| entry.key_span);
            self.error(Code::BadTest, span, "a GET carries no body", "take it out; the answer stands below `reply`");
        }
        let answer = self.given(&keys);
        Some(Answered { place, line: line.to_owned(), method, target, headers: headers?, body, answer: answer? })
    }

    fn given(&mut self, keys: &Keys<'_>) -> Option<Given> {
        if let Some(node) = keys.get("fault") {
            for word in ["status", "reply", "text", "replyHeaders"] {
                if let Some(entry) = keys.entry(word) {
                    let message = format!("`{word}` is of an answer, but `fault` says that there is none");
                    self.error(Code::BadTest, entry.key_span, message, "keep one of the two");
                }
            }
            return self.word(node, &FAULTS).map(Given::None);
        }
        if let (Some(_), Some(text)) = (keys.entry("reply"), keys.entry("text")) {
            let message = "`reply` and `text` are two answers to one call";
            self.error(Code::BadTest, text.key_span, message, "keep one of the two");
        }
        let headers = keys.get("replyHeaders").map_or(Some(HeaderMap::new()), |node| self.reply_headers(node));
        let status = keys.get("status").map(|node| self.http_status(node));
        let body = match (keys.get("reply"), keys.get("text")) {
            (Some(reply), _) => Some(reply.json().to_string()),
            (None, Some(text)) => Some(self.text(text)?.to_owned()),
            (None, None) => None,
        };
        let status = match (status, &body) {
            (Some(status), _) => status?,
            (None, Some(_)) => 200,
            (None, None) => 204,
        };
        Some(Given::Answer { status, headers: headers?, body: body.unwrap_or_default().into() })
    }

    fn reply_headers(&mut self, node: &Node) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for entry in self.entries(node, "replyHeaders")? {
            let Ok(name) = entry.key.parse::<http::HeaderName>() else {
                let message = format!("`{}` is not the name of a header", entry.key);
                self.error(Code::BadValue, entry.key_span, message, "write a name such as `ETag`");
                return None;
            };
            // Some headers come several times, `Set-Cookie` above all: then they are a list.
            let values = match &entry.value.data {
                Data::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for node in values {
                let text = self.text(node)?;
                headers.append(name.clone(), self.header_value(text, node)?);
            }
        }
        Some(headers)
    }
}
