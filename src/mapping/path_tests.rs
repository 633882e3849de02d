use super::*;
use serde_json::json;

fn document() -> Value {
    json!({"a": {"b": [{"c": 1}, {"c": 2, "t": "x"}, {"d": 3}], "we'ird": 4, "\"q\"": 5, "t\tb": 6}, "err": {"no": 7}})
}

/// Lowered paths select what the library selects, and what an independent implementation selects.
#[test]
fn lowered_paths_agree_with_two_libraries() {
    let document = document();
    for text in [
        "$",
        "$.a",
        "$.a.b[0].c",
        "$.a.b[-1].d",
        "$.a.b[*].c",
        "$.a.b[*]",
        "$.a[*]",
        "$['a']['b'][1]['c']",
        "$.a.b[7]",
        "$.x.y",
        "$.a.b[?@.t == 'x'].c",
        "$.err[?@ == 7]",
        "$..c",
        "$.a[\"we'ird\"]",
        "$.a['we\\'ird']",
        "$.a[\"\\\"q\\\"\"]",
        "$.a['\"q\"']",
        "$.a['\\u0062'][0].c",
        "$.a['t\\tb']",
        "$['a'].b[?match(@.t, '[a-z]')].t",
        "$.a.b[?length(@.t) == 1].t",
        "$.a[?count(@.*) > 2][0]",
        "$.a.b[?value(@.c) > 1].c",
        "$.a.b[?@.c && @.c >= 2 || !(@.c)]",
        "$.a.b[0:2].c",
        "$.a.b[?@.c == 2].t",
        "$.a.b[?@.c == 2.0]",
        "$.a.b[?'x' == @.t].c",
        "$.a.b[?@.t == 2].c",
        "$.a.b[?@.x == 2].c",
        "$.a[?@ == 4]",
        "$.err[?@.no == 7]",
        "$.a.b[?@.t == null].c",
    ] {
        let ours = JsonPath::parse(text).unwrap();
        let query = parse_json_path(text).unwrap();
        let theirs = run(&query, &document);
        let oracle = serde_json_path::JsonPath::parse(text).unwrap().query(&document).all();
        assert_eq!(ours.all(&document), oracle, "{text}");
        assert_eq!(theirs, oracle, "{text}");
        assert_eq!(ours.first(&document), oracle.first().copied(), "{text}");
        assert_eq!(ours.holds(&document), !oracle.is_empty(), "{text}");
    }
}

#[test]
fn only_singular_paths_of_names_are_written() {
    let write = |text: &str| JsonPath::parse(text).unwrap().to_write().map(|path| path.names().join("/"));
    assert_eq!(write("$.a.b"), Some("a/b".to_owned()));
    assert_eq!(write("$['a b'].c"), Some("a b/c".to_owned()));
    for text in ["$", "$.a[0]", "$.a[*]", "$..a", "$.a[?@.b]"] {
        assert_eq!(write(text), None, "{text}");
    }
    let mut body = json!({"a": {"x": 1}});
    JsonPath::parse("$.a.b.c").unwrap().to_write().unwrap().put(&mut body, json!(2));
    assert_eq!(body, json!({"a": {"x": 1, "b": {"c": 2}}}));
}

#[test]
fn bad_paths_are_refused() {
    for text in ["a.b", "", "$.", "$.a[", "$.a[?]", "$ .a."] {
        assert!(JsonPath::parse(text).is_err(), "{text}");
    }
}

/// RFC 9535 section 2.4.3; the oracle refuses them too.
#[test]
fn functions_take_and_give_what_the_rfc_says() {
    for text in [
        "$[?count(1) > 2]",
        "$[?count('a') > 2]",
        "$[?count(@.a)]",
        "$[?count(length(@.a)) == 1]",
        "$[?length(@.*) < 3]",
        "$[?length(@..a) == 1]",
        "$[?length(@.a)]",
        "$[?length(match(@.a, 'a')) == 1]",
        "$[?value('a') == 1]",
        "$[?value(@.a)]",
        "$[?match(@.a, 'x') == true]",
        "$[?search(@.*, 'x')]",
        "$[?match(@.a, @.*)]",
        "$[?!length(@.a)]",
        "$[?(length(@.a))]",
        "$..[?count(1) > 2]",
        "$['a', ?count(1) > 2]",
        "$[?@.a == 1 && (count(1) > 2 || @.b)]",
    ] {
        assert!(serde_json_path::JsonPath::parse(text).is_err(), "{text}");
        assert!(JsonPath::parse(text).is_err(), "{text}");
    }
    // An extension of the library's.
    let reason = JsonPath::parse("$[?in(@.a, @.b)]").unwrap_err();
    assert!(reason.contains("there is no function `in`"), "{reason}");
    for text in ["$[?size(@.a) == 1]", "$.job title", "$.a.b c.d", "$..b c"] {
        assert!(serde_json_path::JsonPath::parse(text).is_err(), "{text}");
        assert!(JsonPath::parse(text).is_err(), "{text}");
    }
    let reason = JsonPath::parse("$[?@[?@ > 1]]").unwrap_err();
    assert!(reason.contains("filter within a filter"), "{reason}");
}
