//! A relay: configuration, key, list and its own entry in it, port, public address, the others.

use std::net::SocketAddr;

use super::port::{self, Answers, Port};
use super::{Report, clock, key};
use crate::app::relays::list_file;
use crate::app::transfer::program::Program;
use crate::net::SocksProxy;
use crate::net::socks::ProxyFailure;
use crate::protocol::ip;
use crate::protocol::keys::Identity;
use crate::protocol::relay_list::{RelayDescriptor, RelayList, Serves};
use crate::relay::RelayConfig;
use crate::relay::config::RelaySettings;

/// Checks a relay, which may be running. Its public address and the relays of its list are asked through the proxy of
/// `program`, where the person has one: a relay that runs goes straight to them, but it is not this person.
pub async fn relay(settings: &RelaySettings, program: &Program) -> Report {
    let mut report = Report::default();
    let now = program.now();
    if let Err(reason) = settings.validate() {
        report.failed("configuration", reason, "correct it and check again");
        return report;
    }
    report.ok("configuration", "the configuration is valid");
    clock::clock(&mut report, now);
    let identity = key::key(&mut report, "key", &settings.key_path, false);
    let own = identity.and_then(|identity| own_entry(settings, identity));
    let list = read_list(&mut report, settings, now);
    if let (Some(list), Some(own)) = (&list, &own) {
        compare(&mut report, list, own);
    }
    at_port(&mut report, settings, own.as_ref()).await;
    serves(&mut report, settings);
    match program.proxy() {
        Ok(proxy) => {
            public_address(&mut report, settings, own.as_ref(), proxy).await;
            if let Some(list) = &list {
                others(&mut report, list, own.as_ref(), proxy).await;
            }
        }
        Err(unread) => report.failed(
            "your settings",
            unread.to_string(),
            "correct the file, or move it away; until then no other computer is asked, since they may name a proxy",
        ),
    }
    report
}

fn own_entry(settings: &RelaySettings, identity: Identity) -> Option<RelayDescriptor> {
    let config = RelayConfig::with_settings(settings.clone(), identity);
    config.descriptor(settings.listen.port()).ok()
}

fn read_list(report: &mut Report, settings: &RelaySettings, now: u64) -> Option<RelayList> {
    const PART: &str = "relay list";
    if settings.join.is_some() {
        report.ok(PART, "the network that the relay joined gives it");
        return None;
    }
    let Some(path) = &settings.relay_list else {
        report.warning(
            PART,
            "there is none, so it forwards to nobody and can only be the last relay",
            "set relays to the file of the list",
        );
        return None;
    };
    match list_file::read(path, now) {
        Ok(list) => {
            let days = list.expires.saturating_sub(now) / (24 * 3600);
            let what = format!("{} relays, good for {days} days more", list.relays.len());
            if days < 14 {
                report.warning(PART, what, "ask whoever makes the list for a new one");
            } else {
                report.ok(PART, what);
            }
            Some(list)
        }
        Err(error) => {
            let message = crate::app::words::message::UserMessage::from(&error);
            report.failed(
                PART,
                format!("{} cannot be used: {}", path.display(), message.why),
                "get the list again from whoever makes it",
            );
            None
        }
    }
}

fn compare(report: &mut Report, list: &RelayList, own: &RelayDescriptor) {
    const PART: &str = "own entry";
    let again = "send the line of cloak relay --print-descriptor to whoever makes the list";
    match list.find(&own.key) {
        None => report.warning(
            PART,
            "this relay is not on its list, so nobody is sent to it",
            again,
        ),
        Some(listed) if listed == own => report.ok(PART, "it is on the list as it is"),
        Some(listed) => {
            let mut differs = Vec::new();
            if (listed.host, listed.port) != (own.host, own.port) {
                differs.push("address");
            }
            if listed.serves != own.serves {
                differs.push("hosts it serves");
            }
            if listed.operator != own.operator {
                differs.push("operator");
            }
            report.failed(
                PART,
                format!("it is on the list with another {}", differs.join(", ")),
                again,
            );
        }
    }
}

async fn at_port(report: &mut Report, settings: &RelaySettings, own: Option<&RelayDescriptor>) {
    const PART: &str = "port";
    let addr = settings.listen;
    match port::look(addr).await {
        Port::Free => report.ok(PART, format!("{addr} is free; the relay does not run")),
        Port::Unusable(error) => report.failed(
            PART,
            format!("{addr} cannot be listened on: {error}"),
            "choose an address of this machine and a port above 1023",
        ),
        Port::Taken => {
            let answers = match own {
                Some(own) => port::is_relay(port::here(addr), &own.key, None).await,
                None => Answers::Another,
            };
            if answers == Answers::Itself {
                report.ok(PART, format!("the relay runs on {addr}"));
            } else {
                report.failed(
                    PART,
                    format!("another program, or a relay with another key, is on {addr}"),
                    "stop it, or choose another port",
                );
            }
        }
    }
}

async fn public_address(
    report: &mut Report,
    settings: &RelaySettings,
    own: Option<&RelayDescriptor>,
    proxy: Option<&SocksProxy>,
) {
    const PART: &str = "public address";
    let host = settings.public_host.unwrap_or_else(|| settings.listen.ip());
    let addr = SocketAddr::new(host, settings.listen.port());
    if !ip::is_global(host) {
        report.warning(
            PART,
            format!("{addr} is only reached from this network"),
            "set public_host to the address that the internet knows",
        );
        return;
    }
    let Some(own) = own else {
        report.skipped(
            PART,
            format!("{addr} belongs to no key yet"),
            "start the relay once",
        );
        return;
    };
    let through = through(proxy);
    match port::is_relay(addr, &own.key, proxy).await {
        Answers::Itself => report.ok(PART, format!("the relay answers at {addr}{through}")),
        Answers::Another => report.failed(
            PART,
            format!("something else answers at {addr}{through}"),
            "forward the port to this machine",
        ),
        Answers::NoProxy(failure) => report.failed(PART, failure.to_string(), PROXY_ADVICE),
        Answers::Nobody if proxy.is_some() => report.warning(
            PART,
            format!("nobody answers at {addr}{through}"),
            "start the relay, open the port in the firewall, and try --proxy none or another machine: some proxies \
             do not connect to every port",
        ),
        Answers::Nobody => report.warning(
            PART,
            format!("nobody answers at {addr} from here"),
            "start the relay, open the port in the firewall, and try from another machine: some networks do not \
             let a machine reach its own public address",
        ),
    }
}

fn serves(report: &mut Report, settings: &RelaySettings) {
    const PART: &str = "serves";
    match &settings.serves {
        Some(Serves::Any) => report.warning(
            PART,
            "it is the last relay for every public host",
            "name the file servers you mean, unless you mean all of them",
        ),
        Some(Serves::Hosts(hosts)) => report.ok(
            PART,
            format!("it is the last relay for {}", hosts.join(", ")),
        ),
        None if settings.join.is_some() => {
            report.ok(PART, "it is the last relay for the server of its network");
        }
        Some(Serves::None) | None if settings.allow_private => {
            report.ok(PART, "it is the last relay for servers on this computer");
        }
        Some(Serves::None) | None => report.ok(PART, "it is the last relay for nobody"),
    }
}

async fn others(
    report: &mut Report,
    list: &RelayList,
    own: Option<&RelayDescriptor>,
    proxy: Option<&SocksProxy>,
) {
    const PART: &str = "other relays";
    let others: Vec<_> = list
        .relays
        .iter()
        .filter(|relay| own.is_none_or(|own| own.key != relay.key))
        .collect();
    let answered = match reach(&others, proxy).await {
        Ok(answered) => answered,
        Err(failure) => {
            report.failed(PART, failure.to_string(), PROXY_ADVICE);
            return;
        }
    };
    let what = format!(
        "{answered} of {} answer with their key{}",
        others.len(),
        through(proxy)
    );
    if answered == others.len() {
        report.ok(PART, what);
    } else if answered == 0 {
        report.failed(
            PART,
            what,
            "check that this machine may connect to the internet",
        );
    } else {
        report.warning(PART, what, "tell whoever makes the list");
    }
}

/// Returns how many of them answer with their key, straight or through `proxy`; asks all at once.
///
/// # Errors
/// [`ProxyFailure`]: it is not the relays' fault that one was not reached.
pub(super) async fn reach(
    relays: &[&RelayDescriptor],
    proxy: Option<&SocksProxy>,
) -> Result<usize, ProxyFailure> {
    let asked = relays.iter().map(|relay| {
        let addr = SocketAddr::new(relay.host, relay.port);
        port::is_relay(addr, &relay.key, proxy)
    });
    let mut reached = 0;
    for answers in futures_util::future::join_all(asked).await {
        match answers {
            Answers::Itself => reached += 1,
            Answers::Another | Answers::Nobody => {}
            Answers::NoProxy(failure) => return Err(failure),
        }
    }
    Ok(reached)
}

/// Ends a finding about other computers.
pub(super) const fn through(proxy: Option<&SocksProxy>) -> &'static str {
    match proxy {
        None => "",
        Some(_) => ", through your proxy",
    }
}

pub(super) const PROXY_ADVICE: &str = "start the proxy, or name another with --proxy";
