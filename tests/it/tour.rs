//! A page that is followed command by command: what README.md and docs/tutorial.md have in common.
//!
//! In a block marked `console` a line that begins with `$ ` is a command; what follows is its answer. Answers are compared as
//! JSON, so that they may be shown indented. `...` stands for members, elements or the end of a text that are left out;
//! nothing else may be.

#![expect(clippy::string_slice, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::process::{Reply, send};

/// A command line of curl.
#[derive(Debug, Default)]
pub(crate) struct Curl {
    method: Option<String>,
    headers: Vec<String>,
    url: String,
    data: Vec<String>,
    /// `-G`: the data go into the query.
    get: bool,
    /// `-i`: the head is shown, too.
    pub(crate) head: bool,
}

/// A command and what the page shows below it.
pub(crate) struct Step {
    pub(crate) words: Vec<String>,
    /// As it is written, with what follows after `<<`.
    pub(crate) command: String,
    pub(crate) shown: String,
}

/// Where things are on the page, and where they really are: hosts with ports.
pub(crate) struct Places(pub(crate) Vec<(&'static str, String)>);

/// The fenced blocks of a kind.
pub(crate) fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

/// The commands of a block. Variables that are set in it are remembered.
pub(crate) fn steps(block: &str, variables: &mut HashMap<String, String>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = block;
    while let Some(line) = rest.strip_prefix("$ ") {
        let (mut words, mut behind) = split_words(line, variables);
        let mut command = line[..line.len() - behind.len()].trim_end().to_owned();
        if words.iter().any(|word| word == "<<END") {
            let (text, rest) = behind.split_once("\nEND\n").unwrap_or_else(|| panic!("END is missing: {behind}"));
            command = format!("{command}\n{text}\nEND");
            behind = rest;
        }
        if words.first().is_some_and(|word| word == "export") {
            words.remove(0);
        }
        while let Some((name, value)) = words.first().and_then(|word| word.split_once('=')).filter(|(name, _)| is_name(name)) {
            variables.insert(name.to_owned(), value.to_owned());
            words.remove(0);
        }
        let end = behind.find("\n$ ").map_or(behind.len(), |newline| newline + 1);
        let end = if behind.starts_with("$ ") { 0 } else { end };
        steps.push(Step { words, command, shown: behind[..end].to_owned() });
        rest = &behind[end..];
    }
    assert!(rest.trim().is_empty(), "a console block begins with `$ `: {rest}");
    steps
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
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
                while let Some((_, next)) = chars.next_if(|(_, next)| next.is_ascii_uppercase() || *next == '_') {
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
    pub(crate) fn parse(words: &[String]) -> Self {
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

    /// Sends it. `folder` is where files of data are.
    pub(crate) fn send(&self, places: &Places, folder: &Path) -> Reply {
        let (host, path) = self.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let (_, address) = places.0.iter().find(|(shown, _)| *shown == host).unwrap_or_else(|| panic!("what is at {host}?"));
        let read = |data: &String| match data.strip_prefix('@') {
            Some(file) => std::fs::read_to_string(folder.join(file)).unwrap(),
            None => data.clone(),
        };
        let (mut target, mut body) = (format!("/{path}"), self.data.iter().map(read).collect::<Vec<_>>().join("&"));
        if self.get {
            target = format!("{target}?{body}");
            body = String::new();
        }
        let method = self.method.as_deref().unwrap_or(if body.is_empty() { "GET" } else { "POST" });
        let headers: Vec<&str> = self.headers.iter().map(String::as_str).collect();
        send(address, method, &target, &headers, &body)
    }
}

// === impl Places ===

impl Places {
    /// A text as the page has it.
    pub(crate) fn public(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (shown, actual)| text.replace(actual, shown))
    }

    /// A text of the page as it is in truth.
    pub(crate) fn actual(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (shown, actual)| text.replace(shown, actual))
    }
}

// === Comparing ===

/// An answer of HTTP; with its head if that is shown.
pub(crate) fn compare(shown: &str, reply: &Reply, places: &Places, head: bool) {
    let mut shown = shown.trim();
    if head {
        let (first, rest) = shown.split_once("\n\n").unwrap_or((shown, ""));
        let mut lines = first.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
        assert_eq!(status, reply.status.to_string(), "{}", reply.text);
        for line in lines.filter(|line| *line != "...") {
            assert!(reply.headers.iter().any(|other| places.public(other) == line), "{line} is not in {:?}", reply.headers);
        }
        shown = rest;
    }
    let text = places.public(&reply.text);
    if text.is_empty() || shown.is_empty() {
        assert_eq!(shown, text);
        return;
    }
    let actual: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(matches(&parse_shown(shown), &actual), "the page shows\n{shown}\nand the answer is\n{actual:#}");
}

/// Text, line by line; `...` is the rest.
pub(crate) fn compare_lines(shown: &str, actual: &str) {
    let mut lines = actual.lines();
    for line in shown.trim_end().lines() {
        if line == "..." {
            return;
        }
        // A word of its own at the begin: the time of a line of the log.
        let next = lines.next().unwrap_or_default();
        let same = line.strip_prefix("... ").map_or(next == line, |rest| next.ends_with(rest));
        assert!(same, "the page shows\n{line}\nand it is\n{next}\nof\n{actual}");
    }
    assert_eq!(lines.next(), None);
}

/// What `...` becomes.
const LEFT_OUT: &str = "(left out)";

/// Reads JSON in which `...` may stand for members or elements.
pub(crate) fn parse_shown(shown: &str) -> Value {
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

pub(crate) fn matches(shown: &Value, actual: &Value) -> bool {
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
