//! Removes and blocks files of a store by hand, also while servers run on it, as those servers do it among each other; and
//! reports what the store says of itself.

use std::{sync::Arc, time::Duration};

use crate::protocol::address::FileId;
use crate::server::network::command::NetworkOperator;
use crate::server::store::location::StoreLocation;
use crate::server::store::{BlobStore, FileSlot, Held, OpenStoreError, Probed, StoreFault};

/// An operator at a store.
#[derive(Debug)]
pub struct Operator {
    store: Arc<BlobStore>,
    network: Option<NetworkOperator>,
    is_visitor: bool,
}

impl Operator {
    /// Opens an existing store without taking its lock.
    ///
    /// # Errors
    /// [`OpenStoreError`].
    pub async fn visit(location: &StoreLocation) -> Result<Self, OpenStoreError> {
        Ok(Self {
            store: Arc::new(BlobStore::visit(location, PATIENCE).await?),
            network: None,
            is_visitor: true,
        })
    }

    /// An operator of a store that this process has open, and of the network that its server keeps.
    pub(crate) const fn of(store: Arc<BlobStore>, network: Option<NetworkOperator>) -> Self {
        Self {
            store,
            network,
            is_visitor: false,
        }
    }

    /// Removes a file and all that is known about it; says whether there was one.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn remove(&self, id: &FileId) -> Result<bool, OperatorError> {
        let file = FileSlot::of(id).ok_or(OperatorError::Foreign)?;
        Ok(self.store.erase(&file).await?)
    }

    /// Removes a file and keeps its id from being used: nothing is stored under it and it answers like an unknown one.
    /// The mark is `gone/{hour}/{id}` without an owner, and goes when no upload can have this id any more.
    /// Says whether there was a file.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn block(&self, id: &FileId) -> Result<bool, OperatorError> {
        let file = FileSlot::of(id).ok_or(OperatorError::Foreign)?;
        Ok(self.store.block(&file).await?)
    }

    /// The network that the server keeps.
    pub(crate) const fn network(&self) -> Option<&NetworkOperator> {
        self.network.as_ref()
    }

    /// Writes, reads, lists and deletes an object of its own.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn probe(&self) -> Result<Probed, StoreFault> {
        self.store.probe().await
    }

    /// What the store holds: as the server of this process knows, or, for a visitor, counted now.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn held(&self) -> Result<Held, StoreFault> {
        if self.is_visitor {
            self.store.count().await?;
        }
        Ok(self.store.held())
    }

    /// The last hour that a server saw on this store; `None` when none has run on it.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub async fn last_hour(&self) -> Result<Option<u32>, StoreFault> {
        self.store.last_hour().await
    }
}

/// Why an operator's command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The id is none that a server of this kind gives.
    #[error("this id is none of this server's: its ids have 22 characters")]
    Foreign,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

const PATIENCE: Duration = Duration::from_secs(30);
