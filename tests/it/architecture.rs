//! The rules of the house (src/ARCHITECTURE.md), held against the source.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the top of the house to its cellar. Imports go down only.
const HOUSE: [&str; 14] = [
    "main",
    "cli",
    "trial",
    "app",
    "demo",
    "server",
    "engine",
    "backend",
    "translate",
    "mapping",
    "scim",
    "config",
    "telemetry",
    "limits",
];
/// Rooms that may import less than what is below them.
const NARROW: [(&str, &[&str]); 2] = [("scim", &["limits"]), ("demo", &["limits"])];
/// No async, no I/O, no clock, no environment.
const PURE: [&str; 3] = ["scim", "mapping", "translate"];
const IMPURE: [&str; 17] = [
    "tokio",
    "hyper",
    "tower",
    "futures_util",
    "tracing",
    "async",
    "await",
    "std::fs",
    "std::env",
    "std::net",
    "std::io",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
];
/// What the engine does not know: connections, and a runtime. The locks of tokio work without one.
const NOT_IN_ENGINE: [&str; 9] = [
    "hyper",
    "tower",
    "tokio::net",
    "tokio::time",
    "tokio::spawn",
    "tokio::task",
    "tokio::runtime",
    "tokio::select",
    "tokio::main",
];
/// Lines of the longest file.
const LINES: usize = 500;
/// Files that are longer and wait to be split; the figure may only fall.
const TOO_LONG: [(&str, usize); 0] = [];

const PAGE: &str = include_str!("../../src/ARCHITECTURE.md");

/// A file of src/.
struct Source {
    /// From src/.
    path: PathBuf,
    /// Its room.
    room: String,
    text: String,
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let place = place(&source.room).unwrap_or_else(|| panic!("{} is in no room", source.path.display()));
        for (number, line) in source.code() {
            let line = without_texts(line);
            for prefix in ["crate::", "scimitar::"] {
                for name in line.split(prefix).skip(1) {
                    let name: String = name.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                    let narrow = NARROW.iter().find(|(room, _)| *room == source.room);
                    let allowed = name == source.room
                        || match narrow {
                            Some((_, allowed)) => allowed.contains(&name.as_str()),
                            None => self::place(&name).is_some_and(|other| other > place),
                        };
                    if !allowed {
                        wrong.push(format!("{}:{number}: {} may not import `{name}`", source.path.display(), source.room));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `super::super::...` as far as the root would be an import that the rule does not see.
#[test]
fn no_path_climbs_out_of_its_room() {
    for source in sources().iter().filter(|source| !source.is_test()) {
        let depth = source.path.components().count() - usize::from(source.path.ends_with("mod.rs"));
        let climb = "super::".repeat(depth);
        for (number, line) in source.production() {
            assert!(!line.contains(&climb), "{}:{number}: write crate::", source.path.display());
        }
    }
}

#[test]
fn pure_rooms_are_pure() {
    let mut checked = 0;
    for source in sources().iter().filter(|source| PURE.contains(&source.room.as_str()) && !source.is_test()) {
        source.has_none_of(&IMPURE);
        checked += 1;
    }
    assert!(checked > 30, "only {checked} files were found");
}

#[test]
fn the_engine_knows_neither_connections_nor_a_runtime() {
    for source in sources().iter().filter(|source| source.room == "engine" && !source.is_test()) {
        source.has_none_of(&NOT_IN_ENGINE);
    }
}

#[test]
fn files_are_short() {
    for source in sources() {
        let lines = source.text.lines().count();
        let known = TOO_LONG.iter().find(|(name, _)| source.path == Path::new(name));
        let most = known.map_or(LINES, |(_, lines)| *lines);
        assert!(lines <= most, "{} has {lines} lines, more than {most}", source.path.display());
        assert!(known.is_none() || lines > LINES, "{} is short again: take it out of TOO_LONG", source.path.display());
    }
}

#[test]
fn no_test_is_switched_off() {
    let mark = concat!("#[", "ignore");
    for path in files(&["src", "tests"]).iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        assert!(!fs::read_to_string(path).unwrap().contains(mark), "{}", path.display());
    }
}

/// What is written here is true on every machine.
#[test]
fn no_paths_of_one_machine() {
    let folders = ["work", "root", "tmp", "home"].map(|name| format!("/{name}/"));
    for path in files(&["src", "tests", "docs", "examples", "mappings", ".ci", "README.md", "CONTRIBUTING.md", "Cargo.toml"]) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for folder in &folders {
            for (at, _) in text.match_indices(folder.as_str()) {
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                // Behind a name it is a part of a URL or of a longer path.
                let is_root = before.is_none_or(|char| !char.is_alphanumeric() && !"._-/}".contains(char));
                assert!(!is_root, "{} names a path below {folder}", path.display());
            }
        }
    }
}

/// The tables of src/ARCHITECTURE.md have the layers of the stacks, in their order.
#[test]
fn the_page_shows_the_stacks() {
    let mut rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    for file in ["server/stack.rs", "backend/stack.rs"] {
        let text = fs::read_to_string(src().join(file)).unwrap();
        let stack = text.split("ServiceBuilder::new()").nth(1).unwrap();
        let calls = stack.lines().map(str::trim).take_while(|line| !line.ends_with(';') || line.starts_with('.'));
        let layers = calls.filter_map(|line| {
            let (call, argument) = line.strip_prefix('.')?.split_once('(')?;
            let argument = argument.strip_prefix("Around(").unwrap_or(argument);
            let name = argument.split(|char: char| !char.is_alphanumeric() && char != '_').next()?;
            Some(if call == "timeout" { call } else { name })
        });
        for layer in layers {
            assert_eq!(rows.next(), Some(layer), "{file}");
        }
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn the_page_names_files_that_exist() {
    let names = PAGE.split('`').skip(1).step_by(2);
    let mut count = 0;
    for name in names.filter(|name| name.contains('/') && !name.starts_with('/') && !name.contains(' ')) {
        let root = if name.starts_with("tests/") { src().join("..") } else { src() };
        assert!(root.join(name).exists(), "{name}");
        count += 1;
    }
    assert!(count > 40, "only {count} names were found");
}

/// The rules can fail: words are found, and found as words only.
#[test]
fn words_are_found() {
    for line in ["use tokio::net;", "x.await;", "std::fs::read(a)", "let a = async move {"] {
        assert!(IMPURE.iter().any(|word| has_word(line, word)), "{line}");
    }
    for line in ["Key::Instant(a)", "asynchronous", "let towers = 1;", "std::fmt"] {
        assert!(!IMPURE.iter().any(|word| has_word(line, word)), "{line}");
    }
}

// === impl Source ===

impl Source {
    /// The lines that are not comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The lines before the tests at the end of the file.
    fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().take_while(|(_, line)| !line.starts_with("mod tests"))
    }

    fn is_test(&self) -> bool {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        name == "tests" || name.ends_with("_tests")
    }

    fn has_none_of(&self, words: &[&str]) {
        for (number, line) in self.production() {
            let line = without_texts(line);
            for word in words {
                assert!(!has_word(&line, word), "{}:{number}: {} knows no `{word}`", self.path.display(), self.room);
            }
        }
    }
}

/// What stands in a text is no code.
fn without_texts(line: &str) -> String {
    line.split('"').step_by(2).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let behind = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}

fn place(room: &str) -> Option<usize> {
    HOUSE.iter().position(|name| *name == room)
}

/// All Rust files of src/ but lib.rs, which only names the rooms.
fn sources() -> Vec<Source> {
    let src = src();
    let sources: Vec<Source> = files(&["src"])
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/lib.rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(&src).unwrap().to_owned();
            let first = path.components().next().unwrap().as_os_str();
            let room = Path::new(first).file_stem().unwrap().to_string_lossy().into_owned();
            Source { path, room, text }
        })
        .collect();
    assert!(sources.len() > 100, "only {} files were found", sources.len());
    sources
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files below these, which are named from the root of the repository.
fn files(below: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = below.iter().map(|name| root.join(name)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found
}
