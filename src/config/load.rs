//! The file and the environment become one [`Settings`].

use std::collections::BTreeMap;
use std::path::Path;

use config::{Config, Environment};
use serde_json::Value;

use super::check::Resolved;
use super::problem::{Problem, Problems};
use super::secrets::{Process, read_bounded};
use super::settings::Settings;
use crate::limits;

/// What begins the name of every variable.
const PREFIX: &str = "SCIMITAR_";

/// Loads the settings of this process. `profiles` are the names that `profile` may have.
pub fn load(file: &Path, profiles: &[&str]) -> Result<Resolved, Problems> {
    let name = file.display().to_string();
    let failed = |message: String| Problems { file: name.clone(), list: vec![Problem::new("", message)] };
    let text = read_bounded(file, limits::SETTINGS_BYTES)
        .map_err(|error| failed(format!("cannot be read ({error}): give the path of the settings with --config")))?
        .ok_or_else(|| failed(format!("is larger than {} bytes: it is hardly a file of settings", limits::SETTINGS_BYTES)))?;
    // What is not UTF-8 cannot be a setting; a secret that is not is complained about where it is referred to.
    let variables = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let settings = layer(&name, &text, variables)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    settings.check(&name, folder, profiles, &Process)
}

/// Puts variables over a file.
pub fn layer(name: &str, text: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Settings, Problems> {
    let problems = |list: Vec<Problem>| Problems { file: name.to_owned(), list };
    let file = read(text).map_err(|message| problems(vec![Problem::new("", message)]))?;
    let variables = ours(variables).map_err(problems)?;
    // The file went through its types already, so that `config` only has to put one tree over the other.
    Config::try_from(&file)
        .and_then(|base| {
            Config::builder()
                .add_source(base)
                .add_source(
                    Environment::with_prefix("SCIMITAR")
                        .prefix_separator("_")
                        .separator("__")
                        .ignore_empty(true)
                        .try_parsing(true)
                        .source(Some(variables.into_iter().collect())),
                )
                .build()
        })
        .and_then(Config::try_deserialize)
        .map_err(|error| problems(vec![Problem::new("", format!("{error}: correct the variable SCIMITAR_* of that key"))]))
}

fn read(text: &str) -> Result<Settings, String> {
    // A file of comments alone is a file that leaves everything at its default.
    let bare = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim_end() == "---";
    if text.lines().all(bare) {
        return Ok(Settings::default());
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map(|at| format!("line {}, column {}: ", at.line(), at.column())).unwrap_or_default();
        // Without its snippet, which could show a secret that was written into the file.
        let message = error.without_snippet().to_string();
        format!("{place}{}", advice(message.split(" at line ").next().unwrap_or(&message).trim_end()))
    })
}

/// The parser's message, with what to type where it does not say so itself.
fn advice(message: &str) -> String {
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        let key = key.split(',').next().unwrap_or(key);
        return format!("the key `{key}` is there twice: remove one of them");
    }
    let hint = match message {
        "invalid u64" => "write a whole number in digits alone, such as 1048576",
        "invalid bool" | "invalid boolean" => "write true or false",
        "expected sequence start" => "write a list here, each entry on a line of its own that begins with `- `",
        "expected mapping start" => "write `key: value` lines here",
        "expected string scalar" => "write one text here, in quotes if it holds any of []{}:#",
        _ => return message.to_owned(),
    };
    format!("{message}: {hint}")
}

/// The variables that are settings. What has the prefix and is none is a problem: it is a mistyped setting.
fn ours(variables: impl IntoIterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let known = known_variables();
    let mut ours = BTreeMap::new();
    let mut list = Vec::new();
    for (name, value) in variables {
        if !name.starts_with(PREFIX) || is_foreign(&name) {
            continue;
        }
        if name == "SCIMITAR_CLIENTS" || name.starts_with("SCIMITAR_CLIENTS__") {
            list.push(Problem::new(
                name,
                "clients are written in the file: put `token: ${SCIM_TOKEN}` there and set the variable SCIM_TOKEN",
            ));
        } else if known.contains(&name) {
            ours.insert(name, value);
        } else {
            list.push(Problem::new(name.clone(), unknown(&name, &known)));
        }
    }
    if list.is_empty() { Ok(ours) } else { Err(list) }
}

fn unknown(name: &str, known: &[String]) -> String {
    // Without the prefix, which makes any two of them alike.
    let bare = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
    let near = known.iter().map(|known| (strsim::jaro_winkler(&bare(known), &bare(name)), known));
    let near = near.filter(|(score, _)| *score > 0.85).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match near {
        Some((_, near)) => format!("no such setting; did you mean {near}?"),
        None => "no such setting: remove the variable. If it holds a secret, give it a name that does not begin with SCIMITAR_"
            .to_owned(),
    }
}

/// Variables that begin with the prefix and are not for this file: those of the command line, and those that
/// Kubernetes sets in every pod next to a Service of the name `scimitar`.
fn is_foreign(name: &str) -> bool {
    matches!(name, "SCIMITAR_CONFIG" | "SCIMITAR_LOG_FORMAT" | "SCIMITAR_PORT")
        || name.starts_with("SCIMITAR_PORT_")
        || name.starts_with("SCIMITAR_SERVICE_")
}

/// The name of the variable of each setting.
fn known_variables() -> Vec<String> {
    fn walk(prefix: &str, value: &Value, names: &mut Vec<String>) {
        let Some(object) = value.as_object() else { return names.push(prefix.to_owned()) };
        for (key, value) in object {
            let separator = if prefix == PREFIX { "" } else { "__" };
            walk(&format!("{prefix}{separator}{}", key.to_ascii_uppercase()), value, names);
        }
    }
    let mut names = Vec::new();
    walk(PREFIX, &serde_json::to_value(Settings::default()).unwrap_or_default(), &mut names);
    names
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
