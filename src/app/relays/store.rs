//! Where lists by URL and Session's nodes are kept: two small files of this person, each replaced whole; and a copy of each
//! list that was chosen in a file, and of each file that describes service nodes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::settings::{Home, Settings};
use crate::disk::kept::{
    ChangeError, JsonRecord, Kept, Record, UnreadFile, UnreadReason, check_json_version,
};
use crate::disk::private;
use crate::protocol::address::{ParseAddressError, ServerAddress};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::relay_list::{HeldList, ListSource, SessionNodes};

use super::{ListProblem, ListProblemKind, RelaySource, RelaySourceError};

/// The files of one person.
pub(in crate::app) struct RelayFiles {
    lists: Kept<KeptLists>,
    session_nodes: PathBuf,
    copies: PathBuf,
}

/// Content of `relays.json`.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptLists {
    version: u32,
    #[serde(default)]
    pub(in crate::app) lists: Vec<KeptList>,
    /// What became of asking the seeds of each network of service nodes, by [`RelaySource::id`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::app) seeds: BTreeMap<String, AskedSeeds>,
}

/// When a seed of a network was asked last, and what went wrong.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::app) struct AskedSeeds {
    /// Unix seconds.
    pub(in crate::app) asked: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem_kind: Option<ListProblemKind>,
}

impl AskedSeeds {
    /// They were asked at `asked` (unix seconds), and that came of it.
    pub(in crate::app) fn new(asked: u64, problem: Option<ListProblem>) -> Self {
        Self {
            asked,
            problem_kind: problem.as_ref().map(|problem| problem.kind),
            problem: problem.map(|problem| problem.detail),
        }
    }

    /// Why no nodes came, if none did.
    pub(in crate::app) fn problem(&self) -> Option<ListProblem> {
        problem(self.problem.as_deref(), self.problem_kind)
    }
}

/// A list by URL.
#[derive(Serialize, Deserialize)]
pub(in crate::app) struct KeptList {
    /// The line it was added by.
    source: String,
    #[serde(flatten)]
    pub(in crate::app) record: ListRecord,
    /// The servers that it was accepted for, each an [`AcceptedServer`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    servers: Vec<String>,
}

/// A signed list, and what became of asking for a newer one.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::app) struct ListRecord {
    /// The exact bytes; none yet when it is empty.
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
}

/// A server that a list was accepted for. Accepting says which relays may carry requests to one address of a server:
/// another address with the same key is another server here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedServer {
    /// The server with this address.
    Address(ServerAddress),
    /// The server with this key, of which an older version kept no address: the first one of the settings that has it, or
    /// any where none has.
    Key(Ed25519Public),
}

impl AcceptedServer {
    fn includes(&self, server: &ServerAddress, settings: &Settings) -> bool {
        match self {
            Self::Address(address) => address == server,
            Self::Key(key) => {
                let first = settings.first_with(key);
                server.key == *key && first.is_none_or(|first| first.address == *server)
            }
        }
    }
}

impl FromStr for AcceptedServer {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ed25519Public::from_hex(text)
            .map(Self::Key)
            .or_else(|_no_key| text.parse().map(Self::Address))
    }
}

impl fmt::Display for AcceptedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Key(key) => f.write_str(&key.to_hex()),
        }
    }
}

impl Default for KeptLists {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            lists: Vec::new(),
            seeds: BTreeMap::new(),
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
                record: ListRecord::default(),
                servers: Vec::new(),
            });
            self.lists.len() - 1
        });
        &mut self.lists[at]
    }

    /// The list that was accepted for this server; `settings` say which server an older version meant.
    pub(in crate::app) fn accepted_for(
        &self,
        server: &ServerAddress,
        settings: &Settings,
    ) -> Option<ListSource> {
        let accepted_as = |wanted: &dyn Fn(&AcceptedServer) -> bool| {
            let mut lists = self.lists.iter();
            lists.find(|list| list.accepted_for().any(|accepted| wanted(&accepted)))
        };
        // What was decided for the address goes before what an older version kept by the key.
        accepted_as(&|accepted| *accepted == AcceptedServer::Address(server.clone()))
            .or_else(|| accepted_as(&|accepted| accepted.includes(server, settings)))?
            .source()
    }

    /// Uses the list of this source for this server, and no other list that was accepted for it before.
    pub(in crate::app) fn accept(&mut self, source: &ListSource, server: &ServerAddress) {
        let accepted = server.to_string();
        for list in &mut self.lists {
            list.servers.retain(|known| *known != accepted);
        }
        self.entry(source).servers.push(accepted);
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
    /// The line it was added by; `None` when somebody changed the file.
    pub(in crate::app) fn source(&self) -> Option<ListSource> {
        self.source.parse().ok()
    }

    /// The servers that it was accepted for.
    pub(in crate::app) fn accepted_for(&self) -> impl Iterator<Item = AcceptedServer> {
        self.servers.iter().filter_map(|text| text.parse().ok())
    }
}

impl ListRecord {
    /// Why no newer list came when one was asked for last.
    pub(in crate::app) fn problem(&self) -> Option<ListProblem> {
        problem(self.problem.as_deref(), self.problem_kind)
    }

    /// Keeps why no newer list came, or that one did.
    pub(in crate::app) fn set_problem(&mut self, problem: Option<ListProblem>) {
        self.problem_kind = problem.as_ref().map(|problem| problem.kind);
        self.problem = problem.map(|problem| problem.detail);
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
}

/// Name of the file of the relay lists in the data folder.
pub(in crate::app) const LISTS_NAME: &str = "relays.json";
/// Name of the file of Session's service nodes.
pub(in crate::app) const NODES_NAME: &str = "session-nodes.json";

/// Name of the folder of copies in the data folder.
pub(in crate::app) const COPIES_NAME: &str = "relay-lists";

/// Whether a file of this name in [`COPIES_NAME`] is one that this program made.
pub(in crate::app) fn is_copy(name: &str) -> bool {
    let (kind, rest) = name.split_once('-').unwrap_or_default();
    let (id, ending) = rest.split_once('.').unwrap_or_default();
    matches!(kind, "file" | "nodes")
        && id.len() == 16
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && matches!(ending, "json" | "toml" | "nodes.json" | "nodes.lock")
}

impl RelayFiles {
    pub(in crate::app) fn of(home: &Home) -> Self {
        Self {
            lists: Kept::in_file(home.data_dir.join(LISTS_NAME)),
            session_nodes: home.data_dir.join(NODES_NAME),
            copies: home.data_dir.join(COPIES_NAME),
        }
    }

    /// The file with the copy of what was chosen in a file.
    pub(in crate::app) fn copy_of(&self, source: &RelaySource) -> PathBuf {
        let ending = match source {
            RelaySource::ServiceNodes(_) => "toml",
            _ => "json",
        };
        self.copies.join(format!("{}.{ending}", source.id()))
    }

    /// The record of the nodes that the seeds of this source gave last.
    pub(in crate::app) fn nodes(&self, source: &RelaySource) -> Kept<SessionNodes> {
        Kept::in_file(match source {
            RelaySource::Session => self.session_nodes.clone(),
            _ => self.copies.join(format!("{}.nodes.json", source.id())),
        })
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

    /// Replaces the nodes that the seeds of this source gave before.
    ///
    /// # Errors
    /// As [`RelayFiles::change`].
    pub(in crate::app) fn keep_nodes(
        &self,
        source: &RelaySource,
        nodes: &SessionNodes,
    ) -> Result<(), RelaySourceError> {
        let kept = self.nodes(source);
        let mut draft = kept.begin()?;
        draft.record = Some(nodes.clone());
        Ok(draft.save()?)
    }

    /// Forgets what was copied and fetched of this source.
    pub(in crate::app) fn forget_copy(&self, source: &RelaySource) -> io::Result<()> {
        private::remove_if_there(&self.copy_of(source))?;
        private::remove_if_there(self.nodes(source).file())
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
    use crate::app::settings::ServerEntry;

    const KEY: &str = "b32a74b3de569ef8e48ab8c6bfa1f533c06d5d643725c9a269c1e0f25364cbe2";

    fn address(host: &str) -> ServerAddress {
        format!("http://{host}#p={KEY}").parse().unwrap()
    }

    fn source() -> ListSource {
        format!("https://lists.example/relays.json#k={KEY}")
            .parse()
            .unwrap()
    }

    /// Lists that were kept with this server, in the text of a file.
    fn kept_for(server: &str) -> KeptLists {
        let source = source();
        let text = format!(
            r#"{{"version":1,"lists":[{{"source":"{source}","list":"","signature":"","fetched":1,"asked":1,"servers":["{server}"]}}]}}"#
        );
        KeptLists::parse(text.as_bytes()).unwrap()
    }

    /// Whoever knows a server's key can hand out a pointer with another address for it.
    #[test]
    fn a_list_is_accepted_for_one_address_and_no_other_of_the_same_key() {
        let mut kept = KeptLists::default();
        kept.accept(&source(), &address("one.example"));
        kept.accept(&source(), &address("ONE.example:80"));
        let kept = KeptLists::parse(&kept.to_bytes().unwrap()).unwrap();
        let settings = Settings::default();
        for (host, accepted) in [("one.example", Some(source())), ("two.example", None)] {
            assert_eq!(kept.accepted_for(&address(host), &settings), accepted);
        }
        let one = AcceptedServer::Address(address("one.example"));
        assert!(kept.lists[0].accepted_for().eq([one]));
    }

    #[test]
    fn the_list_that_was_accepted_last_serves_a_server_and_goes_before_one_by_its_key() {
        let server = address("one.example");
        let other: ListSource = format!("https://other.example/relays.json#k={KEY}")
            .parse()
            .unwrap();
        let mut kept = kept_for(KEY);
        let settings = Settings::default();
        for list in [&other, &source(), &other] {
            kept.accept(list, &server);
            assert_eq!(kept.accepted_for(&server, &settings).as_ref(), Some(list));
        }
    }

    #[test]
    fn what_an_older_version_accepted_by_a_key_stays_with_the_first_server_that_has_it() {
        let kept = kept_for(KEY);
        let stranger = Settings::default();
        let entry = |host| ServerEntry::new("", address(host));
        let owner = Settings {
            servers: vec![entry("one.example"), entry("two.example")],
            ..Settings::default()
        };
        for (settings, host, accepted) in [
            (&stranger, "one.example", true),
            (&stranger, "two.example", true),
            (&owner, "one.example", true),
            (&owner, "two.example", false),
        ] {
            let list = kept.accepted_for(&address(host), settings);
            assert_eq!(list.is_some(), accepted, "{host}");
        }
    }

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
        let read = || store.read().unwrap().seeds["session"].problem();
        for (kind, expected) in [
            ("", ListProblemKind::Other),
            (r#","problem_kind":"no-list""#, ListProblemKind::NoList),
            (
                r#","problem_kind":"of-a-later-version""#,
                ListProblemKind::Other,
            ),
        ] {
            let text = format!(
                r#"{{"version":1,"session_asked":5,"seeds":{{"session":{{"asked":7,"problem":"it broke"{kind}}}}}}}"#
            );
            fs::write(store.lists.file(), text).unwrap();
            assert_eq!(read(), problem(expected));
        }
        let kept = problem(ListProblemKind::NoAnswer);
        for expected in [kept, None] {
            let asked = AskedSeeds::new(8, expected.clone());
            store
                .change(|kept| kept.seeds.insert("session".to_owned(), asked))
                .unwrap();
            assert_eq!(read(), expected);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_left_alone() {
        let folder = tempdir().unwrap();
        let store = RelayFiles::of(&Home::in_folder(folder.path()));
        let session = store.nodes(&RelaySource::Session);
        assert!(store.read().unwrap().lists.is_empty() && session.read().unwrap().is_none());
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
            let changed = store.change(|kept| kept.lists.clear());
            assert_eq!(changed, Err(RelaySourceError::Unread(lists)));
            let nodes = unread(session.file());
            assert_eq!(session.read().err(), Some(nodes.clone()));
            let fetched = br#"{"version":1,"fetched":1,"height":1,"nodes":[]}"#;
            let fetched = SessionNodes::read_kept(fetched).unwrap();
            let kept = store.keep_nodes(&RelaySource::Session, &fetched);
            assert_eq!(kept, Err(RelaySourceError::Unread(nodes)));
            for file in [store.lists.file(), session.file()] {
                assert_eq!(fs::read_to_string(file).unwrap(), text);
            }
        }
        fs::remove_file(store.lists.file()).unwrap();
        fs::create_dir(store.lists.file()).unwrap();
        let error = store.read().err().unwrap();
        assert!(matches!(error.why, UnreadReason::Read(_)), "{error}");
    }
}
