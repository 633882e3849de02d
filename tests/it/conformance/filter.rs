//! Filters (RFC 7644 section 3.4.2.2) through the whole gateway: what the backend does and what is left to the gateway.

use serde_json::{Value, json};

use super::lists::{found, ids, rows};
use crate::demo::{Demo, LENIENT, STRICT};
use crate::scim::{ENTERPRISE, USER, filtered, patch, user};

async fn refused(demo: &Demo, filter: &str) -> String {
    let mut detail = String::new();
    demo.calls();
    for token in [STRICT, LENIENT] {
        let answer = demo.send_as(token, "GET", &filtered("/Users", filter), &[], None).await;
        answer.refused(400, Some("invalidFilter")).clone_into(&mut detail);
    }
    assert!(demo.calls().is_empty(), "{filter}");
    detail
}

/// Three people: all that can be unassigned is assigned for `ann` and unassigned for `bob`.
async fn people() -> Demo {
    let demo = Demo::start(0, 0).await;
    let ann = json!({
        "externalId": "AbC", "title": "Guide", "nickName": "Annie", "displayName": "Ann \"the\" Ann\\é",
        "name": { "familyName": "Archer", "givenName": "Ann" },
        "emails": [
            { "value": "ann@work.example", "type": "work", "primary": true },
            { "value": "ann@home.example", "type": "home" },
        ],
        ENTERPRISE: { "department": "Sales", "employeeNumber": "10" },
    });
    demo.create("/Users", user("ann", ann)).await;
    demo.create("/Users", user("bob", json!({}))).await;
    let cid = json!({
        "title": "Driver", "active": false,
        "emails": [{ "value": "cid@home.example", "type": "work" }, { "value": "cid@work.example", "type": "home" }],
        ENTERPRISE: { "employeeNumber": "9" },
    });
    demo.create("/Users", user("cid", cid)).await;
    demo.calls();
    demo
}

#[tokio::test]
async fn filter_01_filter_03_filter_18_what_is_no_filter_is_refused() {
    let demo = people().await;
    assert_eq!(demo.get("/ServiceProviderConfig").await.ok(200)["filter"]["supported"], true);
    for filter in ["", " ", "userName", "userName regex \"x\"", "userName eq", "()", "userName eq \"a\" and"] {
        assert!(refused(&demo, filter).await.len() > 10, "{filter}");
    }
    assert!(refused(&demo, "userName regex \"x\"").await.contains("regex"));
}

/// What a row must hold to be found.
type Test<'t> = Box<dyn Fn(&Value) -> bool + 't>;

/// Rows of the backend, filtered here, and what the gateway finds: pushed down, looked at again, or walked through.
#[tokio::test]
async fn filter_02_what_is_found_is_what_matches() {
    let demo = Demo::start(250, 0).await;
    let all = rows(&demo, "/users");
    let text = |row: &Value, at: &str| row.pointer(at).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let login = |row: &Value| text(row, "/login");
    let first = login(&all[0]);
    let cases: Vec<(String, Test<'_>)> = vec![
        (format!("userName eq \"{}\"", first.to_uppercase()), Box::new(|row| login(row) == first)),
        ("userName co \"an\"".to_owned(), Box::new(|row| login(row).contains("an"))),
        ("userName sw \"a\"".to_owned(), Box::new(|row| login(row).starts_with('a'))),
        ("userName ew \"n\"".to_owned(), Box::new(|row| login(row).ends_with('n'))),
        ("active eq true".to_owned(), Box::new(|row| row["status"] == "ACTIVE")),
        ("active eq false".to_owned(), Box::new(|row| row["status"] != "ACTIVE")),
        ("active ne true".to_owned(), Box::new(|row| row["status"] != "ACTIVE")),
        ("nickName pr".to_owned(), Box::new(|row| !text(row, "/profile/nick").is_empty())),
        ("not (nickName pr)".to_owned(), Box::new(|row| text(row, "/profile/nick").is_empty())),
        (
            "active eq true and title co \"lead\"".to_owned(),
            Box::new(|row| row["status"] == "ACTIVE" && text(row, "/employment/job_title").contains("lead")),
        ),
        (
            "active eq false or userName sw \"b\"".to_owned(),
            Box::new(|row| row["status"] != "ACTIVE" || login(row).starts_with('b')),
        ),
        (
            "not (active eq false or userName sw \"b\")".to_owned(),
            Box::new(|row| row["status"] == "ACTIVE" && !login(row).starts_with('b')),
        ),
        (
            "addresses[country eq \"DE\" and locality eq \"berlin\"]".to_owned(),
            Box::new(|row| text(row, "/contact/places/0/city") == "berlin"),
        ),
        (format!("{ENTERPRISE}:department eq \"sales\""), Box::new(|row| text(row, "/employment/department") == "sales")),
        ("name.familyName gt \"m\"".to_owned(), Box::new(|row| text(row, "/profile/surname").as_str() > "m")),
        (
            "emails.value ew \"@home.example.net\"".to_owned(),
            Box::new(|row| row["contact"]["mail"].as_array().unwrap().len() == 2),
        ),
    ];
    for (filter, matches) in &cases {
        let mut expected: Vec<String> =
            all.iter().filter(|row| matches(row)).map(|row| row["login"].as_str().unwrap().to_owned()).collect();
        expected.sort_unstable();
        assert!(!expected.is_empty() && expected.len() < 250, "{filter} tells nothing");
        let mut names = Vec::new();
        for start in [1, 201] {
            let path = format!("{}&excludedAttributes=groups&startIndex={start}", filtered("/Users", filter));
            let answer = demo.strictly("GET", &path, None).await;
            assert_eq!(answer.ok(200)["totalResults"], expected.len(), "{filter}");
            names.extend(super::lists::texts(&answer, "userName"));
        }
        names.sort_unstable();
        assert_eq!(names, expected, "{filter}");
    }
}

#[tokio::test]
async fn filter_04_filter_06_filter_07_names_precedence_and_operators() {
    let demo = people().await;
    let cases: [(&str, &[&str]); 27] = [
        ("USERNAME EQ \"ANN\"", &["ann"]),
        ("userName eq \"an\"", &[]),
        ("userName ne \"ann\"", &["bob", "cid"]),
        ("title co \"UID\"", &["ann"]),
        ("title co \"x\"", &[]),
        ("title sw \"dr\"", &["cid"]),
        ("title sw \"river\"", &[]),
        ("title ew \"DE\"", &["ann"]),
        ("title ew \"Gui\"", &[]),
        ("title gt \"driver\"", &["ann"]),
        ("title ge \"driver\"", &["ann", "cid"]),
        ("title lt \"guide\"", &["cid"]),
        ("title le \"guide\"", &["ann", "cid"]),
        ("title pr", &["ann", "cid"]),
        ("nickName pr", &["ann"]),
        // And binds tighter than or, not reaches no further than its parentheses (erratum 4670).
        ("userName eq \"bob\" or userName eq \"ann\" and title eq \"Driver\"", &["bob"]),
        ("(userName eq \"bob\" or userName eq \"ann\") and title eq \"Guide\"", &["ann"]),
        ("not (title pr) or userName eq \"ann\"", &["ann", "bob"]),
        ("not (title pr or userName eq \"ann\")", &["bob"]),
        ("not (title pr and active eq true)", &["bob", "cid"]),
        ("userName eq \"ann\" and userName eq \"bob\"", &[]),
        // Numbers compare as numbers only where the schema says so: an employeeNumber is a string.
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber lt \"9\"", &["ann"]),
        ("active eq false", &["cid"]),
        ("active ne false", &["ann", "bob"]),
        ("id pr", &["ann", "bob", "cid"]),
        ("name.familyName pr", &["ann"]),
        ("name pr", &["ann"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(found(&demo, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn filter_08_booleans_and_binaries_have_no_order() {
    let demo = people().await;
    for filter in ["active gt true", "active ge true", "active lt true", "active le false", "x509Certificates.value gt \"TUlJ\""]
    {
        refused(&demo, filter).await;
    }
}

#[tokio::test]
async fn filter_09_filter_21_instants_compare_as_such() {
    let demo = people().await;
    let ann = demo.get(&filtered("/Users", "userName eq \"ann\"")).await.body["Resources"][0].clone();
    let modified = ann["meta"]["lastModified"].as_str().unwrap();
    // The same instant in another offset.
    let instant: jiff::Timestamp = modified.parse().unwrap();
    let elsewhere =
        instant.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(5))).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string();
    assert!(elsewhere.ends_with("+05:00"), "{elsewhere}");
    for (filter, holds) in [
        (format!("meta.lastModified eq \"{elsewhere}\""), true),
        (format!("meta.lastModified ge \"{elsewhere}\""), true),
        (format!("meta.lastModified gt \"{elsewhere}\""), false),
        (format!("meta.created le \"{elsewhere}\""), true),
        ("meta.created gt \"2011-05-13T04:42:34Z\"".to_owned(), true),
        ("meta.created lt \"2011-05-13T04:42:34Z\"".to_owned(), false),
        ("meta.resourceType eq \"User\"".to_owned(), true),
        ("meta.resourceType eq \"Group\"".to_owned(), false),
    ] {
        let filter = format!("userName eq \"ann\" and {filter}");
        assert_eq!(found(&demo, &filter).await, if holds { vec!["ann"] } else { vec![] }, "{filter}");
    }
    refused(&demo, "meta.created gt \"yesterday\"").await;
}

#[tokio::test]
async fn filter_10_filter_11_what_is_unassigned_is_not_present_and_equals_nothing() {
    let demo = people().await;
    for (filter, expected) in [
        ("emails pr", &["ann", "cid"][..]),
        ("not (emails pr)", &["bob"]),
        ("title ne \"Guide\"", &["bob", "cid"]),
        ("not (title eq \"Guide\")", &["bob", "cid"]),
        ("title ne null", &["ann", "cid"]),
    ] {
        assert_eq!(found(&demo, filter).await, expected, "{filter}");
    }
    let ann = ids(&demo.get(&filtered("/Users", "userName eq \"ann\"")).await)[0].clone();
    let clear = patch(json!([{ "op": "replace", "value": { "emails": [], "name": { "familyName": null, "givenName": null } } }]));
    demo.send("PATCH", &format!("/Users/{ann}"), Some(clear)).await.ok(200);
    assert_eq!(found(&demo, "emails pr").await, ["cid"]);
    assert!(found(&demo, "name pr").await.is_empty());
}

#[tokio::test]
async fn filter_12_the_case_of_letters_counts_where_the_schema_says_so() {
    let demo = people().await;
    for (filter, expected) in [
        ("externalId eq \"AbC\"", &["ann"][..]),
        ("externalId eq \"abc\"", &[]),
        ("externalId co \"bC\"", &["ann"]),
        ("externalId co \"bc\"", &[]),
        ("userName eq \"Ann\"", &["ann"]),
        ("emails.value eq \"ANN@WORK.EXAMPLE\"", &["ann"]),
    ] {
        assert_eq!(found(&demo, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn filter_13_filter_14_any_value_matches_and_bare_means_value() {
    let demo = people().await;
    for (filter, expected) in [
        ("emails.value eq \"ann@home.example\"", &["ann"][..]),
        ("emails eq \"ann@home.example\"", &["ann"]),
        ("emails co \"@home.example\"", &["ann", "cid"]),
        ("emails.value ne \"ann@home.example\"", &["bob", "cid"]),
    ] {
        assert_eq!(found(&demo, filter).await, expected, "{filter}");
    }
    refused(&demo, "name eq \"x\"").await;
}

#[tokio::test]
async fn filter_15_filter_16_a_value_path_is_about_one_value() {
    let demo = people().await;
    for (filter, expected) in [
        ("emails[type eq \"work\" and value co \"@work\"]", &["ann"][..]),
        ("emails.type eq \"work\" and emails.value co \"@work\"", &["ann", "cid"]),
        ("emails[type eq \"work\" and value eq \"cid@work.example\"]", &[]),
        ("emails[value eq \"cid@work.example\"]", &["cid"]),
        ("emails[type eq \"work\" and not (value co \"@work\")]", &["cid"]),
        ("not (emails[type eq \"work\" and value co \"@work\"])", &["bob", "cid"]),
    ] {
        assert_eq!(found(&demo, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn filter_17_a_default_counts_as_it_was_returned() {
    let demo = people().await;
    // bob was created without `active`; the backend made him active, and the client was told so.
    let bob = demo.get(&filtered("/Users", "userName eq \"bob\"")).await.body["Resources"][0].clone();
    assert_eq!(bob["active"], true);
    assert_eq!(found(&demo, "userName eq \"bob\" and active pr").await, ["bob"]);
    assert_eq!(found(&demo, "userName eq \"bob\" and active eq true").await, ["bob"]);
}

#[tokio::test]
async fn filter_19_filter_20_names_with_urns_and_the_schemas_of_a_resource() {
    let demo = people().await;
    let upper = ENTERPRISE.to_uppercase();
    for (filter, expected) in [
        (format!("{USER}:userName eq \"ann\""), &["ann"][..]),
        (format!("{ENTERPRISE}:department eq \"sales\""), &["ann"]),
        (format!("{upper}:DEPARTMENT eq \"sales\""), &["ann"]),
        (format!("schemas eq \"{ENTERPRISE}\""), &["ann", "cid"]),
    ] {
        assert_eq!(found(&demo, &filter).await, expected, "{filter}");
    }
    let list = ids(&demo.get("/Users").await);
    let (ann, bob) = (&list[0], &list[1]);
    let remove = patch(json!([{ "op": "remove", "path": ENTERPRISE }]));
    demo.strictly("PATCH", &format!("/Users/{ann}"), Some(remove)).await.ok(200);
    let add = patch(json!([{ "op": "add", "path": format!("{ENTERPRISE}:division"), "value": "South" }]));
    demo.strictly("PATCH", &format!("/Users/{bob}"), Some(add)).await.ok(200);
    assert_eq!(found(&demo, &format!("schemas eq \"{ENTERPRISE}\"")).await, ["bob", "cid"]);
}

#[tokio::test]
async fn filter_22_filter_23_what_is_never_returned_cannot_be_asked_for() {
    let demo = people().await;
    for filter in ["password eq \"x\"", "password pr", "password sw \"a\"", "userName eq \"ann\" and not (password eq \"x\")"] {
        refused(&demo, filter).await;
    }
}

#[tokio::test]
async fn filter_24_an_unknown_attribute_is_refused() {
    let demo = people().await;
    for filter in ["noSuch eq \"x\"", "userName eq \"ann\" or noSuch pr", "name.noSuch pr", "urn:example:x:2.0:User:a pr"] {
        refused(&demo, filter).await;
    }
}

#[tokio::test]
async fn filter_25_sec_05_strings_arrive_as_they_are() {
    let demo = people().await;
    assert_eq!(found(&demo, r#"displayName eq "ANN \"the\" ann\\\u00e9""#).await, ["ann"]);
    demo.calls();
    // Nothing gets out of its query parameter.
    for (value, encoded) in [
        (r#"a\"b"#, "a%22b"),
        ("a&email=ann@work.example", "a%26email%3Dann%40work.example"),
        ("a#b%26 +ü", "a%23b%2526%20%2B%C3%BC"),
        ("../teams", "..%2Fteams"),
    ] {
        assert!(found(&demo, &format!("userName eq \"{value}\"")).await.is_empty(), "{value}");
        assert_eq!(demo.calls(), [format!("GET /users?login={encoded}&page=1&per_page=100")]);
    }
    for literal in ["True", "NULL"] {
        let answer = demo.strictly("GET", &filtered("/Users", &format!("active eq {literal}")), None).await;
        answer.refused(400, Some("invalidFilter"));
    }
}

#[tokio::test]
async fn filter_26_filters_are_bounded() {
    let demo = people().await;
    for filter in [
        format!("{}userName pr{}", "(".repeat(2_000), ")".repeat(2_000)),
        format!("userName eq \"{}\"", "x".repeat(9_000)),
        vec!["title pr"; 300].join(" or "),
    ] {
        refused(&demo, &filter).await;
    }
}
