//! How a network keeps its own list of relays: who may join, who leaves, and when a new list is signed. Pure decisions;
//! whoever drives them moves the bytes, asks relays and keeps the state.
//!
//! ```text
//! POST /relays/join ─► SignedAnnouncement::verify ─► RelayRegister::on_announcement ─► Prove ─► on_proof ─┐
//! every hour        ─► RelayRegister::begin_round ─► one look at each relay ─► finish_round ──────────────┤
//! the operator      ─► approve, remove, block, new words ─────────────────────────────────────────────────┤
//!                                                            GET /relays ◄─ signed_list ◄─ issue ◄────────┘
//! ```
//!
//! Where the list is signed elsewhere, [`RelayRegister::take_list`] stands for that. After each of these the
//! driver calls [`RelayRegister::issue`] and keeps [`RelayRegister::to_bytes`] before it answers.
//!
//! The relay's side is [`Membership`]: it says when to announce the relay and when to fetch the list.
//!
//! * `announcement`: what a relay says of itself, signed by its key for one server.
//! * `request`: how it says that to the server, and what it is answered.
//! * `membership`: a relay's place in a network.
//! * `register`: the relays that joined, and the rules of joining.
//! * `rates`: how many announcements are looked at within a minute.
//! * `looks`: the hourly look, and which relays stand in the list.
//! * `issue`: the signed list, and the server's invitations to the network.
//! * `invite`: the relays of an invitation, and those that members make.
//! * `operator`: what the operator decides by hand; `renewed`: a word that is replaced.
//! * `stored`: the state as bytes.
//! * `merge`: what several servers of one network know becomes one register; `sealed_register`: how they hand it to each other
//!   through a store that none of them trusts.

mod announcement;
mod invite;
mod issue;
mod looks;
mod membership;
mod merge;
mod operator;
mod rates;
mod register;
mod renewed;
mod request;
mod sealed_register;
mod stored;

pub use announcement::{
    AnnouncementError, RelayAnnouncement, RelayDetails, SignedAnnouncement, next_at_ms,
};
pub use invite::MemberInvite;
pub(crate) use invite::draw_path;
pub use issue::{InviteRefused, Issue, NoInvitation};
pub use looks::{Look, LookRound, RoundOutcome};
pub use membership::{
    ListOutcome, MemberStep, Membership, NotForRelays, PendingAnnouncement, RenewRefused,
    StoredMembershipError,
};
pub use operator::{ApproveError, NoAccessWord, RelayState, RelayView};
pub use register::{
    Admitted, JoinRefused, JoinRule, JoinStep, ListSigner, NetworkRules, PendingProof,
    ProofOutcome, ProofRoute, RelayRegister,
};
pub use request::{JoinAnswer, RelayRequest, address_response, read_address};
pub use sealed_register::{OpenRegisterError, RegisterSeal, SealedRegister};
pub use stored::StoredRegisterError;
