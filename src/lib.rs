//! Cloakroom: leave a file at a counter whose attendant never learns what it is or whose it is.
//!
//! # The layers
//!
//! ```text
//! cloakroom (desktop) ─► gui ─► app ─┬─► net ────┐
//! cloak (command line) ─► cli ─► app ─┼─► server ─┼─► wire ─► disk ─► protocol
//!                                     └─► relay ──┘
//! ```
//!
//! Imports run downward only.
//!
//! * [`protocol`] holds formats, onion layers and decisions. It is pure and synchronous: `now` and the random source
//!   are parameters, so every test of it is a replay.
//! * `disk` is what lies on this computer: private files, records, key files, locks.
//! * `wire` is what everything that talks over a network shares: identities in TLS, the listener, the body reader.
//! * `net` moves the client's bytes and time, and decides nothing.
//! * `server` stores blobs it cannot read; `relay` peels one layer and passes the rest on.
//! * `app` holds the use cases that the window and the command line share.
//! * `gui` and `cli` are two faces of `app`.
//!
//! # The terms
//!
//! A file's **content** is padded and sealed into a **blob** of one of eight constant sizes ([`protocol::size_class`]).
//! A **pointer** is what the recipient needs: server, id, digest and key. A **relay** peels one layer of an onion
//! request; the first on a **path** is the **guard**. The **file server** answers at the end of it.

pub mod protocol;

#[cfg(feature = "disk")]
pub mod disk;

#[cfg(feature = "wire")]
pub mod wire;

#[cfg(feature = "net")]
pub mod net;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "relay")]
pub mod relay;

#[cfg(feature = "app")]
pub mod app;

#[cfg(feature = "cli")]
pub mod cli;

#[cfg(feature = "gui")]
pub mod gui;
