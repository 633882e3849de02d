use super::*;

#[test]
fn date_times_are_those_of_xml_schema() {
    let z = |text| instant(text, false).map(|at: Timestamp| at.to_string());
    assert_eq!(z("2011-05-13T04:42:34Z").as_deref(), Some("2011-05-13T04:42:34Z"));
    assert_eq!(z("2011-05-13T04:42:34.5Z").as_deref(), Some("2011-05-13T04:42:34.5Z"));
    assert_eq!(z("2011-05-13T04:42:34+02:00").as_deref(), Some("2011-05-13T02:42:34Z"));
    for bad in [
        "",
        "T",
        "2011-05-13",
        "2011-05-13T04:42:34",
        "2011-05-13 04:42:34Z",
        "2011-05-13T04:42Z",
        "20110513T044234Z",
        "2011-13-13T04:42:34Z",
        "2011-05-13T04:42:34+0200",
        "2011-05-13T04:42:34+02:00[Europe/Berlin]",
        "2011-05-13T04:42:34.Z",
        "2011-05-13T04:42:34é",
    ] {
        assert_eq!(z(bad), None, "{bad}");
    }
    assert_eq!(instant("2011-05-13T04:42:34", true), instant("2011-05-13T04:42:34Z", false));
}

#[test]
fn numbers_compare_exactly() {
    let n = |text: &str| serde_json::from_str::<Number>(text).unwrap();
    for (a, b, expected) in [
        ("9", "10", Ordering::Less),
        ("1500", "1.5e3", Ordering::Equal),
        ("-1", "-1.5", Ordering::Greater),
        ("0", "-0.5", Ordering::Greater),
        ("0", "0.5", Ordering::Less),
        ("9007199254740993", "9007199254740992.0", Ordering::Greater),
        ("18446744073709551615", "1e300", Ordering::Less),
        ("-9223372036854775808", "-1e300", Ordering::Greater),
    ] {
        assert_eq!(number_cmp(&n(a), &n(b)), expected, "{a} {b}");
        assert_eq!(number_cmp(&n(b), &n(a)), expected.reverse(), "{b} {a}");
    }
}

#[test]
fn text_without_case_is_unicode() {
    assert!(text_eq("BJENSEN", "bjensen", false));
    assert!(text_eq("ÉCOLE", "école", false));
    assert!(!text_eq("BJENSEN", "bjensen", true));
    assert!(!text_eq("ecole", "école", false));
    assert!(text_starts_with("Émile Zola", "éM", false));
    assert!(text_ends_with("JOSÉ", "sé", false));
    assert!(text_contains("xÉy", "é", false));
    assert!(text_contains("a@Example.com", "@EXAMPLE", false));
    assert!(!text_contains("abc", "abcd", false));
    assert_eq!(text_cmp("B", "a", false), Ordering::Greater);
    assert_eq!(text_cmp("B", "a", true), Ordering::Less);
    assert_eq!(text_cmp("É", "f", false), Ordering::Greater);
}
