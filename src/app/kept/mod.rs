//! The records that this person has on this computer: shares and their owner secrets, what relays did, the history and its
//! key. Here is what they hold; how a record is read, changed and written without losing anything is `disk::kept`.

pub mod history;
mod history_file;
pub mod keystore;
pub mod owned;
pub(crate) mod remembered;
pub mod removal;
pub mod system_keyring;
#[cfg(test)]
mod tests;
pub mod unfinished;
