//! Tokens to expressions: precedence climbing, grouping over `not` over `and` over `or`.
//!
//! Recursion happens at `(` and `[` only and is bounded by [`limits::FILTER_DEPTH`] before it happens.

use super::advice;
use super::ast::{CompareOp, Expr, Filter, Literal, Span};
use super::lexer::{Kind, SyntaxError, Token, error_at, token};
use super::literal::{is_bare_word, literal, value_advice};
use super::patch_path::PatchPath;
use crate::limits;
use crate::scim::error::{ScimError, ScimType};
use crate::scim::path::{AttrPath, is_attr_name};
use crate::scim::profile::Profile;

/// What a condition ended with, for the advice on what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Last<'t> {
    Pr,
    BareWord(&'t str),
    ValuePath,
    Other,
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    profile: &'t Profile,
    pub(super) token: Token<'t>,
    depth: usize,
    terms: usize,
    pub(super) last: Last<'t>,
    /// The first byte within the brackets, while the parser is there.
    within: Option<usize>,
}

/// Reads a filter (RFC 7644 section 3.4.2.2).
pub fn parse(text: &str, profile: &Profile) -> Result<Filter, ScimError> {
    const LABEL: &str = "Filter";
    check_length(text, LABEL, ScimType::InvalidFilter)?;
    let expr = Parser::new(text, profile)
        .and_then(|mut parser| parser.filter())
        .map_err(|error| error_at(ScimType::InvalidFilter, LABEL, text, error.at, &error.message))?;
    Ok(Filter { text: text.to_owned(), expr })
}

/// Reads the path of a PATCH operation (RFC 7644 section 3.5.2).
///
/// An error is `invalidPath`, but `invalidFilter` for what stands within the brackets: Table 9 has that keyword for
/// "PATCH (Path Filter)" too.
pub fn parse_path(text: &str, profile: &Profile) -> Result<PatchPath, ScimError> {
    const LABEL: &str = "Path";
    check_length(text, LABEL, ScimType::InvalidPath)?;
    let mut parser =
        Parser::new(text, profile).map_err(|error| error_at(ScimType::InvalidPath, LABEL, text, error.at, &error.message))?;
    parser.path().map_err(|error| {
        // `emails[]`, `emails[0]` and a bracket without end are malformed as paths.
        let scim_type = match parser.within {
            Some(first) if error.at > first && parser.token.kind != Kind::End => ScimType::InvalidFilter,
            _ => ScimType::InvalidPath,
        };
        error_at(scim_type, LABEL, text, error.at, &error.message)
    })
}

fn check_length(text: &str, label: &str, scim_type: ScimType) -> Result<(), ScimError> {
    if text.len() > limits::FILTER_BYTES {
        let (length, limit) = (text.len(), limits::FILTER_BYTES);
        let message = format!("{label} has {length} bytes, more than {limit}; ask for less in one request");
        return Err(ScimError::new(scim_type, message));
    }
    Ok(())
}

// === impl Parser ===

impl<'t> Parser<'t> {
    fn new(text: &'t str, profile: &'t Profile) -> Result<Self, SyntaxError> {
        let token = token(text, 0)?;
        Ok(Self { text, profile, token, depth: 0, terms: 0, last: Last::Other, within: None })
    }

    fn advance(&mut self) -> Result<Token<'t>, SyntaxError> {
        let next = token(self.text, self.token.span.end)?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn filter(&mut self) -> Result<Expr, SyntaxError> {
        if self.token.kind == Kind::End {
            return Err(self.error("the filter is empty; write a condition, as in `userName eq \"bjensen\"`, or leave it out"));
        }
        let expr = self.disjunction()?;
        if self.token.kind == Kind::End { Ok(expr) } else { Err(self.after_condition("the end")) }
    }

    fn path(&mut self) -> Result<PatchPath, SyntaxError> {
        let text = self.text.to_owned();
        let at = self.token.span;
        let Kind::Word(word) = self.token.kind else {
            return Err(match self.token.kind {
                Kind::End => self.error("the path is empty; leave `path` out to name the resource itself"),
                _ => self.expected("an attribute name, as in `emails[type eq \"work\"].value`", None),
            });
        };
        let path = self.attr_path(word)?;
        self.advance()?;
        match self.token.kind {
            Kind::End => Ok(PatchPath { path, filter: None, sub: None, text }),
            Kind::OpenBracket => {
                let filter = self.brackets(&path)?;
                let sub = match self.token.kind {
                    Kind::Word(word) if !self.token.spaced && word.starts_with('.') => Some(self.sub_attribute(word)?),
                    _ => None,
                };
                match self.token.kind {
                    Kind::End => Ok(PatchPath { path, filter: Some(filter), sub, text }),
                    Kind::OpenBracket => Err(self
                        .expected("the end", Some("a path has one filter; join the conditions within it with `and`".to_owned()))),
                    Kind::Word(word) if sub.is_none() && is_attr_name(word) => {
                        Err(self.expected("`.` and a sub-attribute or the end", Some(format!("write `.{word}`"))))
                    }
                    _ if sub.is_none() => Err(self.expected("`.` and a sub-attribute or the end", None)),
                    _ => Err(self.expected("the end", None)),
                }
            }
            // Erratum 7122: a condition as a path is the only way to name a value of a simple multi-valued attribute.
            Kind::Word(_) => {
                let inner =
                    AttrPath::parse(path.sub().unwrap_or("value")).ok_or_else(|| self.expected("an attribute name", None))?;
                let filter = self.comparison(inner, at)?;
                if self.token.kind != Kind::End {
                    return Err(self.expected(
                        "the end",
                        Some(
                            "several conditions go into brackets, as in `emails[type eq \"work\" and primary eq true]`"
                                .to_owned(),
                        ),
                    ));
                }
                let attribute = path.sub().and_then(|sub| path.as_str().strip_suffix(sub)?.strip_suffix('.'));
                let path = match attribute {
                    Some(attribute) => AttrPath::parse(attribute).unwrap_or(path),
                    None => path,
                };
                Ok(PatchPath { path, filter: Some(filter), sub: None, text })
            }
            _ => Err(self.expected("`[`, `.` or the end", None)),
        }
    }

    fn disjunction(&mut self) -> Result<Expr, SyntaxError> {
        let mut expr = self.conjunction()?;
        while self.connective("or")? {
            expr = expr.or(self.conjunction()?);
        }
        Ok(expr)
    }

    fn conjunction(&mut self) -> Result<Expr, SyntaxError> {
        let mut expr = self.primary()?;
        while self.connective("and")? {
            expr = expr.and(self.primary()?);
        }
        Ok(expr)
    }

    /// Takes `and` or `or` if it comes next, with the blanks that the grammar wants on both sides.
    fn connective(&mut self, keyword: &str) -> Result<bool, SyntaxError> {
        match self.token.kind {
            Kind::Word(word) if word.eq_ignore_ascii_case(keyword) => {}
            _ => return Ok(false),
        }
        if !self.token.spaced {
            return Err(self.error(&format!("expected a blank before `{keyword}`")));
        }
        self.advance()?;
        if !self.token.spaced {
            return Err(self.error(&format!("expected a blank after `{keyword}`")));
        }
        Ok(true)
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        match self.token.kind {
            Kind::Open => self.group(),
            Kind::Word(word) if word.eq_ignore_ascii_case("not") && self.open_follows() => {
                self.advance()?;
                Ok(Expr::Not(Box::new(self.group()?)))
            }
            Kind::Word(word) => self.condition(word),
            Kind::String(_) => {
                let advice = "the attribute comes first, as in `userName eq \"bjensen\"`".to_owned();
                Err(self.expected("an attribute name", Some(advice)))
            }
            Kind::OpenBracket => {
                let advice = "brackets follow an attribute, as in `emails[type eq \"work\"]`".to_owned();
                Err(self.expected("an attribute name", Some(advice)))
            }
            _ => Err(self.expected("a condition, as in `userName eq \"bjensen\"`", None)),
        }
    }

    /// `not` is a keyword before a parenthesis only; elsewhere it could be a name.
    fn open_follows(&self) -> bool {
        let rest = self.text.get(self.token.span.end..).unwrap_or_default();
        rest.trim_start_matches([' ', '\t']).starts_with('(')
    }

    fn group(&mut self) -> Result<Expr, SyntaxError> {
        self.deeper()?;
        self.advance()?;
        let expr = self.disjunction()?;
        if self.token.kind != Kind::Close {
            return Err(self.after_condition("`)`"));
        }
        self.depth -= 1;
        self.advance()?;
        self.last = Last::Other;
        Ok(expr)
    }

    fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > limits::FILTER_DEPTH {
            return Err(self.error(&format!(
                "parentheses and brackets are nested more than {} deep; leave out those that change nothing",
                limits::FILTER_DEPTH
            )));
        }
        Ok(())
    }

    fn condition(&mut self, word: &'t str) -> Result<Expr, SyntaxError> {
        let at = self.token.span;
        let path = self.attr_path(word)?;
        self.advance()?;
        if self.token.kind == Kind::OpenBracket { self.value_path(path, at) } else { self.comparison(path, at) }
    }

    fn value_path(&mut self, path: AttrPath, at: Span) -> Result<Expr, SyntaxError> {
        let outer = self.within;
        let mut filter = self.brackets(&path)?;
        self.within = outer;
        self.last = Last::ValuePath;
        if let Kind::Word(word) = self.token.kind {
            let instead = || format!("write `{path}[{filter} and value eq …]`");
            if !self.token.spaced && word.starts_with('.') {
                // Not in the RFC's grammar, but Entra ID looks its users up this way.
                if !self.profile.compare_after_value_path {
                    return Err(
                        self.expected("`and`, `or` or the end", Some(instead().replace("value", word.trim_start_matches('.'))))
                    );
                }
                let at = self.token.span;
                let sub = self.sub_attribute(word)?;
                let inner = AttrPath::parse(&sub).ok_or_else(|| self.expected("a sub-attribute", None))?;
                filter = filter.and(self.comparison(inner, at)?);
            } else if CompareOp::parse(word).is_some() || word.eq_ignore_ascii_case("pr") {
                let advice = format!("the brackets are a condition already; to compare a sub-attribute as well {}", instead());
                return Err(self.expected("`and`, `or` or the end", Some(advice)));
            }
        }
        Ok(Expr::ValuePath { path, filter: Box::new(filter), at })
    }

    /// `[ … ]` behind a path. What comes before `]` is an expression without brackets of its own (errata 4690, 7322).
    fn brackets(&mut self, path: &AttrPath) -> Result<Expr, SyntaxError> {
        if self.within.is_some() {
            return Err(self.expected("an operator", Some("brackets cannot stand within brackets".to_owned())));
        }
        if self.token.spaced {
            return Err(self.error(&format!("expected no blank between `{path}` and `[`")));
        }
        self.deeper()?;
        let first = token(self.text, self.token.span.end).map_or(self.token.span.end, |token| token.span.start);
        self.within = Some(first);
        self.advance()?;
        if let Kind::Word(word) = self.token.kind
            && word.chars().all(|c| c.is_ascii_digit())
        {
            let advice = format!("values have no index; name one by its content, as in `{path}[type eq \"work\"]`");
            return Err(self.expected("a condition", Some(advice)));
        }
        let filter = self.disjunction()?;
        if self.token.kind != Kind::CloseBracket {
            return Err(self.after_condition("`]`"));
        }
        self.depth -= 1;
        self.advance()?;
        self.within = None;
        Ok(filter)
    }

    /// `.name` behind `]`.
    fn sub_attribute(&mut self, word: &str) -> Result<String, SyntaxError> {
        let name = word.strip_prefix('.').unwrap_or(word);
        if !is_attr_name(name) {
            return Err(self.expected("`.` and the name of one sub-attribute, as in `.value`", None));
        }
        self.advance()?;
        Ok(name.to_owned())
    }

    /// The operator and the value behind a path.
    fn comparison(&mut self, path: AttrPath, at: Span) -> Result<Expr, SyntaxError> {
        self.terms += 1;
        if self.terms > limits::FILTER_TERMS {
            let message = format!("the filter has more than {} comparisons; ask for less in one request", limits::FILTER_TERMS);
            return Err(SyntaxError { at: at.start, message });
        }
        let Kind::Word(word) = self.token.kind else { return Err(self.no_operator(&path)) };
        if word.eq_ignore_ascii_case("pr") {
            self.advance()?;
            self.last = Last::Pr;
            return Ok(Expr::Present { path, at });
        }
        let Some(op) = CompareOp::parse(word) else { return Err(self.no_operator(&path)) };
        self.advance()?;
        let value_at = self.token.span;
        let value = self.value(op)?;
        Ok(Expr::Compare { path, op, value, at, value_at })
    }

    fn value(&mut self, op: CompareOp) -> Result<Literal, SyntaxError> {
        const EXPECTED: &str = "a value (a string in double quotes, a number, true, false or null)";
        if !self.token.spaced {
            return Err(self.expected(&format!("a blank and {EXPECTED} after `{op}`"), None));
        }
        self.last = Last::Other;
        let word = match &mut self.token.kind {
            Kind::String(text) => {
                let text = std::mem::take(text);
                self.advance()?;
                return Ok(Literal::String(text));
            }
            Kind::Word(word) => *word,
            _ => return Err(self.expected(&format!("{EXPECTED} after `{op}`"), None)),
        };
        let literal = match literal(word) {
            Some(literal) => literal,
            None if self.profile.bare_words && is_bare_word(word) => {
                if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
                    Literal::Boolean(word.eq_ignore_ascii_case("true"))
                } else {
                    self.last = Last::BareWord(word);
                    Literal::String(word.to_owned())
                }
            }
            None => return Err(self.expected(EXPECTED, Some(value_advice(word)))),
        };
        self.advance()?;
        Ok(literal)
    }

    fn attr_path(&self, word: &str) -> Result<AttrPath, SyntaxError> {
        AttrPath::parse(word).ok_or_else(|| {
            let (offset, message) = advice::attribute_path(word);
            SyntaxError { at: self.token.span.start + offset, message }
        })
    }
}
