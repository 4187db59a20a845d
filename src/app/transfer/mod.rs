//! Sharing a file, getting one, managing what was shared, and testing a server: each is a few requests of one [`call`]
//! over one route.

pub mod call;
pub mod get;
pub mod join;
pub mod join_nodes;
pub mod known_file;
pub mod manage;
pub mod parts;
pub mod program;
pub mod routed_server;
pub mod share;
pub mod stage;
pub(crate) mod supported;
pub mod test_server;
mod upload;
mod work;
