//! `scimitar test`: what it prints of the mappings in tests/fixtures/trials, in all its forms.
//!
//! `NAME.yaml` is a mapping; `NAME.txt`, `NAME.coverage.txt`, `NAME.json` and `NAME.xml` are what is printed of its tests, but for times.
//! `SCIMITAR_BLESS=1` writes them anew, to be read before they are committed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use scimitar::mapping::{load, load_tests};
use scimitar::trial::{Runner, Unset};
use serde_json::Value;

use crate::process::run;

const FOLDER: &str = "tests/fixtures/trials";

fn test(args: &[&str]) -> (i32, String) {
    let output = run(&[&["test"], args].concat(), &[("URL", "http://127.0.0.1:9"), ("KEY", "key-of-the-backend")]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("key-of-the-backend"), "{text}");
    (output.status.code().unwrap(), text)
}

/// What is printed without how long it took.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for mark in ["time=\"", "\"seconds\": "] {
            if let Some((before, behind)) = line.split_once(mark) {
                let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c));
                line = format!("{before}{mark}0{behind}");
            }
        }
        writeln!(out, "{line}").unwrap();
    }
    out
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_is_printed() {
    let bless = std::env::var_os("SCIMITAR_BLESS").is_some();
    let mut failures = Vec::new();
    for (name, code) in [("people", 0), ("failing", 1), ("mistaken", 1), ("untested", 1)] {
        let mapping = format!("{FOLDER}/{name}.yaml");
        for (args, extension) in [
            (&[][..], "txt"),
            (&["--coverage"][..], "coverage.txt"),
            (&["--format", "json"][..], "json"),
            (&["--format", "junit"][..], "xml"),
        ] {
            let (found, said) = test(&[&[mapping.as_str()], args].concat());
            assert_eq!(found, code, "{said}");
            let golden = PathBuf::from(format!("{FOLDER}/{name}.{extension}"));
            let said = timeless(&said);
            if bless {
                fs::write(&golden, said).unwrap();
            } else if fs::read_to_string(&golden).unwrap_or_default() != said {
                failures.push(format!("another text than in {}:\n{said}", golden.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Both forms for programs tell the same tests and the same failures, and only tests that are named so fail.
#[test]
fn the_forms_agree() {
    let (_, json) = test(&[&format!("{FOLDER}/failing.yaml"), "--format", "json"]);
    let (_, xml) = test(&[&format!("{FOLDER}/failing.yaml"), "--format", "junit"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["good"], Value::Bool(false));
    let tests = json["mappings"][0]["files"][1]["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 10);
    for test in tests {
        let good = test["failures"].as_array().unwrap().is_empty();
        assert_eq!((test["good"] == Value::Bool(true), test["name"] == "this one is good"), (good, good), "{test}");
        assert!(xml.contains(&format!("<testcase name=\"{}\"", test["name"].as_str().unwrap())), "{test}");
    }
    assert_eq!(xml.matches("<failure ").count(), 9);
    assert!(xml.contains("tests=\"10\"") && xml.contains("failures=\"9\""), "{xml}");
}

/// The ready mappings do what their tests say.
#[test]
fn tests_of_mappings_are_good() {
    let folders = fs::read_dir("mappings").unwrap().map(|entry| entry.unwrap().path());
    let mappings: Vec<String> = folders.map(|folder| folder.join("mapping.yaml").display().to_string()).collect();
    assert!(mappings.len() >= 2);
    let (code, said) = test(&mappings.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, 0, "{said}");
}

#[test]
fn files_beside_a_mapping_are_found() {
    let folder = folder("files_beside_a_mapping");
    let mapping = fs::read_to_string(format!("{FOLDER}/untested.yaml")).unwrap();
    let tests = |name: &str| {
        format!(
            "tests:\n  - {{ name: {name}, send: GET /Users/7, backend: [GET /people/7: {{ reply: {{ id: 7, login: ann }} }}] }}\n"
        )
    };
    fs::create_dir_all(folder.join("tests/more.yaml.d")).unwrap();
    for (file, text) in [
        ("mapping.yaml", mapping.clone()),
        ("mapping.tests.yaml", tests("beside")),
        ("tests/b.yaml", tests("second")),
        ("tests/a.yaml", tests("first")),
        ("tests/README.md", "no tests".to_owned()),
        ("other.yaml", mapping),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
    let (code, said) = test(&[folder.join("mapping.yaml").to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    let names: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  ok      ")).collect();
    assert_eq!(names, ["beside", "first", "second"]);
    // The folder is for `mapping.yaml` alone.
    let (code, said) = test(&[folder.join("other.yaml").to_str().unwrap()]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("there are no tests: write them under `tests`, or into "), "{said}");
    // Nothing is silently left out: neither a mapping that is not there, nor a file with mistakes.
    fs::write(folder.join("tests/c.yaml"), "tests: none\n").unwrap();
    let (code, said) = test(&[folder.join("mapping.yaml").to_str().unwrap(), "no-such-file.yaml"]);
    assert_eq!(code, 1);
    assert!(said.contains("no-such-file.yaml: ") && said.contains("[wrong-shape]"), "{said}");
    assert!(said.ends_with("3 tests: 3 good, 0 failed; 2 files with mistakes\n"), "{said}");
}

/// The chapter on tests in docs/mapping.md tests the mapping of its first chapter.
#[test]
fn the_documented_tests_are_good() {
    let page = include_str!("../../docs/mapping.md");
    let blocks: Vec<String> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect();
    let text = blocks.iter().find(|block| block.starts_with("mapping: v1")).unwrap();
    let (mapping, diagnostics) = load(text, &Unset);
    let mapping = mapping.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut runner = Runner::new(&mapping, text);
    let mut count = 0;
    for block in blocks.iter().filter(|block| block.starts_with("tests:")) {
        let (tests, diagnostics) = load_tests(block);
        for test in tests.unwrap_or_else(|| panic!("{diagnostics:?}\n{block}")) {
            let verdict = runtime.block_on(runner.run(&test));
            assert_eq!(verdict.failures, [], "{}", test.name);
            count += 1;
        }
    }
    assert!(count >= 6, "only {count} tests were found");
}

/// A failing test of the documentation prints what it shows.
#[test]
fn the_documented_failure() {
    let page = include_str!("../../docs/mapping.md");
    let shown =
        page.split("```text\n").find(|block| block.trim_start().starts_with("FAILED")).unwrap().split("\n```").next().unwrap();
    let folder = folder("the_documented_failure");
    let mapping = page.split("```yaml\n").find(|block| block.starts_with("mapping: v1")).unwrap().split("\n```").next().unwrap();
    fs::write(folder.join("people.yaml"), mapping).unwrap();
    let tests = "tests:\n  - name: a leaver is switched off\n    send: { PATCH /Users/7: { Operations: [{ op: replace, path: active, value: false }] } }\n    \
                 backend:\n      - PATCH /people/7: { body: { state: disabled } }\n      \
                 - GET /people/7: { reply: { id: 7, login: ann, state: off } }\n      \
                 - DELETE /people/7\n";
    fs::write(folder.join("people.tests.yaml"), tests).unwrap();
    let (_, said) = test(&[folder.join("people.yaml").to_str().unwrap()]);
    let said = said.replace(&format!("{}/", folder.display()), "");
    assert!(said.contains(shown), "{said}");
}

/// How long a hundred tests take is told, not judged: a machine may be busy.
#[test]
fn a_hundred_tests() {
    let text = fs::read_to_string(format!("{FOLDER}/people.yaml")).unwrap();
    let (mapping, _) = load(&text, &Unset);
    let mapping = mapping.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut runner = Runner::new(&mapping, &text);
    let began = Instant::now();
    for test in mapping.tests.iter().cycle().take(100) {
        assert_eq!(runtime.block_on(runner.run(test)).failures, [], "{}", test.name);
    }
    println!("100 tests took {:?}", began.elapsed());
}
