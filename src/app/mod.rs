//! The use cases that the window and the command line share.
//!
//! * [`client`]: the one object that both hold; it decides which route a request takes.
//! * [`settings`]: what this person set, and the file it is kept in.
//! * [`relays`]: relay lists: where they come from, how they stay fresh, which one serves a server.
//! * [`transfer`]: sharing, getting, managing, testing a server.
//! * [`parcel`]: what a person shares: looked at once, then read in pieces.
//! * [`received`]: from an opened file to one on the disk.
//! * [`kept`]: records on this computer.
//! * [`words`]: words for people.
//! * [`operate`]: commands of operators, checks (also of what a person uses), and the built-in network.
//! * [`process`]: this process among others.
//! * [`error`]: why a use case failed.
//!
//! A request goes down through [`client`] (straight, built-in network or relays), [`relays`] (whose list),
//! [`transfer::call`], `protocol::exchange` (one try after the other) and `protocol::path` (the three relays of a try).

pub mod client;
pub mod error;
pub mod kept;
pub mod operate;
pub mod parcel;
pub mod process;
pub mod received;
pub mod relays;
pub mod settings;
pub mod transfer;
pub mod words;
