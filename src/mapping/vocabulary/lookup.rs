//! The blocks of `lookups`.

use super::{Block, Key};

block! {
    /// A look-up under `lookups`
    LOOKUP, "a look-up", {
        "call": "Method and path of the list: `GET /departments`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body, for a search by POST.",
        "items": "The rows in the payload, a JSONPath.",
        "name": "Where the name is in a row, a JSONPath.",
        "id": "Where the id is in a row, a JSONPath.",
        "keep": "How long the table is good: `10m` unless said.",
        "pages": "How this list comes in pages, if not as the backend's others.",
        "create": "The call that creates what a client names and the table lacks; 400 unless said.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// `create` of a look-up
    NEW_ENTRY, "a new entry", {
        "call": "Method and path: `POST /departments`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body; `{{name}}` is the name.",
        "id": "Where the id is in the payload, a JSONPath; the table is read again unless said.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
