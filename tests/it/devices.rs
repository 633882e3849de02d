//! A resource type and an extension of the mapping's own, end to end against a scripted backend.
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use scimitar::backend::Backend;
use scimitar::engine::ScimRequest;
use scimitar::mapping::template::Scope;
use scimitar::scim::messages::SearchRequest;
use scimitar::translate::call::build;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::scripted::{BASE, Scripted, call, mapping};

const MAPPING: &str = include_str!("../fixtures/mappings/valid/devices.yaml");
const DEVICE: &str = "urn:example:params:scim:schemas:Device:1.0";
const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:1.0:User";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn registry() -> Scripted {
    Scripted::new(MAPPING)
}

/// A record of the registry.
fn record() -> Value {
    json!({
        "no": "D-7", "sn": "SN-1", "label": "Front desk", "class": "N", "state": "open", "slots": 2, "kg": 1.5,
        "bought": 1_700_000_000, "key": "AQID", "manual": "https://docs.test/7", "firmware": "v9", "notes": "dusty",
        "tags": ["a", "b"], "ports": [{ "name": "usb1", "kind": "usb", "speed": 2 }], "owner_id": "u1", "ref": "X1",
        "changed": 1_700_000_000_123_i64, "rev": 3,
    })
}

/// What the record is in SCIM, without what is returned on request only.
fn resource() -> Value {
    json!({
        "schemas": [DEVICE], "id": "7", "externalId": "X1",
        "serial": "SN-1", "label": "Front desk", "kind": "laptop", "enabled": true, "slots": 2, "weight": 1.5,
        "boughtAt": "2023-11-14T22:13:20Z", "key": "AQID", "manual": "https://docs.test/7", "firmware": "v9",
        "tags": ["a", "b"], "ports": [{ "value": "usb1", "type": "usb", "fast": true }],
        "owner": { "value": "u1", "$ref": format!("{BASE}/Users/u1") },
        "meta": {
            "resourceType": "Device", "location": format!("{BASE}/Devices/7"),
            "lastModified": "2023-11-14T22:13:20.123Z", "version": "W/\"3\"",
        },
    })
}

fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

fn one(record: Value) -> Value {
    json!({ "result": { "device": record } })
}

fn rows(records: &[Value]) -> Value {
    let rows: Vec<Value> = records.iter().map(|record| json!({ "device": record })).collect();
    json!({ "result": { "rows": rows } })
}

fn numbered(number: u64) -> Value {
    with(record(), json!({ "no": format!("D-{number}"), "sn": format!("SN-{number}") }))
}

#[tokio::test]
async fn reading() {
    let registry = registry();
    let seen = registry.read("/Devices/7", &[], [call("GET /devices/D-7").answer(one(record()))]).await;
    assert_eq!((seen.status, seen.body), (200, resource()));
    assert_eq!(seen.version.as_deref(), Some("W/\"3\""));
    let asked = registry.read("/Devices/7", &["notes", "pin"], [call("GET /devices/D-7").answer(one(record()))]).await;
    assert_eq!(asked.body["notes"], "dusty");
    assert_eq!(asked.body.get("pin"), None);
    // Whatever the backend finds for another key is not this resource.
    let other = registry.read("/Devices/07", &[], [call("GET /devices/D-07").answer(one(record()))]).await;
    assert_eq!(other.status, 404);
    for odd in ["..", "a/b", "ü"] {
        let path = format!("/Devices/{odd}");
        let steps = match odd {
            "ü" => vec![call("GET /devices/D-%C3%BC").answer(json!({ "fault": "E_NONE" }))],
            _ => Vec::new(),
        };
        if odd != "a/b" {
            assert_eq!(registry.read(&path, &[], steps).await.status, 404, "{odd}");
        }
    }
}

#[tokio::test]
async fn values_that_the_mapping_does_not_know_are_no_values() {
    let odd = with(record(), json!({ "class": "X", "state": "", "bought": "soon", "tags": [], "owner_id": "", "ports": [{}] }));
    let seen = registry().read("/Devices/7", &[], [call("GET /devices/D-7").answer(one(odd))]).await;
    let gone = json!({ "kind": null, "enabled": null, "boughtAt": null, "tags": null, "owner": null, "ports": null });
    assert_eq!(seen.body, with(resource(), gone));
}

#[tokio::test]
async fn errors_by_status_and_by_the_body() {
    let registry = registry();
    let cases = [
        (200, json!({ "fault": "E_NONE" }), 404, None),
        (404, json!({}), 404, None),
        (200, json!({ "fault": "E_BUSY" }), 503, None),
        (429, json!({}), 503, None),
        (500, json!({}), 502, None),
        (401, json!({}), 502, None),
        // An unknown fault inside a 200 is a failure, never an empty answer.
        (200, json!({ "fault": "E_77" }), 502, None),
        (302, json!({}), 502, None),
        (200, json!({ "result": {} }), 502, None),
    ];
    for (status, answer, expected, scim_type) in cases {
        let steps = [call("GET /devices/D-7").status(status).answer(answer.clone())];
        let seen = registry.read("/Devices/7", &[], steps).await;
        assert_eq!((seen.status, seen.body["scimType"].as_str()), (expected, scim_type), "{status} {answer}");
        assert!(!seen.body["detail"].as_str().unwrap().contains("E_"), "{}", seen.body);
    }
    let delete = |status, answer| call("DELETE /devices/D-7").body(json!({ "reason": "scim" })).status(status).answer(answer);
    let seen = registry.delete("/Devices/7", [delete(403, json!({ "text": "not yours" }))]).await;
    assert_eq!((seen.status, &seen.body["detail"]), (403, &json!("The registry says: not yours")));
    let seen = registry.delete("/Devices/7", [delete(418, json!({ "text": "teapot" }))]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")));
    assert_eq!(registry.delete("/Devices/7", [delete(200, json!({ "result": {} }))]).await.status, 204);
    assert_eq!(registry.delete("/Devices/7", [delete(410, json!({}))]).await.status, 404);
}

#[tokio::test]
async fn creating_with_a_body_of_its_own_reads_back_and_carries_the_rest() {
    let registry = registry();
    let sent = json!({
        "schemas": [DEVICE], "serial": "SN-1", "label": "Front desk", "enabled": true, "boughtAt": "2023-11-14T22:13:20Z",
        "pin": "0000", "firmware": "mine", "tags": ["a"],
    });
    let bare = json!({ "no": "D-7", "sn": "SN-1", "label": "Front desk", "state": "locked", "bought": 1_700_000_000, "rev": 1 });
    let open = with(bare.clone(), json!({ "tags": ["a"], "state": "open" }));
    let seen = registry
        .create(
            "/Devices",
            sent,
            [
                call("POST /devices")
                    .body(json!({
                        "device": { "sn": "SN-1", "label": "Front desk", "pin": "0000", "bought": 1_700_000_000, "source": "scim" },
                        "quiet": true,
                    }))
                    .status(201)
                    .answer(json!({ "result": { "device": { "no": "D-7" } } })),
                call("GET /devices/D-7").answer(one(bare)),
                call("PUT /devices/D-7/tags").body(json!({ "tags": ["a"], "by": "scim-7" })),
                call("POST /devices/D-7/unlock"),
                call("GET /devices/D-7").answer(one(open)),
            ],
        )
        .await;
    assert_eq!((seen.status, seen.location.as_deref()), (201, Some("http://scim.test/scim/v2/Devices/7")), "{}", seen.body);
    assert_eq!((&seen.body["enabled"], &seen.body["tags"]), (&json!(true), &json!(["a"])));
    assert_eq!((seen.body.get("pin"), seen.body.get("firmware")), (None, None));

    let taken = call("POST /devices")
        .body(json!({ "device": { "sn": "SN-1", "source": "scim" }, "quiet": true }))
        .answer(json!({ "fault": "E_SERIAL", "text": "SN-1 is taken" }));
    let seen = registry.create("/Devices", json!({ "schemas": [DEVICE], "serial": "SN-1" }), [taken]).await;
    assert_eq!((seen.status, &seen.body["scimType"], &seen.body["detail"]), (409, &json!("uniqueness"), &json!("SN-1 is taken")));

    let seen = registry.create("/Devices", json!({ "schemas": [DEVICE], "label": "x" }), []).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidValue")), "serial is required");
}

#[tokio::test]
async fn lists_without_a_total_are_counted_by_a_walk() {
    let registry = registry();
    let pages = || {
        [
            call("GET /devices?view=full&from=0&n=2").answer(rows(&[numbered(1), numbered(2)])),
            call("GET /devices?view=full&from=2&n=2").answer(rows(&[numbered(3)])),
        ]
    };
    let search = SearchRequest { start_index: Some(2), count: Some(1), ..SearchRequest::default() };
    let seen = registry.search("/Devices", search, pages()).await;
    assert_eq!((seen.status, &seen.body["totalResults"], &seen.body["itemsPerPage"]), (200, &json!(3), &json!(1)));
    assert_eq!(seen.body["Resources"][0]["id"], "2");
    let none = registry.list("/Devices", "", [call("GET /devices?view=full&from=0&n=2").answer(rows(&[]))]).await;
    assert_eq!((none.status, &none.body["totalResults"]), (200, &json!(0)));
}

#[tokio::test]
async fn filters() {
    let registry = registry();
    let found =
        |target: &str, records: &[Value]| call(&format!("GET /devices?view=full&{target}from=0&n=2")).answer(rows(records));
    let cases = [
        ("serial eq \"SN-1\"", "sn=SN-1&", vec![numbered(1)], 1),
        ("serial eq \"a b&c\"", "sn=a%20b%26c&", vec![], 0),
        // What is compared with stands in the backend's form.
        ("enabled eq false", "state=locked&", vec![], 0),
        ("kind eq \"phone\"", "class=P&", vec![], 0),
        // laptop is L or N there: asked for one of them, the backend would keep the other back.
        ("kind eq \"laptop\"", "", vec![numbered(1)], 1),
        // The backend has no such value: nothing to ask for, and nothing in the walk.
        ("kind eq \"toaster\"", "", vec![numbered(1)], 0),
        // A superset is looked through again.
        ("label co \"DESK\"", "q=DESK&", vec![with(numbered(1), json!({ "label": "Back door" })), numbered(2)], 1),
        ("boughtAt gt \"2023-11-14T22:13:19Z\"", "since=1699999999&", vec![numbered(1)], 1),
        ("label sw \"front\" and firmware eq \"v9\"", "", vec![numbered(1)], 1),
    ];
    for (filter, target, records, total) in cases {
        let mut steps = vec![found(target, &records)];
        if records.len() == 2 {
            steps.push(call(&format!("GET /devices?view=full&{target}from=2&n=2")).answer(rows(&[])));
        }
        let seen = registry.list("/Devices", filter, steps).await;
        assert_eq!((seen.status, &seen.body["totalResults"]), (200, &json!(total)), "{filter}: {}", seen.body);
    }
    let seen = registry.list("/Devices", "pin eq \"0000\"", []).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("invalidFilter")));
}

#[tokio::test]
async fn patching_sends_what_changes_in_the_backends_form() {
    let registry = registry();
    let read = || call("GET /devices/D-7").answer(one(record()));
    let change = |body: Value| call("PATCH /devices/D-7").header("if-match", "3").body(body).answer(one(record()));
    let cases = [
        (json!([{ "op": "replace", "path": "label", "value": "Back" }]), json!({ "label": "Back" })),
        // clear: empty, omit and null
        (json!([{ "op": "remove", "path": "label" }]), json!({ "label": "" })),
        (json!([{ "op": "remove", "path": "slots" }, { "op": "remove", "path": "weight" }]), json!({ "kg": null })),
        (json!([{ "op": "replace", "path": "kind", "value": "phone" }]), json!({ "class": "P" })),
        (json!([{ "op": "replace", "path": "boughtAt", "value": "1970-01-01T00:01:00Z" }]), json!({ "bought": 60 })),
        (json!([{ "op": "replace", "path": "owner.value", "value": "u2" }]), json!({ "owner_id": "u2" })),
        (json!([{ "op": "replace", "path": "pin", "value": "1111" }]), json!({ "pin": "1111" })),
        (
            json!([{ "op": "add", "path": "ports", "value": [{ "value": "lan", "fast": false }] }]),
            json!({ "ports": [{ "name": "usb1", "kind": "usb", "speed": 2 }, { "name": "lan", "speed": 1 }] }),
        ),
        (json!([{ "op": "replace", "value": { "externalId": "X2" } }]), json!({ "ref": "X2" })),
    ];
    for (operations, body) in cases {
        let seen = registry.patch("/Devices/7", operations.clone(), [read(), change(body)]).await;
        assert_eq!(seen.status, 200, "{operations}: {}", seen.body);
    }
    // What is so already takes no call.
    let seen = registry.patch("/Devices/7", json!([{ "op": "replace", "path": "label", "value": "Front desk" }]), [read()]).await;
    assert_eq!((seen.status, &seen.body["label"]), (200, &json!("Front desk")));
}

#[tokio::test]
async fn changes_with_a_call_of_their_own() {
    let registry = registry();
    let read = || call("GET /devices/D-7").answer(one(record()));
    let locked = || with(record(), json!({ "state": "locked" }));
    let lock = [read(), call("POST /devices/D-7/lock"), call("GET /devices/D-7").answer(one(locked()))];
    let seen = registry.patch("/Devices/7", json!([{ "op": "replace", "path": "enabled", "value": false }]), lock).await;
    assert_eq!((seen.status, &seen.body["enabled"]), (200, &json!(false)));
    // Two changes, two calls, in the order of the mapping; the revision of the second is that of the first's answer.
    let operations = json!([
        { "op": "replace", "path": "enabled", "value": true },
        { "op": "replace", "path": "tags", "value": ["c"] },
        { "op": "replace", "path": "label", "value": "Back" },
    ]);
    let back = with(locked(), json!({ "label": "Back", "rev": 4 }));
    let seen = registry
        .patch(
            "/Devices/7",
            operations,
            [
                call("GET /devices/D-7").answer(one(locked())),
                call("PATCH /devices/D-7").header("if-match", "3").body(json!({ "label": "Back" })).answer(one(back.clone())),
                call("PUT /devices/D-7/tags").body(json!({ "tags": ["c"], "by": "scim-7" })),
                call("POST /devices/D-7/unlock"),
                call("GET /devices/D-7").answer(one(with(back, json!({ "tags": ["c"], "state": "open" })))),
            ],
        )
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!((&seen.body["enabled"], &seen.body["tags"], &seen.body["label"]), (&json!(true), &json!(["c"]), &json!("Back")));
}

#[tokio::test]
async fn a_stale_revision_is_planned_anew() {
    let newer = with(record(), json!({ "rev": 4 }));
    let patch = |rev| call("PATCH /devices/D-7").header("if-match", rev).body(json!({ "label": "Back" }));
    let seen = registry()
        .patch(
            "/Devices/7",
            json!([{ "op": "replace", "path": "label", "value": "Back" }]),
            [
                call("GET /devices/D-7").answer(one(record())),
                patch("3").answer(json!({ "fault": "E_REV" })),
                call("GET /devices/D-7").answer(one(newer.clone())),
                patch("4").answer(one(with(newer, json!({ "label": "Back", "rev": 5 })))),
            ],
        )
        .await;
    assert_eq!((seen.status, seen.version.as_deref()), (200, Some("W/\"5\"")), "{}", seen.body);
}

#[tokio::test]
async fn what_cannot_be_written() {
    let registry = registry();
    let read = || call("GET /devices/D-7").answer(one(record()));
    for (path, value) in [("firmware", "v10"), ("serial", "SN-2")] {
        let operations = json!([{ "op": "replace", "path": path, "value": value }]);
        let steps = if path == "serial" { vec![read()] } else { Vec::new() };
        let seen = registry.patch("/Devices/7", operations, steps).await;
        assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("mutability")), "{path}");
    }
    // In a PUT readOnly is ignored and immutable must be what it is (RFC 7644 section 3.5.1).
    let whole = with(resource(), json!({ "notes": "dusty", "meta": null }));
    let seen = registry.replace("/Devices/7", with(whole.clone(), json!({ "firmware": "mine" })), [read()]).await;
    assert_eq!((seen.status, &seen.body["firmware"]), (200, &json!("v9")));
    let seen = registry.replace("/Devices/7", with(whole.clone(), json!({ "serial": "SN-2" })), [read()]).await;
    assert_eq!((seen.status, &seen.body["scimType"]), (400, &json!("mutability")));
    // What a PUT leaves out goes.
    let steps =
        [read(), call("PATCH /devices/D-7").body(json!({ "label": "", "notes": null, "manual": null })).answer(one(record()))];
    let seen = registry
        .replace("/Devices/7", with(whole, json!({ "label": null, "notes": null, "manual": null, "slots": null })), steps)
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test]
async fn an_extension_of_ones_own() {
    let registry = registry();
    let person = || json!({ "id": "u1", "login": "ann", "badge": { "no": "B1", "level": 3 } });
    let read = || call("GET /people/u1").answer(json!({ "result": person() }));
    let seen = registry.read("/Users/u1", &[], [read()]).await;
    assert_eq!(seen.body["schemas"], json!([USER, BADGE]));
    assert_eq!(seen.body[BADGE], json!({ "number": "B1" }), "level is returned on request only");
    let level = format!("{BADGE}:level");
    let seen = registry.read("/Users/u1", &[&level], [read()]).await;
    assert_eq!(seen.body[BADGE], json!({ "level": 3 }));

    let filter = format!("{BADGE}:number eq \"B1\"");
    let steps = [call("GET /people?badge=B1").answer(json!({ "result": [person()] }))];
    assert_eq!(registry.list("/Users", &filter, steps).await.body["totalResults"], 1);
    // Everything comes at once: no parameters of pages, and a total that is true.
    let steps = [call("GET /people").answer(json!({ "result": [person(), { "id": "u2", "login": "bob" }] }))];
    let seen = registry.search("/Users", SearchRequest { count: Some(1), ..SearchRequest::default() }, steps).await;
    assert_eq!((&seen.body["totalResults"], seen.body["Resources"].as_array().unwrap().len()), (&json!(2), 1));
    assert!(seen.body["Resources"][0].get(BADGE).is_some());

    let path = format!("{BADGE}:number");
    let changed = json!({ "id": "u1", "login": "ann", "badge": { "no": "B2", "level": 3 } });
    let steps = [
        read(),
        call("PUT /people/u1/badge").body(json!({ "no": "B2", "level": 3 })).status(204),
        call("GET /people/u1").answer(json!({ "result": changed })),
    ];
    let seen = registry.patch("/Users/u1", json!([{ "op": "replace", "path": path, "value": "B2" }]), steps).await;
    assert_eq!((seen.status, &seen.body[BADGE]["number"]), (200, &json!("B2")), "{}", seen.body);
    // `send: full` puts all that the call carries into the body.
    let steps = [
        read(),
        call("PUT /people/u1")
            .body(json!({ "login": "anna" }))
            .answer(json!({ "result": { "id": "u1", "login": "anna", "badge": { "no": "B1", "level": 3 } } })),
    ];
    let seen = registry.patch("/Users/u1", json!([{ "op": "replace", "path": "userName", "value": "anna" }]), steps).await;
    assert_eq!((seen.status, &seen.body["userName"]), (200, &json!("anna")));

    let seen = registry.delete("/Users/u1", []).await;
    assert_eq!((seen.status, &seen.body["detail"]), (403, &json!("People are kept for ever.")));
    let seen = registry.create("/Users", json!({ "schemas": [USER], "userName": "x" }), []).await;
    assert_eq!(seen.status, 501, "there is no create");
}

#[tokio::test]
async fn discovery_tells_the_truth() {
    let registry = registry();
    let types = registry.ask(ScimRequest::ResourceTypes { name: None }, []).await.body;
    assert_eq!(types["totalResults"], 2);
    assert_eq!(
        types["Resources"][0],
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "Device", "name": "Device", "description": "Devices of the registry", "endpoint": "/Devices", "schema": DEVICE,
            "meta": { "resourceType": "ResourceType", "location": format!("{BASE}/ResourceTypes/Device") },
        })
    );
    assert_eq!(types["Resources"][1]["schemaExtensions"], json!([{ "schema": BADGE, "required": false }]));

    let schemas = registry.ask(ScimRequest::Schemas { id: None }, []).await.body;
    let ids: Vec<&str> = schemas["Resources"].as_array().unwrap().iter().map(|schema| schema["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [DEVICE, USER, BADGE]);
    let device = registry.ask(ScimRequest::Schemas { id: Some(DEVICE.to_owned()) }, []).await.body;
    let attribute = |name: &str| {
        let all = device["attributes"].as_array().unwrap();
        all.iter().find(|attribute| attribute["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let plain = |changes: Value| {
        let usual = json!({
            "type": "string", "multiValued": false, "description": "", "required": false, "caseExact": false,
            "mutability": "readWrite", "returned": "default", "uniqueness": "none",
        });
        with(usual, changes)
    };
    for (name, changes) in [
        (
            "serial",
            json!({ "description": "What is printed on it", "required": true, "caseExact": true, "mutability": "immutable", "uniqueness": "server" }),
        ),
        ("label", json!({ "description": "What people call it" })),
        ("kind", json!({ "canonicalValues": ["phone", "laptop"] })),
        ("enabled", json!({ "type": "boolean" })),
        ("slots", json!({ "type": "integer" })),
        ("weight", json!({ "type": "decimal" })),
        ("boughtAt", json!({ "type": "dateTime" })),
        ("key", json!({ "type": "binary", "caseExact": true })),
        ("manual", json!({ "type": "reference", "caseExact": true, "referenceTypes": ["external"] })),
        ("pin", json!({ "mutability": "writeOnly", "returned": "never" })),
        ("firmware", json!({ "mutability": "readOnly" })),
        ("notes", json!({ "returned": "request" })),
        ("tags", json!({ "multiValued": true, "caseExact": true })),
    ] {
        assert_eq!(attribute(name), with(plain(changes), json!({ "name": name })), "{name}");
    }
    let ports = attribute("ports");
    assert_eq!((&ports["type"], &ports["multiValued"]), (&json!("complex"), &json!(true)));
    assert_eq!(ports["subAttributes"][0], with(plain(json!({ "required": true })), json!({ "name": "value" })));
    assert_eq!(ports["subAttributes"][2], with(plain(json!({ "type": "boolean" })), json!({ "name": "fast" })));
    let user = registry.ask(ScimRequest::Schemas { id: Some(USER.to_owned()) }, []).await.body;
    let names: Vec<&Value> = user["attributes"].as_array().unwrap().iter().map(|attribute| &attribute["name"]).collect();
    assert_eq!(names, ["userName"], "what is not mapped is not published");
}

/// The head of a request to a backend that listens on a port of this machine.
async fn head_of(mapping_text: &str, resource: usize) -> String {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/", listener.local_addr().unwrap());
    let mapping = mapping(&mapping_text.replace("${REGISTRY_URL}", &url));
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        String::from_utf8(head).unwrap()
    });
    let key = json!("D-7");
    let scope = Scope { key: Some(&key), ..Scope::default() };
    let get = mapping.resources[resource].get.as_ref().unwrap();
    let answer = Backend::new(&mapping.backend).unwrap().send(&build(&get.call, &scope, None).unwrap()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (200, b"{}".as_slice()));
    server.await.unwrap()
}

#[tokio::test]
async fn credentials_and_headers_are_sent() {
    let head = head_of(MAPPING, 0).await;
    assert!(head.starts_with("GET /api/devices/D-7 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("x-registry-key: tok-4711-of-the-backend\r\n"), "{head}");
    assert!(head.contains("x-tenant: acme\r\n"), "{head}");
    assert!(head.contains("accept: application/json\r\n"), "{head}");

    let header = "header: { name: X-Registry-Key, value: \"${REGISTRY_KEY}\" }";
    let basic = MAPPING.replace(header, "basic: { user: gateway, password: \"${REGISTRY_KEY}\" }");
    let head = head_of(&basic, 0).await;
    // base64("gateway:tok-4711-of-the-backend")
    assert!(head.contains("authorization: Basic Z2F0ZXdheTp0b2stNDcxMS1vZi10aGUtYmFja2VuZA==\r\n"), "{head}");
    let bearer = MAPPING.replace(header, "bearer: \"${REGISTRY_KEY}\"");
    assert!(head_of(&bearer, 1).await.contains("authorization: Bearer tok-4711-of-the-backend\r\n"));
    // A call's own header stands instead of the usual one, not beside it.
    let own = MAPPING.replace(
        "get: { call: \"GET /devices/{{key}}\", item: $.device }",
        "get: { call: \"GET /devices/{{key}}\", item: $.device, headers: { Accept: application/vnd.registry+json, X-Tenant: other } }",
    );
    let head = head_of(&own, 0).await;
    assert_eq!(head.matches("accept: ").count(), 1, "{head}");
    assert!(head.contains("accept: application/vnd.registry+json\r\n") && head.contains("x-tenant: other\r\n"), "{head}");
}
