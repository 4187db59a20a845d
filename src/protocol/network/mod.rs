//! How a network keeps its own list of relays: who may join, who leaves, and when a new list is signed. Pure decisions;
//! whoever drives them moves the bytes, asks relays and keeps the state.
//!
//! ```text
//! POST /relays/join ─► SignedAnnouncement::verify ─► RelayRegister::on_announcement ─► Prove ─► on_proof ─┐
//! every hour        ─► RelayRegister::begin_round ─► one look at each relay ─► finish_round ──────────────┤
//! the operator      ─► approve, remove, block, new_join_word ─────────────────────────────────────────────┤
//!                                                            GET /relays ◄─ signed_list ◄─ issue ◄────────┘
//! ```
//!
//! After each of these the driver calls [`RelayRegister::issue`] and keeps [`RelayRegister::to_bytes`] before it answers.
//!
//! * `announcement`: what a relay says of itself, signed by its key for one server.
//! * `register`: the relays that joined, and the rules of joining.
//! * `rates`: how many announcements are looked at within a minute.
//! * `looks`: the hourly look, and which relays stand in the list.
//! * `issue`: the signed list, and invitations to the network.
//! * `operator`: what the operator decides by hand.
//! * `stored`: the state as bytes.

mod announcement;
mod issue;
mod looks;
mod operator;
mod rates;
mod register;
mod stored;

pub use announcement::{
    AnnouncementError, RelayAnnouncement, RelayDetails, SignedAnnouncement, next_at_ms,
};
pub use issue::{InviteRefused, Issue};
pub use looks::{Look, LookRound, RoundOutcome};
pub use operator::{ApproveError, RelayState, RelayView};
pub use register::{
    Admitted, JoinRefused, JoinRule, JoinStep, NetworkRules, PendingProof, ProofOutcome,
    ProofRoute, RelayRegister,
};
pub use stored::StoredRegisterError;
