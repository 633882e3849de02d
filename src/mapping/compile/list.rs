//! `list`: its pages, and what of a query the backend performs.

use std::time::Duration;

use super::call::{DefaultBody, Names, Shared};
use super::{Compiler, Keys};
use crate::limits;
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{
    Accepts, Form, How, Language, List, Lookup, LookupAnswer, PageBy, Paging, PushDown, Quote, Scan, SortPushDown, Total, Tree,
};
use crate::mapping::path::JsonPath;
use crate::mapping::source::{Data, Entry, Node};
use crate::mapping::vocabulary;
use crate::scim::ResourceType;
use crate::scim::filter::Op;

impl Compiler<'_> {
    pub(super) fn list(&mut self, node: &Node, name: &str, kind: &ResourceType, shared: &Shared) -> Option<List> {
        let (keys, line) = self.call_keys(node, &vocabulary::LIST)?;
        let call = self.call(format!("{name}.list"), &keys, line, &Names::NOTHING, shared, DefaultBody::None);
        let items = self.items(&keys);
        let paging =
            keys.get("pages").map_or(Some(shared.paging.clone()), |node| self.paging(node, &format!("{name}.count"), shared));
        let filters = match keys.get("filters") {
            Some(node) => {
                let entries = self.entries(node, "filters").unwrap_or_default();
                entries.iter().filter_map(|entry| self.push_down(entry, name, kind, shared)).collect()
            }
            None => Vec::new(),
        };
        let together = keys.get("together").map_or(Some(false), |node| self.flag(node));
        let language = match keys.get("language") {
            Some(node) => Some(self.language(node, kind)?),
            None => None,
        };
        let sorts = match keys.get("sort") {
            Some(node) => {
                let entries = self.entries(node, "sort").unwrap_or_default();
                entries.iter().filter_map(|entry| self.sort(entry, kind)).collect()
            }
            None => Vec::new(),
        };
        let scan = self.scan(&keys);
        let has = match keys.get("has") {
            Some(node) => match &node.data {
                Data::Sequence(items) => {
                    let mut target = |item: &Node| self.text(item).and_then(|text| self.target(text, item.span, kind));
                    Some(items.iter().map(&mut target).collect::<Option<Vec<_>>>()?)
                }
                _ => {
                    self.error(Code::WrongShape, node.span, "has is a list of attributes", "write `has: [userName, active]`");
                    None
                }
            },
            None => None,
        };
        Some(List { call: call?, items: items?, paging: paging?, filters, together: together?, language, sorts, scan, has })
    }

    /// The rows of a list; without `items` they are the payload's own elements.
    pub(super) fn items(&mut self, keys: &Keys<'_>) -> Option<JsonPath> {
        match keys.get("items") {
            Some(node) => self.path(node),
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

    fn push_down(&mut self, entry: &Entry, name: &str, kind: &ResourceType, shared: &Shared) -> Option<PushDown> {
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
        let target = self.target(attribute.trim(), entry.key_span, kind);
        let keys = self.block(&entry.value, &vocabulary::FILTER)?;
        let how = match keys.get("call") {
            Some(line) => self
                .lookup(&keys, line, format!("{name}.list {attribute} {op}"), shared)
                .map(|lookup| How::Call(Box::new(lookup))),
            None => {
                let query = self.require(
                    &keys,
                    "query",
                    "name the query parameter: `query: { login: \"{{value}}\" }`, or another call: `call: GET ...`",
                );
                query.map(|node| How::Query(self.parameters(node, &Names::VALUE)))
            }
        };
        let exact = keys.get("match").map_or(Some(false), |node| self.word(node, &[("exact", true), ("superset", false)]));
        let rows = match keys.get("rows") {
            Some(node) => Some(self.count(node)? as u64),
            None => None,
        };
        let accepts = match keys.get("value") {
            Some(node) => self.accepts(node)?,
            None => Accepts::default(),
        };
        Some(PushDown { target: target?, op, how: how?, exact: exact?, rows, accepts })
    }

    fn lookup(&mut self, keys: &Keys<'_>, line: &Node, name: String, shared: &Shared) -> Option<Lookup> {
        let call = self.call(name, keys, line, &Names::VALUE, shared, DefaultBody::None);
        let answer = match (keys.get("item"), keys.get("items")) {
            (_, Some(node)) => self.path(node).map(LookupAnswer::Rows),
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

    fn sort(&mut self, entry: &Entry, kind: &ResourceType) -> Option<SortPushDown> {
        let target = self.target(&entry.key, entry.key_span, kind);
        let keys = self.block(&entry.value, &vocabulary::SORT)?;
        let mut direction = |key: &str| {
            let node = self.require(&keys, key, "name the query parameters of both directions")?;
            Some(self.parameters(node, &Names::NOTHING))
        };
        let (ascending, descending) = (direction("ascending"), direction("descending"));
        Some(SortPushDown { target: target?, ascending: ascending?, descending: descending? })
    }

    fn language(&mut self, node: &Node, kind: &ResourceType) -> Option<Language> {
        let keys = self.block(node, &vocabulary::LANGUAGE)?;
        let query = self.require(&keys, "query", "name the query parameter: `query: { $filter: \"{{expression}}\" }`");
        let query = query.map(|node| self.parameters(node, &Names::EXPRESSION));
        let mut fields = Vec::new();
        if let Some(node) = self.require(&keys, "fields", "name the fields: `fields: { userName: login }`") {
            for entry in self.entries(node, "fields").unwrap_or_default() {
                let target = self.target(&entry.key, entry.key_span, kind);
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
        if !forms.iter().any(|(form, _)| matches!(form, Form::Test(_))) {
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
        Some(Language { query: query?, fields, quote, forms, text, exact: exact? })
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
        Some(Quote { open, close, escape, without })
    }

    pub(super) fn paging(&mut self, node: &Node, name: &str, shared: &Shared) -> Option<Paging> {
        if node.text() == Some("none") {
            return Some(Paging::unpaged());
        }
        let keys = self.block(node, &vocabulary::PAGES)?;
        let by = self.require(&keys, "by", "write `by: number`, `offset`, `cursor`, `link`, `range` or `none`")?;
        let words = ["number", "offset", "cursor", "link", "range", "none"];
        let by = self.word(by, &words.map(|word| (word, word)))?;
        let mut parameter = |key: &str| {
            let node = self.require(&keys, key, &format!("name the query parameter: `{key}: {key}`"))?;
            self.text(node).map(str::to_owned)
        };
        let by = match by {
            "number" => parameter("page").map(|page| PageBy::Number { page, first: 1 }),
            "offset" => parameter("offset").map(|offset| PageBy::Offset { offset, first: 0 }),
            "cursor" => {
                let cursor = parameter("cursor");
                let next = self.require(&keys, "next", "tell where the next cursor is in the answer: `next: $.paging.next`");
                let next = next.and_then(|node| self.path(node));
                cursor.zip(next).map(|(cursor, next)| PageBy::Cursor { cursor, next })
            }
            "link" => match keys.get("next") {
                Some(node) => self.path(node).map(|next| PageBy::Link { next: Some(next) }),
                None => Some(PageBy::Link { next: None }),
            },
            "range" => {
                Some(PageBy::Range { unit: keys.get("unit").and_then(|node| self.text(node)).unwrap_or("items").to_owned() })
            }
            _ => return Some(Paging::unpaged()),
        };
        let by = match (by, keys.get("first")) {
            (by, None) => by,
            (by, Some(node)) => match (by, node.text().and_then(|text| text.parse::<u64>().ok())) {
                (Some(PageBy::Number { page, .. }), Some(first)) => Some(PageBy::Number { page, first }),
                (Some(PageBy::Offset { offset, .. }), Some(first)) => Some(PageBy::Offset { offset, first }),
                (by, Some(_)) => by,
                (_, None) => {
                    self.error(Code::BadValue, node.span, "a whole number is meant here", "write `first: 0` or `first: 1`");
                    None
                }
            },
        };
        let size = match keys.get("size") {
            Some(node) => Some(self.text(node)?.to_owned()),
            None if matches!(by, Some(PageBy::Number { .. } | PageBy::Offset { .. })) => {
                self.require(&keys, "size", "name the query parameter of the page size: `size: per_page`");
                None
            }
            None => None,
        };
        let max = self
            .require(&keys, "max", "tell the largest page that the backend gives: `max: 100`")
            .and_then(|node| self.count(node));
        let total = match keys.get("total") {
            Some(node) => self.total(node, name, shared),
            None if matches!(by, Some(PageBy::Range { .. })) => Some(Total::ContentRange),
            None => Some(Total::Counted),
        };
        Some(Paging { by: by?, size, max: max? as u64, total: total? })
    }

    fn total(&mut self, node: &Node, name: &str, shared: &Shared) -> Option<Total> {
        if node.text() == Some("counted") {
            return Some(Total::Counted);
        }
        if node.text().is_some() {
            return self.path(node).map(Total::Body);
        }
        let keys = self.block(node, &vocabulary::TOTAL)?;
        if let Some(line) = keys.get("call") {
            let call = self.call(name.to_owned(), &keys, line, &Names::NOTHING, shared, DefaultBody::None);
            let at = self.path_or(keys.get("at"), &JsonPath::root());
            return Some(Total::Call { call: Box::new(call?), at: at? });
        }
        let header = self.require(&keys, "header", "name the header: `total: { header: X-Total-Count }`")?;
        let text = self.text(header)?;
        self.header_name(text, header.span).map(Total::Header)
    }
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
