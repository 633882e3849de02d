use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

/// A clock whose waits never end, or end at once.
#[derive(Debug)]
struct Clock {
    ends: bool,
}

impl System for Clock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if self.ends { Box::pin(ready(())) } else { Box::pin(pending()) }
    }

    fn random(&self, _: &mut [u8]) -> bool {
        false
    }
}

const PATIENT: Clock = Clock { ends: false };

fn name(endpoint: &str, id: &str) -> Name {
    Name::Id { endpoint: endpoint.to_owned(), id: id.to_owned() }
}

#[tokio::test]
async fn writers_of_one_resource_come_one_after_the_other_in_their_order() {
    let (locks, order) = (Locks::default(), Mutex::new(Vec::new()));
    let writers = (0..20).map(|number| {
        let (locks, order) = (&locks, &order);
        async move {
            let _held = locks.hold(&PATIENT, name("/Users", "7")).await.unwrap();
            order.lock().unwrap().push(number);
            tokio::task::yield_now().await;
            order.lock().unwrap().push(number);
        }
    });
    join_all(writers).await;
    let expected: Vec<i32> = (0..20).flat_map(|number| [number, number]).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    assert_eq!(locks.len(), 0);
}

#[tokio::test]
async fn writers_of_other_resources_do_not_wait() {
    let locks = Locks::default();
    let one = locks.hold(&PATIENT, name("/Users", "7")).await.unwrap();
    let other = locks.hold(&PATIENT, name("/Groups", "7")).await.unwrap();
    let third = locks.hold(&PATIENT, name("/Users", "8")).await.unwrap();
    assert_eq!(locks.len(), 3);
    drop((one, other, third));
    assert_eq!(locks.len(), 0);
}

#[tokio::test]
async fn who_waits_too_long_is_refused_and_leaves_nothing_behind() {
    let locks = Locks::default();
    let held = locks.hold(&PATIENT, name("/Users", "7")).await.unwrap();
    let refused = locks.hold(&Clock { ends: true }, name("/Users", "7")).await.unwrap_err();
    assert_eq!(refused.to_scim().status, 503);
    drop(held);
    assert_eq!(locks.len(), 0);
    drop(locks.hold(&PATIENT, name("/Users", "7")).await.unwrap());
}

#[tokio::test]
async fn who_goes_away_while_waiting_leaves_nothing_behind() {
    let locks = Locks::default();
    let held = locks.hold(&PATIENT, name("/Users", "7")).await.unwrap();
    {
        let mut waiting = Box::pin(locks.hold(&PATIENT, name("/Users", "7")));
        assert!((&mut waiting).now_or_never().is_none());
    }
    drop(held);
    assert_eq!(locks.len(), 0);
}

#[tokio::test]
async fn behind_too_many_others_nobody_waits() {
    let locks = Locks::default();
    let held = locks.hold(&PATIENT, name("/Users", "7")).await.unwrap();
    let mut waiting: Vec<_> = (0..limits::WRITERS).map(|_| Box::pin(locks.hold(&PATIENT, name("/Users", "7")))).collect();
    for one in &mut waiting {
        assert!(one.now_or_never().is_none());
    }
    assert_eq!(locks.hold(&PATIENT, name("/Users", "7")).await.unwrap_err().to_scim().status, 503);
    drop(waiting);
    drop(held);
    assert_eq!(locks.len(), 0);
}
