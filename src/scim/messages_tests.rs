use serde_json::json;

use super::*;
use crate::scim::ScimType;

fn query(pairs: &[(&str, &str)]) -> Result<SearchRequest, ScimError> {
    SearchRequest::from_query(pairs.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))))
}

fn body(mut body: Value) -> Value {
    body.as_object_mut().unwrap().insert("schemas".to_owned(), json!([SEARCH_REQUEST_SCHEMA]));
    body
}

fn everything() -> SearchRequest {
    SearchRequest {
        attributes: vec!["userName".to_owned(), "emails.value".to_owned()],
        excluded_attributes: vec!["meta".to_owned()],
        filter: Some("userName eq \"a\"".to_owned()),
        sort_by: Some("userName".to_owned()),
        sort_order: SortOrder::Descending,
        start_index: Some(-3),
        count: Some(0),
        cursor: None,
    }
}

#[test]
fn a_query_is_read_in_any_case() {
    let pairs = [
        ("Attributes", "userName, emails.value,"),
        ("excludedattributes", "meta"),
        ("FILTER", "userName eq \"a\""),
        ("sortBy", "userName"),
        ("sortOrder", "Descending"),
        ("startIndex", "-3"),
        ("count", "0"),
        ("aadOptscim062020", ""),
        ("foo", "1"),
        ("foo", "2"),
    ];
    assert_eq!(query(&pairs), Ok(everything()));
    assert_eq!(query(&[]), Ok(SearchRequest::default()));
    assert_eq!(query(&[("attributes", ""), ("sortBy", " "), ("sortOrder", "")]), Ok(SearchRequest::default()));
    assert_eq!(query(&[("count", "99999999999999999999")]).unwrap().count, Some(i64::MAX));
    assert_eq!(query(&[("startIndex", "-99999999999999999999")]).unwrap().start_index, Some(i64::MIN));
}

#[test]
fn a_wrong_query_is_refused() {
    for (pairs, scim_type) in [
        (&[("count", "abc")][..], ScimType::InvalidValue),
        (&[("startIndex", "1.5")], ScimType::InvalidValue),
        (&[("count", "")], ScimType::InvalidValue),
        (&[("count", "1"), ("COUNT", "1")], ScimType::InvalidValue),
        (&[("filter", "a pr"), ("filter", "b pr")], ScimType::InvalidValue),
        (&[("sortOrder", "up")], ScimType::InvalidValue),
        (&[("filter", "")], ScimType::InvalidFilter),
        (&[("filter", "  ")], ScimType::InvalidFilter),
    ] {
        let error = query(pairs).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{pairs:?}");
    }
}

#[test]
fn a_search_request_is_read_from_a_body() {
    let full = body(json!({
        "attributes": ["userName", "emails.value"], "excludedAttributes": ["meta"], "Filter": "userName eq \"a\"",
        "sortBy": "userName", "sortOrder": "descending", "startIndex": -3, "COUNT": 0, "cursor": null
    }));
    for profile in [&Profile::STRICT, &Profile::LENIENT] {
        assert_eq!(SearchRequest::from_body(full.clone(), profile), Ok(everything()));
        assert_eq!(SearchRequest::from_body(body(json!({"filter": null})), profile), Ok(SearchRequest::default()));
    }
    let strings = body(json!({"attributes": "userName, emails.value", "count": "5"}));
    let lenient = SearchRequest::from_body(strings.clone(), &Profile::LENIENT).unwrap();
    assert_eq!((lenient.attributes, lenient.count), (everything().attributes, Some(5)));
    assert!(SearchRequest::from_body(strings, &Profile::STRICT).is_err());
    assert!(SearchRequest::from_body(json!({"count": 1}), &Profile::LENIENT).is_ok());
}

#[test]
fn a_wrong_search_request_is_refused() {
    for (value, scim_type) in [
        (json!({"count": 1}), ScimType::InvalidSyntax),
        (json!([]), ScimType::InvalidSyntax),
        (json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]}), ScimType::InvalidSyntax),
        (body(json!({"count": 1, "Count": 1})), ScimType::InvalidSyntax),
        (body(json!({"startIndex": "a"})), ScimType::InvalidValue),
        (body(json!({"count": 1.5})), ScimType::InvalidValue),
        (body(json!({"attributes": [1]})), ScimType::InvalidValue),
        (body(json!({"sortBy": 1})), ScimType::InvalidValue),
        (body(json!({"sortOrder": "up"})), ScimType::InvalidValue),
        (body(json!({"filter": 1})), ScimType::InvalidFilter),
        (body(json!({"filter": ""})), ScimType::InvalidFilter),
    ] {
        let error = SearchRequest::from_body(value.clone(), &Profile::STRICT).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{value}");
    }
}

#[test]
fn an_empty_list_has_all_members() {
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 7, "startIndex": 8, "itemsPerPage": 0, "Resources": []
    });
    assert_eq!(list_response(7, 8, Vec::new()), expected);
    assert_eq!(list_response(7, 1, vec![json!({}), json!({})])["itemsPerPage"], json!(2));
}
