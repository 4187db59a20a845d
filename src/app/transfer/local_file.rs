//! Reads a file that fits into one blob: whole, once, and only if it stayed the same meanwhile.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::error::LocalFileError;
use crate::app::parcel::Parcel;
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
    if path.is_dir() {
        return Err(LocalFileError::Folder);
    }
    let parcel = Parcel::look(&[PathBuf::from(path)], &|| false)?;
    let len = parcel.content_len();
    if len > MAX_CONTENT_LEN {
        return Err(LocalFileError::TooLarge(len));
    }
    Ok(LocalFile {
        name: parcel.name().unwrap_or_default().to_owned(),
        content: parcel.read(0..len)?,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;

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
