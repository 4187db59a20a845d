//! Fetches lists of relays: a signed one from the URL that it was added by, Session's nodes from one of its seeds.
//!
//! Both go straight to a computer that then sees this one's address (or the person's proxy's); nothing here decides
//! when that is right, nor what becomes of what was fetched.

use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use reqwest::{Client, Response};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::client;
use super::session_tls;
use super::socks::{ProxyFailure, SocksProxy};
use crate::protocol::relay_list::session_nodes::{self, NodesError, SessionNodes};
use crate::protocol::relay_list::{ListSource, MAX_LIST_LEN};

/// A list and what stands beside it. Nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedList {
    /// The exact bytes.
    pub list: Vec<u8>,
    /// The text of its `.sig`; `None` when there is none.
    pub signature: Option<String>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FetchError {
    /// It broke off.
    #[error("the connection broke")]
    Broken,
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A seed answered, but not with nodes.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// The person's proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyFailure),
    /// It points to another place, which is not followed.
    #[error("it points to another address, which is not followed")]
    Redirected,
    /// It answered with this status.
    #[error("it answered {0}")]
    Status(u16),
    /// It did not end in time.
    #[error("it took too long")]
    TimedOut,
    /// It is larger than it can be.
    #[error("it is too large")]
    TooLarge,
    /// No connection came about; for `https` and seeds a certificate that is not accepted is among the reasons.
    #[error("it cannot be reached, or does not prove that it is what it should be")]
    Unreachable,
}

/// Fetches the list and its signature from where they are.
///
/// # Errors
/// [`FetchError`]; a missing signature is none.
pub async fn fetch_list(
    source: &ListSource,
    proxy: Option<&SocksProxy>,
    cancel: &CancellationToken,
) -> Result<FetchedList, FetchError> {
    let fetch = async {
        let isolated = isolated(proxy).await;
        let client = client::web_builder(isolated.as_ref())
            .and_then(|builder| builder.build().ok())
            .ok_or(FetchError::Unreachable)?;
        let list = get(&client, source.url(), MAX_LIST_LEN).await?;
        let signature = match get(&client, &source.signature_url(), MAX_SIGNATURE_LEN).await {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(FetchError::Status(404 | 410)) => None,
            Err(other) => return Err(other),
        };
        Ok(FetchedList { list, signature })
    };
    let fetched = within(LIST_LIMIT, cancel, fetch).await;
    blame_proxy(fetched, proxy).await
}

/// The person's proxy, with a login for this fetch alone where it takes one.
async fn isolated(proxy: Option<&SocksProxy>) -> Option<SocksProxy> {
    match proxy {
        Some(proxy) => Some(proxy.isolated().await),
        None => None,
    }
}

/// Says of a proxy that cannot be used that it is to blame.
async fn blame_proxy<T>(
    fetched: Result<T, FetchError>,
    proxy: Option<&SocksProxy>,
) -> Result<T, FetchError> {
    if let (Err(FetchError::Unreachable), Some(proxy)) = (&fetched, proxy)
        && let Some(failure) = proxy.diagnose().await
    {
        return Err(failure.into());
    }
    fetched
}

async fn get(client: &Client, url: &str, max_len: usize) -> Result<Vec<u8>, FetchError> {
    let response = client.get(url).send().await.map_err(failed)?;
    read(response, max_len).await
}

/// A computer that knows Session's nodes, recognised by its certificate alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// `https://host:port`.
    pub url: String,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

impl Seed {
    /// The three of Session's main network.
    #[must_use]
    pub fn main_network() -> Vec<Self> {
        MAIN_SEEDS
            .iter()
            .filter_map(|(url, fingerprint)| {
                let fingerprint = HEXLOWER.decode(fingerprint.as_bytes()).ok()?;
                Some(Self {
                    url: (*url).to_owned(),
                    fingerprint: fingerprint.try_into().ok()?,
                })
            })
            .collect()
    }

    /// Whether this certificate is its.
    pub(super) fn is_certificate(fingerprint: &[u8; 32], certificate: &[u8]) -> bool {
        Sha256::digest(certificate).as_slice() == fingerprint
    }
}

/// Asks one seed after the other, in random order, until one names nodes that can be used at `now` (unix seconds).
/// The URL of each goes into `asked` before it is.
///
/// # Errors
/// That of the last seed that was asked.
pub async fn fetch_session_nodes(
    seeds: &[Seed],
    proxy: Option<&SocksProxy>,
    now: u64,
    rng: &mut impl CryptoRng,
    asked: &mut Vec<String>,
    cancel: &CancellationToken,
) -> Result<SessionNodes, FetchError> {
    let mut left: Vec<&Seed> = seeds.iter().collect();
    let mut last = FetchError::Unreachable;
    while !left.is_empty() {
        let drawn = usize::try_from(rng.next_u32()).unwrap_or(0) % left.len();
        let seed = left.swap_remove(drawn);
        asked.push(seed.url.clone());
        match within(SEED_LIMIT, cancel, ask(seed, proxy, now)).await {
            Err(FetchError::Cancelled) => return Err(FetchError::Cancelled),
            Err(error) => {
                debug!("a seed of Session's network gave no nodes");
                last = error;
            }
            nodes => return nodes,
        }
    }
    blame_proxy(Err(last), proxy).await
}

async fn ask(
    seed: &Seed,
    proxy: Option<&SocksProxy>,
    now: u64,
) -> Result<SessionNodes, FetchError> {
    let tls = session_tls::seed_client_config(seed.fingerprint)
        .map_err(|_why| FetchError::Unreachable)?;
    let proxy = isolated(proxy).await;
    let client = client::builder(proxy.as_ref())
        .and_then(|builder| builder.tls_backend_preconfigured(tls).build())
        .map_err(|_why| FetchError::Unreachable)?;
    let response = client
        .post(format!("{}{}", seed.url, session_nodes::ENDPOINT))
        .header("Content-Type", "application/json")
        .body(session_nodes::REQUEST)
        .send()
        .await
        .map_err(failed)?;
    let answer = read(response, session_nodes::MAX_ANSWER_LEN).await?;
    Ok(SessionNodes::read_answer(&answer, now)?)
}

/// Reads a body of at most `max_len` bytes, one more being too many.
async fn read(mut response: Response, max_len: usize) -> Result<Vec<u8>, FetchError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirected);
    }
    if status != reqwest::StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    if response
        .content_length()
        .is_some_and(|len| len > max_len as u64)
    {
        return Err(FetchError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > max_len {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn within<T>(
    limit: Duration,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::select! {
        () = cancel.cancelled() => Err(FetchError::Cancelled),
        done = timeout(limit, work) => done.unwrap_or(Err(FetchError::TimedOut)),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where an error is mapped"
)]
fn failed(error: reqwest::Error) -> FetchError {
    if error.is_connect() {
        FetchError::Unreachable
    } else if error.is_timeout() {
        FetchError::TimedOut
    } else {
        FetchError::Broken
    }
}

/// Two small files.
const LIST_LIMIT: Duration = Duration::from_secs(30);
const SEED_LIMIT: Duration = Duration::from_secs(8);
const MAX_SIGNATURE_LEN: usize = 1_024;

const MAIN_SEEDS: [(&str, &str); 3] = [
    (
        "https://seed1.getsession.org:4443",
        "36ea0b253537988551ee856e4fd20d55011e9c8b27eaa2f34b8f32a0bdf04f2d",
    ),
    (
        "https://seed2.getsession.org:4443",
        "c5908dd4139acd96aedd1e45576597650809c8a5ea02af556d4853d45396e0e7",
    ),
    (
        "https://seed3.getsession.org:4443",
        "8a0af2c712342f22ce00e53c1601410ef8d84156aee0a9809c32f6f7efbe556e",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_seeds_are_pinned() {
        let seeds = Seed::main_network();
        assert_eq!(seeds.len(), 3);
        // As they are published: SHA-256 of the certificate.
        let published = [
            "36:EA:0B:25:35:37:98:85:51:EE:85:6E:4F:D2:0D:55:01:1E:9C:8B:27:EA:A2:F3:4B:8F:32:A0:BD:F0:4F:2D",
            "C5:90:8D:D4:13:9A:CD:96:AE:DD:1E:45:57:65:97:65:08:09:C8:A5:EA:02:AF:55:6D:48:53:D4:53:96:E0:E7",
            "8A:0A:F2:C7:12:34:2F:22:CE:00:E5:3C:16:01:41:0E:F8:D8:41:56:AE:E0:A9:80:9C:32:F6:F7:EF:BE:55:6E",
        ];
        for (number, (seed, published)) in seeds.iter().zip(published).enumerate() {
            let url = format!("https://seed{}.getsession.org:4443", number + 1);
            assert_eq!(seed.url, url);
            let bytes = seed.fingerprint.map(|byte| format!("{byte:02X}"));
            assert_eq!(bytes.join(":"), published);
        }
        assert!(!Seed::is_certificate(&seeds[0].fingerprint, b"another"));
        let certificate = b"some certificate";
        let right: [u8; 32] = Sha256::digest(certificate).into();
        assert!(Seed::is_certificate(&right, certificate));
        for byte in 0..32 {
            let mut wrong = right;
            wrong[byte] ^= 1;
            assert!(!Seed::is_certificate(&wrong, certificate), "{byte}");
        }
    }
}
