//! A backend in process: a list of records that it filters, sorts and pages as its kind says, and a log of its calls.

use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use scimitar::engine::ports::Backend;
use scimitar::translate::call::{Answer, HttpCall};
use scimitar::translate::outcome::Fault;
use serde_json::{Value, json};

use super::languages::{Language, holds};

/// What the backend does with a parameter that asks for a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// The mapping has none.
    None,
    Exact,
    /// It gives more.
    Superset,
    /// It gives everything.
    Ignored,
}

/// How its lists come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    Unpaged,
    Number,
    Offset,
    Cursor,
    NextLink,
    LinkHeader,
    Range,
}

/// Where it tells the number of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    Counted,
    Body,
    Header,
    ContentRange,
}

/// How a login is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// By a parameter of the list.
    Parameter,
    /// By a call that has it in its path.
    Path,
    /// By a call that has it in a header.
    Header,
}

/// A kind of backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kind {
    pub(crate) push: Push,
    pub(crate) lookup: Lookup,
    pub(crate) pages: Pages,
    pub(crate) total: Total,
    /// Rows of its largest page.
    pub(crate) cap: u64,
    /// The number of its first page or row.
    pub(crate) first: u64,
    /// Whether it gives its last page again behind the end.
    pub(crate) repeats: bool,
    pub(crate) language: Option<Language>,
    /// Whether several parameters may stand together.
    pub(crate) together: bool,
    pub(crate) sorts: bool,
    /// The bound of a scan, if not the usual one.
    pub(crate) scan: Option<u64>,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            push: Push::Exact,
            lookup: Lookup::Parameter,
            pages: Pages::Number,
            total: Total::Body,
            cap: 100,
            first: 1,
            repeats: false,
            language: None,
            together: false,
            sorts: false,
            scan: None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Fake {
    pub(crate) kind: Kind,
    users: Arc<RwLock<Vec<Value>>>,
    groups: Arc<Vec<Value>>,
    calls: Arc<Mutex<Vec<String>>>,
}

/// The parameters that ask for a comparison: field and operator.
pub(crate) const PARAMETERS: [(&str, &str, &str); 10] = [
    ("login", "login", "eq"),
    ("login_from", "login", "sw"),
    ("ext", "ext", "eq"),
    ("mail", "mail", "eq"),
    ("surname_like", "surname", "co"),
    ("title_to", "title", "ew"),
    ("titled", "title", "pr"),
    ("status", "status", "eq"),
    ("since", "created", "ge"),
    ("before", "created", "lt"),
];

type Pairs = Vec<(String, String)>;

impl Fake {
    pub(crate) fn new(kind: Kind, users: Vec<Value>, groups: Vec<Value>) -> Self {
        Self { kind, users: Arc::new(RwLock::new(users)), groups: Arc::new(groups), calls: Arc::default() }
    }

    /// The calls since the last time, decoded.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn answer(&self, call: &HttpCall<'_>) -> Answer {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let segments: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned())
            .collect();
        let query: Pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let header = |name: &str| {
            let value = call.headers.iter().find(|(known, _)| known.as_str() == name)?;
            Some(value.1.to_str().unwrap().trim().to_owned())
        };
        let shown: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut line = format!("{} /{}", call.method, segments.join("/"));
        if !shown.is_empty() {
            line = format!("{line}?{}", shown.join("&"));
        }
        for name in ["range", "x-login"] {
            if let Some(value) = header(name) {
                line = format!("{line} {name}: {value}");
            }
        }
        self.calls.lock().unwrap().push(line);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let users = self.users.read().unwrap();
        let by_id = |rows: &[Value], id: &str| rows.iter().find(|row| is(&row["id"], id)).cloned();
        let one = |found: Option<Value>| found.map_or_else(|| plain(404, &Value::Null), |record| plain(200, &record));
        let by_login = |login: &str| users.iter().find(|user| self.satisfies(user, "login", "eq", &Value::from(login))).cloned();
        match (call.method.clone(), segments.as_slice()) {
            (Method::GET, ["users"]) => self.list("users", &users, query, header("range").as_deref()),
            (Method::GET, ["logins"]) => one(by_login(&header("x-login").unwrap())),
            (Method::GET, ["logins", login]) => one(by_login(login)),
            (Method::GET, ["users", id]) => one(by_id(&users, id)),
            (Method::GET, ["users", id, "groups"]) => {
                let rows: Vec<Value> = self
                    .groups
                    .iter()
                    .filter(|group| group["members"].as_array().unwrap().iter().any(|member| is(member, id)))
                    .cloned()
                    .collect();
                self.list("groups", &rows, query, header("range").as_deref())
            }
            (Method::GET, ["groups"]) => self.list("groups", &self.groups, query, header("range").as_deref()),
            (Method::GET, ["groups", id]) => one(by_id(&self.groups, id)),
            (Method::GET, ["groups", id, "members"]) => {
                let group = by_id(&self.groups, id).unwrap();
                let rows: Vec<Value> = group["members"].as_array().unwrap().iter().map(|id| json!({ "id": id })).collect();
                self.list("members", &rows, query, header("range").as_deref())
            }
            (Method::DELETE, ["users", id]) => {
                drop(users);
                self.users.write().unwrap().retain(|user| !is(&user["id"], id));
                plain(204, &Value::Null)
            }
            other => panic!("{other:?}"),
        }
    }

    fn satisfies(&self, row: &Value, field: &str, op: &str, value: &Value) -> bool {
        match self.kind.push {
            Push::Superset => holds(row, field, op, value) || row["id"].as_u64().unwrap().is_multiple_of(3),
            Push::Ignored => true,
            Push::Exact | Push::None => holds(row, field, op, value),
        }
    }

    fn list(&self, name: &str, rows: &[Value], query: Pairs, range: Option<&str>) -> Answer {
        let mut rows: Vec<&Value> = rows.iter().collect();
        let (mut start, mut page, mut size, mut kept) = (0, None, None, Vec::new());
        for (parameter, text) in query {
            if let Some((_, field, op)) = PARAMETERS.into_iter().find(|(known, _, _)| *known == parameter) {
                let value =
                    if field == "created" { Value::from(text.parse::<i64>().unwrap()) } else { Value::from(text.as_str()) };
                rows.retain(|row| self.satisfies(row, field, op, &value));
                kept.push((parameter, text));
                continue;
            }
            let number = text.parse::<u64>();
            match (parameter.as_str(), self.kind.language) {
                ("name", _) if name == "groups" => {
                    rows.retain(|row| row["name"].as_str().unwrap().eq_ignore_ascii_case(&text));
                    kept.push((parameter, text));
                }
                ("sort", _) => {
                    let (field, down) = text.strip_prefix('-').map_or((text.as_str(), false), |field| (field, true));
                    let key = |row: &Value| row[field].as_str().unwrap().chars().flat_map(char::to_lowercase).collect::<String>();
                    rows.sort_by(|a, b| {
                        let order = if down { key(b).cmp(&key(a)) } else { key(a).cmp(&key(b)) };
                        order.then_with(|| a["id"].to_string().cmp(&b["id"].to_string()))
                    });
                    kept.push((parameter, text));
                }
                ("page", _) => page = Some(number.unwrap() - self.kind.first),
                ("offset", _) => start = number.unwrap() - self.kind.first,
                ("size", _) => size = Some(number.unwrap().min(self.kind.cap)),
                // A cursor with characters that must be escaped.
                ("after", _) => start = text.strip_prefix("é+&=/ ").unwrap_or_else(|| panic!("{text}")).parse().unwrap(),
                (parameter, Some(language)) if parameter == language.parameter() => {
                    match language.parse(&text) {
                        Ok(expr) => rows.retain(|row| {
                            expr.matches(row)
                                || (self.kind.push == Push::Superset && row["id"].as_u64().unwrap().is_multiple_of(3))
                        }),
                        Err(error) => return plain(400, &Value::from(error)),
                    }
                    kept.push((parameter.to_owned(), text));
                }
                (parameter, _) => panic!("{parameter}={text}"),
            }
        }
        let total = rows.len() as u64;
        let mut size = size.unwrap_or(self.kind.cap);
        start = page.map_or(start, |page| page * size);
        let unit = range.and_then(|range| range.strip_prefix("items=")?.split_once('-'));
        if let Some((from, to)) = unit {
            (start, size) =
                (from.parse().unwrap(), (to.parse::<u64>().unwrap() - from.parse::<u64>().unwrap() + 1).min(self.kind.cap));
        }
        if self.kind.pages == Pages::Unpaged {
            (start, size) = (0, u64::MAX);
        }
        if self.kind.repeats && start >= total && total > 0 && matches!(self.kind.pages, Pages::Number | Pages::Offset) {
            start = (total - 1) / size * size;
        }
        let end = start.saturating_add(size).min(total);
        let page: Vec<&Value> =
            rows.into_iter().skip(usize::try_from(start).unwrap()).take(usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let mut headers = HeaderMap::new();
        let mut body = json!({ "rows": page });
        match self.kind.total {
            Total::Body => body["total"] = Value::from(total),
            Total::Header => drop(headers.insert("x-total-count", HeaderValue::from(total))),
            Total::ContentRange | Total::Counted => {}
        }
        let next = || {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&kept).append_pair("after", &format!("é+&=/ {end}")).append_pair("size", &size.to_string());
            format!("https://fake.test/api/{name}?{}", query.finish())
        };
        if end < total {
            match self.kind.pages {
                Pages::Cursor => body["next"] = Value::from(format!("é+&=/ {end}")),
                Pages::NextLink => body["next"] = Value::from(next()),
                Pages::LinkHeader => {
                    let link = format!("<{}>; rel=\"next\"", next());
                    headers.insert("link", HeaderValue::from_str(&link).unwrap());
                }
                _ => {}
            }
        }
        let mut status = 200;
        if self.kind.pages == Pages::Range {
            status = if page_is_empty(&body) { 416 } else { 206 };
            let range = if status == 416 { format!("items */{total}") } else { format!("items {start}-{}/{total}", end - 1) };
            headers.insert("content-range", HeaderValue::from_str(&range).unwrap());
        }
        Answer { status, headers, body: Bytes::from(body.to_string()) }
    }
}

/// Whether a number is written so.
fn is(number: &Value, text: &str) -> bool {
    number.as_u64().map(|number| number.to_string()).as_deref() == Some(text)
}

fn page_is_empty(body: &Value) -> bool {
    body["rows"].as_array().unwrap().is_empty()
}

fn plain(status: u16, body: &Value) -> Answer {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    Answer { status, headers: HeaderMap::new(), body }
}

impl Backend for Fake {
    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, Fault> {
        Ok(self.answer(call))
    }
}
