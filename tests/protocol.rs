//! Formats and decisions alone, without sockets and processes: what strangers may send to a decoder, files in parts and
//! folders, invitations, the list of relays that a network keeps, and transfers over thousands of relays on virtual time.
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod protocol {
    mod decoder_memory;
    mod invitations;
    mod large_memory;
    mod large_vectors;
    mod network_membership;
    mod network_merge;
    mod network_register;
    mod path_simulation;
    mod virtual_network;
}
