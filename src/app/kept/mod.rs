//! Records of this person on this computer: shares and their owner secrets, what relays did, the history and its key.

pub mod history;
mod history_file;
pub mod keystore;
pub mod owned;
#[cfg(test)]
mod promise_tests;
pub(crate) mod remembered;
