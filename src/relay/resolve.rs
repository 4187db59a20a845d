//! Resolves the name of a server once, and connects to nothing that the rule refuses.

use std::{error::Error as _, io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::node::ProxyRule;
use crate::wire::resolve::Resolver;

/// The HTTP client connects to the addresses that come out of here and looks nothing up itself. When one of them is
/// refused, so are the good ones beside it.
pub(super) struct CheckedResolver {
    pub(super) rule: Arc<ProxyRule>,
    pub(super) resolver: Resolver,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = Arc::clone(&self.rule);
        let found = (self.resolver)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            if !found.iter().all(|addr| rule.allows(name.as_str(), *addr)) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Refused).into());
            }
            // The client puts the URL's port in place of this one.
            let found = found.into_iter().map(|addr| SocketAddr::new(addr, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// A name stands for an address that this relay does not connect to.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct Refused;

/// Whether a request ended because of what its name stands for.
pub(super) fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<Refused>()) {
            return true;
        }
        source = error.source();
    }
    false
}
