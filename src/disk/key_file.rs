//! Where a server's or relay's identity lives: a file with the 64 hex digits of its seed, readable by its owner only.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::private;
use crate::protocol::keys::Identity;

const MAX_FILE_LEN: u64 = 1024;

/// Reads the identity in `path`, or makes one there when the file is not there.
///
/// The file is made whole, with mode 0600, and never over another one; when two processes make it at once, both end up
/// with the same identity.
///
/// # Errors
/// [`KeyFileError`].
pub(crate) fn load_or_create(
    path: &Path,
    rng: &mut impl CryptoRng,
) -> Result<Identity, KeyFileError> {
    match load(path) {
        Err(KeyFileError::Missing { .. }) => {}
        other => return other,
    }
    let identity = Identity::generate(rng);
    match create(path, &identity) {
        Ok(()) => Ok(identity),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(cause) => Err(KeyFileError::Write {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// Reads the identity in `path`.
///
/// # Errors
/// [`KeyFileError`]; [`KeyFileError::Missing`] when there is no such file.
pub fn load(path: &Path) -> Result<Identity, KeyFileError> {
    let unreadable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing {
            path: path.to_owned(),
        },
        _ => KeyFileError::Read {
            path: path.to_owned(),
            cause,
        },
    };
    let file = File::open(path).map_err(unreadable)?;
    if exposed(&file).map_err(unreadable)? {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE_LEN)
        .read_to_string(&mut text)
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::InvalidData => KeyFileError::Damaged {
                path: path.to_owned(),
            },
            _ => unreadable(cause),
        })?;
    let mut seed = Zeroizing::new([0; 32]);
    let digits = text.trim().as_bytes();
    let damaged = || KeyFileError::Damaged {
        path: path.to_owned(),
    };
    if digits.len() != 64 {
        return Err(damaged());
    }
    HEXLOWER
        .decode_mut(digits, seed.as_mut())
        .map_err(|_not_hex| damaged())?;
    Ok(Identity::from_seed(*seed))
}

/// The folder may be that of a store as well, which its operator shares with whom they like.
fn create(path: &Path, identity: &Identity) -> io::Result<()> {
    let mut text = Zeroizing::new(HEXLOWER.encode(identity.seed().as_ref()));
    text.push('\n');
    private::make_missing_folder(private::folder_of(path))?;
    private::create(path, text.as_bytes())
}

/// Whether other users may read the file.
#[cfg(unix)]
fn exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Whether other users may read the file; only unix has modes to judge by.
#[cfg(not(unix))]
fn exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file does not hold a seed.
    #[error("the key file {} is damaged: it should hold 64 hex digits; put the backup in its place, or move it away to get a new key (and a new address)", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("the key file {} can be read by other users of this machine; run chmod 600 on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("there is no key file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("the key file {} cannot be read ({cause}); check that it is a file and that you own it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        cause: io::Error,
    },
    /// The file could not be made.
    #[error("the key file {} cannot be made ({cause}); check that its folder can be written and is not full", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        cause: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(1)
    }

    #[test]
    fn the_second_start_finds_the_first_ones_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/server.key");
        let made = load_or_create(&path, &mut rng()).unwrap();
        let found = load_or_create(&path, &mut rng()).unwrap();
        assert_eq!(made.public(), found.public());
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[cfg(unix)]
    #[test]
    fn it_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        load_or_create(&path, &mut rng()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_or_create(&path, &mut rng()).err().unwrap();
        assert!(matches!(error, KeyFileError::Exposed { .. }));
        assert!(error.to_string().contains("chmod 600"));
    }

    #[test]
    fn a_damaged_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        for text in ["", "00", "zz\n", &"g".repeat(64), &"0".repeat(65)] {
            fs::remove_file(&path).ok();
            private::create(&path, text.as_bytes()).unwrap();
            let error = load_or_create(&path, &mut rng()).err().unwrap();
            assert!(matches!(error, KeyFileError::Damaged { .. }));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
