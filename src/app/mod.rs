//! The use cases that the window and the command line share.

pub mod config;
pub mod file_name;
pub mod message;
pub mod save;
