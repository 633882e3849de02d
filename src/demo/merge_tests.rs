use serde_json::{Value, json};

use super::*;
use crate::demo::model::UserFields;

/// The code and field of the refusal when the body is written on an empty user.
fn refused(body: &Value) -> (&'static str, Option<String>) {
    let refusal = merged(&UserFields::default(), body).expect_err("must be refused");
    (refusal.code, refusal.field)
}

fn at(code: &'static str, field: &str) -> (&'static str, Option<String>) {
    (code, Some(field.to_owned()))
}

#[test]
fn objects_merge_null_clears_arrays_replace() {
    let first = json!({"login": "ann", "profile": {"nick": "A", "tz": "Europe/Berlin"},
        "contact": {"mail": [{"address": "a@example.com"}, {"address": "b@example.com"}]}});
    let first = merged(&UserFields::default(), &first).unwrap();
    let second = json!({"profile": {"nick": null, "locale": "de"}, "contact": {"mail": [{"address": "c@example.com"}]}});
    let second = merged(&first, &second).unwrap();
    assert_eq!(second.login, "ann");
    assert_eq!((second.profile.nick, second.profile.tz.as_deref()), (None, Some("Europe/Berlin")));
    assert_eq!(second.profile.locale.as_deref(), Some("de"));
    let addresses: Vec<_> = second.contact.mail.iter().map(|mail| mail.address.as_deref()).collect();
    assert_eq!(addresses, [Some("c@example.com")]);
}

#[test]
fn null_clears_groups_and_lists() {
    let full = json!({"login": "ann", "profile": {"nick": "A"}, "access": {"roles": [{"code": "x", "preferred": true}]}});
    let full = merged(&UserFields::default(), &full).unwrap();
    let cleared = merged(&full, &json!({"profile": null, "access": {"roles": null}})).unwrap();
    assert_eq!(cleared, UserFields { login: "ann".to_owned(), ..UserFields::default() });
}

#[test]
fn unknown_fields_are_named_with_their_path() {
    assert_eq!(refused(&json!({"userName": "ann"})), at("UNKNOWN_FIELD", "userName"));
    assert_eq!(refused(&json!({"profile": {"nik": "A"}})), at("UNKNOWN_FIELD", "profile.nik"));
    assert_eq!(refused(&json!({"profile": {"nik": null}})), at("UNKNOWN_FIELD", "profile.nik"));
    assert_eq!(refused(&json!({"extra": {"nick": "A"}})), at("UNKNOWN_FIELD", "extra"));
    let mail = json!({"login": "ann", "contact": {"mail": [{"address": "a@example.com"}, {"adress": "b@example.com"}]}});
    assert_eq!(refused(&mail), at("UNKNOWN_FIELD", "contact.mail[1].adress"));
}

#[test]
fn wrong_types_are_named_with_their_path() {
    assert_eq!(refused(&json!({"login": 5})), at("INVALID", "login"));
    assert_eq!(refused(&json!({"login": {"a": 1}})), at("INVALID", "login"));
    assert_eq!(refused(&json!({"login": null})), at("INVALID", "login"));
    assert_eq!(refused(&json!({"profile": "Ann"})), at("INVALID", "profile"));
    assert_eq!(refused(&json!({"contact": {"mail": {"address": "a"}}})), at("INVALID", "contact.mail"));
    assert_eq!(refused(&json!({"contact": {"mail": [{}, null]}})), at("INVALID", "contact.mail[1]"));
    assert_eq!(refused(&json!({"contact": {"mail": [{"preferred": "yes"}]}})), at("INVALID", "contact.mail[0].preferred"));
    for wrong in [json!("1001"), json!(1.5), json!(-1), json!(true)] {
        assert_eq!(refused(&json!({"employment": {"manager_id": wrong}})), at("INVALID", "employment.manager_id"));
    }
    for body in [json!("ann"), json!(null), json!(7)] {
        assert_eq!(refused(&body), ("INVALID", None));
    }
}

/// serde alone would take these for the fields in order.
#[test]
fn arrays_are_not_objects() {
    assert_eq!(refused(&json!(["ann"])), ("INVALID", None));
    assert_eq!(refused(&json!({"profile": ["Ann Lee"]})), at("INVALID", "profile"));
    assert_eq!(refused(&json!({"profile": []})), at("INVALID", "profile"));
    assert_eq!(refused(&json!({"contact": {"mail": [{}, ["a@example.com"]]}})), at("INVALID", "contact.mail[1]"));
}

#[test]
fn messages_tell_what_fits() {
    let refusal = merged(&UserFields::default(), &json!({"employment": {"manager_id": "1001"}})).unwrap_err();
    assert_eq!(refusal.message, r#"employment.manager_id: invalid type: string "1001", expected a positive integer"#);
    let refusal = merged(&UserFields::default(), &json!({"contact": {"fax": 1}})).unwrap_err();
    assert!(refusal.message.contains("`mail`") && refusal.message.contains("`places`"), "{}", refusal.message);
}

#[test]
fn read_only_names_reach_into_objects() {
    let names = ["id", "employment.manager_name"];
    assert!(refuse_read_only(&json!({"employment": {"number": "7"}}), &names).is_ok());
    assert!(refuse_read_only(&json!([]), &names).is_ok());
    let refusal = refuse_read_only(&json!({"employment": {"manager_name": null}}), &names).unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_deref()), ("READ_ONLY", Some("employment.manager_name")));
}

#[test]
fn blame_in_a_long_list_is_bounded() {
    let mail = |good: usize| {
        let mut items = vec![json!({}); good];
        items.push(json!(5));
        json!({"login": "ann", "contact": {"mail": items}})
    };
    let last = limits::ATTRIBUTE_VALUES - 1;
    assert_eq!(refused(&mail(last)), at("INVALID", &format!("contact.mail[{last}]")));
    assert_eq!(refused(&mail(last + 1)), at("INVALID", "contact.mail"));
}
