use http::HeaderValue;

use super::*;

fn headers(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (SET_COOKIE, HeaderValue::from_str(line).unwrap())).collect()
}

fn sent(jar: &Jar) -> Option<String> {
    jar.header(None).map(|value| value.to_str().unwrap().to_owned())
}

/// RFC 6265 section 5.2: the first `=` ends the name, attributes are not sent back.
#[test]
fn names_and_values_only() {
    let jar = Jar::of(&headers(&[
        "SID=31d4d96e407aad42; Path=/; Secure; HttpOnly",
        "lang=en-US; Expires=Wed, 09 Jun 2100 10:18:14 GMT",
        "a=b=c",
    ]));
    assert_eq!(sent(&jar).unwrap(), "SID=31d4d96e407aad42; lang=en-US; a=b=c");
    assert_eq!(jar.get("a"), Some("b=c"));
    assert_eq!(jar.get("sid"), None);
}

#[test]
fn the_last_one_of_a_name_counts_and_what_is_ended_is_gone() {
    let gone = "OLD=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0";
    assert_eq!(sent(&Jar::of(&headers(&["S=1", "OLD=x", gone, "S=2", "=nameless", "nothing"]))).unwrap(), "S=2");
    assert_eq!(sent(&Jar::of(&headers(&["S=1; max-age=-1"]))), None);
}

#[test]
fn later_answers_renew_what_is_known() {
    let mut jar = Jar::of(&headers(&["S=1", "T=1"]));
    jar.renew(&headers(&["S=2", "ads=no"]));
    assert_eq!(sent(&jar).unwrap(), "S=2; T=1");
    jar.renew(&headers(&["T=; Max-Age=0"]));
    assert_eq!(sent(&jar).unwrap(), "S=2");
}

#[test]
fn cookies_stand_behind_others_and_are_marked() {
    let value = Jar::of(&headers(&["S=1"])).header(Some(&HeaderValue::from_static("theme=dark"))).unwrap();
    assert_eq!(value, "theme=dark; S=1");
    assert!(value.is_sensitive());
}
