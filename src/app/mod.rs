//! The use cases that the window and the command line share.
//!
//! * [`client`]: the one object that both hold; it decides which route a request takes.
//! * [`settings`]: what this person set, and the file it is kept in.
//! * [`relays`]: relay lists, from where they come to the paths that are drawn from them.
//! * [`transfer`]: sharing, getting, managing, testing a server.
//! * [`received`]: from an opened file to one on the disk.
//! * [`kept`]: records on this computer.
//! * [`words`]: words for people.
//! * [`operate`]: commands of operators, and the built-in network.
//! * [`process`]: this process among others.
//! * [`error`]: why a use case failed.

pub mod client;
pub mod error;
pub mod kept;
pub mod operate;
pub mod process;
pub mod received;
pub mod relays;
pub mod settings;
pub mod transfer;
pub mod words;
