//! The program from outside: what it prints, how it ends.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::process::{DemoProcess, Reply, Running, run, send};

const TOKEN: &str = "a-token-for-the-tests-of-serve";
/// The variables that examples/serve.yaml and its mapping refer to.
const GIVEN: [(&str, &str); 3] =
    [("SCIM_TOKEN", TOKEN), ("PEOPLE_URL", "http://127.0.0.1:9"), ("PEOPLE_TOKEN", "people-directory-token")];

/// A backend that takes its time.
const SLOW: &str = r#"{"latency_ms": 3000}"#;

/// Signals a gateway with a slow backend while a request runs, and gives the answer to that request.
fn stopped_while_running(gateway: &Running, signal: &str, address: &str, authorization: &str) -> Reply {
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| send(address, "GET", "/scim/v2/Users/1001", &[authorization], ""));
        // The latency passes before the backend counts the call: only time tells that the request runs.
        std::thread::sleep(Duration::from_secs(1));
        gateway.signal(signal);
        while TcpStream::connect(address).is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!slow.is_finished(), "the request was over before the signal had an effect");
        slow.join().unwrap()
    })
}

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/serve.yaml").display().to_string()
}

#[test]
fn the_demo_says_where_it_is_and_what_to_type() {
    let demo = DemoProcess::start();
    assert_eq!(demo.greeting[0], format!("SCIM 2.0   http://{}/scim/v2   (bearer token: demo)", demo.gateway));
    let hint = demo.running.line_with("curl");
    assert_eq!(hint, format!("  curl -s -H 'Authorization: Bearer demo' 'http://{}/scim/v2/Users?count=1'", demo.gateway));
    let reply = send(&demo.gateway, "GET", "/scim/v2/Users?count=1", &["Authorization: Bearer demo"], "");
    assert_eq!((reply.status, &reply.json()["totalResults"]), (200, &json!(100)), "{}", reply.text);
    demo.running.signal("-TERM");
    assert_eq!(demo.running.exit_code(), Some(0));
}

/// The first signal ends nothing that runs, and the backend stays as long as the gateway needs it.
#[test]
fn the_demo_finishes_what_runs() {
    for signal in ["-TERM", "-INT"] {
        let demo = DemoProcess::start();
        assert_eq!(demo.backend("PUT", "/_faults", SLOW).status, 200);
        let slow = stopped_while_running(&demo.running, signal, &demo.gateway, "Authorization: Bearer demo");
        assert_eq!((slow.status, &slow.json()["id"]), (200, &json!("1001")), "{signal}: {}", slow.text);
        assert_eq!(demo.running.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn a_port_in_use_is_a_finding() {
    let demo = DemoProcess::start();
    for flag in ["--listen", "--backend-listen"] {
        let other = if flag == "--listen" { "--backend-listen" } else { "--listen" };
        let output = run(&["demo", flag, &demo.gateway, other, "127.0.0.1:0"], &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("cannot listen on {}", demo.gateway)) && said.contains(flag), "{said}");
    }
}

#[test]
fn serve_with_the_example() {
    let demo = DemoProcess::start();
    let url = format!("http://{}", demo.backend);
    let mut given = GIVEN.to_vec();
    given.extend([("PEOPLE_URL", url.as_str()), ("SCIMITAR_LISTEN", "127.0.0.1:0")]);
    let gateway = Running::start(&["serve", "--config", &example()], &given);
    let ready = gateway.line_with("serving SCIM");
    let address = ready.split("address=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let authorization = format!("Authorization: Bearer {TOKEN}");
    let reply = send(&address, "GET", "/scim/v2/Users/1001", &[&authorization], "");
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!("1001")), "{}", reply.text);
    assert_eq!(send(&address, "GET", "/scim/v2/Users/1001", &["Authorization: Bearer demo"], "").status, 401);

    assert_eq!(demo.backend("PUT", "/_faults", SLOW).status, 200);
    let slow = stopped_while_running(&gateway, "-TERM", &address, &authorization);
    assert_eq!(slow.status, 200, "{}", slow.text);
    assert_eq!(gateway.exit_code(), Some(0));
}

#[test]
fn check_of_the_example_is_good() {
    let output = run(&["serve", "--check", "--config", &example()], &GIVEN);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.ends_with("examples/serve.yaml: the settings and the mapping are good\n"), "{answer}");
    assert_eq!(said, "", "the example has nothing to warn of");
}

/// Every finding names its file and its line or key, and says what to type.
#[test]
fn check_with_findings() {
    let folder = folder("check_with_findings");
    let mapping = include_str!("../../mappings/demo/mapping.yaml");
    let line = 1 + mapping.lines().position(|line| line.trim() == "userName: $.login").unwrap();
    let cases = [
        (
            "good.yaml",
            mapping.to_owned(),
            "listen: 127.0.0.1:80800",
            vec!["settings.yaml: listen: `127.0.0.1:80800`", "write an IP address and a port"],
        ),
        ("good.yaml", mapping.to_owned(), "lisen: 127.0.0.1:0", vec!["settings.yaml: line 1, column 1: ", "lisen", "listen"]),
        ("none.yaml", String::new(), "", vec!["none.yaml cannot be read", "Set `mapping` to a file that exists"]),
        (
            "typo.yaml",
            mapping.replacen("userName: $.login", "userNam: $.login", 1),
            "",
            vec!["unknown-attribute", "userNam", "userName", "typo.yaml", "HERE"],
        ),
    ];
    for (file, text, more, expected) in cases {
        if !text.is_empty() {
            fs::write(folder.join(file), text).unwrap();
        }
        let settings = folder.join("settings.yaml");
        fs::write(&settings, format!("{more}\nmapping: {file}\nclients: [{{name: test, token: \"${{SCIM_TOKEN}}\"}}]\n"))
            .unwrap();
        let output = run(&["serve", "--check", "--config", &settings.display().to_string()], &GIVEN);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
        for part in expected {
            let place = format!("{file}:{line}:");
            let part = if part == "HERE" { place.as_str() } else { part };
            assert!(said.contains(part), "{part} is not in:\n{said}");
        }
    }
}

#[test]
fn usage_errors() {
    for args in [
        &[][..],
        &["serv"],
        &["serve"],
        &["demo", "--users", "many"],
        &["demo", "--listen", "8080"],
        &["demo", "--faults", "latency=fast"],
        &["demo", "--log", "scimitar=loud"],
        &["check"],
        &["explain", "mapping.yaml"],
        &["test"],
        &["test", "mapping.yaml", "--format", "xml"],
    ] {
        let output = run(args, &[]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    for args in [
        &["--help"][..],
        &["--version"],
        &["demo", "--help"],
        &["serve", "--help"],
        &["check", "--help"],
        &["explain", "--help"],
        &["test", "--help"],
    ] {
        let output = run(args, &[]);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

#[test]
fn explain_counts_the_calls_for_members_that_a_filter_needs() {
    let explained = |request: &str| -> serde_json::Value {
        let output = run(&["explain", "mappings/demo/mapping.yaml", request, "--format", "json"], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let members = |explained: &serde_json::Value| {
        let calls = explained["calls"].as_array().unwrap();
        calls.iter().find(|call| call["target"].as_str().unwrap().starts_with("/teams/KEY/")).map(|call| call["repeated"].clone())
    };
    let without = explained("GET /Groups?excludedAttributes=members");
    assert_eq!(members(&without), None, "{without}");
    // Not asked for, but the filter cannot be told without them.
    let filtered = explained("GET /Groups?filter=not (members.value eq \"1001\")&excludedAttributes=members");
    assert_eq!(
        members(&filtered),
        Some(json!("for each resource that is left to check or to sort, for each page")),
        "{filtered}"
    );
    assert!(filtered["callsAtMost"].as_u64() > without["callsAtMost"].as_u64(), "{filtered}");
}

/// A person at a keyboard, or a pipe.
#[test]
fn explain_reads_a_body_from_stdin() {
    let text = r#"{"Operations": [{"op": "replace", "path": "displayName", "value": "Ann"}]}"#;
    let (code, said, _) = explained(&["PATCH /Users/1001", "--body", "-"], text.as_bytes());
    assert_eq!(code, 0);
    assert!(said.contains(r#"  body        {"profile":{"shown_as":"Ann"}}"#), "{said}");
    let (code, said, _) = explained(&["PATCH /Users/1001", "--body", "-", "--format", "json"], text.as_bytes());
    let plan: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(code, 0);
    let call = json!({
        "effect": "writes",
        "name": "User.update",
        "method": "PATCH",
        "target": "/users/1001",
        "conditions": [["if-match", "{{record.rev}}"]],
        "body": { "profile": { "shown_as": "Ann" } },
        "when": "if displayName differs"
    });
    assert_eq!(plan["calls"][1], call);
    assert_eq!(plan["notes"][0]["about"], "stale", "{plan}");
}

#[test]
fn explain_of_a_write_that_is_typed_wrongly() {
    let whole = vec![b' '; 1_048_577];
    for (args, body, expected, said_so) in [
        (&["PATCH /Users/1001"][..], &b""[..], 2, "write --body FILE"),
        (&["POST /Bulk"], b"", 2, "write --body FILE"),
        (&["PUT /Users/1001", "--body", "no-such-file.json"], b"", 2, "no-such-file.json cannot be read"),
        (&["DELETE /Users/1001", "--body", "-"], b"{}", 2, "leave out --body"),
        (&["GET /Users/1001", "--body", "-"], b"{}", 2, "leave out --body"),
        (&["PUT /Users", "--body", "-"], b"{}", 2, "PUT /{type} cannot be explained"),
        (&["POST /Users/1001", "--body", "-"], b"{}", 2, "cannot be explained"),
        (&["POST /Users", "--body", "-"], &whole, 2, "more than 1048576 bytes"),
        (&["POST /Users", "--body", "-"], b"{", 1, "refused       400 invalidSyntax"),
        (&["POST /Users", "--body", "-"], b"{}", 1, "userName is required"),
        (&["PUT /Users/ann", "--body", "-"], b"{}", 1, "refused       404"),
        (&["POST /Bulk", "--body", "-"], b"{}", 1, "refused       400"),
    ] {
        let (code, answer, said) = explained(args, body);
        assert_eq!(code, expected, "{args:?}: {answer}{said}");
        let (where_, other) = if expected == 2 { (said, answer) } else { (answer, said) };
        assert!(where_.contains(said_so), "{args:?}: {where_}");
        assert_eq!(other, "", "{args:?}");
    }
}

/// Runs `explain` on the demo's mapping; gives the exit code, stdout and stderr.
fn explained(args: &[&str], body: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scimitar"))
        .args(["explain", "mappings/demo/mapping.yaml"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read.
    drop(child.stdin.take().unwrap().write_all(body));
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
