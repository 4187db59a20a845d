//! The network between a person and a file server: relays, where they are from, how they fail, strangers that lie, the way
//! out through a proxy; and, in `privacy`, what each party and each log can learn of people.
#![expect(clippy::unwrap_used, reason = "a step that fails here fails its test")]

mod support;

mod network {
    mod between;
    mod bucket;
    mod hostile;
    mod joining;
    mod members;
    mod parts;
    mod parts_memory;
    mod place;
    mod relay_death;
    mod relay_load;
    mod relay_sources;
    mod relays;
    #[cfg(feature = "gui")]
    mod relays_in_window;
    mod session_network;
    mod socks;
    mod socks_server;
    mod world;

    mod privacy {
        mod client_log;
        mod leak;
        mod operator_log;
        mod sealed_return;
        mod shown;
    }
}
