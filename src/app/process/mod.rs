//! This process among others: its one window, its log lines and standard streams, and no copies of its memory on disk.

pub mod core_dumps;
pub mod instance;
pub mod logging;
pub mod streams;
