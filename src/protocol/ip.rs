//! Which addresses are on the public internet, and which lie close together. No address of this machine is asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `addr` is globally routable by the IANA registries of special-purpose addresses (RFC 6890), after IPv4
/// addresses inside IPv6 ones (mapped, NAT64, 6to4) are taken out.
///
/// Stricter than the registries where that costs nothing: of IPv6 only 2000::/3 is taken, and 2001::/23 not at all.
#[must_use]
pub(crate) fn is_global(addr: IpAddr) -> bool {
    match unwrapped(addr) {
        IpAddr::V4(addr) => is_global_v4(addr),
        IpAddr::V6(addr) => is_global_v6(addr),
    }
}

/// Where a connection to `addr` ends: the IPv4 address inside an IPv6 one (mapped, NAT64, 6to4), else the address.
#[must_use]
pub(crate) fn unwrapped(addr: IpAddr) -> IpAddr {
    match addr {
        IpAddr::V4(_) => addr,
        IpAddr::V6(inner) => embedded_v4(inner).map_or(addr, IpAddr::V4),
    }
}

/// The /24 (IPv4) or /48 (IPv6) of an address: whether it is of IPv6, and the bits of that part. Addresses that share it are
/// likely to have one owner.
#[must_use]
pub(crate) fn subnet(addr: IpAddr) -> (bool, u128) {
    match addr.to_canonical() {
        IpAddr::V4(addr) => (false, u128::from(addr.to_bits() >> 8)),
        IpAddr::V6(addr) => (true, addr.to_bits() >> 80),
    }
}

/// The IPv4 address that an IPv6 one stands for.
fn embedded_v4(addr: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = addr.segments();
    let v4 = |high: u16, low: u16| {
        Some(Ipv4Addr::from_bits(
            (u32::from(high) << 16) | u32::from(low),
        ))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0x2002, ..] => v4(b, c),
        _ => None,
    }
}

fn is_global_v4(addr: Ipv4Addr) -> bool {
    !SPECIAL_V4
        .iter()
        .any(|&(net, len)| addr.to_bits() >> (32 - len) == net.to_bits() >> (32 - len))
}

fn is_global_v6(addr: Ipv6Addr) -> bool {
    let within = |&(net, len): &(Ipv6Addr, u32)| {
        addr.to_bits() >> (128 - len) == net.to_bits() >> (128 - len)
    };
    within(&UNICAST_V6) && !SPECIAL_V6.iter().any(within)
}

const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared with a carrier
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link, and the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // former 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

const UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_refused_however_they_are_written() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:c0a8:1::1",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "1fff::1",
        ] {
            assert!(!is_global(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_taken() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
        ] {
            assert!(is_global(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_inside_another_is_taken_out() {
        for text in [
            "8.8.4.4",
            "::ffff:8.8.4.4",
            "64:ff9b::808:404",
            "2002:808:404::1",
        ] {
            assert_eq!(
                unwrapped(text.parse().unwrap()),
                IpAddr::from([8, 8, 4, 4]),
                "{text}"
            );
        }
        let other: IpAddr = "2606:4700::808:404".parse().unwrap();
        assert_eq!(unwrapped(other), other);
    }

    #[test]
    fn addresses_share_a_subnet_up_to_24_and_48_bits() {
        let of = |text: &str| subnet(text.parse().unwrap());
        assert_eq!(of("1.2.3.4"), of("1.2.3.255"));
        assert_eq!(of("1.2.3.4"), of("::ffff:1.2.3.9"));
        assert_ne!(of("1.2.3.4"), of("1.2.4.4"));
        assert_eq!(of("2a00:1:2::1"), of("2a00:1:2:ffff::1"));
        assert_ne!(of("2a00:1:2::1"), of("2a00:1:3::1"));
        assert_ne!(of("0.0.0.1"), of("::1"));
    }
}
