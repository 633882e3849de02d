//! Queries (RFC 7644 section 3.4.2): of one resource type, and of all.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::fetch::{unexpected, unintelligible};
use super::ports::Backend;
use super::walk::Source;
use super::{Context, Engine, Error, Operation, Reply};
use crate::mapping::model::List;
use crate::mapping::template::Scope;
use crate::scim::filter::{self, Predicate};
use crate::scim::messages::{SearchRequest, SortOrder, list_response};
use crate::scim::sort::SortKey;
use crate::scim::{Object, Projection, ScimError};
use crate::translate::query::{self, Access};

/// The part of the matching resources that is asked for.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Resources before it.
    skip: u64,
    count: u64,
}

/// What a query found.
struct Listed {
    total: u64,
    /// Those within the window.
    resources: Vec<Object>,
}

/// A query of one resource type, checked.
struct Query<'s> {
    filter: Predicate<'s>,
    sort: Option<(SortKey<'s>, SortOrder)>,
    projection: Projection<'s>,
}

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
        let most = self.offer.max_results as u64;
        let start = search.start_index.and_then(|start| u64::try_from(start).ok()).unwrap_or(1).max(1);
        let count = search.count.map_or(most, |count| u64::try_from(count).unwrap_or(0).min(most));
        Window { skip: start - 1, count }
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
        let plan = query::plan(self.mapping(), self.resource, query.filter)?;
        let wants_relation = self.relation().is_some_and(|relation| query.projection.wants(&relation));
        let (listed, attached) = match plan.access {
            Access::Nothing => (Listed { total: 0, resources: Vec::new() }, true),
            Access::Key(key) => {
                let found = self.fetch(&key).await?.into_iter().map(|found| found.resource).collect();
                self.sift(found, &plan.residual, query.sort, window).await?
            }
            Access::GroupsOf(key) => {
                let keys = match &self.resource.members {
                    Some(members) => self.groups_of(members, &key).await?,
                    None => Vec::new(),
                };
                let concurrency = self.mapping().backend.concurrency;
                let found: Vec<Object> = futures_util::stream::iter(keys)
                    .map(|key| async move { self.fetch(&key).await })
                    .buffered(concurrency)
                    .try_filter_map(|found| async move { Ok(found.map(|found| found.resource)) })
                    .try_collect()
                    .await?;
                self.sift(found, &plan.residual, query.sort, window).await?
            }
            Access::List { query: parameters, .. } => {
                let list = self.resource.list.as_ref().ok_or_else(|| {
                    let name = &self.resource.kind.name;
                    ScimError::status(501, format!("{name} resources cannot be listed here; `id eq \"...\"` finds one by its id."))
                })?;
                if plan.residual == Predicate::True && query.sort.is_none() && Source::list(list).tells_total() {
                    (self.slice(list, &parameters, window).await?, false)
                } else {
                    self.scan(list, &parameters, &plan.residual, query.sort, window).await?
                }
            }
        };
        let mut resources = listed.resources;
        if wants_relation && !attached {
            resources = self.attach_all(resources).await?;
        }
        for resource in &mut resources {
            query.projection.apply(resource);
        }
        Ok(Listed { total: listed.total, resources })
    }

    /// A window straight from the backend's own pages.
    async fn slice(&self, list: &List, query: &[(String, String)], window: Window) -> Result<Listed, Error> {
        let source = Source::list(list);
        let Window { skip, count } = window;
        // Pages of the window's own size if it stands on one, else the backend's largest: two calls at most for what fits in one.
        let size = match source.max() {
            None => u64::MAX,
            Some(max) if count > 0 && count <= max && skip % count == 0 => count,
            Some(max) if count == 0 => max.min(1),
            Some(max) => max,
        };
        let first = if count == 0 || size == u64::MAX { 0 } else { skip / size };
        let mut resources = Vec::new();
        let mut total = 0;
        for index in first.. {
            let Some(page) = self.page(source, &Scope::default(), query, index, size).await? else {
                return Err(unexpected(source.call, &crate::translate::outcome::Outcome::NotFound));
            };
            let rows = page.rows();
            total = page.total.unwrap_or(rows.len() as u64);
            let start = if size == u64::MAX { 0 } else { index * size };
            for (place, row) in (start..).zip(&rows) {
                if place >= skip && place < skip.saturating_add(count) {
                    resources.push(self.row(list, row)?);
                }
            }
            let end = start.saturating_add(rows.len() as u64);
            if end >= skip.saturating_add(count) || end >= total || rows.is_empty() {
                break;
            }
        }
        Ok(Listed { total, resources })
    }

    /// A walk through the whole list, for what the backend cannot filter, sort or count.
    async fn scan(
        &self,
        list: &List,
        query: &[(String, String)],
        residual: &Predicate<'_>,
        sort: Option<(SortKey<'_>, SortOrder)>,
        window: Window,
    ) -> Result<(Listed, bool), Error> {
        let source = Source::list(list);
        let needs_relation = self.needs_relation(residual);
        let keeps_all = sort.is_some() || needs_relation;
        let (mut total, mut resources) = (0, Vec::new());
        let exists = self
            .walk(source, &Scope::default(), query, &self.resource.id.path, |row| {
                let resource = self.row(list, row)?;
                if needs_relation || residual.matches(&resource) {
                    if keeps_all || (total >= window.skip && total < window.skip.saturating_add(window.count)) {
                        resources.push(resource);
                    }
                    total += 1;
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        if !exists {
            return Err(unexpected(source.call, &crate::translate::outcome::Outcome::NotFound));
        }
        if keeps_all { self.sift(resources, residual, sort, window).await } else { Ok((Listed { total, resources }, false)) }
    }

    /// Those that match, in order, within the window; and whether relations were attached on the way.
    async fn sift(
        &self,
        mut found: Vec<Object>,
        residual: &Predicate<'_>,
        sort: Option<(SortKey<'_>, SortOrder)>,
        window: Window,
    ) -> Result<(Listed, bool), Error> {
        let attached = self.needs_relation(residual);
        if attached {
            found = self.attach_all(found).await?;
        }
        found.retain(|resource| residual.matches(resource));
        if let Some((key, order)) = sort {
            found.sort_by(|a, b| key.compare(a, b, order));
        }
        let total = found.len() as u64;
        let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
        let count = usize::try_from(window.count).unwrap_or(usize::MAX);
        Ok((Listed { total, resources: found.into_iter().skip(skip).take(count).collect() }, attached))
    }

    fn needs_relation(&self, predicate: &Predicate<'_>) -> bool {
        let Some(relation) = self.relation() else { return false };
        let mut found = false;
        predicate.attributes(&mut |reference| found |= reference.same_attribute(&relation));
        found
    }

    fn row(&self, list: &List, row: &Value) -> Result<Object, Error> {
        self.resource_of(row).ok_or_else(|| unintelligible(&list.call, "a row of the list has no id: see `items` and `id`"))
    }
}
