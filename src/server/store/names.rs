//! What objects are called: `blob/{hour}/{id}`, `more/{hour}/{id}/{later hour}`, `seen/{hour}/{id}/{nonce}`,
//! `gone/{hour}/{id}`, `network/{name}`, and what tells a server's own objects from strangers in the same bucket.

use object_store::path::Path;

use crate::protocol::address::FileId;

/// What an object is for: the first part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// Record and blob.
    Blob,
    /// The last hours that were seen.
    Clock,
    /// The record of a blob that was removed before it expired.
    Gone,
    /// A later expiry.
    More,
    /// The relays of the network, as a server of it knows them.
    Network,
    /// What a check of the store wrote.
    Probe,
    /// A download receipt.
    Seen,
}

impl ObjectKind {
    /// What a folder has: where one server keeps a network, its register is a file.
    pub(super) const IN_FOLDER: [Self; 6] = [
        Self::Blob,
        Self::Clock,
        Self::Gone,
        Self::More,
        Self::Probe,
        Self::Seen,
    ];

    /// What counts as held by the store. Marks of removed files come first, so that a count knows them when it comes to the
    /// blobs.
    pub(super) const COUNTED: [Self; 4] = [Self::Gone, Self::Blob, Self::More, Self::Seen];

    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Clock => "clock",
            Self::Gone => "gone",
            Self::More => "more",
            Self::Network => "network",
            Self::Probe => "probe",
            Self::Seen => "seen",
        }
    }

    /// The prefix of all objects of this kind.
    pub(super) fn all(self) -> Path {
        Path::from(self.prefix())
    }

    /// The object of `file`, or the prefix of its objects when there can be several.
    pub(super) fn of(self, file: &FileSlot) -> Path {
        Path::from_iter([self.prefix(), &file.hour.to_string(), file.id.as_str()])
    }

    /// One of several objects of `file`, or one that belongs to none.
    pub(super) fn one(self, file: &FileSlot, tail: &str) -> Path {
        self.of(file).join(tail)
    }
}

/// A file in the store: its id and the hour in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileSlot {
    hour: u32,
    id: FileId,
}

impl FileSlot {
    /// The slot of an id that a server of this kind gives; `None` for any other id.
    #[must_use]
    pub fn of(id: &FileId) -> Option<Self> {
        Some(Self {
            hour: id.hour()?,
            id: id.clone(),
        })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &FileId {
        &self.id
    }

    /// The expiry hour given at upload.
    #[must_use]
    pub(crate) fn hour(&self) -> u32 {
        self.hour
    }
}

/// A name taken apart; `None` when it is none of ours.
pub(super) fn parse(path: &Path) -> Option<(FileSlot, Option<String>)> {
    let mut parts = path.parts().skip(1);
    let hour = parts.next()?.as_ref().parse::<u32>().ok()?;
    let id = FileId::parse(parts.next()?.as_ref()).ok()?;
    let tail = parts.next().map(|part| part.as_ref().to_owned());
    (id.hour() == Some(hour) && parts.next().is_none()).then_some((FileSlot { hour, id }, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_strangers_do_not() {
        let file = FileSlot::of(&FileId::random(498_000, [7; 30])).unwrap();
        let blob = ObjectKind::Blob.of(&file);
        assert_eq!(
            blob.as_ref(),
            format!("blob/498000/{}", file.id().as_str()),
            "as the design writes it"
        );
        assert_eq!(parse(&blob), Some((file.clone(), None)));
        let more = ObjectKind::More.one(&file, "498010");
        assert_eq!(
            parse(&more),
            Some((file.clone(), Some("498010".to_owned())))
        );
        let id = file.id().as_str();
        for stranger in [
            "blob/lock".to_owned(),
            "blob/498000".to_owned(),
            "blob/498000/photo.jpg".to_owned(),
            format!("blob/498001/{id}"),
            format!("more/498000/{id}/1/2"),
        ] {
            assert_eq!(parse(&Path::from(stranger.as_str())), None, "{stranger}");
        }
    }
}
