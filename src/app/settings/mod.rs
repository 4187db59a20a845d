//! Settings of this person: where they live, what is in them, the file they are kept in.

pub mod config;
mod error;
mod home;
mod look;
mod misspelled;
mod servers;
mod text;
