use serde_json::{Value, json};

use super::*;
use crate::scim::Profile;
use crate::scim::bulk::BULK_REQUEST_SCHEMA;
use crate::scim::schema::{self, Extension};

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// For each operation the bulkIds that it refers to; its own is its place.
type References<'r> = &'r [&'r [&'r str]];

fn kinds() -> [ResourceType; 2] {
    let [user, group, enterprise] = schema::core() else { panic!("three schemas") };
    let kind = |name: &str, schema: &schema::Schema, extensions| ResourceType {
        name: name.to_owned(),
        description: String::new(),
        endpoint: format!("/{name}s"),
        schema: schema.clone(),
        extensions,
    };
    let enterprise = Extension { schema: enterprise.clone(), required: false };
    [kind("User", user, vec![enterprise]), kind("Group", group, Vec::new())]
}

fn schedule(operations: &[Value]) -> Schedule {
    let body = json!({"schemas": [BULK_REQUEST_SCHEMA], "Operations": operations}).to_string();
    let job = BulkRequest::parse(body.as_bytes(), &Profile::STRICT).unwrap();
    let kinds = kinds();
    Schedule::new(&job, &kinds.iter().collect::<Vec<_>>())
}

/// What can be begun at once, as long as nothing is done.
fn at_once(schedule: &mut Schedule) -> Vec<Vec<usize>> {
    let mut begun = Vec::new();
    while let Some(unit) = schedule.begin(false) {
        begun.push(schedule.unit(unit).0.to_vec());
    }
    begun
}

/// `POST /Users {"userName":"a"}`; a POST gets a bulkId of its own.
fn operation(text: &str, bulk_id: &str) -> Value {
    let mut parts = text.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
    let mut operation = json!({"method": method, "path": path});
    if let Some(data) = parts.next() {
        let mut data: Value = serde_json::from_str(data).unwrap();
        if let Some(version) = data.as_object_mut().and_then(|data| data.remove("version")) {
            operation["version"] = version;
        }
        operation["data"] = if data.is_array() { json!({"Operations": data}) } else { data };
    }
    if method == "POST" {
        operation["bulkId"] = json!(bulk_id);
    }
    operation
}

#[test]
fn what_waits_and_what_goes_together() {
    let manager = format!("PATCH /Users/8 [{{\"op\":\"add\",\"path\":\"{MANAGER}:manager\",\"value\":{{\"value\":\"9\"}}}}]");
    let cases = [
        // One resource.
        (r#"PATCH /Users/7 [{"op":"add","path":"title","value":"a"}]"#, "DELETE /Users/7", true),
        (
            r#"PATCH /Users/7 [{"op":"add","path":"title","value":"a"}]"#,
            r#"PATCH /Users/7 [{"op":"add","path":"title","value":"b"}]"#,
            true,
        ),
        (
            r#"PATCH /Users/ab [{"op":"add","path":"title","value":"a"}]"#,
            r#"PATCH /Users/AB [{"op":"add","path":"title","value":"b"}]"#,
            true,
        ),
        (
            r#"PATCH /Users/7 [{"op":"add","path":"title","value":"a"}]"#,
            r#"PATCH /Users/8 [{"op":"add","path":"title","value":"a"}]"#,
            false,
        ),
        (r#"PATCH /Users/7 [{"op":"add","path":"title","value":"a"}]"#, "DELETE /Users/8", false),
        // Names.
        (r#"POST /Users {"userName":"a"}"#, r#"POST /Users {"userName":"b"}"#, false),
        (r#"POST /Users {"userName":"a"}"#, r#"POST /Users {"USERNAME":"A"}"#, true),
        (r#"POST /Users {"userName":"a","externalId":"1"}"#, r#"POST /Users {"userName":"b","externalId":"1"}"#, true),
        (
            r#"POST /Users {"userName":"a","emails":[{"value":"x@y","type":"work"}]}"#,
            r#"POST /Users {"userName":"b","emails":[{"value":"X@Y","type":"home"}]}"#,
            true,
        ),
        (
            r#"POST /Users {"userName":"a","emails":[{"value":"x@y","type":"work"}]}"#,
            r#"POST /Users {"userName":"b","emails":[{"value":"z@y","type":"work"}]}"#,
            false,
        ),
        (
            r#"POST /Users {"userName":"a","displayName":"Shown","title":"T"}"#,
            r#"POST /Users {"userName":"b","displayName":"Shown","title":"T"}"#,
            false,
        ),
        (r#"POST /Groups {"displayName":"A"}"#, r#"POST /Groups {"displayName":"a"}"#, true),
        (r#"POST /Groups {"displayName":"A"}"#, r#"POST /Groups {"displayName":"b"}"#, false),
        (r#"POST /Users {"userName":"a"}"#, r#"PATCH /Users/7 [{"op":"replace","path":"userName","value":"b"}]"#, true),
        (r#"POST /Users {"userName":"a"}"#, r#"PATCH /Users/7 [{"op":"replace","value":{"userName":"b"}}]"#, true),
        (r#"POST /Users {"userName":"a"}"#, r#"PATCH /Users/7 [{"op":"replace","path":" ","value":{"userName":"b"}}]"#, true),
        (r#"POST /Users {"userName":"a"}"#, r#"PATCH /Users/7 [{"op":"replace","path":"title","value":"b"}]"#, false),
        (r#"PUT /Users/7 {"userName":"a"}"#, r#"PUT /Users/8 {"userName":"b"}"#, true),
        (r#"PUT /Groups/7 {"displayName":"a"}"#, r#"PUT /Groups/8 {"displayName":"b"}"#, false),
        (r#"PUT /Groups/7 {"displayName":"a"}"#, r#"PUT /Groups/8 {"displayName":"a"}"#, true),
        (r#"PUT /Groups/7 {"displayName":"a"}"#, r#"POST /Groups {"displayName":"b"}"#, true),
        ("DELETE /Users/7", r#"POST /Users {"userName":"b"}"#, true),
        ("DELETE /Users/7", r#"POST /Groups {"displayName":"b"}"#, false),
        ("DELETE /Users/7", "DELETE /Users/8", false),
        (r#"POST /Users {"userName":"b"}"#, "DELETE /Users/7", true),
        // An id that the client chose.
        (r#"POST /Users {"userName":"ann"}"#, r#"PATCH /Users/ann [{"op":"add","path":"title","value":"a"}]"#, true),
        (r#"POST /Users {"userName":"ann"}"#, r#"POST /Groups {"displayName":"b","members":[{"value":"ann"}]}"#, true),
        // References.
        (r#"POST /Groups {"displayName":"b","members":[{"value":"7"}]}"#, "DELETE /Users/7", true),
        (r#"POST /Groups {"displayName":"b","members":[{"value":7}]}"#, "DELETE /Users/7", true),
        (r#"POST /Groups {"displayName":"b","members":[{"$ref":"https://x/v2/Users/7"}]}"#, "DELETE /Users/7", true),
        (r#"POST /Groups {"displayName":"b","members":[{"value":"7"}]}"#, "DELETE /Users/8", false),
        (
            r#"POST /Groups {"displayName":"b","members":[{"value":"7"}]}"#,
            r#"POST /Groups {"displayName":"c","members":[{"value":"7"}]}"#,
            false,
        ),
        (r#"PATCH /Groups/1 [{"op":"remove","path":"members[value eq \"7\"]"}]"#, "DELETE /Users/7", true),
        (r#"PATCH /Groups/1 [{"op":"remove","path":"members[value eq \"7\"]"}]"#, "DELETE /Users/8", false),
        (r#"PATCH /Groups/1 [{"op":"add","path":"members","value":[{"value":"7"}]}]"#, "DELETE /Users/8", false),
        (
            r#"PATCH /Groups/1 [{"op":"add","path":"members","value":[{"value":"7"}]}]"#,
            r#"PATCH /Groups/2 [{"op":"add","path":"members","value":[{"value":"7"}]}]"#,
            false,
        ),
        (r#"PATCH /Groups/1 [{"op":"replace","path":"members","value":[]}]"#, "DELETE /Users/8", true),
        (r#"PUT /Groups/1 {"displayName":"a"}"#, "DELETE /Users/8", true),
        (manager.as_str(), "DELETE /Users/7", true),
        ("DELETE /Groups/1", "DELETE /Users/8", true),
        (
            "DELETE /Users/8",
            r#"PATCH /Groups/1 {"version":"W/\"1\"","Operations":[{"op":"add","path":"displayName","value":"a"}]}"#,
            true,
        ),
        // Nothing is known of other endpoints; each will fail without a call.
        ("DELETE /Devices/7", "DELETE /Devices/7", false),
    ];
    for (first, second, waits) in cases {
        let begun = at_once(&mut schedule(&[operation(first, "a"), operation(second, "b")]));
        assert_eq!(begun.len(), if waits { 1 } else { 2 }, "{first}\n{second}");
    }
}

#[test]
fn the_order_is_that_of_the_sequence() {
    let refers = |ids: &[&str]| {
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": format!("bulkId:{id}")})).collect();
        format!("POST /Groups {}", json!({"displayName": ids.join(" ") + "!", "members": members}))
    };
    let jobs: [(References, &[&[usize]]); 6] = [
        (&[&[], &[], &[]], &[&[0], &[1], &[2]]),
        (&[&["2"], &[], &[], &[]], &[&[1], &[2], &[0], &[3]]),
        (&[&["1"], &["3"], &[], &[], &[]], &[&[2], &[3], &[1], &[0], &[4]]),
        // Circles come at the place of their last; what refers to them comes after.
        (&[&["2"], &[], &["0"], &[]], &[&[1], &[0, 2], &[3]]),
        (&[&["1"], &["2"], &["3"], &["1"], &["4"]], &[&[1, 2, 3], &[0], &[4]]),
        (&[&["1"], &["0"], &["3", "0"], &["2"]], &[&[0, 1], &[2, 3]]),
    ];
    for (references, expected) in jobs {
        let operations: Vec<Value> =
            references.iter().enumerate().map(|(place, ids)| operation(&refers(ids), &place.to_string())).collect();
        let mut schedule = schedule(&operations);
        assert_eq!(schedule.rest().count(), operations.len());
        let mut order = Vec::new();
        while let Some(unit) = schedule.begin(true) {
            let (places, circle) = schedule.unit(unit);
            assert_eq!(circle, places.len() > 1 || references[places[0]].contains(&places[0].to_string().as_str()));
            order.push(places.to_vec());
            schedule.done(unit);
        }
        assert_eq!(order.iter().map(Vec::as_slice).collect::<Vec<_>>(), expected, "{references:?}");
    }
}

/// A full job, each of whose creations waits for each of its deletions, takes neither squares of memory nor of time.
#[test]
fn a_full_job_is_planned_in_linear_space() {
    let half = crate::limits::BULK_OPERATIONS / 2;
    let mut operations: Vec<Value> = (0..half).map(|id| operation(&format!("DELETE /Users/{id}"), "")).collect();
    operations.extend((0..half).map(|name| operation(&format!("POST /Users {{\"userName\":\"n{name}\"}}"), &name.to_string())));
    let mut schedule = schedule(&operations);
    let edges: usize = schedule.gates.iter().map(|gate| gate.waiting.len() + gate.left).sum();
    assert!(edges < 10 * operations.len(), "{edges}");
    assert_eq!(at_once(&mut schedule).len(), half);
    for unit in 0..half - 1 {
        schedule.done(unit);
    }
    assert_eq!(schedule.begin(false), None);
    schedule.done(half - 1);
    assert_eq!(at_once(&mut schedule).len(), half);
}
