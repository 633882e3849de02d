//! Queries (RFC 7644 section 3.4.2): of one resource type, and of all.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::cursor::Resume;
use super::fetch::{build, unexpected, unintelligible};
use super::kept::{Kept, Position, Walk};
use super::ports::Backend;
use super::walk::{Source, short, too_many};
use super::{Context, Engine, Error, Operation, Reply};
use crate::mapping::model::{List, Lookup, LookupAnswer, PageBy};
use crate::mapping::template::Scope;
use crate::scim::filter::{self, Predicate};
use crate::scim::messages::{SearchRequest, SortOrder, cursor_response, list_response};
use crate::scim::sort::SortKey;
use crate::scim::{Object, Projection, ScimError};
use crate::translate::outcome::Outcome;
use crate::translate::pages::{self, Start, Window};
use crate::translate::query::{Access, Plan, Planner, Serving};

/// What a query found.
struct Listed {
    /// Told by the backend or counted; nothing if a query by cursor found it not worth a walk.
    total: Option<u64>,
    /// Those within the window.
    resources: Vec<Object>,
    /// Whether relations are in them.
    attached: bool,
    /// Where the next window begins; nothing if there is none.
    next: Option<Resume>,
}

/// A query of one resource type, checked.
struct Query<'s> {
    filter: Predicate<'s>,
    sort: Option<(SortKey<'s>, SortOrder)>,
    projection: Projection<'s>,
    /// The place where a query by cursor goes on.
    resume: Option<Resume>,
    /// Whether the total must be told.
    total: bool,
}

type Sort<'s> = Option<(SortKey<'s>, SortOrder)>;

impl<B: Backend> Engine<B> {
    /// A query of all resource types (section 3.4.2.1): one type after the other, in the order of the mapping. An
    /// attribute that a type does not have has no value there.
    pub(super) async fn list_all(&self, context: &Context, search: &SearchRequest) -> Result<Reply, Error> {
        let window = self.window(search);
        if search.cursor.is_some() {
            let first = self.endpoints.first().map_or("/Users", String::as_str);
            let detail = format!("All resource types at once cannot be paged by cursor: query one endpoint, such as {first}.");
            return Err(ScimError::new(crate::scim::ScimType::InvalidCursor, detail).into());
        }
        let types: Vec<_> = self.mapping.resources.iter().map(|resource| &resource.kind).collect();
        let filter = search.filter.as_deref().map(|text| filter::parse(text, context.profile)).transpose()?;
        if let Some(sort_by) = &search.sort_by {
            return Err(ScimError::invalid_value(format!(
                "sortBy={sort_by} cannot be used on all resource types at once: query one endpoint, such as {}.",
                self.endpoints.first().map_or("/Users", String::as_str)
            ))
            .into());
        }
        let (mut total, mut resources, mut left) = (0, Vec::new(), window);
        for (index, resource) in self.mapping.resources.iter().enumerate() {
            let operation = Operation { engine: self, context, resource };
            let filter = match &filter {
                Some(filter) => {
                    // Whether an attribute exists at all is checked against all types together.
                    let mut checked = filter.check_any(&types, context.profile)?;
                    if index < checked.len() { checked.swap_remove(index) } else { Predicate::False }
                }
                None => Predicate::True,
            };
            let projection = Projection::new(&search.attributes, &search.excluded_attributes, &resource.kind, context.profile)?;
            let listed = operation.find(Query { filter, sort: None, projection, resume: None, total: true }, left).await?;
            let found = listed.total.unwrap_or_default();
            total += found;
            left.count -= (listed.resources.len() as u64).min(left.count);
            left.skip = left.skip.saturating_sub(found);
            resources.extend(listed.resources.into_iter().map(Value::Object));
        }
        Ok(Reply::ok(list_response(total, window.skip + 1, resources)))
    }

    /// startIndex and count (RFC 7644 Table 6), with the largest page of this service.
    fn window(&self, search: &SearchRequest) -> Window {
        Window::of(search, self.offer.max_results as u64)
    }
}

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn list(&self, search: &SearchRequest) -> Result<Reply, Error> {
        let (kind, profile) = (&self.resource.kind, self.context.profile);
        let filter = match &search.filter {
            Some(text) => filter::parse(text, profile)?.check(kind, profile)?,
            None => Predicate::True,
        };
        let sort = match &search.sort_by {
            Some(sort_by) => Some((SortKey::parse(sort_by, kind, profile)?, search.sort_order)),
            None => None,
        };
        let projection = Projection::new(&search.attributes, &search.excluded_attributes, kind, profile)?;
        let mut window = self.engine.window(search);
        let cursors = &self.engine.cursors;
        let resume = match &search.cursor {
            Some(cursor) => cursors.read(&kind.endpoint, search, window.count, cursor)?,
            None => None,
        };
        window.skip = resume.as_ref().map_or(window.skip, |resume| resume.skip);
        let listed = self.find(Query { filter, sort, projection, resume, total: search.cursor.is_none() }, window).await?;
        let resources = listed.resources.into_iter().map(Value::Object).collect();
        Ok(Reply::ok(match &search.cursor {
            Some(_) => {
                let next = listed.next.filter(|_| window.count > 0);
                let next = next.map(|resume| cursors.write(&kind.endpoint, search, window.count, &resume));
                cursor_response(listed.total, next, resources)
            }
            None => list_response(listed.total.unwrap_or_default(), window.skip + 1, resources),
        }))
    }

    async fn find(&self, query: Query<'_>, window: Window) -> Result<Listed, Error> {
        let planner = Planner { mapping: self.mapping(), resource: self.resource, base_url: &self.context.base_url };
        let sort = query.sort;
        let plan = planner.plan(query.filter, sort.as_ref().map(|(key, order)| (key, *order)))?;
        let mut listed = match &plan.access {
            Access::List { query: parameters } => self.listed(parameters, &plan, sort, window, query.resume, query.total).await?,
            access => {
                let found = self.gather(access).await?;
                let check = self.verifier(&plan).clone();
                self.sift(found, &check, sort, window).await?
            }
        };
        let wants_relation = self.relation().is_some_and(|relation| query.projection.wants(&relation));
        if wants_relation && !listed.attached {
            listed.resources = self.attach_all(listed.resources).await?;
        }
        for resource in &mut listed.resources {
            query.projection.apply(resource);
        }
        Ok(listed)
    }

    /// What every resource is held against. The whole filter, because a backend may ignore what it was sent; but a
    /// membership that the backend has looked up is not fetched again to be compared.
    fn verifier<'p, 's>(&self, plan: &'p Plan<'_, 's>) -> &'p Predicate<'s> {
        if self.needs_relation(&plan.filter) { &plan.residual } else { &plan.filter }
    }

    /// All resources that an access gives, each once.
    fn gather<'a>(&'a self, access: &'a Access<'_>) -> Pin<Box<dyn Future<Output = Result<Vec<Object>, Error>> + Send + 'a>> {
        Box::pin(async move {
            match access {
                Access::Nothing => Ok(Vec::new()),
                Access::Key(key) => Ok(self.fetch(key).await?.into_iter().map(|found| found.resource).collect()),
                Access::Lookup { lookup, value } => self.look_up(lookup, value.as_ref()).await,
                Access::GroupsOf { member, only } => self.groups(member, only.as_ref()).await,
                Access::List { query } => {
                    let list = self.list_call()?;
                    let mut found = Vec::new();
                    self.visit(list, query, |resource| found.push(resource)).await?;
                    Ok(found)
                }
                Access::Union(branches) => {
                    let mut found: Vec<Object> = Vec::new();
                    for branch in branches {
                        let more = self.gather(branch).await?;
                        let new = |resource: &Object| !found.iter().any(|known| known.get("id") == resource.get("id"));
                        let more: Vec<Object> = more.into_iter().filter(new).collect();
                        found.extend(more);
                    }
                    Ok(found)
                }
            }
        })
    }

    async fn look_up(&self, lookup: &Lookup, value: Option<&Value>) -> Result<Vec<Object>, Error> {
        let call = &lookup.call;
        let scope = Scope { value, ..Scope::default() };
        let body = match self.send(build(call, &scope, None, &[])?).await? {
            Outcome::Good(body) => body,
            Outcome::NotFound => return Ok(Vec::new()),
            other => return Err(unexpected(call, &other)),
        };
        match &lookup.answer {
            LookupAnswer::One(item) => {
                // `null` or an empty object where a record would be: nobody.
                let record = call.envelope.first(&body).and_then(|payload| item.first(payload));
                let nobody =
                    record.is_none_or(|record| record.is_null() || record.as_object().is_some_and(serde_json::Map::is_empty));
                if nobody { Ok(Vec::new()) } else { Ok(vec![self.record(call, item, &body)?.resource]) }
            }
            LookupAnswer::Rows(items) => {
                let rows = call.envelope.first(&body).map(|payload| items.all(payload)).unwrap_or_default();
                let row =
                    |row| self.resource_of(row).ok_or_else(|| unintelligible(call, "a row has no id: see `items` and `id`"));
                rows.into_iter().map(row).collect()
            }
        }
    }

    async fn groups(&self, key: &Value, only: Option<&Value>) -> Result<Vec<Object>, Error> {
        let mut keys = match &self.resource.members {
            Some(members) => self.groups_of(members, key).await?,
            None => Vec::new(),
        };
        keys.retain(|key| only.is_none_or(|only| key == only));
        futures_util::stream::iter(keys)
            .map(|key| async move { self.fetch(&key).await })
            .buffered(self.mapping().backend.concurrency)
            .try_filter_map(|found| async move { Ok(found.map(|found| found.resource)) })
            .try_collect()
            .await
    }

    fn list_call(&self) -> Result<&List, Error> {
        self.resource.list.as_ref().ok_or_else(|| {
            let name = &self.resource.kind.name;
            ScimError::status(501, format!("{name} resources cannot be listed here; `id eq \"...\"` finds one by its id.")).into()
        })
    }

    async fn listed(
        &self,
        query: &[(String, String)],
        plan: &Plan<'_, '_>,
        sort: Sort<'_>,
        window: Window,
        resume: Option<Resume>,
        total: bool,
    ) -> Result<Listed, Error> {
        let list = self.list_call()?;
        let check = self.verifier(plan);
        let served = match plan.serving(list, total) {
            Serving::Slice => self.slice(list, query, check, window).await?,
            Serving::Follow => self.follow(list, query, check, window, resume).await?,
            Serving::Walk => None,
        };
        match served {
            Some(listed) => Ok(listed),
            None => self.scan(list, query, check, sort.filter(|_| !plan.sorted), window).await,
        }
    }

    /// A window straight from the backend's own pages. `None` if a row does not match: then the backend ignores a
    /// parameter, and its total means something else.
    async fn slice(
        &self,
        list: &List,
        query: &[(String, String)],
        check: &Predicate<'_>,
        window: Window,
    ) -> Result<Option<Listed>, Error> {
        let source = Source::list(list);
        let Window { skip, count } = window;
        let unpaged = matches!(source.paging.by, PageBy::Nothing);
        let (first, size) = pages::covering(source.paging, window);
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let mut total;
        let mut index = first;
        let more = loop {
            let Some(page) = self.page(source, &Scope::default(), query, &Start::Index(index), size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.or(unpaged.then_some(rows.len() as u64));
            let begin = if unpaged { 0 } else { index * size };
            for (place, row) in (begin..).zip(&rows) {
                let resource = self.row(list, row)?;
                if !check.matches(&resource) {
                    return Ok(ignored(source.call));
                }
                if place >= skip && place < end {
                    resources.push(resource);
                }
            }
            let reached = begin.saturating_add(rows.len() as u64);
            let is_short = (rows.len() as u64) < size;
            match total {
                Some(total) if reached >= end || reached >= total => break end < total,
                Some(_) if is_short => return Err(short(source.call)),
                None if is_short => break reached > end,
                None if reached >= end => break true,
                _ => index += 1,
            }
        };
        let next = more.then_some(Resume { skip: end, page: None });
        Ok(Some(Listed { total, resources, attached: false, next }))
    }

    /// A window of a list whose pages lead from one to the next, where the backend tells the total. The place behind the
    /// window is kept, so that the next page of the client goes on from there.
    async fn follow(
        &self,
        list: &List,
        query: &[(String, String)],
        check: &Predicate<'_>,
        window: Window,
        resume: Option<Resume>,
    ) -> Result<Option<Listed>, Error> {
        let source = Source::list(list);
        let Window { skip, count } = window;
        let size = if count > 0 { count.min(source.paging.max) } else { 1 };
        let key = |skip: u64| self.key(query, &format!("{size}@{skip}"));
        let (mut start, mut place) = match (resume.and_then(|resume| resume.page), self.engine.kept.get(&key(skip))) {
            (Some(page), _) => page,
            (None, Some(Kept::Position(position))) if skip > 0 => (position.start.clone(), position.before),
            _ => (pages::first(source.paging), 0),
        };
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let mut total = None;
        for _ in 0..list.scan.calls {
            let Some(page) = self.page(source, &Scope::default(), query, &start, size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.or(total);
            let before = place;
            for row in &rows {
                let resource = self.row(list, row)?;
                if !check.matches(&resource) {
                    return Ok(ignored(source.call));
                }
                if place >= skip && place < end {
                    resources.push(resource);
                }
                place += 1;
            }
            let next = page.next.clone();
            if place >= end {
                let more = place > end || next.is_some();
                let (start, before) = match next {
                    Some(next) if place == end => (Start::Token(Some(next)), place),
                    _ => (start, before),
                };
                let next = more.then(|| Resume { skip: end, page: Some((start.clone(), before)) });
                self.engine.kept.put(key(end), Kept::Position(Arc::new(Position { start, before, keep: list.scan.keep })));
                return Ok(Some(Listed { total, resources, attached: false, next }));
            }
            match next {
                Some(next) => start = Start::Token(Some(next)),
                None => return Ok(Some(Listed { total, resources, attached: false, next: None })),
            }
        }
        Err(ScimError::new(
            crate::scim::ScimType::TooMany,
            "This page lies further in the list than one request may walk: read the pages one after the other, or filter.",
        )
        .into())
    }

    /// A walk through the whole list, for what the backend cannot filter, sort or count. The first page walks anew; later
    /// ones are served from its walk.
    async fn scan(
        &self,
        list: &List,
        query: &[(String, String)],
        check: &Predicate<'_>,
        sort: Sort<'_>,
        window: Window,
    ) -> Result<Listed, Error> {
        let order = sort.as_ref().map(|(key, order)| format!("{} {order:?}", key.target)).unwrap_or_default();
        let key = self.key(query, &format!("{check}\n{order}"));
        let end = window.skip.saturating_add(window.count);
        if let (true, Some(Kept::Walk(walk))) = (window.skip > 0, self.engine.kept.get(&key)) {
            let next = behind(end, walk.total());
            let resources = walk.slice(window.skip, window.count);
            return Ok(Listed { total: Some(walk.total()), resources, attached: false, next });
        }
        let needs_relation = self.needs_relation(check);
        let keeps_all = sort.is_some() || needs_relation;
        let keeps = !list.scan.keep.is_zero() && !needs_relation && !self.sorts_relation(sort.as_ref());
        let mut kept = keeps.then(|| Walk::new(list.scan.keep));
        let (mut total, mut resources) = (0, Vec::new());
        self.visit(list, query, |resource| {
            if !needs_relation && !check.matches(&resource) {
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
            let mut listed = self.sift(resources, check, sort, all).await?;
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
        Ok(Listed { total: Some(total), resources, attached: false, next: behind(end, total) })
    }

    /// Keeps a walk if there is a page behind the one that is served.
    fn keep(&self, key: String, walk: Option<Walk>, total: u64, end: u64) {
        if let Some(walk) = walk.filter(|_| total > end) {
            self.engine.kept.put(key, Kept::Walk(Arc::new(walk)));
        }
    }

    /// What is kept belongs to one query of one resource type since its last write.
    fn key(&self, query: &[(String, String)], more: &str) -> String {
        let epoch = self.engine.kept.epoch(self.place());
        format!("{} {epoch}\n{query:?}\n{more}", self.resource.kind.endpoint)
    }

    /// Visits every resource of the list once.
    async fn visit(&self, list: &List, query: &[(String, String)], mut each: impl FnMut(Object) + Send) -> Result<(), Error> {
        let source = Source::list(list);
        let exists = self
            .walk(source, &Scope::default(), query, &self.resource.id.path, |row| {
                each(self.row(list, row)?);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        if exists { Ok(()) } else { Err(unexpected(source.call, &Outcome::NotFound)) }
    }

    /// Those that match, in order, within the window.
    async fn sift(&self, mut found: Vec<Object>, check: &Predicate<'_>, sort: Sort<'_>, window: Window) -> Result<Listed, Error> {
        let filters_relation = self.needs_relation(check);
        let attached = filters_relation || self.sorts_relation(sort.as_ref());
        if !filters_relation {
            found.retain(|resource| check.matches(resource));
        }
        if attached {
            // Each takes a call at least.
            if let Some(list) = self.resource.list.as_ref().filter(|list| found.len() > list.scan.calls) {
                return Err(too_many(&Source::list(list)));
            }
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
        Ok(Listed { total: Some(total), resources: found.into_iter().skip(skip).take(count).collect(), attached, next })
    }

    fn needs_relation(&self, predicate: &Predicate<'_>) -> bool {
        let Some(relation) = self.relation() else { return false };
        let mut found = false;
        predicate.attributes(&mut |reference| found |= reference.same_attribute(&relation));
        found
    }

    fn sorts_relation(&self, sort: Option<&(SortKey<'_>, SortOrder)>) -> bool {
        sort.zip(self.relation()).is_some_and(|((key, _), relation)| key.target.same_attribute(&relation))
    }

    fn row(&self, list: &List, row: &Value) -> Result<Object, Error> {
        self.resource_of(row).ok_or_else(|| unintelligible(&list.call, "a row of the list has no id: see `items` and `id`"))
    }
}

/// Where the window behind another one begins, if anything is there.
fn behind(end: u64, total: u64) -> Option<Resume> {
    (end < total).then_some(Resume { skip: end, page: None })
}

/// The backend gave a row that the filter does not match.
fn ignored(call: &crate::mapping::model::Call) -> Option<Listed> {
    tracing::warn!(call = call.name, "the backend ignores a filter that the mapping calls exact");
    None
}
