//! The results for programs.

use serde_json::{Value, json};

use super::{Document, TestResult, Tested};

pub(super) fn report(tested: &[Tested]) -> String {
    let mappings: Vec<Value> = tested
        .iter()
        .map(|one| {
            json!({
                "mapping": one.file,
                "good": one.is_good(),
                "problem": one.has_no_tests().then(|| one.no_tests()),
                "files": one.documents.iter().map(document).collect::<Vec<_>>(),
                "coverage": one.coverage,
            })
        })
        .collect();
    let report = json!({ "good": tested.iter().all(Tested::is_good), "mappings": mappings });
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn document(document: &Document) -> Value {
    json!({
        "file": document.file,
        "problem": document.problem,
        "diagnostics": document.report().json(),
        "tests": document.results.iter().map(result).collect::<Vec<_>>(),
    })
}

fn result(result: &TestResult) -> Value {
    let failures: Vec<Value> = result
        .verdict
        .failures
        .iter()
        .map(|failure| {
            json!({
                "step": failure.step,
                "message": failure.message,
                "reason": failure.reason,
                "diff": failure.diff,
                "paste": failure.paste,
            })
        })
        .collect();
    json!({
        "name": result.name,
        "line": result.line,
        "good": result.is_good(),
        "seconds": result.verdict.time.as_secs_f64(),
        "failures": failures,
    })
}
