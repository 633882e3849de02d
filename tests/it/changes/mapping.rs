//! The mapping of a fake backend, from its kind.

use super::fake::Kind;

/// Before what a kind has of its own.
const COMMON: &str = r#"mapping: v1
name: changes
backend:
  url: https://fake.test
  errors:
    - { when: "$[?$.error == 'STALE']", as: stale }
    - { when: "$[?$.error == 'TAKEN']", as: uniqueness }
    - { when: "$[?$.error == 'BAD']", as: invalidValue }
    - { when: "$[?$.error == 'NO_SUCH']", as: notFound }
    - { when: "$[?$.error == 'ALREADY']", as: done }
    - { when: "$[?$.error == 'NOT_MEMBER']", as: done }
    - { when: "$[?$.error == 'UNKNOWN']", as: unknownMember, members: "$.ids[*]" }
    - { when: "$[?$.error == 'BUSY']", as: overloaded }
    - { when: "$[?$.ok == false]", as: failed }
"#;

const ATTRIBUTES: &str = r#"    id: { at: $.id, as: integer }
    attributes:
      userName: $.login
      externalId: $.ext
      displayName: $.display
      name.givenName: $.first
      name.familyName: $.last
      title: $.job
      nickName: $.nick
      active: { at: $.status, values: { true: A, false: D } }
      emails: { each: "$.mails[*]", value: $.address, type: $.kind, primary: $.main }
      enterprise:employeeNumber: $.number
      enterprise:department: $.dept
      enterprise:manager.value: { at: $.boss, refers: User }
"#;

const GROUP: &str = r"  Group:
    id: { at: $.id, as: integer }
    attributes: { displayName: $.name, externalId: $.ext }
";

/// The mapping text.
pub(crate) fn text(kind: Kind) -> String {
    let (user, group) = match kind {
        Kind::Separate => (SEPARATE_USER, SEPARATE_GROUP),
        Kind::Single => (SINGLE_USER, SINGLE_GROUP),
        Kind::Inline => (PARTS_USER, INLINE_GROUP),
        Kind::Document => (DOCUMENT_USER, DOCUMENT_GROUP),
        Kind::Rpc => (RPC_USER, RPC_GROUP),
        Kind::Records => (PARTS_USER, RECORDS_GROUP),
        Kind::Set => (PARTS_USER, SET_GROUP),
    };
    format!("{COMMON}resources:\n  User:\n{ATTRIBUTES}{user}{GROUP}{group}")
}

const SEPARATE_USER: &str = r#"    get: GET /users/{{key}}
    create: { call: POST /users, undo: delete }
    update:
      - { call: "PATCH /users/{{key}}", headers: { If-Match: "{{record.rev}}" } }
      - { call: "POST /users/{{key}}/suspend", when: active eq false, then: read }
      - { call: "POST /users/{{key}}/reactivate", when: active eq true, then: read }
    delete: DELETE /users/{{key}}
"#;

const SEPARATE_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, undo: delete }
    update: PATCH /groups/{{key}}
    delete: DELETE /groups/{{key}}
    members:
      list: { call: "GET /groups/{{key}}/members", items: "$.rows[*]", key: $.user }
      add: { call: "POST /groups/{{key}}/members", body: { user_ids: "{{members}}" }, batch: 100 }
      remove: { call: "DELETE /groups/{{key}}/members/{{member}}" }
      groups: { call: "GET /users/{{key}}/groups", items: "$.rows[*]", key: $.id }
"#;

const SINGLE_USER: &str = r#"    get: GET /users/{{key}}
    create: { call: POST /users, key: $.new, undo: delete }
    update:
      - { call: "PUT /users/{{key}}", send: full, with: { rev: "{{record.rev}}" }, then: read }
      - { call: "POST /users/{{key}}/suspend", when: active eq false, then: read }
      - { call: "POST /users/{{key}}/reactivate", when: active eq true, then: read }
    delete: DELETE /users/{{key}}
"#;

const SINGLE_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, key: $.new, undo: delete }
    update: { call: "PUT /groups/{{key}}", send: full, then: read }
    delete: DELETE /groups/{{key}}
    members:
      list: { call: "GET /groups/{{key}}/members", items: "$.rows[*]", key: $.user }
      add: { call: "POST /groups/{{key}}/members/{{member}}" }
      remove: { call: "DELETE /groups/{{key}}/members/{{member}}" }
"#;

const PARTS_USER: &str = r"    get: GET /users/{{key}}
    create: { call: POST /users, undo: delete }
    update: PATCH /users/{{key}}
    delete: DELETE /users/{{key}}
";

const INLINE_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, undo: delete }
    update: PATCH /groups/{{key}}
    delete: DELETE /groups/{{key}}
    members:
      inline: "$.member_ids[*]"
      add: { call: "PATCH /groups/{{key}}", body: { add: "{{members}}" }, batch: 200 }
      remove: { call: "PATCH /groups/{{key}}", body: { remove: "{{members}}" }, batch: 200 }
      groups: { inline: "$.team_ids[*]" }
"#;

const DOCUMENT_USER: &str = r#"    get: GET /users/{{key}}
    create: { call: POST /users, undo: delete }
    update: { call: "PUT /users/{{key}}", send: full, headers: { If-Match: "{{record.rev}}" } }
    delete: DELETE /users/{{key}}
"#;

const DOCUMENT_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, undo: delete }
    update: { call: "PUT /groups/{{key}}", send: full, headers: { If-Match: "{{record.rev}}" } }
    delete: DELETE /groups/{{key}}
    members: { inline: "$.member_ids[*]" }
"#;

const RPC_USER: &str = r#"    get: { call: GET /person, query: { person: "{{key}}" }, item: $.person }
    create: { call: POST /person/new, key: $.person, undo: delete }
    update:
      - { call: POST /person/set, send: each, body: { person: "{{key}}", field: "{{field}}", value: "{{value}}" }, then: read }
      - { call: POST /person/disable, when: active eq false, body: { person: "{{key}}" }, then: read }
      - { call: POST /person/enable, when: active eq true, body: { person: "{{key}}" }, then: read }
    delete:
      - { call: POST /person/leave, body: { person: "{{key}}" } }
      - { call: POST /person/remove, body: { person: "{{key}}" } }
"#;

const RPC_GROUP: &str = r#"    get: { call: GET /team, query: { team: "{{key}}" }, item: $.team }
    create: { call: POST /team/new, key: $.team, undo: delete }
    update: { call: POST /team/set, send: each, body: { team: "{{key}}", field: "{{field}}", value: "{{value}}" }, then: read }
    delete:
      - { call: POST /team/empty, body: { team: "{{key}}" } }
      - { call: POST /team/remove, body: { team: "{{key}}" } }
    members:
      list: { call: GET /team/people, query: { team: "{{key}}" }, items: "$.people[*]", key: $.person }
      add: { call: POST /person/join, body: { person: "{{member}}", team: "{{displayName}}" } }
      remove: { call: POST /person/quit, body: { person: "{{member}}", team: "{{displayName}}" } }
"#;

const RECORDS_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, undo: delete }
    update: PATCH /groups/{{key}}
    delete: DELETE /groups/{{key}}
    members:
      list: { call: GET /memberships, query: { group: "{{key}}" }, items: "$.rows[*]", key: $.user }
      add: { call: POST /memberships, body: { group: "{{key}}", user: "{{member}}" } }
      remove: { call: "DELETE /memberships/{{membership.id}}" }
      groups: { call: GET /memberships, query: { user: "{{key}}" }, items: "$.rows[*]", key: $.group }
"#;

const SET_GROUP: &str = r#"    get: GET /groups/{{key}}
    create: { call: POST /groups, undo: delete }
    update: PATCH /groups/{{key}}
    delete: DELETE /groups/{{key}}
    members:
      list: { call: "GET /groups/{{key}}/members", items: "$.rows[*]", key: $.user }
      set: { call: "PUT /groups/{{key}}/members", body: { ids: "{{members}}" } }
"#;
