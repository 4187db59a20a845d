//! Paths as bytes, for what this program keeps for itself and reads again on the same system.

use std::path::{Path, PathBuf};

/// The bytes of a path: on Unix its own; on Windows its UTF-16 units, each little-endian.
#[must_use]
pub(crate) fn encode(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;

        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(windows)]
    {
        use std::os::windows::ffi::OsStrExt as _;

        path.as_os_str()
            .encode_wide()
            .flat_map(u16::to_le_bytes)
            .collect()
    }
}

/// The path of these bytes; `None` for bytes that [`encode`] does not make.
#[must_use]
pub(crate) fn decode(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        Some(OsStr::from_bytes(bytes).into())
    }
    #[cfg(windows)]
    {
        use std::ffi::OsString;
        use std::os::windows::ffi::OsStringExt as _;

        let (units, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = units.iter().copied().map(u16::from_le_bytes).collect();
        rest.is_empty().then(|| OsString::from_wide(&units).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back() {
        for path in ["", "a", "/home/ann/résumé.pdf", r"C:\漢\👩", "a b/../c"] {
            let path = Path::new(path);
            assert_eq!(decode(&encode(path)).as_deref(), Some(path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_comes_back() {
        let bytes = b"/tmp/\xff\xfe";
        assert_eq!(encode(&decode(bytes).unwrap()), bytes);
    }
}
