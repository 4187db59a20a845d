//! The client's side of the network: moves bytes and time, and decides nothing.
//!
//! What to send, how long to wait and what an outcome means is [`crate::protocol::exchange`]'s.

pub mod client;
pub(crate) mod driver;
pub mod progress;
pub mod relay_source;
pub mod seed;
mod session_tls;
pub mod socks;
mod spare_buffers;
pub(crate) mod transport;

pub(crate) use driver::drive;
pub use driver::{DriveError, Driven, TryPace};
pub use progress::{Moved, Progress};
pub use socks::SocksProxy;
pub(crate) use spare_buffers::SpareBuffers;
pub(crate) use transport::HttpTransport;
