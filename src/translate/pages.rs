//! Pages of a list: which one holds a window, how it is asked for, what it tells about the next one and the total. PURE.

use http::header::{CONTENT_RANGE, LINK, RANGE};
use http::{HeaderValue, Uri};
use serde_json::Value;

use super::call::{self, Answer, HttpCall, More};
use crate::limits;
use crate::mapping::convert::text;
use crate::mapping::model::{Answers, Call, PageBy, PageSize, Paging, Total};
use crate::mapping::path::JsonPath;
use crate::mapping::template::{RenderError, Scope};
use crate::scim::messages::SearchRequest;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The page that begins with this row, from 0. For page numbers a multiple of the page size.
    Row(u64),
    /// What the page before told; nothing for the first page.
    Token(Option<String>),
}

/// The part of the matching resources that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Resources before it.
    pub skip: u64,
    pub count: u64,
}

impl Window {
    /// startIndex and count (RFC 7644 Table 6), `most` resources at a time.
    pub fn of(search: &SearchRequest, most: u64) -> Self {
        let start = search.start_index.and_then(|start| u64::try_from(start).ok()).unwrap_or(1).max(1);
        let count = search.count.map_or(most, |count| u64::try_from(count).unwrap_or(0).min(most));
        Self { skip: start - 1, count }
    }
}

/// Why a page cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the unit of `pages` cannot stand in a header")]
    Unit,
    #[error("the link to the next page is not a URL of this backend")]
    Link,
    #[error("the answer does not tell the total: see `pages.total`")]
    Total,
}

/// The first page of a list.
pub fn first(paging: &Paging) -> Start {
    if paging.is_random_access() { Start::Row(0) } else { Start::Token(None) }
}

/// Whether the backend tells the number of all rows.
pub fn tells_total(paging: &Paging) -> bool {
    matches!(paging.by, PageBy::Nothing) || !matches!(paging.total, Total::Counted)
}

/// The pages that hold a window: the row that the first one begins with, and their size. Offsets and ranges begin
/// anywhere. Of numbered pages the smallest that holds the whole window, else the backend's largest.
pub fn covering(paging: &Paging, window: Window) -> (u64, u64) {
    let Window { skip, count } = window;
    let max = paging.max.max(1);
    let chosen = paging.size != PageSize::Fixed || matches!(paging.by, PageBy::Range { .. });
    match &paging.by {
        PageBy::Nothing => (0, max),
        _ if count == 0 => (0, if chosen { 1 } else { max }),
        PageBy::Offset { .. } | PageBy::Range { .. } => (skip, if chosen { count.min(max) } else { max }),
        _ => {
            let last = skip.saturating_add(count - 1);
            let sizes = count..=max.min(count.saturating_add(limits::PAGE_SIZES));
            let fitting = sizes.into_iter().find(|size| chosen && skip / size == last / size);
            let size = fitting.unwrap_or(max);
            (skip / size * size, size)
        }
    }
}

/// The request for one page. `base` is the path of the backend's base URL.
pub fn page_call<'m>(
    call: &'m Call,
    paging: &Paging,
    scope: &Scope<'_>,
    more: &More,
    start: &Start,
    size: u64,
    base: &str,
) -> Result<HttpCall<'m>, PageError> {
    let mut more = more.clone();
    let (parameter, place) = match (&paging.by, start) {
        (PageBy::Number { page, first }, Start::Row(row)) => {
            (page.as_ref(), Some(Value::from((row / size.max(1)).saturating_add(*first))))
        }
        (PageBy::Offset { offset, first }, Start::Row(row)) => (offset.as_ref(), Some(Value::from(row.saturating_add(*first)))),
        (PageBy::Cursor { cursor, .. }, Start::Token(Some(token))) => (cursor.as_ref(), Some(Value::from(token.as_str()))),
        _ => (None, None),
    };
    more.query.extend(parameter.zip(place.as_ref()).map(|(name, place)| (name.clone(), text(place))));
    if let PageSize::Query(name) = &paging.size {
        more.query.push((name.clone(), size.to_string()));
    }
    let rows = Value::from(size);
    let scope = Scope { start: place.as_ref(), size: Some(&rows), ..*scope };
    let mut request = call::build_with(call, &scope, None, &more)?;
    match (&paging.by, start) {
        (PageBy::Link { .. }, Start::Token(Some(link))) => {
            request.target = target_of(&request.target, link, base).ok_or(PageError::Link)?;
        }
        (PageBy::Range { unit }, Start::Row(row)) => {
            let range = HeaderValue::from_str(&format!("{unit}={row}-{}", row.saturating_add(size.saturating_sub(1))));
            request.headers.push((RANGE, range.map_err(|_| PageError::Unit)?));
        }
        _ => {}
    }
    Ok(request)
}

/// The target that a link leads to. Only its path and query are taken: where the backend is, the mapping says.
fn target_of(present: &str, link: &str, base: &str) -> Option<String> {
    if let Some(query) = link.strip_prefix('?') {
        return Some(format!("{}?{query}", present.split('?').next().unwrap_or_default()));
    }
    let uri: Uri = link.parse().ok()?;
    let target = uri.path_and_query().map(http::uri::PathAndQuery::as_str).filter(|target| target.starts_with('/'))?;
    let base = base.trim_end_matches('/');
    Some(target.strip_prefix(base).filter(|rest| rest.starts_with('/')).unwrap_or(target).to_owned())
}

/// The rows in an answer; `None` if it neither has any nor says that there are none.
pub fn rows<'b>(call: &Call, items: &JsonPath, body: &'b Value) -> Option<Vec<&'b Value>> {
    let payload = call.envelope.first(body)?;
    // In XML a list of nobody is the element around it with nothing in it. What could be around any document says nothing.
    let is_empty = || {
        let around = items.around(payload).filter(|around| !std::ptr::eq(*around, body));
        matches!(*call.answers, Answers::Xml { .. }) && around.is_some()
    };
    (items.container(payload).is_some() || is_empty()).then(|| items.all(payload))
}

/// What a page tells about where the next one begins; `None` on the last one, and where pages tell nothing.
pub fn next(paging: &Paging, answer: &Answer, body: &Value) -> Option<String> {
    // Of a link, path and query: where the backend is must not get into the cursor of a client.
    let local = |link: String| match link.parse::<Uri>() {
        Ok(uri) if uri.authority().is_some() => uri.path_and_query().map_or(link, ToString::to_string),
        _ => link,
    };
    let next = match &paging.by {
        PageBy::Cursor { next, .. } => next.first(body).filter(|next| !next.is_null()).map(text),
        PageBy::Link { next: Some(next) } => next.first(body).filter(|next| !next.is_null()).map(text).map(local),
        PageBy::Link { next: None } => {
            answer.headers.get_all(LINK).iter().find_map(|value| next_link(value.to_str().ok()?)).map(local)
        }
        _ => None,
    };
    next.filter(|next| !next.is_empty())
}

/// The total that a page tells; `None` where it is counted.
pub fn total(paging: &Paging, answer: &Answer, body: &Value) -> Result<Option<u64>, PageError> {
    let total = match &paging.total {
        Total::Counted | Total::Call { .. } => return Ok(None),
        Total::Body(path) => path.first(body).and_then(|total| total.as_u64().or_else(|| total.as_str()?.parse().ok())),
        Total::Header(name) => answer.header(name).and_then(|total| total.parse().ok()),
        Total::ContentRange => answer.header(&CONTENT_RANGE).and_then(|range| range.rsplit('/').next()?.parse().ok()),
    };
    total.map(Some).ok_or(PageError::Total)
}

/// The target of `rel="next"` in a header Link (RFC 8288 section 3).
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=").map(|relation| relation.trim_matches('"'));
            relation.is_some_and(|relation| relation.split(' ').any(|word| word.eq_ignore_ascii_case("next")))
        });
        is_next.then(|| target.to_owned())
    })
}

/// Whether a status says that a page begins behind the last row.
pub fn is_past_the_end(paging: &Paging, status: u16) -> bool {
    status == 416 && matches!(paging.by, PageBy::Range { .. })
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
