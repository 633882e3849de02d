//! A nasty HR application, and its mapping: what identity providers send passes through it, also on its bad days.

mod door;
mod fake;
mod hr;
