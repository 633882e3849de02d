//! Text to tokens, one at a time: nothing is read that the parser did not ask for.

use std::fmt;

use super::ast::Span;
use crate::scim::error::{ScimError, ScimType};

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Span,
    /// Whether a blank stands before it; the end needs none.
    pub(super) spaced: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'t> {
    /// Anything up to a blank, a quote, a parenthesis or a bracket: names, operators, literals and rubbish alike. A URN
    /// may hold parentheses by RFC 8141; none that names a schema does.
    Word(&'t str),
    /// A string, decoded.
    String(String),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    End,
}

/// What is wrong at which byte.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Text of a client within a message: in backticks, control characters escaped, not too long.
pub(super) struct Shown<'t>(pub(super) &'t str);

/// The longest quotation from a filter within a message, in characters.
const SHOWN: usize = 60;
/// The longest message, in characters: names in it may be as long as the filter.
const MESSAGE: usize = 600;

/// The token that begins at or after byte `from`.
pub(super) fn token(text: &str, from: usize) -> Result<Token<'_>, SyntaxError> {
    let rest = text.get(from..).unwrap_or_default();
    let body = rest.trim_start_matches([' ', '\t']);
    let spaced = body.len() < rest.len();
    let start = from + (rest.len() - body.len());
    let (kind, length) = match body.chars().next() {
        None => (Kind::End, 0),
        Some('(') => (Kind::Open, 1),
        Some(')') => (Kind::Close, 1),
        Some('[') => (Kind::OpenBracket, 1),
        Some(']') => (Kind::CloseBracket, 1),
        Some('"') => string(body, start)?,
        Some(_) => {
            let end = body.find([' ', '\t', '"', '(', ')', '[', ']']).unwrap_or(body.len());
            (Kind::Word(body.get(..end).unwrap_or_default()), end)
        }
    };
    let spaced = spaced || kind == Kind::End;
    Ok(Token { kind, span: Span { start, end: start + length }, spaced })
}

/// A JSON string at the start of `body` (RFC 8259 section 7) and its length.
fn string(body: &str, start: usize) -> Result<(Kind<'_>, usize), SyntaxError> {
    let mut escaped = false;
    for (i, c) in body.char_indices().skip(1) {
        match c {
            '\0'..='\x1f' => {
                let message = format!(
                    "a string cannot hold the control character U+{:04X} as it is; write `\\u{:04x}`",
                    c as u32, c as u32
                );
                return Err(SyntaxError { at: start + i, message });
            }
            _ if escaped => {
                if !matches!(c, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u') {
                    let message = format!(
                        "expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, found {}; for a backslash itself write `\\\\`",
                        Shown(&format!("\\{c}"))
                    );
                    return Err(SyntaxError { at: start + i - 1, message });
                }
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => {
                let Some(decoded) = body.get(..=i).and_then(|raw| serde_json::from_str(raw).ok()) else {
                    let message = "the string holds a `\\u` that is not followed by four hexadecimal digits of a character \
                                   (surrogates only in pairs); write the character itself"
                        .to_owned();
                    return Err(SyntaxError { at: start, message });
                };
                return Ok((Kind::String(decoded), i + 1));
            }
            _ => {}
        }
    }
    let message = "the string that begins here has no end; write `\"` behind it, and `\\\"` for a quote within it".to_owned();
    Err(SyntaxError { at: start, message })
}

/// The column of a byte, from 1, in characters.
pub(super) fn column(text: &str, at: usize) -> usize {
    text.char_indices().take_while(|(i, _)| *i < at).count() + 1
}

/// An error that tells the column.
pub(super) fn error_at(scim_type: ScimType, label: &str, text: &str, at: usize, message: &str) -> ScimError {
    let message: String = message.chars().take(MESSAGE).collect();
    ScimError::new(scim_type, format!("{label}, column {}: {message}", column(text, at)))
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        for c in self.0.chars().take(SHOWN) {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        f.write_str(if self.0.chars().nth(SHOWN).is_some() { "…`" } else { "`" })
    }
}
