//! A whole life in XML. The application reads and writes its documents by hand, so that nothing here is of the gateway's making.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::server::{Came, Given, Server, given};
use crate::scim::{USER, filtered, patch, user};

const MAPPING: &str = include_str!("../../fixtures/mappings/valid/xml.yaml");

#[derive(Debug, Clone, Default)]
struct Person {
    fields: BTreeMap<String, String>,
    /// Kind and address.
    mails: Vec<(String, String)>,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn plain(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#13;", "\r"),
        ("&#10;", "\n"),
        ("&#9;", "\t"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (name, char)| text.replace(name, char))
}

/// What stands in an element; nothing in an empty one.
fn content<'d>(document: &'d str, name: &str) -> Option<&'d str> {
    if document.contains(&format!("<{name}/>")) {
        return Some("");
    }
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>")).unwrap().0)
}

impl Person {
    /// Takes what a document says; the rest stays.
    fn take(&mut self, document: &str) {
        for name in ["name", "full_name", "position", "enabled"] {
            if let Some(text) = content(document, name) {
                self.fields.insert(name.to_owned(), plain(text));
            }
        }
        if let Some(mails) = content(document, "mails") {
            self.mails = mails
                .split("<mail kind=\"")
                .skip(1)
                .map(|mail| {
                    let (kind, rest) = mail.split_once("\">").unwrap();
                    (plain(kind), plain(rest.split_once("</mail>").unwrap().0))
                })
                .collect();
        }
    }

    fn document(&self, id: u64) -> String {
        let mut document = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<user>\n  <id>{id}</id>\n");
        for (name, text) in &self.fields {
            writeln!(document, "  <{name}>{}</{name}>", escaped(text)).unwrap();
        }
        document.push_str("  <mails>\n");
        for (kind, address) in &self.mails {
            writeln!(document, "    <mail kind=\"{}\">{}</mail>", escaped(kind), escaped(address)).unwrap();
        }
        document + "  </mails>\n</user>\n"
    }
}

fn xml(status: u16, document: impl Into<String>) -> Given {
    given(status, "text/xml;charset=UTF-8", document)
}

fn missing() -> Given {
    given(404, "text/html", "<html><body><p>Not Found<br></body></html>")
}

fn directory() -> impl Fn(&Came) -> Given + Send + Sync {
    let people: Mutex<BTreeMap<u64, Person>> = Mutex::default();
    move |came| {
        let mut people = people.lock().unwrap();
        assert_eq!(came.header("accept"), Some("application/xml"));
        let (method, path) = came.line.split_once(' ').unwrap();
        let number = || path.rsplit('/').next().unwrap().parse::<u64>().unwrap();
        if method == "POST" || method == "PUT" {
            assert_eq!(came.header("content-type"), Some("application/xml"));
            assert!(came.body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<user>"), "{}", came.body);
        }
        let made = |id: u64| xml(201, format!("<user><id>{id}</id></user>"));
        match method {
            "GET" if path == "/users" => {
                let mut document = format!("<users><size>{}</size>", people.len());
                for (id, person) in people.iter() {
                    write!(document, "<user><id>{id}</id><name>{}</name></user>", escaped(&person.fields["name"])).unwrap();
                }
                xml(200, document + "</users>")
            }
            "GET" if path.starts_with("/users/name/") => {
                let name =
                    percent_encoding::percent_decode_str(path.strip_prefix("/users/name/").unwrap()).decode_utf8().unwrap();
                let found = people.iter().find(|(_, person)| person.fields["name"] == name);
                found.map_or_else(missing, |(id, person)| xml(200, person.document(*id)))
            }
            "GET" => people.get(&number()).map_or_else(missing, |person| xml(200, person.document(number()))),
            "POST" => {
                let mut person = Person::default();
                person.take(&came.body);
                if people.values().any(|other| other.fields["name"] == person.fields["name"]) {
                    return xml(409, "<error><code>409</code><message>Duplicate name &amp; all that</message></error>");
                }
                let id = people.keys().next_back().map_or(1, |last| last + 1);
                people.insert(id, person);
                made(id)
            }
            "PUT" => match people.get_mut(&number()) {
                Some(person) => {
                    person.take(&came.body);
                    made(number())
                }
                None => missing(),
            },
            "DELETE" => people.remove(&number()).map_or_else(missing, |_| made(number())),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_whole_life() {
    let server = Server::start(directory()).await;
    let gateway = server.gateway(MAPPING);
    assert_eq!(gateway.get("/Users").await.ok(200)["totalResults"], 0, "a list of nobody");
    let mails = json!([{ "value": "ann@example.com", "type": "work" }]);
    let answer = gateway.send("POST", "/Users", Some(user("ann", json!({ "title": "Boss", "emails": mails })))).await;
    let found = answer.ok(201);
    assert_eq!((&found["id"], &found["active"], &found["emails"]), (&json!("1"), &json!(true), &mails));
    let came = server.came();
    let sent = &came.iter().find(|call| call.line.starts_with("POST")).unwrap().body;
    let elements = [
        "<name>ann</name>",
        "<position>Boss</position>",
        "<enabled>true</enabled>",
        "<mails><mail kind=\"work\">ann@example.com</mail></mails>",
    ];
    assert!(elements.iter().all(|element| sent.contains(element)), "{sent}");

    let list = gateway.get("/Users").await;
    assert_eq!(list.ok(200)["totalResults"], 1, "one is a list");
    assert_eq!(list.body["Resources"][0]["emails"], mails, "what the row does not tell is read");
    let taken = gateway.send("POST", "/Users", Some(user("ann", json!({})))).await;
    assert_eq!(taken.refused(409, Some("uniqueness")), "Duplicate name & all that");
    gateway.create("/Users", user("bob", json!({ "active": false }))).await;
    let list = gateway.get("/Users?attributes=userName").await;
    let names: Vec<&Value> = list.ok(200)["Resources"].as_array().unwrap().iter().map(|one| &one["userName"]).collect();
    assert_eq!(names, ["ann", "bob"]);
    let found = gateway.get(&filtered("/Users", "userName eq \"bob\"")).await;
    assert_eq!((&found.ok(200)["totalResults"], &found.body["Resources"][0]["active"]), (&json!(1), &json!(false)));
    assert_eq!(gateway.get(&filtered("/Users", "userName eq \"nobody\"")).await.ok(200)["totalResults"], 0);
    assert_eq!(gateway.get(&filtered("/Users", "active eq true")).await.ok(200)["Resources"][0]["userName"], "ann");
    gateway.get("/Users/9").await.refused(404, None);

    server.came();
    let two = json!([{ "op": "replace", "path": "title", "value": "Chief" },
                     { "op": "add", "path": "emails", "value": [{ "value": "a@home.test", "type": "home" }] }]);
    let changed = gateway.send("PATCH", "/Users/1", Some(patch(two))).await;
    assert_eq!(changed.ok(200)["emails"].as_array().unwrap().len(), 2);
    let came = server.came();
    let sent = &came.iter().find(|call| call.line == "PUT /users/id/1").unwrap().body;
    assert!(sent.contains("<position>Chief</position>") && !sent.contains("<name>"), "only what changes: {sent}");
    let whole = json!({ "schemas": [USER], "userName": "anna", "active": false });
    let replaced = gateway.send("PUT", "/Users/1", Some(whole)).await;
    let found = replaced.ok(200);
    assert_eq!((&found["userName"], &found["active"], &found["title"]), (&json!("anna"), &json!(false), &Value::Null));
    assert_eq!(found["emails"], Value::Null, "the list is emptied: {found}");
    assert_eq!(gateway.send("DELETE", "/Users/1", None).await.status, 204);
    gateway.get("/Users/1").await.refused(404, None);
}

/// What a client sends stays what it is: in the document, and on the way back.
#[tokio::test]
async fn values_stay_values() {
    let server = Server::start(directory()).await;
    let gateway = server.gateway(MAPPING);
    for (number, text) in
        ["</name><enabled>false</enabled><name>", "a & b", "]]>", "\"'><x y=\"", "&lt;", "<![CDATA[x]]>", "é\u{10FFFF}"]
            .into_iter()
            .enumerate()
    {
        let mails = json!([{ "value": text, "type": text }]);
        let body = user(&format!("{number}{text}"), json!({ "title": text, "active": true, "emails": mails }));
        let id = gateway.create("/Users", body).await;
        let found = gateway.get(&format!("/Users/{id}")).await;
        assert_eq!((&found.ok(200)["title"], &found.body["emails"]), (&json!(text), &mails), "{text}");
        assert_eq!(found.body["active"], true, "{text}");
    }
    server.came();
    let answer = gateway.send("POST", "/Users", Some(user("x", json!({ "title": "a\u{8}b" })))).await;
    assert!(answer.refused(400, Some("invalidValue")).contains("position"), "{}", answer.body);
    assert!(server.came().is_empty(), "nothing is sent");
}

/// None of it is an answer, and no other file of the machine is in one.
#[tokio::test]
async fn hostile_answers() {
    let nested = "<a>".repeat(100_000);
    let documents = [
        "<!DOCTYPE user [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><user><id>1</id><name>&b;</name></user>",
        "<!DOCTYPE user [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><user><id>1</id><name>&f;</name></user>",
        "<user><id>1</id><name>&f;</name></user>",
        "<user><id>1</id><name>ann</user>",
        "<user><id>1</id>",
        &nested,
        "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><user><id>1</id><name>Jiří</name></user>",
        "<html><body><h1>Please sign in</h1><br></body></html>",
        "<html><body>Please sign in</body></html>",
        "{\"user\":{\"id\":1}}",
        "<error>no</error>",
        "<users/><users/>",
    ];
    for document in documents {
        let document = document.to_owned();
        let server = Server::start(move |_| xml(200, document.clone())).await;
        let gateway = server.gateway(MAPPING);
        for path in ["/Users/1".to_owned(), "/Users".to_owned(), filtered("/Users", "userName eq \"ann\"")] {
            gateway.get(&path).await.refused(502, None);
        }
    }
}
