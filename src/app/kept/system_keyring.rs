//! The system's keyring: Secret Service on Linux, Credential Manager on Windows, Keychain on macOS.

use keyring::{Entry, Error};

use super::keystore::{HistoryKey, KeyId, KeyStore, KeyStoreError};

/// Service name of the entries in the keyring.
const SERVICE: &str = "org.cloakroom.Cloakroom";

/// The [`KeyStore`] in the system's keyring.
pub struct SystemKeyring;

impl KeyStore for SystemKeyring {
    fn load(&self, id: &KeyId) -> Result<Option<HistoryKey>, KeyStoreError> {
        match entry(id)?.get_secret() {
            Ok(bytes) => Ok(HistoryKey::from_bytes(bytes)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(reason(&error)),
        }
    }

    fn keep(&self, id: &KeyId, key: &HistoryKey) -> Result<(), KeyStoreError> {
        let kept = entry(id)?.set_secret(key.as_bytes());
        kept.map_err(|error| reason(&error))
    }

    fn forget(&self, id: &KeyId) -> Result<(), KeyStoreError> {
        match entry(id)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(reason(&error)),
        }
    }
}

fn entry(id: &KeyId) -> Result<Entry, KeyStoreError> {
    Entry::new(SERVICE, &id.name()).map_err(|error| reason(&error))
}

/// Maps an error of the keyring, without its text, which can contain names of entries.
fn reason(error: &Error) -> KeyStoreError {
    match error {
        Error::NoDefaultStore | Error::PlatformFailure(_) | Error::NotSupportedByStore(_) => {
            KeyStoreError::Missing
        }
        _ => KeyStoreError::Refused,
    }
}
