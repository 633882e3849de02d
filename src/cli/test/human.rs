//! The results for people.

use std::fmt::Write as _;

use super::{Document, TestResult, Tested};
use crate::trial::{Coverage, Failure};

/// Names of one kind that are told without `--coverage`.
const SHOWN: usize = 12;

/// A line of what was never used, with its label.
struct Unused {
    label: &'static str,
    names: Vec<String>,
}

pub(super) fn report(tested: &[Tested], whole: bool) -> String {
    let mut out = String::new();
    for one in tested {
        for document in &one.documents {
            show(document, &mut out);
        }
        if one.has_no_tests() {
            line(&mut out, &format!("{}: {}", one.file, one.no_tests()));
        }
        if let Some(coverage) = one.coverage.as_ref().filter(|_| one.count() > 0) {
            line(&mut out, "");
            summary(coverage, &mut out);
            if whole {
                details(coverage, &mut out);
            } else {
                unused(coverage, &mut out);
            }
            line(&mut out, "");
        }
    }
    let all: Vec<&TestResult> = tested.iter().flat_map(Tested::results).collect();
    let failed = all.iter().filter(|result| !result.is_good()).count();
    let files = tested.iter().flat_map(|one| &one.documents);
    let broken = files.filter(|document| document.problem.is_some() || !document.diagnostics.is_empty()).count();
    let mut last = format!("{}: {} good, {failed} failed", counted(all.len(), "test"), all.len() - failed);
    if broken > 0 {
        // Writing to a string cannot fail.
        write!(last, "; {} with mistakes", counted(broken, "file")).unwrap_or_default();
    }
    out.push_str(&last);
    out
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn show(document: &Document, out: &mut String) {
    if let Some(problem) = &document.problem {
        line(out, &format!("{}: {problem}", document.file));
        return;
    }
    if !document.diagnostics.is_empty() {
        line(out, document.report().human().trim_end());
        line(out, "");
        return;
    }
    if document.results.is_empty() {
        return;
    }
    line(out, &document.file);
    for result in &document.results {
        if result.is_good() {
            line(out, &format!("  ok      {}", result.name));
            continue;
        }
        line(out, &format!("  FAILED  {}   ({}:{})", result.name, document.file, result.line));
        for failure in &result.verdict.failures {
            explain(failure, out);
        }
    }
}

fn explain(failure: &Failure, out: &mut String) {
    let step = failure.step.map(|step| format!("step {step}: ")).unwrap_or_default();
    line(out, &format!("          {step}{}", failure.message));
    if let Some(reason) = &failure.reason {
        line(out, &format!("          {reason}"));
    }
    for text in &failure.diff {
        line(out, &format!("            {text}"));
    }
    if !failure.paste.is_empty() {
        line(out, "          If that is right, put it into `backend`, with the answer:");
        for text in &failure.paste {
            line(out, &format!("            {text}"));
        }
    }
}

fn summary(coverage: &Coverage, out: &mut String) {
    let of = |used: &mut dyn Iterator<Item = bool>| {
        let all: Vec<bool> = used.collect();
        format!("{} of {}", all.iter().filter(|used| **used).count(), all.len())
    };
    let text = format!(
        "covered         attributes read {}, written {}; calls {}; rows of errors {}; filters {}",
        of(&mut coverage.attributes.iter().filter_map(|line| line.read)),
        of(&mut coverage.attributes.iter().filter_map(|line| line.written)),
        of(&mut coverage.calls.iter().map(|call| call.made > 0)),
        of(&mut coverage.errors.iter().map(|row| row.matched > 0)),
        of(&mut coverage.filters.iter().map(|filter| filter.pushed > 0)),
    );
    line(out, &text);
}

fn unused(coverage: &Coverage, out: &mut String) {
    let attributes = |used: fn(&crate::trial::coverage::AttributeUse) -> Option<bool>| {
        let unused = coverage.attributes.iter().filter(|line| used(line) == Some(false));
        unused.map(|line| format!("{}.{}", line.resource, line.attribute)).collect()
    };
    let calls = coverage.calls.iter().filter(|call| call.made == 0);
    let filters = coverage.filters.iter().filter(|filter| filter.pushed == 0);
    let rows = coverage.errors.iter().filter(|row| row.matched == 0);
    for Unused { label, names } in [
        Unused { label: "never read", names: attributes(|line| line.read) },
        Unused { label: "never written", names: attributes(|line| line.written) },
        Unused { label: "never called", names: calls.map(|call| call.name.clone()).collect() },
        Unused {
            label: "never pushed",
            names: filters.map(|filter| format!("{}: {}", filter.resource, filter.filter)).collect(),
        },
    ] {
        if !names.is_empty() {
            let more = names.len().saturating_sub(SHOWN);
            let shown: Vec<String> = names.into_iter().take(SHOWN).collect();
            let more = if more == 0 { String::new() } else { format!(" and {more} more (--coverage tells all)") };
            line(out, &format!("{label:<15} {}{more}", shown.join(", ")));
        }
    }
    for row in rows {
        line(out, &format!("{:<15} {}   (line {})", "never matched", row.row, row.line));
    }
}

/// Everything, with how often it was used.
fn details(coverage: &Coverage, out: &mut String) {
    let names: Vec<String> = coverage.attributes.iter().map(|line| format!("{}.{}", line.resource, line.attribute)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let word = |used: Option<bool>| match used {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    };
    line(out, &format!("  {:<width$}  read  written", "attribute"));
    for (attribute, name) in coverage.attributes.iter().zip(&names) {
        line(out, &format!("  {name:<width$}  {:<4}  {}", word(attribute.read), word(attribute.written)));
    }
    let mut table = |title: &str, rows: Vec<(String, usize)>| {
        if rows.is_empty() {
            return;
        }
        line(out, &format!("  {title}"));
        for (what, times) in rows {
            let times = if times == 0 { "NO".to_owned() } else { times.to_string() };
            line(out, &format!("  {times:>5}  {what}"));
        }
    };
    let calls = coverage.calls.iter().map(|call| (format!("{}   {}   (line {})", call.name, call.call, call.line), call.made));
    table("calls made", calls.collect());
    let rows = coverage.errors.iter().map(|row| (format!("{}   (line {})", row.row, row.line), row.matched));
    table("rows of errors matched", rows.collect());
    let filters = coverage.filters.iter().map(|filter| (format!("{}: {}", filter.resource, filter.filter), filter.pushed));
    table("filters pushed down", filters.collect());
}
