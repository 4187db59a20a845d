//! Where a signed list is, and who signs it, as its maker hands it out: `https://example.org/relays.json#k=<64 hex>`.
//!
//! Fetching is not done here. `http` is a source as good as `https`: the signature protects the list either way, and a
//! watcher of the connection learns no more than that this list was fetched.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

use crate::protocol::keys::{Ed25519Public, ParseKeyError};

/// A list by URL, with the key that it must be signed with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListSource {
    url: String,
    host: String,
    key: Ed25519Public,
}

impl ListSource {
    /// URL of the list.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// URL of the list's signature: that of the list with `.sig` added.
    #[must_use]
    pub(crate) fn signature_url(&self) -> String {
        format!("{}.sig", self.url)
    }

    /// Host that the list is fetched from.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The key that signs it.
    #[must_use]
    pub const fn key(&self) -> &Ed25519Public {
        &self.key
    }
}

impl FromStr for ListSource {
    type Err = ParseSourceError;

    /// Reads a pasted line; its URL may be spelled as people type it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > MAX_LINE_LEN {
            return Err(ParseSourceError::TooLong);
        }
        let (url, key) = text.rsplit_once("#k=").ok_or(ParseSourceError::NoKey)?;
        let key = Ed25519Public::from_hex(key)?;
        let url = Url::parse(url).or(Err(ParseSourceError::NotUrl))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ParseSourceError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ParseSourceError::User);
        }
        if url.query().is_some() || url.fragment().is_some() || url.path().ends_with('/') {
            return Err(ParseSourceError::Path);
        }
        let host = match url.host().ok_or(ParseSourceError::Host)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        if host.is_empty() || url.port() == Some(0) {
            return Err(ParseSourceError::Host);
        }
        Ok(Self {
            url: url.into(),
            host,
            key,
        })
    }
}

impl fmt::Display for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#k={}", self.url, self.key.to_hex())
    }
}

impl fmt::Debug for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListSource({:?})", self.key)
    }
}

/// Why a line names no signed list.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ParseSourceError {
    /// No host, or a port of zero.
    #[error("the host or the port cannot be used")]
    Host,
    /// The key is none, or a weak one.
    #[error(transparent)]
    Key(#[from] ParseKeyError),
    /// There is no `#k=` with the list's key behind it.
    #[error("the list's key (#k=…) is missing")]
    NoKey,
    /// No URL at all.
    #[error("this is not a URL")]
    NotUrl,
    /// No file is named, or a query or a fragment stands behind it.
    #[error("the URL must name one file and nothing behind it")]
    Path,
    /// Neither `http` nor `https`.
    #[error("the URL must start with http:// or https://")]
    Scheme,
    /// Longer than such a line can be.
    #[error("the line is longer than {MAX_LINE_LEN} characters")]
    TooLong,
    /// A user name or a password.
    #[error("the URL must not hold a user name or a password")]
    User,
}

const MAX_LINE_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "7f8f84d75afc5a71a42331911696b45daca36a8fab5457c887a1c379d049d659";

    #[test]
    fn a_pasted_line_comes_back_in_its_one_spelling() {
        for (pasted, printed, host) in [
            (
                "https://example.org/relays.json",
                "https://example.org/relays.json",
                "example.org",
            ),
            (
                "HTTP://Example.ORG:80/a/relays.json",
                "http://example.org/a/relays.json",
                "example.org",
            ),
            (
                "http://[::1]:8080/r.json",
                "http://[::1]:8080/r.json",
                "::1",
            ),
        ] {
            let source: ListSource = format!(" {pasted}#k={KEY}\n").parse().unwrap();
            assert_eq!(source.to_string(), format!("{printed}#k={KEY}"));
            assert_eq!(source.to_string().parse(), Ok(source.clone()));
            assert_eq!((source.url(), source.host()), (printed, host));
            assert_eq!(source.signature_url(), format!("{printed}.sig"));
            assert_eq!(source.key().to_hex(), KEY);
        }
    }

    #[test]
    fn what_names_no_list_is_told() {
        let weak = "0".repeat(64);
        for (text, error) in [
            (
                "https://example.org/relays.json".to_owned(),
                ParseSourceError::NoKey,
            ),
            (
                "https://example.org/relays.json#k=12".to_owned(),
                ParseSourceError::Key(ParseKeyError::NotHex),
            ),
            (
                format!("https://example.org/relays.json#k={weak}"),
                ParseSourceError::Key(ParseKeyError::Weak(crate::protocol::keys::WeakKey)),
            ),
            (format!("relays.json#k={KEY}"), ParseSourceError::NotUrl),
            (
                format!("ftp://example.org/relays.json#k={KEY}"),
                ParseSourceError::Scheme,
            ),
            (
                format!("https://me@example.org/relays.json#k={KEY}"),
                ParseSourceError::User,
            ),
            (
                format!("https://example.org/relays.json?a#k={KEY}"),
                ParseSourceError::Path,
            ),
            (
                format!("https://example.org/relays.json#a#k={KEY}"),
                ParseSourceError::Path,
            ),
            (
                format!("https://example.org#k={KEY}"),
                ParseSourceError::Path,
            ),
            (
                format!("https://example.org:0/relays.json#k={KEY}"),
                ParseSourceError::Host,
            ),
            (
                format!("https://example.org/{}#k={KEY}", "a".repeat(500)),
                ParseSourceError::TooLong,
            ),
        ] {
            assert_eq!(text.parse::<ListSource>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(text in ".*", tail in "(https?://)?.{0,40}#k=[0-9a-f]{64}") {
            drop(text.parse::<ListSource>());
            if let Ok(source) = tail.parse::<ListSource>() {
                prop_assert_eq!(source.to_string().parse(), Ok(source));
            }
        }
    }
}
