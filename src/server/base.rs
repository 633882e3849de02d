//! Where the service is: the path that it is mounted at, and the URL that clients know it by.

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// The URL that goes into `meta.location`, `$ref` and Location.
#[derive(Debug, Clone)]
pub struct BaseUrl {
    /// The setting `public_url`, without a slash at its end.
    public: Option<String>,
    /// The path that the service is mounted at: empty, or `/scim/v2`.
    path: String,
    /// The address of the listener, for requests without a usable Host.
    listen: String,
}

// === impl BaseUrl ===

impl BaseUrl {
    pub fn new(public: Option<&str>, path: &str, listen: &str) -> Self {
        Self {
            public: public.map(|url| url.trim_end_matches('/').to_owned()),
            path: path.trim_end_matches('/').to_owned(),
            listen: listen.to_owned(),
        }
    }

    /// The path that the service is mounted at.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The base URL for the answer to this request.
    ///
    /// Without `public_url` it is what the client says it called. X-Forwarded-* is deliberately not read: whoever
    /// stands behind a proxy sets `public_url`, and nobody else can be made to believe a forged header.
    pub fn of(&self, parts: &Parts) -> String {
        if let Some(public) = &self.public {
            return public.clone();
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
        let authority = parts.uri.authority().cloned().or(host).filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.as_ref().map_or(self.listen.as_str(), Authority::as_str);
        format!("http://{authority}{}", self.path)
    }
}
