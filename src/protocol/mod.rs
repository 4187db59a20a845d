//! Formats, onion layers and decisions: pure and synchronous.
//!
//! Nothing here reads a clock, a file, a socket, the environment or the operating system's generator; `now` is unix
//! seconds or a [`core::time::Duration`] handed in, and random bytes come from a caller's [`rand_core::CryptoRng`].
// Bytes from outside come in here: an index that is out of bounds would end the program.
#![warn(clippy::indexing_slicing)]
#![warn(missing_docs)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod address;
pub mod bech32m;
pub mod bytes;
pub mod capability;
mod cbor;
pub mod digest;
pub mod disclosure;
pub mod exchange;
pub mod file_api;
pub mod folder;
pub mod invitation;
pub(crate) mod ip;
mod json;
pub mod keys;
pub mod network;
pub mod onion;
pub mod parts;
pub mod path;
pub mod pointer;
pub mod relay_list;
pub mod resume;
pub mod seal;
pub mod size_class;
pub mod text;
mod word_list;
