//! The reference of the mapping language against the program, and every mapping on a page against the checker.

use std::path::Path;

use scimitar::mapping::vocabulary;
use scimitar::mapping::{Code, Report, load};

use crate::mapping_diagnostics::{Dummy, files};

const REFERENCE: &str = include_str!("../../docs/mapping.md");

/// The text of a section, from its heading to the next.
fn section(name: &str) -> &'static str {
    let heading = format!("\n### {name}\n").to_lowercase();
    let lower = REFERENCE.to_lowercase();
    assert_eq!(lower.len(), REFERENCE.len());
    let start = lower.find(&heading).unwrap_or_else(|| panic!("no section `{name}`")) + heading.len();
    let rest = REFERENCE.get(start..).unwrap();
    rest.split("\n##").next().unwrap()
}

#[test]
fn every_key_is_described() {
    for block in vocabulary::ALL {
        let section = section(block.name);
        for key in block.keys {
            let row = format!("| `{}` | {} |", key.name, key.meaning.replace('|', "\\|"));
            assert!(section.contains(&row), "section `{}` lacks the row:\n{row}", block.name);
        }
        let rows = section.lines().skip_while(|line| *line != "| key | meaning |").take_while(|line| line.starts_with('|'));
        assert_eq!(rows.count(), block.keys.len() + 2, "section `{}` has other rows", block.name);
    }
}

#[test]
fn every_code_is_described() {
    for code in Code::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.meaning().trim());
        assert!(REFERENCE.contains(&row), "{row}");
    }
}

/// The blocks of a page that are whole mappings, with the line that each begins in.
fn mappings(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "```yaml" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        if block.first().is_some_and(|first| first.starts_with("mapping: v1")) {
            found.push((number + 2, block.join("\n") + "\n"));
        }
    }
    found
}

#[test]
fn every_mapping_on_a_page_is_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = files("docs", "md");
    pages.push(root.join("README.md"));
    for folder in std::fs::read_dir(root.join("mappings")).unwrap() {
        let folder = folder.unwrap().path();
        pages.extend(files(folder.to_str().unwrap(), "yaml"));
        pages.extend(files(folder.to_str().unwrap(), "md"));
    }
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let found = match page.extension().is_some_and(|extension| extension == "yaml") {
            true if text.lines().any(|line| line.starts_with("mapping: v1")) => vec![(1, text)],
            true => Vec::new(),
            false => mappings(&text),
        };
        for (line, text) in found {
            count += 1;
            let (_, diagnostics) = load(&text, &Dummy);
            let report = Report { file: "mapping", text: &text, diagnostics: &diagnostics };
            assert!(!report.has_errors(), "{}:{line}\n{}", page.display(), report.human());
        }
    }
    assert!(count >= 3, "only {count} mappings were found");
}
