//! What answers mean and how they are written, against small servers that behave as old applications do.

mod again;
mod legacy;
mod rate;
mod server;
mod xml;
