//! Queries (RFC 7644 section 3.4.2): of one resource type, and of all.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::fetch::{build, unexpected, unintelligible};
use super::kept::{Kept, Position, Walk};
use super::ports::Backend;
use super::walk::{Source, short, too_many};
use super::{Context, Engine, Error, Operation, Reply};
use crate::mapping::model::{List, Lookup, LookupAnswer, PageBy};
use crate::mapping::template::Scope;
use crate::scim::filter::{self, Predicate};
use crate::scim::messages::{SearchRequest, SortOrder, list_response};
use crate::scim::sort::SortKey;
use crate::scim::{Object, Projection, ScimError};
use crate::translate::outcome::Outcome;
use crate::translate::pages::{self, Start, Window};
use crate::translate::query::{Access, Plan, Planner, Serving};

/// What a query found.
struct Listed {
    total: u64,
    /// Those within the window.
    resources: Vec<Object>,
    /// Whether relations are in them.
    attached: bool,
}

/// A query of one resource type, checked.
struct Query<'s> {
    filter: Predicate<'s>,
    sort: Option<(SortKey<'s>, SortOrder)>,
    projection: Projection<'s>,
}

type Sort<'s> = Option<(SortKey<'s>, SortOrder)>;

impl<B: Backend> Engine<B> {
    /// A query of all resource types (section 3.4.2.1): one type after the other, in the order of the mapping. An
    /// attribute that a type does not have has no value there.
    pub(super) async fn list_all(&self, context: &Context, search: &SearchRequest) -> Result<Reply, Error> {
        let window = self.window(search);
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
            let listed = operation.find(Query { filter, sort: None, projection }, left).await?;
            total += listed.total;
            left.count -= (listed.resources.len() as u64).min(left.count);
            left.skip = left.skip.saturating_sub(listed.total);
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
        let window = self.engine.window(search);
        let listed = self.find(Query { filter, sort, projection }, window).await?;
        Ok(Reply::ok(list_response(listed.total, window.skip + 1, listed.resources.into_iter().map(Value::Object).collect())))
    }

    async fn find(&self, query: Query<'_>, window: Window) -> Result<Listed, Error> {
        let planner = Planner { mapping: self.mapping(), resource: self.resource, base_url: &self.context.base_url };
        let sort = query.sort;
        let plan = planner.plan(query.filter, sort.as_ref().map(|(key, order)| (key, *order)))?;
        let mut listed = match &plan.access {
            Access::List { query: parameters } => self.listed(parameters, &plan, sort, window).await?,
            access => {
                let check = self.verifier(&plan);
                let found = self.gather(access, &check).await?;
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
    fn verifier<'s>(&self, plan: &Plan<'_, 's>) -> Predicate<'s> {
        if self.needs_relation(&plan.filter) {
            Predicate::and([self.without_relation(&plan.filter), plan.residual.clone()])
        } else {
            plan.filter.clone()
        }
    }

    /// What of a filter can be told without the relation: a row that fails it needs no call.
    fn without_relation<'s>(&self, predicate: &Predicate<'s>) -> Predicate<'s> {
        match predicate {
            Predicate::And(conjuncts) => {
                Predicate::and(conjuncts.iter().filter(|conjunct| !self.needs_relation(conjunct)).cloned())
            }
            one if self.needs_relation(one) => Predicate::True,
            one => one.clone(),
        }
    }

    /// All resources that an access gives, each once; of lists only those that can match.
    fn gather<'a>(
        &'a self,
        access: &'a Access<'_>,
        check: &'a Predicate<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Object>, Error>> + Send + 'a>> {
        Box::pin(async move {
            match access {
                Access::Nothing => Ok(Vec::new()),
                Access::Key(key) => Ok(self.fetch(key).await?.into_iter().map(|found| found.resource).collect()),
                Access::Lookup { lookup, value } => self.look_up(lookup, value.as_ref()).await,
                Access::GroupsOf { member, only } => self.groups(member, only.as_ref()).await,
                Access::List { query } => {
                    let list = self.list_call()?;
                    let mut found = Vec::new();
                    let told = self.without_relation(check);
                    self.visit(list, query, |resource| {
                        if told.matches(&resource) {
                            found.push(resource);
                        }
                    })
                    .await?;
                    Ok(found)
                }
                Access::Union(branches) => {
                    let mut found: Vec<Object> = Vec::new();
                    let mut known = HashSet::new();
                    for branch in branches {
                        let more = self.gather(branch, check).await?;
                        found.extend(more.into_iter().filter(|resource| {
                            resource.get("id").and_then(Value::as_str).is_some_and(|id| known.insert(id.to_owned()))
                        }));
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
            Error::Mapping(format!("{} has no `list`: describe the call that lists them", self.resource.kind.name))
        })
    }

    async fn listed(
        &self,
        query: &[(String, String)],
        plan: &Plan<'_, '_>,
        sort: Sort<'_>,
        window: Window,
    ) -> Result<Listed, Error> {
        let list = self.list_call()?;
        let check = &self.verifier(plan);
        let served = match plan.serving(list) {
            Serving::Slice => self.slice(list, query, check, window).await?,
            Serving::Follow => self.follow(list, query, check, window).await?,
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
        let (mut begin, size) = pages::covering(source.paging, window);
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let total = loop {
            let Some(page) = self.page(source, &Scope::default(), query, &Start::Row(begin), size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            let total = page.total.unwrap_or(rows.len() as u64);
            // It does not heed the page size: which rows these are, is not known.
            if begin > 0 && begin < total && rows.len() as u64 > size.min(total - begin) {
                return Ok(None);
            }
            for (place, row) in (begin..).zip(&rows) {
                let resource = self.row(list, row)?;
                if !check.matches(&resource) {
                    return Ok(ignored(source.call));
                }
                // Behind its end a backend may give its last page again.
                if place >= skip && place < end && place < total {
                    resources.push(resource);
                }
            }
            let reached = begin.saturating_add(rows.len() as u64);
            if unpaged || count == 0 || reached >= end || reached >= total {
                break total;
            }
            if (rows.len() as u64) < size {
                return Err(short(source.call));
            }
            // Page after page holds a row at least, and ends with the window.
            begin = reached;
        };
        Ok(Some(Listed { total, resources, attached: false }))
    }

    /// A window of a list whose pages lead from one to the next, where the backend tells the total. The place behind the
    /// window is kept, so that the next page of the client goes on from there.
    async fn follow(
        &self,
        list: &List,
        query: &[(String, String)],
        check: &Predicate<'_>,
        window: Window,
    ) -> Result<Option<Listed>, Error> {
        let source = Source::list(list);
        let Window { skip, count } = window;
        let small = count.clamp(1, source.paging.max.max(1));
        let key = |skip: u64| self.key(query, &format!("{small}@{skip}"));
        let (mut start, mut place) = match self.engine.kept.get(&key(skip)) {
            Some(Kept::Position(position)) if skip > 0 => (position.start.clone(), position.before),
            _ => (pages::first(source.paging), 0),
        };
        // A long way to the window goes in the largest steps.
        let size = if count > 0 && place + small < skip { source.paging.max } else { small };
        let end = skip.saturating_add(count);
        let mut resources = Vec::new();
        let mut total = 0;
        for _ in 0..list.scan.calls {
            let Some(page) = self.page(source, &Scope::default(), query, &start, size).await? else {
                return Err(unexpected(source.call, &Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.unwrap_or(total);
            if count == 0 {
                return Ok(Some(Listed { total, resources, attached: false }));
            }
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
                let (start, before) = match next {
                    Some(next) if place == end => (Start::Token(Some(next)), place),
                    _ => (start, before),
                };
                self.engine.kept.put(key(end), Kept::Position(Arc::new(Position { start, before, keep: list.scan.keep })));
                return Ok(Some(Listed { total, resources, attached: false }));
            }
            match next {
                Some(next) if place < total => start = Start::Token(Some(next)),
                // Behind the end, or a last page that names itself as the next one.
                _ => return Ok(Some(Listed { total, resources, attached: false })),
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
        if let (true, Some(Kept::Walk(walk))) = (window.skip > 0, self.engine.kept.get(&key)) {
            return Ok(Listed { total: walk.total(), resources: walk.slice(window.skip, window.count), attached: false });
        }
        let needs_relation = self.needs_relation(check);
        let keeps_all = sort.is_some() || needs_relation;
        let keeps = !list.scan.keep.is_zero() && !needs_relation && !self.sorts_relation(sort.as_ref());
        let end = window.skip.saturating_add(window.count);
        let mut kept = keeps.then(|| Walk::new(list.scan.keep));
        let (mut total, mut resources) = (0, Vec::new());
        let told = self.without_relation(check);
        self.visit(list, query, |resource| {
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
            let mut listed = self.sift(resources, check, sort, all).await?;
            if kept.as_mut().is_some_and(|walk| !listed.resources.iter().all(|resource| walk.push(resource))) {
                kept = None;
            }
            let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
            let count = usize::try_from(window.count).unwrap_or(usize::MAX);
            listed.resources = listed.resources.into_iter().skip(skip).take(count).collect();
            total = listed.total;
            self.keep(key, kept, total, end);
            return Ok(listed);
        }
        self.keep(key, kept, total, end);
        Ok(Listed { total, resources, attached: false })
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
        // Locations begin with the base URL, which may follow the request.
        format!("{}{} {epoch}\n{query:?}\n{more}", self.context.base_url, self.resource.kind.endpoint)
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
        let told = self.without_relation(check);
        found.retain(|resource| told.matches(resource));
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
        Ok(Listed { total, resources: found.into_iter().skip(skip).take(count).collect(), attached })
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

/// The backend gave a row that the filter does not match.
fn ignored(call: &crate::mapping::model::Call) -> Option<Listed> {
    tracing::warn!(call = call.name, "the backend ignores a filter that the mapping calls exact");
    None
}
