//! Query languages as a backend reads them: a parser each, and one evaluator. What is not in the language is an error, so
//! that a text which ends too early shows.

use serde_json::Value;

/// An expression, however it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test(String, &'static str, Value),
}

/// A query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    OData,
    Rsql,
    Ldap,
    Json,
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::OData, Self::Rsql, Self::Ldap, Self::Json];

    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::OData => "$filter",
            Self::Rsql => "q",
            Self::Ldap => "search",
            Self::Json => "where",
        }
    }

    pub(crate) fn parse(self, text: &str) -> Result<Expr, String> {
        if self == Self::Json {
            return json(&serde_json::from_str(text).map_err(|error| error.to_string())?);
        }
        let mut parser = Parser { text, rest: text };
        let expr = match self {
            Self::OData => parser.odata_or()?,
            Self::Rsql => parser.rsql_or()?,
            _ => parser.ldap()?,
        };
        if parser.rest.is_empty() { Ok(expr) } else { Err(parser.error("the end")) }
    }
}

/// The values of a field of a record.
pub(crate) fn field<'r>(record: &'r Value, name: &str) -> Vec<&'r Value> {
    let found: Vec<&Value> = match name {
        "mail" => record["mails"].as_array().map(|mails| mails.iter().map(|mail| &mail["address"]).collect()).unwrap_or_default(),
        "kind" => record["mails"].as_array().map(|mails| mails.iter().map(|mail| &mail["kind"]).collect()).unwrap_or_default(),
        name => vec![&record[name]],
    };
    found.into_iter().filter(|value| !value.is_null() && **value != "").collect()
}

/// Whether a value of the record compares so: `ext` with regard to case, all other texts without.
pub(crate) fn holds(record: &Value, name: &str, op: &str, operand: &Value) -> bool {
    let fold = |text: &str| -> String {
        if name == "ext" { text.to_owned() } else { text.chars().flat_map(char::to_lowercase).collect() }
    };
    let one = |value: &Value| match (value, operand) {
        (Value::String(a), Value::String(b)) => {
            let (a, b) = (fold(a), fold(b));
            match op {
                "eq" => a == b,
                "co" => a.contains(&b),
                "sw" => a.starts_with(&b),
                "ew" => a.ends_with(&b),
                "gt" => a > b,
                "ge" => a >= b,
                "lt" => a < b,
                "le" => a <= b,
                other => panic!("{other}"),
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_i64().unwrap(), b.as_i64().unwrap());
            match op {
                "eq" => a == b,
                "gt" => a > b,
                "ge" => a >= b,
                "lt" => a < b,
                "le" => a <= b,
                other => panic!("{other}"),
            }
        }
        _ => false,
    };
    let values = field(record, name);
    match op {
        "pr" => !values.is_empty(),
        "ne" => !holds(record, name, "eq", operand),
        _ => values.into_iter().any(one),
    }
}

impl Expr {
    pub(crate) fn matches(&self, record: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(record)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(record)),
            Self::Not(part) => !part.matches(record),
            Self::Test(name, op, value) => holds(record, name, op, value),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl Parser<'_> {
    fn error(&self, wanted: &str) -> String {
        format!("{wanted} is missing at `{}` of `{}`", self.rest, self.text)
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.error(token)) }
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err(self.error("a name")) } else { Ok(name.to_owned()) }
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        let number = number.parse::<i64>().ok()?;
        self.rest = rest;
        Some(Value::from(number))
    }

    // === OData ===

    fn odata_or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.odata_and()?];
        while self.take(" or ") {
            parts.push(self.odata_and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn odata_and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.odata_one()?];
        while self.take(" and ") {
            parts.push(self.odata_one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn odata_one(&mut self) -> Result<Expr, String> {
        let negated = self.take("not ");
        if self.take("(") {
            let inner = self.odata_or()?;
            self.need(")")?;
            return Ok(if negated { Expr::Not(Box::new(inner)) } else { inner });
        }
        for (function, op) in [("contains(", "co"), ("startswith(", "sw"), ("endswith(", "ew")] {
            if self.take(function) {
                let name = self.name()?;
                self.need(",")?;
                let value = self.odata_value()?;
                self.need(")")?;
                return Ok(Expr::Test(name, op, value));
            }
        }
        let name = self.name()?;
        if self.take(" ne null") {
            return Ok(Expr::Test(name, "pr", Value::Null));
        }
        for op in ["eq", "ne", "gt", "ge", "lt", "le"] {
            if self.take(&format!(" {op} ")) {
                return Ok(Expr::Test(name, op, self.odata_value()?));
            }
        }
        Err(self.error("an operator"))
    }

    fn odata_value(&mut self) -> Result<Value, String> {
        if !self.take("'") {
            return self.number().ok_or_else(|| self.error("a value"));
        }
        let mut text = String::new();
        loop {
            let Some((before, rest)) = self.rest.split_once('\'') else { return Err(self.error("'")) };
            text.push_str(before);
            self.rest = rest;
            if !self.take("'") {
                return Ok(Value::from(text));
            }
            text.push('\'');
        }
    }

    // === RSQL ===

    fn rsql_or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.rsql_and()?];
        while self.take(",") {
            parts.push(self.rsql_and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn rsql_and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.rsql_one()?];
        while self.take(";") {
            parts.push(self.rsql_one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn rsql_one(&mut self) -> Result<Expr, String> {
        let negated = self.take("!");
        if self.take("(") {
            let inner = self.rsql_or()?;
            self.need(")")?;
            return Ok(if negated { Expr::Not(Box::new(inner)) } else { inner });
        }
        let name = self.name()?;
        for (sign, op) in [("=gt=", "gt"), ("=ge=", "ge"), ("=lt=", "lt"), ("=le=", "le"), ("!=", "ne")] {
            if self.take(sign) {
                return Ok(Expr::Test(name, op, self.rsql_value()?));
            }
        }
        if self.take("=ex=true") {
            return Ok(Expr::Test(name, "pr", Value::Null));
        }
        self.need("==")?;
        let before = self.take("*");
        let value = self.rsql_value()?;
        let after = self.take("*");
        let op = match (before, after) {
            (true, true) => "co",
            (false, true) => "sw",
            (true, false) => "ew",
            (false, false) => "eq",
        };
        Ok(Expr::Test(name, op, value))
    }

    fn rsql_value(&mut self) -> Result<Value, String> {
        if !self.take("\"") {
            return self.number().ok_or_else(|| self.error("a value"));
        }
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next() {
                Some('"') => break,
                Some('\\') => text.push(characters.next().ok_or("a backslash at the end")?),
                Some(c) => text.push(c),
                None => return Err(self.error("\"")),
            }
        }
        self.rest = characters.as_str();
        Ok(Value::from(text))
    }

    // === LDAP ===

    fn ldap(&mut self) -> Result<Expr, String> {
        self.need("(")?;
        let expr = if self.take("&") {
            Expr::And(self.ldap_list()?)
        } else if self.take("|") {
            Expr::Or(self.ldap_list()?)
        } else if self.take("!") {
            Expr::Not(Box::new(self.ldap()?))
        } else {
            self.ldap_item()?
        };
        self.need(")")?;
        Ok(expr)
    }

    fn ldap_list(&mut self) -> Result<Vec<Expr>, String> {
        let mut parts = Vec::new();
        while self.rest.starts_with('(') {
            parts.push(self.ldap()?);
        }
        Ok(parts)
    }

    /// RFC 4515 section 3: in a value `*`, `(`, `)`, `\` and NUL are escaped; a bare `*` is a wildcard.
    fn ldap_item(&mut self) -> Result<Expr, String> {
        let name = self.name()?;
        let op = if self.take(">=") {
            "ge"
        } else if self.take("<=") {
            "le"
        } else {
            self.need("=")?;
            "eq"
        };
        let end = self.rest.find(['(', ')', '\0']).ok_or_else(|| self.error(")"))?;
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut parts = vec![Vec::new()];
        let mut bytes = raw.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'*' => parts.push(Vec::new()),
                b'\\' => {
                    let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                    parts.last_mut().unwrap().push(u8::from_str_radix(&hex, 16).map_err(|error| error.to_string())?);
                }
                byte => parts.last_mut().unwrap().push(byte),
            }
        }
        let parts: Vec<String> = parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect();
        let value = |text: &str| {
            if name == "created" { Value::from(text.parse::<i64>().unwrap()) } else { Value::from(text) }
        };
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(match (op, parts.as_slice()) {
            (op, [text]) => Expr::Test(name.clone(), op, value(text)),
            ("eq", ["", ""]) => Expr::Test(name, "pr", Value::Null),
            ("eq", ["", text, ""]) => Expr::Test(name.clone(), "co", value(text)),
            ("eq", [text, ""]) => Expr::Test(name.clone(), "sw", value(text)),
            ("eq", ["", text]) => Expr::Test(name.clone(), "ew", value(text)),
            _ => return Err(self.error("an item without wildcards within")),
        })
    }
}

// === JSON ===

fn json(value: &Value) -> Result<Expr, String> {
    let object = value.as_object().filter(|object| object.len() == 1).ok_or(format!("not one condition: {value}"))?;
    let (name, value) = object.iter().next().unwrap();
    let all = |value: &Value| value.as_array().ok_or("not a list")?.iter().map(json).collect::<Result<Vec<_>, String>>();
    Ok(match name.as_str() {
        "$and" => Expr::And(all(value)?),
        "$or" => Expr::Or(all(value)?),
        "$not" => Expr::Not(Box::new(json(value)?)),
        name if name.starts_with('$') => return Err(format!("`{name}` is no operator")),
        name => match value {
            Value::Object(test) => {
                let (op, value) = test.iter().next().ok_or("an empty test")?;
                let op =
                    ["ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"].into_iter().find(|known| op == &format!("${known}"));
                Expr::Test(name.to_owned(), op.ok_or("no such operator")?, value.clone())
            }
            value => Expr::Test(name.to_owned(), "eq", value.clone()),
        },
    })
}

#[test]
fn the_parsers_read_what_the_languages_say() {
    let test = |name: &str, op, value: &str| Expr::Test(name.to_owned(), op, Value::from(value));
    let both = Expr::And(vec![test("login", "eq", "O'B"), test("surname", "co", "a*")]);
    let texts = [
        (Language::OData, r"(login eq 'O''B' and contains(surname,'a*'))"),
        (Language::Rsql, r#"(login=="O'B";surname==*"a*"*)"#),
        (Language::Ldap, r"(&(login=O'B)(surname=*a\2a*))"),
        (Language::Json, r#"{"$and":[{"login":"O'B"},{"surname":{"$co":"a*"}}]}"#),
    ];
    for (language, text) in texts {
        assert_eq!(language.parse(text).as_ref(), Ok(&both), "{text}");
        assert!(language.parse(&format!("{text})")).is_err(), "{text}");
    }
}
