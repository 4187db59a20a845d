//! Cloakroom: leave a file at a counter whose attendant never learns what it is or whose it is.
//!
//! # The layers
//!
//! ```text
//! cloakroom (desktop) ──► gui ─► app ─┬─► net ────┐
//! cloak (command line) ─► cli ─► app ─┼─► server ─┼─► wire ─► disk ─► protocol
//!                                     └─► relay ──┘
//! ```
//!
//! Imports run downward only.
//!
//! * [`protocol`] holds formats, onion layers and decisions. It is pure and synchronous: `now` and the random source
//!   are parameters, so every test of it is a replay.
//! * `disk` is what lies on this computer: private files, records, key files, locks, local sockets.
//! * `wire` is what everything that talks over a network shares: identities in TLS, the listener, the body reader.
//! * `net` moves the client's bytes and time, and decides nothing.
//! * `server` stores blobs it cannot read; `relay` peels one layer and passes the rest on.
//! * `app` holds the use cases that the window and the command line share.
//! * `gui` and `cli` are two faces of `app`; `cli` also runs servers and relays. Their entries are `src/main.rs` and
//!   `src/bin/cloak.rs`.
//!
//! # The terms
//!
//! A file's **content** is padded and sealed into a **blob** of one of eight constant sizes ([`protocol::size_class`]).
//! What is too long for one blob is cut into **parts**, which a **list** names ([`protocol::parts`]); a **folder** is content
//! that begins with a **manifest** of its files ([`protocol::folder`]).
//! A **pointer** is what the recipient needs: server, id, digest and key. A **relay** peels one layer of an onion
//! request. Three of them are a **path**: the **guard**, which stays the same for months, a **middle** and a **last**,
//! drawn anew for each **try** of a request. The **file server** answers at the end of it.
//!
//! The **route** to a server is direct, or through the relays of a **relay list**; where that list comes from is its
//! **source**. `app::client` decides between the two, `app::relays` whose list serves the server, `protocol::path` which
//! three relays of it. A server can **mirror** a list, and a pointer can offer one, which is **accepted** for the address of its
//! server alone. The **built-in network** is a server and three relays inside this program. **Session** is the messenger whose
//! service nodes can serve as relays.
//!
//! A **network** is a server and the relays whose list it keeps ([`protocol::network`]). People and relays come to it by an
//! **invitation** ([`protocol::invitation`]); no program for people reads one yet.
//!
//! Who shared a file can manage it by its **owner token**. A **receipt** tells the sender of a download. A server can ask
//! for an **access word** or for **work** (a puzzle that costs computing time) before it takes an upload.

// A build of some rooms does not use all of what they have for the others: what nobody uses shows with all features.
#![cfg_attr(
    not(all(feature = "cli", feature = "gui", feature = "s3", feature = "testing")),
    allow(
        dead_code,
        unused_imports,
        reason = "the rooms that use it are not built"
    )
)]

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
