//! The tour in README.md, command by command, against the real program.
//!
//! Commands are `NAME=value`, `cargo run --release -- ...`, and `curl` with the options that [`tour`] knows; anything else fails.

use std::collections::HashMap;
use std::path::Path;

use crate::process::{DemoProcess, run};
use crate::tour::{Curl, Places, Step, blocks, compare, compare_lines, matches, parse_shown, steps};

const README: &str = include_str!("../../README.md");
/// Where the README has gateway and backend.
const GATEWAY: &str = "127.0.0.1:8080";
const BACKEND: &str = "127.0.0.1:8081";

#[test]
fn the_tour() {
    let demo = DemoProcess::start();
    let places = Places(vec![(GATEWAY, demo.gateway.clone()), (BACKEND, demo.backend.clone())]);
    let mut variables = HashMap::new();
    let mut count = 0;
    for block in blocks(README, "console") {
        for Step { words, shown, .. } in steps(&block, &mut variables) {
            if words.is_empty() {
                continue;
            }
            if words == ["cargo", "run", "--release", "--", "demo"] {
                assert_eq!(shown.trim_end(), places.public(&demo.greeting.join("\n")));
                continue;
            }
            if words.starts_with(&["cargo", "run", "--release", "--"].map(str::to_owned)) {
                let arguments: Vec<&str> = words[4..].iter().map(String::as_str).collect();
                compare_lines(&shown, &String::from_utf8(run(&arguments, &[]).stdout).unwrap());
                continue;
            }
            assert_eq!(words[0], "curl", "no such command: {words:?}");
            let curl = Curl::parse(&words[1..]);
            compare(&shown, &curl.send(&places, Path::new("")), &places, curl.head);
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
