//! Reads a file to be shared: whole, once, and only if it stayed the same meanwhile.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::app::error::LocalFileError;
use crate::protocol::pointer::shorten_name;
use crate::protocol::size_class::MAX_CONTENT_LEN;

/// A file's bytes and what people call it.
pub(crate) struct LocalFile {
    /// Its last path component; other encodings than UTF-8 are replaced.
    pub name: String,
    /// All of it.
    pub content: Zeroizing<Vec<u8>>,
}

/// Reads `path`. Blocking.
///
/// # Errors
/// [`LocalFileError`], a folder and a file of more than 9,998,912 bytes among them.
pub(crate) fn read(path: &Path) -> Result<LocalFile, LocalFileError> {
    let failed = |error: io::Error| LocalFileError::Read(error.into());
    // Asked before opening, since a pipe would hold the open up.
    check(&std::fs::metadata(path).map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    check(&before)?;
    let mut content = Zeroizing::new(Vec::with_capacity(
        usize::try_from(before.len()).unwrap_or(0),
    ));
    (&file)
        .take(MAX_CONTENT_LEN + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    let after = file.metadata().map_err(failed)?;
    if after.len() != before.len() || after.modified().ok() != before.modified().ok() {
        return Err(LocalFileError::Changed);
    }
    let read = content.len() as u64;
    // Files of /proc and /sys say 0 or 4096 whatever they hold. On a disk or network mount in trouble it can be a part
    // that was read, and nobody could tell.
    if read != before.len() {
        return Err(LocalFileError::WrongSize {
            said: before.len(),
            read,
        });
    }
    Ok(LocalFile {
        name: name_of(path),
        content,
    })
}

fn check(metadata: &Metadata) -> Result<(), LocalFileError> {
    if metadata.is_dir() {
        return Err(LocalFileError::Folder);
    }
    if !metadata.is_file() {
        return Err(LocalFileError::NotAFile);
    }
    if metadata.len() > MAX_CONTENT_LEN {
        return Err(LocalFileError::TooLarge(metadata.len()));
    }
    Ok(())
}

/// The last component of a path, for a header that holds up to 255 bytes.
fn name_of(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if name.is_empty() {
        "file".to_owned()
    } else {
        shorten_name(&name, MAX_NAME_LEN)
    }
}

/// Longest name that a sealed header holds, in bytes.
const MAX_NAME_LEN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_and_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("résumé (final).pdf");
        std::fs::write(&path, b"content").unwrap();
        let file = read(&path).unwrap();
        assert_eq!(
            (file.name.as_str(), file.content.as_slice()),
            ("résumé (final).pdf", &b"content"[..])
        );
        std::fs::write(&path, b"").unwrap();
        assert!(read(&path).unwrap().content.is_empty());
    }

    #[test]
    fn folders_missing_files_and_large_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).err(), Some(LocalFileError::Folder));
        assert_eq!(
            read(&folder.path().join("none")).err(),
            Some(LocalFileError::Read(io::Error::from_raw_os_error(2).into()))
        );
        let large = folder.path().join("large");
        File::create(&large)
            .unwrap()
            .set_len(MAX_CONTENT_LEN + 1)
            .unwrap();
        assert_eq!(
            read(&large).err(),
            Some(LocalFileError::TooLarge(9_998_913))
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_whose_size_lies_is_told_from_one_that_changed() {
        let version = Path::new("/proc/version");
        let content = std::fs::read(version).unwrap();
        assert_eq!(std::fs::metadata(version).unwrap().len(), 0);
        let expected = LocalFileError::WrongSize {
            said: 0,
            read: content.len() as u64,
        };
        assert_eq!(read(version).err(), Some(expected));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_no_file() {
        assert_eq!(
            read(Path::new("/dev/null")).err(),
            Some(LocalFileError::NotAFile)
        );
    }
}
