//! Every bound on outside input, in one place.
//!
//! Each loop over something that a client, a backend or a mapping author sends has its bound here, with the
//! reason for the figure. A bound that an operator may want to move is the default of a setting of the same name.

/// Bytes of one request body; RFC 7644 section 3.7.4 asks for a published `maxPayloadSize`.
pub const REQUEST_BYTES: usize = 1 << 20;
/// Nesting of a JSON document from a client. SCIM needs six; a recursive reader needs a bound. Answers of the backend are
/// bounded by serde_json, at twice that.
pub const JSON_DEPTH: usize = 64;
/// Characters of a filter.
pub const FILTER_BYTES: usize = 8 << 10;
/// Nesting of parentheses in a filter.
pub const FILTER_DEPTH: usize = 32;
/// Comparisons in a filter.
pub const FILTER_TERMS: usize = 200;
/// Characters of the detail of an error, which may quote what a client sent.
pub const DETAIL_CHARS: usize = 1_000;
/// Operations of one PATCH request.
pub const PATCH_OPERATIONS: usize = 5_000;
/// Values of one multi-valued attribute that is not a relation.
pub const ATTRIBUTE_VALUES: usize = 10_000;
/// Names in `attributes` or `excludedAttributes`.
pub const PROJECTION_NAMES: usize = 200;
/// Entity tags read from one If-Match or If-None-Match; those behind count as not sent, which can only refuse too much.
pub const ENTITY_TAGS: usize = 100;
/// Bytes of a cursor that comes back from a client (RFC 9865).
pub const CURSOR_BYTES: usize = 8 << 10;
/// Operations of one Bulk request (`bulk.maxOperations`): a thousand users and the groups they are in, with room.
pub const BULK_OPERATIONS: usize = 5_000;
/// Operations of one Bulk request that are worked on side by side; fewer if the mapping says so.
pub const BULK_CONCURRENCY: usize = 16;
/// The part of the time for a request that a Bulk request keeps to finish what it has begun and to answer: a quarter.
pub const BULK_SPARE: u32 = 4;
/// Resources in one ListResponse (`filter.maxResults`).
pub const LIST_RESULTS: usize = 200;
/// Rows of the backend that one request may walk through, unless the mapping says otherwise.
pub const SCAN_ROWS: usize = 20_000;
/// Calls that one request may spend on walking, unless the mapping says otherwise.
pub const SCAN_CALLS: usize = 400;
/// Page sizes that are tried, one after the other, for a page that holds a whole window.
pub const PAGE_SIZES: u64 = 1_000;
/// Seconds that one request may spend on walking, unless the mapping says otherwise.
pub const SCAN_SECONDS: u64 = 30;
/// Seconds that the later pages of a query are served from the walk of its first page, unless the mapping says otherwise.
pub const KEEP_SECONDS: u64 = 60;
/// Bytes of walks that are kept, all queries together.
pub const KEEP_BYTES: u64 = 64 << 20;
/// Rows of one relation: the members of a group, the groups of a user.
pub const RELATION_ROWS: usize = 500_000;
/// Calls that one request may spend on walking through one relation.
pub const RELATION_CALLS: usize = 10_000;
/// Times that a change is planned anew because the backend had a newer revision. Of several writers of one resource one gets
/// through in each round, so that this is how many others a write can wait for.
pub const REPLANS: usize = 20;
/// Characters of a text that is made up for a field, such as a password.
pub const GENERATED_CHARS: std::ops::RangeInclusive<usize> = 8..=256;
/// Look-ups of a mapping.
pub const LOOKUPS: usize = 32;
/// Rows of the table of a look-up: it is held in memory.
pub const TABLE_ROWS: usize = 100_000;
/// How long the table of a look-up is good, unless the mapping says otherwise, and at the most.
pub const TABLE_TIME: std::time::Duration = std::time::Duration::from_mins(10);
pub const TABLE_TIME_MOST: std::time::Duration = std::time::Duration::from_hours(24);
/// Ids that a table lacks and that are remembered; with more of them it is not read again for any.
pub const UNKNOWN_IDS: usize = 10_000;
/// Characters of a text that is filled up with zeros.
pub const PAD_CHARS: usize = 100;
/// Resources that are created in one call of a backend that can, unless the mapping says otherwise.
pub const BATCH: usize = 100;
/// Times that a call is made again because the backend named members that it does not know, before the request is refused.
pub const UNKNOWN_ROUNDS: usize = 40;
/// Seconds that a mapping may let a backend lag behind: a write holds its resource for so long.
pub const LAG_SECONDS: u64 = 30;
/// Writes of one resource that wait for each other.
pub const WRITERS: usize = 500;
/// Seconds that a write waits for others of the same resource.
pub const WRITER_SECONDS: u64 = 30;
/// Calls to the backend that one request runs side by side.
pub const CALL_CONCURRENCY: usize = 8;
/// Times that a call is made again because the backend says that it has not done it.
pub const AGAIN: u32 = 3;
/// Seconds that one call may spend on the pauses before its repetitions: three of the usual `3s`, with room, and far less than
/// the time of a request.
pub const AGAIN_SECONDS: u64 = 15;
/// Milliseconds of the first pause where the backend does not tell how long to wait; each further one is twice as long.
pub const AGAIN_MILLIS: u64 = 500;
/// Bytes of an answer that may ask for a repetition. Those that do are short, and a list need not be read twice to see it.
pub const AGAIN_BYTES: usize = 64 << 10;
/// Seconds that a 429 may ask for and the gateway waits itself; longer waits are the client's.
pub const THROTTLE_SECONDS: u64 = 5;
/// Seconds that a backend may ask for at all: a day. More is no waiting time but, say, a time of day.
pub const WAIT_SECONDS: u64 = 86_400;
/// Calls of `backend.rate`, each of which is remembered for its period.
pub const RATE_CALLS: usize = 10_000;
/// Seconds that a call waits for its turn under `backend.rate`. Behind that the client is told to come again.
pub const RATE_SECONDS: u64 = 10;
/// Milliseconds by which a period of `backend.rate` is longer than said: calls may take longer to arrive than those before.
pub const RATE_MARGIN_MILLIS: u64 = 50;
/// Bytes of one answer of the backend.
pub const ANSWER_BYTES: usize = 16 << 20;
/// Cookies of one answer that are looked at.
pub const COOKIES: usize = 50;
/// Seconds after a login that failed, or did not help, before the next one. Backends lock accounts that try too often.
pub const LOGIN_PAUSE_SECONDS: u64 = 5;
/// Seconds that a backend may make a failed login wait for the next one, if it asks for that.
pub const LOGIN_PAUSE_MOST_SECONDS: u64 = 60;
/// Seconds before its end in which a token is not used any more: it travels, and clocks differ.
pub const TOKEN_SPARE_SECONDS: u64 = 30;
/// Nesting of an XML document from or for the backend: that of JSON.
pub const XML_DEPTH: usize = 128;
/// Elements and attributes of an XML document from the backend. Each takes a few bytes there and a hundred here.
pub const XML_NODES: usize = 1_000_000;
/// Seconds to make a connection to the backend.
pub const CONNECT_SECONDS: u64 = 5;
/// Seconds that an idle connection to the backend is kept.
pub const POOL_IDLE_SECONDS: u64 = 60;
/// Bytes of a mapping document.
pub const MAPPING_BYTES: usize = 4 << 20;
/// Nodes of a mapping document after aliases are followed.
pub const MAPPING_NODES: usize = 20_000;
/// Nesting of a mapping document.
pub const MAPPING_DEPTH: usize = 64;
/// Seconds between two looks at the file of the mapping where nobody tells that it has changed.
pub const RELOAD_SECONDS: u64 = 30;
/// Milliseconds without another change before a changed mapping is read: whoever writes it in pieces writes faster.
pub const RELOAD_QUIET_MILLIS: u64 = 100;
/// Folders that are watched: that of the mapping and those of its secrets.
pub const RELOAD_FOLDERS: usize = 100;
/// Mistakes of a changed mapping that are logged.
pub const RELOAD_MISTAKES: usize = 20;
/// Files of tests in the folder of a mapping.
pub const TEST_FILES: usize = 1_000;
/// Rows on one page of the demo backend.
pub const DEMO_PAGE: usize = 100;
/// Members that one call may add to a team of the demo backend.
pub const DEMO_BATCH: usize = 100;
/// Calls that the demo backend remembers; older ones are forgotten first.
pub const DEMO_CALLS: usize = 10_000;
/// Seconds of latency that the demo backend can be asked for.
pub const DEMO_LATENCY_SECONDS: u64 = 600;
/// Bytes of one request head (request line and headers).
pub const HEAD_BYTES: usize = 64 << 10;
/// Headers in one request.
pub const HEADERS: usize = 100;
/// Connections served at once.
pub const CONNECTIONS: usize = 4_096;
/// Requests worked on at once.
pub const REQUESTS: usize = 1_024;
/// Seconds for a client to send the head of a request.
pub const HEAD_SECONDS: u64 = 10;
/// Seconds for one request, all calls to the backend included.
pub const REQUEST_SECONDS: u64 = 60;
/// Seconds that running requests get after a signal to stop.
pub const DRAIN_SECONDS: u64 = 20;
/// Seconds that a connection may lie idle between two requests. Longer than the 60 s of the usual load balancers, which
/// would otherwise send a request into a connection that is just being closed.
pub const IDLE_SECONDS: u64 = 75;
/// Seconds that a write goes on after its client was told 504 or hung up: half a write is worse than a late one.
pub const WRITE_GRACE_SECONDS: u64 = 30;
/// Streams of one HTTP/2 connection at once.
pub const STREAMS: u32 = 100;
/// Seconds between two pings on an HTTP/2 connection, and for the answer to one.
pub const PING_SECONDS: u64 = 20;
/// Characters of a request id that a client chose.
pub const REQUEST_ID_BYTES: usize = 64;
/// Bytes of the file of settings.
pub const SETTINGS_BYTES: u64 = 1 << 20;
/// Bytes of a file that holds a secret.
pub const SECRET_BYTES: u64 = 64 << 10;
/// Characters of the shortest token of a client, unless only this machine can connect. 16 characters out of 64 are 96
/// bits: beyond guessing over a network.
pub const TOKEN_CHARS: usize = 16;
/// Clients in the settings.
pub const CLIENTS: usize = 1_000;
