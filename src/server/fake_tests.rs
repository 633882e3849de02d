//! A service for tests: it remembers what it was asked and answers by the id.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use super::Service;
use crate::engine::{Context, Error, Reply, ScimRequest};
use crate::scim::{ScimError, ScimType};
use crate::translate::outcome::{Fault, FaultClass};

pub(crate) struct Fake {
    endpoints: Vec<String>,
    pub(crate) asked: Mutex<Vec<(Context, ScimRequest)>>,
    /// A permit for each operation on the id `slow` that was begun.
    pub(crate) begun: Semaphore,
    /// Operations on the id `slow` wait for a permit of this.
    pub(crate) gate: Semaphore,
    pub(crate) finished: AtomicUsize,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            endpoints: vec!["/Users".to_owned(), "/Groups".to_owned()],
            asked: Mutex::default(),
            begun: Semaphore::new(0),
            gate: Semaphore::new(0),
            finished: AtomicUsize::new(0),
        }
    }

    pub(crate) fn take(&self) -> Vec<(Context, ScimRequest)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    async fn on(&self, id: &str, reply: Reply) -> Result<Reply, Error> {
        let fault = |class, retry_after| Fault {
            class,
            call: "User.get".to_owned(),
            detail: "http://10.0.0.7/internal said SECRET-DETAIL".to_owned(),
            retry_after,
        };
        match id {
            "slow" => {
                self.begun.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
                self.finished.fetch_add(1, Ordering::SeqCst);
                Ok(reply)
            }
            "missing" => Err(ScimError::not_found("There is no User missing.").into()),
            "taken" => Err(ScimError::new(ScimType::Uniqueness, "The userName is taken.").into()),
            "stale" => Err(ScimError::status(412, "The version is not the current one.").into()),
            "lie" => Err(ScimError::status(200, "An error with a success for a status.").into()),
            "down" => Err(fault(FaultClass::Unreachable, None).into()),
            "late" => Err(fault(FaultClass::TimedOut, None).into()),
            "busy" => Err(fault(FaultClass::Overloaded, Some(Duration::from_millis(16_500))).into()),
            "failed" => Err(fault(FaultClass::Failed, None).into()),
            "locked-out" => Err(fault(FaultClass::Unauthorized, None).into()),
            "gibberish" => Err(fault(FaultClass::Unintelligible, None).into()),
            "half" => Err(Error::Backend { fault: fault(FaultClass::Failed, None), left: vec!["User 7".to_owned()] }),
            "mapping" => Err(Error::mapping("SECRET-DETAIL")),
            "gateway" => Err(Error::gateway("SECRET-DETAIL")),
            "panic" => panic!("SECRET-DETAIL"),
            "unchanged" => {
                Ok(Reply { status: 304, body: None, location: None, version: Some("W/\"1\"".to_owned()), adopted: false })
            }
            "teapot" => Ok(Reply { status: 418, ..reply }),
            "split" => Ok(Reply { version: Some("W/\"1\"\r\nx: y".to_owned()), ..reply }),
            _ => Ok(reply),
        }
    }
}

impl Service for Fake {
    async fn call(&self, context: Context, request: ScimRequest) -> Result<Reply, Error> {
        self.asked.lock().unwrap().push((context, request.clone()));
        let ok = |status: u16| Reply {
            status,
            body: Some(json!({"id": "1", "userName": "bjensen"})),
            location: Some("https://example.com/v2/Users/1".to_owned()),
            version: Some("W/\"1\"".to_owned()),
            adopted: false,
        };
        match request {
            ScimRequest::Create { body, .. } => {
                let id = body.get("userName").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
                self.on(&id, ok(201)).await
            }
            ScimRequest::Delete { id, .. } => self.on(&id, Reply { status: 204, ..Reply::default() }).await,
            ScimRequest::Read { id, .. } | ScimRequest::Replace { id, .. } | ScimRequest::Patch { id, .. } => {
                self.on(&id, ok(200)).await
            }
            _ => Ok(Reply { status: 200, body: Some(json!({"totalResults": 0})), ..Reply::default() }),
        }
    }

    fn endpoints(&self) -> &[String] {
        &self.endpoints
    }
}
