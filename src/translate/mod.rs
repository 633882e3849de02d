//! Translation: a SCIM request and a compiled mapping become a plan; what the backend answers becomes SCIM. PURE.

pub mod outcome;
