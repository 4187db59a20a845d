//! Where files live: the base URL of a file server, its address as an operator hands it out, and the link of one file.

use core::fmt;
use core::str::FromStr;
use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::keys::{Ed25519Public, ParseKeyError, X25519Public};

/// The longest host, which is the longest name that the domain name system can hold.
const MAX_HOST_LEN: usize = 253;
/// The longest URL that is looked at, as a person types it: every byte of a host may be an escape of three.
const MAX_TYPED_LEN: usize = 1_024;

/// The base URL of a file server: `http` or `https`, a host, perhaps a port, nothing else.
///
/// There is one text for one URL: the one that the `url` crate prints, without the slash at its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerUrl {
    text: String,
    host: String,
    port: u16,
    https: bool,
    loopback: bool,
}

impl ServerUrl {
    /// Reads the one text of a URL and no other spelling of it.
    ///
    /// # Errors
    /// [`ParseAddressError`] says what else the text is.
    pub fn parse(text: &str) -> Result<Self, ParseAddressError> {
        let url = Self::normalise(text)?;
        if url.text == text {
            Ok(url)
        } else {
            Err(ParseAddressError::NotCanonical)
        }
    }

    /// Reads a URL as a person types it: capitals, a slash at the end and a default port are mended.
    ///
    /// # Errors
    /// [`ParseAddressError`] when it is no base URL of a server.
    pub(crate) fn normalise(text: &str) -> Result<Self, ParseAddressError> {
        if text.len() > MAX_TYPED_LEN {
            return Err(ParseAddressError::Host);
        }
        let url = Url::parse(text.trim()).or(Err(ParseAddressError::NotUrl))?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(ParseAddressError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ParseAddressError::User);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(ParseAddressError::Path);
        }
        let (host, loopback) = match url.host().ok_or(ParseAddressError::Host)? {
            Host::Domain(name) => (name.to_owned(), name.trim_end_matches('.') == "localhost"),
            Host::Ipv4(ip) => (ip.to_string(), ip.is_loopback()),
            Host::Ipv6(ip) => (ip.to_string(), is_loopback_v6(ip)),
        };
        let port = url
            .port_or_known_default()
            .filter(|port| *port != 0)
            .ok_or(ParseAddressError::Host)?;
        if host.is_empty() || host.len() > MAX_HOST_LEN {
            return Err(ParseAddressError::Host);
        }
        let printed = url.as_str();
        let text = printed.strip_suffix('/').unwrap_or(printed).to_owned();
        Ok(Self {
            text,
            host,
            port,
            https,
            loopback,
        })
    }

    /// The URL without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host: a name or the literal of an IP address, an IPv6 one without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host, and the port where it is not the default of the scheme: `files.example`, `files.example:8080` or
    /// `[::1]:4000`. This is how a person is shown where a server is.
    #[must_use]
    pub(crate) fn authority(&self) -> &str {
        self.text
            .split_once("://")
            .map_or(self.text.as_str(), |(_, authority)| authority)
    }

    /// The port that is named, else the default of the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the host is this computer itself: 127.0.0.0/8, `::1` or `localhost`. Nothing is resolved.
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl FromStr for ServerUrl {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({})", self.text)
    }
}

/// A file server as its operator hands it out: `https://files.example.org#p=<64 hex>`, the server's Ed25519 key.
///
/// Operators of Session's file servers see an X25519 key only. An address that ends in `#x=<64 hex>` is read, too: the
/// key becomes the Ed25519 one that converts to it ([`Ed25519Public::from_x25519`]), and `#p=` is printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress {
    /// URL of the server.
    pub url: ServerUrl,
    /// Identity of the server.
    pub key: Ed25519Public,
}

impl FromStr for ServerAddress {
    type Err = ParseAddressError;

    /// Reads a pasted address; the URL in it may be spelled as in [`ServerUrl::normalise`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (url, key) = split_key(text.trim())?;
        Ok(Self {
            url: ServerUrl::normalise(url)?,
            key,
        })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#p={}", self.url, self.key.to_hex())
    }
}

/// The longest name of a file at its server, in characters.
pub(crate) const MAX_ID_LEN: usize = 64;

/// The name of a file at its server: 1 to 64 of `A-Z a-z 0-9 _ -`. Not a secret to the server; keep it out of logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(String);

impl FileId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`InvalidFileId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidFileId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=MAX_ID_LEN).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFileId)
        }
    }

    /// The id as it stands in paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.0.chars().take(4).collect();
        write!(f, "FileId({short}…)")
    }
}

/// A file at its server, without what opens it: `{server}/file/{id}#p=<64 hex>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileLink {
    /// The server.
    pub server: ServerAddress,
    /// The file there.
    pub id: FileId,
}

impl FromStr for FileLink {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (link, key) = split_key(text.trim())?;
        let (url, id) = link.rsplit_once("/file/").ok_or(ParseAddressError::Path)?;
        let id = FileId::parse(id)?;
        Ok(Self {
            server: ServerAddress {
                url: ServerUrl::normalise(url)?,
                key,
            },
            id,
        })
    }
}

impl fmt::Display for FileLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/file/{}#p={}",
            self.server.url,
            self.id.as_str(),
            self.server.key.to_hex()
        )
    }
}

/// Why a text is no address of a server and no link of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    /// No host, one that is too long, or a port of zero.
    #[error("the host or the port cannot be used")]
    Host,
    /// The id of the file is none.
    #[error(transparent)]
    Id(#[from] InvalidFileId),
    /// The key is none, or a weak one.
    #[error(transparent)]
    Key(#[from] ParseKeyError),
    /// There is neither `#p=` nor `#x=` with the server's key behind it.
    #[error("the server's key (#p=…) is missing")]
    NoKey,
    /// The URL has a canonical spelling, and this is another one.
    #[error("the URL is not in its one canonical form")]
    NotCanonical,
    /// No URL at all.
    #[error("this is not a URL")]
    NotUrl,
    /// A path, a query or a fragment where none belongs.
    #[error("the URL has a path, a query or a fragment that does not belong to it")]
    Path,
    /// Neither `http` nor `https`.
    #[error("a file server is reached by http or https")]
    Scheme,
    /// A user name or a password stands before the host.
    #[error("the URL holds a user name or a password")]
    User,
}

/// The text is not 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file id is 1 to 64 letters, digits, underscores and hyphens")]
pub struct InvalidFileId;

fn split_key(text: &str) -> Result<(&str, Ed25519Public), ParseAddressError> {
    if let Some((before, hex)) = text.rsplit_once("#p=") {
        return Ok((before, Ed25519Public::from_hex(hex)?));
    }
    let (before, hex) = text.rsplit_once("#x=").ok_or(ParseAddressError::NoKey)?;
    let key = X25519Public::from_hex(hex)?;
    let key = Ed25519Public::from_x25519(&key).map_err(ParseKeyError::from)?;
    Ok((before, key))
}

fn is_loopback_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback()
        || ip
            .to_ipv4_mapped()
            .is_some_and(|ip: Ipv4Addr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2";

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, https, loopback) in [
            (
                "https://files.example.org",
                "files.example.org",
                443,
                true,
                false,
            ),
            (
                "http://files.example.org:8080",
                "files.example.org",
                8080,
                false,
                false,
            ),
            ("http://127.0.0.1:8787", "127.0.0.1", 8787, false, true),
            ("http://127.9.9.9", "127.9.9.9", 80, false, true),
            ("http://[::1]:9", "::1", 9, false, true),
            ("http://[2001:db8::1]", "2001:db8::1", 80, false, false),
            ("http://localhost:1", "localhost", 1, false, true),
            (
                "http://localhost.example.org",
                "localhost.example.org",
                80,
                false,
                false,
            ),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), text);
            let authority = text.split_once("//").map(|(_, authority)| authority);
            assert_eq!(Some(url.authority()), authority);
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!(
                (url.is_https(), url.is_loopback()),
                (https, loopback),
                "{text}"
            );
        }
    }

    #[test]
    fn other_spellings_are_mended_only_for_people() {
        for (text, mended) in [
            ("https://files.example.org/", "https://files.example.org"),
            ("HTTPS://Files.Example.ORG", "https://files.example.org"),
            ("https://files.example.org:443", "https://files.example.org"),
            (" http://h:80/ ", "http://h"),
            ("http://bücher.example", "http://xn--bcher-kva.example"),
            ("http://0x7f.1", "http://127.0.0.1"),
        ] {
            assert_eq!(
                ServerUrl::parse(text),
                Err(ParseAddressError::NotCanonical),
                "{text}"
            );
            assert_eq!(ServerUrl::normalise(text).unwrap().as_str(), mended);
        }
    }

    #[test]
    fn what_is_no_base_url_is_named() {
        let long = format!("http://{}", "a.".repeat(127));
        for (text, error) in [
            ("files.example.org", ParseAddressError::NotUrl),
            ("", ParseAddressError::NotUrl),
            ("ftp://files.example.org", ParseAddressError::Scheme),
            ("https://files.example.org/sub", ParseAddressError::Path),
            ("https://files.example.org?q", ParseAddressError::Path),
            ("https://files.example.org#f", ParseAddressError::Path),
            ("https://me@files.example.org", ParseAddressError::User),
            ("https://:secret@files.example.org", ParseAddressError::User),
            ("http://h:0", ParseAddressError::Host),
            (&long, ParseAddressError::Host),
        ] {
            assert_eq!(ServerUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn addresses_and_links_round_trip() {
        let address = format!("http://127.0.0.1:8787#p={KEY}");
        let parsed: ServerAddress = address.parse().unwrap();
        assert_eq!(parsed.to_string(), address);
        assert_eq!(
            format!(" HTTP://127.0.0.1:8787/#p={KEY}\n").parse(),
            Ok(parsed.clone())
        );

        let link = format!("http://127.0.0.1:8787/file/B5lQi2xLvfMLkxTipcUhKw#p={KEY}");
        let parsed_link: FileLink = link.parse().unwrap();
        assert_eq!(parsed_link.to_string(), link);
        assert_eq!(parsed_link.server, parsed);
        assert_eq!(parsed_link.id.as_str(), "B5lQi2xLvfMLkxTipcUhKw");
    }

    #[test]
    fn an_x25519_address_is_read_and_printed_as_an_ed25519_one() {
        const X: &str = "09324794aa9c11948189762d198c618148e9136ac9582068180661208927ef34";
        const P: &str = "b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371";
        let address: ServerAddress = format!("http://files.example.org#x={X}").parse().unwrap();
        assert_eq!(
            address.to_string(),
            format!("http://files.example.org#p={P}")
        );
        for (hex, error) in [
            ("12".to_owned(), ParseKeyError::NotHex),
            (
                "0".repeat(64),
                ParseKeyError::Weak(super::super::keys::WeakKey),
            ),
        ] {
            assert_eq!(
                format!("https://h#x={hex}").parse::<ServerAddress>(),
                Err(ParseAddressError::Key(error))
            );
        }
    }

    #[test]
    fn bad_addresses_and_links_are_named() {
        let weak = "0".repeat(64);
        for (text, error) in [
            ("https://h".to_owned(), ParseAddressError::NoKey),
            (
                "https://h#p=12".to_owned(),
                ParseAddressError::Key(ParseKeyError::NotHex),
            ),
            (
                format!("https://h#p={}", KEY.to_uppercase()),
                ParseAddressError::Key(ParseKeyError::NotHex),
            ),
            (
                format!("https://h#p={weak}"),
                ParseAddressError::Key(ParseKeyError::Weak(super::super::keys::WeakKey)),
            ),
            (format!("https://h/x#p={KEY}"), ParseAddressError::Path),
        ] {
            assert_eq!(text.parse::<ServerAddress>(), Err(error), "{text}");
        }
        assert_eq!(
            format!("https://h/file/a.b#p={KEY}").parse::<FileLink>(),
            Err(ParseAddressError::Id(InvalidFileId))
        );
        assert_eq!(
            format!("https://h/files/a#p={KEY}").parse::<FileLink>(),
            Err(ParseAddressError::Path)
        );
        assert_eq!(
            format!("https://h/x/file/a#p={KEY}").parse::<FileLink>(),
            Err(ParseAddressError::Path)
        );
    }

    #[test]
    fn ids_are_plain_words() {
        for good in ["a", "A-_9", &"x".repeat(64)] {
            assert_eq!(FileId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", &"x".repeat(65), "a/b", "..", "é", "a b", "a%20"] {
            assert_eq!(FileId::parse(bad), Err(InvalidFileId), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_mended_url_is_canonical(text in "(http|https)://[a-zA-Z0-9.]{1,20}(:[0-9]{1,5})?/?") {
            if let Ok(url) = ServerUrl::normalise(&text) {
                prop_assert_eq!(ServerUrl::parse(url.as_str()), Ok(url));
            }
        }

        #[test]
        fn no_text_panics(text in ".*", tail in "(http://)?.{0,40}(/file/)?.{0,5}#p=[0-9a-f]{64}") {
            for text in [text, tail] {
                drop(text.parse::<ServerAddress>());
                drop(text.parse::<FileLink>());
                drop(ServerUrl::parse(&text));
                drop(FileId::parse(&text));
            }
        }
    }
}
