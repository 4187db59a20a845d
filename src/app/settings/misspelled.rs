//! Finds keys in the settings that this version does not know and that were probably meant as ones that protect
//! something. To pass over `proxi = "…"` as if it were a newer version's key would send past the proxy.

use toml::de::{DeTable, DeValue};

/// A key that is probably another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misspelled {
    /// Where the key begins, in bytes from the beginning of the text.
    pub at: usize,
    /// The key as it stands there.
    pub key: String,
    /// The key that was probably meant.
    pub meant: &'static str,
}

/// The keys that protect something, and what people write for them.
const PROTECTING: [(&str, &[&str]); 13] = [
    ("access_word", &[]),
    ("clear_clipboard", &[]),
    ("history", &[]),
    ("list_key", &[]),
    ("mask_pointers", &[]),
    ("name_in_pointer", &[]),
    ("notify_names", &[]),
    (
        "proxy",
        &["proxies", "proxy_url", "socks", "socks5", "socks_proxy"],
    ),
    ("relay_list_file", &["relay_file"]),
    ("relays", &["relay_list", "relay_list_url"]),
    ("service_nodes_file", &["service_nodes"]),
    ("network", &["server", "file_server"]),
    ("networks", &["servers", "file_servers"]),
];

/// The first of those keys in `table` that are not known there and resemble one that protects something.
pub(crate) fn find(table: &DeTable<'_>, is_known: impl Fn(&str) -> bool) -> Option<Misspelled> {
    let unknown = table.iter().filter(|(key, _)| !is_known(key.get_ref()));
    let found = unknown.filter_map(|(key, value)| {
        let meant = resembled(key.get_ref());
        let here = meant.map(|meant| Misspelled {
            at: key.span().start,
            key: key.get_ref().to_string(),
            meant,
        });
        here.or_else(|| find_in(value.get_ref()))
    });
    found.min_by_key(|misspelled| misspelled.at)
}

/// A key of this program that stands in a table of another name does nothing there.
fn find_in(value: &DeValue<'_>) -> Option<Misspelled> {
    match value {
        DeValue::Table(table) => find(table, |_any| false),
        DeValue::Array(values) => values.iter().find_map(|value| find_in(value.get_ref())),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    }
}

/// The key that protects something and is the nearest to `key`, if one is near.
fn resembled(key: &str) -> Option<&'static str> {
    let plain = |key: &str| key.to_lowercase().replace(['-', ' ', '.'], "_");
    let key = plain(key);
    let names = PROTECTING.iter().flat_map(|(name, others)| {
        let names = std::iter::once(name).chain(*others);
        names.map(move |written| (*name, *written))
    });
    let near = names.filter_map(|(name, written)| {
        let bare = |text: &str| text.replace('_', "");
        let distance = strsim::osa_distance(&bare(&key), &bare(written));
        // A short word is soon another one.
        let allowed = if written.len() > 5 { 2 } else { 1 };
        (distance <= allowed).then_some((distance, name))
    });
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(usize, String, &'static str)> {
        let table = DeTable::parse(text).unwrap();
        let misspelled = find(table.get_ref(), |key| key == "proxy" || key == "version")?;
        Some((misspelled.at, misspelled.key, misspelled.meant))
    }

    #[test]
    fn keys_that_resemble_one_that_protects_are_found() {
        for (key, meant) in [
            ("proxi", "proxy"),
            ("Proxy", "proxy"),
            ("PROXY", "proxy"),
            ("porxy", "proxy"),
            ("socks-proxy", "proxy"),
            ("relay", "relays"),
            ("relay_lists", "relays"),
            ("relay-list-file", "relay_list_file"),
            ("relaylistfile", "relay_list_file"),
            ("sever", "network"),
            ("server_", "network"),
            ("network", "network"),
            ("Servers", "networks"),
            ("histroy", "history"),
            ("name-in-pointer", "name_in_pointer"),
            ("mask_pointer", "mask_pointers"),
            ("clearClipboard", "clear_clipboard"),
        ] {
            let text = format!("version = 1\n{key} = 1\n");
            assert_eq!(found(&text), Some((12, key.to_owned(), meant)), "{key}");
        }
    }

    #[test]
    fn a_key_that_protects_does_nothing_in_another_table() {
        for (text, at) in [
            ("[[more]]\nx = 1\nproxy = 1\n", 15),
            ("[more.less]\nproxy = 1\n", 12),
            ("more = { proxi = 1 }\n", 9),
        ] {
            assert_eq!(found(text).map(|(at, ..)| at), Some(at), "{text}");
        }
    }

    #[test]
    fn other_keys_are_a_newer_versions() {
        for key in [
            "later", "more", "colour", "window", "retries", "key", "x", "",
        ] {
            let text = format!("\"{key}\" = 1\n[table]\n\"{key}\" = 1\n");
            assert_eq!(found(&text), None, "{key}");
        }
        assert_eq!(found("version = 1\nproxy = 1\n"), None);
    }
}
