//! The messages of RFC 7644: ListResponse, SearchRequest, BulkRequest and BulkResponse.

/// A query (RFC 7644 section 3.4.3), from the URL of a GET or the body of a POST to `.search`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchRequest {
    pub attributes: Vec<String>,
    pub excluded_attributes: Vec<String>,
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    pub sort_order: SortOrder,
    /// As the client sent it; values below 1 mean 1.
    pub start_index: Option<i64>,
    /// As the client sent it; negative values mean 0.
    pub count: Option<i64>,
}

/// The direction of a sort (RFC 7644 section 3.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}
