//! The file server: what it answers, to Session's programs too, what it holds when disks, stores and strangers do their
//! worst, and what its operator sets.
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod support;

mod server {
    mod api;
    mod crash;
    mod faults;
    mod foreign_clients;
    mod limits;
    mod load;
    mod machines;
    mod network;
    mod nginx;
    mod operation;
    mod replay;
    mod serving;
    mod session_client;
    mod shared;
    mod store_conformance;
    mod stores;
    mod three_lines;
}
