//! The blocks of `backend.auth` that are more than a name and a value, and `backend.tls`.

use super::{Block, Key};

block! {
    /// `backend.auth.query`
    QUERY, "query", {
        "name": "The name of the parameter.",
        "value": "Its value, by reference: `${NAME}` or `${file:/path}`.",
    }
}
block! {
    /// `backend.auth.oauth2`
    OAUTH2, "oauth2", {
        "token": "The URL that gives tokens, or a path below that of the backend.",
        "client": "The id of the client.",
        "secret": "Its secret, by reference: `${NAME}` or `${file:/path}`.",
        "scope": "The scope that is asked for.",
        "audience": "The API that the token is for, where the server wants to know.",
        "send": "Where id and secret are sent: in the `header` Authorization unless said, or in the `body`.",
        "body": "Further fields of the call for a token.",
    }
}
block! {
    /// `backend.auth.login`
    LOGIN, "login", {
        "call": "Method and path: `POST /login`.",
        "query": "Query parameters.",
        "headers": "Headers.",
        "body": "The body.",
        "format": "How the body is written, if not as the backend's others.",
        "keep": "What of the answer is kept: a name each, and a JSONPath from the root of the answer, or a header or a cookie.",
        "send": "What is sent with every other call.",
        "expires": "When the login ends: `18m` after it was made, or a block with `after` or `idle`.",
        "success": "What a good answer of this call selects, a JSONPath; instead of the backend's.",
        "errors": "What answers of this call mean; before those of the backend.",
    }
}
block! {
    /// A value of `backend.auth.login.keep`
    SOURCE, "a value that is kept", {
        "header": "The header of the answer that has it.",
        "cookie": "The cookie of the answer that has it.",
    }
}
block! {
    /// `backend.auth.login.send`
    SEND, "what is sent", {
        "headers": "Headers; the variables are the names of `keep`.",
        "query": "Query parameters; the variables are the names of `keep`.",
        "cookies": "`false` if the cookies of the login are not to be sent.",
    }
}
block! {
    /// `backend.auth.login.expires`
    EXPIRES, "expires", {
        "after": "So long after the login, such as `60m`.",
        "idle": "So long after the last call, such as `18m`.",
    }
}
block! {
    /// `backend.auth.hmac`
    HMAC, "hmac", {
        "key": "The key, by reference: `${NAME}` or `${file:/path}`.",
        "decode": "How the key is written, if it is not the key itself: `hex` or `base64`.",
        "hash": "`sha256` unless said, or `sha512`.",
        "sign": "What is signed, such as `{{method}}{{target}}{{date}}`.",
        "encode": "How `{{signature}}` and `{{bodyHash}}` are written: `hex` unless said, or `base64`.",
        "headers": "Headers of every call, `{{signature}}` in one of them.",
        "query": "Query parameters of every call; they are not signed.",
    }
}
block! {
    /// `backend.tls`
    TLS, "tls", {
        "authority": "Certificates of authorities, in PEM, that are trusted besides those of the system: `${file:/ca.pem}`.",
        "certificate": "The certificate of the gateway, in PEM.",
        "key": "The private key of that certificate, in PEM.",
    }
}
