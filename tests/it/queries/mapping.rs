//! The mapping of a fake backend, from its kind.

use super::fake::{Kind, Lookup, Pages, Push, Total};
use super::languages::Language;

/// The mapping text.
pub(crate) fn text(kind: &Kind) -> String {
    let exact = if kind.push == Push::Exact { "exact" } else { "superset" };
    let filters = if kind.push == Push::None { String::new() } else { filters(kind, exact) };
    let language = kind.language.map_or(String::new(), |language| speak(language, exact));
    let sort = if kind.sorts {
        "      sort:\n        userName: { ascending: { sort: login }, descending: { sort: \"-login\" } }\n"
    } else {
        ""
    };
    let scan = kind.scan.map_or(String::new(), |rows| format!("      scan: {{ rows: {rows} }}\n"));
    let (pages, together) = (pages(kind), kind.together);
    format!(
        r#"mapping: v1
name: fake
backend:
  url: https://fake.test/api
  pages: {pages}
resources:
  User:
    id: {{ at: $.id, as: integer }}
    attributes:
      userName: $.login
      externalId: $.ext
      name.familyName: $.surname
      name.givenName: $.first
      title: $.title
      userType: {{ at: $.type, values: {{ Employee: E, Contractor: C }}, default: Employee }}
      active: {{ at: $.status, values: {{ true: A, false: [D, L] }} }}
      emails: {{ each: "$.mails[*]", value: $.address, type: $.kind, primary: $.main }}
      enterprise:manager.value: {{ at: $.boss, refers: User }}
      meta.created: {{ read: $.created, as: epochMillis }}
    get: GET /users/{{{{key}}}}
    delete: DELETE /users/{{{{key}}}}
    list:
      call: GET /users
      items: $.rows[*]
      together: {together}
{filters}{language}{sort}{scan}
  Group:
    id: {{ at: $.id, as: integer }}
    attributes:
      displayName: $.name
    get: GET /groups/{{{{key}}}}
    list:
      call: GET /groups
      items: $.rows[*]
      filters:
        displayName eq: {{ query: {{ name: "{{{{value}}}}" }} }}
    members:
      of: User
      list: {{ call: "GET /groups/{{{{key}}}}/members", items: "$.rows[*]", key: $.id }}
      groups: {{ call: "GET /users/{{{{key}}}}/groups", items: "$.rows[*]", key: $.id }}
"#
    )
}

fn pages(kind: &Kind) -> String {
    let (cap, first) = (kind.cap, kind.first);
    let total = match kind.total {
        Total::Body => ", total: $.total",
        Total::Header => ", total: { header: X-Total-Count }",
        Total::Counted => ", total: counted",
        Total::ContentRange => "",
    };
    match kind.pages {
        Pages::Unpaged => "none".to_owned(),
        Pages::Number => format!("{{ by: number, page: page, first: {first}, size: size, max: {cap}{total} }}"),
        Pages::Offset => format!("{{ by: offset, offset: offset, first: {first}, size: size, max: {cap}{total} }}"),
        Pages::Cursor => format!("{{ by: cursor, cursor: after, next: $.next, size: size, max: {cap}{total} }}"),
        Pages::NextLink => format!("{{ by: link, next: $.next, size: size, max: {cap}{total} }}"),
        Pages::LinkHeader => format!("{{ by: link, size: size, max: {cap}{total} }}"),
        Pages::Range => format!("{{ by: range, max: {cap}{total} }}"),
    }
}

fn filters(kind: &Kind, exact: &str) -> String {
    let mut lines = vec!["      filters:".to_owned()];
    let filters = [
        ("externalId eq", "ext"),
        ("emails.value eq", "mail"),
        ("userName sw", "login_from"),
        ("name.familyName co", "surname_like"),
        ("title ew", "title_to"),
        ("active eq", "status"),
        ("meta.created ge", "since"),
        ("meta.created lt", "before"),
    ];
    lines.push(match kind.lookup {
        Lookup::Parameter => format!(r#"        userName eq: {{ query: {{ login: "{{{{value}}}}" }}, match: {exact} }}"#),
        Lookup::Path => format!(r#"        userName eq: {{ call: "GET /logins/{{{{value}}}}", match: {exact} }}"#),
        Lookup::Header => {
            format!(r#"        userName eq: {{ call: GET /logins, headers: {{ X-Login: "{{{{value}}}}" }}, match: {exact} }}"#)
        }
    });
    for (filter, parameter) in filters {
        lines.push(format!(r#"        {filter}: {{ query: {{ {parameter}: "{{{{value}}}}" }}, match: {exact} }}"#));
    }
    lines.push(format!(r"        title pr: {{ query: {{ titled: yes }}, match: {exact} }}"));
    lines.join("\n") + "\n"
}

fn speak(language: Language, exact: &str) -> String {
    let forms = match language {
        Language::OData => {
            r#"        text: { open: "'", close: "'", escape: { "'": "''" } }
        eq: "{{field}} eq {{value}}"
        ne: "{{field}} ne {{value}}"
        co: "contains({{field}},{{value}})"
        sw: "startswith({{field}},{{value}})"
        ew: "endswith({{field}},{{value}})"
        gt: "{{field}} gt {{value}}"
        ge: "{{field}} ge {{value}}"
        lt: "{{field}} lt {{value}}"
        le: "{{field}} le {{value}}"
        pr: "{{field}} ne null"
        and: "({{left}} and {{right}})"
        or: "({{left}} or {{right}})"
        not: "not ({{operand}})""#
        }
        Language::Rsql => {
            r#"        text: { open: '"', close: '"', escape: { '"': '\"', '\': '\\' } }
        eq: "{{field}}=={{value}}"
        ne: "{{field}}!={{value}}"
        co: "{{field}}==*{{value}}*"
        sw: "{{field}}=={{value}}*"
        ew: "{{field}}==*{{value}}"
        gt: "{{field}}=gt={{value}}"
        ge: "{{field}}=ge={{value}}"
        lt: "{{field}}=lt={{value}}"
        le: "{{field}}=le={{value}}"
        pr: "{{field}}=ex=true"
        and: "({{left}};{{right}})"
        or: "({{left}},{{right}})"
        not: "!({{operand}})""#
        }
        Language::Ldap => {
            r#"        text: { escape: { "*": '\2a', "(": '\28', ")": '\29', '\': '\5c' }, without: "\0" }
        eq: "({{field}}={{value}})"
        ne: "(!({{field}}={{value}}))"
        co: "({{field}}=*{{value}}*)"
        sw: "({{field}}={{value}}*)"
        ew: "({{field}}=*{{value}})"
        ge: "({{field}}>={{value}})"
        le: "({{field}}<={{value}})"
        pr: "({{field}}=*)"
        and: "(&{{left}}{{right}})"
        or: "(|{{left}}{{right}})"
        not: "(!{{operand}})""#
        }
        Language::Json => {
            r#"        eq: { "{{field}}": "{{value}}" }
        ne: { "{{field}}": { "$ne": "{{value}}" } }
        co: { "{{field}}": { "$co": "{{value}}" } }
        sw: { "{{field}}": { "$sw": "{{value}}" } }
        ew: { "{{field}}": { "$ew": "{{value}}" } }
        gt: { "{{field}}": { "$gt": "{{value}}" } }
        ge: { "{{field}}": { "$ge": "{{value}}" } }
        lt: { "{{field}}": { "$lt": "{{value}}" } }
        le: { "{{field}}": { "$le": "{{value}}" } }
        pr: { "{{field}}": { "$pr": true } }
        and: { "$and": ["{{left}}", "{{right}}"] }
        or: { "$or": ["{{left}}", "{{right}}"] }
        not: { "$not": "{{operand}}" }"#
        }
    };
    let parameter = language.parameter();
    format!(
        r#"      language:
        query: {{ "{parameter}": "{{{{expression}}}}" }}
        match: {exact}
        fields:
          userName: login
          externalId: ext
          name.familyName: surname
          title: title
          userType: type
          active: status
          emails.value: mail
          emails.type: kind
          meta.created: created
{forms}
"#
    )
}
