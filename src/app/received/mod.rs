//! From an opened file to one on this person's disk: its name, what its content is, where it goes and how it is marked.

pub mod content_type;
pub mod file_name;
mod free_name;
pub mod incoming;
mod marks;
pub mod save;
