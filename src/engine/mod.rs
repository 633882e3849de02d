//! The engine runs plans: one file per SCIM operation, against the ports it declares.

mod adopt;
mod batch;
mod bulk;
mod circle;
mod create;
mod cursor;
mod delete;
mod discovery;
pub mod error;
mod fetch;
mod kept;
mod list;
mod locks;
mod member_records;
mod membership;
mod patch;
pub mod ports;
mod random;
mod read;
mod relation;
mod replace;
pub mod request;
mod results;
mod sides;
mod tables;
mod update;
mod walk;
mod whole;
mod window;

use std::sync::Arc;

use serde_json::Value;

pub use discovery::Offer;
pub use error::Error;
pub use request::{Context, Names, Reply, ScimRequest};

use crate::mapping::Mapping;
use crate::mapping::model::Resource;
use crate::scim::{Object, Projection, ScimError};
use crate::telemetry::audit;
use crate::translate::lookup::Needed;
use cursor::Cursors;
use kept::Keeper;
use locks::{Held, Locks, Name};
use ports::{Backend, System};
use tables::Shelf;

/// Performs SCIM operations on a backend by a mapping.
#[derive(Debug)]
pub struct Engine<B> {
    mapping: Mapping,
    backend: B,
    offer: Offer,
    endpoints: Vec<String>,
    kept: Keeper,
    cursors: Cursors,
    locks: Arc<Locks>,
    shelf: Shelf,
    system: Arc<dyn System>,
}

/// One operation on one resource type: what all its steps need.
pub(in crate::engine) struct Operation<'e, B> {
    pub(in crate::engine) engine: &'e Engine<B>,
    pub(in crate::engine) context: &'e Context,
    pub(in crate::engine) resource: &'e Resource,
    /// The tables of names that are needed: those that are asked for by a read, all for a write.
    pub(in crate::engine) needed: Needed,
}

impl<B> Clone for Operation<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Operation<'_, B> {}

// === impl Engine ===

impl<B: Backend> Engine<B> {
    pub fn new(mapping: Mapping, backend: B, system: impl System, offer: Offer) -> Self {
        let kept = Keeper::new(mapping.resources.len());
        Self::with(mapping, backend, offer, kept, Arc::default(), Arc::new(system))
    }

    /// An engine that takes the place of this one, with another mapping. Requests that run go on here, so the two share who
    /// writes what; of what is kept between requests nothing goes over, as it is in the form of this mapping.
    #[must_use]
    pub fn after(&self, mapping: Mapping, backend: B) -> Self {
        let kept = self.kept.after(mapping.resources.len());
        Self::with(mapping, backend, self.offer.clone(), kept, Arc::clone(&self.locks), Arc::clone(&self.system))
    }

    fn with(mapping: Mapping, backend: B, offer: Offer, kept: Keeper, locks: Arc<Locks>, system: Arc<dyn System>) -> Self {
        let endpoints = mapping.resources.iter().map(|resource| resource.kind.endpoint.clone()).collect();
        let cursors = Cursors::new(&mapping);
        let shelf = Shelf::new(mapping.lookups.len());
        Self { mapping, backend, offer, endpoints, kept, cursors, locks, shelf, system }
    }

    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The endpoints of the resource types.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Performs one operation.
    pub async fn call(&self, context: &Context, request: ScimRequest) -> Result<Reply, Error> {
        match request {
            ScimRequest::ServiceProviderConfig => Ok(Reply::ok(self.service_provider_config(context))),
            ScimRequest::ResourceTypes { name } => Ok(Reply::ok(self.resource_types(context, name.as_deref())?)),
            ScimRequest::Schemas { id } => Ok(Reply::ok(self.schemas(context, id.as_deref())?)),
            ScimRequest::Read { endpoint, id, names } => self.at(context, &endpoint)?.read(&id, &names).await,
            ScimRequest::List { endpoint: Some(endpoint), search } => self.at(context, &endpoint)?.list(&search).await,
            ScimRequest::List { endpoint: None, search } => self.list_all(context, &search).await,
            ScimRequest::Bulk { job } => Ok(self.bulk(context, job).await),
            write => self.write(context, write).await,
        }
    }

    /// A write of one resource, alone or within a Bulk.
    async fn write(&self, context: &Context, request: ScimRequest) -> Result<Reply, Error> {
        let written = request.endpoint().map(|endpoint| self.related(endpoint)).unwrap_or_default();
        for place in &written {
            self.kept.written(*place);
        }
        let about = request.endpoint().and_then(|endpoint| self.mapping.at(endpoint)).map(|resource| &resource.kind.name);
        let id = request.id().map(str::to_owned);
        let reply = self.write_one(context, request).await;
        if let Err(error) = &reply
            && let Some(left) = error.left()
        {
            audit::left_behind(about.map_or("", String::as_str), id.as_deref(), left);
        }
        for place in &written {
            self.kept.written(*place);
        }
        reply
    }

    /// The resource types that a write of this one may change: itself, and those it is in a relation with.
    fn related(&self, endpoint: &str) -> Vec<usize> {
        let Some(place) = self.endpoints.iter().position(|known| known == endpoint) else { return Vec::new() };
        let resource = self.mapping.resources.get(place);
        let members = resource.and_then(|resource| resource.members.as_ref()).map(|members| members.of);
        let groups = resource.and_then(|resource| resource.groups);
        std::iter::once(place).chain(members).chain(groups).collect()
    }

    async fn write_one(&self, context: &Context, request: ScimRequest) -> Result<Reply, Error> {
        match request {
            ScimRequest::Create { endpoint, body, names } => self.at(context, &endpoint)?.create(body, &names).await,
            ScimRequest::Replace { endpoint, id, body, names } => {
                let operation = self.at(context, &endpoint)?;
                let _turn = operation.turn(&id).await?;
                operation.replace(&id, body, &names).await
            }
            ScimRequest::Patch { endpoint, id, body, names } => {
                let operation = self.at(context, &endpoint)?;
                let _turn = operation.turn(&id).await?;
                operation.patch(&id, body, &names).await
            }
            ScimRequest::Delete { endpoint, id } => {
                let operation = self.at(context, &endpoint)?;
                let _turn = operation.turn(&id).await?;
                operation.delete(&id).await
            }
            _ => Err(Error::gateway("not a write")),
        }
    }

    fn at<'e>(&'e self, context: &'e Context, endpoint: &str) -> Result<Operation<'e, B>, Error> {
        let Some(resource) = self.mapping.at(endpoint) else {
            return Err(ScimError::not_found(format!(
                "There is no endpoint {endpoint}; there are {}.",
                self.endpoints.join(", ")
            ))
            .into());
        };
        Ok(Operation { engine: self, context, resource, needed: Needed::ALL })
    }
}

// === impl Operation ===

impl<'e, B: Backend> Operation<'e, B> {
    fn mapping(&self) -> &'e Mapping {
        &self.engine.mapping
    }

    /// The place of the resource type in the mapping.
    fn place(&self) -> usize {
        self.engine.endpoints.iter().position(|endpoint| *endpoint == self.resource.kind.endpoint).unwrap_or_default()
    }

    /// Waits for the turn of a write of this resource.
    async fn turn(&self, id: &str) -> Result<Held<'e>, Error> {
        let name = Name::Id { endpoint: self.resource.kind.endpoint.clone(), id: id.to_owned() };
        self.engine.locks.hold(&*self.engine.system, name).await
    }

    /// Waits for the turn of a creation of this name: it stands for the resource that is yet to be.
    async fn turn_of_name(&self, name: &str) -> Result<Held<'e>, Error> {
        let name = Name::New { endpoint: self.resource.kind.endpoint.clone(), name: name.to_owned() };
        self.engine.locks.hold(&*self.engine.system, name).await
    }

    fn projection(&self, names: &Names) -> Result<Projection<'e>, Error> {
        Ok(Projection::new(&names.attributes, &names.excluded, &self.resource.kind, self.context.profile)?)
    }

    fn not_found(&self, id: &str) -> Error {
        self.resource.not_found(id).into()
    }
}

// === impl Reply ===

impl Reply {
    /// The answer with a whole resource.
    fn resource(status: u16, mut resource: Object, projection: &Projection<'_>) -> Self {
        let text = |name: &str| resource.get("meta")?.get(name)?.as_str().map(str::to_owned);
        let (location, version) = (text("location"), text("version"));
        projection.apply(&mut resource);
        Self { status, body: Some(Value::Object(resource)), location, version, adopted: false }
    }

    fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), ..Self::default() }
    }
}
