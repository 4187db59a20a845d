//! Which addresses are of this machine: a last relay does not connect to itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use crate::protocol::ip::unwrapped;

/// Whether `addr` is an address of this machine: those can be bound, and no others. A machine on which any address can
/// be bound (Linux with `ip_nonlocal_bind`) does not tell; then only what the configuration names is known.
#[must_use]
pub(crate) fn is_here(addr: IpAddr) -> bool {
    let addr = unwrapped(addr);
    let nobodys: IpAddr = match addr {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    can_bind(addr) && !can_bind(nobodys)
}

fn can_bind(addr: IpAddr) -> bool {
    UdpSocket::bind((addr, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_addresses_are_known_from_others() {
        for text in ["127.0.0.1", "::ffff:127.0.0.1"] {
            assert!(is_here(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.7", "2001:db8::7", "203.0.113.9"] {
            assert!(!is_here(text.parse().unwrap()), "{text}");
        }
    }
}
