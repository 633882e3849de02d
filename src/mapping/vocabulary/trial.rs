//! The keys of tests.

use super::{Block, Key};

block! {
    /// A file of tests
    TESTS_FILE, "a file of tests", {
        "tests": "The tests, a list.",
    }
}
block! {
    /// A test under `tests`
    TEST, "a test", {
        "name": "What it shows; no two tests of a file have the same name.",
        "profile": "The profile of the client: `lenient` unless said, or `strict`.",
        "send": "The request: `GET /Users/7`, or `METHOD /path` with the body below it.",
        "headers": "Headers of the request, such as `If-Match`.",
        "backend": "The calls that come, in order, and their answers; none unless said.",
        "expect": "What the client sees: a status, or a block; a success unless said.",
        "steps": "Several requests, one after the other, each with its `send`, `headers`, `backend` and `expect`.",
    }
}
block! {
    /// One of `steps`
    TEST_STEP, "a step of a test", {
        "send": "The request.",
        "headers": "Headers of the request.",
        "backend": "The calls that come, in order, and their answers.",
        "expect": "What the client sees.",
    }
}
block! {
    /// One of `backend` in a test
    TEST_CALL, "a call in a test", {
        "query": "Query parameters that it has besides those in its line.",
        "headers": "Headers that it has; `null` for one that it must not have.",
        "body": "Its body, exactly; `null` if it has none.",
        "contains": "What its body holds at least.",
        "status": "The status of the answer: 200 unless said, or 204 where there is no answer to show.",
        "reply": "The answer, JSON.",
        "text": "The answer, if it is something else.",
        "replyHeaders": "Headers of the answer.",
        "fault": "Why no answer comes: `timeout`, `refused` (no connection) or `cut` (it breaks off).",
    }
}
block! {
    /// `expect` of a test
    TEST_EXPECT, "expect", {
        "status": "The status; any success unless said.",
        "contains": "What the body holds at least.",
        "body": "The body, exactly; `null` if there is none.",
        "absent": "Attributes that no resource in the body has: `[password]`.",
        "headers": "Headers of the answer, such as `ETag`; `null` for one that it must not have.",
        "scimType": "The scimType of an error.",
        "calls": "`none`: the backend is not called.",
    }
}
