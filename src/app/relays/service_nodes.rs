//! Networks of service nodes: Session's, and others of its kind, which a file describes. Their relays are computers of
//! other people, which a few seeds know; a seed is contacted straight and recognised by its certificate alone.
//!
//! The file is TOML: `name`, `server` (the address of the file server), and for each seed a table `[[seed]]` with `url`
//! (`https://host:port`) and `fingerprint`, the SHA-256 of its certificate in hex.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use reqwest::Url;
use serde::Deserialize;

use super::set::RelaySource;
use crate::app::words::harmless::harmless_start;
use crate::net::seed::Seed;
use crate::protocol::address::ServerAddress;

/// A network of service nodes with its file server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNodeNetwork {
    /// Name that its maker gave it.
    pub name: String,
    /// Its file server.
    pub server: ServerAddress,
    /// The computers that know its nodes.
    pub seeds: Vec<Seed>,
    /// Source by which the settings name its relays.
    pub source: RelaySource,
}

/// Why a file describes no network of service nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceNodeFileError {
    /// A fingerprint is not 64 hex digits.
    #[error("the fingerprint of {0} is not 64 hex digits")]
    Fingerprint(String),
    /// It cannot be read, or has other keys than such a file.
    #[error("{0}")]
    Form(String),
    /// Its name is empty, or longer than 40 bytes.
    #[error("its name is empty or too long")]
    Name,
    /// It has no seeds, or more than 16.
    #[error("it needs 1 to 16 seeds")]
    Seeds,
    /// Its server's address is none.
    #[error("its server: {0}")]
    Server(String),
    /// The address of a seed is not `https` with a host and nothing behind the port.
    #[error("{0} is no address of a seed, such as https://host:443")]
    Url(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    server: String,
    #[serde(default)]
    seed: Vec<SeedForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedForm {
    url: String,
    fingerprint: String,
}

impl ServiceNodeNetwork {
    /// Session's main network: its file server and its three seeds.
    ///
    /// # Panics
    /// Never: the address is a constant, which a test reads.
    #[must_use]
    pub fn session() -> Self {
        Self {
            name: "Session".to_owned(),
            server: SESSION_SERVER.parse().expect("a constant address"),
            seeds: Seed::main_network(),
            source: RelaySource::Session,
        }
    }

    /// Reads the file at `path`. Blocking, small.
    ///
    /// # Errors
    /// [`ServiceNodeFileError`].
    pub fn read(path: &Path) -> Result<Self, ServiceNodeFileError> {
        let read = std::fs::File::open(path).and_then(|file| {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_FILE_LEN), &mut text)?;
            Ok(text)
        });
        let text = read.map_err(|error| ServiceNodeFileError::Form(error.to_string()))?;
        Self::parse(&text, path.to_owned())
    }

    /// Reads the text of a file that is, or was, at `path`.
    ///
    /// # Errors
    /// [`ServiceNodeFileError`].
    pub fn parse(text: &str, path: PathBuf) -> Result<Self, ServiceNodeFileError> {
        let form: Form = toml::from_str(text)
            .map_err(|error| ServiceNodeFileError::Form(error.message().to_owned()))?;
        let name = form.name.trim();
        if !(1..=MAX_NAME_LEN).contains(&name.len()) {
            return Err(ServiceNodeFileError::Name);
        }
        let server = form.server.trim().parse();
        let server = server.map_err(|why: crate::protocol::address::ParseAddressError| {
            ServiceNodeFileError::Server(why.to_string())
        })?;
        if !(1..=MAX_SEEDS).contains(&form.seed.len()) {
            return Err(ServiceNodeFileError::Seeds);
        }
        let seeds = form.seed.iter().map(seed).collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.to_owned(),
            server,
            seeds,
            source: RelaySource::ServiceNodes(path),
        })
    }

    /// Its name, safe to show: whoever made its file chose it.
    #[must_use]
    pub fn shown_name(&self) -> String {
        harmless_start(&self.name, MAX_NAME_LEN)
    }

    /// The hosts of its seeds, for people: `seed1.example, seed2.example`.
    #[must_use]
    pub fn seed_hosts(&self) -> String {
        let hosts = self.seeds.iter().map(|seed| host(&seed.url));
        hosts.collect::<Vec<_>>().join(", ")
    }
}

fn seed(form: &SeedForm) -> Result<Seed, ServiceNodeFileError> {
    let no_address = || ServiceNodeFileError::Url(form.url.clone());
    let url = Url::parse(form.url.trim()).map_err(|_no_url| no_address())?;
    let is_plain = url.scheme() == "https"
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_plain {
        return Err(no_address());
    }
    let colons = form.fingerprint.replace(':', "");
    let fingerprint = HEXLOWER_PERMISSIVE.decode(colons.trim().as_bytes()).ok();
    let fingerprint = fingerprint.and_then(|bytes| bytes.try_into().ok());
    Ok(Seed {
        url: url.as_str().trim_end_matches('/').to_owned(),
        fingerprint: fingerprint
            .ok_or_else(|| ServiceNodeFileError::Fingerprint(host(url.as_str())))?,
    })
}

/// The host of a seed.
fn host(url: &str) -> String {
    let host = Url::parse(url).ok();
    let host = host.and_then(|url| Some(url.host_str()?.to_owned()));
    host.unwrap_or_else(|| url.to_owned())
}

/// Address of Session's file server.
const SESSION_SERVER: &str = "http://filev2.getsession.org#p=b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371";
/// The longest file that is read, in bytes.
const MAX_FILE_LEN: u64 = 64 * 1024;
/// The longest name, in bytes.
const MAX_NAME_LEN: usize = 40;
/// The most seeds of one network.
const MAX_SEEDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b8eef9821445ae16e2e97ef8aa6fe782fd11ad5253cd6723b281341dba22e371";

    fn text(name: &str, server: &str, seeds: &[(&str, &str)]) -> String {
        let mut text = format!("name = {name:?}\nserver = {server:?}\n");
        for (url, fingerprint) in seeds {
            text += &format!("[[seed]]\nurl = {url:?}\nfingerprint = {fingerprint:?}\n");
        }
        text
    }

    fn parse(text: &str) -> Result<ServiceNodeNetwork, ServiceNodeFileError> {
        ServiceNodeNetwork::parse(text, "/a/network.toml".into())
    }

    #[test]
    fn sessions_network_has_its_server_and_three_seeds() {
        let session = ServiceNodeNetwork::session();
        assert_eq!(session.server.to_string(), SESSION_SERVER);
        assert_eq!(session.seeds.len(), 3);
        assert_eq!(
            session.seed_hosts(),
            "seed1.getsession.org, seed2.getsession.org, seed3.getsession.org"
        );
    }

    #[test]
    fn a_file_describes_another_network_of_its_kind() {
        let server = format!("http://files.example#p={KEY}");
        let colons = KEY.to_uppercase();
        let colons: Vec<&str> = (0..32).map(|at| &colons[2 * at..2 * at + 2]).collect();
        let seeds = [
            ("https://seed.example:4443", KEY),
            ("https://10.9.9.9/", &*colons.join(":")),
        ];
        let network = parse(&text("Other", &server, &seeds)).unwrap();
        assert_eq!(
            (&*network.name, network.server.to_string()),
            ("Other", server)
        );
        assert_eq!(network.seeds[0].url, "https://seed.example:4443");
        assert_eq!(network.seeds[1].url, "https://10.9.9.9");
        assert_eq!(network.seeds[0].fingerprint, network.seeds[1].fingerprint);
        assert_eq!(network.seed_hosts(), "seed.example, 10.9.9.9");
        let source = RelaySource::ServiceNodes("/a/network.toml".into());
        assert_eq!(network.source, source);
    }

    #[test]
    fn a_name_that_would_fool_a_reader_is_shown_harmless() {
        let server = format!("http://files.example#p={KEY}");
        let text = text("Sess\u{202e}ion", &server, &[("https://seed.example", KEY)]);
        let network = parse(&text.replace("\\u{202e}", "\u{202e}")).unwrap();
        assert!(network.name.contains('\u{202e}'));
        assert!(!network.shown_name().contains('\u{202e}'));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let server = &*format!("http://files.example#p={KEY}");
        let good = [("https://seed.example:4443", KEY)];
        let many = vec![good[0]; 17];
        for (text, why) in [
            (text("", server, &good), ServiceNodeFileError::Name),
            (
                text(&"x".repeat(41), server, &good),
                ServiceNodeFileError::Name,
            ),
            (text("Other", server, &[]), ServiceNodeFileError::Seeds),
            (text("Other", server, &many), ServiceNodeFileError::Seeds),
            (
                text("Other", server, &[("https://seed.example", "77")]),
                ServiceNodeFileError::Fingerprint("seed.example".to_owned()),
            ),
            (
                text("Other", server, &[("http://seed.example", KEY)]),
                ServiceNodeFileError::Url("http://seed.example".to_owned()),
            ),
            (
                text("Other", server, &[("https://seed.example/nodes", KEY)]),
                ServiceNodeFileError::Url("https://seed.example/nodes".to_owned()),
            ),
        ] {
            assert_eq!(parse(&text), Err(why));
        }
        let no_server = parse(&text("Other", "files.example", &good));
        assert!(matches!(no_server, Err(ServiceNodeFileError::Server(_))));
        let more = format!("more = 1\n{}", text("Other", server, &good));
        for other in ["", "name = [", "cloakin1qqqq", &more] {
            assert!(
                matches!(parse(other), Err(ServiceNodeFileError::Form(_))),
                "{other}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let nowhere = ServiceNodeNetwork::read(&folder.path().join("no.toml"));
        assert!(matches!(nowhere, Err(ServiceNodeFileError::Form(_))));
    }
}
