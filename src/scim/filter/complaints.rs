//! What the parser says: what was expected, what was found, what to type instead.

use super::advice;
use super::ast::CompareOp;
use super::lexer::{Kind, Shown, SyntaxError};
use super::parser::{Last, Parser};
use crate::scim::path::AttrPath;

// === impl Parser ===

impl Parser<'_> {
    pub(super) fn error(&self, message: &str) -> SyntaxError {
        SyntaxError { at: self.token.span.start, message: message.to_owned() }
    }

    fn found(&self) -> String {
        match self.token.kind {
            Kind::End => "the end".to_owned(),
            _ => Shown(self.text.get(self.token.span.start..self.token.span.end).unwrap_or_default()).to_string(),
        }
    }

    pub(super) fn expected(&self, what: &str, advice: Option<String>) -> SyntaxError {
        let advice = advice.map_or_else(String::new, |advice| format!("; {advice}"));
        self.error(&format!("expected {what}, found {}{advice}", self.found()))
    }

    pub(super) fn no_operator(&self, path: &AttrPath) -> SyntaxError {
        let name = path.as_str();
        let keyword = CompareOp::parse(name).is_some() || name.eq_ignore_ascii_case("pr");
        let joins = name.eq_ignore_ascii_case("and") || name.eq_ignore_ascii_case("or");
        let advice = match self.token.kind {
            _ if joins => Some(format!("`{name}` stands between two conditions")),
            _ if name.eq_ignore_ascii_case("not") => Some("`not` wants parentheses: write `not (title pr)`".to_owned()),
            Kind::String(_) if keyword => Some(format!("write an attribute before `{name}`")),
            Kind::Word("not" | "NOT" | "Not") => {
                Some(format!("`not` stands before a condition in parentheses: write `not ({name} …)`"))
            }
            Kind::Word(word) => advice::operator(word).map(|op| format!("write `{op}`")),
            Kind::String(_) => Some(format!("write `{name} eq {}`", self.found().trim_matches('`'))),
            Kind::End => Some(format!("write `{name} pr` to ask whether it has a value")),
            _ => None,
        };
        self.expected(&format!("an operator ({}) after {}", advice::operators(), Shown(name)), advice)
    }

    /// What follows a complete condition is neither a connective nor the expected closer.
    pub(super) fn after_condition(&self, closer: &str) -> SyntaxError {
        let advice = match (&self.token.kind, self.last) {
            (Kind::Close, _) => Some("no `(` belongs to it".to_owned()),
            (Kind::CloseBracket, _) => Some("no `[` belongs to it".to_owned()),
            (Kind::Word(word), _) if advice::connective(word).is_some() => {
                advice::connective(word).map(|meant| format!("write `{meant}`"))
            }
            (Kind::End, _) => None,
            (Kind::Word(_) | Kind::String(_), Last::Pr) => Some("`pr` takes no value".to_owned()),
            (Kind::Word(word), Last::BareWord(bare)) => Some(format!("a value with blanks wants quotes: `\"{bare} {word}\"`")),
            (Kind::Word(_), Last::ValuePath) if !self.token.spaced => Some("write a blank and `and` or `or`".to_owned()),
            _ => Some("two conditions are joined by `and` or `or`".to_owned()),
        };
        self.expected(&format!("`and`, `or` or {closer}"), advice)
    }
}
