//! XML in both directions.

use serde_json::{Value, json};

use super::{Unreadable, read, write, write_whole};
use crate::limits;
use crate::mapping::template::RenderError;

fn lists() -> Vec<String> {
    ["user", "mail"].map(str::to_owned).into()
}

fn parse(text: &str) -> Result<Value, Unreadable> {
    read(text.as_bytes(), None, &lists())
}

#[test]
fn documents() {
    let cases = [
        ("<a>x</a>", json!({ "a": "x" })),
        ("<a/>", json!({ "a": null })),
        ("<a></a>", json!({ "a": null })),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a>7</a>\n", json!({ "a": "7" })),
        ("<a><b>1</b><c>true</c></a>", json!({ "a": { "b": "1", "c": "true" } })),
        ("<a>\n  <b>1</b>\n</a>", json!({ "a": { "b": "1" } })),
        // Layout, and a value that is a blank.
        ("<a>\n  <b>\n  </b><c> </c></a>", json!({ "a": { "b": null, "c": " " } })),
        ("<a><b>1</b><b>2</b><b/></a>", json!({ "a": { "b": ["1", "2", null] } })),
        ("<a><b>1</b><c/><b>2</b></a>", json!({ "a": { "b": ["1", "2"], "c": null } })),
        ("<users><user>1</user></users>", json!({ "users": { "user": ["1"] } })),
        ("<users/>", json!({ "users": null })),
        ("<users><size>0</size></users>", json!({ "users": { "size": "0" } })),
        // The root is one, whatever it is called.
        ("<user><mail>a</mail></user>", json!({ "user": { "mail": ["a"] } })),
        ("<a id=\"7\"/>", json!({ "a": { "@id": "7" } })),
        ("<a id='7'>x</a>", json!({ "a": { "@id": "7", "#text": "x" } })),
        ("<a id='7'>\n <b/>\n</a>", json!({ "a": { "@id": "7", "b": null } })),
        ("<a>before <b>x</b> behind</a>", json!({ "a": { "b": "x", "#text": "before  behind" } })),
        ("<a xmlns='urn:x' xmlns:y='urn:y'><y:b y:c='1'>2</y:b></a>", json!({ "a": { "b": { "@y:c": "1", "#text": "2" } } })),
        (
            "<a xmlns:xsi='urn:i'><b xsi:nil='true'/><c xsi:type='xs:int'>7</c><d xsi:nil='false'>1</d></a>",
            json!({ "a": { "b": null, "c": "7", "d": "1" } }),
        ),
        ("<a>&lt;b&gt; &amp; &quot;&apos; &#233;&#x10FFFF;</a>", json!({ "a": "<b> & \"' é\u{10FFFF}" })),
        ("<a b='&lt;&amp;&#10;'/>", json!({ "a": { "@b": "<&\n" } })),
        ("<a><![CDATA[<b>&amp;]]]]><![CDATA[>]]></a>", json!({ "a": "<b>&amp;]]>" })),
        ("<a>1\r\n2\r3</a>", json!({ "a": "1\n2\n3" })),
        ("\u{FEFF}<a>é</a>", json!({ "a": "é" })),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_document() {
    for text in [
        "",
        " ",
        "x",
        "{}",
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a",
        "<a><![CDATA[x</a>",
        "<!-- <a/>",
        "<html><br></html>",
    ] {
        assert_eq!(parse(text), Err(Unreadable::Form), "{text}");
    }
}

#[test]
fn hostile_documents() {
    let laughs = "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>";
    assert_eq!(parse(laughs), Err(Unreadable::DocumentType));
    assert_eq!(parse("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), Err(Unreadable::DocumentType));
    assert_eq!(parse("<!DOCTYPE html><html></html>"), Err(Unreadable::DocumentType));
    assert_eq!(parse("<a>&x;</a>"), Err(Unreadable::Entity));
    assert_eq!(parse("<a b='&x;'/>"), Err(Unreadable::Entity));
    assert_eq!(parse("<a>&#0;</a>"), Err(Unreadable::Form));
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(&nested(limits::XML_DEPTH)).is_ok());
    assert_eq!(parse(&nested(limits::XML_DEPTH + 1)), Err(Unreadable::Depth));
    assert_eq!(parse(&nested(1_000_000)), Err(Unreadable::Depth));
    assert_eq!(parse(&format!("<a>{}</a>", "<b/>".repeat(limits::XML_NODES))), Err(Unreadable::Size));
    // Each attribute against all others would take hours.
    let many = (0..200_000).map(|number| format!(" a{number}=''")).collect::<Vec<_>>().concat();
    assert!(parse(&format!("<a{many}/>")).is_ok());
}

#[test]
fn encodings() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>";
    assert_eq!(read(latin, None, &[]), Err(Unreadable::Encoding));
    assert_eq!(read(b"<a>\xE9</a>", None, &[]), Err(Unreadable::Encoding));
    assert_eq!(read(b"\xFF\xFE<\0a\0/\0>\0", None, &[]), Err(Unreadable::Encoding));
    // It says that it is something else, and is UTF-8 by accident.
    assert_eq!(parse("<?xml version=\"1.0\" encoding=\"windows-1250\"?><a>é</a>"), Err(Unreadable::Encoding));
    assert_eq!(read("<a>é</a>".as_bytes(), Some("iso-8859-1"), &[]), Err(Unreadable::Encoding));
    assert_eq!(read("<a>é</a>".as_bytes(), Some("UTF-8"), &[]), Ok(json!({ "a": "é" })));
    assert_eq!(parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>e</a>"), Ok(json!({ "a": "e" })));
}

#[test]
fn bodies() {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let cases = [
        (json!({}), "<u></u>"),
        (json!(null), "<u/>"),
        (json!({ "a": "x", "b": 7, "c": true, "d": null, "e": "" }), "<u><a>x</a><b>7</b><c>true</c><d/><e></e></u>"),
        (json!({ "a": ["1", 2, null] }), "<u><a>1</a><a>2</a><a/></u>"),
        (json!({ "mails": { "mail": [] } }), "<u><mails></mails></u>"),
        (json!({ "@id": 7, "@none": null, "#text": "x" }), "<u id=\"7\">x</u>"),
        (json!({ "a": { "@id": "1", "b": [{ "c": 1 }, { "c": 2 }] } }), "<u><a id=\"1\"><b><c>1</c></b><b><c>2</c></b></a></u>"),
    ];
    for (content, expected) in cases {
        assert_eq!(write("u", &content), Ok(format!("{head}{expected}")), "{content}");
    }
    assert_eq!(write_whole(&json!({ "u": { "a": 1 } })), Ok(format!("{head}<u><a>1</a></u>")));
    let refused = |result| matches!(result, Err(RenderError::Xml(_)));
    for body in [json!({}), json!(null), json!("x"), json!({ "a": 1, "b": 2 }), json!({ "a": [1] }), json!([{ "a": 1 }])] {
        assert!(refused(write_whole(&body)), "{body}");
    }
    for content in [
        json!({ "a b": 1 }),
        json!({ "": 1 }),
        json!({ "a><b": 1 }),
        json!({ "@": 1 }),
        json!({ "@a b": 1 }),
        json!({ "@a": [1] }),
    ] {
        assert!(refused(write("u", &content)), "{content}");
    }
    assert!(refused(write("u", &json!({ "a": [[1]] }))));
    assert!(refused(write("u", &json!({ "#text": { "a": 1 } }))));
    assert_eq!(write("u", &json!({ "a": "\u{8}" })), Err(RenderError::Character("a".to_owned())));
    assert_eq!(write("u", &json!({ "@a": "\0" })), Err(RenderError::Character("a".to_owned())));
    let deep = (0..limits::XML_DEPTH).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert!(refused(write("u", &deep)));
}

/// Whatever a client sends comes back as it was, and as nothing else.
#[test]
fn injections_come_back() {
    for text in [
        "<b>x</b>",
        "</a><admin>true</admin><a>",
        "&lt;",
        "&",
        "]]>",
        "<![CDATA[x]]>",
        "<!-- x -->",
        "<?x?>",
        "\"'><a b=\"",
        "\" onload=\"x",
        "1\n2\r\n3\t4\r",
        " x ",
        "é\u{10FFFF}\u{FFFD}\u{85}\u{2028}",
        "&#60;",
        "a\u{A0}",
    ] {
        let value = json!({ "a": text, "b": { "@c": text, "#text": text }, "user": [{ "mail": [text] }] });
        let document = write("u", &value).unwrap();
        assert_eq!(parse(&document), Ok(json!({ "u": value })), "{document}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::default() })]

    /// Of any text, in an element and in an attribute, either comes back or none is sent.
    #[test]
    fn any_text_comes_back(text in "[\\PC<>&\"'\\]\\r\\n\\t ]{1,12}") {
        let value = json!({ "a": { "@b": text, "#text": text }, "c": text });
        let found = write("u", &value).ok().map(|document| parse(&document).unwrap());
        // Blank lines are layout.
        if text.trim().is_empty() {
            return Ok(());
        }
        proptest::prop_assert_eq!(found, Some(json!({ "u": value })));
    }

    #[test]
    fn nothing_panics(text in "[<>/&;#x!\\[\\]A-Ca-c='\" \\-?DOCTYPE\\PC]{0,60}") {
        drop(parse(&text));
        drop(parse(&format!("<a>{text}</a>")));
    }
}
