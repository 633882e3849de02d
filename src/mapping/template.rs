//! Handlebars templates, lowered once when the mapping loads, and what may be written with them.
//!
//! Only plain variables and converters as helpers are in the language: no blocks, no partials, no `{{{raw}}}`. Text
//! from a client or a backend goes into a URL or header through the one function for that sink, which escapes it.

use std::borrow::Cow;

use handlebars::template::{Parameter, Template as Parsed, TemplateElement};
use handlebars::{Path, PathSeg};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::convert::{Converter, number_text};
use super::path::{Step, follow};
use crate::scim::Object;

/// A text with variables in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Literal(String),
    Variable(Variable),
}

/// A variable, where its value comes from and how it is formatted.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub text: String,
    pub root: Root,
    pub steps: Vec<Step>,
    /// The helper around the variable, if there is one.
    pub format: Option<Converter>,
}

/// Where a variable begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// The id of the resource as SCIM has it.
    Id,
    /// The id of the resource as the backend has it.
    Key,
    /// The backend's present record of the resource.
    Record,
    /// The value that a filter compares with.
    Value,
    /// The key of one member.
    Member,
    /// The keys of several members, a list.
    Members,
    /// The answer of the backend, in the detail of an error.
    Body,
    /// The name of a field in a query language.
    Field,
    /// The first of two expressions in a query language.
    Left,
    /// The second of two expressions.
    Right,
    /// The one expression that is negated.
    Operand,
    /// A whole expression of a query language.
    Expression,
    /// What the attribute map writes, an object.
    Fields,
    /// The bodies of several creations, a list.
    Records,
    /// The version of the resource as the backend told it.
    Version,
    /// Where a page of a list begins: its number, the rows before it, or a cursor.
    Start,
    /// How many rows a page of a list holds.
    Size,
    /// The backend's record of a member.
    MemberRecord,
    /// The row of the list of members that is about a member.
    Membership,
    /// A value that an earlier call of the same request gave.
    Kept(String),
    /// An attribute of the resource as the client wants it.
    Attribute { extension: Option<String>, name: String },
}

/// The values that the variables of a call have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'v> {
    pub id: Option<&'v Value>,
    pub key: Option<&'v Value>,
    pub record: Option<&'v Value>,
    pub value: Option<&'v Value>,
    pub member: Option<&'v Value>,
    pub members: Option<&'v Value>,
    pub body: Option<&'v Value>,
    pub field: Option<&'v Value>,
    pub left: Option<&'v Value>,
    pub right: Option<&'v Value>,
    pub operand: Option<&'v Value>,
    pub expression: Option<&'v Value>,
    pub fields: Option<&'v Value>,
    pub records: Option<&'v Value>,
    pub version: Option<&'v Value>,
    pub start: Option<&'v Value>,
    pub size: Option<&'v Value>,
    pub member_record: Option<&'v Value>,
    pub membership: Option<&'v Value>,
    pub kept: Option<&'v Object>,
    pub resource: Option<&'v Object>,
}

/// A template that cannot be written with the values at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("`{{{{{0}}}}}` has no value here")]
    Missing(String),
    #[error("`{{{{{0}}}}}` is a list or an object, not a text")]
    NotText(String),
    #[error("a segment of the path would be empty, `.` or `..`")]
    Segment,
    #[error("`{{{{{0}}}}}` holds a line break, a letter beyond ASCII or a blank at its end, which a header cannot carry")]
    Header(String),
    /// Not what it is: the value may be anybody's, and this text gets into logs.
    #[error("the value of `{{{{{0}}}}}` is not what its format takes")]
    Format(String),
    #[error("the body cannot be written as XML: {0}")]
    Xml(String),
    /// A value of the member or element of that name.
    #[error("`{0}` holds a control character, which XML has no form for")]
    Character(String),
}

/// The characters that stay as they are in a path segment or query (RFC 3986 section 2.3, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Gives a variable its place by its name segments; the error is for a person.
pub type Resolve<'r> = dyn FnMut(&[String]) -> Result<(Root, Vec<Step>), String> + 'r;

/// Reads a template. `resolve` gives a variable its place by its name segments; the error is for a person.
pub fn parse(text: &str, resolve: &mut Resolve<'_>) -> Result<Template, String> {
    if !text.contains("{{") {
        return Ok(Template::literal(text));
    }
    if text.contains("{{~") || text.contains("~}}") {
        return Err("`~` is not in the language: write `{{name}}`, and only the blanks that you mean".to_owned());
    }
    let parsed = Parsed::compile(text).map_err(|_| {
        if text.matches("{{").count() > text.matches("}}").count() {
            "`{{` has no `}}`".to_owned()
        } else {
            "between `{{` and `}}` stands one name, such as `record.rev`".to_owned()
        }
    })?;
    let mut parts = Vec::new();
    for element in &parsed.elements {
        match element {
            // `\{{` comes as a piece of its own.
            TemplateElement::RawString(literal) => match parts.last_mut() {
                Some(Part::Literal(before)) => before.push_str(literal),
                _ => parts.push(Part::Literal(literal.clone())),
            },
            TemplateElement::Expression(expression) if !expression.block && expression.hash.is_empty() => {
                parts.push(Part::Variable(variable(&expression.name, &expression.params, resolve)?));
            }
            TemplateElement::HtmlExpression(_) => {
                return Err("`{{{raw}}}` is not in the language: write `{{name}}`, it is escaped for its place".to_owned());
            }
            // A comment would take the line break behind it along.
            TemplateElement::Comment(_) => {
                return Err("comments are not in the language: YAML has its own, behind `#`".to_owned());
            }
            _ => {
                return Err(
                    "only plain variables such as `{{key}}` and formats such as `{{epochSeconds value}}` are in the language"
                        .to_owned(),
                );
            }
        }
    }
    Ok(Template { parts })
}

fn variable(name: &Parameter, params: &[Parameter], resolve: &mut Resolve<'_>) -> Result<Variable, String> {
    let plain = |parameter: &Parameter| -> Result<Vec<String>, String> {
        match parameter {
            Parameter::Name(name) => Ok(vec![name.clone()]),
            Parameter::Path(Path::Relative((segments, raw))) => {
                let other = || format!("`{raw}` is not a plain variable: write names with dots between them");
                let names: Vec<String> = segments
                    .iter()
                    .map(|segment| match segment {
                        PathSeg::Named(name) => Ok(name.clone()),
                        _ => Err(other()),
                    })
                    .collect::<Result<_, _>>()?;
                // Handlebars also takes `record/rev` and `this.key`. `[first name]` is a name with a blank in it.
                if raw.contains('[') || *raw == names.join(".") { Ok(names) } else { Err(other()) }
            }
            _ => Err("a variable is a name such as `key` or `record.rev`".to_owned()),
        }
    };
    let (format, path) = match params {
        [] => (None, plain(name)?),
        [argument] => {
            let helper = plain(name)?.join(".");
            let Some(converter) = Converter::named(&helper) else {
                let known: Vec<&str> =
                    super::convert::NAMES.into_iter().filter(|name| Converter::named(name).is_some()).collect();
                return Err(format!("`{helper}` is not a format: there are {}", known.join(", ")));
            };
            (Some(converter), plain(argument)?)
        }
        _ => return Err("a format takes one variable, as in `{{epochSeconds value}}`".to_owned()),
    };
    let (root, steps) = resolve(&path)?;
    Ok(Variable { text: path.join("."), root, steps, format })
}

/// The texts of a list, one after the other.
fn sentences(items: &[Value]) -> String {
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

// === impl Template ===

impl Template {
    /// A template without variables.
    pub fn literal(text: &str) -> Self {
        Self { parts: if text.is_empty() { Vec::new() } else { vec![Part::Literal(text.to_owned())] } }
    }

    /// A template of these pieces.
    pub const fn of(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Its text, if it has no variables.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All its variables.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        })
    }

    /// The template with some of its variables as they are written, for people: `{{record.rev}}`.
    #[must_use]
    pub fn standing(&self, stands: &dyn Fn(&Variable) -> bool) -> Self {
        let parts = self.parts.iter().map(|part| match part {
            Part::Variable(variable) if stands(variable) => Part::Literal(format!("{{{{{}}}}}", variable.text)),
            part => part.clone(),
        });
        Self { parts: parts.collect() }
    }

    /// As plain text, for a person or a JSON string.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        self.write(scope, |out, _, text| {
            out.push_str(text);
            Ok(())
        })
    }

    /// As the value of a query or form parameter, not yet escaped: its serialiser does that.
    pub fn parameter(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        self.text(scope)
    }

    /// As one segment of a path.
    pub fn segment(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        let text = self.write(scope, |out, _, text| {
            out.extend(utf8_percent_encode(text, RESERVED));
            Ok(())
        })?;
        if matches!(text.as_str(), "" | "." | "..") { Err(RenderError::Segment) } else { Ok(text) }
    }

    /// As the value of a header.
    pub fn header(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        self.write(scope, |out, variable, text| {
            // RFC 9110 section 5.5: blanks around a value are not part of it, and what lies beyond ASCII has no one reading:
            // it would arrive as another value.
            if text.contains(|c| !matches!(c, ' '..='~' | '\t')) || text.trim() != text {
                return Err(RenderError::Header(variable.text.clone()));
            }
            out.push_str(text);
            Ok(())
        })
    }

    /// As a JSON value: a template that is one variable keeps the type of its value, any other is a string.
    pub fn json(&self, scope: &Scope<'_>) -> Result<Value, RenderError> {
        match self.parts.as_slice() {
            [Part::Variable(variable)] => variable.value(scope).map(Cow::into_owned),
            _ => self.text(scope).map(Value::from),
        }
    }

    fn write(
        &self,
        scope: &Scope<'_>,
        mut sink: impl FnMut(&mut String, &Variable, &str) -> Result<(), RenderError>,
    ) -> Result<String, RenderError> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Variable(variable) => {
                    let value = variable.value(scope)?;
                    let text: Cow<'_, str> = match value.as_ref() {
                        Value::String(text) => Cow::Borrowed(text),
                        Value::Number(number) => Cow::Owned(number_text(number)),
                        Value::Bool(true) => Cow::Borrowed("true"),
                        Value::Bool(false) => Cow::Borrowed("false"),
                        Value::Null => return Err(RenderError::Missing(variable.text.clone())),
                        // What an answer says for people: Rails has a list of sentences there.
                        Value::Array(items) if variable.root == Root::Body => Cow::Owned(sentences(items)),
                        Value::Array(_) | Value::Object(_) => return Err(RenderError::NotText(variable.text.clone())),
                    };
                    sink(&mut out, variable, &text)?;
                }
            }
        }
        Ok(out)
    }
}

// === impl Variable ===

impl Variable {
    /// A value that is kept under a name.
    pub fn kept(name: &str) -> Self {
        Self { text: name.to_owned(), root: Root::Kept(name.to_owned()), steps: Vec::new(), format: None }
    }

    /// The value in a scope.
    pub fn value<'v>(&self, scope: &Scope<'v>) -> Result<Cow<'v, Value>, RenderError> {
        let root = match &self.root {
            Root::Id => scope.id,
            Root::Key => scope.key,
            Root::Record => scope.record,
            Root::Value => scope.value,
            Root::Member => scope.member,
            Root::Members => scope.members,
            Root::Body => scope.body,
            Root::Field => scope.field,
            Root::Left => scope.left,
            Root::Right => scope.right,
            Root::Operand => scope.operand,
            Root::Expression => scope.expression,
            Root::Fields => scope.fields,
            Root::Records => scope.records,
            Root::Version => scope.version,
            Root::Start => scope.start,
            Root::Size => scope.size,
            Root::MemberRecord => scope.member_record,
            Root::Membership => scope.membership,
            Root::Kept(name) => scope.kept.and_then(|kept| kept.get(name)),
            Root::Attribute { extension, name } => scope.resource.and_then(|resource| match extension {
                Some(uri) => resource.get(uri)?.get(name),
                None => resource.get(name),
            }),
        };
        let found = root.and_then(|root| follow(root, &self.steps)).ok_or_else(|| RenderError::Missing(self.text.clone()))?;
        match &self.format {
            None => Ok(Cow::Borrowed(found)),
            Some(converter) => converter.write(found.clone()).map(Cow::Owned).map_err(|_| RenderError::Format(self.text.clone())),
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
