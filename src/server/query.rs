//! Query parameters (RFC 7644 section 3.4.2) from the URL; what they mean is for [`SearchRequest`] to say.

use std::borrow::Cow;

use form_urlencoded::parse as form;
use percent_encoding::percent_decode;

use crate::engine::Names;
use crate::scim::ScimError;
use crate::scim::messages::SearchRequest;

/// The parameters of a query.
#[derive(Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

// === impl Parameters ===

impl Parameters {
    /// Reads the query of a URL: `+` and `%20` are blanks, a `?` or `&` too many does no harm.
    pub fn new(query: Option<&str>) -> Result<Self, ScimError> {
        let query = query.unwrap_or_default();
        if percent_decode(query.as_bytes()).decode_utf8().is_err() {
            return Err(ScimError::invalid_value(
                "The query is not UTF-8 after percent-decoding: encode it as UTF-8, then percent-encode it.",
            ));
        }
        Ok(Self(form(query.as_bytes()).into_owned().collect()))
    }

    /// Whether the parameter is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    /// `attributes` and `excludedAttributes` (section 3.9); the other parameters mean nothing on a single resource.
    pub fn names(&self) -> Result<Names, ScimError> {
        let ours = |(name, _): &(Cow<'_, str>, Cow<'_, str>)| {
            ["attributes", "excludedAttributes"].iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let search = SearchRequest::from_query(self.pairs().filter(ours))?;
        Ok(Names { attributes: search.attributes, excluded: search.excluded_attributes })
    }

    /// A whole query.
    pub fn search(&self) -> Result<SearchRequest, ScimError> {
        SearchRequest::from_query(self.pairs())
    }

    fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.0.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str())))
    }
}
