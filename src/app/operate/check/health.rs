//! The health of a running file server, in one question: whether its store can be written and read.

use std::time::Duration;

use reqwest::StatusCode;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Report, port};
use crate::net::client;
use crate::server::config::ServerSettings;
use crate::wire::tls;

/// Asks the file server that listens on this computer with these settings for `/health`, which it answers to this
/// computer alone. Takes no proxy, and nothing of a person's.
pub async fn health(settings: &ServerSettings) -> Report {
    const PART: &str = "health";
    let listen = settings.listen;
    let mut report = Report::default();
    match ask(settings).await {
        Ok(Answer::Healthy) => report.ok(
            PART,
            format!("the server on {listen} can write and read its store"),
        ),
        Ok(Answer::StoreFails) => report.failed(
            PART,
            format!("the server on {listen} cannot write and read its store"),
            "see what cloak check server says of its store and disk",
        ),
        Ok(Answer::Other(status)) => report.failed(
            PART,
            format!("what listens on {listen} answered {status}, and not as a file server does"),
            "have a file server listen on 127.0.0.1, 0.0.0.0 or [::]: it tells its health to callers from loopback only",
        ),
        Err(NoAnswer::Slow(within)) => report.failed(
            PART,
            format!(
                "the server on {listen} did not say within {} s whether its store works",
                within.as_secs()
            ),
            "see what cloak check server says of its store and disk",
        ),
        Err(NoAnswer::Unreachable) => report.failed(
            PART,
            format!("no server answers on {listen}"),
            "start it, or name its address by --listen or --config",
        ),
    }
    report
}

async fn ask(settings: &ServerSettings) -> Result<Answer, NoAnswer> {
    // The server asks its store several questions, each of which may take that long: one whose store is so slow is
    // reported as slow.
    let within = settings.store_timeout + PATIENCE;
    let lost = |error: reqwest::Error| {
        if error.is_timeout() && !error.is_connect() {
            NoAnswer::Slow(within)
        } else {
            NoAnswer::Unreachable
        }
    };
    // Nothing is encrypted on the way to this computer, so no issuer of certificates is needed.
    let no_issuers = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map(|config| {
            config
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        })
        .or(Err(NoAnswer::Unreachable))?;
    let client = client::builder(None)
        .and_then(|builder| builder.tls_backend_preconfigured(no_issuers).build())
        .map_err(lost)?;
    let mut response = client
        .get(format!("http://{}/health", port::here(settings.listen)))
        .timeout(within)
        .send()
        .await
        .map_err(lost)?;
    let status = response.status();
    let mut body = Vec::new();
    while body.len() <= HEALTHY.len()
        && let Some(bytes) = response.chunk().await.map_err(lost)?
    {
        body.extend_from_slice(&bytes);
    }
    Ok(match status {
        StatusCode::OK if body == HEALTHY => Answer::Healthy,
        StatusCode::SERVICE_UNAVAILABLE => Answer::StoreFails,
        other => Answer::Other(other.as_u16()),
    })
}

/// The body of the answer to `/health` of a file server that works.
const HEALTHY: &[u8] = b"ok";

enum Answer {
    Healthy,
    StoreFails,
    /// Something other than a file server answered, with this HTTP status.
    Other(u16),
}

enum NoAnswer {
    /// Somebody listens there, and said nothing for so long.
    Slow(Duration),
    Unreachable,
}

const PATIENCE: Duration = Duration::from_secs(5);
