//! What everything that talks over a network shares: identities in TLS, the listener, the one body reader, memory
//! reservations and the guard against web pages. It knows nothing of files, relays or clients.

pub mod body;
pub mod clock;
pub mod key_file;
pub mod listener;
pub mod pace;
#[cfg(any(feature = "net", feature = "relay"))]
pub mod post;
pub mod random;
pub mod reserve;
pub mod resolve;
pub mod settings;
pub mod tls;
pub mod web_guard;
