//! The settings of a relay.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;
use tracing::level_filters::LevelFilter;

use super::value::{Setting, SizeBytes};
use super::{SettingsLayer, finish_arg, put};
use crate::{
    protocol::relay_list::Serves,
    relay::config::{JoinSource, RelaySettings},
    wire::holder::IpNetwork,
};

/// The settings of a relay that one source names.
#[derive(Args, Clone, Deserialize)]
#[command(mut_args(|arg| finish_arg(arg, Self::SAMPLE)))]
#[serde(deny_unknown_fields)]
pub struct RelayLayer {
    /// Where to listen; port 0 lets the system pick one
    #[arg(long, env = "CLOAKROOM_LISTEN", value_name = "ADDR")]
    listen: Option<Setting<SocketAddr>>,
    /// The IP address that others reach it at, when that is not where it listens
    #[arg(long, env = "CLOAKROOM_PUBLIC_HOST", value_name = "IP")]
    public_host: Option<Setting<IpAddr>>,
    /// The port that others reach it at, when that is not where it listens
    #[arg(long, env = "CLOAKROOM_PUBLIC_PORT", value_name = "PORT")]
    public_port: Option<Setting<NonZeroU16>>,
    /// The relay's identity; made when it is missing
    #[arg(long, env = "CLOAKROOM_KEY", value_name = "FILE")]
    key: Option<Setting<PathBuf>>,
    /// The list of relays to forward to; read again whenever it changes
    #[arg(long, env = "CLOAKROOM_RELAYS", value_name = "FILE")]
    relays: Option<Setting<PathBuf>>,
    /// Join a network: its invitation for relays, a file that holds it, or - for standard input. It is kept beside the
    /// identity (relay.join beside relay.key), so that later starts need none. As a flag other users of the machine can read
    /// the invitation: prefer a file
    #[arg(long, env = "CLOAKROOM_JOIN", value_name = "INVITATION")]
    join: Option<Setting<JoinSource>>,
    /// For which hosts it is the last relay: none, any, or the names of the file servers. With any, strangers can post
    /// to every public host at port 80, 443 or above 1023 through this relay, unseen, and read what it answers [default: none,
    /// or the server of the network that it joined]
    #[arg(long, env = "CLOAKROOM_SERVES", value_name = "HOSTS")]
    serves: Option<Setting<Serves>>,
    /// Be the last relay for servers on this computer too (127.0.0.1, ::1 and localhost), and for the server of its network
    /// if that is at a private address
    #[arg(long, env = "CLOAKROOM_ALLOW_PRIVATE", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_private: Option<Setting<bool>>,
    /// Name of its operator: no path has two relays of one operator
    #[arg(long, env = "CLOAKROOM_OPERATOR", value_name = "NAME")]
    operator: Option<Setting<String>>,
    /// The most memory that requests and answers may take at once; beyond it people are told to try again later
    #[arg(long, env = "CLOAKROOM_MAX_MEMORY", value_name = "SIZE")]
    max_memory: Option<Setting<SizeBytes>>,
    /// Connections served at once; beyond it those make room that have not asked for anything yet. Where the system
    /// allows fewer open files, there are fewer
    #[arg(long, env = "CLOAKROOM_MAX_CONNECTIONS", value_name = "NUMBER")]
    max_connections: Option<Setting<usize>>,
    /// Addresses or networks of proxies before it that speak TLS with this relay's key, such as 127.0.0.1 or
    /// 10.0.0.0/8: the last address that they did not write themselves in X-Forwarded-For is taken for the client's.
    /// Each address has its share of connections, requests and memory; without this setting all clients of a proxy
    /// share one
    #[arg(long, env = "CLOAKROOM_TRUSTED_PROXIES", value_name = "NETWORKS")]
    trusted_proxies: Option<Setting<Vec<IpNetwork>>>,
    /// How much is told on standard error [default: warn]: off, error, warn, info, debug or trace. No level has an
    /// access log: no hosts, addresses, keys
    #[arg(long, env = "CLOAKROOM_LOG", value_name = "LEVEL")]
    log: Option<Setting<LevelFilter>>,
}

impl SettingsLayer for RelayLayer {
    type Settings = RelaySettings;

    const SAMPLE: &'static str = include_str!("../../../packaging/server/relay.toml");

    fn apply(self, folder: &Path, settings: &mut RelaySettings) {
        let in_folder = |Setting(path): Setting<PathBuf>| Setting(folder.join(path));
        put(self.listen, &mut settings.listen);
        put(self.public_host, &mut settings.public_host);
        put(self.key.map(in_folder), &mut settings.key_path);
        put(self.public_port, &mut settings.public_port);
        put(self.relays.map(in_folder), &mut settings.relay_list);
        let join = self.join.map(|Setting(join)| match join {
            JoinSource::File(path) => Setting(JoinSource::File(folder.join(path))),
            elsewhere => Setting(elsewhere),
        });
        put(join, &mut settings.join);
        put(self.serves, &mut settings.serves);
        put(self.allow_private, &mut settings.allow_private);
        put(self.operator, &mut settings.operator);
        put(self.max_memory, &mut settings.max_memory);
        put(self.max_connections, &mut settings.max_connections);
        put(self.trusted_proxies, &mut settings.trusted_proxies);
        put(self.log, &mut settings.log);
    }
}
