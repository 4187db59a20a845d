//! The health of a running file server, in one question: whether its store can be written and read.

use std::time::Duration;

use reqwest::StatusCode;

use super::{Report, port};
use crate::net::client;
use crate::server::config::ServerSettings;

/// Asks the file server that listens on this computer with these settings for `/health`, which it answers to this
/// computer alone. Takes no proxy, and nothing of a person's.
pub async fn health(settings: &ServerSettings) -> Report {
    const PART: &str = "health";
    let listen = settings.listen;
    let mut report = Report::default();
    match ask(settings).await {
        Ok(StatusCode::OK) => report.ok(
            PART,
            format!("the server on {listen} can write and read its store"),
        ),
        Ok(StatusCode::SERVICE_UNAVAILABLE) => report.failed(
            PART,
            format!("the server on {listen} cannot write and read its store"),
            "see what cloak check server says of its store and disk",
        ),
        Ok(other) => report.failed(
            PART,
            format!("what listens on {listen} answered {}", other.as_u16()),
            "have a file server listen on 127.0.0.1, 0.0.0.0 or [::]: it tells its health to callers from loopback only",
        ),
        Err(_no_answer) => report.failed(
            PART,
            format!("no server answers on {listen}"),
            "start it, or name its address by --listen or --config",
        ),
    }
    report
}

async fn ask(settings: &ServerSettings) -> Result<StatusCode, NoAnswer> {
    let client = client::web_builder(None).and_then(|builder| builder.build().ok());
    let asked = client
        .ok_or(NoAnswer)?
        .get(format!("http://{}/health", port::here(settings.listen)))
        // The server tries its store for so long before it says that it cannot.
        .timeout(settings.store_timeout + PATIENCE)
        .send();
    match asked.await {
        Ok(response) => Ok(response.status()),
        Err(_unreachable) => Err(NoAnswer),
    }
}

/// Nobody answered in time.
struct NoAnswer;

const PATIENCE: Duration = Duration::from_secs(5);
