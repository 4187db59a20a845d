//! Fetches lists of relays: a signed one from the URL that it was added by, Session's nodes from one of its seeds.
//!
//! Both go straight to a computer that then sees this one's address (or the person's proxy's); nothing here decides
//! when that is right, nor what becomes of what was fetched.

use rand_core::CryptoRng;
use reqwest::{Client, Response};
use thiserror::Error;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::client;
use super::seed::Seed;
use super::session_tls;
use super::socks::{ProxyFailure, SocksProxy};
use crate::protocol::relay_list::session_nodes::{self, NodesError, SessionNodes};
use crate::protocol::relay_list::{ListSource, MAX_LIST_LEN};

/// A fetched list with its signature. Neither is checked yet.
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
    /// The connection broke.
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
    /// The host answered with a redirect, which is not followed.
    #[error("it points to another address, which is not followed")]
    Redirected,
    /// The host answered with this HTTP status.
    #[error("it answered {0}")]
    Status(u16),
    /// The time limit was reached.
    #[error("it took too long")]
    TimedOut,
    /// The list is longer than any list can be.
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
pub(crate) async fn fetch_list(
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

/// Turns a failed connection into a proxy error when the proxy is at fault.
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

/// Asks one seed after the other, in random order, until one names nodes that can be used at `now` (unix seconds).
/// The URL of each goes into `asked` before it is.
///
/// # Errors
/// Error of the last seed that was asked.
pub(crate) async fn fetch_session_nodes(
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

/// Time limit for fetching a list and its signature: two small files.
const LIST_LIMIT: Duration = Duration::from_secs(30);
const SEED_LIMIT: Duration = Duration::from_secs(8);
const MAX_SIGNATURE_LEN: usize = 1_024;
