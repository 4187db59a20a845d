//! How an operator's command reaches the server that holds the store: a folder is held by one process, so what is asked
//! of its files is asked of that process.
//!
//! A running server listens on a port of loopback that the system picks, and leaves port and a fresh token in the file
//! `control` in the folder of its store, readable by its owner only. Whoever can read that file can read the folder, and
//! may do what is asked here. One connection carries one request: a line with the token, a line of JSON; a line of JSON
//! comes back. A web page cannot send the token first, so it cannot drive it.

use std::{
    collections::VecDeque,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use zeroize::Zeroizing;

use super::operator::{Operator, OperatorError};
use crate::disk::private;
use crate::protocol::address::FileId;
use crate::server::store::Held;

/// What an operator asks of the files of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Take a file away, and never take it in again.
    Block {
        /// Id of the file.
        id: String,
    },
    /// Say whether the store can be written and read, and how full it is.
    Check,
    /// Take a file away.
    Remove {
        /// Id of the file.
        id: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Done {
    /// It is gone and stays away.
    Blocked {
        /// Whether there was such a file.
        found: bool,
    },
    /// What the store says of itself.
    Checked(Look),
    /// The store could not do it.
    Failed,
    /// The id is none of this kind of server.
    Foreign,
    /// It is gone.
    Removed {
        /// Whether there was such a file.
        found: bool,
    },
}

/// What a store says of itself; what it could not say is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What was written was read at once.
    pub read_after_write: bool,
    /// What was written was listed at once.
    pub list_after_write: bool,
    /// What was deleted was away at once.
    pub gone_after_delete: bool,
    /// It keeps old versions, so that deleted files stay in it.
    pub keeps_versions: bool,
    /// The bytes it holds; while they are counted, the most that it may hold.
    pub used_bytes: Option<u64>,
    /// The server has not counted yet what it holds.
    pub is_counting: bool,
    /// The last hour (since 1970, UTC) that a server saw.
    pub last_hour: Option<u32>,
}

/// Does at a store what was asked.
pub async fn carry_out(operator: &Operator, order: Order) -> Done {
    let file = |id: &str| FileId::parse(id).ok();
    match order {
        Order::Block { id } => match file(&id) {
            Some(id) => match operator.block(&id).await {
                Ok(found) => Done::Blocked { found },
                Err(OperatorError::Foreign) => Done::Foreign,
                Err(OperatorError::Store(_)) => Done::Failed,
            },
            None => Done::Foreign,
        },
        Order::Check => {
            let Ok(probed) = operator.probe().await else {
                return Done::Failed;
            };
            let held = operator.held().await.ok();
            Done::Checked(Look {
                read_after_write: probed.read_after_write,
                list_after_write: probed.list_after_write,
                gone_after_delete: probed.gone_after_delete,
                keeps_versions: probed.keeps_versions,
                used_bytes: held.and_then(Held::bytes),
                is_counting: held.is_some_and(|held| !held.is_counted()),
                last_hour: operator.last_hour().await.ok().flatten(),
            })
        }
        Order::Remove { id } => match file(&id) {
            Some(id) => match operator.remove(&id).await {
                Ok(found) => Done::Removed { found },
                Err(OperatorError::Foreign) => Done::Foreign,
                Err(OperatorError::Store(_)) => Done::Failed,
            },
            None => Done::Foreign,
        },
    }
}

/// The door of a running server; closed on drop.
#[derive(Debug)]
pub struct Control {
    file: PathBuf,
    _open: DropGuard,
}

impl Control {
    /// Opens the door: `carry_out` is called for each order. The file says how to reach it until this is dropped.
    ///
    /// # Errors
    /// What the system says.
    pub async fn open<H, F>(
        folder: &Path,
        rng: &mut impl CryptoRng,
        carry_out: H,
    ) -> io::Result<Self>
    where
        H: Fn(Order) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Done> + Send + 'static,
    {
        Self::open_patiently(folder, rng, carry_out, STRANGERS).await
    }

    /// Opens the door; connections that do not show the token are closed after `strangers_patience`.
    async fn open_patiently<H, F>(
        folder: &Path,
        rng: &mut impl CryptoRng,
        carry_out: H,
        strangers_patience: Duration,
    ) -> io::Result<Self>
    where
        H: Fn(Order) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Done> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut token = Zeroizing::new([0; 32]);
        rng.fill_bytes(token.as_mut());
        let door = Door {
            addr: listener.local_addr()?,
            token: HEXLOWER.encode(token.as_ref()),
        };
        let file = folder.join(FILE_NAME);
        private::replace(&file, &serde_json::to_vec(&door)?)?;
        let stop = CancellationToken::new();
        tokio::spawn(answer_all(
            listener,
            door.token,
            carry_out,
            strangers_patience,
            stop.clone(),
        ));
        Ok(Self {
            file,
            _open: stop.drop_guard(),
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        fs::remove_file(&self.file).ok();
    }
}

/// Asks the server that runs on the store in `folder`; `None` when none does.
///
/// # Errors
/// [`AskError`] when one may run and does not answer.
pub async fn ask(folder: &Path, order: &Order) -> Result<Option<Done>, AskError> {
    let bytes = match fs::read(folder.join(FILE_NAME)) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AskError::File(error)),
    };
    let door: Door = serde_json::from_slice(&bytes).map_err(|_torn| AskError::Answer)?;
    let talk = async {
        let mut stream = match TcpStream::connect(door.addr).await {
            Ok(stream) => stream,
            // A server that was killed leaves its file.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(None),
            Err(_unreachable) => return Err(AskError::Answer),
        };
        let order = serde_json::to_string(order).map_err(|_never| AskError::Answer)?;
        let request = Zeroizing::new(format!("{}\n{order}\n", door.token));
        stream
            .write_all(request.as_bytes())
            .await
            .map_err(|_broken| AskError::Answer)?;
        let line = line_of(&mut BufReader::new(stream)).await;
        let line = line.ok_or(AskError::Answer)?;
        serde_json::from_str(&line)
            .map(Some)
            .map_err(|_nonsense| AskError::Answer)
    };
    tokio::time::timeout(PATIENCE, talk)
        .await
        .unwrap_or(Err(AskError::Answer))
}

/// Why a running server was not reached.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It does not answer as it should.
    #[error("the running server does not answer; try again, or stop it and try again")]
    Answer,
    /// The file cannot be read.
    #[error(
        "the file control in the folder of the store cannot be read ({0}); run this as the server's own user, or as root"
    )]
    File(io::Error),
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Door {
    addr: SocketAddr,
    token: String,
}

async fn answer_all<H, F>(
    listener: TcpListener,
    token: String,
    carry_out: H,
    strangers_patience: Duration,
    stop: CancellationToken,
) where
    H: Fn(Order) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Done> + Send + 'static,
{
    let token = Arc::new(Zeroizing::new(token));
    let mut strangers = Strangers::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let (token, carry_out) = (Arc::clone(&token), carry_out.clone());
                let (stop, stranger) = (stop.clone(), strangers.admit());
                tokio::spawn(async move {
                    let knows = async {
                        let mut stream = BufReader::new(stream);
                        knows_token(&mut stream, &token).await.then_some(stream)
                    };
                    // Strangers of the same machine get a moment, and no words.
                    let stream = tokio::select! {
                        () = stop.cancelled() => return,
                        () = stranger.cancelled() => return,
                        known = tokio::time::timeout(strangers_patience, knows) => known,
                    };
                    drop(stranger.drop_guard());
                    if let Ok(Some(stream)) = stream {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            done = tokio::time::timeout(PATIENCE, answer_one(stream, carry_out)) => drop(done),
                        }
                    }
                });
            }
            Err(_out_of_files) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Connections that have not shown the token: a bounded number, of which the oldest makes room for the newest. So whoever
/// shows it at once gets in, however many others connect and say nothing.
#[derive(Default)]
struct Strangers {
    waiting: VecDeque<CancellationToken>,
}

impl Strangers {
    /// Takes one more. What is returned is cancelled when the connection is to be closed, and by the connection itself
    /// when it is no stranger any more.
    fn admit(&mut self) -> CancellationToken {
        self.waiting.retain(|stranger| !stranger.is_cancelled());
        if self.waiting.len() >= MAX_STRANGERS
            && let Some(oldest) = self.waiting.pop_front()
        {
            oldest.cancel();
        }
        let newest = CancellationToken::new();
        self.waiting.push_back(newest.clone());
        newest
    }
}

async fn knows_token(stream: &mut BufReader<TcpStream>, token: &str) -> bool {
    let given = line_of(stream).await;
    given.is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into())
}

async fn answer_one<H, F>(mut stream: BufReader<TcpStream>, carry_out: H)
where
    H: Fn(Order) -> F,
    F: Future<Output = Done>,
{
    let Some(order) = line_of(&mut stream).await else {
        return;
    };
    let Ok(order) = serde_json::from_str(&order) else {
        return;
    };
    let done = carry_out(order).await;
    if let Ok(mut line) = serde_json::to_vec(&done) {
        line.push(b'\n');
        stream.write_all(&line).await.ok();
    }
}

/// A line, without its end, that is not longer than one should be.
async fn line_of<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    let mut limited = stream.take(MAX_LINE_LEN);
    limited.read_line(&mut line).await.ok()?;
    line.ends_with('\n').then(|| {
        line.pop();
        line
    })
}

/// The file in the folder of the store.
pub const FILE_NAME: &str = "control";
const MAX_LINE_LEN: u64 = 1_024;
const PATIENCE: Duration = Duration::from_secs(60);
const STRANGERS: Duration = Duration::from_secs(1);
/// Connections that may be open at once without having shown the token.
const MAX_STRANGERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::random;

    async fn door(folder: &Path) -> Control {
        Control::open(folder, &mut random::system(), |order| async move {
            match order {
                Order::Remove { id } => Done::Removed {
                    found: id == "here",
                },
                Order::Block { .. } | Order::Check => Done::Failed,
            }
        })
        .await
        .unwrap()
    }

    fn remove(id: &str) -> Order {
        Order::Remove { id: id.to_owned() }
    }

    #[tokio::test]
    async fn an_order_reaches_the_running_server() {
        let folder = tempfile::tempdir().unwrap();
        let order = remove("here");
        assert_eq!(ask(folder.path(), &order).await.unwrap(), None, "none runs");
        let door = door(folder.path()).await;
        assert_eq!(
            ask(folder.path(), &order).await.unwrap(),
            Some(Done::Removed { found: true })
        );
        let unknown = ask(folder.path(), &remove("elsewhere")).await.unwrap();
        assert_eq!(unknown, Some(Done::Removed { found: false }));
        drop(door);
        assert!(!folder.path().join(FILE_NAME).exists());
        assert_eq!(ask(folder.path(), &order).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_server_that_was_killed_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let door = door(folder.path()).await;
        let file = folder.path().join(FILE_NAME);
        let left = fs::read(&file).unwrap();
        drop(door);
        fs::write(&file, left).unwrap();
        // The task that listened ends when it is next run.
        let order = remove("here");
        let away = async {
            while ask(folder.path(), &order)
                .await
                .is_ok_and(|done| done.is_some())
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), away)
            .await
            .expect("nobody listens any more");
        assert_eq!(ask(folder.path(), &order).await.unwrap(), None);
    }

    #[tokio::test]
    async fn without_the_token_nothing_is_done_or_said() {
        let folder = tempfile::tempdir().unwrap();
        let _door = door(folder.path()).await;
        let file = folder.path().join(FILE_NAME);
        let Door { addr, token } = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let order = serde_json::to_string(&remove("here")).unwrap();
        let other = token.chars().rev().collect::<String>();
        for text in [
            format!("POST / HTTP/1.1\r\n\r\n{token}\n{order}\n"),
            format!("{other}\n{order}\n"),
            format!("\n{order}\n"),
            format!("{}\n{token}\n{order}\n", "x".repeat(2_000)),
            format!("{token}\nnonsense\n"),
        ] {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // Closed with bytes unread, it may also be reset.
            stream.read_to_end(&mut answer).await.ok();
            assert!(answer.is_empty(), "{text}");
        }
        assert_eq!(
            ask(folder.path(), &remove("here")).await.unwrap(),
            Some(Done::Removed { found: true })
        );
    }

    #[tokio::test]
    async fn strangers_who_say_nothing_do_not_keep_the_operator_out() {
        let folder = tempfile::tempdir().unwrap();
        let forever = Duration::from_secs(1_000_000);
        let rng = &mut random::system();
        let carry_out = |_order| async { Done::Removed { found: true } };
        let _door = Control::open_patiently(folder.path(), rng, carry_out, forever)
            .await
            .unwrap();
        let file = folder.path().join(FILE_NAME);
        let Door { addr, .. } = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let mut strangers = Vec::new();
        for _ in 0..3 * MAX_STRANGERS {
            strangers.push(TcpStream::connect(addr).await.unwrap());
        }
        let done = ask(folder.path(), &remove("here")).await.unwrap();
        assert_eq!(done, Some(Done::Removed { found: true }));
        // The first were closed for the last, which are still borne with.
        let [first, .., last] = strangers.as_mut_slice() else {
            unreachable!()
        };
        assert!(matches!(first.read(&mut [0]).await, Ok(0) | Err(_)));
        assert!(futures_util::poll!(std::pin::pin!(last.read(&mut [0]))).is_pending());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_can_read_how_to_reach_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let _door = door(folder.path()).await;
        let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }
}
