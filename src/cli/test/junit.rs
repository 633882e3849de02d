//! The results as JUnit XML, which continuous integration reads: a suite a file, a case a test.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Document, TestResult, Tested};

pub(super) fn report(tested: &[Tested]) -> String {
    let mut report = Report::new("scimitar");
    report.set_time(tested.iter().flat_map(Tested::results).map(|result| result.verdict.time).sum());
    for one in tested {
        let told = one.documents.iter().filter(|document| !document.is_good() || !document.results.is_empty());
        report.add_test_suites(told.map(suite));
        if one.has_no_tests() {
            let mut suite = TestSuite::new(one.file.as_str());
            suite.add_test_case(broken("has tests", &one.file, &one.no_tests(), ""));
            report.add_test_suite(suite);
        }
    }
    report.to_string().unwrap_or_default().trim_end().to_owned()
}

fn suite(document: &Document) -> TestSuite {
    let mut suite = TestSuite::new(document.file.as_str());
    suite.extra.insert("file".into(), document.file.as_str().into());
    suite.set_time(document.results.iter().map(|result| result.verdict.time).sum());
    if let Some(problem) = &document.problem {
        suite.add_test_case(broken("can be read", &document.file, problem, ""));
    }
    if let Some(first) = document.diagnostics.first() {
        suite.add_test_case(broken("has no mistakes", &document.file, &first.message, &document.report().human()));
    }
    for result in &document.results {
        suite.add_test_case(case(document, result));
    }
    suite
}

fn case(document: &Document, result: &TestResult) -> TestCase {
    let status = match result.verdict.failures.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut text = String::new();
            for failure in &result.verdict.failures {
                let step = failure.step.map(|step| format!("step {step}: ")).unwrap_or_default();
                let lines = std::iter::once(format!("{step}{}", failure.message))
                    .chain(failure.reason.iter().chain(&failure.diff).cloned());
                let paste = failure.paste.iter().map(|element| format!("for `backend`: {element}"));
                for line in lines.chain(paste) {
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
            }
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(first.message.as_str()).set_type("failed").set_description(text);
            status
        }
    };
    let mut case = TestCase::new(result.name.as_str(), status);
    case.set_classname(document.file.as_str()).set_time(result.verdict.time);
    case.extra.insert("file".into(), document.file.as_str().into());
    case.extra.insert("line".into(), result.line.to_string().into());
    case
}

fn broken(name: &str, file: &str, message: &str, text: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message).set_type("mistake").set_description(text);
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    case
}
