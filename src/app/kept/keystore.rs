//! The place of the history's key, the system's keyring: behind a trait, so that tests bring their own, and with a limit to
//! how long anybody waits for it.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 32;

/// The key of one history file. It opens pointers: no `Debug`, no `Display`, overwritten when dropped.
pub struct HistoryKey(Zeroizing<[u8; KEY_LEN]>);

impl HistoryKey {
    /// A fresh one.
    #[must_use]
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        rng.fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// The key with these bytes, which are overwritten; none when there are more or fewer than 32.
    #[must_use]
    pub fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let key = <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok();
        bytes.zeroize();
        key.map(|key| Self(Zeroizing::new(key)))
    }

    /// The bytes of the key, for the keyring.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    /// Seals `plain` in place. A nonce must never come twice.
    pub(crate) fn seal(&self, nonce: [u8; 12], outside: &[u8], plain: &mut [u8]) -> Option<Tag> {
        self.cipher()
            .encrypt_inout_detached(&Nonce::from(nonce), outside, plain.into())
            .ok()
    }

    /// Opens `sealed` in place; none when anything in it was changed.
    pub(crate) fn open(
        &self,
        nonce: [u8; 12],
        outside: &[u8],
        sealed: &mut [u8],
        tag: [u8; 16],
    ) -> Option<()> {
        self.cipher()
            .decrypt_inout_detached(&Nonce::from(nonce), outside, sealed.into(), &Tag::from(tag))
            .ok()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*self.0))
    }
}

/// Id of a key; each history file names the id of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    /// A fresh one.
    #[must_use]
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    /// The name of its entry in a keyring.
    #[must_use]
    pub fn name(&self) -> String {
        format!("history {}", data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// A store for keys of histories. Every function may block, and may prompt the person.
pub trait KeyStore: Send + Sync {
    /// The key, if it was kept.
    ///
    /// # Errors
    /// When the store cannot say.
    fn load(&self, id: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError>;
    /// Keeps a key.
    ///
    /// # Errors
    /// When it is not kept.
    fn keep(&self, id: &KeyId, key: &HistoryKey) -> Result<(), KeyStoreError>;
    /// Forgets a key; one that is not there is forgotten.
    ///
    /// # Errors
    /// When it may still be there.
    fn forget(&self, id: &KeyId) -> Result<(), KeyStoreError>;
}

/// Why a key could not be had or kept.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyStoreError {
    /// There is no keyring, or it does not run.
    #[error("this system has no keyring")]
    Missing,
    /// The keyring is locked and stays so, or refused.
    #[error("the system's keyring is locked or refused")]
    Refused,
    /// It did not answer.
    #[error("the system's keyring did not answer")]
    TimedOut,
}

/// A store with a time limit: a call that takes longer fails, and its late result is dropped.
pub(crate) struct Patient {
    store: Arc<dyn KeyStore>,
    patience: Duration,
}

impl Patient {
    pub(crate) fn new(store: Arc<dyn KeyStore>, patience: Duration) -> Self {
        Self { store, patience }
    }

    pub(crate) fn load(&self, id: KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        self.within(move |store| store.load(&id))
    }

    /// Keeps a fresh key, and makes sure that it can be had again: some keyrings forget at once.
    pub(crate) fn make(
        &self,
        id: KeyId,
        rng: &mut impl CryptoRng,
    ) -> Result<HistoryKey, KeyStoreError> {
        let key = HistoryKey::generate(rng);
        self.within(move |store| {
            store.keep(&id, &key)?;
            let kept = store.load(&id)?.ok_or(KeyStoreError::Refused)?;
            if kept.is(&key) {
                Ok(key)
            } else {
                Err(KeyStoreError::Refused)
            }
        })
    }

    pub(crate) fn forget(&self, id: KeyId) -> Result<(), KeyStoreError> {
        self.within(move |store| store.forget(&id))
    }

    fn within<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn KeyStore) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let (answer, answered) = mpsc::channel();
        let store = Arc::clone(&self.store);
        std::thread::Builder::new()
            .name("cloakroom-keyring".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                answer.send(ask(&*store)).ok();
            })
            .or(Err(KeyStoreError::Missing))?;
        answered
            .recv_timeout(self.patience)
            .unwrap_or(Err(KeyStoreError::TimedOut))
    }
}
