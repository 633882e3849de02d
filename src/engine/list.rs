//! Queries (RFC 7644 section 3.4.2): of one resource type, and of all.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::pin::Pin;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::cursor::Resume;
use super::fetch::{build, unexpected, unintelligible};
use super::ports::Backend;
use super::walk::{Source, too_many};
use super::window::Wanted;
use super::{Context, Engine, Error, Operation, Reply};
use crate::mapping::model::{List, Lookup, LookupAnswer, Target};
use crate::mapping::template::Scope;
use crate::scim::filter::{self, Predicate};
use crate::scim::messages::{SearchRequest, SortOrder, cursor_response, list_response};
use crate::scim::sort::SortKey;
use crate::scim::{Object, Projection, ScimError};
use crate::translate::call::More;
use crate::translate::details::{Details, details};
use crate::translate::lookup::Needed;
use crate::translate::outcome::Outcome;
use crate::translate::pages::Window;
use crate::translate::query::{Access, Plan, Planner, Serving};
use crate::translate::read::id_of;

/// What a query found.
pub(super) struct Listed {
    /// Told by the backend or counted; nothing if a query by cursor found it not worth a walk.
    pub(super) total: Option<u64>,
    /// Those within the window.
    pub(super) resources: Vec<Object>,
    /// Whether relations are in them.
    pub(super) attached: bool,
    /// Whether everything is in them that only a detail call tells.
    pub(super) detailed: bool,
    /// Where the next window begins; nothing if there is none.
    pub(super) next: Option<Resume>,
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

pub(super) type Sort<'s> = Option<(SortKey<'s>, SortOrder)>;

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
            let operation = Operation { engine: self, context, resource, needed: Needed::ALL };
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

    /// Those whose attribute has that value; two at the most are looked for.
    pub(super) async fn find_equal(&self, target: &Target, value: &Value) -> Result<Vec<Object>, Error> {
        let (kind, profile) = (&self.resource.kind, self.context.profile);
        let filter = filter::parse(&format!("{target} eq {value}"), profile)?.check(kind, profile)?;
        let projection = Projection::new(&["id".to_owned()], &[], kind, profile)?;
        let query = Query { filter, sort: None, projection, resume: None, total: false };
        Ok(self.find(query, Window { skip: 0, count: 2 }).await?.resources)
    }

    async fn find(&self, query: Query<'_>, window: Window) -> Result<Listed, Error> {
        let sort = query.sort.as_ref().map(|(key, _)| key);
        let needed = Needed::of(self.resource, &query.projection, &query.filter, sort);
        Operation { needed, ..*self }.find_needed(query, window).await
    }

    async fn find_needed(&self, query: Query<'_>, window: Window) -> Result<Listed, Error> {
        let tables = self.tables_of(&query.filter).await?;
        let planner =
            Planner { mapping: self.mapping(), tables: &tables, resource: self.resource, base_url: &self.context.base_url };
        let sort = query.sort;
        let plan = planner.plan(query.filter, sort.as_ref().map(|(key, order)| (key, *order)))?;
        let check = &self.verifier(&plan);
        // What the backend has sorted is not sorted again.
        let sort = sort.filter(|_| !plan.sorted);
        let details = match &plan.access {
            access if access.gives_rows() => {
                details(self.mapping(), self.resource, check, sort.as_ref().map(|(key, _)| key), &query.projection)
            }
            _ => Details::default(),
        };
        let mut listed = match &plan.access {
            Access::List { more } => {
                let list = self.list_call()?;
                let wanted = Wanted { list, more, check, sort, window, details };
                let served = match plan.serving(list, query.total) {
                    Serving::Slice => self.slice(&wanted).await?,
                    Serving::Follow => self.follow(&wanted, query.resume).await?,
                    Serving::Walk => None,
                };
                match served {
                    Some(listed) => listed,
                    None => self.scan(&wanted).await?,
                }
            }
            access => {
                let found = self.gather(access, check).await?;
                self.sift(found, check, sort, window, details).await?
            }
        };
        if details.rows && !listed.detailed {
            listed.resources = self.detail_all(listed.resources).await?;
        }
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

    /// All resources that an access gives, each once.
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
                Access::List { more } => {
                    let list = self.list_call()?;
                    let mut found = Vec::new();
                    // A backend that ignores the parameters gives everybody: who cannot match is not held.
                    let told = self.told_by_rows(check);
                    self.visit(list, more, |resource| {
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
                        if let Some(list) = self.resource.list.as_ref().filter(|list| found.len() + more.len() > list.scan.rows) {
                            return Err(too_many(&Source::list(list)));
                        }
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
        let item = match &lookup.answer {
            LookupAnswer::One(item) => item,
            LookupAnswer::Rows { items, paging } => {
                let list = self.list_call()?;
                let mut found = Vec::new();
                // What does not exist has no rows.
                let source = Source::lookup(call, items, paging, list);
                self.walk(source, &scope, &More::default(), &self.resource.id.path, |row| {
                    found.extend(self.row(list, row)?);
                    Ok(ControlFlow::Continue(()))
                })
                .await?;
                return Ok(found);
            }
        };
        let body = match self.send(build(call, &scope, None)?).await? {
            Outcome::Good(body) => body,
            Outcome::NotFound => return Ok(Vec::new()),
            Outcome::Refused(error) => return Err(error.into()),
            other => return Err(unexpected(call, &other)),
        };
        // An answer that says nothing about records must not become nobody: an identity provider would create them again.
        let lost = || {
            unintelligible(call, "the answer holds no record, nor says that there is none: see `envelope`, `item` and `items`")
        };
        let payload = call.envelope.first(&body).ok_or_else(lost)?;
        let record = item.first(payload).ok_or_else(lost)?;
        // `null` or an empty object where a record would be: nobody.
        let nobody = record.is_null() || record.as_object().is_some_and(serde_json::Map::is_empty);
        if nobody || self.is_gone(record) {
            return Ok(Vec::new());
        }
        Ok(vec![self.record(call, item, &body, None).await?.resource])
    }

    async fn groups(&self, key: &Value, only: Option<&Value>) -> Result<Vec<Object>, Error> {
        let mut keys = match &self.resource.members {
            Some(members) => self.groups_of(members, key).await?,
            None => Vec::new(),
        };
        // Compared as ids: some backends write the same key now as a number, now as a text.
        let is_asked = |key: &Value| only.is_none_or(|only| id_of(self.resource, key) == id_of(self.resource, only));
        keys.retain(is_asked);
        if let Some(list) = self.resource.list.as_ref().filter(|list| keys.len() > list.scan.calls) {
            return Err(too_many(&Source::list(list)));
        }
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
}
