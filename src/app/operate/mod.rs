//! What operators do from the command line, and the network of one process: checks of servers and relays, commands on a
//! store, the built-in network.

pub mod builtin;
pub mod check;
pub mod store;
