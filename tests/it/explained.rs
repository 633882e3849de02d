//! What `explain` says of writes: the files in tests/fixtures/explained name a mapping in their first line; then come
//! requests, each with its body, if it has one, and what is printed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::mapping_diagnostics::files;
use crate::process::run;

/// What must not be printed: the secrets of the mappings, and the password in the requests.
const SECRETS: [&str; 3] = ["token-of-the-backend", "key-of-the-backend", "s3cret"];
const GIVEN: [(&str, &str); 2] = [("PEOPLE_TOKEN", SECRETS[0]), ("PEOPLE_KEY", SECRETS[1])];

struct Case<'t> {
    request: &'t str,
    body: &'t str,
    said: &'t str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let case = |text| {
        let (asked, said) = str::split_once(text, "---\n").unwrap();
        let (request, body) = asked.split_once('\n').unwrap();
        Case { request, body: body.trim(), said: said.trim_end() }
    };
    text.split("\n=== ").skip(1).map(case).collect()
}

/// Runs `explain`; gives the exit code and what is printed.
fn explain(mapping: &str, case: &Case<'_>, format: &str) -> (i32, String) {
    let mut args = vec!["explain", mapping, case.request, "--format", format];
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("explained-{format}.json"));
    let file = file.display().to_string();
    if !case.body.is_empty() {
        fs::write(&file, case.body).unwrap();
        args.extend(["--body", &file]);
    }
    let output = run(&args, &GIVEN);
    assert!(output.stderr.is_empty(), "{}: {}", case.request, String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn explanations_of_writes() {
    let mut count = 0;
    for path in files("tests/fixtures/explained", "txt") {
        let text = fs::read_to_string(&path).unwrap();
        let mapping = text.lines().next().unwrap();
        for case in cases(&text) {
            count += 1;
            let what = format!("{}: {} {}", path.display(), case.request, case.body);
            let (code, said) = explain(mapping, &case, "human");
            assert_eq!(said.trim_end(), case.said, "{what}");
            let refused = case.said.starts_with("refused       4") || case.said.starts_with("refused       5");
            assert_eq!(code, i32::from(refused), "{what}");
            let (code, json) = explain(mapping, &case, "json");
            assert_eq!(code, i32::from(refused), "{what}");
            let json: Value = serde_json::from_str(&json).unwrap();
            agrees(&json, case.said, &what);
            for secret in SECRETS {
                assert!(!said.contains(secret) && !json.to_string().contains(secret), "{secret} is shown: {what}");
            }
        }
    }
    assert!(count >= 30, "only {count} cases were found");
}

/// Both forms tell the same calls.
fn agrees(json: &Value, said: &str, what: &str) {
    if let Some(status) = json["status"].as_str() {
        return assert!(said.starts_with(&format!("refused       {status}")), "{what}\n{json}");
    }
    let is_call = |line: &&str| ["read ", "call "].iter().any(|label| line.trim_start().starts_with(label));
    let targets: Vec<&str> = said
        .lines()
        .filter(is_call)
        .map(|line| line.trim_start().split_once(' ').unwrap().1.trim_start().split("   (").next().unwrap())
        .collect();
    let operations = json["operations"].as_array();
    let plans: Vec<&Value> = operations.map_or(vec![json], |operations| operations.iter().map(|step| &step["plan"]).collect());
    let calls = plans.into_iter().filter_map(|plan| plan["calls"].as_array()).flatten();
    let calls: Vec<String> =
        calls.map(|call| format!("{} {}", call["method"].as_str().unwrap(), call["target"].as_str().unwrap())).collect();
    assert_eq!(calls, targets, "{what}");
}
