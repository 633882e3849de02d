//! Lists of the backend, page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::Value;

use super::fetch::{unexpected, unintelligible};
use super::ports::Backend;
use super::{Error, Operation};
use crate::limits;
use crate::mapping::convert::text;
use crate::mapping::model::{Call, List, MemberList, NameTable, PageBy, Paging};
use crate::mapping::path::JsonPath;
use crate::mapping::template::Scope;
use crate::scim::{ScimError, ScimType};
use crate::translate::call::More;
use crate::translate::outcome::{self, Outcome};
use crate::translate::pages::{self, PageError, Start};

/// A list that can be walked.
#[derive(Clone, Copy)]
pub(super) struct Source<'m> {
    pub(super) call: &'m Call,
    pub(super) items: &'m JsonPath,
    pub(super) paging: &'m Paging,
    rows: usize,
    calls: usize,
    time: Duration,
    /// Whether its rows are records of the resource type.
    records: bool,
}

/// A page of a list.
pub(super) struct Page<'m> {
    source: Source<'m>,
    body: Value,
    /// The number of all rows, where the backend tells it.
    pub(super) total: Option<u64>,
    /// Where the next page begins, for lists whose pages tell it.
    pub(super) next: Option<String>,
}

/// Which rows were there before. Rows may shift from page to page while others write: who is seen twice is visited once.
struct Seen {
    states: [RandomState; 2],
    hashes: HashSet<u128>,
}

impl<'m> Source<'m> {
    pub(super) fn list(list: &'m List) -> Self {
        let scan = &list.scan;
        Self {
            call: &list.call,
            items: &list.items,
            paging: &list.paging,
            rows: scan.rows,
            calls: scan.calls,
            time: scan.time,
            records: true,
        }
    }

    /// The rows of a look-up, within the bounds of the list.
    pub(super) fn lookup(call: &'m Call, items: &'m JsonPath, paging: &'m Paging, list: &'m List) -> Self {
        Self { call, items, paging, ..Self::list(list) }
    }

    pub(super) fn members(list: &'m MemberList) -> Self {
        let (rows, calls) = (limits::RELATION_ROWS, limits::RELATION_CALLS);
        let time = Duration::from_secs(limits::REQUEST_SECONDS);
        Self { call: &list.call, items: &list.items, paging: &list.paging, rows, calls, time, records: false }
    }

    pub(super) fn table(lookup: &'m NameTable) -> Self {
        Self {
            call: &lookup.call,
            items: &lookup.items,
            paging: &lookup.paging,
            rows: limits::TABLE_ROWS,
            calls: limits::SCAN_CALLS,
            time: Duration::from_secs(limits::SCAN_SECONDS),
            records: false,
        }
    }
}

impl Page<'_> {
    pub(super) fn rows(&self) -> Vec<&Value> {
        self.source.call.envelope.first(&self.body).map(|payload| self.source.items.all(payload)).unwrap_or_default()
    }
}

impl<B: Backend> Operation<'_, B> {
    /// One page; `None` if what the list belongs to does not exist.
    pub(super) async fn page<'m>(
        &self,
        source: Source<'m>,
        scope: &Scope<'_>,
        more: &More,
        start: &Start,
        size: u64,
    ) -> Result<Option<Page<'m>>, Error> {
        let base = self.mapping().backend.url.path();
        let call = pages::page_call(source.call, source.paging, scope, more, start, size, base).map_err(|error| match error {
            PageError::Link => unintelligible(source.call, "the link to the next page is not a URL of this backend"),
            other => Error::mapping(format!("{}: {other}", source.call.name)),
        })?;
        let answer = self.answer(call).await?;
        let body = match outcome::classify(source.call, &answer) {
            Outcome::Good(body) => body,
            Outcome::NotFound => return Ok(None),
            Outcome::Fault(_) if pages::is_past_the_end(source.paging, answer.status) => Value::Null,
            Outcome::Fault(fault) => return Err(fault.into()),
            // What is looked for came from the client.
            Outcome::Refused(error) if *more != More::default() || scope.value.is_some() => return Err(error.into()),
            other => return Err(unexpected(source.call, &other)),
        };
        let total =
            pages::total(source.paging, &answer, &body).map_err(|error| unintelligible(source.call, &error.to_string()))?;
        let next = pages::next(source.paging, &answer, &body);
        let page = Page { source, body, total, next };
        // An answer that says nothing about rows must not become a list of nobody.
        let is_past = pages::is_past_the_end(source.paging, answer.status);
        let lacks_payload = !is_past && pages::rows(source.call, source.items, &page.body).is_none();
        let lacks_rows = *start == pages::first(source.paging) && total.is_some_and(|total| total > 0) && page.rows().is_empty();
        if lacks_payload || lacks_rows {
            let detail = "the answer holds no rows, nor says that there are none: see `envelope` and `items`";
            return Err(unintelligible(source.call, detail));
        }
        if source.records && self.learns() {
            self.learn(page.rows()).await?;
        }
        Ok(Some(page))
    }

    /// Visits all rows, each once by its key. The error is 400 tooMany where the bounds end before the list does;
    /// `false` if what the list belongs to does not exist.
    pub(super) async fn walk(
        &self,
        source: Source<'_>,
        scope: &Scope<'_>,
        more: &More,
        key: &JsonPath,
        mut visit: impl FnMut(&Value) -> Result<ControlFlow<()>, Error>,
    ) -> Result<bool, Error> {
        let (began, size) = (self.engine.system.now(), source.paging.max);
        let mut seen = Seen::new();
        let mut start = pages::first(source.paging);
        let mut rows: u64 = 0;
        for index in 1..=source.calls as u64 {
            if self.engine.system.now().duration_since(began) > source.time {
                return Err(too_many(&source));
            }
            let Some(page) = self.page(source, scope, more, &start, size).await? else { return Ok(false) };
            let found = page.rows();
            let count = found.len() as u64;
            rows += count;
            if rows > source.rows as u64 {
                return Err(too_many(&source));
            }
            let before = seen.hashes.len();
            for row in found {
                let Some(key) = key.first(row) else {
                    return Err(unintelligible(source.call, "a row of the list has no key: see `items` and `id`"));
                };
                if seen.is_new(key) && visit(row)?.is_break() {
                    return Ok(true);
                }
            }
            let nothing_new = seen.hashes.len() == before;
            let ended = match (&source.paging.by, page.total) {
                (PageBy::Nothing, _) => true,
                // Some backends name the last page as the one behind it, and give it without rows.
                (PageBy::Cursor { .. } | PageBy::Link { .. }, _) => {
                    page.next.as_ref().is_none_or(|next| count == 0 && start == Start::Token(Some(next.clone())))
                }
                (_, Some(total)) if rows < total && count < size => return Err(short(source.call)),
                (_, Some(total)) if nothing_new && count == size && (seen.hashes.len() as u64) < total => {
                    return Err(unintelligible(source.call, "the same page came twice: see the parameters of `pages`"));
                }
                // Some backends repeat their last page for ever.
                (_, Some(total)) => rows >= total || nothing_new,
                (_, None) => count < size || nothing_new,
            };
            if ended {
                return Ok(true);
            }
            start = match page.next {
                Some(next) if start == Start::Token(Some(next.clone())) => {
                    return Err(unintelligible(source.call, "a page of the list names itself as the next one"));
                }
                Some(next) => Start::Token(Some(next)),
                // Numbered pages have the size that the backend gives them; any other one begins behind the rows that came.
                None if matches!(source.paging.by, PageBy::Number { .. }) => Start::Row(index * size),
                None => Start::Row(rows),
            };
        }
        Err(too_many(&source))
    }
}

/// A page with fewer rows than asked for, though the backend tells of more: were it taken for the last one, or the next one
/// asked for, rows would be missing.
pub(super) fn short(call: &Call) -> Error {
    unintelligible(call, "a page is shorter than asked for, but not the last: set `pages.max` to the rows that the backend gives")
}

pub(super) fn too_many(source: &Source<'_>) -> Error {
    let (rows, calls, seconds) = (source.rows, source.calls, source.time.as_secs());
    ScimError::new(
        ScimType::TooMany,
        format!(
            "The answer would take a walk through more records of the application than one request may take ({rows} records, {calls} \
             calls, {seconds} s). Filter by an attribute that it can search, such as userName eq, or ask for less."
        ),
    )
    .into()
}

// === impl Seen ===

impl Seen {
    fn new() -> Self {
        Self { states: [RandomState::new(), RandomState::new()], hashes: HashSet::new() }
    }

    /// 128 bits of a keyed hash stand for a key: a walk of a million rows must not hold a million texts.
    fn is_new(&mut self, key: &Value) -> bool {
        let text = text(key);
        let [high, low] = [0, 1].map(|half: usize| self.states.get(half).map_or(0, |state| state.hash_one(&text)));
        self.hashes.insert(u128::from(high) << 64 | u128::from(low))
    }
}
