use super::*;

#[test]
fn any_revision_becomes_a_weak_tag_and_comes_back() {
    for (revision_, tag) in [
        ("3694e05e9dff590", "W/\"3694e05e9dff590\""),
        ("", "W/\"\""),
        ("a \"b\"", "W/\"a%20%22b%22\""),
        ("100%", "W/\"100%25\""),
        ("W/\"7\"", "W/\"W/%227%22\""),
        ("2020-01-01T00:00:00+05:30", "W/\"2020-01-01T00:00:00+05:30\""),
        ("é\n", "W/\"%C3%A9%0A\""),
        ("a,b*", "W/\"a,b*\""),
    ] {
        assert_eq!(weak(revision_), tag);
        assert_eq!(revision(tag).as_deref(), Some(revision_));
    }
    assert_eq!(revision("\"7\"").as_deref(), Some("7"));
    assert_eq!(revision("*"), None);
    assert_eq!(revision("\"a\", \"b\""), None);
    assert_eq!(revision(""), None);
    assert_eq!(revision("\"%FF\""), None);
}

#[test]
fn lists_are_read_with_tolerance() {
    for (header, any, opaque) in [
        ("*", true, &[][..]),
        ("W/\"a\"", false, &["a"]),
        ("\"a\", W/\"b,c\" ,,\"d\"", false, &["a", "b,c", "d"]),
        ("a, \"b\"", false, &["a", "b"]),
        ("w/\"a\"", false, &["w/\"a\""]),
        ("\"open", false, &["\"open"]),
        ("  , ", false, &[]),
        ("\"a\" *", true, &["a"]),
    ] {
        let tags = Tags::parse(header);
        assert_eq!(
            (tags.is_any(), tags.opaque.iter().map(String::as_str).collect::<Vec<_>>()),
            (any, opaque.to_vec()),
            "{header}"
        );
    }
    let many = vec!["\"x\""; limits::ENTITY_TAGS + 1].join(",");
    assert_eq!(Tags::parse(&many).opaque.len(), limits::ENTITY_TAGS);
}

/// (If-Match, If-None-Match, current, safe method, outcome); 200 is to proceed.
#[test]
fn conditions_follow_rfc_9110() {
    const A: &str = "W/\"a\"";
    for (if_match, if_none_match, current, safe, status) in [
        (None, None, Some(A), false, 200),
        (Some(A), None, Some(A), false, 200),
        (Some("\"a\""), None, Some(A), false, 200),
        (Some("\"b\", W/\"a\""), None, Some(A), false, 200),
        (Some("W/\"b\""), None, Some(A), false, 412),
        (Some("W/\"A\""), None, Some(A), false, 412),
        (Some(""), None, Some(A), false, 412),
        (Some(A), None, None, false, 412),
        (Some("*"), None, Some(A), false, 200),
        (Some("*"), None, None, false, 200),
        (None, Some(A), Some(A), true, 304),
        (None, Some("\"a\""), Some(A), true, 304),
        (None, Some("\"x\", \"a\""), Some(A), true, 304),
        (None, Some("\"x\""), Some(A), true, 200),
        (None, Some("*"), Some(A), true, 304),
        (None, Some("*"), None, true, 200),
        (None, Some("*"), None, false, 200),
        (None, Some("*"), Some(A), false, 412),
        (None, Some(A), Some(A), false, 412),
        (None, Some("garbage"), Some(A), true, 200),
        (Some("\"b\""), Some(A), Some(A), true, 412),
        (Some(A), Some(A), Some(A), true, 304),
    ] {
        let found = match condition(if_match, if_none_match, current, safe) {
            Ok(Condition::Proceed) => 200,
            Ok(Condition::NotModified) => 304,
            Err(error) => error.status,
        };
        assert_eq!(found, status, "{if_match:?} {if_none_match:?} {current:?} {safe}");
    }
}
