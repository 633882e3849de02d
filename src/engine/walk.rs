//! Lists of the backend, page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use http::header::{CONTENT_RANGE, LINK, RANGE};
use http::{HeaderValue, Uri};
use serde_json::Value;

use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::{Error, Operation};
use crate::mapping::convert::text;
use crate::mapping::model::{Call, List, MemberList, PageBy, Paging, Total};
use crate::mapping::path::JsonPath;
use crate::mapping::template::Scope;
use crate::scim::{ScimError, ScimType};
use crate::translate::call::{Answer, HttpCall};
use crate::translate::outcome::{self, Outcome};

/// A list that can be walked.
#[derive(Clone, Copy)]
pub(super) struct Source<'m> {
    pub(super) call: &'m Call,
    pub(super) items: &'m JsonPath,
    pub(super) paging: &'m Paging,
    rows: usize,
    calls: usize,
    time: Duration,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// The page of that index, from 0, of pages of one size.
    Index(u64),
    /// What the page before told; nothing for the first page.
    Token(Option<String>),
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
        Self { call: &list.call, items: &list.items, paging: &list.paging, rows: scan.rows, calls: scan.calls, time: scan.time }
    }

    pub(super) fn members(list: &'m MemberList) -> Self {
        let (rows, calls) = (crate::limits::RELATION_ROWS, crate::limits::RELATION_CALLS);
        let time = Duration::from_secs(crate::limits::REQUEST_SECONDS);
        Self { call: &list.call, items: &list.items, paging: &list.paging, rows, calls, time }
    }

    /// Whether the backend tells the number of all rows.
    pub(super) fn tells_total(&self) -> bool {
        matches!(self.paging.by, PageBy::Nothing) || !matches!(self.paging.total, Total::Counted)
    }

    /// The first page of a walk.
    pub(super) fn start(&self) -> Start {
        if self.paging.is_random_access() { Start::Index(0) } else { Start::Token(None) }
    }

    fn parameters(&self, start: &Start, size: u64) -> Vec<(String, String)> {
        let mut parameters = match (&self.paging.by, start) {
            (PageBy::Number { page, first }, Start::Index(index)) => vec![(page.clone(), (first + index).to_string())],
            (PageBy::Offset { offset, first }, Start::Index(index)) => vec![(offset.clone(), (first + index * size).to_string())],
            (PageBy::Cursor { cursor, .. }, Start::Token(Some(token))) => vec![(cursor.clone(), token.clone())],
            _ => Vec::new(),
        };
        parameters.extend(self.paging.size.as_ref().map(|name| (name.clone(), size.to_string())));
        parameters
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
        query: &[(String, String)],
        start: &Start,
        size: u64,
    ) -> Result<Option<Page<'m>>, Error> {
        let mut more = query.to_vec();
        more.extend(source.parameters(start, size));
        let mut call = build(source.call, scope, None, &more)?;
        match (&source.paging.by, start) {
            (PageBy::Link { .. }, Start::Token(Some(link))) => self.follow_link(&mut call, link)?,
            (PageBy::Range { unit }, Start::Index(index)) => {
                let (first, last) = (index * size, (index + 1) * size - 1);
                let range = HeaderValue::from_str(&format!("{unit}={first}-{last}"));
                call.headers.push((
                    RANGE,
                    range.map_err(|_| Error::Mapping(format!("{}: the unit cannot stand in a header", source.call.name)))?,
                ));
            }
            _ => {}
        }
        let answer = self.engine.backend.send(&call).await?;
        let body = match outcome::classify(source.call, &answer) {
            Outcome::Good(body) => body,
            Outcome::NotFound => return Ok(None),
            // 416: the range begins behind the last row.
            Outcome::Fault(_) if answer.status == 416 && matches!(source.paging.by, PageBy::Range { .. }) => Value::Null,
            Outcome::Fault(fault) => return Err(fault.into()),
            other => return Err(unexpected(source.call, &other)),
        };
        let total = total(source, &answer, &body)?;
        let next = match &source.paging.by {
            PageBy::Cursor { next, .. } | PageBy::Link { next: Some(next) } => {
                next.first(&body).filter(|next| !next.is_null()).map(text)
            }
            PageBy::Link { next: None } => {
                answer.headers.get_all(LINK).iter().filter_map(|value| next_link(value.to_str().ok()?)).next()
            }
            _ => None,
        };
        Ok(Some(Page { source, body, total, next: next.filter(|next| !next.is_empty()) }))
    }

    /// Only path and query of a link are taken: where the backend is, the mapping says.
    fn follow_link(&self, call: &mut HttpCall<'_>, link: &str) -> Result<(), Error> {
        let bad = || unintelligible(call.call, "the link to the next page is not a URL of this backend");
        if let Some(query) = link.strip_prefix('?') {
            let path = call.target.split('?').next().unwrap_or_default();
            call.target = format!("{path}?{query}");
            return Ok(());
        }
        let uri: Uri = link.parse().map_err(|_| bad())?;
        let target =
            uri.path_and_query().map(|target| target.as_str()).filter(|target| target.starts_with('/')).ok_or_else(bad)?;
        let base = self.mapping().backend.url.path().trim_end_matches('/');
        call.target = target.strip_prefix(base).filter(|rest| rest.starts_with('/')).unwrap_or(target).to_owned();
        Ok(())
    }

    /// Visits all rows, each once by its key. The error is 400 tooMany where the bounds end before the list does;
    /// `false` if what the list belongs to does not exist.
    pub(super) async fn walk(
        &self,
        source: Source<'_>,
        scope: &Scope<'_>,
        query: &[(String, String)],
        key: &JsonPath,
        mut visit: impl FnMut(&Value) -> Result<ControlFlow<()>, Error>,
    ) -> Result<bool, Error> {
        let (began, size) = (Instant::now(), source.paging.max);
        let mut seen = Seen::new();
        let mut start = source.start();
        let mut rows: u64 = 0;
        for index in 1..=source.calls as u64 {
            if began.elapsed() > source.time {
                return Err(too_many(&source));
            }
            let Some(page) = self.page(source, scope, query, &start, size).await? else { return Ok(false) };
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
                (PageBy::Cursor { .. } | PageBy::Link { .. }, _) => page.next.is_none(),
                // Some backends repeat their last page for ever; some give smaller pages than they were asked for.
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
                None => Start::Index(index),
            };
        }
        Err(too_many(&source))
    }
}

fn total(source: Source<'_>, answer: &Answer, body: &Value) -> Result<Option<u64>, Error> {
    let total = match &source.paging.total {
        Total::Counted => return Ok(None),
        Total::Body(path) => path.first(body).and_then(|total| total.as_u64().or_else(|| total.as_str()?.parse().ok())),
        Total::Header(name) => answer.header(name).and_then(|total| total.parse().ok()),
        Total::ContentRange => answer.header(&CONTENT_RANGE).and_then(|range| range.rsplit('/').next()?.parse().ok()),
    };
    total.map(Some).ok_or_else(|| unintelligible(source.call, "the answer does not tell the total: see `pages.total`"))
}

/// The target of `rel="next"` in a header Link (RFC 8288 section 3).
fn next_link(header: &str) -> Option<String> {
    header.split(",").find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=").map(|relation| relation.trim_matches('"'));
            relation.is_some_and(|relation| relation.split(' ').any(|word| word.eq_ignore_ascii_case("next")))
        });
        is_next.then(|| target.to_owned())
    })
}

fn too_many(source: &Source<'_>) -> Error {
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

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn links_to_the_next_page() {
        let header = r#"<https://api.test/users?page=1>; rel="prev", <https://api.test/users?page=3&q=a>; rel="next last""#;
        assert_eq!(next_link(header), Some("https://api.test/users?page=3&q=a".to_owned()));
        assert_eq!(next_link("<?after=x>; title=y; rel=next"), Some("?after=x".to_owned()));
        assert_eq!(next_link(r#"<https://api.test/users>; rel="first""#), None);
        assert_eq!(next_link(""), None);
    }
}
