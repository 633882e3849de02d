//! What is wrong with a mapping, as data, and how it is shown.
//!
//! A diagnostic has a stable code, the place, the reason, and what to type instead.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::source::Span;

/// Whether the mapping can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but this is likely to hurt.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// The stable codes of diagnostics. A code is never given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it is printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the code means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML.
    YamlSyntax => "yaml-syntax",
    /// The document is larger or deeper than a mapping may be.
    YamlLimit => "yaml-limit",
    /// A key stands twice in one block.
    DuplicateKey => "duplicate-key",
    /// The first line does not name a version of the language that this program knows.
    Version => "version",
    /// A key has no meaning where it stands.
    UnknownKey => "unknown-key",
    /// A key that must be there is not.
    MissingKey => "missing-key",
    /// A list stands where a text is meant, or the like.
    WrongShape => "wrong-shape",
    /// A value is none of those that have a meaning here.
    BadValue => "bad-value",
    /// The base URL of the backend cannot be used.
    BadUrl => "bad-url",
    /// A secret is named that cannot be found.
    MissingSecret => "missing-secret",
    /// A secret stands in the mapping itself.
    LiteralSecret => "literal-secret",
    /// A schema is named that is neither built in nor declared under `schemas`.
    UnknownSchema => "unknown-schema",
    /// A declared schema breaks a rule of RFC 7643.
    BadSchema => "bad-schema",
    /// The schemas of the resource type have no attribute of that name.
    UnknownAttribute => "unknown-attribute",
    /// An attribute is mapped twice, or as a whole and in parts.
    DuplicateAttribute => "duplicate-attribute",
    /// An attribute line does not say enough, or contradicts itself.
    BadAttribute => "bad-attribute",
    /// A JSONPath is not RFC 9535.
    BadPath => "bad-path",
    /// A JSONPath that is written through may select more than one place.
    UnwritablePath => "unwritable-path",
    /// A template is not plain Handlebars.
    BadTemplate => "bad-template",
    /// A template names a variable that does not exist in its place.
    UnknownVariable => "unknown-variable",
    /// A converter or template helper is named that does not exist.
    UnknownConverter => "unknown-converter",
    /// A call is not a method and a path.
    BadCall => "bad-call",
    /// A filter line is not an attribute and an operator.
    BadFilter => "bad-filter",
    /// A writable attribute is in no body and no update call carries it.
    NotCarried => "attribute-not-carried",
    /// A change is made by a call that deletes, and does not say so.
    Destructive => "destructive-change",
    /// A look-up is named that is not declared under `lookups`, or declared and not used.
    UnknownLookup => "unknown-lookup",
    /// A resource type or relation is named that the mapping does not have.
    UnknownResource => "unknown-resource",
    /// A required attribute of the schema is not mapped.
    RequiredNotMapped => "required-not-mapped",
    /// A test does not say enough, or contradicts itself.
    BadTest => "bad-test",
    /// A name is none that XML can have.
    XmlName => "xml-name",
    /// A path takes for a list what XML may have as one element.
    XmlList => "xml-list",
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub span: Span,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to type instead.
    pub help: Option<String>,
}

/// The findings of one document.
#[derive(Debug, Clone)]
pub struct Report<'t> {
    /// The name of the document, as it is printed.
    pub file: &'t str,
    pub text: &'t str,
    pub diagnostics: &'t [Diagnostic],
}

// === impl Diagnostic ===

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, span, message: message.into(), help: None }
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// "did you mean", if one of the known words is near.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

// === impl Report ===

impl Report<'_> {
    /// Whether the document cannot be served.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// For people: the excerpt underlined, the reason, the advice.
    pub fn human(&self) -> String {
        let renderer = Renderer::plain();
        let text = self.masked();
        let mut out = String::new();
        for diagnostic in self.diagnostics {
            let (start, end) = self.clamp(diagnostic.span);
            let level = match diagnostic.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let snippet =
                Snippet::source(text.as_str()).path(self.file).annotation(AnnotationKind::Primary.span(start..end).label(""));
            let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
            let mut report = vec![title.element(snippet)];
            if let Some(help) = &diagnostic.help {
                report.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
            }
            out.push_str(&renderer.render(&report));
            out.push_str("\n\n");
        }
        out
    }

    /// For machines: an array of objects with file, line, column (both from 1, in characters), code, severity, message, help.
    pub fn json(&self) -> Value {
        self.diagnostics
            .iter()
            .map(|diagnostic| {
                let (line, column) = self.position(diagnostic.span.start);
                json!({
                    "file": self.file,
                    "line": line,
                    "column": column,
                    "code": diagnostic.code.as_str(),
                    "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
                    "message": diagnostic.message,
                    "help": diagnostic.help,
                })
            })
            .collect()
    }

    /// The text with asterisks over the secrets that stand in it.
    fn masked(&self) -> String {
        let secret = |diagnostic: &&Diagnostic| diagnostic.code == Code::LiteralSecret;
        let spans: Vec<Span> = self.diagnostics.iter().filter(secret).map(|diagnostic| diagnostic.span).collect();
        if spans.is_empty() {
            return self.text.to_owned();
        }
        let hidden = |at: usize| spans.iter().any(|span| (span.start..span.end).contains(&at));
        // As many bytes as before, so that all other places stay where they are.
        let over = |(at, c): (usize, char)| if hidden(at) && c != '\n' { "*".repeat(c.len_utf8()) } else { c.to_string() };
        self.text.char_indices().map(over).collect()
    }

    /// Line and column of a byte, both from 1.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte.min(self.text.len())).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The span within one line of the text, at least one character wide where there is one.
    fn clamp(&self, span: Span) -> (usize, usize) {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.find('\n').map_or(self.text.len(), |newline| start + newline);
        let mut end = span.end.clamp(start, line.max(start));
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        (start, end.max(start))
    }
}
