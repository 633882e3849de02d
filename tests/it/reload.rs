//! A mapping that is replaced while requests run: the real program, in front of a backend of two faces.
//!
//! The documents A and B differ in every call and every line: A calls `/a/...` and reads `a`, B calls `/b/...` and reads `b`. The
//! backend puts the face that was called into `face`. An answer whose `title` (the face) and `nickName` (the line) differ is of
//! both documents.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Reply, Running, send};

const PATIENCE: Duration = Duration::from_secs(30);
const SERVED: &str = "the new one is served";
const REFUSED: &str = "is refused";
const TOKEN: &str = "Authorization: Bearer 0123456789abcdef";
const SCIM: &str = "Content-Type: application/scim+json";

/// The backend; it runs until the tests end.
#[derive(Clone)]
struct Backend {
    url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// `GET /a/users/7`, in the order in which they came.
    calls: Mutex<Vec<String>>,
    tokens: Mutex<Vec<String>>,
    connections: AtomicUsize,
    /// Whether changes of the user `slow` wait.
    shut: Mutex<bool>,
    opened: Condvar,
}

/// A gateway, its folder and its backend.
struct Gateway {
    running: Running,
    address: String,
    folder: PathBuf,
    backend: Backend,
}

// === impl Backend ===

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let backend = Self { url, seen };
        let accepting = backend.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let backend = accepting.clone();
                backend.seen.connections.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || backend.serve(stream.unwrap()));
            }
        });
        backend
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some((line, token, body)) = request(&mut reader) {
            let (status, answer) = self.answer(&line, token, &body);
            let answer = answer.to_string();
            let head =
                format!("HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", answer.len());
            if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, line: &str, token: String, body: &str) -> (u16, Value) {
        self.seen.calls.lock().unwrap().push(line.to_owned());
        self.seen.tokens.lock().unwrap().push(token);
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let record = |id: &str| json!({ "id": id, "login": format!("login-{id}"), "face": parts[0], "a": "a", "b": "b" });
        match (method, &parts[..]) {
            ("GET", [_, "users"]) => {
                let page: usize = query.strip_prefix("page=").unwrap().split('&').next().unwrap().parse().unwrap();
                let rows: Vec<Value> = (0..2).map(|row| record(&format!("{page}{row}"))).collect();
                (200, json!({ "rows": if page > 3 { Vec::new() } else { rows }, "total": 6 }))
            }
            ("POST", [_, "users"]) => {
                assert!(body.contains("login"), "{body}");
                (201, record("new"))
            }
            (_, [_, "users", id]) => {
                if method == "PATCH" && *id == "slow" {
                    let opened =
                        self.seen.opened.wait_timeout_while(self.seen.shut.lock().unwrap(), PATIENCE, |shut| *shut).unwrap();
                    drop(opened);
                }
                (200, record(id))
            }
            _ => (404, json!({})),
        }
    }

    fn shut(&self, shut: bool) {
        *self.seen.shut.lock().unwrap() = shut;
        self.seen.opened.notify_all();
    }

    fn calls(&self) -> Vec<String> {
        self.seen.calls.lock().unwrap().clone()
    }

    /// Waits until a call has come.
    fn wait_for(&self, call: &str) {
        let since = Instant::now();
        while !self.calls().iter().any(|came| came == call) {
            assert!(since.elapsed() < PATIENCE, "{call} did not come: {:?}", self.calls());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Request line without its version, Authorization, body.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String, String)> {
    let (mut first, mut token, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            None => line.trim_end_matches(" HTTP/1.1").clone_into(&mut first),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut token),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, token, String::from_utf8(body).ok()?))
}

/// The document of a face. A has groups, B has none.
fn document(face: &str) -> String {
    let groups = "
  Group:
    id: $.id
    attributes: { displayName: $.login }
    get: GET /a/users/{{key}}
    list: { call: GET /a/users, items: \"$.rows[*]\" }";
    format!(
        r#"
mapping: v1
name: face-{face}
backend:
  url: ${{BACKEND_URL}}
  auth: {{ bearer: "${{BACKEND_TOKEN}}" }}
  pages: {{ by: number, page: page, size: size, max: 2, total: $.total }}
resources:
  User:
    id: $.id
    attributes:
      userName: $.login
      title: $.face
      nickName: $.{face}
    get: GET /{face}/users/{{{{key}}}}
    list: {{ call: GET /{face}/users, items: "$.rows[*]" }}
    create: POST /{face}/users
    update: PATCH /{face}/users/{{{{key}}}}{}
"#,
        if face == "a" { groups } else { "" }
    )
}

fn other(face: &str) -> &'static str {
    if face == "a" { "b" } else { "a" }
}

/// Puts a file into the place of another one in one step, as `mv` and most editors do.
fn rename(path: &Path, text: &str) {
    let other = path.with_extension("next");
    fs::write(&other, text).unwrap();
    fs::rename(other, path).unwrap();
}

/// As Kubernetes updates a ConfigMap: the files are links through `..data`, which is turned to a new folder.
fn turn(folder: &Path, version: usize, text: &str) {
    let new = format!("..version-{version}");
    fs::create_dir(folder.join(&new)).unwrap();
    fs::write(folder.join(&new).join("mapping.yaml"), text).unwrap();
    symlink(&new, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if let Some(before) = version.checked_sub(1) {
        fs::remove_dir_all(folder.join(format!("..version-{before}"))).unwrap();
    }
}

// === impl Gateway ===

impl Gateway {
    /// With document A, as a plain file.
    fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        Self::with(name, variables, |folder| fs::write(folder.join("mapping.yaml"), document("a")).unwrap())
    }

    fn with(name: &str, variables: &[(&str, &str)], fill: impl FnOnce(&Path)) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reload-{name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("config")).unwrap();
        fill(&folder.join("config"));
        let settings = "listen: 127.0.0.1:0\nmapping: config/mapping.yaml\nclients: [{ name: it, token: \"${SCIM_TOKEN}\" }]\n";
        fs::write(folder.join("serve.yaml"), settings).unwrap();
        let backend = Backend::start();
        let config = folder.join("serve.yaml");
        let variables: Vec<(&str, &str)> =
            [("SCIM_TOKEN", "0123456789abcdef"), ("BACKEND_URL", &backend.url), ("BACKEND_TOKEN", "first-token-of-backend")]
                .into_iter()
                .chain(variables.iter().copied())
                .collect();
        let running = Running::start(&["serve", "--config", config.to_str().unwrap()], &variables);
        let line = running.line_with("serving SCIM");
        let address = line.split("address=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Self { running, address, folder, backend }
    }

    fn mapping(&self) -> PathBuf {
        self.folder.join("config/mapping.yaml")
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        send_to(&self.address, method, path, body)
    }

    /// The face that is served.
    fn face(&self) -> String {
        face(&self.send("GET", "/Users/7", &Value::Null).json())
    }

    /// The face of a change that was made, and its answer.
    fn patch(&self, id: &str) -> thread::JoinHandle<String> {
        let (address, path) = (self.address.clone(), format!("/Users/{id}"));
        thread::spawn(move || {
            let operations = json!([{ "op": "replace", "path": "title", "value": "x" }]);
            let reply = send_to(&address, "PATCH", &path, &json!({ "Operations": operations }));
            assert_eq!(reply.status, 200, "{}", reply.text);
            face(&reply.json())
        })
    }
}

fn send_to(address: &str, method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(address, method, &format!("/scim/v2{path}"), &[TOKEN, SCIM], &body)
}

/// The one document that a resource is of.
fn face(user: &Value) -> String {
    let (title, nick) = (user["title"].as_str().unwrap(), user["nickName"].as_str().unwrap());
    assert_eq!(title, nick, "of two documents: {user}");
    title.to_owned()
}

/// Clients that send requests until they are told to stop, and look at every answer.
fn load(address: &str, stop: &Arc<AtomicBool>) -> Vec<thread::JoinHandle<usize>> {
    let client = |number: usize| {
        let (address, stop) = (address.to_owned(), Arc::clone(stop));
        thread::spawn(move || {
            let since = Instant::now();
            let mut count = 0;
            while !stop.load(Ordering::Acquire) && since.elapsed() < PATIENCE * 2 {
                one_of(&address, number + count);
                count += 1;
            }
            count
        })
    };
    (0..4).map(client).collect()
}

fn one_of(address: &str, number: usize) {
    let get = |path: &str| {
        let reply = send_to(address, "GET", path, &Value::Null);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    };
    match number % 4 {
        0 => drop(face(&get("/Users/7"))),
        // Three calls, and all rows are of the same document.
        1 => {
            let list = get("/Users?filter=title%20pr");
            let faces: BTreeSet<String> = list["Resources"].as_array().unwrap().iter().map(face).collect();
            assert_eq!((faces.len(), &list["totalResults"]), (1, &json!(6)), "{list}");
        }
        2 => {
            let types = get("/ResourceTypes");
            let names: Vec<&str> =
                types["Resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            assert!(names == ["User", "Group"] || names == ["User"], "{types}");
        }
        _ => {
            let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
            let reply = send_to(address, "POST", "/Users", &json!({ "schemas": schemas, "userName": "ann" }));
            assert_eq!(reply.status, 201, "{}", reply.text);
            face(&reply.json());
        }
    }
}

/// Swaps the documents under load so many times, and looks that the new one is served each time.
fn swap_under_load(gateway: &Gateway, times: usize, mut swap: impl FnMut(usize, &str)) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients = load(&gateway.address, &stop);
    let mut now = "a";
    for time in 0..times {
        now = other(now);
        swap(time + 1, &document(now));
        gateway.running.line_with(SERVED);
        assert_eq!(gateway.face(), now);
        let groups = gateway.send("GET", "/Groups", &Value::Null);
        assert_eq!(groups.status, if now == "a" { 200 } else { 404 }, "{}", groups.text);
    }
    stop.store(true, Ordering::Release);
    let counts: Vec<usize> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(counts.iter().all(|count| *count > times), "{counts:?}");
}

#[test]
fn a_file_that_is_renamed_into_place() {
    let gateway = Gateway::start("rename", &[]);
    swap_under_load(&gateway, 7, |_, text| rename(&gateway.mapping(), text));
}

#[test]
fn a_config_map_that_is_updated() {
    let gateway = Gateway::with("config-map", &[], |folder| {
        turn(folder, 0, &document("a"));
        symlink("..data/mapping.yaml", folder.join("mapping.yaml")).unwrap();
    });
    swap_under_load(&gateway, 7, |time, text| turn(&gateway.folder.join("config"), time, text));
}

#[test]
fn a_signal_without_a_watch() {
    let gateway = Gateway::start("signal", &[("SCIMITAR_RELOAD", "false")]);
    swap_under_load(&gateway, 6, |_, text| {
        let before = gateway.face();
        fs::write(gateway.mapping(), text).unwrap();
        assert_eq!(gateway.face(), before);
        gateway.running.signal("-HUP");
    });
    gateway.running.signal("-HUP");
    gateway.running.line_with("the mapping is what it was");
    // It stops as before.
    gateway.running.signal("-TERM");
    assert_eq!(gateway.running.exit_code(), Some(0));
}

#[test]
fn a_bad_document_is_refused_loudly_and_the_old_one_stays() {
    let gateway = Gateway::start("refused", &[]);
    let bad = document("b")
        .replace("    get: GET /b", "    fetch: GET /b")
        .replace("      nickName: $.b", "      nickNam: $.b")
        .replace("\"${BACKEND_TOKEN}\"", "a-secret-written-down");
    rename(&gateway.mapping(), &bad);
    let line = gateway.running.line_with(REFUSED);
    assert!(line.contains("ERROR") && line.contains("mistakes=3"), "{line}");
    for mistake in [
        "mapping.yaml:9:3: missing-key: a resource type needs `get`; describe the call",
        "mapping.yaml:14:7: unknown-attribute: no schema of this resource type has `nickNam`; did you mean `nickName`?",
        "mapping.yaml:15:5: unknown-key: `fetch` is not a key of a resource type; the keys here are",
    ] {
        let line = gateway.running.line();
        assert!(line.contains("ERROR") && line.contains(mistake), "{line}");
        assert!(!line.contains("a-secret-written-down"), "{line}");
    }
    assert_eq!(gateway.face(), "a");
    // A person who asks again hears it again.
    gateway.running.signal("-HUP");
    gateway.running.line_with(REFUSED);
    // Not YAML, nothing at all, and no file: the old one stays.
    rename(&gateway.mapping(), "mapping: v1\nbackend: { auth: { bearer: \"a-secret-written-down\n");
    let line = gateway.running.line_with("yaml-syntax");
    assert!(!line.contains("a-secret-written-down"), "{line}");
    rename(&gateway.mapping(), "");
    gateway.running.line_with(REFUSED);
    assert_eq!(gateway.face(), "a");
    fs::remove_file(gateway.mapping()).unwrap();
    gateway.running.line_with("cannot be read");
    assert_eq!(gateway.face(), "a");
    // What is served already is not put into its own place.
    rename(&gateway.mapping(), &format!("# A comment more.\n{}", document("a")));
    gateway.running.line_with("the mapping says what it said");
    rename(&gateway.mapping(), &document("b"));
    gateway.running.line_with(SERVED);
    assert_eq!(gateway.face(), "b");
}

#[test]
fn a_change_that_runs_ends_on_the_old_document_and_the_next_one_waits_for_it() {
    let gateway = Gateway::start("patch", &[]);
    gateway.backend.shut(true);
    let first = gateway.patch("slow");
    gateway.backend.wait_for("PATCH /a/users/slow");
    rename(&gateway.mapping(), &document("b"));
    gateway.running.line_with(SERVED);
    let second = gateway.patch("slow");
    // Others do not wait.
    assert_eq!(gateway.patch("7").join().unwrap(), "b");
    thread::sleep(Duration::from_millis(100));
    let calls = gateway.backend.calls();
    assert!(!calls.iter().any(|call| call.ends_with("/b/users/slow")), "{calls:?}");
    gateway.backend.shut(false);
    assert_eq!((first.join().unwrap().as_str(), second.join().unwrap().as_str()), ("a", "b"));
}

#[test]
fn a_job_that_runs_ends_on_the_old_document() {
    let gateway = Gateway::start("bulk", &[]);
    gateway.backend.shut(true);
    let address = gateway.address.clone();
    let job = thread::spawn(move || {
        let patch = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }] });
        let operation = |id: &str| json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": patch });
        // One after the other.
        let operations = [operation("slow"), operation("7"), operation("8")];
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let body = json!({ "schemas": schemas, "failOnErrors": 1, "Operations": operations });
        send_to(&address, "POST", "/Bulk", &body)
    });
    gateway.backend.wait_for("PATCH /a/users/slow");
    rename(&gateway.mapping(), &document("b"));
    gateway.running.line_with(SERVED);
    assert_eq!(gateway.face(), "b");
    gateway.backend.shut(false);
    let reply = job.join().unwrap();
    assert_eq!(crate::support::statuses(&reply.json()), ["200", "200", "200"], "{}", reply.text);
    let changes: Vec<String> = gateway.backend.calls().into_iter().filter(|call| call.starts_with("PATCH")).collect();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|call| call.starts_with("PATCH /a/")), "{changes:?}");
}

/// A place in a list of another mapping is no place in this one.
#[test]
fn a_cursor_ends_with_its_document() {
    let gateway = Gateway::start("cursor", &[]);
    let first = gateway.send("GET", "/Users?cursor=&count=2", &Value::Null).json();
    let next = format!("/Users?count=2&cursor={}", first["nextCursor"].as_str().unwrap());
    assert_eq!(gateway.send("GET", &next, &Value::Null).status, 200);
    rename(&gateway.mapping(), &document("b"));
    gateway.running.line_with(SERVED);
    let reply = gateway.send("GET", &next, &Value::Null);
    assert_eq!((reply.status, &reply.json()["scimType"]), (400, &json!("invalidCursor")), "{}", reply.text);
}

#[test]
fn connections_go_on_while_the_backend_and_its_secrets_are_the_same() {
    let token = |folder: &Path| folder.parent().unwrap().join("secrets/token");
    let written = |folder: &Path, extra: &str| {
        let reference = format!("\"${{file:{}}}\"", token(folder).display());
        document("a").replace("\"${BACKEND_TOKEN}\"", &reference).replace("      title", &format!("{extra}      title"))
    };
    let gateway = Gateway::with("secret", &[], |folder| {
        fs::create_dir(token(folder).parent().unwrap()).unwrap();
        fs::write(token(folder), "one\n").unwrap();
        fs::write(folder.join("mapping.yaml"), written(folder, "")).unwrap();
    });
    let config = gateway.folder.join("config");
    let seen = || {
        assert_eq!(gateway.face(), "a");
        let last = gateway.backend.seen.tokens.lock().unwrap().last().unwrap().clone();
        (last, gateway.backend.seen.connections.load(Ordering::SeqCst))
    };
    assert_eq!(seen(), ("Bearer one".to_owned(), 1));
    assert_eq!(seen(), ("Bearer one".to_owned(), 1));
    rename(&gateway.mapping(), &written(&config, "      displayName: { read: $.login }\n"));
    gateway.running.line_with(SERVED);
    assert_eq!(seen(), ("Bearer one".to_owned(), 1));
    // The secret alone changes: its folder is watched, too.
    rename(&token(&config), "two\n");
    gateway.running.line_with(SERVED);
    assert_eq!(seen(), ("Bearer two".to_owned(), 2));
    // It is taken away, and comes back.
    fs::remove_file(token(&config)).unwrap();
    let line = gateway.running.line_with("missing-secret");
    assert!(line.contains("token"), "{line}");
    assert_eq!(seen(), ("Bearer two".to_owned(), 2));
    fs::write(token(&config), "three\n").unwrap();
    gateway.running.line_with(SERVED);
    assert_eq!(seen(), ("Bearer three".to_owned(), 3));
}
