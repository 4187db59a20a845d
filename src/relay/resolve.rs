//! Resolves the name of a server once, and connects to nothing that the rule refuses.

use std::{io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::node::ProxyRule;
use crate::wire::resolve::Resolver;

/// The HTTP client connects to the addresses that come out of here and looks nothing up itself. When one of them is
/// refused, so are the good ones beside it, and the sender sees the same as when there is no such name: which names
/// lead where from here is not for strangers.
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
                return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
            }
            // The client puts the URL's port in place of this one.
            let found = found.into_iter().map(|addr| SocketAddr::new(addr, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
