//! What lies on this computer: records that several programs of this person change, private files and folders, key files,
//! locks and local sockets. It knows nothing of networks.

pub mod io_reason;
pub(crate) mod journal;
pub mod kept;
pub mod key_file;
pub(crate) mod local_socket;
pub(crate) mod lock_file;
pub(crate) mod open_folder;
pub(crate) mod path_bytes;
pub mod private;
