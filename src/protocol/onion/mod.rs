//! Onion requests v4: the layers a client wraps around a request, and what each relay takes off again.
//!
//! The wire is Session's, byte for byte, so that its relays and file servers can serve this client and the other way
//! round. Two things are added without breaking it: every request to a guard has one of nine lengths
//! ([`build()`]), and relays that know the `sealed` key of a layer seal what they send back with that layer's key
//! ([`peel::ReplyLayer`]), so that no two links carry the same bytes and an error is authenticated by its maker.
//!
//! * [`envelope`]: `[N: u32 LE][N bytes][JSON]`, the shape of every layer.
//! * [`hop_cipher`]: the two ciphers of a layer.
//! * [`v4`]: the bencoded request and answer inside the innermost layer.
//! * [`build()`]: the client's way out; [`reply`]: the client's way back.
//! * [`peel()`]: one relay; [`destination`]: the server at the end.
//! * [`replay`]: the memory of the last hour.

pub mod build;
pub mod destination;
pub mod envelope;
pub mod hop_cipher;
pub mod peel;
pub mod replay;
pub mod reply;
pub mod v4;

#[cfg(test)]
mod tests;

pub(crate) use build::build_in;
pub use build::{BuildError, Built, OnionRoute, build};
pub use destination::{OpenedRequest, ServerReply, open_request, open_request_by};
pub use hop_cipher::HopCipher;
pub use peel::{Peeled, RelayInstruction, ReplyLayer, peel};
pub use replay::{ReplayCheck, ReplayMemory, ReplayTag};
pub use reply::{Hop, ReplyError, ReplyKeys};

/// Largest request and answer on any link, in bytes: 10 MiB.
pub const MAX_MESSAGE_LEN: usize = 10_485_760;

/// What a request posted to a guard weighs over the blob it carries, in bytes.
pub const REQUEST_OVERHEAD: usize = 2_560;

/// Where guards take onion requests.
pub const GUARD_ENDPOINT: &str = "/onion_req/v2";

/// Where file servers take onion requests.
pub const SERVER_ENDPOINT: &str = "/oxen/v4/lsrpc";

/// The highest `hop_no` a relay accepts from anybody: Session's relays accept it too.
pub const MAX_HOP_NO: u8 = 15;

/// The highest `hop_no` a relay accepts from a client that asks for a sealed return: such a client starts at 5 or below
/// and has three relays.
pub(crate) const MAX_SEALED_HOP_NO: u8 = 7;

/// How a relay begins to say that it does not know the next one.
pub const NOT_FOUND: &str = "Next node not found: ";
/// How a relay begins to say that it cannot reach the next one.
pub const UNREACHABLE: &str = "Next node is currently unreachable: ";
