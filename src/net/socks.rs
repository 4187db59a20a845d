//! A SOCKS5 proxy (RFC 1928; user name and password by RFC 1929) as the way out of this computer: how a person writes
//! one, and what is wrong with one that does not work.
//!
//! Names are never looked up here: the proxy is given them as they are.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::io;
use std::net::{IpAddr, SocketAddr};

use data_encoding::HEXLOWER;
use percent_encoding::percent_decode_str;
use rand_core::Rng as _;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroizing;

use super::client;
use crate::wire::random;

/// A SOCKS5 proxy: `socks5://host:port` or `socks5://user:password@host:port`.
///
/// `Display` and `Debug` leave user name and password out; [`SocksProxy::to_secret_text`] has them.
#[derive(Clone, PartialEq, Eq)]
pub struct SocksProxy {
    /// Host of the proxy as in a URL: a name, an IPv4 address, or an IPv6 address in brackets.
    host: String,
    port: u16,
    login: Option<Login>,
}

#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Login {
    /// A random login.
    fn random() -> Self {
        let part = || {
            let mut bytes = Zeroizing::new([0; 16]);
            random::system().fill_bytes(&mut *bytes);
            Zeroizing::new(HEXLOWER.encode(&*bytes))
        };
        Self {
            user: part(),
            password: part(),
        }
    }
}

/// Why a text is no proxy; each says what to write instead.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ParseProxyError {
    /// There is more text after the port.
    #[error("nothing may stand behind the port: write socks5://host:port")]
    Behind,
    /// The text has no host, or an impossible one.
    #[error("there is no host: write socks5://host:port, such as socks5://127.0.0.1:9050")]
    Host,
    /// User name or password is empty, too long or not text.
    #[error(
        "user name and password must each have 1 to 255 bytes: write socks5://user:password@host:port"
    )]
    Login,
    /// The text has no port.
    #[error("there is no port: write socks5://host:port; Tor listens on port 9050")]
    Port,
    /// The text begins with another scheme.
    #[error("only SOCKS5 proxies can be used: write socks5://host:port")]
    Scheme,
}

/// The longest address that is looked at: with a login of 510 bytes and a host of 253, all as escapes of three, and a
/// little more.
const MAX_TYPED_LEN: usize = 2_560;

impl FromStr for SocksProxy {
    type Err = ParseProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > MAX_TYPED_LEN {
            return Err(ParseProxyError::Login);
        }
        let is_socks = text.split_once("://").is_some_and(|(scheme, _)| {
            ["socks5", "socks5h"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
        });
        if !is_socks {
            return Err(ParseProxyError::Scheme);
        }
        let url = Url::parse(text).map_err(|why| match why {
            url::ParseError::InvalidPort => ParseProxyError::Port,
            _ => ParseProxyError::Host,
        })?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(ParseProxyError::Host)?;
        // The URL of an unknown scheme keeps any host; this is what it would be in one of a web page.
        let host = url::Host::parse(host)
            .map_err(|_why| ParseProxyError::Host)?
            .to_string();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ParseProxyError::Behind);
        }
        let port = url
            .port()
            .filter(|port| *port != 0)
            .ok_or(ParseProxyError::Port)?;
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Login {
                user: login_part(user)?,
                password: login_part(password.unwrap_or_default())?,
            }),
        };
        Ok(Self { host, port, login })
    }
}

impl SocksProxy {
    /// The text that [`FromStr`] reads, user name and password with it: for the file of the settings and the field they
    /// are typed into, never for a log or a message.
    #[must_use]
    pub(crate) fn to_secret_text(&self) -> String {
        self.to_url("socks5").into()
    }

    /// For the HTTP client; `socks5h` is its word for leaving names to the proxy.
    pub(super) fn to_proxy(&self) -> reqwest::Result<reqwest::Proxy> {
        reqwest::Proxy::all(self.to_url("socks5h"))
    }

    fn to_url(&self, scheme: &str) -> Url {
        let mut url = Url::parse(&format!("{scheme}://{}:{}", self.host, self.port))
            .expect("host and port came out of a URL");
        if let Some(login) = &self.login {
            // Neither fails for a URL that has a host.
            url.set_username(&login.user).ok();
            url.set_password(Some(&login.password)).ok();
        }
        url
    }

    /// This proxy with a random login, if the person gave none and the proxy takes one though it needs none. Tor keeps
    /// connections of different logins on different circuits (`IsolateSOCKSAuth`), so that no exit sees two tries of one
    /// person side by side.
    #[must_use]
    pub(crate) async fn isolated(&self) -> Self {
        let asks_for_login = async {
            let mut stream = self.connect().await.ok()?;
            stream
                .write_all(&[VERSION, 2, NO_LOGIN, USER_PASSWORD])
                .await
                .ok()?;
            let mut chosen = [0; 2];
            stream.read_exact(&mut chosen).await.ok()?;
            Some(chosen == [VERSION, USER_PASSWORD])
        };
        // What is wrong with a proxy that does not answer is found when it is used.
        let takes_any = self.login.is_none()
            && matches!(
                timeout(GREETING_LIMIT, asks_for_login).await,
                Ok(Some(true))
            );
        Self {
            login: takes_any.then(Login::random).or_else(|| self.login.clone()),
            ..self.clone()
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        TcpStream::connect((host, self.port)).await
    }

    /// Finds the fault of the proxy itself, once a connection through it failed; `None` when the proxy is there and
    /// would take a request, so that the host behind it is to blame.
    pub(super) async fn diagnose(&self) -> Option<ProxyFailure> {
        match timeout(GREETING_LIMIT, self.greet()).await {
            Ok(Ok(_stream)) => None,
            Ok(Err(reason)) => Some(self.failure(reason)),
            Err(_elapsed) => Some(self.failure(ProxyFailureReason::Unreachable)),
        }
    }

    fn failure(&self, reason: ProxyFailureReason) -> ProxyFailure {
        ProxyFailure {
            proxy: self.to_string(),
            reason,
        }
    }

    /// Connects to `addr` through this proxy, within as long as [`client::builder`]'s clients wait for it.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(crate) async fn connect_to(&self, addr: SocketAddr) -> Result<TcpStream, ConnectError> {
        let connected = async {
            let greeted = timeout(GREETING_LIMIT, self.greet()).await;
            let mut stream = greeted
                .unwrap_or(Err(ProxyFailureReason::Unreachable))
                .map_err(|reason| ConnectError::Proxy(self.failure(reason)))?;
            ask_for(&mut stream, addr)
                .await
                .map_err(|_why| ConnectError::Host)?;
            Ok(stream)
        };
        let limit = client::connect_limit(Some(self));
        timeout(limit, connected)
            .await
            .unwrap_or(Err(ConnectError::Host))
    }

    /// The opening of a SOCKS5 conversation, up to where a connection would be asked for.
    async fn greet(&self) -> Result<TcpStream, ProxyFailureReason> {
        use ProxyFailureReason::{NoSocks, Refused, Unreachable};

        let mut stream = self.connect().await.map_err(|_why| Unreachable)?;
        let method = if self.login.is_some() {
            USER_PASSWORD
        } else {
            NO_LOGIN
        };
        let broken = |_why| NoSocks;
        stream
            .write_all(&[VERSION, 1, method])
            .await
            .map_err(broken)?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await.map_err(broken)?;
        match chosen {
            [VERSION, chosen] if chosen == method => {}
            [VERSION, _] => return Err(Refused),
            _ => return Err(NoSocks),
        }
        let Some(login) = &self.login else {
            return Ok(stream);
        };
        let mut asked = Zeroizing::new(vec![LOGIN_VERSION]);
        for part in [&login.user, &login.password] {
            asked.push(u8::try_from(part.len()).map_err(|_too_long| Refused)?);
            asked.extend_from_slice(part.as_bytes());
        }
        stream.write_all(&asked).await.map_err(broken)?;
        let mut verdict = [0; 2];
        stream
            .read_exact(&mut verdict)
            .await
            .map_err(|_why| Refused)?;
        if verdict == [LOGIN_VERSION, 0] {
            Ok(stream)
        } else {
            Err(Refused)
        }
    }
}

impl fmt::Display for SocksProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socks5://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SocksProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Asks a proxy that was greeted for a connection to `addr`, which `stream` is afterwards (RFC 1928, sections 4 to 6).
async fn ask_for(stream: &mut TcpStream, addr: SocketAddr) -> io::Result<()> {
    let mut asked = vec![VERSION, CONNECT, RESERVED];
    match addr.ip() {
        IpAddr::V4(ip) => {
            asked.push(IPV4);
            asked.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            asked.push(IPV6);
            asked.extend(ip.octets());
        }
    }
    asked.extend(addr.port().to_be_bytes());
    stream.write_all(&asked).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [VERSION, SUCCEEDED, _, kind] = head else {
        return Err(io::ErrorKind::ConnectionRefused.into());
    };
    // Read to its end, though nobody needs the address that the proxy goes out with: the host's bytes come behind it.
    let len = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(stream.read_u8().await?),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    stream.read_exact(&mut vec![0; len + PORT_LEN]).await?;
    Ok(())
}

/// Why there is no connection through a proxy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// The proxy works, but did not reach the host.
    #[error("the proxy does not reach it")]
    Host,
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(ProxyFailure),
}

/// A proxy that cannot be used. Nothing was sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the proxy {proxy} {reason}")]
pub struct ProxyFailure {
    /// The proxy, as its `Display` prints it.
    pub proxy: String,
    /// Why the proxy did not connect.
    pub reason: ProxyFailureReason,
}

/// Why a proxy cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProxyFailureReason {
    /// Something answers there that does not speak SOCKS5.
    #[error("is not a SOCKS5 proxy")]
    NoSocks,
    /// The proxy wants a user name and password and was given none or wrong ones, or wants none.
    #[error("refuses this user name and password, or asks for one")]
    Refused,
    /// Nothing answers there.
    #[error("does not answer")]
    Unreachable,
}

/// One half of a login, percent escapes resolved. A broken escape is refused, and not taken as it stands: the proxy would
/// refuse the login without saying why.
fn login_part(text: &str) -> Result<Zeroizing<String>, ParseProxyError> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(ParseProxyError::Login);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    match str::from_utf8(&bytes) {
        Ok(text) if (1..=MAX_LOGIN_LEN).contains(&text.len()) => Ok(Zeroizing::new(text.into())),
        _ => Err(ParseProxyError::Login),
    }
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const USER_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const RESERVED: u8 = 0;
const SUCCEEDED: u8 = 0;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const PORT_LEN: usize = 2;
const LOGIN_VERSION: u8 = 1;
const MAX_LOGIN_LEN: usize = 255;
const GREETING_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_survives_the_settings_and_shows_no_password() {
        for (text, shown) in [
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("socks5://[::1]:9050", "socks5://[::1]:9050"),
            (
                "socks5://proxy.example.org:1080",
                "socks5://proxy.example.org:1080",
            ),
            (
                "socks5://me:s%3Acr%40t%20%C3%A9@proxy:1080",
                "socks5://proxy:1080",
            ),
        ] {
            let proxy: SocksProxy = text.parse().unwrap();
            assert_eq!(proxy.to_secret_text(), text);
            assert_eq!(proxy.to_secret_text().parse(), Ok(proxy.clone()));
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), shown);
        }
        let login = "socks5://me:s%3Acr%40t%20%C3%A9@proxy:1080"
            .parse::<SocksProxy>()
            .unwrap()
            .login
            .unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("me", "s:cr@t é")
        );
        assert_eq!(
            " SOCKS5H://Tor:9050/ "
                .parse::<SocksProxy>()
                .unwrap()
                .to_string(),
            "socks5://tor:9050"
        );
    }

    #[test]
    fn every_refusal_says_what_to_write() {
        let long = format!("socks5://{}:x@proxy:1080", "u".repeat(256));
        for (text, error) in [
            ("", ParseProxyError::Scheme),
            ("127.0.0.1:9050", ParseProxyError::Scheme),
            ("http://127.0.0.1:8080", ParseProxyError::Scheme),
            ("socks4://127.0.0.1:9050", ParseProxyError::Scheme),
            ("socks5://", ParseProxyError::Host),
            ("socks5://:9050", ParseProxyError::Host),
            ("socks5://a b:9050", ParseProxyError::Host),
            ("socks5://[::1:9050", ParseProxyError::Host),
            ("socks5://127.0.0.1", ParseProxyError::Port),
            ("socks5://127.0.0.1:0", ParseProxyError::Port),
            ("socks5://127.0.0.1:port", ParseProxyError::Port),
            ("socks5://127.0.0.1:70000", ParseProxyError::Port),
            ("socks5://127.0.0.1:9050/x", ParseProxyError::Behind),
            ("socks5://127.0.0.1:9050?x", ParseProxyError::Behind),
            ("socks5://127.0.0.1:9050#x", ParseProxyError::Behind),
            ("socks5://me@proxy:1080", ParseProxyError::Login),
            ("socks5://:secret@proxy:1080", ParseProxyError::Login),
            ("socks5://me:%zz@proxy:1080", ParseProxyError::Login),
            ("socks5://me:a%2@proxy:1080", ParseProxyError::Login),
            ("socks5://me:%ff@proxy:1080", ParseProxyError::Login),
            (&long, ParseProxyError::Login),
        ] {
            assert_eq!(text.parse::<SocksProxy>(), Err(error), "{text}");
            assert!(error.to_string().contains("write socks5://"), "{error}");
        }
    }
}
