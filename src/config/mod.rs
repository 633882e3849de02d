//! The gateway's own settings: a file, then `SCIMITAR_*` variables over it, then one look at the whole that finds all
//! mistakes at once. Nothing about the mapping: that is a document of its own.

pub mod check;
pub mod load;
pub mod problem;
pub mod secrets;
pub mod settings;

pub use check::{ClientSettings, Resolved, ResolvedLimits};
pub use load::load;
pub use problem::{Problem, Problems};
pub use secrets::{SecretError, resolve};
pub use settings::Settings;
