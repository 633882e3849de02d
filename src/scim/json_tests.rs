use serde_json::json;

use super::*;

fn detail(bytes: &[u8]) -> String {
    let error = parse(bytes).unwrap_err();
    assert_eq!((error.status, error.scim_type), (400, Some(crate::scim::ScimType::InvalidSyntax)));
    error.detail
}

#[test]
fn well_formed_documents_are_read() {
    let text = r#" {"a": [1, -2, 2.5, true, null, "Jürgen \u00fc 🦀"], "b": {}} "#;
    assert_eq!(parse(text.as_bytes()), Ok(json!({"a": [1, -2, 2.5, true, null, "Jürgen ü 🦀"], "b": {}})));
    assert_eq!(parse("\u{feff}{}".as_bytes()), Ok(json!({})));
}

#[test]
fn errors_say_what_and_where() {
    for (bytes, words) in [
        (&b""[..], &["empty"][..]),
        (b" \r\n ", &["empty"]),
        (b"{\"userName\": \"J\xfcrgen\"}", &["UTF-8", "byte 16"]),
        (b"{\"userName\":", &["cut off", "line 1, column 12"]),
        (b"{\n  \"a\": 1,\n  b: 2}", &["not JSON", "line 3, column 3"]),
        (b"{\"a\":1} x", &["not JSON", "line 1, column 9"]),
        (b"{\"a\": \"\\ud800\"}", &["not JSON", "hex escape", "line 1, column 14"]),
        (b"{\"a\": 1e999}", &["not JSON", "number out of range"]),
        (b"{\"a\": NaN}", &["not JSON", "line 1"]),
        (b"{\"userName\":\"a\",\n\"userName\":\"b\"}", &["\"userName\"", "twice", "line 2"]),
        (b"{\"a\":{\"b\":1,\"\\u0062\":2}}", &["\"b\"", "twice"]),
    ] {
        let detail = detail(bytes);
        for word in words {
            assert!(detail.contains(word), "{detail} lacks {word}");
        }
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(limits::JSON_DEPTH).as_bytes()).is_ok());
    assert!(detail(nested(limits::JSON_DEPTH + 1).as_bytes()).contains("64 levels"));
    assert!(detail("[".repeat(200_000).as_bytes()).contains("64 levels"));
    assert!(detail("{\"a\":".repeat(200_000).as_bytes()).contains("64 levels"));
}
