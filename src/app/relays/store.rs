//! Where lists by URL and Session's nodes are kept: two small files of this person, each replaced whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::config::Home;
use crate::app::config::is_missing;
use crate::app::private_file;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{HeldList, ListSource, SessionNodes};
use crate::wire::lock_file;

/// The files.
pub(super) struct Store {
    folder: PathBuf,
}

/// What is kept in `relays.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    #[serde(default)]
    pub(super) lists: Vec<KeptList>,
    /// When a seed of Session's network was asked last, unix seconds, and what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_asked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_problem: Option<String>,
}

/// A list by URL.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptList {
    /// The line it was added by.
    source: String,
    /// The exact bytes.
    list: String,
    signature: String,
    /// When these bytes came, unix seconds.
    pub(super) fetched: u64,
    /// When it was asked for last, wherever, unix seconds.
    pub(super) asked: u64,
    /// What was wrong then; the list above went on serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    /// The keys of the servers that it was accepted for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<String>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            version: VERSION,
            lists: Vec::new(),
            session_asked: None,
            session_problem: None,
        }
    }
}

impl Kept {
    /// What is kept of `source`.
    pub(super) fn find(&self, source: &ListSource) -> Option<&KeptList> {
        let line = source.to_string();
        self.lists.iter().find(|list| list.source == line)
    }

    /// What is kept of `source`, to be changed.
    pub(super) fn find_mut(&mut self, source: &ListSource) -> Option<&mut KeptList> {
        let line = source.to_string();
        self.lists.iter_mut().find(|list| list.source == line)
    }

    /// What is kept of `source`, to be changed; an entry without a list is made when there is none.
    pub(super) fn entry(&mut self, source: &ListSource) -> &mut KeptList {
        let line = source.to_string();
        let at = self.lists.iter().position(|list| list.source == line);
        let at = at.unwrap_or_else(|| {
            self.lists.push(KeptList {
                source: line,
                list: String::new(),
                signature: String::new(),
                fetched: 0,
                asked: 0,
                problem: None,
                servers: Vec::new(),
            });
            self.lists.len() - 1
        });
        &mut self.lists[at]
    }

    /// The list that was accepted for the server with this key.
    pub(super) fn accepted_for(&self, server: &Ed25519Public) -> Option<(ListSource, &KeptList)> {
        let server = server.to_hex();
        self.lists
            .iter()
            .find(|list| list.servers.contains(&server))
            .and_then(|list| Some((list.source.parse().ok()?, list)))
    }

    pub(super) fn forget(&mut self, source: &ListSource) {
        let line = source.to_string();
        self.lists.retain(|list| list.source != line);
    }
}

impl KeptList {
    /// The line it was added by; `None` when somebody changed the file.
    pub(super) fn source(&self) -> Option<ListSource> {
        self.source.parse().ok()
    }

    /// The list, its signature checked again.
    pub(super) fn held(&self, key: &Ed25519Public) -> HeldList {
        HeldList::resume(*key, &self.list, &self.signature)
    }

    /// Keeps what `held` has now; `now` is when it came, unless it was here before.
    pub(super) fn keep(&mut self, held: &HeldList, now: u64) {
        if let Some((list, signature)) = held.kept()
            && self.list != list
        {
            list.clone_into(&mut self.list);
            signature.clone_into(&mut self.signature);
            self.fetched = now;
        }
    }

    /// Uses it for this server too.
    pub(super) fn accept_for(&mut self, server: &Ed25519Public) {
        let server = server.to_hex();
        if !self.servers.contains(&server) {
            self.servers.push(server);
        }
    }
}

impl Store {
    pub(super) fn of(home: &Home) -> Self {
        Self {
            folder: home.data_dir.clone(),
        }
    }

    /// What is kept. A file that is missing or damaged holds nothing: every list can be added again.
    pub(super) fn read(&self) -> Kept {
        self.try_read().unwrap_or_default()
    }

    /// Like [`Self::read`], and tells a missing file from one that cannot be read or that another version wrote: that
    /// one must not be written over.
    fn try_read(&self) -> io::Result<Kept> {
        let path = self.lists();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if is_missing(&path, &error) => return Ok(Kept::default()),
            Err(error) => return Err(error),
        };
        let kept: Kept = serde_json::from_slice(&bytes)?;
        if kept.version == VERSION {
            Ok(kept)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    /// Changes what is kept, one process at a time.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> io::Result<T> {
        private_file::make_folder(&self.folder)?;
        let held = lock_file::hold(&self.folder.join(LOCK))?;
        let mut kept = self.try_read()?;
        let changed = change(&mut kept);
        private_file::write(&self.lists(), &serde_json::to_vec_pretty(&kept)?)?;
        drop(held);
        Ok(changed)
    }

    /// The nodes that were fetched last.
    pub(super) fn nodes(&self) -> Option<SessionNodes> {
        SessionNodes::read_kept(&fs::read(self.nodes_file()).ok()?).ok()
    }

    pub(super) fn keep_nodes(&self, nodes: &SessionNodes) -> io::Result<()> {
        private_file::write(&self.nodes_file(), nodes.to_json().as_bytes())
    }

    pub(super) fn forget_nodes(&self) -> io::Result<()> {
        remove_if_there(&self.nodes_file())
    }

    fn lists(&self) -> PathBuf {
        self.folder.join("relays.json")
    }

    fn nodes_file(&self) -> PathBuf {
        self.folder.join("session-nodes.json")
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

const VERSION: u32 = 1;
const LOCK: &str = "relays.lock";
