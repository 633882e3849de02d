//! GET of one resource (RFC 7644 section 3.4.1).

use super::ports::Backend;
use super::{Error, Names, Operation, Reply};
use crate::scim::Object;
use crate::scim::etag::{self, Condition};
use crate::scim::filter::Predicate;
use crate::translate::lookup::Needed;
use crate::translate::write::key_of;

impl<B: Backend> Operation<'_, B> {
    pub(super) async fn read(&self, id: &str, names: &Names) -> Result<Reply, Error> {
        let projection = self.projection(names)?;
        let key = key_of(self.resource, id).ok_or_else(|| self.not_found(id))?;
        let needed = Needed::of(self.resource, &projection, &Predicate::True, None);
        let Some(mut found) = (Operation { needed, ..*self }).fetch(&key).await? else { return Err(self.not_found(id)) };
        let context = self.context;
        let version = version(&found.resource);
        let condition = etag::condition(context.if_match.as_deref(), context.if_none_match.as_deref(), version, true)?;
        if condition == Condition::NotModified {
            let version = version.map(str::to_owned);
            return Ok(Reply { status: 304, version, ..Reply::default() });
        }
        if self.relation().is_some_and(|relation| projection.wants(&relation)) && !self.attach(&mut found.resource).await? {
            return Err(self.not_found(id));
        }
        Ok(Reply::resource(200, found.resource, &projection))
    }

    /// If-Match and If-None-Match of a write, against the resource as it is.
    pub(super) fn check_version(&self, current: &Object) -> Result<(), Error> {
        let context = self.context;
        etag::condition(context.if_match.as_deref(), context.if_none_match.as_deref(), version(current), false)?;
        Ok(())
    }
}

fn version(resource: &Object) -> Option<&str> {
    resource.get("meta")?.get("version")?.as_str()
}
