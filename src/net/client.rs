//! The one HTTP client that leaves this computer: straight, or through the person's SOCKS5 proxy; never through a proxy
//! that the environment names. No redirects, cookies, referrer nor retries: those are decisions.

use core::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::socks::SocksProxy;
use crate::wire::tls;

/// Base of every HTTP client here; the caller adds the certificate verifier.
///
/// # Errors
/// When the HTTP client does not take the proxy.
pub fn builder(proxy: Option<&SocksProxy>) -> reqwest::Result<ClientBuilder> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0);
    let builder = builder.connect_timeout(connect_limit(proxy));
    Ok(match proxy {
        None => builder,
        Some(proxy) => builder.proxy(proxy.to_proxy()?),
    })
}

/// Builds a client for hosts that have a certificate of the web. Without a proxy the system verifies it. Some systems ask
/// the issuer, past any proxy, and so show it where this computer goes: through a proxy the certificate is verified here,
/// by the issuers that Mozilla trusts, and nobody is asked.
pub(crate) fn web_builder(proxy: Option<&SocksProxy>) -> Option<ClientBuilder> {
    let builder = builder(proxy).ok()?;
    // The system's judge uses it too.
    let provider = tls::provider();
    if proxy.is_none() {
        return Some(builder);
    }
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(builder.tls_backend_preconfigured(config))
}

/// Time limit for making a connection.
pub(super) const fn connect_limit(proxy: Option<&SocksProxy>) -> Duration {
    match proxy {
        None => CONNECT_LIMIT,
        Some(_) => PROXY_CONNECT_LIMIT,
    }
}

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Time limit for making a connection through a proxy: Tor may build a circuit first.
const PROXY_CONNECT_LIMIT: Duration = Duration::from_secs(30);
