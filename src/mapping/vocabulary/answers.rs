//! The keys about answers: their pages, what they mean, and documents of XML.

use super::{Block, Key};

block! {
    /// `pages`
    PAGES, "pages", {
        "by": "`number` (page numbers), `offset` (rows to skip), `cursor` or `link` (told by the page before), `range` (the header Range) or `none`.",
        "page": "The query parameter of the page number, unless the call has `{{page}}`.",
        "offset": "The query parameter of the rows to skip, unless the call has `{{offset}}`.",
        "first": "The number of the first page or row: 1 for pages and 0 for offsets unless said.",
        "cursor": "The query parameter of the cursor, unless the call has `{{cursor}}`.",
        "next": "Where the answer tells the next cursor or link, a JSONPath from its root; without it, links come in the header Link.",
        "unit": "The unit of the header Range: `items` unless said.",
        "size": "The query parameter of the page size, unless the call has `{{size}}`.",
        "max": "The largest page that the backend gives.",
        "total": "Where the answer tells the number of all rows: a JSONPath from its root, or a `header`; `counted` by a walk unless said.",
    }
}
block! {
    /// `pages.total`
    TOTAL, "total", {
        "header": "The name of the header that tells it.",
        "call": "The call that tells it: `GET /users/count`; the filter goes along.",
        "at": "Where in that call's payload it is, a JSONPath.",
        "query": "Query parameters of that call.",
        "headers": "Headers of that call.",
        "body": "The body of that call.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of that call mean; before those of the backend.",
    }
}
block! {
    /// A row of `errors`
    ERROR, "a row of errors", {
        "status": "A status, `4xx` or `5xx`.",
        "when": "A JSONPath from the root of the answer; it holds where it selects something.",
        "header": "Headers, by name, and what their values begin with: `{ Content-Type: text/html }`.",
        "as": "The meaning: notFound, uniqueness, invalidValue, mutability, stale, done, unknownMember, forbidden, unauthorized, relogin, overloaded, retry or failed.",
        "detail": "The text for the client; `{{body...}}` is the answer.",
        "members": "For unknownMember: where the keys of the unknown ones are, a JSONPath.",
        "after": "For retry and overloaded: how long to wait, a time such as `3s`, a JSONPath to the seconds, or a `header`.",
    }
}
block! {
    /// `after` in a row of `errors`
    AFTER, "after", {
        "header": "The name of the header that tells the seconds.",
    }
}
block! {
    /// `backend.xml`
    XML, "xml", {
        "root": "The element around what the attribute map writes.",
        "lists": "Elements that are lists, even where there is only one: `[user, mail]`.",
    }
}
