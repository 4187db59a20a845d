//! Where a server stores, as an operator writes it: a folder, or a prefix of a bucket.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use object_store::ObjectStore;
use url::Url;

/// Where a server stores.
///
/// As text it is a folder's path, `file:///…`, or `s3://bucket/prefix`. Endpoint, region and credentials of a bucket
/// come from the usual environment variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`).
#[derive(Clone, Debug)]
pub enum StoreLocation {
    /// A folder, which one process holds; made if it is missing.
    Folder(PathBuf),
    /// An object store that the caller made, which other servers may share; nothing else of it is managed here.
    Objects(Arc<dyn ObjectStore>),
    /// A prefix of an S3-compatible bucket; several servers may share it.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// What the names of all objects begin with, without slashes at its ends; may be empty.
        prefix: String,
    },
}

impl StoreLocation {
    /// The folder, when it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Objects(_) | Self::S3 { .. } => None,
        }
    }
}

impl From<PathBuf> for StoreLocation {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl FromStr for StoreLocation {
    type Err = ParseLocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() {
                Err(ParseLocationError::Empty)
            } else {
                Ok(Self::Folder(PathBuf::from(text)))
            };
        };
        match scheme {
            "file" => Url::parse(text)
                .ok()
                .filter(|url| url.query().is_none() && url.fragment().is_none())
                .and_then(|url| url.to_file_path().ok())
                .map(Self::Folder)
                .ok_or(ParseLocationError::File),
            "s3" => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if !is_bucket(bucket) {
                    return Err(ParseLocationError::Bucket);
                }
                let prefix = prefix.trim_end_matches('/');
                if !is_prefix(prefix) {
                    return Err(ParseLocationError::Prefix);
                }
                Ok(Self::S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.to_owned(),
                })
            }
            _ => Err(ParseLocationError::Scheme),
        }
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Objects(_) => f.write_str("objects"),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Why a text says no place to store in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseLocationError {
    /// The bucket's name cannot be one.
    #[error(
        "the bucket's name must be 3 to 63 lower-case letters, digits, dots and hyphens, as in s3://bucket/prefix"
    )]
    Bucket,
    /// Nothing was given.
    #[error("the store is empty; give a folder or s3://bucket/prefix")]
    Empty,
    /// A `file:` URL that names no path of this machine.
    #[error("a file: URL needs a whole path and nothing else, as in file:///srv/cloakroom")]
    File,
    /// The prefix has parts that object names cannot have.
    #[error(
        "the prefix after the bucket may have letters, digits and . _ - between single slashes"
    )]
    Prefix,
    /// A scheme that is no kind of store.
    #[error("a store is a folder's path, file:///… or s3://bucket/prefix")]
    Scheme,
}

fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        })
}

fn is_prefix(prefix: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    prefix.len() <= 256 && (prefix.is_empty() || prefix.split('/').all(is_part))
}

/// Whether a folder holds a store that a server began.
#[must_use]
pub(crate) fn has_store(folder: &Path) -> bool {
    folder.join("blob").join("lock").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets_are_told_apart() {
        for (text, shown) in [
            ("store", "store"),
            ("/srv/cloakroom", "/srv/cloakroom"),
            ("s3://bucket", "s3://bucket"),
            ("s3://my-bucket.1/a/b_c/", "s3://my-bucket.1/a/b_c"),
        ] {
            let location: StoreLocation = text.parse().unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(location.folder().is_some(), !text.starts_with("s3"));
        }
        #[cfg(unix)]
        {
            let location: StoreLocation = "file:///srv/a%20b".parse().unwrap();
            assert_eq!(location.folder(), Some(Path::new("/srv/a b")));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_reason() {
        for (text, why) in [
            ("", ParseLocationError::Empty),
            ("http://h/bucket", ParseLocationError::Scheme),
            ("s3://", ParseLocationError::Bucket),
            ("s3://Upper/x", ParseLocationError::Bucket),
            ("s3://bucket/a//b", ParseLocationError::Prefix),
            ("s3://bucket/../b", ParseLocationError::Prefix),
            // On Windows this is a folder of another computer.
            #[cfg(unix)]
            ("file://host/path", ParseLocationError::File),
            ("file:///a?b", ParseLocationError::File),
        ] {
            assert_eq!(text.parse::<StoreLocation>().err(), Some(why), "{text}");
        }
    }
}
