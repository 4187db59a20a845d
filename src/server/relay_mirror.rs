//! The relay list that the operator hands on: a file and its sibling `.sig`, read again when either has changed.
//!
//! The server does not know who signs the list and need not: every client checks that itself. It hands on only what
//! some client could take, so that a broken file is noticed here, by its operator.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use parking_lot::Mutex;
use tracing::warn;

use crate::protocol::{
    file_api::SignedList,
    relay_list::{MAX_LIST_LEN, RelayList, can_be_mirrored},
};

/// A relay list that is read from a file and handed on.
#[derive(Debug)]
pub(crate) struct RelayMirror {
    file: PathBuf,
    seen: Mutex<Option<SeenList>>,
}

#[derive(Debug)]
struct SeenList {
    stamps: [Option<Stamp>; 2],
    list: Option<Mirrored>,
}

type Stamp = (Option<SystemTime>, u64);

#[derive(Debug)]
struct Mirrored {
    signed: SignedList,
    expires: u64,
    hosts: Vec<IpAddr>,
}

impl RelayMirror {
    /// Mirrors `file`, which may come later.
    #[must_use]
    pub(crate) const fn new(file: PathBuf) -> Self {
        Self {
            file,
            seen: Mutex::new(None),
        }
    }

    /// The answer to `GET /relays` at `now` (unix seconds); `None` while there is no list that anybody could use.
    pub(crate) async fn current(mirror: Arc<Self>, now: u64) -> Option<SignedList> {
        let looking = move || mirror.look(now, |mirrored| mirrored.signed.clone());
        tokio::task::spawn_blocking(looking).await.ok().flatten()
    }

    /// The addresses of the list's relays at `now` (unix seconds); none while there is no list that anybody could use.
    pub(crate) async fn hosts(mirror: Arc<Self>, now: u64) -> Vec<IpAddr> {
        let looking = move || mirror.look(now, |mirrored| mirrored.hosts.clone());
        let hosts = tokio::task::spawn_blocking(looking).await.ok().flatten();
        hosts.unwrap_or_default()
    }

    fn look<T>(&self, now: u64, of: impl FnOnce(&Mirrored) -> T) -> Option<T> {
        let signature = sibling(&self.file);
        let mut seen = self.seen.lock();
        let stamps = [stamp(&self.file), stamp(&signature)];
        if seen.as_ref().is_none_or(|seen| seen.stamps != stamps) {
            let list = match read(&self.file, &signature) {
                Ok(list) => Some(list),
                Err(why) => {
                    warn!("no relay list is handed on: {why}");
                    None
                }
            };
            *seen = Some(SeenList { stamps, list });
        }
        let mirrored = seen.as_ref()?.list.as_ref()?;
        (now < mirrored.expires).then(|| of(mirrored))
    }
}

/// `relays.json.sig` of `relays.json`.
fn sibling(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".sig");
    name.into()
}

fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path)
        .ok()
        .map(|metadata| (metadata.modified().ok(), metadata.len()))
}

fn read(file: &Path, signature: &Path) -> Result<Mirrored, String> {
    let text = |path: &Path, what: &str| {
        read_text(path).map_err(|error| format!("{what} cannot be read: {error}"))
    };
    let list = text(file, "the list")?;
    let signature = text(signature, "its .sig")?.trim().to_owned();
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if signature.len() != SIGNATURE_LEN || !signature.bytes().all(is_digit) {
        return Err("its .sig does not hold 128 lower-case hex digits".to_owned());
    }
    if !can_be_mirrored(&list) {
        return Err("it is too large for an answer".to_owned());
    }
    let read = RelayList::read(list.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Mirrored {
        signed: SignedList { list, signature },
        expires: read.expires,
        hosts: read.relays.iter().map(|relay| relay.host).collect(),
    })
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_LIST_LEN as u64 + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

const SIGNATURE_LEN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        keys::Identity,
        relay_list::{RelayDescriptor, Serves, sign},
    };

    const NOW: u64 = 1_800_000_000;

    fn list(name: &str) -> String {
        let relays = (1..=3).map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: IpAddr::from([192, 0, 2, seed]),
            port: 22_021,
            operator: String::new(),
            serves: Serves::Any,
        });
        RelayList::join(name, NOW, NOW + 100, relays.collect())
            .unwrap()
            .to_json()
    }

    fn handed_on(mirror: &RelayMirror, now: u64) -> Option<(String, String)> {
        let signed = mirror.look(now, |mirrored| mirrored.signed.clone())?;
        Some((signed.list, signed.signature))
    }

    #[test]
    fn the_exact_bytes_are_handed_on_and_a_new_list_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relays.json");
        let mirror = RelayMirror::new(file.clone());
        assert_eq!(handed_on(&mirror, NOW), None);

        let signer = Identity::from_seed([9; 32]);
        for name in ["first", "the second"] {
            let list = list(name);
            let signature = sign(&signer, list.as_bytes());
            fs::write(&file, &list).unwrap();
            fs::write(sibling(&file), format!("{signature}\n")).unwrap();
            assert_eq!(handed_on(&mirror, NOW), Some((list, signature)));
        }
        assert!(mirror.look(NOW + 99, |_| ()).is_some());
        let hosts = mirror.look(NOW, |mirrored| mirrored.hosts.clone()).unwrap();
        assert_eq!(hosts.len(), 3);
        assert_eq!(
            mirror.look(NOW + 100, |_| ()),
            None,
            "an expired list helps nobody"
        );

        fs::remove_file(sibling(&file)).unwrap();
        assert_eq!(handed_on(&mirror, NOW), None);
    }

    #[test]
    fn what_no_client_could_take_is_not_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relays.json");
        let good = list("good");
        let large = format!("{good}{}", " ".repeat(65_536));
        for (list, signature) in [
            (good.as_str(), "short"),
            (&good, &"g".repeat(128)),
            (&good, &"A".repeat(128)),
            ("{}", &"0".repeat(128)),
            (&large, &"0".repeat(128)),
        ] {
            fs::write(&file, list).unwrap();
            fs::write(sibling(&file), signature).unwrap();
            assert_eq!(handed_on(&RelayMirror::new(file.clone()), NOW), None);
        }
    }
}
