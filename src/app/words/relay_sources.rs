//! What using a source of relays shows to whom, in words.

use super::texts;
use crate::app::relays::{RelaySource, ServiceNodeNetwork};
use crate::protocol::relay_list::ListSource;

/// What the host of a relay list sees when the list's line is added; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn list_host_sees(proxy: bool) -> &'static str {
    if proxy {
        texts::list_host_sees_proxy()
    } else {
        texts::list_host_sees()
    }
}

/// What the host of this list sees when the list is fetched; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn this_list_host_sees(list: &ListSource, proxy: bool) -> String {
    if proxy {
        texts::named_list_host_sees_proxy(list.host())
    } else {
        texts::named_list_host_sees(list.host())
    }
}

/// What a seed of Session's network sees; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn seed_sees(proxy: bool) -> &'static str {
    if proxy {
        texts::seed_sees_proxy()
    } else {
        texts::seed_sees()
    }
}

/// What the seeds of a network of service nodes see; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn seeds_see(network: &ServiceNodeNetwork, proxy: bool) -> String {
    match (&network.source, proxy) {
        (RelaySource::Session, proxy) => seed_sees(proxy).to_owned(),
        (_, true) => texts::other_seed_sees_proxy(&network.seed_hosts()),
        (_, false) => texts::other_seed_sees(&network.seed_hosts()),
    }
}

/// What adding or choosing a source shows to whom, to be said before it is done; `proxy`: requests go out through one.
#[must_use]
pub(crate) fn source_shows(source: &RelaySource, proxy: bool) -> Vec<String> {
    match source {
        RelaySource::BuiltIn | RelaySource::File(_) | RelaySource::Network(_) => Vec::new(),
        RelaySource::ServiceNodes(path) => {
            let mut lines = vec![texts::service_nodes_about().to_owned()];
            if let Ok(network) = ServiceNodeNetwork::read(path) {
                lines.push(seeds_see(&network, proxy));
            }
            lines
        }
        RelaySource::Session => vec![
            texts::session_about().to_owned(),
            seed_sees(proxy).to_owned(),
        ],
        RelaySource::Url(list) => {
            let mut lines = vec![
                this_list_host_sees(list, proxy),
                texts::list_maker_chooses().to_owned(),
            ];
            if list.url().starts_with("http:") {
                lines.push(texts::list_over_http().to_owned());
            }
            lines
        }
    }
}
