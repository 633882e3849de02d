//! A nasty HR application, and its mapping: what identity providers send passes through it, also on its bad days.

mod cases;
mod door;
mod fake;
mod hr;
mod life;

/// The mapping of the application.
const MAPPING: &str = include_str!("orion-hr.yaml");
