//! What operators see of a running server and do to its store: commands, metrics, counts.

pub mod by_hand;
pub mod control;
pub mod metrics;
pub mod stats;
