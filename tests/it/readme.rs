//! The tour in README.md, command by command, against the real program.
//!
//! In a block marked `console` a line that begins with `$ ` is a command; what follows is its answer. Answers are compared as
//! JSON, so that they may be shown indented. `...` stands for members, elements or the end of a text that are left out;
//! nothing else may be.
//! Commands are `NAME=value`, `cargo run --release -- ...`, and `curl` with the options that [`Curl`] knows; anything else fails.

#![expect(clippy::string_slice, reason = "a test fails by panicking")]

use std::collections::HashMap;

use serde_json::Value;

use crate::process::{DemoProcess, Reply, run, send};

const README: &str = include_str!("../../README.md");
/// Where the README has gateway and backend.
const GATEWAY: &str = "127.0.0.1:8080";
const BACKEND: &str = "127.0.0.1:8081";

/// A command line of curl.
#[derive(Debug, Default)]
struct Curl {
    method: Option<String>,
    headers: Vec<String>,
    url: String,
    data: Vec<String>,
    /// `-G`: the data go into the query.
    get: bool,
    /// `-i`: the head is shown, too.
    head: bool,
}

/// A command and what the README shows below it.
struct Step {
    words: Vec<String>,
    shown: String,
}

#[test]
fn the_tour() {
    let demo = DemoProcess::start();
    let mut variables = HashMap::new();
    let mut count = 0;
    for block in blocks(README, "console") {
        for Step { words, shown } in steps(&block, &mut variables) {
            if words.is_empty() {
                continue;
            }
            if words == ["cargo", "run", "--release", "--", "demo"] {
                assert_eq!(shown.trim_end(), public(&demo, &demo.greeting.join("\n")));
                continue;
            }
            if words.starts_with(&["cargo", "run", "--release", "--"].map(str::to_owned)) {
                let arguments: Vec<&str> = words[4..].iter().map(String::as_str).collect();
                compare_lines(&shown, &String::from_utf8(run(&arguments, &[]).stdout).unwrap());
                continue;
            }
            assert_eq!(words[0], "curl", "no such command: {words:?}");
            let curl = Curl::parse(&words[1..]);
            compare(&shown, &curl.send(&demo), &demo, curl.head);
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} commands were found");
}

/// The README's excerpts of the mapping are in the mapping, line for line and in its order.
#[test]
fn excerpts_of_the_mapping() {
    let mut mapping = include_str!("../../mappings/demo/mapping.yaml").lines();
    let blocks = blocks(README, "yaml");
    assert!(!blocks.is_empty());
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let line = line.trim_end();
        if !line.is_empty() && line.trim() != "..." {
            assert!(mapping.any(|other| other.trim_end() == line), "not in the mapping, or not in this order: {line}");
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let links: Vec<&str> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 5);
    for link in links.into_iter().filter(|link| !link.starts_with("http")) {
        assert!(root.join(link.split('#').next().unwrap()).exists(), "{link}");
    }
}

#[test]
fn what_is_left_out_and_what_is_not() {
    let actual = serde_json::json!({"a": 1, "b": [1, 2], "c": {"d": "..."}});
    let same = |shown: &str| matches(&parse_shown(shown), &actual);
    for good in [
        r#"{"a": 1, "b": [1, 2], "c": {"d": "..."}}"#,
        r#"{"a": 1, ...}"#,
        r#"{"b": [1, ...], ...}"#,
        r#"{..., "c": {...}, ...}"#,
        r#"{"c": {"d": "..."}, ...}"#,
        "{...}",
    ] {
        assert!(same(good), "{good}");
    }
    for bad in [
        r#"{"a": 1}"#,
        r#"{"a": 2, ...}"#,
        r#"{"b": [1], ...}"#,
        r#"{"b": [2, ...], ...}"#,
        r#"{"x": 1, ...}"#,
        r#"{"c": {"d": "x..."}, ...}"#,
        "[...]",
    ] {
        assert!(!same(bad), "{bad}");
    }
}

// === Reading the README ===

/// The fenced blocks of a kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

fn steps(block: &str, variables: &mut HashMap<String, String>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = block;
    while let Some(command) = rest.strip_prefix("$ ") {
        let (mut words, behind) = split_words(command, variables);
        while let Some((name, value)) = words.first().and_then(|word| word.split_once('=')).filter(|(name, _)| is_name(name)) {
            variables.insert(name.to_owned(), value.to_owned());
            words.remove(0);
        }
        let end = behind.find("\n$ ").map_or(behind.len(), |newline| newline + 1);
        let end = if behind.starts_with("$ ") { 0 } else { end };
        steps.push(Step { words, shown: behind[..end].to_owned() });
        rest = &behind[end..];
    }
    assert!(rest.trim().is_empty(), "a console block begins with `$ `: {rest}");
    steps
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The words of a command as a shell splits it, and what is behind its line.
fn split_words<'t>(text: &'t str, variables: &HashMap<String, String>) -> (Vec<String>, &'t str) {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, '\\') if chars.next_if(|(_, next)| *next == '\n').is_some() => {}
            (None | Some('"'), '$') => {
                let mut name = String::new();
                while let Some((_, next)) = chars.next_if(|(_, next)| next.is_ascii_uppercase()) {
                    name.push(next);
                }
                let value = variables.get(&name).unwrap_or_else(|| panic!("${name} is not set"));
                word.get_or_insert_default().push_str(value);
            }
            (None, '\n') => {
                words.extend(word);
                return (words, &text[at + 1..]);
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    panic!("a quote is not closed: {text}");
}

// === impl Curl ===

impl Curl {
    fn parse(words: &[String]) -> Self {
        let mut curl = Self::default();
        let mut words = words.iter().cloned();
        while let Some(word) = words.next() {
            let mut argument = || words.next().unwrap_or_else(|| panic!("{word} needs an argument"));
            match word.as_str() {
                "-s" => {}
                "-i" | "-si" => curl.head = true,
                "-G" => curl.get = true,
                "-X" => curl.method = Some(argument()),
                "-H" => curl.headers.push(argument()),
                "-d" => curl.data.push(argument()),
                "--data-urlencode" => {
                    let pair = argument();
                    let (name, value) = pair.split_once('=').unwrap();
                    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    curl.data.push(format!("{name}={}", value.replace('+', "%20")));
                }
                url if url.starts_with("http://") => url.clone_into(&mut curl.url),
                _ => panic!("this test does not know the option {word}"),
            }
        }
        curl
    }

    fn send(&self, demo: &DemoProcess) -> Reply {
        let (host, path) = self.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let address = match host {
            GATEWAY => &demo.gateway,
            BACKEND => &demo.backend,
            other => panic!("what is at {other}?"),
        };
        let (mut target, mut body) = (format!("/{path}"), self.data.join("&"));
        if self.get {
            target = format!("{target}?{body}");
            body = String::new();
        }
        let method = self.method.as_deref().unwrap_or(if body.is_empty() { "GET" } else { "POST" });
        let headers: Vec<&str> = self.headers.iter().map(String::as_str).collect();
        send(address, method, &target, &headers, &body)
    }
}

// === Comparing ===

fn compare(shown: &str, reply: &Reply, demo: &DemoProcess, head: bool) {
    let mut shown = shown.trim();
    if head {
        let (first, rest) = shown.split_once("\n\n").unwrap_or((shown, ""));
        let mut lines = first.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
        assert_eq!(status, reply.status.to_string(), "{}", reply.text);
        for line in lines.filter(|line| *line != "...") {
            assert!(reply.headers.iter().any(|other| public(demo, other) == line), "{line} is not in {:?}", reply.headers);
        }
        shown = rest;
    }
    let text = public(demo, &reply.text);
    if text.is_empty() || shown.is_empty() {
        assert_eq!(shown, text);
        return;
    }
    let actual: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(matches(&parse_shown(shown), &actual), "the README shows\n{shown}\nand the answer is\n{actual:#}");
}

/// Text, line by line; `...` is the rest.
fn compare_lines(shown: &str, actual: &str) {
    let mut lines = actual.lines();
    for line in shown.trim_end().lines() {
        if line == "..." {
            return;
        }
        assert_eq!(Some(line), lines.next(), "{actual}");
    }
    assert_eq!(lines.next(), None);
}

/// The addresses as the README has them.
fn public(demo: &DemoProcess, text: &str) -> String {
    text.replace(&demo.gateway, GATEWAY).replace(&demo.backend, BACKEND)
}

/// What `...` becomes.
const LEFT_OUT: &str = "(left out)";

/// Reads JSON in which `...` may stand for members or elements.
fn parse_shown(shown: &str) -> Value {
    let (mut json, mut open, mut quoted, mut rest) = (String::new(), Vec::new(), false, shown);
    while let Some(char) = rest.chars().next() {
        if !quoted && let Some(behind) = rest.strip_prefix("...") {
            let object = *open.last().unwrap() == '{';
            json.extend(["\"", LEFT_OUT, if object { "\": 0" } else { "\"" }]);
            rest = behind;
            continue;
        }
        match char {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => open.push(char),
            '}' | ']' if !quoted => drop(open.pop()),
            '\\' => {
                json.push(char);
                rest = &rest[1..];
            }
            _ => {}
        }
        let char = rest.chars().next().unwrap();
        json.push(char);
        rest = &rest[char.len_utf8()..];
    }
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn matches(shown: &Value, actual: &Value) -> bool {
    match (shown, actual) {
        (Value::Object(shown), Value::Object(actual)) => {
            let members = shown.iter().filter(|(name, _)| *name != LEFT_OUT);
            (shown.contains_key(LEFT_OUT) || shown.len() == actual.len())
                && members.into_iter().all(|(name, value)| actual.get(name).is_some_and(|other| matches(value, other)))
        }
        (Value::Array(shown), Value::Array(actual)) => match shown.split_last() {
            Some((last, shown)) if last == LEFT_OUT => {
                shown.len() <= actual.len() && shown.iter().zip(actual).all(|(one, other)| matches(one, other))
            }
            _ => shown.len() == actual.len() && shown.iter().zip(actual).all(|(one, other)| matches(one, other)),
        },
        (Value::String(shown), Value::String(actual)) => match shown.strip_suffix("...") {
            Some(start) => actual.starts_with(start),
            None => shown == actual,
        },
        (shown, actual) => shown == actual,
    }
}
