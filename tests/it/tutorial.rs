//! docs/tutorial.md, followed literally: every document is written and loaded, every command executed, every answer compared.
//!
//! A block `yaml` is a whole file if it begins with `mapping: v1` or `listen:`. Otherwise a comment before it says where it goes:
//! `below: LINE`, `instead of: LINE` (there must be one such line), or `at the end`. Lines before the first command of a block
//! `console` are lines of the gateway's log, which must come.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scimitar::mapping::{Report, load};

use crate::mapping_diagnostics::Dummy;
use crate::process::{DemoProcess, Running, command};
use crate::tour::{Curl, Places, Step, compare, compare_lines, steps};

const PAGE: &str = include_str!("../../docs/tutorial.md");
const RESULT: &str = include_str!("../../examples/tutorial.yaml");

/// A fenced block.
struct Block {
    kind: &'static str,
    text: &'static str,
    /// The comment right before it.
    comment: Option<&'static str>,
}

/// Somebody who follows the page.
struct Reader {
    folder: PathBuf,
    demo: DemoProcess,
    places: Places,
    variables: HashMap<String, String>,
    gateway: Option<Running>,
    commands: usize,
    stages: usize,
}

#[test]
fn whoever_follows_the_page_sees_what_it_shows() {
    let mut reader = Reader::new();
    for block in blocks() {
        match block.kind {
            "yaml" => reader.write(&block),
            "console" => reader.follow(block.text),
            "sh" => {}
            other => panic!("a block of the kind {other} is not checked"),
        }
    }
    assert!(reader.commands >= 35 && reader.stages >= 10, "only {} commands, {} stages", reader.commands, reader.stages);
    let mapping = reader.read("mapping.yaml");
    assert!(RESULT.ends_with(&mapping), "examples/tutorial.yaml is not what the page builds:\n{mapping}");
    let comment = RESULT.strip_suffix(&mapping).unwrap();
    assert!(comment.lines().all(|line| line.starts_with('#')), "{comment}");
}

#[test]
fn links_lead_somewhere() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let links: Vec<&str> = PAGE.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 5);
    for link in links {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let text = fs::read_to_string(docs.join(file)).unwrap_or_else(|error| panic!("{link}: {error}"));
        let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
        let mut anchors = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"));
        assert!(anchor.is_empty() || anchors.any(|other| other == anchor), "{link}");
    }
}

/// The fenced blocks of the page, in their order.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = PAGE;
    while let Some((before, behind)) = rest.split_once("\n```") {
        let (kind, behind) = behind.split_once('\n').unwrap();
        let (text, behind) = behind.split_once("\n```\n").unwrap();
        let last = before.lines().last().unwrap_or_default();
        let comment = last.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix(" -->"));
        blocks.push(Block { kind, text, comment });
        rest = behind;
    }
    blocks
}

// === impl Reader ===

impl Reader {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorial");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let demo = DemoProcess::start();
        let places = Places(vec![("127.0.0.1:8080", demo.gateway.clone()), ("127.0.0.1:8081", demo.backend.clone())]);
        Self { folder, demo, places, variables: HashMap::new(), gateway: None, commands: 0, stages: 0 }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    /// Writes a block into a file. The mapping must be good after each.
    fn write(&mut self, block: &Block) {
        let text = format!("{}\n", block.text);
        if text.starts_with("listen:") {
            fs::write(self.folder.join("serve.yaml"), text).unwrap();
            return;
        }
        let mapping = match block.comment {
            None => {
                assert!(text.starts_with("mapping: v1"), "a part without a place: {text}");
                text
            }
            Some("at the end") => self.read("mapping.yaml") + &text,
            Some(comment) => {
                let (how, line) = comment.split_once(": ").unwrap();
                insert(&self.read("mapping.yaml"), how, line, &text)
            }
        };
        let (_, diagnostics) = load(&mapping, &Dummy);
        let report = Report { file: "mapping.yaml", text: &mapping, diagnostics: &diagnostics };
        assert!(!report.has_errors(), "{}\n{mapping}", report.human());
        self.stages += 1;
        fs::write(self.folder.join("mapping.next"), mapping).unwrap();
        fs::rename(self.folder.join("mapping.next"), self.folder.join("mapping.yaml")).unwrap();
    }

    fn follow(&mut self, block: &str) {
        let lines = block.lines().take_while(|line| !line.starts_with("$ ")).count();
        for line in block.lines().take(lines) {
            let came = self.gateway.as_ref().unwrap().line_with(log_text(line));
            assert!(came.ends_with(log_text(line)), "{came}");
        }
        let block: String = block.lines().skip(lines).flat_map(|line| [line, "\n"]).collect();
        for step in steps(&block, &mut self.variables) {
            self.step(&step);
        }
    }

    fn step(&mut self, Step { words, command, shown }: &Step) {
        self.commands += 1;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match &words[..] {
            // Variables alone.
            [] => {}
            ["scimitar", "demo"] => compare_lines(shown, &self.places.public(&self.demo.greeting.join("\n"))),
            ["scimitar", args @ .., "&"] => {
                let mut command = self.program(args);
                command.env("SCIMITAR_LISTEN", "127.0.0.1:0");
                let gateway = Running::of(command);
                let address = "127.0.0.1:8090";
                for line in shown.lines() {
                    let came = gateway.line();
                    if let Some((_, actual)) = came.split_once("address=") {
                        self.places.0.push((address, actual.split(' ').next().unwrap().to_owned()));
                    }
                    compare_lines(line, &self.places.public(&came));
                }
                assert!(self.places.0.iter().any(|(shown, _)| *shown == address), "it did not begin to serve");
                self.gateway = Some(gateway);
            }
            ["scimitar", args @ ..] => {
                let Output { stdout, stderr, .. } = self.program(args).output().unwrap();
                compare_lines(shown, &(String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap()));
            }
            ["curl", ..] => {
                let curl = Curl::parse(&words[1..].iter().map(ToString::to_string).collect::<Vec<_>>());
                compare(shown, &curl.send(&self.places, &self.folder), &self.places, curl.head);
            }
            ["sed" | "cat", ..] => {
                let output = Command::new("sh").args(["-c", command]).current_dir(&self.folder).output().unwrap();
                assert!(output.status.success(), "{command}");
                compare_lines(shown, &String::from_utf8(output.stdout).unwrap());
            }
            ["kill", "%1"] => {
                let gateway = self.gateway.take().unwrap();
                gateway.signal("-TERM");
                assert_eq!(gateway.exit_code(), Some(0));
            }
            _ => panic!("no such command: {command}"),
        }
    }

    /// The program in the reader's folder, with the reader's variables.
    fn program(&self, args: &[&str]) -> Command {
        let mut command = command(args, &[]);
        command.current_dir(&self.folder);
        for (name, value) in &self.variables {
            command.env(name, self.places.actual(value));
        }
        command
    }
}

/// What stands behind the time of a line of the log.
fn log_text(line: &str) -> &str {
    line.strip_prefix("... ").unwrap_or_else(|| panic!("no line of a log: {line}"))
}

/// Puts a part into a document.
fn insert(document: &str, how: &str, line: &str, part: &str) -> String {
    // A comment behind it may have been left out.
    let is_it = |other: &str| other.split("   #").next().unwrap().trim() == line;
    assert_eq!(document.lines().filter(|other| is_it(other)).count(), 1, "{line}\nin\n{document}");
    let mut whole = String::new();
    for other in document.lines() {
        let keeps = !is_it(other) || how == "below";
        if keeps {
            whole.extend([other, "\n"]);
        }
        if is_it(other) {
            assert!(matches!(how, "below" | "instead of"), "{how}");
            whole.push_str(part);
        }
    }
    whole
}
