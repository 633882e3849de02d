//! What the checker says about mappings, document by document.
//!
//! `tests/fixtures/mappings/invalid/NAME.yaml` begins with the codes that it must be given, in the order of the text;
//! `NAME.txt` is what a person reads. `SCIMITAR_BLESS=1` writes the texts anew, to be read before they are committed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use scimitar::config::SecretError;
use scimitar::config::secrets::{self, resolve_with};
use scimitar::mapping::{Code, Diagnostic, Mapping, Report, Secrets, Severity, load};
use secrecy::SecretString;

use crate::demo::MAPPING;

/// What no diagnostic may show.
const TOKEN: &str = "tok-4711-of-the-backend";
const LITERAL: &str = "hunter2";

/// Secrets that stand in no environment.
pub(crate) struct Dummy;

impl secrets::Secrets for Dummy {
    fn variable(&self, name: &str) -> Result<Option<String>, SecretError> {
        Ok(match name {
            "TWO_LINES" => Some(format!("{TOKEN}\n{TOKEN}")),
            _ if name.starts_with("NO_SUCH") => None,
            _ if name.ends_with("URL") => Some("https://people.test/api".to_owned()),
            _ => Some(TOKEN.to_owned()),
        })
    }

    fn file(&self, path: &str) -> Result<String, SecretError> {
        Err(SecretError::File { path: path.to_owned(), reason: "No such file or directory (os error 2)".to_owned() })
    }
}

impl Secrets for Dummy {
    fn resolve(&self, text: &str) -> Result<SecretString, String> {
        resolve_with(text, self).map_err(|error| error.to_string())
    }
}

/// The files of a folder of fixtures with an extension, in order.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn check(text: &str) -> (Option<Mapping>, Vec<Diagnostic>) {
    load(text, &Dummy)
}

#[test]
fn mistakes_are_told() {
    let bless = std::env::var_os("SCIMITAR_BLESS").is_some();
    let mut failures = Vec::new();
    let mut codes = HashSet::new();
    let paths = files("tests/fixtures/mappings/invalid", "yaml");
    assert!(paths.len() >= 45);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (mapping, diagnostics) = check(&text);
        let found: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        codes.extend(diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()));
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expects: ")).unwrap();
        if found.join(",") != expected {
            failures.push(format!("{name}: expected {expected}, found {}", found.join(",")));
        }
        let report = Report { file: name, text: &text, diagnostics: &diagnostics };
        assert_eq!(mapping.is_none(), report.has_errors(), "{name}");
        assert!(diagnostics.iter().is_sorted_by_key(|diagnostic| diagnostic.span.start), "{name}");
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.help.is_none()) {
            failures.push(format!("{name}: nothing to type instead of: {}", diagnostic.message));
        }
        let human = report.human();
        for secret in [TOKEN, LITERAL] {
            let told = format!("{human}{}", report.json());
            if told.contains(secret) {
                failures.push(format!("{name} shows a secret:\n{told}"));
            }
        }
        let golden = path.with_extension("txt");
        if bless {
            std::fs::write(&golden, &human).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != human {
            failures.push(format!("{name}: another text than in {}:\n{human}", golden.display()));
        }
        let golden = path.with_extension("json");
        if golden.exists() {
            let json = format!("{:#}\n", report.json());
            if bless {
                std::fs::write(&golden, &json).unwrap();
            } else if std::fs::read_to_string(&golden).unwrap() != json {
                failures.push(format!("{name}: another JSON than in {}:\n{json}", golden.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let missing: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "no document for {missing:?}");
}

#[test]
fn good_mappings_are_told_nothing() {
    let mut paths = files("tests/fixtures/mappings/valid", "yaml");
    paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/demo/mapping.yaml"));
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let (mapping, diagnostics) = check(&text);
        let report = Report { file: "mapping.yaml", text: &text, diagnostics: &diagnostics };
        assert!(mapping.is_some() && diagnostics.is_empty(), "{}:\n{}", path.display(), report.human());
    }
}

/// Beyond what a fixture shows: nesting that a recursive reader would not survive, and size.
#[test]
fn documents_are_bounded() {
    let yaml = |text: &str| check(text).1.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>();
    assert_eq!(yaml(&"[".repeat(200_000)).len(), 1);
    assert_eq!(yaml(&"a: ".repeat(100_000)).len(), 1);
    assert_eq!(yaml(&format!("a: {}", "x".repeat(scimitar::limits::MAPPING_BYTES))), [Code::YamlLimit]);
    let many: String = (0..scimitar::limits::MAPPING_NODES).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(yaml(&many), [Code::YamlLimit]);
}

/// A mapping has thousands of ways to be wrong by one character.
fn edited(lines: &[String], edits: &[(u8, prop::sample::Index, prop::sample::Index, char)]) -> String {
    let mut lines = lines.to_vec();
    for (kind, line, place, c) in edits {
        if lines.is_empty() {
            break;
        }
        let at = line.index(lines.len());
        let mut chars: Vec<char> = lines[at].chars().collect();
        let here = place.index(chars.len() + 1);
        match kind {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = place.index(lines.len());
                lines.swap(at, other);
            }
            3 => {
                let other = place.index(lines.len());
                lines[at] = lines[other].clone();
            }
            _ => {
                match kind {
                    4 if here < chars.len() => drop(chars.remove(here)),
                    5 if here < chars.len() => chars[here] = *c,
                    _ => chars.insert(here, *c),
                }
                lines[at] = chars.into_iter().collect();
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn edits_never_panic(
        edits in prop::collection::vec(
            (0_u8..7, any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop_oneof![
                3 => prop::sample::select("{}[]:,$.@*&!|>'\"%#?- \n\t~\\é{{".chars().collect::<Vec<_>>()),
                1 => any::<char>(),
            ]),
            1..6,
        ),
    ) {
        let lines: Vec<String> = MAPPING.lines().map(str::to_owned).collect();
        let text = edited(&lines, &edits);
        let (mapping, diagnostics) = check(&text);
        let errors = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        prop_assert_eq!(mapping.is_none(), errors, "{}", text);
        let report = Report { file: "mapping.yaml", text: &text, diagnostics: &diagnostics };
        prop_assert!(!report.human().contains(TOKEN));
        report.json();
    }
}
