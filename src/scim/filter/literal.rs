//! Comparison values: JSON literals, and words that were meant as strings.

use serde_json::Number;

use super::ast::Literal;
use super::lexer::Shown;

/// A JSON literal (RFC 7644 takes `false`, `null`, `true` and numbers from RFC 7159, byte for byte).
pub(super) fn literal(word: &str) -> Option<Literal> {
    match word {
        "true" => return Some(Literal::Boolean(true)),
        "false" => return Some(Literal::Boolean(false)),
        "null" => return Some(Literal::Null),
        _ => {}
    }
    let number: Number = serde_json::from_str(word).ok()?;
    if number.is_f64() {
        // serde_json's own reading of decimals may be off in the last bit.
        return Number::from_f64(word.parse().ok()?).map(Literal::Number);
    }
    Some(Literal::Number(number))
}

/// A word that can only be a string whose quotes were forgotten. Other quotes would become part of the value, and a
/// lookup that finds nothing makes duplicates; a keyword means that the value is missing.
pub(super) fn is_bare_word(word: &str) -> bool {
    !word.starts_with(['\'', '`', '“', '”', '„', '‘', '’', '+', '=', '{', '<', '>', '!'])
        && !["and", "or", "not"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

pub(super) fn value_advice(word: &str) -> String {
    if let Some(known) = ["true", "false", "null"].into_iter().find(|known| word.eq_ignore_ascii_case(known)) {
        return format!("write `{known}`");
    }
    if let Some(Literal::Number(number)) = word.strip_prefix('+').and_then(literal) {
        return format!("write `{number}`");
    }
    if ["and", "or", "not"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) {
        return format!("the value is missing; if it is the word itself, write `\"{word}\"`");
    }
    let bare = word.trim_matches(['\'', '`', '“', '”', '„', '‘', '’']);
    format!("strings stand in double quotes: write {}", Shown(&format!("\"{bare}\"")))
}
