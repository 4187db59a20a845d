//! What a relay does with a request: peeled, looked up and judged, but nothing sent.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rand_core::CryptoRng;
use url::Host;

use super::addresses;
use crate::{
    protocol::{
        ip,
        keys::{Ed25519Public, Identity, X25519Secret},
        onion::{
            NOT_FOUND, RelayInstruction, ReplayCheck, ReplayMemory, ReplyLayer, peel,
            peel::ServerTarget,
        },
        relay_list::{RelayDescriptor, Serves},
    },
    wire::holder::Holder,
};

/// The decisions of a relay, without its network.
pub struct RelayNode {
    own: Ed25519Public,
    secret: X25519Secret,
    rule: Arc<ProxyRule>,
    seen: Mutex<ReplayMemory>,
    known: RwLock<Arc<HashMap<Ed25519Public, RelayDescriptor>>>,
}

/// What to do with a request.
pub enum Decision {
    /// Post `body` to another relay.
    Forward {
        /// The relay.
        to: RelayDescriptor,
        /// The request without this relay's layer.
        body: Vec<u8>,
        /// Where on the path this relay stands.
        hop_no: u8,
        /// Key and cipher of the answer's way back.
        reply: ReplyLayer,
    },
    /// Post `body` to a server.
    Proxy {
        /// The server to post to.
        target: ServedServer,
        /// The whole decrypted layer.
        body: Vec<u8>,
        /// Where on the path this relay stands.
        hop_no: u8,
        /// Key and cipher of the answer's way back.
        reply: ReplyLayer,
    },
    /// Answer at once.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The body, sealed if the sender asked for that.
        body: Vec<u8>,
    },
}

/// What a first look at a request says.
pub enum FirstLook {
    /// What to do.
    Decided(Decision),
    /// The next relay of the path is not on the list that is held. A newer one may have it: then [`RelayNode::look_again`].
    Unlisted(Unlisted),
}

/// A request to a relay that is not on the list that is held.
pub struct Unlisted {
    to: Ed25519Public,
    body: Vec<u8>,
    hop_no: u8,
    reply: ReplyLayer,
}

/// A server that this relay serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedServer {
    /// Whether by TLS.
    pub https: bool,
    /// Where, as URL.
    pub url: String,
}

impl RelayNode {
    /// A relay that knows no others yet.
    #[must_use]
    pub fn new(key: &Identity, rule: Arc<ProxyRule>) -> Self {
        Self {
            own: key.public(),
            secret: key.x25519(),
            rule,
            seen: Mutex::new(ReplayMemory::new()),
            known: RwLock::default(),
        }
    }

    /// Replaces the relays that it forwards to. It is none of them itself: a path that names it twice in a row ends here.
    pub fn set_relays(&self, mut known: HashMap<Ed25519Public, RelayDescriptor>) {
        known.remove(&self.own);
        *self.known.write() = Arc::new(known);
    }

    /// Whether the party at `from` can only be this relay of the list. Requests carry no name, so its address must tell:
    /// relays that share one, as behind one router, are not told apart, and on loopback nobody is.
    fn is_only(&self, relay: &RelayDescriptor, from: IpAddr) -> bool {
        let from = from.to_canonical();
        let is_there = |other: &RelayDescriptor| other.host.to_canonical() == from;
        !from.is_loopback()
            && is_there(relay)
            && self
                .known()
                .values()
                .filter(|other| is_there(other))
                .count()
                == 1
    }

    /// Takes this relay's layer off `body`, which came from the address `from`, and decides by the list that is held. A path
    /// does not lead back: neither to this relay nor to the one before it. Opens up to 10 MB: call it where that may take its
    /// time.
    pub fn handle(
        &self,
        body: Vec<u8>,
        from: IpAddr,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Decision {
        match self.first_look(body, from, now, rng) {
            FirstLook::Decided(decision) => decision,
            FirstLook::Unlisted(request) => self.look_again(request, from, rng),
        }
    }

    /// Like [`Self::handle`], for who can have a newer list.
    pub fn first_look(
        &self,
        body: Vec<u8>,
        from: IpAddr,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> FirstLook {
        let peeled = match peel(&self.secret, body) {
            Ok(peeled) => peeled,
            Err(error) => return Decision::plain(400, &error.to_string()).into(),
        };
        // Only a layer that was opened is remembered: noise must not fill the memory.
        let remembered = self
            .seen
            .lock()
            .insert(peeled.tag, Holder::of(from).address, now);
        match remembered {
            ReplayCheck::Fresh => {}
            ReplayCheck::NoRoom => {
                return Decision::plain(503, "Server busy, try again later").into();
            }
            // In the words for a layer that cannot be opened: whoever sends a copy learns nothing from it.
            ReplayCheck::Seen => return Decision::plain(400, "Invalid ciphertext").into(),
        }
        let (hop_no, reply) = (peeled.hop_no, peeled.reply);
        let decision = match peeled.next {
            RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                Decision::sealed(reply.invalid("Invalid json", rng))
            }
            RelayInstruction::Forward { to, body } => {
                let request = Unlisted {
                    to,
                    body,
                    hop_no,
                    reply,
                };
                if to != self.own && !self.known().contains_key(&to) {
                    return FirstLook::Unlisted(request);
                }
                self.look_again(request, from, rng)
            }
            RelayInstruction::Proxy(proxy) => match self.rule.allowed_target(&proxy) {
                Some(target) => Decision::Proxy {
                    target,
                    body: proxy.body,
                    hop_no,
                    reply,
                },
                None => Decision::sealed(reply.invalid(INVALID_URL, rng)),
            },
        };
        decision.into()
    }

    /// Decides about a request to another relay by the list that is held now.
    pub fn look_again(
        &self,
        request: Unlisted,
        from: IpAddr,
        rng: &mut impl CryptoRng,
    ) -> Decision {
        let Unlisted {
            to,
            body,
            hop_no,
            reply,
        } = request;
        match self.known().get(&to) {
            Some(relay) if !self.is_only(relay, from) => Decision::Forward {
                to: relay.clone(),
                body,
                hop_no,
                reply,
            },
            _ => {
                let text = format!("{NOT_FOUND}{}", to.to_hex());
                Decision::sealed(reply.failure(502, &text, rng))
            }
        }
    }

    fn known(&self) -> Arc<HashMap<Ed25519Public, RelayDescriptor>> {
        Arc::clone(&self.known.read())
    }
}

impl From<Decision> for FirstLook {
    fn from(decision: Decision) -> Self {
        Self::Decided(decision)
    }
}

impl Decision {
    fn plain(status: u16, text: &str) -> Self {
        Self::Refuse {
            status,
            body: text.as_bytes().to_vec(),
        }
    }

    fn sealed((status, body): (u16, Vec<u8>)) -> Self {
        Self::Refuse { status, body }
    }
}

/// For which servers a relay is the last one.
#[derive(Clone, Debug)]
pub struct ProxyRule {
    serves: Serves,
    listed: Vec<String>,
    own: Vec<IpAddr>,
    is_here: fn(IpAddr) -> bool,
}

impl ProxyRule {
    /// The rule of a relay that is reached at the addresses `own`, beside those of its machine.
    #[must_use]
    pub fn new(serves: Serves, allow_private: bool, own: Vec<IpAddr>) -> Self {
        let mut listed = match &serves {
            Serves::Hosts(hosts) => hosts.clone(),
            Serves::Any | Serves::None => Vec::new(),
        };
        if allow_private {
            for host in LOOPBACK_HOSTS {
                if !listed.iter().any(|known| known == host) {
                    listed.push(host.to_owned());
                }
            }
        }
        Self {
            serves,
            listed,
            own: own.into_iter().map(ip::unwrapped).collect(),
            is_here: addresses::is_here,
        }
    }

    /// The rule of a relay that serves the server at `host` because it joined that server's network. Its operator has not
    /// named the host, so it may be at a private address only with `allow_private`.
    #[must_use]
    pub(crate) fn of_network(host: &str, allow_private: bool, own: Vec<IpAddr>) -> Self {
        let serves = Serves::Hosts(vec![host.to_owned()]);
        let listed = if allow_private {
            serves.clone()
        } else {
            Serves::None
        };
        Self {
            serves,
            ..Self::new(listed, allow_private, own)
        }
    }

    /// What the relay's list entry says.
    #[must_use]
    pub(crate) fn serves(&self) -> Serves {
        let hosts = match &self.serves {
            Serves::Any => return Serves::Any,
            Serves::Hosts(hosts) if self.listed.is_empty() => hosts,
            Serves::Hosts(_) | Serves::None => &self.listed,
        };
        if hosts.is_empty() {
            Serves::None
        } else {
            Serves::Hosts(hosts.clone())
        }
    }

    /// Where a layer's request goes, if it may go there at all.
    #[must_use]
    pub(crate) fn allowed_target(&self, proxy: &ServerTarget) -> Option<ServedServer> {
        let https = match proxy.protocol.as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let target = proxy.target.as_str();
        let allowed_target = (target.starts_with("/loki/") || target.starts_with("/oxen/"))
            && target.ends_with("/lsrpc")
            && target
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte))
            && !target.split('/').any(|part| matches!(part, "." | ".."));
        if proxy.method != "POST" || !allowed_target || !matches!(proxy.port, 80 | 443 | 1024..) {
            return None;
        }
        let host = canonical_host(&proxy.host)?;
        if !self.serves.includes(&proxy.host) && !self.is_listed(&proxy.host) {
            return None;
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(addr) => Some(IpAddr::V4(addr)),
            Host::Ipv6(addr) => Some(IpAddr::V6(addr)),
        };
        if literal.is_some_and(|addr| !self.allows(&proxy.host, addr)) {
            return None;
        }
        let scheme = if https { "https" } else { "http" };
        Some(ServedServer {
            https,
            url: format!("{scheme}://{host}:{}{target}", proxy.port),
        })
    }

    /// Whether a connection to `addr` may be made for `host`: only to public addresses that are not the relay's own,
    /// unless the operator listed the host.
    #[must_use]
    pub(crate) fn allows(&self, host: &str, addr: IpAddr) -> bool {
        self.is_listed(host)
            || (ip::is_global(addr)
                && !self.own.contains(&ip::unwrapped(addr))
                && !(self.is_here)(addr))
    }

    fn is_listed(&self, host: &str) -> bool {
        self.listed
            .iter()
            .any(|listed| listed.eq_ignore_ascii_case(host))
    }
}

/// The host, if it is written as the `url` crate prints it; the literal of an IPv6 address with or without brackets.
fn canonical_host(text: &str) -> Option<Host> {
    if let Ok(addr) = text.parse::<Ipv6Addr>() {
        return (addr.to_string() == text).then_some(Host::Ipv6(addr));
    }
    let host = Host::parse(text).ok()?;
    (text.len() <= MAX_HOST_LEN && host.to_string() == text).then_some(host)
}

/// The text for a server that this relay does not post to.
const INVALID_URL: &str = "Invalid url";

const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "::1", "localhost"];
const MAX_HOST_LEN: usize = 253;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::{
        file_api::FileRequest,
        onion::{HopCipher, OnionRoute, build},
    };

    fn proxy(protocol: &str, host: &str, port: u16, target: &str) -> ServerTarget {
        ServerTarget {
            host: host.to_owned(),
            port,
            protocol: protocol.to_owned(),
            target: target.to_owned(),
            method: "POST".to_owned(),
            body: Vec::new(),
        }
    }

    fn any() -> ProxyRule {
        ProxyRule::new(Serves::Any, false, vec!["8.8.4.4".parse().unwrap()])
    }

    #[test]
    fn targets_are_those_of_the_network() {
        for target in [
            "/loki/v3/lsrpc",
            "/loki/oxen/v4/lsrpc",
            "/oxen/v3/lsrpc",
            "/oxen/v4/lsrpc",
        ] {
            assert!(
                any()
                    .allowed_target(&proxy("http", "files.example.org", 80, target))
                    .is_some(),
                "{target}"
            );
        }
        for target in [
            "/not_loki/v3/lsrpc",
            "/loki/v3",
            "/loki/v3/lsrpc?foo=bar",
            "/loki/../admin/lsrpc",
            "/loki/%2e%2e/lsrpc",
            "/loki/a\r\nb/lsrpc",
            "/loki/v3#/lsrpc",
            "oxen/v4/lsrpc",
            "",
        ] {
            assert!(
                any()
                    .allowed_target(&proxy("http", "files.example.org", 80, target))
                    .is_none(),
                "{target}"
            );
        }
    }

    #[test]
    fn hosts_ports_protocols_and_methods_are_judged() {
        const TARGET: &str = "/oxen/v4/lsrpc";
        for (protocol, host, port, expected) in [
            (
                "http",
                "files.example.org",
                80,
                Some("http://files.example.org:80/oxen/v4/lsrpc"),
            ),
            (
                "https",
                "files.example.org",
                443,
                Some("https://files.example.org:443/oxen/v4/lsrpc"),
            ),
            (
                "http",
                "1.1.1.1",
                8787,
                Some("http://1.1.1.1:8787/oxen/v4/lsrpc"),
            ),
            (
                "http",
                "2606:4700::1111",
                1024,
                Some("http://[2606:4700::1111]:1024/oxen/v4/lsrpc"),
            ),
            (
                "http",
                "[2606:4700::1111]",
                1024,
                Some("http://[2606:4700::1111]:1024/oxen/v4/lsrpc"),
            ),
            ("ftp", "files.example.org", 80, None),
            ("HTTP", "files.example.org", 80, None),
            ("http", "files.example.org", 22, None),
            ("http", "files.example.org", 1023, None),
            ("http", "files.example.org", 0, None),
            ("http", "Files.example.org", 80, None),
            ("http", "files.example.org/x", 80, None),
            ("http", "user@files.example.org", 80, None),
            ("http", "files.example.org:25", 80, None),
            ("http", "0x7f.1", 80, None),
            ("http", "2130706433", 80, None),
            ("http", "127.0.0.1", 8787, None),
            ("http", "::1", 8787, None),
            ("http", "::ffff:127.0.0.1", 8787, None),
            ("http", "::ffff:7f00:1", 8787, None),
            ("http", "169.254.169.254", 80, None),
            ("http", "8.8.4.4", 80, None),
            ("http", "::ffff:8.8.4.4", 80, None),
            ("http", "64:ff9b::808:404", 80, None),
            ("http", "2002:808:404::1", 80, None),
            ("http", "64:ff9b::7f00:1", 80, None),
            (
                "http",
                "files.example.org",
                65_535,
                Some("http://files.example.org:65535/oxen/v4/lsrpc"),
            ),
            ("http", "files.example.org", 81, None),
            ("http", "files.example.org", 444, None),
            ("http", "files example.org", 80, None),
            ("http", "files.example.org\n", 80, None),
            ("http", "files.example.org#x", 80, None),
            ("http", "%66iles.example.org", 80, None),
            ("http", "1.1.1", 80, None),
            ("http", "01.1.1.1", 80, None),
            ("http", "1.1.1.1.", 80, None),
            ("http", "bücher.example", 80, None),
            ("http", "2606:4700:0::1111", 80, None),
            ("http", "", 80, None),
        ] {
            let judged = any()
                .allowed_target(&proxy(protocol, host, port, TARGET))
                .map(|target| target.url);
            assert_eq!(judged.as_deref(), expected, "{protocol} {host} {port}");
        }
        let get = ServerTarget {
            method: "GET".to_owned(),
            ..proxy("http", "files.example.org", 80, TARGET)
        };
        assert!(any().allowed_target(&get).is_none());
    }

    #[test]
    fn a_relay_serves_only_what_its_operator_says() {
        const TARGET: &str = "/oxen/v4/lsrpc";
        let served = |rule: &ProxyRule, host: &str| {
            rule.allowed_target(&proxy("http", host, 8787, TARGET))
                .is_some()
        };
        let none = ProxyRule::new(Serves::None, false, Vec::new());
        assert!(!served(&none, "files.example.org"));
        assert_eq!(none.serves(), Serves::None);

        let listed = ProxyRule::new(
            Serves::Hosts(vec!["10.0.0.7".to_owned()]),
            false,
            Vec::new(),
        );
        assert!(served(&listed, "10.0.0.7"), "the operator listed it");
        assert!(!served(&listed, "10.0.0.8"));
        assert!(!served(&listed, "127.0.0.1"));
        for (port, expected) in [
            (80, true),
            (443, true),
            (1023, false),
            (1024, true),
            (22, false),
        ] {
            let judged = listed.allowed_target(&proxy("http", "10.0.0.7", port, TARGET));
            assert_eq!(judged.is_some(), expected, "{port}");
        }

        let private = ProxyRule::new(Serves::None, true, vec!["127.0.0.1".parse().unwrap()]);
        for host in LOOPBACK_HOSTS {
            assert!(served(&private, host), "{host}");
        }
        assert!(!served(&private, "127.0.0.2"));
        assert_eq!(
            private.serves(),
            Serves::Hosts(LOOPBACK_HOSTS.map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn an_invitation_does_not_open_a_relays_own_network() {
        const TARGET: &str = "/oxen/v4/lsrpc";
        let served = |rule: &ProxyRule, host: &str| {
            rule.allowed_target(&proxy("http", host, 8787, TARGET))
                .is_some()
        };
        let by_name = ProxyRule::of_network("files.example.org", false, Vec::new());
        assert!(served(&by_name, "files.example.org"));
        assert!(!served(&by_name, "other.example.org"));
        assert!(!by_name.allows("files.example.org", "10.0.0.7".parse().unwrap()));
        assert!(by_name.allows("files.example.org", "1.1.1.1".parse().unwrap()));
        let named = Serves::Hosts(vec!["files.example.org".to_owned()]);
        assert_eq!(by_name.serves(), named);

        let private = |allowed| ProxyRule::of_network("10.0.0.7", allowed, Vec::new());
        assert!(!served(&private(false), "10.0.0.7"));
        assert!(served(&private(true), "10.0.0.7"));
        assert!(!served(&private(true), "10.0.0.8"));
        assert!(private(true).serves().includes("10.0.0.7"));
    }

    #[test]
    fn the_last_relay_never_connects_to_its_own_machine() {
        let rule = ProxyRule {
            is_here: |addr| addr == IpAddr::from([9, 9, 9, 9]),
            ..any()
        };
        let judged = |host| rule.allowed_target(&proxy("http", host, 80, "/oxen/v4/lsrpc"));
        assert!(judged("9.9.9.9").is_none(), "an address of its machine");
        assert!(judged("9.9.9.10").is_some());
        assert!(!rule.allows("files.example.org", IpAddr::from([9, 9, 9, 9])));
    }

    /// The relay of seed 1, which knows a list of relays by seed and address.
    fn node(listed: &[(u8, &str)]) -> RelayNode {
        let node = RelayNode::new(&Identity::from_seed([1; 32]), Arc::new(any()));
        let listed = listed.iter().map(|(seed, host)| RelayDescriptor {
            key: Identity::from_seed([*seed; 32]).public(),
            host: host.parse().unwrap(),
            port: 443,
            operator: String::new(),
            serves: Serves::None,
        });
        node.set_relays(listed.map(|relay| (relay.key, relay)).collect());
        node
    }

    /// The seed of the relay that a request over the relays of these seeds, from `from`, is passed on to.
    fn passed_on(node: &RelayNode, seeds: &[u8], from: &str, rng: &mut ChaCha20Rng) -> Option<u8> {
        let key = |seed: u8| Identity::from_seed([seed; 32]).public();
        let relays: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
        let server = format!("http://files.example.org#p={}", key(99).to_hex());
        let route = OnionRoute {
            relays: &relays,
            server: &server.parse().unwrap(),
            cipher: HopCipher::XChaCha20,
            sealed_return: false,
        };
        let head = FileRequest::ServerInfo.head();
        let built = build(&route, &head, &[], rng).unwrap();
        match node.handle(built.body, from.parse().unwrap(), 0, rng) {
            Decision::Forward { to, .. } => (1..9).find(|seed| key(*seed) == to.key),
            Decision::Refuse { status, body } => {
                let named = relays[1].to_hex();
                assert_eq!((status, body), (502, format!("{NOT_FOUND}{named}").into()));
                None
            }
            Decision::Proxy { .. } => panic!("another relay comes first"),
        }
    }

    #[test]
    fn a_path_does_not_lead_back_to_this_relay_or_the_one_before() {
        let listed = [
            (1, "192.0.2.1"),
            (2, "192.0.2.2"),
            (3, "2001:db8::3"),
            (4, "192.0.2.4"),
            (5, "192.0.2.4"),
            (6, "127.0.0.1"),
        ];
        let node = node(&listed);
        let rng = &mut ChaCha20Rng::seed_from_u64(3);
        for (seeds, from, expected) in [
            ([1, 1, 2], "198.51.100.7", None),
            ([1, 2, 3], "198.51.100.7", Some(2)),
            ([1, 2, 3], "192.0.2.2", None),
            ([1, 2, 3], "::ffff:192.0.2.2", None),
            ([1, 3, 2], "192.0.2.2", Some(3)),
            ([1, 3, 2], "2001:db8::3", None),
            // Whoever shares the address of another relay, or comes from this computer, may be somebody else.
            ([1, 4, 2], "192.0.2.4", Some(4)),
            ([1, 6, 2], "127.0.0.1", Some(6)),
        ] {
            let found = passed_on(&node, &seeds, from, rng);
            assert_eq!(found, expected, "{seeds:?} {from}");
        }
    }

    #[test]
    fn a_name_that_is_rebound_to_a_private_address_is_refused() {
        let rule = any();
        assert!(rule.allows("files.example.org", "1.1.1.1".parse().unwrap()));
        for addr in [
            "127.0.0.1",
            "10.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "8.8.4.4",
        ] {
            assert!(
                !rule.allows("files.example.org", addr.parse().unwrap()),
                "{addr}"
            );
        }
    }
}
