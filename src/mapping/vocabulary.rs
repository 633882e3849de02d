//! The keys of the mapping language, block by block: what may stand where, and what it means.
//!
//! These tables are the one source for the check of unknown keys and for the descriptions in editors.

/// A key and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    pub meaning: &'static str,
}

/// A kind of block.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// What messages call it.
    pub name: &'static str,
    pub keys: &'static [Key],
}

macro_rules! block {
    ($(#[doc = $doc:literal])+ $constant:ident, $name:literal, { $($key:literal: $meaning:literal,)+ }) => {
        $(#[doc = $doc])+
        pub const $constant: Block = Block { name: $name, keys: &[$(Key { name: $key, meaning: $meaning },)+] };
    };
}

mod answers;
mod auth;
mod lookup;

pub use answers::{AFTER, ERROR, PAGES, TOTAL, XML};
pub use auth::{EXPIRES, HMAC, LOGIN, OAUTH2, QUERY, SEND, SOURCE, TLS};
pub use lookup::{LOOKUP, NEW_ENTRY};

block! {
    /// The document.
    DOCUMENT, "the mapping", {
        "mapping": "The version of the language: `v1`.",
        "name": "The name of the mapping, for logs.",
        "backend": "Where the backend is and how it is spoken to.",
        "schemas": "Schemas of your own, by a short name each.",
        "lookups": "Tables of names and ids of other collections, by a name each.",
        "resources": "The resource types, by name: `User`, `Group`, ...",
        "tests": "Tests of the mapping; they may also stand in files beside it.",
    }
}
block! {
    /// `backend`
    BACKEND, "backend", {
        "url": "The base URL; a call's path is put behind it. `${NAME}` stands for an environment variable.",
        "auth": "How the gateway proves itself: `none`, or a block with one way.",
        "tls": "A private authority, and the certificate of the gateway (mTLS).",
        "headers": "Headers of every call.",
        "timeout": "The time for one call, such as `10s`.",
        "concurrency": "How many calls one request makes side by side.",
        "lag": "How long it may take until what was written shows in what is read, such as `2s`; none unless said.",
        "rate": "How often the gateway calls at the most, such as `5/s` or `100/m`.",
        "format": "How bodies are written: `json` unless said, `form` or `xml`.",
        "answers": "How answers are written: `json` unless said, or `xml`.",
        "prefix": "What stands in front of the JSON of answers, such as `)]}'`; it is taken off.",
        "xml": "What a document does not tell by itself: its `root`, and which elements are `lists`.",
        "success": "What every good answer selects, a JSONPath from its root; one with a good status that does not is a failure.",
        "envelope": "Where in a good answer the payload is, a JSONPath.",
        "pages": "How lists come in pages.",
        "errors": "What answers mean; the first match wins, the usual meanings of HTTP stand behind.",
    }
}
block! {
    /// `backend.auth`
    AUTH, "auth", {
        "bearer": "A token for `Authorization: Bearer`.",
        "basic": "`user` and `password` for `Authorization: Basic`.",
        "header": "`name` and `value` of a header, for API keys.",
        "query": "`name` and `value` of a query parameter, for API keys.",
        "oauth2": "A token that a client gets by its id and secret (client credentials).",
        "login": "A call that logs in, and what of its answer is sent with the others.",
        "hmac": "A signature over each call.",
    }
}
block! {
    /// `backend.auth.basic`
    BASIC, "basic", {
        "user": "The user name.",
        "password": "The password, by reference: `${NAME}` or `${file:/path}`.",
    }
}
block! {
    /// `backend.auth.header`
    HEADER, "header", {
        "name": "The name of the header.",
        "value": "Its value, by reference: `${NAME}` or `${file:/path}`.",
    }
}
block! {
    /// A schema under `schemas`
    SCHEMA, "a schema", {
        "id": "Its URN.",
        "name": "Its name.",
        "description": "What it is for.",
        "attributes": "Its attributes, by name.",
    }
}
block! {
    /// An attribute of a schema under `schemas`
    SCHEMA_ATTRIBUTE, "an attribute of a schema", {
        "type": "string, boolean, decimal, integer, dateTime, binary, reference or complex.",
        "multiValued": "Whether there may be several values.",
        "description": "What it is for.",
        "required": "Whether it must be there.",
        "canonicalValues": "Suggested values.",
        "caseExact": "Whether strings compare with regard to case.",
        "mutability": "readOnly, readWrite, immutable or writeOnly.",
        "returned": "always, never, default or request.",
        "uniqueness": "none, server or global.",
        "referenceTypes": "The resource types that may be referred to.",
        "subAttributes": "The sub-attributes of a complex attribute, by name.",
    }
}
block! {
    /// A resource type under `resources`
    RESOURCE, "a resource type", {
        "schema": "The short name of its schema under `schemas`; `User` and `Group` are built in.",
        "endpoint": "Its path below the base URL: `/Users` unless said.",
        "description": "What it is for.",
        "id": "Where the key is in a record, a JSONPath.",
        "gone": "Records that do not exist for SCIM, a JSONPath over a list that holds one: `$[?@.state == 'retired']`.",
        "attributes": "The attribute map: a SCIM attribute and a field of the record a line.",
        "get": "The call that reads one.",
        "list": "The call that lists them.",
        "create": "The call that creates one.",
        "update": "The call or calls that change one.",
        "delete": "The call that deletes one, or `refuse` with the reason.",
        "members": "The calls of the membership, for groups.",
    }
}
block! {
    /// `id` of a resource type
    ID, "id", {
        "at": "Where the key is in a record, a JSONPath.",
        "as": "Converters, one or a list; the one nearest to the backend first.",
    }
}
block! {
    /// A line of `attributes`
    ATTRIBUTE, "an attribute line", {
        "at": "The field, read and written, a JSONPath.",
        "read": "The field, or a text made of fields, that is read only.",
        "write": "The field, written only.",
        "each": "The array whose elements are the values; a JSONPath that ends in `[*]`. The sub-attributes stand beside it.",
        "as": "Converters, one or a list; the one nearest to the backend first.",
        "values": "Pairs of SCIM's value and the backend's.",
        "default": "What is read where the backend has nothing.",
        "clear": "What clearing sends: null, empty or omit.",
        "refers": "The resource type whose id the value is.",
        "mutability": "readOnly or immutable, where the backend is stricter than the schema.",
        "returned": "`request` for what is costly to read.",
        "caseExact": "Whether the backend regards case.",
        "required": "Whether the backend insists on it.",
        "initial": "What `create` writes if the client sends nothing.",
        "generate": "Characters of a random text that `create` writes if the client sends nothing; for passwords.",
        "header": "For `meta.version`: the header of the backend's answers that tells it, such as `ETag`.",
    }
}
block! {
    /// `get`
    GET, "get", {
        "call": "Method and path: `GET /users/{{key}}`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, for a search by POST.",
        "item": "Where the record is in the payload, a JSONPath.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `list`
    LIST, "list", {
        "call": "Method and path: `GET /users`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, for a search by POST; `{{offset}}`, `{{page}}`, `{{cursor}}` and `{{size}}` are the page.",
        "items": "The rows in the payload, a JSONPath.",
        "pages": "How this list comes in pages, if not as the backend's others.",
        "filters": "Comparisons that the backend performs, by `attribute operator`; the most selective first.",
        "together": "`true` if several of the filters may be sent in one call.",
        "language": "The backend's own query language.",
        "sort": "Orders that the backend gives, by attribute.",
        "has": "The attributes that a row tells, if it does not tell all; the others are read by `get`, where they are asked for.",
        "gone": "`hidden` if the list leaves out what is `gone`; the gateway walks through it otherwise.",
        "scan": "How far the gateway may walk where the backend cannot filter.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// A line of `list.filters`
    FILTER, "a filter", {
        "query": "Query parameters; `{{value}}` is what is compared with. A table tells what is sent for a value: `{ true: A, false: \"D,L\" }`.",
        "body": "Members that are added to the body of the list call; or the body of `call`.",
        "call": "A call of its own instead: `GET /users/by-login/{{value}}`.",
        "headers": "Headers of that call.",
        "item": "Where that call's one record is in the payload, a JSONPath; 404 means there is none.",
        "items": "Where that call's rows are in the payload, if it gives several.",
        "pages": "How its rows come in pages, if not as those of the list.",
        "match": "`exact` if the backend compares as SCIM does, `superset` if the gateway must look again; superset unless said.",
        "rows": "How many rows it is likely to give; the fewest wins.",
        "value": "Which values it can carry; others are left to the gateway.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of that call mean; before those of the backend.",
    }
}
block! {
    /// `value` of a filter
    ACCEPTS, "value", {
        "max": "Characters at the most.",
        "without": "Characters that it must not hold.",
    }
}
block! {
    /// A line of `list.sort`
    SORT, "sort", {
        "ascending": "Query parameters; members of the body of a list that has one.",
        "descending": "Query parameters; members of the body of a list that has one.",
    }
}
block! {
    /// `list.language`
    LANGUAGE, "language", {
        "query": "Query parameters; `{{expression}}` is the expression.",
        "body": "Instead of `query`, members that are added to the body of the list call.",
        "fields": "The names of attributes in the language, by attribute.",
        "text": "How texts are quoted and escaped.",
        "match": "`exact` if the language compares as SCIM does, `superset` if the gateway must look again; superset unless said.",
        "eq": "`{{field}}` equals `{{value}}`.",
        "ne": "It does not, or has no value.",
        "co": "It contains the value.",
        "sw": "It starts with it.",
        "ew": "It ends with it.",
        "gt": "It is greater.",
        "ge": "It is greater or equal.",
        "lt": "It is less.",
        "le": "It is less or equal.",
        "pr": "`{{field}}` has a value.",
        "and": "`{{left}}` and `{{right}}`.",
        "or": "`{{left}}` or `{{right}}`.",
        "not": "Not `{{operand}}`.",
    }
}
block! {
    /// `language.text`
    QUOTE, "text", {
        "open": "What stands before a text.",
        "close": "What stands behind it.",
        "escape": "How single characters are written within.",
        "without": "Characters that cannot be written at all.",
    }
}
block! {
    /// `list.scan`
    SCAN, "scan", {
        "rows": "Rows at the most.",
        "calls": "Calls at the most.",
        "time": "Time at the most, such as `20s`.",
        "keep": "How long later pages are served from the walk of the first: `60s` unless said, or `none`.",
    }
}
block! {
    /// `create`
    CREATE, "create", {
        "call": "Method and path: `POST /users`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, if it is not what the attribute map writes.",
        "with": "Members of the body besides what the attribute map writes.",
        "item": "Where the record is in the payload, a JSONPath.",
        "key": "Where the key is in the payload, if the answer is no record; the record is then read.",
        "then": "`read` if the answer is not the whole record.",
        "before": "Calls that are made before this one.",
        "after": "Calls that are made after this one.",
        "conflict": "What happens if a resource of that name is there already; 409 unless said.",
        "batch": "The call that creates several at once, which Bulk uses.",
        "undo": "`delete` if a resource whose later calls fail is to be deleted again.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `update`
    UPDATE, "update", {
        "call": "Method and path: `PATCH /users/{{key}}`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, if it is not what the attribute map writes.",
        "carries": "The attributes that the call carries; `rest` unless said.",
        "when": "The change that the call performs: `active eq false`.",
        "destroys": "`true` if the change destroys the record: nothing less lets a DELETE make it.",
        "send": "`changed` or `full`: which attributes the body holds; or `each` for a call for every field that changes.",
        "with": "Members of the body besides what the attribute map writes.",
        "before": "Calls that are made before this one.",
        "after": "Calls that are made after this one.",
        "item": "Where the record is in the payload, a JSONPath.",
        "then": "`read` if the answer is not the whole record.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `delete`
    DELETE, "delete", {
        "call": "Method and path: `DELETE /users/{{key}}`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body.",
        "before": "Calls that are made before this one.",
        "after": "Calls that are made after this one.",
        "set": "The change that stands for a deletion: `active eq false`.",
        "refuse": "Why nothing may be deleted.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `members`
    MEMBERS, "members", {
        "of": "The resource type of the members: `User` unless said.",
        "list": "The call that lists the members of a group.",
        "add": "The call that adds members.",
        "remove": "The call that removes members.",
        "inline": "Where the record itself has its members, a JSONPath that ends in `[*]`; instead of `list`.",
        "key": "Where the key is in an element of `inline`, a JSONPath; the element itself unless said.",
        "display": "Where the name is in an element of `inline`, a JSONPath.",
        "set": "The call that sets all members.",
        "groups": "The call that lists the groups of a member.",
        "unknown": "`skip` or `refuse` members that the backend does not know.",
        "pinned": "Members that cannot be removed, a JSONPath over a list that holds one row: `$[?@.owner == true]`.",
        "mutability": "`readOnly` if members only change in the application itself.",
    }
}
block! {
    /// `members.list` and `members.groups`
    MEMBER_LIST, "a list of members or groups", {
        "call": "Method and path: `GET /groups/{{key}}/members`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, for a search by POST.",
        "items": "The rows in the payload, a JSONPath.",
        "inline": "Where the record of the member has its groups, a JSONPath that ends in `[*]`; instead of `call`.",
        "write": "`true` if memberships are written there, by the `update` of the member.",
        "key": "Where the key of the member or group is in a row, a JSONPath.",
        "display": "Where its name is in a row, a JSONPath.",
        "pages": "How this list comes in pages, if not as the backend's others.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `members.add` and `members.remove`
    MEMBER_CALL, "a membership call", {
        "call": "Method and path: `POST /groups/{{key}}/members`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body; `{{members}}` is the list of keys, `{{member}}` the one key.",
        "batch": "Members in one call: 1 unless said.",
        "results": "What the answer tells of each member.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `results` of a membership call
    RESULTS, "results", {
        "items": "The results in the payload, one a member, a JSONPath.",
        "status": "Where a result tells its status, a JSONPath; 200 unless said.",
        "key": "Where a result tells the key of its member, a JSONPath; without it they come in the order of the members.",
        "errors": "What a result means; paths begin at the result. Before those of the backend.",
    }
}

block! {
    /// A call under `before` or `after`
    SIDE_CALL, "a call before or after", {
        "call": "Method and path: `POST /accounts`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body.",
        "if": "It is made only for resources that this filter matches: `title pr`.",
        "keep": "Values of the answer for later calls: a name and a JSONPath each.",
        "undo": "The call that takes it back if a later part of the request fails.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `undo` of a call under `before` or `after`
    UNDO, "undo", {
        "call": "Method and path: `DELETE /accounts/{{account}}`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `batch` of `create`
    BATCH, "batch", {
        "call": "Method and path: `POST /users/batch`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body; `{{records}}` is the list of the bodies that `create` would send.",
        "size": "Resources in one call: 100 unless said.",
        "items": "The results in the payload, one a resource, a JSONPath.",
        "status": "Where a result tells its status, a JSONPath; 200 unless said.",
        "item": "Where the record is in a result, a JSONPath.",
        "match": "The attribute that tells whose result it is: `userName`; without it they come in the order of the resources.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What a result means; paths begin at the result. Before those of the backend.",
    }
}
block! {
    /// `conflict` of `create`
    CONFLICT, "conflict", {
        "match": "The attribute that the other resource is found by: `userName`.",
        "adopt": "The other resource is taken over if this filter matches it: `active eq false`.",
        "look": "`first` if the backend does not refuse by itself: then it is looked for before the call.",
    }
}
block! {
    /// `members.set`
    SET_CALL, "a call that sets all members", {
        "call": "Method and path: `PUT /groups/{{key}}/members`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body; `{{members}}` is the list of keys.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}

mod trial;

pub use trial::{TEST, TEST_CALL, TEST_EXPECT, TEST_STEP, TESTS_FILE};

/// Every kind of block.
pub const ALL: &[Block] = &[
    DOCUMENT,
    BACKEND,
    AUTH,
    BASIC,
    HEADER,
    QUERY,
    OAUTH2,
    LOGIN,
    SOURCE,
    SEND,
    EXPIRES,
    HMAC,
    TLS,
    PAGES,
    TOTAL,
    ERROR,
    AFTER,
    XML,
    SCHEMA,
    SCHEMA_ATTRIBUTE,
    RESOURCE,
    ID,
    ATTRIBUTE,
    GET,
    LIST,
    FILTER,
    ACCEPTS,
    SORT,
    LANGUAGE,
    QUOTE,
    SCAN,
    CREATE,
    UPDATE,
    DELETE,
    MEMBERS,
    MEMBER_LIST,
    MEMBER_CALL,
    RESULTS,
    SET_CALL,
    SIDE_CALL,
    UNDO,
    CONFLICT,
    BATCH,
    LOOKUP,
    NEW_ENTRY,
    TESTS_FILE,
    TEST,
    TEST_STEP,
    TEST_CALL,
    TEST_EXPECT,
];
