//! How names become addresses, as a value that tests can set.

use std::{future::Future, io, net::IpAddr, pin::Pin, sync::Arc};

/// Looks a name up.
pub type Resolver = Arc<dyn Fn(String) -> Lookup + Send + Sync>;

/// A look-up under way.
pub(crate) type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The resolver of the system.
#[must_use]
pub fn system() -> Resolver {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|addr| addr.ip()).collect())
        })
    })
}
