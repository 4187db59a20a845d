//! The settings of a file server.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;
use tracing::level_filters::LevelFilter;

use super::value::{Setting, SizeBytes, TimeSecs};
use super::{SettingsLayer, finish_arg, put};
use crate::{
    protocol::{
        address::ServerUrl,
        capability::{AccessWord, work::WorkBase},
        keys::Ed25519Public,
        network::JoinRule,
    },
    server::{config::ServerSettings, store::location::StoreLocation},
    wire::holder::IpNetwork,
};

/// The settings of a file server that one source names.
#[derive(Args, Clone, Deserialize)]
#[command(mut_args(|arg| finish_arg(arg, Self::SAMPLE)))]
#[serde(deny_unknown_fields)]
pub struct ServerLayer {
    /// Where to listen; port 0 lets the system pick one
    #[arg(long, env = "CLOAKROOM_LISTEN", value_name = "ADDR")]
    listen: Option<Setting<SocketAddr>>,
    /// The URL under which the last relays reach it [default: http:// and where it listens]; http is enough, what
    /// travels is sealed to the server's key
    #[arg(long, env = "CLOAKROOM_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Setting<ServerUrl>>,
    /// Where the blobs lie: a folder, made if it is missing, or s3://bucket/prefix (in a program built with the feature
    /// s3; endpoint, region and credentials come from the usual AWS_ variables)
    #[arg(long, env = "CLOAKROOM_STORE", value_name = "PLACE")]
    store: Option<Setting<StoreLocation>>,
    /// The server's identity, made when it is missing [default: server.key in the folder of the store]; back it up, and
    /// give the same to every server of a bucket
    #[arg(long, env = "CLOAKROOM_KEY", value_name = "FILE")]
    key: Option<Setting<PathBuf>>,
    /// Identities that this server had before and still answers for, so that older addresses and pointers go on
    /// working; take them out after 60 days
    #[arg(long, env = "CLOAKROOM_PREVIOUS_KEYS", value_name = "FILES")]
    previous_keys: Option<Setting<Vec<PathBuf>>>,
    /// Uploads must have this word of up to 64 characters, one for all (different words would tell people apart). As a
    /// flag other users of the machine can read it: prefer this file or the variable. In a network, cloak host new-words
    /// --access draws another one in its place
    #[arg(long, env = "CLOAKROOM_ACCESS_WORD", value_name = "WORD")]
    access_word: Option<Setting<AccessWord>>,
    /// Work that an upload must have done: 14, 16, 18, 20 or 22 bits for the smallest size, up to 7 more for the larger
    /// ones; 0 is none. Each bit more doubles it; 20 take a computer about a second. Uploads without an owner, such as
    /// those of Session's clients, are refused then
    #[arg(long, env = "CLOAKROOM_WORK_BITS", value_name = "NUMBER")]
    work_bits: Option<Setting<Option<WorkBase>>>,
    /// The most that the store may hold; beyond it uploads are told that the server is full
    #[arg(long, env = "CLOAKROOM_MAX_TOTAL", value_name = "SIZE")]
    max_total: Option<Setting<SizeBytes>>,
    /// The largest blob. Cloakroom sends up to 10000000 bytes in one; the default is what Session's clients may send
    #[arg(long, env = "CLOAKROOM_MAX_BLOB", value_name = "SIZE")]
    max_blob: Option<Setting<SizeBytes>>,
    /// How long a blob is kept when its upload does not say
    #[arg(long, env = "CLOAKROOM_TTL_DEFAULT", value_name = "TIME")]
    ttl_default: Option<Setting<TimeSecs>>,
    /// The longest that an upload or an extension may ask for
    #[arg(long, env = "CLOAKROOM_TTL_MAX", value_name = "TIME")]
    ttl_max: Option<Setting<TimeSecs>>,
    /// The most memory that requests and answers may take at once; beyond it people are told to try again later
    #[arg(long, env = "CLOAKROOM_MAX_MEMORY", value_name = "SIZE")]
    max_memory: Option<Setting<SizeBytes>>,
    /// Connections served at once; beyond it those make room that have not asked for anything yet. Where the system
    /// allows fewer open files, there are fewer
    #[arg(long, env = "CLOAKROOM_MAX_CONNECTIONS", value_name = "NUMBER")]
    max_connections: Option<Setting<usize>>,
    /// Addresses or networks of web servers before it, such as 127.0.0.1 or 10.0.0.0/8: the last address that they did
    /// not write themselves in X-Forwarded-For is taken for the client's. Each address has its share of connections,
    /// requests and memory; without this setting all clients of a web server share one
    #[arg(long, env = "CLOAKROOM_TRUSTED_PROXIES", value_name = "NETWORKS")]
    trusted_proxies: Option<Setting<Vec<IpNetwork>>>,
    /// How long one question to the store may take; beyond it people are told that the server failed
    #[arg(long, env = "CLOAKROOM_STORE_TIMEOUT", value_name = "TIME")]
    store_timeout: Option<Setting<TimeSecs>>,
    /// How long a stop waits for what runs
    #[arg(long, env = "CLOAKROOM_STOP_TIMEOUT", value_name = "TIME")]
    stop_timeout: Option<Setting<TimeSecs>>,
    /// How often expired blobs are removed
    #[arg(long, env = "CLOAKROOM_SWEEP_EVERY", value_name = "TIME")]
    sweep_every: Option<Setting<TimeSecs>>,
    /// Serve the file routes outside onion requests too: whoever uses them shows their address
    #[arg(long, env = "CLOAKROOM_PLAIN_HTTP", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    plain_http: Option<Setting<bool>>,
    /// A signed relay list to hand out, its signature beside it in FILE.sig; read again whenever it changes
    #[arg(long, env = "CLOAKROOM_RELAY_LIST", value_name = "FILE")]
    relay_list: Option<Setting<PathBuf>>,
    /// The public key that signs relay_list, as `cloak relay-list key` prints it, where that is the list of a network: then
    /// the server signs none, and invitations name this key
    #[arg(long, env = "CLOAKROOM_LIST_KEY", value_name = "HEX")]
    list_key: Option<Setting<Ed25519Public>>,
    /// Keep a network of this name, 1 to 40 bytes: relays join it by an invitation, and the server signs their list. Its key
    /// list.key is made beside the identity: back it up too
    #[arg(long, env = "CLOAKROOM_NETWORK", value_name = "NAME")]
    network: Option<Setting<String>>,
    /// Whether a relay that joins the network is listed at once (open) or waits until you approve it (ask)
    #[arg(long, env = "CLOAKROOM_JOINING", value_name = "RULE")]
    joining: Option<Setting<JoinRule>>,
    /// Let relays join whose addresses are not on the public internet: for a network within one house
    #[arg(long, env = "CLOAKROOM_ALLOW_PRIVATE", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_private: Option<Setting<bool>>,
    /// Totals for Prometheus at this address, on loopback only; they change once an hour, so that they tell nobody when
    /// something happened
    #[arg(long, env = "CLOAKROOM_METRICS", value_name = "ADDR")]
    metrics: Option<Setting<SocketAddr>>,
    /// How much is told on standard error [default: warn]: off, error, warn, info, debug or trace. No level has an
    /// access log: no ids, addresses, keys
    #[arg(long, env = "CLOAKROOM_LOG", value_name = "LEVEL")]
    log: Option<Setting<LevelFilter>>,
}

impl SettingsLayer for ServerLayer {
    type Settings = ServerSettings;

    const SAMPLE: &'static str = include_str!("../../../packaging/server/server.toml");

    fn apply(self, folder: &Path, settings: &mut ServerSettings) {
        let in_folder = |Setting(path): Setting<PathBuf>| Setting(folder.join(path));
        put(self.listen, &mut settings.listen);
        put(self.public_url, &mut settings.public_url);
        let store = self.store.map(|Setting(store)| match store {
            StoreLocation::Folder(path) => Setting(StoreLocation::Folder(folder.join(path))),
            elsewhere => Setting(elsewhere),
        });
        put(store, &mut settings.store);
        put(self.key.map(in_folder), &mut settings.key_path);
        let previous_key_paths = self.previous_keys.map(|Setting(paths)| {
            let paths = paths.into_iter().map(|path| folder.join(path));
            Setting(paths.collect::<Vec<_>>())
        });
        put(previous_key_paths, &mut settings.previous_key_paths);
        put(self.access_word, &mut settings.access_word);
        put(self.work_bits, &mut settings.work);
        put(self.max_total, &mut settings.max_total);
        put(self.max_blob, &mut settings.policy.max_blob);
        put(self.ttl_default, &mut settings.policy.ttl_default);
        put(self.ttl_max, &mut settings.policy.ttl_max);
        put(self.max_memory, &mut settings.max_memory);
        put(self.max_connections, &mut settings.max_connections);
        put(self.trusted_proxies, &mut settings.trusted_proxies);
        put(self.store_timeout, &mut settings.store_timeout);
        put(self.stop_timeout, &mut settings.stop_timeout);
        put(self.sweep_every, &mut settings.sweep_every);
        put(self.plain_http, &mut settings.plain_http);
        put(self.relay_list.map(in_folder), &mut settings.relay_list);
        put(self.list_key, &mut settings.list_key);
        put(self.network, &mut settings.network);
        put(self.joining, &mut settings.joining);
        put(self.allow_private, &mut settings.allow_private);
        put(self.metrics, &mut settings.metrics);
        put(self.log, &mut settings.log);
    }
}
