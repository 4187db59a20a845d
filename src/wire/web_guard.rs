//! Whether a request was sent by a web page: a page in the operator's browser must not drive a listener here.

use std::net::SocketAddr;

use hyper::{
    HeaderMap,
    header::{HOST, HeaderName, ORIGIN, REFERER},
};

/// Refuses what browsers send.
///
/// Requests with `Origin`, `Referer` or `Sec-Fetch-Site` are refused on every listener. On a loopback listener the
/// `Host` must also be this listener, so that a name that was rebound to loopback does not reach it; `public_host` is a
/// further allowed value, for a listener behind a reverse proxy.
#[derive(Clone, Debug)]
pub(crate) struct WebGuard {
    hosts: Option<Vec<String>>,
}

impl WebGuard {
    /// The guard of the listener at `addr`.
    #[must_use]
    pub(crate) fn new(addr: SocketAddr, public_host: Option<&str>) -> Self {
        if !addr.ip().to_canonical().is_loopback() {
            return Self { hosts: None };
        }
        let mut hosts = vec![addr.to_string(), format!("localhost:{}", addr.port())];
        if matches!(addr.port(), 80 | 443) {
            hosts.push("localhost".to_owned());
            hosts.push(if addr.is_ipv6() {
                format!("[{}]", addr.ip())
            } else {
                addr.ip().to_string()
            });
        }
        hosts.extend(public_host.map(str::to_owned));
        Self { hosts: Some(hosts) }
    }

    /// Judges a request by its headers.
    ///
    /// # Errors
    /// [`FromWebPage`]: answer 403.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), FromWebPage> {
        const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        if [ORIGIN, REFERER, SEC_FETCH_SITE]
            .iter()
            .any(|name| headers.contains_key(name))
        {
            return Err(FromWebPage);
        }
        let Some(hosts) = &self.hosts else {
            return Ok(());
        };
        let mut given = headers.get_all(HOST).iter();
        match (
            given.next().and_then(|host| host.to_str().ok()),
            given.next(),
        ) {
            (Some(host), None) if hosts.iter().any(|own| own.eq_ignore_ascii_case(host)) => Ok(()),
            _ => Err(FromWebPage),
        }
    }
}

/// The request comes, or may come, from a web page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Requests from web pages are refused")]
pub(crate) struct FromWebPage;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn what_a_browser_sends_is_refused_everywhere() {
        for addr in ["127.0.0.1:8787", "0.0.0.0:8787"] {
            let guard = WebGuard::new(addr.parse().unwrap(), None);
            for name in ["origin", "referer", "sec-fetch-site"] {
                let request =
                    headers(&[("host", "127.0.0.1:8787"), (name, "http://127.0.0.1:8787")]);
                assert_eq!(guard.check(&request), Err(FromWebPage), "{name}");
            }
            assert_eq!(guard.check(&headers(&[("host", "127.0.0.1:8787")])), Ok(()));
        }
    }

    #[test]
    fn on_loopback_the_host_must_be_the_listener() {
        let guard = WebGuard::new("127.0.0.1:8787".parse().unwrap(), Some("files.example.org"));
        for host in [
            "127.0.0.1:8787",
            "localhost:8787",
            "LOCALHOST:8787",
            "files.example.org",
        ] {
            assert_eq!(guard.check(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "evil.example:8787",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost",
            "127.0.0.1:8787.evil.example",
        ] {
            assert_eq!(
                guard.check(&headers(&[("host", host)])),
                Err(FromWebPage),
                "{host}"
            );
        }
        assert_eq!(guard.check(&HeaderMap::new()), Err(FromWebPage));
        let guard = WebGuard::new("[::1]:80".parse().unwrap(), None);
        assert_eq!(guard.check(&headers(&[("host", "[::1]")])), Ok(()));
        assert_eq!(guard.check(&headers(&[("host", "[::1]:80")])), Ok(()));
        let guard = WebGuard::new("[::ffff:127.0.0.1]:80".parse().unwrap(), None);
        assert_eq!(
            guard.check(&headers(&[("host", "evil.example")])),
            Err(FromWebPage)
        );
    }

    #[test]
    fn elsewhere_any_host_will_do() {
        let guard = WebGuard::new("192.0.2.1:80".parse().unwrap(), None);
        assert_eq!(
            guard.check(&headers(&[("host", "files.example.org")])),
            Ok(())
        );
    }
}
