//! `list`: its pages, and what of a query the backend performs.

use std::time::Duration;

use serde_json::Value;

use super::call::{Names, Purpose, Shared};
use super::calls::Surroundings;
use super::field::example;
use super::{Compiler, Keys, known};
use crate::limits;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{
    Accepts, Addition, Form, How, Language, List, Lookup, LookupAnswer, Paging, PushDown, Quote, Scan, SortPushDown, Tree,
};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node, Span};
use crate::mapping::template::{Root, Template};
use crate::mapping::vocabulary;
use crate::scim::filter::Op;
use crate::scim::schema::Attribute;

impl Compiler<'_> {
    pub(super) fn list(&mut self, node: &Node, around: Surroundings<'_>) -> Option<List> {
        let (keys, line) = self.call_keys(node, &vocabulary::LIST)?;
        let shared = around.shared;
        let paging = keys
            .get("pages")
            .map_or(Some(shared.paging.clone()), |node| self.paging(node, &format!("{}.count", around.name), shared));
        let names = paging.as_ref().map_or(Names::NOTHING, |paging| Names::NOTHING.paged(paging));
        let call = self.call(format!("{}.list", around.name), &keys, line, &names, shared, Purpose::Read);
        let usual = paging.clone();
        let paging = paging.map(|paging| self.asked(paging, call.as_ref(), line));
        let items = self.items(&keys);
        let has_body = keys.get("body").is_some();
        let filters = match keys.get("filters") {
            Some(node) => {
                let entries = self.entries(node, "filters").unwrap_or_default();
                entries.iter().filter_map(|entry| self.push_down(entry, around, has_body, usual.as_ref())).collect()
            }
            None => Vec::new(),
        };
        let together = keys.get("together").map_or(Some(false), |node| self.flag(node));
        let language = keys.get("language").map(|node| self.language(node, around, has_body));
        let sorts = match keys.get("sort") {
            Some(node) => {
                let entries = self.entries(node, "sort").unwrap_or_default();
                entries.iter().filter_map(|entry| self.sort(entry, around, has_body)).collect()
            }
            None => Vec::new(),
        };
        let scan = self.scan(&keys);
        let has = keys.get("has").map(|node| match &node.data {
            Data::Sequence(items) => {
                let target = |item: &Node| self.text(item).and_then(|text| self.target(text, item.span, around));
                let targets: Vec<_> = items.iter().map(target).collect();
                targets.into_iter().collect::<Option<Vec<_>>>()
            }
            _ => {
                self.error(Code::WrongShape, node.span, "has is a list of attributes", "write `has: [userName, active]`");
                None
            }
        });
        let hidden = keys.get("gone").map_or(Some(false), |node| self.word(node, &[("hidden", true)]));
        let counts_gone = !hidden?;
        let (call, items, paging, together, language, has) = (call?, items?, paging?, together?, known(language)?, known(has)?);
        Some(List { call, items, paging, filters, together, language, sorts, scan, has, counts_gone })
    }

    /// The rows of a list; without `items` they are the payload's own elements.
    pub(super) fn items(&mut self, keys: &Keys<'_>) -> Option<JsonPath> {
        match keys.get("items") {
            Some(node) => self.path(node),
            None if self.xml.lists.is_some() => {
                self.require(keys, "items", "the rows of a document have a name: `items: \"$.users.user[*]\"`");
                None
            }
            None => JsonPath::parse("$[*]").ok(),
        }
    }

    fn scan(&mut self, keys: &Keys<'_>) -> Scan {
        let mut scan = Scan::default();
        if let Some(keys) = keys.get("scan").and_then(|node| self.block(node, &vocabulary::SCAN)) {
            scan.rows = keys.get("rows").and_then(|node| self.count(node)).unwrap_or(scan.rows);
            scan.calls = keys.get("calls").and_then(|node| self.count(node)).unwrap_or(scan.calls);
            scan.time = keys.get("time").and_then(|node| self.duration(node)).unwrap_or(scan.time);
            scan.keep = match keys.get("keep") {
                Some(node) if node.text() == Some("none") => Duration::ZERO,
                Some(node) => self.duration(node).unwrap_or(scan.keep),
                None => scan.keep,
            };
        }
        scan
    }

    fn push_down(
        &mut self,
        entry: &Entry,
        around: Surroundings<'_>,
        has_body: bool,
        paging: Option<&Paging>,
    ) -> Option<PushDown> {
        let split = entry.key.rsplit_once(' ').and_then(|(attribute, op)| Some((attribute, Op::parse(op)?)));
        let Some((attribute, op)) = split else {
            self.error(
                Code::BadFilter,
                entry.key_span,
                format!("`{}` is not an attribute and an operator", entry.key),
                format!("write for example `userName eq`; the operators are {}", Op::ALL.map(Op::as_str).join(", ")),
            );
            return None;
        };
        let target = self.target(attribute.trim(), entry.key_span, around);
        let keys = self.block(&entry.value, &vocabulary::FILTER)?;
        let by_table = keys.get("query").is_some_and(has_table);
        let usable = target.as_ref().is_some_and(|target| self.can_be_pushed_down(target, op, by_table, entry, around));
        let problems = self.diagnostics.len();
        let (how, place) = match keys.get("call") {
            Some(line) => {
                let name = format!("{}.list {attribute} {op}", around.name);
                (self.lookup(&keys, line, name, around.shared, paging).map(|lookup| How::Call(Box::new(lookup))), line.span)
            }
            None => {
                self.meaningless(
                    &keys,
                    &["headers", "item", "items", "pages", "success"],
                    "a filter of the list call",
                    "they are for a filter with a `call` of its own",
                );
                let help = "name the query parameter: `query: { login: \"{{value}}\" }`, or another call: `call: GET ...`";
                let place = keys.get("query").or_else(|| keys.get("body")).map_or(keys.span, |node| node.span);
                let leaf = target.as_ref().and_then(|target| target.resolve(around.kind)).map(|reference| reference.leaf());
                let tables = keys.get("query").map(|node| self.tables(node, leaf, op)).unwrap_or_default();
                let addition = self.addition(&keys, &Names::VALUE, has_body, help, true);
                (addition.map(|addition| How::List(Addition { tables, ..addition })), place)
            }
        };
        if let Some(how) = how.as_ref().filter(|_| self.diagnostics.len() == problems) {
            self.check_value(how, op, place);
        }
        let exact = keys.get("match").map_or(Some(false), |node| self.word(node, &[("exact", true), ("superset", false)]));
        let rows = keys.get("rows").map(|node| self.count(node).map(|rows| rows as u64));
        let accepts = keys.get("value").map_or_else(|| Some(Accepts::default()), |node| self.accepts(node));
        Some(PushDown { target: target.filter(|_| usable)?, op, how: how?, exact: exact?, rows: known(rows)?, accepts: accepts? })
    }

    /// What does not hold the value would find the same rows whatever is asked for.
    fn check_value(&mut self, how: &How, op: Op, span: Span) {
        let uses = match how {
            How::Call(lookup) => lookup.call.uses_any(&[Root::Value]),
            How::List(addition) => addition.uses(&Root::Value) || !addition.tables.is_empty(),
        };
        if op == Op::Pr && uses {
            self.error(Code::BadFilter, span, "`pr` compares with nothing, so there is no `{{value}}`", "write a fixed text");
        } else if op != Op::Pr && !uses {
            self.error(
                Code::BadFilter,
                span,
                "nothing here says what to compare with",
                "put `{{value}}` into it: `query: { login: \"{{value}}\" }`",
            );
        }
    }

    /// What is added to the list call: query parameters, or members of its body.
    /// A comparison may have tables among its parameters.
    fn addition(&mut self, keys: &Keys<'_>, names: &Names<'_>, has_body: bool, help: &str, compares: bool) -> Option<Addition> {
        let body = keys.get("body").map(|node| {
            if !has_body {
                self.error(
                    Code::BadValue,
                    node.span,
                    "the list call has no body that this could be added to",
                    "write a `body` under `list`, or `query` here",
                );
            }
            self.entries(node, "body")?;
            self.tree(node, names)
        });
        let query = match keys.get("query") {
            Some(node) if compares => self.plain_parameters(node, names),
            Some(node) => self.parameters(node, names),
            None if body.is_none() => {
                self.require(keys, "query", help)?;
                return None;
            }
            None => Vec::new(),
        };
        Some(Addition { query, tables: Vec::new(), body: known(body)? })
    }

    /// Query parameters but for tables.
    fn plain_parameters(&mut self, node: &Node, names: &Names<'_>) -> Vec<(String, Template)> {
        let is_table = |entry: &&Entry| matches!(entry.value.data, Data::Mapping(_));
        let Some(entries) = self.entries(node, "query") else { return Vec::new() };
        let plain = entries.iter().filter(|entry| !is_table(entry));
        plain.filter_map(|entry| Some((entry.key.clone(), self.template(&entry.value, names)?))).collect()
    }

    /// The tables among the parameters of a comparison.
    fn tables(&mut self, node: &Node, leaf: Option<&Attribute>, op: Op) -> Vec<(String, Vec<(Value, String)>)> {
        let (Data::Mapping(entries), Some(leaf)) = (&node.data, leaf) else { return Vec::new() };
        let mut tables = Vec::new();
        for entry in entries {
            if let Data::Mapping(rows) = &entry.value.data {
                tables.extend(self.table(entry, rows, leaf, op).map(|table| (entry.key.clone(), table)));
            }
        }
        tables
    }

    /// `{ true: A, false: "D,L" }`: what is sent for a value of SCIM.
    fn table(&mut self, entry: &Entry, rows: &[Entry], leaf: &Attribute, op: Op) -> Option<Vec<(Value, String)>> {
        if !matches!(op, Op::Eq | Op::Ne) {
            self.error(
                Code::BadFilter,
                entry.key_span,
                format!("a table tells what is sent for a value, and `{}` compares with more than one", op.as_str()),
                "write `eq` or `ne`, or `{{value}}` in place of the table",
            );
            return None;
        }
        if rows.is_empty() {
            let help = format!("write for example `{{ {}: A }}`", example(leaf.kind).1);
            self.error(Code::WrongShape, entry.value.span, "the table is empty", help);
            return None;
        }
        let mut table = Vec::new();
        for row in rows {
            let here = self.value_of_scim(row, leaf);
            let there = self.text(&row.value);
            table.push(here.zip(there.map(str::to_owned)));
        }
        table.into_iter().collect()
    }

    fn lookup(&mut self, keys: &Keys<'_>, line: &Node, name: String, shared: &Shared, paging: Option<&Paging>) -> Option<Lookup> {
        let count = format!("{name} count");
        let paging = match (keys.get("items"), keys.get("pages")) {
            (None, _) => Some(Paging::unpaged()),
            (Some(_), Some(node)) => self.paging(node, &count, shared),
            (Some(_), None) => paging.cloned(),
        };
        let names = paging.as_ref().map_or(Names::VALUE, |paging| Names::VALUE.paged(paging));
        let call = self.call(name, keys, line, &names, shared, Purpose::Read);
        let paging = paging.map(|paging| self.asked(paging, call.as_ref(), line));
        if keys.get("item").is_some() {
            self.meaningless(keys, &["items"], "a call that gives one `item`", "keep `item` or `items`");
        }
        if keys.get("items").is_none() {
            self.meaningless(keys, &["pages"], "a call that gives one record", "write `items` for one that gives rows");
        }
        let answer = match (keys.get("item"), keys.get("items")) {
            (_, Some(node)) => self.path(node).zip(paging).map(|(items, paging)| LookupAnswer::Rows { items, paging }),
            (Some(node), None) => self.path(node).map(LookupAnswer::One),
            (None, None) => Some(LookupAnswer::One(JsonPath::root())),
        };
        Some(Lookup { call: call?, answer: answer? })
    }

    fn accepts(&mut self, node: &Node) -> Option<Accepts> {
        let keys = self.block(node, &vocabulary::ACCEPTS)?;
        let max = match keys.get("max") {
            Some(node) => Some(self.count(node)?),
            None => None,
        };
        let without = keys.get("without").and_then(|node| self.text(node)).unwrap_or_default().to_owned();
        Some(Accepts { max, without })
    }

    fn sort(&mut self, entry: &Entry, around: Surroundings<'_>, has_body: bool) -> Option<SortPushDown> {
        let target = self.target(&entry.key, entry.key_span, around);
        let keys = self.block(&entry.value, &vocabulary::SORT)?;
        let mut direction = |key: &str| {
            let node =
                self.require(&keys, key, &format!("name the query parameters of both directions: `{key}: {{ sort: login }}`"))?;
            if has_body {
                self.entries(node, "body")?;
                return self.tree(node, &Names::NOTHING).map(|body| Addition { body: Some(body), ..Addition::default() });
            }
            Some(Addition { query: self.parameters(node, &Names::NOTHING), ..Addition::default() })
        };
        let (ascending, descending) = (direction("ascending"), direction("descending"));
        Some(SortPushDown { target: target?, ascending: ascending?, descending: descending? })
    }

    fn language(&mut self, node: &Node, around: Surroundings<'_>, has_body: bool) -> Option<Language> {
        let keys = self.block(node, &vocabulary::LANGUAGE)?;
        let help = "name the query parameter: `query: { $filter: \"{{expression}}\" }`";
        let place = self.addition(&keys, &Names::EXPRESSION, has_body, help, false);
        let mut fields = Vec::new();
        if let Some(node) = self.require(&keys, "fields", "name the fields: `fields: { userName: login }`") {
            for entry in self.entries(node, "fields").unwrap_or_default() {
                let target = self.target(&entry.key, entry.key_span, around);
                let field = self.text(&entry.value).map(str::to_owned);
                fields.extend(target.zip(field));
            }
        }
        let quote = match keys.get("text") {
            Some(node) => self.quote(node)?,
            None => Quote::default(),
        };
        let mut forms = Vec::new();
        let tests = Op::ALL.map(|op| (op.as_str(), Form::Test(op)));
        for (word, form) in tests.into_iter().chain([("and", Form::And), ("or", Form::Or), ("not", Form::Not)]) {
            let Some(node) = keys.get(word) else { continue };
            let names = match form {
                Form::Test(Op::Pr) => Names::FIELD,
                Form::Test(_) => Names::COMPARISON,
                Form::And | Form::Or => Names::PAIR,
                Form::Not => Names::OPERAND,
            };
            forms.extend(self.tree(node, &names).map(|tree| (form, tree)));
        }
        if !Op::ALL.iter().any(|op| keys.get(op.as_str()).is_some()) {
            self.error(
                Code::MissingKey,
                node.span,
                "the language has no comparison",
                "write at least `eq: \"{{field}} eq {{value}}\"`",
            );
        }
        let is_text = |tree: &Tree| matches!(tree, Tree::Template(_) | Tree::Literal(_));
        let text = forms.iter().all(|(_, tree)| is_text(tree));
        if !text && forms.iter().any(|(_, tree)| is_text(tree)) {
            self.error(Code::BadValue, node.span, "some forms are texts and some are objects", "write all forms in the same way");
        }
        let exact = keys.get("match").map_or(Some(false), |node| self.word(node, &[("exact", true), ("superset", false)]));
        Some(Language { place: place?, fields, quote, forms, text, exact: exact? })
    }

    fn quote(&mut self, node: &Node) -> Option<Quote> {
        let keys = self.block(node, &vocabulary::QUOTE)?;
        let mut text = |key: &str| keys.get(key).and_then(|node| self.text(node)).unwrap_or_default().to_owned();
        let (open, close, without) = (text("open"), text("close"), text("without"));
        let mut escape = Vec::new();
        for entry in keys.get("escape").and_then(|node| self.entries(node, "escape")).unwrap_or_default() {
            let mut characters = entry.key.chars();
            match (characters.next(), characters.next(), self.text(&entry.value)) {
                (Some(character), None, Some(text)) => escape.push((character, text.to_owned())),
                (_, _, Some(_)) => {
                    self.error(
                        Code::BadValue,
                        entry.key_span,
                        "one character is meant here",
                        "write a pair for each character: `{ \"'\": \"''\" }`",
                    );
                }
                _ => {}
            }
        }
        // A text that can end itself is an injection.
        let guarded = |c: char| escape.iter().any(|(escaped, _)| *escaped == c) || without.contains(c);
        if let Some(c) = close.chars().next().filter(|c| !guarded(*c)) {
            self.error(
                Code::BadValue,
                node.span,
                format!("a text with `{c}` in it would end at that place"),
                format!("tell how it is written: `escape: {{ \"{c}\": ... }}`, or refuse it: `without: \"{c}\"`"),
            );
        }
        // Nor may a text undo an escape: `\'` is an escaped quote, but `\\'` is an escaped backslash and a quote that ends it.
        let undone = escape.iter().find_map(|(special, text)| text.chars().next().filter(|c| c != special && !guarded(*c)));
        if let Some(c) = undone {
            self.error(
                Code::BadValue,
                node.span,
                format!("a `{c}` in a text would undo an escape that begins with `{c}`"),
                format!("escape it too: `{c}` to `{c}{c}`, or what the language has for it; or refuse it: `without`"),
            );
        }
        Some(Quote { open, close, escape, without })
    }
}

/// Whether a parameter is a table.
fn has_table(query: &Node) -> bool {
    matches!(&query.data, Data::Mapping(entries) if entries.iter().any(|entry| matches!(entry.value.data, Data::Mapping(_))))
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            rows: limits::SCAN_ROWS,
            calls: limits::SCAN_CALLS,
            time: Duration::from_secs(limits::SCAN_SECONDS),
            keep: Duration::from_secs(limits::KEEP_SECONDS),
        }
    }
}
