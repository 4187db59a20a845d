//! Sharing a file, getting one, managing what was shared, and testing a server: each a few requests over one way.

pub mod get;
pub mod known_file;
pub mod local_file;
pub mod manage;
pub mod network;
pub mod session;
pub mod share;
pub mod test_server;
mod upload;
mod work;
