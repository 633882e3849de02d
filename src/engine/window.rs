//! Windows of a list: straight from the backend's pages, by going on from page to page, or by a walk.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::cursor::Resume;
use super::fetch::{unexpected, unintelligible};
use super::kept::{Kept, Position, Walk};
use super::list::{Listed, Sort};
use super::ports::Backend;
use super::walk::{Source, short, too_many};
use super::{Error, Operation};
use crate::mapping::model::{Call, List, PageBy, Total, Version};
use crate::mapping::template::Scope;
use crate::scim::filter::Predicate;
use crate::scim::{Object, ScimError, ScimType};
use crate::translate::call::{More, build_with};
use crate::translate::details::{Details, is_missing};
use crate::translate::outcome::Outcome;
use crate::translate::pages::{self, Start, Window};
use crate::translate::write::key_of;

/// A query of the list call, planned.
pub(super) struct Wanted<'q, 's> {
    pub(super) list: &'q List,
    /// What is added to the call.
    pub(super) more: &'q More,
    /// What every resource is held against.
    pub(super) check: &'q Predicate<'s>,
    /// What is left to sort.
    pub(super) sort: Sort<'s>,
    pub(super) window: Window,
    pub(super) details: Details,
}

impl<B: Backend> Operation<'_, B> {
    /// Reads resources whose rows do not tell all, side by side within the bound of the mapping. Those that are gone drop out.
    pub(super) async fn detail_all(&self, resources: Vec<Object>) -> Result<Vec<Object>, Error> {
        futures_util::stream::iter(resources)
            .map(|resource| async move {
                let key = resource.get("id").and_then(Value::as_str).and_then(|id| key_of(self.resource, id));
                match key {
                    Some(key) => Ok(self.fetch(&key).await?.map(|found| found.resource)),
                    None => Ok(None),
                }
            })
            .buffered(self.mapping().backend.concurrency)
            .try_filter_map(|resource| async move { Ok(resource) })
            .try_collect()
            .await
    }

    /// A window straight from the backend's own pages. `None` if a row does not match: then the backend ignores a
    /// parameter, and its total means something else.
    pub(super) async fn slice(&self, wanted: &Wanted<'_, '_>) -> Result<Option<Listed>, Error> {
        let Wanted { list, more, window, .. } = *wanted;
        let source = Source::list(list);
        let Window { skip, count } = window;
        let unpaged = matches!(source.paging.by, PageBy::Nothing);
        let (mut begin, size) = pages::covering(source.paging, window);
        if count == 0
            && let Some(total) = self.counted(list, more).await?
        {
            return Ok(Some(Listed::rows(Some(total), Vec::new(), None)));
        }
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let mut total;
        let is_more = loop {
            let Some(page) = self.page(source, &Scope::default(), more, &Start::Row(begin), size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.or(unpaged.then_some(rows.len() as u64));
            // It does not heed the page size: which rows these are, is not known.
            if total.is_some_and(|total| begin > 0 && begin < total && rows.len() as u64 > size.min(total - begin)) {
                return Ok(None);
            }
            for (place, row) in (begin..).zip(&rows) {
                // Its total counts what is gone.
                let Some(resource) = self.row(list, row)? else { return Ok(None) };
                if !wanted.details.filter && !wanted.check.matches(&resource) {
                    return Ok(ignored(source.call));
                }
                // Behind its end a backend may give its last page again.
                if place >= skip && place < end && total.is_none_or(|total| place < total) {
                    resources.push(resource);
                }
            }
            let reached = begin.saturating_add(rows.len() as u64);
            let is_short = (rows.len() as u64) < size;
            match total {
                Some(total) if count == 0 || reached >= end || reached >= total => break end < total,
                Some(_) if is_short => return Err(short(source.call)),
                // The last page tells the total, whoever else could. An empty one behind the end tells nothing.
                None if is_short && (reached > begin || begin == 0) => {
                    total = Some(reached);
                    break reached > end;
                }
                None if is_short || reached >= end => {
                    total = self.counted(list, more).await?;
                    break total.map_or(!is_short, |total| end < total);
                }
                // Page after page holds a row at least, and the window ends.
                _ => begin = reached,
            }
        };
        let next = is_more.then_some(Resume { skip: end, page: None });
        Ok(Some(Listed::rows(total, resources, next)))
    }

    /// A window of a list whose pages lead from one to the next, where the backend tells the total. The place behind the
    /// window is kept, so that the next page of the client goes on from there.
    pub(super) async fn follow(&self, wanted: &Wanted<'_, '_>, resume: Option<Resume>) -> Result<Option<Listed>, Error> {
        let Wanted { list, more, window, .. } = *wanted;
        let source = Source::list(list);
        let Window { skip, count } = window;
        let small = count.clamp(1, source.paging.max.max(1));
        let key = |skip: u64| self.key(more, &format!("{small}@{skip}"));
        let (mut start, mut place) = match (resume.and_then(|resume| resume.page), self.engine.kept.get(&key(skip))) {
            (Some(page), _) => page,
            (None, Some(Kept::Position(position))) if skip > 0 => (position.start.clone(), position.before),
            _ => (pages::first(source.paging), 0),
        };
        // A long way to the window goes in the largest steps.
        let size = if count > 0 && place + small < skip { source.paging.max } else { small };
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let mut total = None;
        for _ in 0..list.scan.calls {
            let Some(page) = self.page(source, &Scope::default(), more, &start, size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.or(total);
            let before = place;
            for row in &rows {
                let Some(resource) = self.row(list, row)? else { return Ok(None) };
                if !wanted.details.filter && !wanted.check.matches(&resource) {
                    return Ok(ignored(source.call));
                }
                if place >= skip && place < end {
                    resources.push(resource);
                }
                place += 1;
            }
            if let (0, Some(total)) = (count, total) {
                return Ok(Some(Listed::rows(Some(total), Vec::new(), None)));
            }
            let next = page.next.clone();
            if total.is_none() && (next.is_none() || place >= end) {
                total = if next.is_none() { Some(place) } else { self.counted(list, more).await? };
            }
            if place >= end {
                let is_more = place > end || next.is_some();
                let (start, before) = match next {
                    Some(next) if place == end => (Start::Token(Some(next)), place),
                    _ => (start, before),
                };
                let next = is_more.then(|| Resume { skip: end, page: Some((start.clone(), before)) });
                self.engine.kept.put(key(end), Kept::Position(Arc::new(Position { start, before, keep: list.scan.keep })));
                return Ok(Some(Listed::rows(total, resources, next)));
            }
            match next {
                Some(next) if total.is_none_or(|total| place < total) => start = Start::Token(Some(next)),
                // Behind the end, or a last page that names itself as the next one.
                _ => return Ok(Some(Listed::rows(total, resources, None))),
            }
        }
        Err(ScimError::new(
            ScimType::TooMany,
            "This page lies further in the list than one request may walk: read the pages one after the other, or filter.",
        )
        .into())
    }

    /// The total by a call of its own, for a list that has one.
    async fn counted(&self, list: &List, more: &More) -> Result<Option<u64>, Error> {
        let Total::Call { call, at } = &list.paging.total else { return Ok(None) };
        let call_now =
            build_with(call, &Scope::default(), None, more).map_err(|error| Error::mapping(format!("{}: {error}", call.name)))?;
        match self.send(call_now).await? {
            Outcome::Good(body) => {
                let total = call.envelope.first(&body).and_then(|payload| at.first(payload)).and_then(Value::as_u64);
                total.map(Some).ok_or_else(|| unintelligible(call, "the answer does not tell the total: see `pages.total.at`"))
            }
            other => Err(unexpected(call, &other)),
        }
    }

    /// A walk through the whole list, for what the backend cannot filter, sort or count. The first page walks anew; later
    /// ones are served from its walk.
    pub(super) async fn scan(&self, wanted: &Wanted<'_, '_>) -> Result<Listed, Error> {
        let Wanted { list, more, check, sort, window, details } = *wanted;
        let order = sort.as_ref().map(|(key, order)| format!("{} {order:?}", key.target)).unwrap_or_default();
        let key = self.key(more, &format!("{check}\n{order}"));
        let end = window.skip.saturating_add(window.count);
        if let (true, Some(Kept::Walk(walk))) = (window.skip > 0, self.engine.kept.get(&key)) {
            let next = behind(end, walk.total());
            let resources = walk.slice(window.skip, window.count);
            return Ok(Listed { detailed: details.filter || details.sort, ..Listed::rows(Some(walk.total()), resources, next) });
        }
        let needs_relation = self.needs_relation(check);
        let late = needs_relation || details.filter;
        let keeps_all = sort.is_some() || late;
        let keeps = !list.scan.keep.is_zero() && !needs_relation && !self.sorts_relation(sort);
        let mut kept = keeps.then(|| Walk::new(list.scan.keep));
        let (mut total, mut resources) = (0, Vec::new());
        let told = self.told_by_rows(check);
        self.visit(list, more, |resource| {
            if !told.matches(&resource) {
                return;
            }
            if !keeps_all && kept.as_mut().is_some_and(|walk| !walk.push(&resource)) {
                kept = None;
            }
            if keeps_all || (total >= window.skip && total < end) {
                resources.push(resource);
            }
            total += 1;
        })
        .await?;
        if keeps_all {
            let all = Window { skip: 0, count: u64::MAX };
            let mut listed = self.sift(resources, check, sort, all, details).await?;
            if kept.as_mut().is_some_and(|walk| !listed.resources.iter().all(|resource| walk.push(resource))) {
                kept = None;
            }
            let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
            let count = usize::try_from(window.count).unwrap_or(usize::MAX);
            listed.resources = listed.resources.into_iter().skip(skip).take(count).collect();
            let total = listed.total.unwrap_or_default();
            listed.next = behind(end, total);
            self.keep(key, kept, total, end);
            return Ok(listed);
        }
        self.keep(key, kept, total, end);
        Ok(Listed::rows(Some(total), resources, behind(end, total)))
    }

    /// Keeps a walk if there is a page behind the one that is served.
    fn keep(&self, key: String, walk: Option<Walk>, total: u64, end: u64) {
        if let Some(walk) = walk.filter(|_| total > end) {
            self.engine.kept.put(key, Kept::Walk(Arc::new(walk)));
        }
    }

    /// What is kept belongs to one query of one resource type since its last write.
    fn key(&self, added: &More, more: &str) -> String {
        let epoch = self.engine.kept.epoch(self.place());
        // Locations begin with the base URL, which may follow the request.
        format!("{}{} {epoch} {}\n{added:?}\n{more}", self.context.base_url, self.resource.kind.endpoint, self.needed.bits())
    }

    /// Visits every resource of the list once.
    pub(super) async fn visit(&self, list: &List, more: &More, mut each: impl FnMut(Object) + Send) -> Result<(), Error> {
        let source = Source::list(list);
        let exists = self
            .walk(source, &Scope::default(), more, &self.resource.id.path, |row| {
                if let Some(resource) = self.row(list, row)? {
                    each(resource);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        if exists { Ok(()) } else { Err(unexpected(source.call, &Outcome::NotFound)) }
    }

    /// Those that match, in order, within the window.
    pub(super) async fn sift(
        &self,
        mut found: Vec<Object>,
        check: &Predicate<'_>,
        sort: Sort<'_>,
        window: Window,
        details: Details,
    ) -> Result<Listed, Error> {
        let detailed = details.filter || details.sort;
        if detailed {
            let told = self.told_by_rows(check);
            found.retain(|resource| told.matches(resource));
            self.bounded(&found)?;
            found = self.detail_all(found).await?;
        }
        let filters_relation = self.needs_relation(check);
        let attached = filters_relation || self.sorts_relation(sort);
        let told = self.without_relation(check);
        found.retain(|resource| told.matches(resource));
        if attached {
            self.bounded(&found)?;
            found = self.attach_all(found).await?;
            found.retain(|resource| check.matches(resource));
        }
        if let Some((key, order)) = sort {
            found.sort_by(|a, b| key.compare(a, b, order));
        }
        let total = found.len() as u64;
        let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
        let count = usize::try_from(window.count).unwrap_or(usize::MAX);
        let next = behind(window.skip.saturating_add(window.count), total);
        Ok(Listed { total: Some(total), resources: found.into_iter().skip(skip).take(count).collect(), attached, detailed, next })
    }

    /// Refuses a call for each of too many resources.
    fn bounded(&self, found: &[Object]) -> Result<(), Error> {
        match self.resource.list.as_ref().filter(|list| found.len() > list.scan.calls) {
            Some(list) => Err(too_many(&Source::list(list))),
            None => Ok(()),
        }
    }

    pub(super) fn needs_relation(&self, predicate: &Predicate<'_>) -> bool {
        let Some(relation) = self.relation() else { return false };
        let mut found = false;
        predicate.attributes(&mut |reference| found |= reference.same_attribute(&relation));
        found
    }

    /// What of a filter can be told without the relation: a row that fails it needs no call.
    pub(super) fn without_relation<'s>(&self, predicate: &Predicate<'s>) -> Predicate<'s> {
        conjuncts_that(predicate, |conjunct| !self.needs_relation(conjunct))
    }

    /// What of a filter the rows of the list tell.
    pub(super) fn told_by_rows<'s>(&self, predicate: &Predicate<'s>) -> Predicate<'s> {
        conjuncts_that(predicate, |conjunct| {
            let mut told = !self.needs_relation(conjunct);
            conjunct.attributes(&mut |reference| told &= !is_missing(self.mapping(), self.resource, &reference));
            told
        })
    }

    fn sorts_relation(&self, sort: Sort<'_>) -> bool {
        sort.zip(self.relation()).is_some_and(|((key, _), relation)| key.target.same_attribute(&relation))
    }

    /// What a row of the list tells; nothing if the record does not exist for SCIM.
    pub(super) fn row(&self, list: &List, row: &Value) -> Result<Option<Object>, Error> {
        if self.is_gone(row) {
            return Ok(None);
        }
        let mut resource = self
            .resource_of(row)
            .ok_or_else(|| unintelligible(&list.call, "a row of the list has no id: see `items` and `id`"))?;
        // A hash of a part is not that of the whole.
        if list.has.is_some()
            && self.resource.version == Version::Hash
            && let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut)
        {
            meta.remove("version");
        }
        Ok(Some(resource))
    }
}

impl Listed {
    /// What the rows of the list tell.
    fn rows(total: Option<u64>, resources: Vec<Object>, next: Option<Resume>) -> Self {
        Self { total, resources, attached: false, detailed: false, next }
    }
}

/// The conjunction of those conditions of a filter that are so.
fn conjuncts_that<'s>(predicate: &Predicate<'s>, is_so: impl Fn(&Predicate<'s>) -> bool) -> Predicate<'s> {
    match predicate {
        Predicate::And(conjuncts) => Predicate::and(conjuncts.iter().filter(|conjunct| is_so(conjunct)).cloned()),
        one if is_so(one) => one.clone(),
        _ => Predicate::True,
    }
}

/// Where the window behind another one begins, if anything is there.
fn behind(end: u64, total: u64) -> Option<Resume> {
    (end < total).then_some(Resume { skip: end, page: None })
}

/// The backend gave a row that the filter does not match.
fn ignored(call: &Call) -> Option<Listed> {
    tracing::warn!(call = call.name, "the backend ignores a filter that the mapping calls exact");
    None
}
