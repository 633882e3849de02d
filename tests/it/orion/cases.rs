//! The cases of identity providers through the mapping, each on an application of its own, on good days and on bad ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;

use super::MAPPING;
use super::fake::{Came, Moods, Orion, PASSWORD, USER};
use super::hr::Hr;
use crate::demo::Demo;
use crate::idp;

/// A case that the application cannot hold.
#[derive(Debug, Deserialize)]
struct Misfit {
    /// The attribute that it has no place for.
    needs: String,
    why: String,
}

pub(super) struct Gateway {
    pub(super) orion: Orion,
    pub(super) scim: Demo,
}

impl Gateway {
    pub(super) async fn start(moods: Moods) -> Self {
        Self::before(Orion::new(Hr::seeded(), moods), MAPPING).await
    }

    pub(super) async fn before(orion: Orion, mapping: &str) -> Self {
        let url = orion.listen().await;
        let given = [("ORION_URL", url.as_str()), ("ORION_USER", USER), ("ORION_PASSWORD", PASSWORD)];
        Self { scim: Demo::given(mapping, &given), orion }
    }
}

/// The mapping in a hurry: this application lets itself be called as often as one wants, and is back at once.
pub(super) fn hurried() -> String {
    let faster = [("rate: 5/s", "rate: 5000/s"), ("after: $.err.msg", "after: 5ms"), ("after: 1s", "after: 5ms")];
    faster.iter().fold(MAPPING.to_owned(), |mapping, (from, to)| {
        assert_eq!(mapping.matches(from).count(), 1, "{from}");
        mapping.replace(from, to)
    })
}

fn misfits() -> BTreeMap<String, Misfit> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/orion/misfits.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Plays all cases, and wants exactly those to fail that cannot be held.
async fn pass(moods: Moods) -> Vec<Came> {
    let misfits = misfits();
    let (mut found, mut calls) = (Vec::new(), Vec::new());
    for case in idp::corpus() {
        let gateway = Gateway::before(Orion::new(Hr::seeded(), moods), &hurried()).await;
        let played = idp::play(&gateway.scim, &case).await;
        match (played, misfits.get(idp::id(&case))) {
            (Err(error), None) => found.push(error),
            (Ok(()), Some(misfit)) => found.push(format!("{}: it fits, though it needs {}", idp::id(&case), misfit.needs)),
            (Err(_), Some(_)) | (Ok(()), None) => {}
        }
        calls.extend(gateway.orion.calls());
    }
    let clumsy: Vec<&Came> = calls.iter().filter(|call| call.is_clumsy()).collect();
    assert!(clumsy.is_empty(), "{clumsy:#?}");
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
    calls
}

fn count(calls: &[Came], no: Option<u64>) -> usize {
    calls.iter().filter(|call| call.no == no).count()
}

#[tokio::test]
async fn all_that_fit_pass() {
    let calls = pass(Moods::default()).await;
    assert_eq!((count(&calls, Some(7)), count(&calls, Some(99)), count(&calls, None)), (0, 0, 0));
}

#[tokio::test]
async fn all_that_fit_pass_though_sessions_end_all_the_time() {
    let calls = pass(Moods { session: Some(5), ..Moods::default() }).await;
    assert!(count(&calls, Some(7)) > 100, "{}", count(&calls, Some(7)));
}

#[tokio::test]
async fn all_that_fit_pass_though_every_seventh_call_is_too_many() {
    let calls = pass(Moods { busy: Some(7), ..Moods::default() }).await;
    assert!(count(&calls, Some(99)) > 100, "{}", count(&calls, Some(99)));
}

#[tokio::test]
async fn all_that_fit_pass_though_there_is_much_maintenance() {
    let calls = pass(Moods { maintenance: Some(11), ..Moods::default() }).await;
    assert!(count(&calls, None) > 50, "{}", count(&calls, None));
}

/// What is said of the cases that do not fit must be so.
#[tokio::test]
async fn the_application_has_no_place_for_what_does_not_fit() {
    let gateway = Gateway::start(Moods::default()).await;
    let schema = gateway.scim.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await;
    let attributes = schema.ok(200)["attributes"].as_array().unwrap().clone();
    for (case, Misfit { needs, why }) in misfits() {
        assert!(!why.is_empty() && !MAPPING.contains(&format!("      {needs}:")), "{case}: {needs}");
        let (attribute, column) = needs.split_once('[').map_or((needs.as_str(), false), |(attribute, _)| (attribute, true));
        let is_there = attributes.iter().any(|known| known["name"] == attribute);
        assert_eq!(is_there, column, "{case}: {needs}");
    }
}

/// The application as it is: it says how long to wait, in words, and is called no more than five times a second.
#[tokio::test]
async fn it_is_called_no_faster_than_it_lets_itself_be() {
    let gateway = Gateway::start(Moods { rate: Some(5), busy: Some(9), ..Moods::default() }).await;
    let begun = Instant::now();
    let case = idp::corpus().into_iter().find(|case| idp::id(case) == "entra-07-duplicate-user").unwrap();
    assert_eq!(idp::play(&gateway.scim, &case).await, Ok(()));
    let (calls, took) = (gateway.orion.calls(), begun.elapsed());
    let refused = count(&calls, Some(99));
    assert!(calls.len() > 10 && refused >= calls.len() / 9, "{calls:#?}");
    assert!(took.as_millis() + 1000 > calls.len() as u128 * 200, "{took:?} for {} calls", calls.len());
    assert!(refused <= calls.len() / 3, "{refused} of {} calls came too fast", calls.len());
}
