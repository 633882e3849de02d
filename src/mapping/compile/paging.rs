//! `pages`: how lists come in pages.

use super::Compiler;
use super::call::{Names, Purpose, Shared};
use crate::mapping::diagnostics::Code;
use crate::mapping::model::{Call, PageBy, PageSize, Paging, Total};
use crate::mapping::path::JsonPath;
use crate::mapping::source::Node;
use crate::mapping::template::Root;
use crate::mapping::vocabulary;

/// What each way to page may be told.
const PARTS: [(&str, &str); 22] = [
    ("number", "page"),
    ("number", "first"),
    ("number", "size"),
    ("number", "max"),
    ("number", "total"),
    ("offset", "offset"),
    ("offset", "first"),
    ("offset", "size"),
    ("offset", "max"),
    ("offset", "total"),
    ("cursor", "cursor"),
    ("cursor", "next"),
    ("cursor", "size"),
    ("cursor", "max"),
    ("cursor", "total"),
    ("link", "next"),
    ("link", "size"),
    ("link", "max"),
    ("link", "total"),
    ("range", "unit"),
    ("range", "max"),
    ("range", "total"),
];

impl Compiler<'_> {
    pub(super) fn paging(&mut self, node: &Node, name: &str, shared: &Shared) -> Option<Paging> {
        if node.text() == Some("none") {
            return Some(Paging::unpaged());
        }
        let keys = self.block(node, &vocabulary::PAGES)?;
        let by = self.require(&keys, "by", "write `by: number`, `offset`, `cursor`, `link`, `range` or `none`")?;
        let words = ["number", "offset", "cursor", "link", "range", "none"];
        let by = self.word(by, &words.map(|word| (word, word)))?;
        let others: Vec<&str> =
            vocabulary::PAGES.keys.iter().map(|key| key.name).filter(|key| !PARTS.contains(&(by, key)) && *key != "by").collect();
        self.meaningless(&keys, &others, &format!("`by: {by}`"), "leave it out");
        let mut parameter = |key: &str| match keys.get(key) {
            Some(node) => self.text(node).map(|name| Some(name.to_owned())),
            None => Some(None),
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
            (by, Some(node)) => match (by, node.text().and_then(|text| text.parse::<u32>().ok()).map(u64::from)) {
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
            Some(node) => PageSize::Query(self.text(node)?.to_owned()),
            None => PageSize::Fixed,
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

    /// The pages of a list as its call asks for them: by query parameters, or by variables in it.
    pub(super) fn asked(&mut self, paging: Paging, call: Option<&Call>, line: &Node) -> Paging {
        let Some(call) = call else { return paging };
        let size = match paging.size {
            PageSize::Fixed if call.uses_any(&[Root::Size]) => PageSize::Variable,
            size => size,
        };
        let mut missing = |key: &str, help: &str| {
            let message = format!("the list comes in pages, but nothing tells the backend {help}");
            let help = format!("name the query parameter under `pages`, `{key}: {key}`, or put `{{{{{key}}}}}` into the call");
            self.error(Code::MissingKey, line.span, message, help);
        };
        let starts = call.uses_any(&[Root::Start]);
        match &paging.by {
            PageBy::Number { page: None, .. } if !starts => missing("page", "which page is wanted"),
            PageBy::Offset { offset: None, .. } if !starts => missing("offset", "how many rows to skip"),
            PageBy::Cursor { cursor: None, .. } if !starts => missing("cursor", "where the next page begins"),
            _ => {}
        }
        if size == PageSize::Fixed && matches!(paging.by, PageBy::Number { .. } | PageBy::Offset { .. }) {
            missing("size", "how large a page is");
        }
        Paging { size, ..paging }
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
            let call = self.call(name.to_owned(), &keys, line, &Names::NOTHING, shared, Purpose::Read);
            let at = self.path_or(keys.get("at"), &JsonPath::root());
            return Some(Total::Call { call: Box::new(call?), at: at? });
        }
        let header = self.require(&keys, "header", "name the header: `total: { header: X-Total-Count }`")?;
        let text = self.text(header)?;
        self.header_name(text, header.span).map(Total::Header)
    }
}
