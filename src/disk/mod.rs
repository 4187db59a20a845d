//! What lies on this computer: files and folders that only their owner reads, files that must not be mistaken for missing
//! ones, key files and locks. It knows nothing of networks.

pub mod io_reason;
pub mod kept;
pub mod key_file;
pub mod lock_file;
#[cfg(feature = "app")]
pub mod private;
pub mod small_file;
