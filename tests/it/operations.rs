//! docs/operations.md against the settings.

use scimitar::config::settings::{Client, Settings};
use serde_json::Value;

const PAGE: &str = include_str!("../../docs/operations.md");

/// The settings with the names and defaults that the page has to have.
fn settings() -> Vec<(String, String, String)> {
    fn walk(prefix: &str, value: &Value, found: &mut Vec<(String, String, String)>) {
        for (name, value) in value.as_object().unwrap() {
            let key = format!("{prefix}{name}");
            let variable = format!("`SCIMITAR_{}`", key.replace('.', "__").to_uppercase());
            match value {
                Value::Object(_) => walk(&format!("{key}."), value, found),
                Value::Array(_) => found.push((key, "(none)".to_owned(), String::new())),
                Value::String(text) if text.is_empty() => found.push((key, "(empty)".to_owned(), variable)),
                Value::String(text) => found.push((key, format!("`{text}`"), variable)),
                other => found.push((key, format!("`{other}`"), variable)),
            }
        }
    }
    let mut found = Vec::new();
    walk("", &serde_json::to_value(Settings::default()).unwrap(), &mut found);
    let client = serde_json::to_value(Client::default()).unwrap();
    found.extend(client.as_object().unwrap().keys().map(|name| (format!("clients[].{name}"), String::new(), String::new())));
    found.sort();
    found
}

#[test]
fn every_setting_is_described() {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with("| setting |")).skip(2).take_while(|line| line.starts_with('|'));
    let mut described: Vec<(String, String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [key, default, variable, meaning] = cells[..] else { panic!("not four cells: {row}") };
            assert!(meaning.ends_with('.'), "{row}");
            (key.trim_matches('`').to_owned(), default.to_owned(), variable.to_owned())
        })
        .collect();
    described.sort();
    assert_eq!(described, settings());
}
