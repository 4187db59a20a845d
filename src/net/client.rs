//! The one HTTP client that leaves this computer: straight, or through the person's SOCKS5 proxy; never through a proxy
//! that the environment names. No redirects, cookies, referrer nor retries: those are decisions.

use core::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};

use super::socks::SocksProxy;

/// What every client here is built from. Whose certificate it takes is the caller's to add.
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

/// How long a connection may take to stand.
pub(super) const fn connect_limit(proxy: Option<&SocksProxy>) -> Duration {
    match proxy {
        None => CONNECT_LIMIT,
        Some(_) => PROXY_CONNECT_LIMIT,
    }
}

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Tor may build a circuit first.
const PROXY_CONNECT_LIMIT: Duration = Duration::from_secs(30);
