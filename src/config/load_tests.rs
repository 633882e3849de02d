use secrecy::ExposeSecret;

use super::super::secrets::{SecretError, Secrets};
use super::*;

struct Table;

impl Secrets for Table {
    fn variable(&self, name: &str) -> Result<Option<String>, SecretError> {
        Ok(match name {
            "TOKEN" => Some("0123456789abcdef".to_owned()),
            "OTHER" => Some("fedcba9876543210".to_owned()),
            "SHORT" => Some("0123456789abcde".to_owned()),
            "BLANK" => Some("0123456789 abcdef".to_owned()),
            _ => None,
        })
    }

    fn file(&self, path: &str) -> Result<String, SecretError> {
        Err(SecretError::File { path: path.to_owned(), reason: "not there".to_owned() })
    }
}

const GOOD: &str = "mapping: mapping.yaml\nclients: [{name: entra, token: \"${TOKEN}\"}]\n";

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Resolved, String> {
    let variables = variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    layer("s.yaml", text, variables)
        .and_then(|settings| settings.check("s.yaml", Path::new("/etc/scimitar"), &["lenient", "strict"], &Table))
        .map_err(|problems| problems.to_string())
}

#[test]
fn defaults() {
    let settings = load(GOOD, &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.base_path, "/scim/v2");
    assert_eq!(settings.public_url, None);
    assert_eq!(settings.mapping, Path::new("/etc/scimitar/mapping.yaml"));
    assert!(settings.discovery_without_token);
    assert_eq!(settings.limits.request_bytes, limits::REQUEST_BYTES);
    assert_eq!(settings.limits.request_timeout.as_secs(), limits::REQUEST_SECONDS);
    assert_eq!(settings.clients[0].token.expose_secret(), "0123456789abcdef");
    assert_eq!(settings.clients[0].profile, "lenient");
    assert_eq!(settings.warnings, Vec::<String>::new());
}

#[test]
fn everything_can_be_written() {
    let text = r#"
listen: "[::]:9000"
base_path: /a/scim/v2/
public_url: https://scim.example.com/a/scim/v2/
mapping: /srv/mapping.yaml
profile: strict
clients:
  - name: entra
    token: ${TOKEN}
  - name: okta
    token: ${OTHER}
    profile: lenient
discovery_without_token: false
limits:
  request_bytes: 2097152
  request_timeout: 1m 30s
  concurrent_requests: 10
  connections: 20
  drain_timeout: 500ms
log: info
"#;
    let settings = load(text, &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "[::]:9000");
    assert_eq!(settings.base_path, "/a/scim/v2");
    assert_eq!(settings.public_url.as_deref(), Some("https://scim.example.com/a/scim/v2"));
    assert_eq!(settings.mapping, Path::new("/srv/mapping.yaml"));
    assert_eq!(settings.limits.request_timeout.as_secs(), 90);
    assert_eq!(settings.limits.drain_timeout.as_millis(), 500);
    let profiles: Vec<_> = settings.clients.iter().map(|client| client.profile.as_str()).collect();
    assert_eq!(profiles, ["strict", "lenient"]);
    assert!(!settings.discovery_without_token);
    assert_eq!(settings.log.as_deref(), Some("info"));
}

#[test]
fn variables_go_before_the_file() {
    let settings = load(
        &format!("{GOOD}listen: 127.0.0.1:1\n"),
        &[
            ("SCIMITAR_LISTEN", "127.0.0.1:2"),
            ("SCIMITAR_LIMITS__REQUEST_BYTES", "1000"),
            ("SCIMITAR_LIMITS__REQUEST_TIMEOUT", "5s"),
            ("SCIMITAR_DISCOVERY_WITHOUT_TOKEN", "false"),
            ("SCIMITAR_PUBLIC_URL", ""),
            ("SCIMITAR_BASE_PATH", "/2"),
            // Not for the settings: the command line's, and what Kubernetes sets beside a Service named scimitar.
            ("SCIMITAR_CONFIG", "x"),
            ("SCIMITAR_LOG_FORMAT", "json"),
            ("SCIMITAR_SERVICE_HOST", "10.0.0.1"),
            ("SCIMITAR_SERVICE_PORT_HTTP", "80"),
            ("SCIMITAR_PORT", "tcp://10.0.0.1:80"),
            ("SCIMITAR_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.listen.port(), 2);
    assert_eq!(settings.limits.request_bytes, 1000);
    assert_eq!(settings.limits.request_timeout.as_secs(), 5);
    assert_eq!(settings.base_path, "/2");
    assert!(!settings.discovery_without_token);
}

#[test]
fn numbers_in_text_stay_text() {
    // A YAML reader without types makes 1.1 of it.
    assert_eq!(load(&format!("{GOOD}base_path: /1.10\n"), &[]).unwrap().base_path, "/1.10");
}

#[test]
fn tokens_are_never_shown() {
    let text = "mapping: m\nclients: [{name: a, token: literal-secret-0001}]\n";
    let settings = load(text, &[]).unwrap();
    assert!(!format!("{settings:?}").contains("literal-secret"));
    assert!(!format!("{:?}", layer("s.yaml", text, []).unwrap()).contains("literal-secret"));
    assert_eq!(
        settings.warnings,
        [
            "clients[0].token: the token is written into the settings: put it into an environment variable and write `${SCIM_TOKEN}`"
        ]
    );
    let broken = load("clients: [{name: a, token: literal-secret-0001, oops: 1}]\n", &[]).unwrap_err();
    assert!(!broken.contains("literal-secret"), "{broken}");
}

#[test]
fn short_tokens_are_for_this_machine_alone() {
    let text = GOOD.replace("TOKEN", "SHORT");
    assert!(load(&text, &[]).is_ok());
    assert!(load(&format!("{text}listen: '[::1]:1'\n"), &[]).is_ok());
    assert_eq!(
        load(&format!("{text}listen: 0.0.0.0:1\n"), &[]).unwrap_err(),
        "s.yaml: clients[0].token: has 15 characters; at least 16 are needed where other machines can connect: make one with \
         `openssl rand -hex 32`"
    );
    assert!(load(&format!("{GOOD}listen: 0.0.0.0:1\n"), &[]).is_ok());
}

#[test]
fn all_problems_at_once() {
    let text = r#"
listen: localhost:8080
base_path: scim//v2
public_url: https://scim.example.com/scim?x=1
profile: entra
clients:
  - {name: a, token: "${TOKEN}"}
  - {name: a, token: "${TOKEN}", profile: no}
  - {token: "${NOPE}"}
  - {name: b, token: "${BLANK}"}
  - {name: c}
limits:
  request_bytes: 0
  request_timeout: 60
  connections: 1000001
  drain_timeout: soon
"#;
    let expected = "\
s.yaml: listen: `localhost:8080` is no address to listen on: write an IP address and a port, such as `127.0.0.1:8080`, `0.0.0.0:8080` or `[::]:8080`
s.yaml: base_path: `scim//v2` is no path to be mounted at: write it as `/scim/v2`, of letters, digits and -._~, or `/`
s.yaml: public_url: `https://scim.example.com/scim?x=1` must not hold a query (?) or fragment (#): write the part before it, such as `https://scim.example.com/scim/v2`
s.yaml: mapping: is missing: write `mapping: mapping.yaml`, the file that describes the backend
s.yaml: profile: there is no profile `entra`: write one of lenient, strict
s.yaml: clients[1].name: `a` is the name of clients[0] already: give each its own
s.yaml: clients[1].profile: there is no profile `no`: write one of lenient, strict
s.yaml: clients[1].token: is the token of clients[0] already: give each client its own
s.yaml: clients[2].name: is missing: give each client a name for the log, such as `name: entra`
s.yaml: clients[2].token: the environment variable NOPE is not set: set it where the gateway is started, or refer to a file with ${file:/path}
s.yaml: clients[3].token: holds a blank, a line break or a character outside ASCII, which no header can carry: make a new one
s.yaml: clients[4].token: is missing: write `token: ${SCIM_TOKEN}` and set that variable, or `token: ${file:/path}`
s.yaml: limits.request_bytes: 0 is out of range: write a number from 1 to 1073741824
s.yaml: limits.request_timeout: `60` has no unit: write `60s` for seconds
s.yaml: limits.connections: 1000001 is out of range: write a number from 1 to 1000000
s.yaml: limits.drain_timeout: `soon` is no time: write it as `60s`, `500ms` or `1m 30s`";
    assert_eq!(load(text, &[]).unwrap_err(), expected);
}

#[test]
fn messages_for_files_and_variables() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 14] = [
        ("# nothing\n", &[], &["mapping: is missing", "clients: is missing: nobody could connect"]),
        ("listn: x\n", &[], &["s.yaml: line 1, column 1: ", "listn", "listen"]),
        ("listen: 1.2.3.4:1\nlimits:\n  request_bytes: many\n", &[], &["s.yaml: line 3, column 18: ", "write a whole number"]),
        ("clients: {a: b}\n", &[], &["s.yaml: line 1, column 10: ", "write a list here"]),
        ("listen: a\nlisten: b\n", &[], &["s.yaml: line 2, column 1: the key `listen` is there twice: remove one of them"]),
        ("listen: [\n", &[], &["s.yaml: line 1, column 9: ", "write one text here"]),
        ("discovery_without_token: maybe\n", &[], &["s.yaml: line 1, column 26: ", "write true or false"]),
        ("limits: 5\n", &[], &["s.yaml: line 1, column 9: ", "`key: value`"]),
        ("listen: ':8080'\n", &[], &["listen: `:8080` is no address", "`0.0.0.0:8080`"]),
        ("public_url: scim.example.com\n", &[], &["public_url: `scim.example.com` is no URL: begin it with https://"]),
        ("public_url: https://u@h/\n", &[], &["public_url: `https://u@h/` must not hold a user name"]),
        (GOOD, &[("SCIMITAR_LISTN", "x")], &["s.yaml: SCIMITAR_LISTN: no such setting; did you mean SCIMITAR_LISTEN?"]),
        (GOOD, &[("SCIMITAR_TOKEN", "x")], &["SCIMITAR_TOKEN: no such setting: remove the variable. If it holds a secret"]),
        (GOOD, &[("SCIMITAR_LIMITS__REQUEST_BYTES", "many")], &["request_bytes", "correct the variable SCIMITAR_*"]),
    ];
    for (text, variables, tells) in cases {
        let message = load(text, variables).unwrap_err();
        for tell in tells {
            assert!(message.contains(tell), "{text:?} {variables:?}: {message}");
        }
    }
    let clients = load(GOOD, &[("SCIMITAR_CLIENTS__0__TOKEN", "x")]).unwrap_err();
    assert!(clients.contains("clients are written in the file"), "{clients}");
}
