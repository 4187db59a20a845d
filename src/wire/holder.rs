//! The holder of an address, who a connection or a request is counted for, and the client behind a proxy that is trusted
//! to name it.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use hyper::{HeaderMap, header::HeaderName};

/// Somebody who holds addresses: one IPv4 address however it is written, or an IPv6 /64 in the site around it, a /48.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    /// The IPv4 address, or the first address of the /64, the least that one holder of IPv6 addresses has.
    pub address: IpAddr,
    /// The IPv4 address, or the first address of the /48, the most that one customer is usually given.
    pub site: IpAddr,
}

impl Holder {
    /// The holder of `addr`.
    #[must_use]
    pub(crate) fn of(addr: IpAddr) -> Self {
        match addr.to_canonical() {
            IpAddr::V4(addr) => Self {
                address: addr.into(),
                site: addr.into(),
            },
            IpAddr::V6(addr) => Self {
                address: first_of(addr, 64),
                site: first_of(addr, 48),
            },
        }
    }
}

fn first_of(addr: Ipv6Addr, prefix_len: u32) -> IpAddr {
    let mask = u128::MAX << (128 - prefix_len);
    Ipv6Addr::from_bits(addr.to_bits() & mask).into()
}

/// An address or a network of addresses: `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    first: IpAddr,
    prefix_len: u8,
}

impl IpNetwork {
    /// Whether `addr`, however it is written, lies in it.
    #[must_use]
    pub(crate) fn contains(&self, addr: IpAddr) -> bool {
        match (self.first, addr.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(addr)) => {
                let host_bits = 32 - u32::from(self.prefix_len);
                let differs = first.to_bits() ^ addr.to_bits();
                differs.checked_shr(host_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(addr)) => {
                let host_bits = 128 - u32::from(self.prefix_len);
                let differs = first.to_bits() ^ addr.to_bits();
                differs.checked_shr(host_bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for IpNetwork {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (addr, prefix_len) = match text.split_once('/') {
            Some((addr, len)) => (addr, Some(len)),
            None => (text, None),
        };
        let first: IpAddr = addr.parse().map_err(|_no_address| ParseNetworkError)?;
        let first = first.to_canonical();
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix_len = match prefix_len {
            Some(len) => len
                .parse()
                .ok()
                .filter(|&len| len <= longest)
                .ok_or(ParseNetworkError)?,
            None => longest,
        };
        Ok(Self { first, prefix_len })
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_len)
    }
}

/// A text is neither an address nor a network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address or a network is wanted here, such as 127.0.0.1 or 10.0.0.0/8")]
pub struct ParseNetworkError;

/// The networks in a list of texts.
///
/// # Errors
/// A sentence that names the first that is none.
pub fn networks(texts: &[&str]) -> Result<Vec<IpNetwork>, String> {
    let read = |text: &&str| text.parse().map_err(|error| format!("{text:?}: {error}"));
    texts.iter().map(read).collect()
}

/// The address of the client that sent a request with these headers over a connection from `peer`: where `peer` is one of
/// the `trusted` proxies, the last entry of `X-Forwarded-For` that is none of them. An entry that is no address counts as
/// the proxy that passed it on.
#[must_use]
pub(crate) fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNetwork]) -> IpAddr {
    let is_trusted = |addr: IpAddr| trusted.iter().any(|network| network.contains(addr));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    let mut client = peer;
    for entry in entries {
        match entry.trim().parse::<IpAddr>() {
            Ok(addr) => client = addr.to_canonical(),
            Err(_no_address) => return client,
        }
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_holder_is_an_ipv4_address_or_a_64_within_a_48() {
        let of = |text| Holder::of(addr(text));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1").address, of("2001:db8:0:2::1").address);
        assert_eq!(of("2001:db8:0:1::1").site, of("2001:db8:0:2::1").site);
        assert_ne!(of("2001:db8:0:1::1").site, of("2001:db8:1:1::1").site);
    }

    #[test]
    fn networks_are_read_and_hold_their_addresses() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "::ffff:10.9.8.7", "11.0.0.1"),
            ("0.0.0.0/0", "192.0.2.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
        ] {
            let network: IpNetwork = network.parse().unwrap();
            assert!(network.contains(addr(inside)), "{network} {inside}");
            assert!(!network.contains(addr(outside)), "{network} {outside}");
            assert_eq!(network.to_string().parse(), Ok(network));
        }
        for wrong in [
            "",
            "localhost",
            "10.0.0.0/33",
            "::1/129",
            "10.0.0.0/",
            "1.2.3",
        ] {
            assert_eq!(
                wrong.parse::<IpNetwork>(),
                Err(ParseNetworkError),
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_a_trusted_proxy_may_name_the_client_and_only_its_own_word_counts() {
        let trusted: [IpNetwork; 2] = ["127.0.0.1", "10.0.0.0/8"].map(|text| text.parse().unwrap());
        for (peer, lines, client) in [
            ("192.0.2.9", &["203.0.113.1"][..], "192.0.2.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.1"], "203.0.113.1"),
            ("::ffff:127.0.0.1", &["::ffff:203.0.113.1"], "203.0.113.1"),
            // The client wrote the first itself.
            ("127.0.0.1", &["198.51.100.7, 203.0.113.1"], "203.0.113.1"),
            ("127.0.0.1", &["198.51.100.7", "203.0.113.1"], "203.0.113.1"),
            ("127.0.0.1", &["203.0.113.1, 10.0.0.2"], "203.0.113.1"),
            ("127.0.0.1", &["203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("127.0.0.1", &["unknown"], "127.0.0.1"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, line.parse().unwrap());
            }
            assert_eq!(
                client_of(addr(peer), &headers, &trusted),
                addr(client),
                "{peer} {lines:?}"
            );
        }
    }
}
