//! Converters, and whether they lead to what the schema says.

use jiff::tz::TimeZone;
use serde_json::{Number, Value};

use super::field::{example, is_of};
use super::{Compiler, Keys};
use crate::limits;
use crate::mapping::convert::date::{DateForm, zone, zone_names};
use crate::mapping::convert::{self, Converter};
use crate::mapping::diagnostics::{Code, did_you_mean};
use crate::mapping::source::{Data, Entry, Node};
use crate::scim::compare::is_case_exact;
use crate::scim::schema::{Attribute, Type};

impl Compiler<'_> {
    /// `as` and `values` of a line. `many` where one text may hold several values.
    pub(super) fn converters(&mut self, keys: &Keys<'_>, leaf: &Attribute, writes: bool, many: bool) -> Option<Vec<Converter>> {
        let mut converters = Vec::new();
        if let Some(node) = keys.get("as") {
            let nodes = match &node.data {
                Data::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(node),
            };
            let exact = keys.get("caseExact").and_then(Node::scalar).and_then(|flag| flag.as_bool());
            let exact = exact.unwrap_or_else(|| is_case_exact(leaf));
            converters.extend(nodes.iter().map(|item| self.converter(item, leaf, exact)));
            for (index, (item, converter)) in nodes.iter().zip(&converters).enumerate() {
                if matches!(converter, Some(Converter::Split(_))) && !self.may_split(item, leaf, index, many) {
                    return None;
                }
            }
            self.lookup_is_last(nodes, &converters, keys)?;
            // The last one gives the SCIM value.
            let fits = match converters.last() {
                Some(Some(Converter::EpochMillis | Converter::EpochSeconds | Converter::Date(_))) => {
                    matches!(leaf.kind, Type::DateTime | Type::String)
                }
                Some(Some(Converter::Number { .. })) => matches!(leaf.kind, Type::Integer | Type::Decimal),
                // What the parts are is known by what they say.
                Some(Some(Converter::Split(_)) | None) | None => true,
                Some(Some(_)) => matches!(leaf.kind, Type::String | Type::Reference | Type::Binary),
            };
            if !fits && keys.get("values").is_none() {
                let (what, _) = example(leaf.kind);
                let help = match leaf.kind {
                    Type::Integer | Type::Decimal => "write `number` as the last one: `as: number`, or take `as` out",
                    Type::String | Type::Reference | Type::Binary => {
                        "take `as` out: a number there becomes a text by itself; `as: integer` writes it as a number again"
                    }
                    Type::DateTime => "write the form of the date: `as: { date: \"%d.%m.%Y\", zone: Europe/Prague }`",
                    _ => "take `as` out, or write the pairs: `values: { true: Y, false: N }`",
                };
                self.error(
                    Code::BadAttribute,
                    node.span,
                    format!("`{}` is {what} in SCIM, which this converter does not give", leaf.name),
                    help,
                );
                return None;
            }
        }
        if let Some(node) = keys.get("values") {
            converters.push(self.values(node, keys, leaf, writes).map(Converter::Values));
        }
        converters.into_iter().collect()
    }

    /// What stands behind a look-up would be for the name.
    fn lookup_is_last(&mut self, nodes: &[Node], converters: &[Option<Converter>], keys: &Keys<'_>) -> Option<()> {
        let place = converters.iter().position(|converter| matches!(converter, Some(Converter::Lookup { .. })));
        let Some((place, node)) = place.and_then(|place| Some((place, nodes.get(place)?))) else { return Some(()) };
        let problem = match keys.name {
            "id" => ("an id is not looked up by a name", "take `lookup` out"),
            _ if keys.get("values").is_some() => ("a name that is looked up has no `values`", "keep one of the two"),
            _ if keys.get("refers").is_some() => ("what refers to a resource is its id, not a name", "keep `lookup` or `refers`"),
            _ if place + 1 < converters.len() => {
                ("`lookup` comes last: what stands before it is for the id", "put it at the end of the list")
            }
            _ => return Some(()),
        };
        self.error(Code::BadAttribute, node.span, problem.0, problem.1);
        None
    }

    /// The place of a look-up in the document.
    fn lookup_named(&mut self, node: &Node) -> Option<usize> {
        let name = self.text(node)?;
        let found = self.lookups.iter().position(|known| known == name);
        match found {
            Some(_) => self.used_lookups.push(name.to_owned()),
            None => {
                let help = match did_you_mean(name, self.lookups.iter().map(String::as_str)) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!(
                        "describe it at the top level: `lookups: {{ {name}: {{ call: GET /departments, name: $.name, id: $.id }} }}`"
                    ),
                };
                self.error(Code::UnknownLookup, node.span, format!("there is no look-up `{name}`"), help);
            }
        }
        found
    }

    /// Whether one text may hold the values of the attribute.
    fn may_split(&mut self, node: &Node, leaf: &Attribute, index: usize, many: bool) -> bool {
        if !many {
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` has one value, and `split` gives several", leaf.name),
                "take `split` out: it is for an attribute with many plain values",
            );
        } else if index > 0 {
            self.error(
                Code::BadAttribute,
                node.span,
                "`split` comes first: what stands behind it is for each of the values",
                "put it at the beginning: `as: [ { split: \",\" }, lower ]`",
            );
        }
        many && index == 0
    }

    /// The value of SCIM that a key says.
    pub(super) fn value_of_scim(&mut self, entry: &Entry, leaf: &Attribute) -> Option<Value> {
        let here = match leaf.kind {
            Type::Boolean => entry.key.parse::<bool>().ok().map(Value::from),
            Type::Integer | Type::Decimal => serde_json::from_str::<Number>(&entry.key).ok().map(Value::Number),
            _ => Some(Value::from(entry.key.as_str())),
        };
        let here = here.filter(|here| is_of(here, leaf.kind));
        if here.is_none() {
            let (what, example) = example(leaf.kind);
            self.error(
                Code::BadAttribute,
                entry.key_span,
                format!("`{}` is {what} in SCIM, and `{}` is none", leaf.name, entry.key),
                format!("on the left stands SCIM's value, such as {example}; on the right the backend's"),
            );
        }
        here
    }

    /// Pairs that can be read in both directions.
    fn values(&mut self, node: &Node, keys: &Keys<'_>, leaf: &Attribute, writes: bool) -> Option<Vec<(Value, Vec<Value>)>> {
        let entries = self.entries(node, "values")?;
        let mut pairs: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut good = true;
        for entry in entries {
            let Some(here) = self.value_of_scim(entry, leaf) else {
                good = false;
                continue;
            };
            let nodes = match &entry.value.data {
                Data::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            let mut there = Vec::new();
            if nodes.is_empty() {
                self.error(Code::WrongShape, entry.value.span, "there is no value of the backend", "write one, or `[D, L]`");
                good = false;
            }
            for node in nodes {
                match self.backend_value(node, &here, keys, pairs.iter().flat_map(|(_, there)| there).chain(&there)) {
                    Some(value) => there.push(value),
                    None => good = false,
                }
            }
            pairs.push((here, there));
        }
        let all = [true, false].into_iter().all(|flag| pairs.iter().any(|(here, _)| here.as_bool() == Some(flag)));
        if good && leaf.kind == Type::Boolean && !all && (writes || keys.get("default").is_none()) {
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` is true or false, but `values` does not tell both", leaf.name),
                "write both: `values: { true: ACTIVE, false: SUSPENDED }`",
            );
            good = false;
        }
        good.then_some(pairs)
    }

    fn backend_value<'v>(
        &mut self,
        node: &Node,
        here: &Value,
        keys: &Keys<'_>,
        mut before: impl Iterator<Item = &'v Value>,
    ) -> Option<Value> {
        let Some(value) = node.scalar() else {
            self.error(
                Code::WrongShape,
                node.span,
                format!("a value of the backend is meant here, but {} stands here", node.kind()),
                "write a text, a number, true or false",
            );
            return None;
        };
        if before.any(|other| *other == value) {
            self.error(
                Code::BadAttribute,
                node.span,
                format!("`{}` stands here twice, so that it cannot be told what it reads as", convert::text(&value)),
                "keep it in one place",
            );
            return None;
        }
        // An empty field counts as no value before any converter sees it (RFC 7643 section 2.5).
        let empty = value.is_null() || value.as_str().is_some_and(str::is_empty);
        let default = keys.get("default").and_then(Node::scalar);
        if empty && default.is_none_or(|default| convert::text(&default) != convert::text(here)) {
            self.error(
                Code::BadAttribute,
                node.span,
                "an empty field has no value, so this is never read",
                format!("write `default: {}` beside `values`", convert::text(here)),
            );
            return None;
        }
        Some(value)
    }

    fn converter(&mut self, node: &Node, leaf: &Attribute, exact: bool) -> Option<Converter> {
        if let Data::Mapping(entries) = &node.data {
            return self.converter_with_argument(node, entries, exact);
        }
        let text = self.text(node)?;
        match Converter::named(text) {
            Some(Converter::Number { .. }) => Some(Converter::Number { whole: leaf.kind == Type::Integer }),
            Some(found) => Some(found),
            None => {
                let known = convert::NAMES.into_iter().chain(convert::WITH_ARGUMENT.map(|(name, _)| name));
                let help = match did_you_mean(text, known) {
                    Some(word) => match convert::WITH_ARGUMENT.iter().find(|(name, _)| *name == word) {
                        Some((_, example)) => format!("write `{example}`"),
                        None => format!("did you mean `{word}`?"),
                    },
                    None => there_are(),
                };
                self.error(Code::UnknownConverter, node.span, format!("there is no converter `{text}`"), help);
                None
            }
        }
    }

    /// `{ prefix: P- }`, `{ date: "%d.%m.%Y", zone: Europe/Prague }`
    fn converter_with_argument(&mut self, node: &Node, entries: &[Entry], exact: bool) -> Option<Converter> {
        let argument = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value);
        let known = convert::WITH_ARGUMENT.iter().map(|(name, _)| *name);
        if let Some(date) = argument("date") {
            if let Some(other) = entries.iter().find(|entry| !matches!(entry.key.as_str(), "date" | "zone")) {
                self.error(
                    Code::UnknownKey,
                    other.key_span,
                    format!("`{}` is not a key of a date", other.key),
                    "the keys here are date, zone",
                );
            }
            return self.date(date, argument("zone"));
        }
        let [entry] = entries else {
            let help = "several converters are a list: `as: [ { prefix: P- }, { pad: 5 } ]`";
            self.error(Code::UnknownConverter, node.span, "one converter is meant here", help);
            return None;
        };
        match entry.key.as_str() {
            "prefix" => self.text(&entry.value).map(|text| Converter::Prefix(text.to_owned())),
            "suffix" => self.text(&entry.value).map(|text| Converter::Suffix(text.to_owned())),
            "lookup" => self.lookup_named(&entry.value).map(|table| Converter::Lookup { table, exact }),
            "split" => {
                let text = self.text(&entry.value)?;
                if text.is_empty() {
                    self.error(
                        Code::BadValue,
                        entry.value.span,
                        "nothing stands between the values",
                        "write for example `{ split: \",\" }`",
                    );
                    return None;
                }
                Some(Converter::Split(text.to_owned()))
            }
            "pad" => {
                let width = self.count(&entry.value)?;
                if width > limits::PAD_CHARS {
                    self.error(
                        Code::BadValue,
                        entry.value.span,
                        format!("a padded text has {} characters at the most", limits::PAD_CHARS),
                        "write the number of characters that the text has there: `{ pad: 5 }`",
                    );
                    return None;
                }
                Some(Converter::Pad(width))
            }
            other => {
                let help = match did_you_mean(other, known.chain(convert::NAMES)) {
                    Some(word) => match convert::WITH_ARGUMENT.iter().find(|(name, _)| *name == word) {
                        Some((_, example)) => format!("did you mean `{example}`?"),
                        None => format!("`{word}` takes no argument: write `as: {word}`"),
                    },
                    None => there_are(),
                };
                self.error(Code::UnknownConverter, node.span, format!("there is no converter `{other}`"), help);
                None
            }
        }
    }

    fn date(&mut self, date: &Node, zone_node: Option<&Node>) -> Option<Converter> {
        let format = self.text(date);
        let zone = match zone_node {
            None => Some(TimeZone::UTC),
            Some(node) => self.zone(node),
        };
        let (format, zone) = (format?, zone?);
        match DateForm::new(format, zone) {
            Ok(form) => Some(Converter::Date(Box::new(form))),
            Err(reason) => {
                self.error(
                    Code::BadValue,
                    date.span,
                    format!("`{format}` is not the form of a date: {reason}"),
                    "write it as strftime does: `%d.%m.%Y` for 31.01.2026, `%Y-%m-%d %H:%M:%S` for 2026-01-31 08:00:00",
                );
                None
            }
        }
    }

    fn zone(&mut self, node: &Node) -> Option<TimeZone> {
        let name = self.text(node)?;
        let found = zone(name);
        if found.is_none() {
            let names = zone_names();
            let help = match did_you_mean(name, names.iter().map(String::as_str)) {
                Some(word) => format!("did you mean `{word}`?"),
                None => "write a name of the IANA time zone database, such as `Europe/Prague`, or `UTC`".to_owned(),
            };
            self.error(Code::BadValue, node.span, format!("there is no time zone `{name}`"), help);
        }
        found
    }
}

/// All converters, for messages.
fn there_are() -> String {
    let with_argument = convert::WITH_ARGUMENT.map(|(_, example)| format!("`{example}`"));
    format!("there are {} and {}", convert::NAMES.join(", "), with_argument.join(", "))
}
