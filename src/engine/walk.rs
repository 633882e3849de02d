//! Lists of the backend, page by page.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::{Error, Operation};
use crate::mapping::model::{Call, List, MemberList, Paging};
use crate::mapping::path::JsonPath;
use crate::mapping::template::Scope;
use crate::scim::{ScimError, ScimType};
use crate::translate::outcome::Outcome;

/// A list that can be walked.
#[derive(Clone, Copy)]
pub(super) struct Source<'m> {
    pub(super) call: &'m Call,
    pub(super) items: &'m JsonPath,
    pub(super) paging: &'m Paging,
    pub(super) rows: usize,
    pub(super) calls: usize,
}

/// A page of a list.
pub(super) struct Page<'m> {
    source: Source<'m>,
    body: Value,
    /// The number of all rows, where the backend tells it.
    pub(super) total: Option<u64>,
}

impl<'m> Source<'m> {
    pub(super) fn list(list: &'m List) -> Self {
        Self { call: &list.call, items: &list.items, paging: &list.paging, rows: list.scan_rows, calls: list.scan_calls }
    }

    pub(super) fn members(list: &'m MemberList) -> Self {
        let (rows, calls) = (crate::limits::RELATION_ROWS, crate::limits::RELATION_CALLS);
        Self { call: &list.call, items: &list.items, paging: &list.paging, rows, calls }
    }

    /// The largest page; `None` if everything comes at once.
    pub(super) fn max(&self) -> Option<u64> {
        match self.paging {
            Paging::Unpaged => None,
            Paging::Number { max, .. } | Paging::Offset { max, .. } => Some(*max),
        }
    }

    /// Whether the backend tells the number of all rows.
    pub(super) fn tells_total(&self) -> bool {
        matches!(self.paging, Paging::Unpaged | Paging::Number { total: Some(_), .. } | Paging::Offset { total: Some(_), .. })
    }

    fn parameters(&self, index: u64, size: u64) -> Vec<(String, String)> {
        match self.paging {
            Paging::Unpaged => Vec::new(),
            Paging::Number { page, first, size: name, .. } => {
                vec![(page.clone(), (first + index).to_string()), (name.clone(), size.to_string())]
            }
            Paging::Offset { offset, first, size: name, .. } => {
                vec![(offset.clone(), (first + index * size).to_string()), (name.clone(), size.to_string())]
            }
        }
    }
}

impl Page<'_> {
    pub(super) fn rows(&self) -> Vec<&Value> {
        self.source.call.envelope.first(&self.body).map(|payload| self.source.items.all(payload)).unwrap_or_default()
    }
}

impl<B: Backend> Operation<'_, B> {
    /// The page with that index, from 0, of pages of that size; `None` if what the list belongs to does not exist.
    pub(super) async fn page<'m>(
        &self,
        source: Source<'m>,
        scope: &Scope<'_>,
        query: &[(String, String)],
        index: u64,
        size: u64,
    ) -> Result<Option<Page<'m>>, Error> {
        let mut more = query.to_vec();
        more.extend(source.parameters(index, size));
        let body = match self.send(build(source.call, scope, None, &more)?).await? {
            Outcome::Good(body) => body,
            Outcome::NotFound => return Ok(None),
            other => return Err(unexpected(source.call, &other)),
        };
        let total = match source.paging {
            Paging::Unpaged => None,
            Paging::Number { total, .. } | Paging::Offset { total, .. } => match total {
                Some(path) => match path.first(&body).and_then(Value::as_u64) {
                    Some(total) => Some(total),
                    None => return Err(unintelligible(source.call, "the answer does not tell the total: see `pages.total`")),
                },
                None => None,
            },
        };
        let page = Page { source, body, total };
        // Without this, an answer that says nothing at all would be a list of nobody.
        let has_payload = source.call.envelope.first(&page.body).is_some();
        if !has_payload || index == 0 && total.is_some_and(|total| total > 0) && page.rows().is_empty() {
            return Err(unintelligible(
                source.call,
                "the answer holds no rows, nor says that there are none: see `envelope` and `items`",
            ));
        }
        Ok(Some(page))
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
        let size = source.max().unwrap_or(u64::MAX);
        // Rows may shift from page to page while others write: who is seen twice is visited once.
        let mut seen: HashSet<String> = HashSet::new();
        let mut rows: u64 = 0;
        for index in 0..source.calls as u64 {
            let Some(page) = self.page(source, scope, query, index, size).await? else { return Ok(false) };
            let found = page.rows();
            let count = found.len() as u64;
            rows += count;
            if rows > source.rows as u64 {
                return Err(too_many(source.rows));
            }
            for row in found {
                let Some(key) = key.first(row) else {
                    return Err(unintelligible(source.call, "a row of the list has no key: see `items` and `id`"));
                };
                if seen.insert(key.to_string()) && visit(row)?.is_break() {
                    return Ok(true);
                }
            }
            // A short page is the last one only where the total is not told: some backends give smaller pages than were
            // asked for, and whoever is on the later ones must not be taken for absent.
            let is_last = match page.total {
                Some(total) => rows >= total || count == 0,
                None => count < size,
            };
            if is_last {
                return Ok(true);
            }
        }
        Err(too_many(source.rows))
    }
}

fn too_many(rows: usize) -> Error {
    ScimError::new(
        ScimType::TooMany,
        format!(
            "The answer would take a walk through more than {rows} records of the application. \
             Filter by an attribute that it can search, such as userName eq, or ask for less."
        ),
    )
    .into()
}
