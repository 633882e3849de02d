//! What RFC 9535 forbids in a query although the library takes it.
//!
//! Section 2.4.3 gives every function and argument a type; the library checks few of them and then selects nothing,
//! silently. A filter within a filter is legal (section 2.3.5), but the library gets some of them wrong, so there are none.

use jsonpath_rust::parser::model::{Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction};

type Checked = Result<(), String>;

/// The reason for which a query cannot be used, for a person. `text` is the query as it was written.
pub(super) fn check(query: &JpQuery, text: &str) -> Checked {
    // The library takes blanks within `$.job title` for a part of the name (RFC 9535 section 2.5.1.1 has none).
    let name = query.segments.iter().find_map(|segment| blank(segment));
    match name
        .filter(|name| !text.contains(&format!("'{name}'")) && !text.contains(&format!("\"{name}\"")) && !text.contains('\\'))
    {
        Some(name) => Err(format!("a name with a blank in it is written `['{name}']`")),
        None => segments(&query.segments, false),
    }
}

fn blank(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Descendant(inner) => blank(inner),
        Segment::Selector(Selector::Name(name)) if name.contains(char::is_whitespace) => Some(name),
        _ => None,
    }
}

fn segments(all: &[Segment], in_filter: bool) -> Checked {
    all.iter().try_for_each(|segment| match segment {
        Segment::Descendant(inner) => segments(std::slice::from_ref(inner), in_filter),
        Segment::Selector(one) => selector(one, in_filter),
        Segment::Selectors(several) => several.iter().try_for_each(|one| selector(one, in_filter)),
    })
}

fn selector(selector: &Selector, in_filter: bool) -> Checked {
    match selector {
        Selector::Filter(_) if in_filter => Err("a filter within a filter is not supported".to_owned()),
        Selector::Filter(inner) => filter(inner),
        _ => Ok(()),
    }
}

fn filter(expression: &Filter) -> Checked {
    match expression {
        Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match expr.as_ref() {
            Test::RelQuery(inner) => segments(inner, true),
            Test::AbsQuery(query) => segments(&query.segments, true),
            Test::Function(function) => condition(function),
        },
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = comparison.vals();
            [left, right].into_iter().try_for_each(|side| match side {
                Comparable::Function(function) => value(function),
                Comparable::Literal(_) | Comparable::SingularQuery(_) => Ok(()),
            })
        }
    }
}

fn name(function: &TestFunction) -> &str {
    match function {
        TestFunction::Custom(name, _) => name,
        TestFunction::Length(_) => "length",
        TestFunction::Value(_) => "value",
        TestFunction::Count(_) => "count",
        TestFunction::Search(..) => "search",
        TestFunction::Match(..) => "match",
    }
}

fn unknown(name: &str) -> Checked {
    Err(format!("there is no function `{name}`; there are length, count, value, match and search"))
}

/// A function that stands alone must be a condition (LogicalType).
fn condition(function: &TestFunction) -> Checked {
    match function {
        TestFunction::Match(text, pattern) | TestFunction::Search(text, pattern) => {
            [text, pattern].into_iter().try_for_each(|argument| value_argument(function, argument))
        }
        TestFunction::Custom(name, _) => unknown(name),
        _ => Err(format!("`{}()` is a value: compare it with something, as in `count(@.*) > 1`", name(function))),
    }
}

/// A function that is compared, or an argument, must be a value (ValueType).
fn value(function: &TestFunction) -> Checked {
    match function {
        TestFunction::Length(argument) => value_argument(function, argument),
        TestFunction::Value(argument) | TestFunction::Count(argument) => match argument {
            FnArg::Test(test) => match test.as_ref() {
                Test::RelQuery(inner) => segments(inner, true),
                Test::AbsQuery(query) => segments(&query.segments, true),
                Test::Function(_) => Err(format!("`{}()` takes a query such as `@.mail[*]`", name(function))),
            },
            _ => Err(format!("`{}()` takes a query such as `@.mail[*]`", name(function))),
        },
        TestFunction::Custom(name, _) => unknown(name),
        TestFunction::Match(..) | TestFunction::Search(..) => {
            Err(format!("`{}()` is a condition: it is not compared with anything", name(function)))
        }
    }
}

fn value_argument(function: &TestFunction, argument: &FnArg) -> Checked {
    let one =
        |all: &[Segment]| all.iter().all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))));
    let single = match argument {
        FnArg::Literal(_) => true,
        FnArg::Filter(_) => false,
        FnArg::Test(test) => match test.as_ref() {
            Test::RelQuery(inner) => one(inner),
            Test::AbsQuery(query) => one(&query.segments),
            Test::Function(inner) => return value(inner),
        },
    };
    if single { Ok(()) } else { Err(format!("`{}()` takes one value, such as `@.name` or a text", name(function))) }
}
