//! Filters at random: what is printed parses back, nothing panics, and another parser agrees on what is a filter.

use proptest::prelude::*;
use scimitar::scim::Profile;
use scimitar::scim::filter::{CompareOp, Expr, Literal, Span, parse, parse_path};
use scimitar::scim::path::AttrPath;

use crate::support::resource_type;

fn attr_path() -> impl Strategy<Value = AttrPath> {
    let name = || "[a-zA-Z][a-zA-Z0-9_$-]{0,8}";
    prop_oneof![
        name().prop_map(|name| name),
        (name(), name()).prop_map(|(name, sub)| format!("{name}.{sub}")),
        name().prop_map(|name| format!("{name}.$ref")),
        (name(), name()).prop_map(|(urn, name)| format!("urn:x-{urn}:2.0:{name}")),
    ]
    .prop_map(|text| AttrPath::parse(&text).unwrap())
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<String>().prop_map(Literal::String),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        any::<u64>().prop_map(|number| Literal::Number(number.into())),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number).map(Literal::Number)),
    ]
}

fn condition() -> impl Strategy<Value = Expr> {
    let at = Span::default();
    prop_oneof![
        attr_path().prop_map(move |path| Expr::Present { path, at }),
        (attr_path(), proptest::sample::select(&CompareOp::ALL[..]), literal())
            .prop_map(move |(path, op, value)| Expr::Compare { path, op, value, at, value_at: at }),
    ]
}

fn logical(leaf: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = Expr> {
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Expr::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner).prop_map(|(a, b)| a.or(b)),
        ]
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    let value_path = (attr_path(), logical(condition())).prop_map(|(path, filter)| Expr::ValuePath {
        path,
        filter: Box::new(filter),
        at: Span::default(),
    });
    logical(prop_oneof![3 => condition(), 1 => value_path])
}

/// A word of a filter, or one that is misplaced.
fn token() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "title",
        "userName",
        "name.familyName",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        "emails[",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "AND",
        "pr",
        "eq",
        "Ne",
        "co",
        "gt",
        "le",
        "xx",
        "\"a\"",
        "\"b \\\"c\\\" and\"",
        "1",
        "-2.5e3",
        "true",
        "null",
        "\"\"",
    ])
}

/// A filter of the grammar, as tokens.
fn tokens() -> impl Strategy<Value = Vec<&'static str>> {
    let names = proptest::sample::select(vec!["title", "userName", "name.familyName", "meta.created", "urn:x:2.0:User:a"]);
    let ops = proptest::sample::select(vec!["eq", "NE", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let values = proptest::sample::select(vec!["\"a\"", "\"not (x\"", "\"\\u00e9\\n\"", "7", "-0.5", "true", "false", "null"]);
    let leaf = prop_oneof![
        names.clone().prop_map(|name| vec![name, "pr"]),
        (names, ops, values).prop_map(|(name, op, value)| vec![name, op, value]),
    ];
    let logical = |leaf: BoxedStrategy<Vec<&'static str>>| {
        leaf.prop_recursive(4, 20, 2, |inner| {
            let group = |open: &'static [&'static str]| move |inner: Vec<&'static str>| [open, &inner, &[")"]].concat();
            prop_oneof![
                inner.clone().prop_map(group(&["("])),
                inner.clone().prop_map(group(&["not", "("])),
                (inner.clone(), proptest::sample::select(vec!["and", "or", "OR"]), inner).prop_map(|(a, word, b)| [
                    a,
                    vec![word],
                    b
                ]
                .concat()),
            ]
        })
        .boxed()
    };
    let value_path = logical(leaf.clone().boxed()).prop_map(|inner| [vec!["emails["], inner, vec!["]"]].concat());
    logical(prop_oneof![3 => leaf.boxed(), 1 => value_path.boxed()].boxed())
}

/// Whether an attribute has the name of a keyword: legal, but scim_v2's lexer takes the keyword first.
fn has_keyword_name(expr: &Expr) -> bool {
    match expr {
        Expr::And(operands) | Expr::Or(operands) => operands.iter().any(has_keyword_name),
        Expr::Not(inner) => has_keyword_name(inner),
        Expr::Compare { path, .. } | Expr::Present { path, .. } => is_keyword(path.as_str()),
        Expr::ValuePath { path, filter, .. } => is_keyword(path.as_str()) || has_keyword_name(filter),
    }
}

fn is_keyword(name: &str) -> bool {
    CompareOp::parse(name).is_some()
        || ["pr", "and", "or", "not", "true", "false", "null"].iter().any(|keyword| keyword.eq_ignore_ascii_case(name))
}

/// Both accept or both refuse.
fn agree(text: &str) -> Result<(), TestCaseError> {
    let ours = parse(text, &Profile::STRICT);
    if let Ok(filter) = &ours
        && has_keyword_name(filter.expr())
    {
        return Ok(());
    }
    let theirs = text.parse::<scim_v2::filter::Filter>();
    prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?}, {:?}", text, ours, theirs);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_back(expr in expr()) {
        let text = expr.to_string();
        prop_assume!(text.len() <= scimitar::limits::FILTER_BYTES);
        for profile in [&Profile::STRICT, &Profile::LENIENT] {
            let again = parse(&text, profile).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            prop_assert_eq!(again.expr(), &expr);
        }
    }

    #[test]
    fn printed_paths_parse_back(path in attr_path(), filter in logical(condition()), sub in proptest::option::of("[a-z]{1,5}")) {
        let sub_text = sub.as_ref().map_or_else(String::new, |sub| format!(".{sub}"));
        let text = format!("{path}[{filter}]{sub_text}");
        prop_assume!(text.len() <= scimitar::limits::FILTER_BYTES);
        let parsed = parse_path(&text, &Profile::STRICT).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(parsed.to_string(), text);
        prop_assert_eq!((parsed.path, parsed.filter, parsed.sub), (path, Some(filter), sub));
    }

    #[test]
    fn nothing_panics(tokens in proptest::collection::vec(token(), 0..12), noise in any::<String>(), glue in "[ \t]?") {
        let user = resource_type("User");
        for text in [tokens.join(&glue), format!("{}{noise}", tokens.join(" ")), noise] {
            for profile in [&Profile::STRICT, &Profile::LENIENT] {
                if let Ok(filter) = parse(&text, profile) && let Ok(predicate) = filter.check(&user, profile) {
                    predicate.matches(&scimitar::scim::Object::new());
                }
                if let Ok(path) = parse_path(&text, profile) {
                    drop(path.resolve(&user, profile));
                }
            }
        }
    }

    #[test]
    fn another_parser_accepts_the_same(tokens in tokens()) {
        let text = tokens.join(" ");
        prop_assert!(parse(&text, &Profile::STRICT).is_ok(), "{}", text);
        agree(&text)?;
    }

    #[test]
    fn another_parser_refuses_the_same(mut tokens in tokens(), at in any::<proptest::sample::Index>(), with in proptest::option::of(token()), keep in any::<bool>()) {
        let at = at.index(tokens.len());
        match with {
            None => drop(tokens.remove(at)),
            Some(with) if keep => tokens.insert(at, with),
            Some(with) => tokens[at] = with,
        }
        agree(&tokens.join(" "))?;
    }
}
