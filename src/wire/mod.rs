//! What everything that talks over a network shares: identities in TLS, the listener, the one body reader, memory
//! reservations and the guard against web pages. It knows nothing of files, relays or clients.

pub mod admission;
pub mod body;
pub mod clock;
mod connections;
mod fair_queue;
pub mod holder;
#[cfg(any(feature = "server", feature = "relay"))]
pub(crate) mod http_client;
pub mod listener;
pub mod open_files;
pub mod pace;
#[cfg(any(feature = "net", feature = "relay"))]
pub mod post;
pub mod random;
pub mod reserve;
pub mod resolve;
#[cfg(any(feature = "server", feature = "relay"))]
pub(crate) mod sealed_request;
pub mod tls;
mod turns;
pub(crate) mod web_guard;
