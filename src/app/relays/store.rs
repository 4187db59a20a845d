//! Where lists by URL and Session's nodes are kept: two small files of this person, each replaced whole.

use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::settings::Home;
use crate::disk::kept::{
    ChangeError, JsonRecord, Kept, Record, UnreadFile, UnreadReason, check_json_version,
};
use crate::disk::private;
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{HeldList, ListSource, SessionNodes};

use super::{ListProblem, ListProblemKind, RelaySourceError};

/// The files of one person.
pub(in crate::app) struct RelayFiles {
    lists: Kept<KeptLists>,
    nodes: Kept<SessionNodes>,
}

/// Content of `relays.json`.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptLists {
    version: u32,
    #[serde(default)]
    pub(in crate::app) lists: Vec<KeptList>,
    /// When a seed of Session's network was asked last, unix seconds, and what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::app) session_asked: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_problem_kind: Option<ListProblemKind>,
}

/// A list by URL.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptList {
    /// The line it was added by.
    source: String,
    /// The exact bytes.
    list: String,
    signature: String,
    /// When these bytes came, unix seconds.
    pub(in crate::app) fetched: u64,
    /// When it was asked for last, wherever, unix seconds.
    pub(in crate::app) asked: u64,
    /// Why that failed, if it did; the list above stays in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem_kind: Option<ListProblemKind>,
    /// The keys of the servers that it was accepted for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::app) servers: Vec<String>,
}

impl Default for KeptLists {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            lists: Vec::new(),
            session_asked: None,
            session_problem: None,
            session_problem_kind: None,
        }
    }
}

impl JsonRecord for KeptLists {
    const VERSION: u32 = 1;
}

impl Record for SessionNodes {
    type Why = UnreadReason;

    fn parse(bytes: &[u8]) -> Result<Self, UnreadReason> {
        check_json_version(bytes, NODES_VERSION)?;
        Self::read_kept(bytes).map_err(|_other_json| UnreadReason::Damaged)
    }

    fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.to_json().into_bytes()))
    }
}

impl From<ChangeError> for RelaySourceError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unread(unread) => Self::Unread(unread),
            ChangeError::Write(reason) => Self::Store(reason),
        }
    }
}

impl KeptLists {
    /// Why Session's nodes did not come when they were asked for last.
    pub(in crate::app) fn session_problem(&self) -> Option<ListProblem> {
        problem(self.session_problem.as_deref(), self.session_problem_kind)
    }

    /// Keeps why Session's nodes did not come, or that they did.
    pub(in crate::app) fn set_session_problem(&mut self, problem: Option<ListProblem>) {
        self.session_problem_kind = problem.as_ref().map(|problem| problem.kind);
        self.session_problem = problem.map(|problem| problem.detail);
    }

    /// What is kept of `source`.
    pub(in crate::app) fn find(&self, source: &ListSource) -> Option<&KeptList> {
        let line = source.to_string();
        self.lists.iter().find(|list| list.source == line)
    }

    /// What is kept of `source`, to be changed.
    pub(in crate::app) fn find_mut(&mut self, source: &ListSource) -> Option<&mut KeptList> {
        let line = source.to_string();
        self.lists.iter_mut().find(|list| list.source == line)
    }

    /// What is kept of `source`, to be changed; an entry without a list is made when there is none.
    pub(in crate::app) fn entry(&mut self, source: &ListSource) -> &mut KeptList {
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
                problem_kind: None,
                servers: Vec::new(),
            });
            self.lists.len() - 1
        });
        &mut self.lists[at]
    }

    /// The list that was accepted for the server with this key.
    pub(in crate::app) fn accepted_for(
        &self,
        server: &Ed25519Public,
    ) -> Option<(ListSource, &KeptList)> {
        let server = server.to_hex();
        self.lists
            .iter()
            .find(|list| list.servers.contains(&server))
            .and_then(|list| Some((list.source.parse().ok()?, list)))
    }

    pub(in crate::app) fn forget(&mut self, source: &ListSource) {
        let line = source.to_string();
        self.lists.retain(|list| list.source != line);
    }
}

/// A problem from its two members in the file: older versions kept the sentence alone.
fn problem(detail: Option<&str>, kind: Option<ListProblemKind>) -> Option<ListProblem> {
    detail.map(|detail| ListProblem {
        kind: kind.unwrap_or_default(),
        detail: detail.to_owned(),
    })
}

impl KeptList {
    /// Why no newer list came when one was asked for last.
    pub(in crate::app) fn problem(&self) -> Option<ListProblem> {
        problem(self.problem.as_deref(), self.problem_kind)
    }

    /// Keeps why no newer list came, or that one did.
    pub(in crate::app) fn set_problem(&mut self, problem: Option<ListProblem>) {
        self.problem_kind = problem.as_ref().map(|problem| problem.kind);
        self.problem = problem.map(|problem| problem.detail);
    }

    /// The line it was added by; `None` when somebody changed the file.
    pub(in crate::app) fn source(&self) -> Option<ListSource> {
        self.source.parse().ok()
    }

    /// The list, its signature checked again.
    pub(in crate::app) fn held(&self, key: &Ed25519Public) -> HeldList {
        HeldList::resume(*key, &self.list, &self.signature)
    }

    /// Keeps what `held` has now; `now` is when it came, unless it was here before.
    pub(in crate::app) fn keep(&mut self, held: &HeldList, now: u64) {
        if let Some((list, signature)) = held.kept()
            && self.list != list
        {
            list.clone_into(&mut self.list);
            signature.clone_into(&mut self.signature);
            self.fetched = now;
        }
    }

    /// Uses it for this server too.
    pub(in crate::app) fn accept_for(&mut self, server: &Ed25519Public) {
        let server = server.to_hex();
        if !self.servers.contains(&server) {
            self.servers.push(server);
        }
    }
}

impl RelayFiles {
    pub(in crate::app) fn of(home: &Home) -> Self {
        Self {
            lists: Kept::in_file(home.data_dir.join("relays.json")),
            nodes: Kept::in_file(home.data_dir.join("session-nodes.json")),
        }
    }

    /// What is kept; nothing yet when there is no file.
    ///
    /// # Errors
    /// [`UnreadFile`]: which lists this person chose and accepted is not known then.
    pub(in crate::app) fn read(&self) -> Result<KeptLists, UnreadFile> {
        Ok(self.lists.read()?.unwrap_or_default())
    }

    /// Changes what is kept, one process at a time.
    ///
    /// # Errors
    /// [`RelaySourceError::Unread`] and [`RelaySourceError::Store`]; the file is untouched then.
    pub(in crate::app) fn change<T>(
        &self,
        change: impl FnOnce(&mut KeptLists) -> T,
    ) -> Result<T, RelaySourceError> {
        Ok(self.lists.change(change)?)
    }

    /// The nodes that were fetched last; `None` when none were.
    ///
    /// # Errors
    /// [`UnreadFile`].
    pub(in crate::app) fn nodes(&self) -> Result<Option<SessionNodes>, UnreadFile> {
        self.nodes.read()
    }

    /// Replaces the nodes that were fetched before.
    ///
    /// # Errors
    /// As [`RelayFiles::change`].
    pub(in crate::app) fn keep_nodes(&self, nodes: &SessionNodes) -> Result<(), RelaySourceError> {
        let mut draft = self.nodes.begin()?;
        draft.record = Some(nodes.clone());
        Ok(draft.save()?)
    }

    pub(in crate::app) fn forget_nodes(&self) -> io::Result<()> {
        private::remove_if_there(self.nodes.file())
    }
}

/// Version of the file format of Session's nodes.
const NODES_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn why_no_newer_list_came_is_read_whatever_version_kept_it() {
        let folder = tempdir().unwrap();
        let store = RelayFiles::of(&Home::in_folder(folder.path()));
        let problem = |kind| {
            Some(ListProblem {
                kind,
                detail: "it broke".to_owned(),
            })
        };
        for (kind, expected) in [
            ("", ListProblemKind::Other),
            (
                r#","session_problem_kind":"no-list""#,
                ListProblemKind::NoList,
            ),
            (
                r#","session_problem_kind":"of-a-later-version""#,
                ListProblemKind::Other,
            ),
        ] {
            let text = format!(r#"{{"version":1,"session_problem":"it broke"{kind}}}"#);
            fs::write(store.lists.file(), text).unwrap();
            assert_eq!(store.read().unwrap().session_problem(), problem(expected));
        }
        let kept = problem(ListProblemKind::NoAnswer);
        for expected in [kept, None] {
            store
                .change(|kept| kept.set_session_problem(expected.clone()))
                .unwrap();
            assert_eq!(store.read().unwrap().session_problem(), expected);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_left_alone() {
        let folder = tempdir().unwrap();
        let store = RelayFiles::of(&Home::in_folder(folder.path()));
        assert!(store.read().unwrap().lists.is_empty() && store.nodes().unwrap().is_none());
        for (text, why) in [
            ("", UnreadReason::Damaged),
            (r#"{"version":1,"lists":7}"#, UnreadReason::Damaged),
            (r#"{"version":2}"#, UnreadReason::Newer),
        ] {
            let unread = |file: &Path| {
                fs::write(file, text).unwrap();
                UnreadFile {
                    file: file.to_owned(),
                    why,
                }
            };
            let lists = unread(store.lists.file());
            assert_eq!(store.read().err(), Some(lists.clone()));
            let changed = store.change(|kept| kept.session_asked = Some(1));
            assert_eq!(changed, Err(RelaySourceError::Unread(lists)));
            let nodes = unread(store.nodes.file());
            assert_eq!(store.nodes().err(), Some(nodes.clone()));
            let fetched = br#"{"version":1,"fetched":1,"height":1,"nodes":[]}"#;
            let fetched = SessionNodes::read_kept(fetched).unwrap();
            let kept = store.keep_nodes(&fetched);
            assert_eq!(kept, Err(RelaySourceError::Unread(nodes)));
            for file in [store.lists.file(), store.nodes.file()] {
                assert_eq!(fs::read_to_string(file).unwrap(), text);
            }
        }
        fs::remove_file(store.lists.file()).unwrap();
        fs::create_dir(store.lists.file()).unwrap();
        let error = store.read().err().unwrap();
        assert!(matches!(error.why, UnreadReason::Read(_)), "{error}");
    }
}
