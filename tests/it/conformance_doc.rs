//! docs/conformance.md says of every row how it is met, and by which test; rows, document and tests stay in step here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A row of the document.
struct Row<'t> {
    id: &'t str,
    /// How it is met; begins with "no" where it is not.
    how: &'t str,
    tests: Vec<&'t str>,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `ATTR-01`, `I18N-01`
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(group, number)| {
        group.starts_with(|c: char| c.is_ascii_uppercase())
            && group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn rows(document: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells.get(1).is_some_and(|id| is_id(id)) {
            let [_, id, _, how, tests, _] = cells[..] else { panic!("a row has four columns: {line}") };
            rows.push(Row { id, how, tests: tests.split('`').skip(1).step_by(2).collect() });
        }
    }
    rows
}

/// The names of all functions in the sources below a folder.
fn functions(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(text.lines().filter_map(function).map(str::to_owned));
            }
        }
    }
    found
}

fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let begins = before.split_whitespace().all(|word| ["pub", "pub(crate)", "async", "const"].contains(&word));
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    (begins && !name.is_empty()).then_some(name)
}

/// The rows that the name of a test begins with: `attr_09_attr_11_passwords` has two.
fn ids_in(test: &str, known: &BTreeSet<&str>) -> Vec<String> {
    let words: Vec<&str> = test.split('_').collect();
    let pairs = words.chunks(2).map_while(|pair| {
        let [group, number] = pair else { return None };
        let id = format!("{}-{number}", group.to_uppercase());
        known.contains(id.as_str()).then_some(id)
    });
    pairs.collect()
}

#[test]
fn every_row_is_in_the_document_once() {
    let (fixture, document) = (read("tests/fixtures/conformance-rows.txt"), read("docs/conformance.md"));
    let expected: BTreeSet<&str> = fixture.lines().collect();
    assert_eq!(expected.len(), fixture.lines().count(), "a row is in the fixture twice");
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows(&document) {
        *found.entry(row.id).or_default() += 1;
    }
    let missing: Vec<_> = expected.iter().filter(|id| !found.contains_key(*id)).collect();
    let unknown: Vec<_> = found.keys().filter(|id| !expected.contains(*id)).collect();
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(
        missing.is_empty() && unknown.is_empty() && twice.is_empty(),
        "missing: {missing:?}; unknown: {unknown:?}; twice: {twice:?}"
    );
}

#[test]
fn every_test_in_the_document_exists() {
    let document = read("docs/conformance.md");
    let known: BTreeSet<String> = functions("tests").union(&functions("src")).cloned().collect();
    let rows = rows(&document);
    assert!(rows.len() > 100, "only {} rows", rows.len());
    for Row { id, how, tests } in rows {
        for test in &tests {
            assert!(known.contains(*test), "{id}: there is no test {test}");
        }
        assert!(how.starts_with("no: ") || !tests.is_empty(), "{id} is said to be met, but no test shows it");
        assert!(!how.is_empty() && how != "no", "{id}: say how it is met, or why not");
    }
}

#[test]
fn every_conformance_test_is_in_the_document() {
    let (fixture, document) = (read("tests/fixtures/conformance-rows.txt"), read("docs/conformance.md"));
    let known: BTreeSet<&str> = fixture.lines().collect();
    let rows = rows(&document);
    let mut count = 0;
    for test in functions("tests/it/conformance") {
        // What begins with no row is a helper.
        for id in ids_in(&test, &known) {
            count += 1;
            let row = rows.iter().find(|row| row.id == id);
            assert!(row.is_some_and(|row| row.tests.contains(&test.as_str())), "docs/conformance.md: {id} does not name {test}");
        }
    }
    assert!(count > 80, "only {count} were found");
}
