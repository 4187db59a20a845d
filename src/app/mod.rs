//! The use cases that the window and the command line share.

pub mod builtin;
pub mod check;
pub mod config;
pub mod content_type;
pub mod core_dumps;
pub mod error;
pub mod file_name;
pub mod get;
pub mod harmless;
pub mod history;
pub mod instance;
pub mod keystore;
pub mod l10n;
pub mod local_file;
pub mod logging;
pub mod manage;
pub mod message;
pub mod network;
pub mod operator;
pub mod owned;
pub mod relay_file;
pub mod relays;
pub mod save;
pub mod server_check;
pub mod session;
pub mod share;
pub mod streams;
pub mod who_saw_what;

mod history_file;
pub mod io_reason;
mod marks;
mod misspelled;
mod private_file;
mod remembered;
mod upload;
mod work;
