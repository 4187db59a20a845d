//! How far a share or a get is, and the sink that is told.

use std::sync::Arc;

use crate::app::kept::unfinished::UnfinishedId;
use crate::protocol::path::RelayPath;

/// How far a share or a get is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Share: reading the file and padding it to a constant size.
    Pad,
    /// Share: sealing with a fresh key.
    Seal,
    /// Both: asking the server what it takes, and drawing a path.
    FindPath,
    /// Both: connecting to the first stop of the request.
    Connect(FirstStop),
    /// Share: solving the work that the server asks for.
    Work {
        /// How likely it was to be done by now, in thousandths: an estimate that never reaches 1,000.
        permille: u16,
    },
    /// Share: the connection has taken some bytes of the request.
    Upload {
        /// Bytes that the connection has taken.
        sent: u64,
        /// Bytes of the whole request.
        total: u64,
    },
    /// Both: the whole request has left, and nothing of the file moves between here and the first stop.
    Crossing,
    /// Get: some bytes of the answer have come.
    Download {
        /// Bytes that have come.
        received: u64,
        /// Bytes of the whole answer; 0 when the other side did not say.
        total: u64,
    },
    /// Both, of something in parts: how much of its content has moved.
    Parts(PartsMoved),
    /// Both, of something in parts: nothing gets through to the server. It goes on by itself.
    Waiting {
        /// Seconds until the next try.
        secs: u64,
    },
    /// Get: comparing the digest, before the key is used.
    Verify,
    /// Get: opening the seal.
    Open,
    /// Get: writing the file.
    Save,
    /// Get: telling the sender, who asked for it, that the file is here.
    TellSender,
}

/// How much of something in parts has moved, in bytes of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartsMoved {
    /// Confirmed by the server, or fetched and written.
    pub done: u64,
    /// Of parts that are on their way: they count only once they are done.
    pub moving: u64,
    /// All that is sent or fetched.
    pub total: u64,
}

/// The party that a request goes to first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstStop {
    /// The first relay of a path.
    #[default]
    Relay,
    /// The server itself, which is reached without relays.
    Server,
}

impl Stage {
    /// How much of this stage is done, from 0 to 1; `None` for a stage that is not measured.
    #[must_use]
    pub(crate) fn fraction(self) -> Option<f32> {
        match self {
            Self::Work { permille } => Some(fraction(permille.into(), 1_000)),
            Self::Upload { sent, total } => Some(fraction(sent, total)),
            Self::Download { received, total } => Some(fraction(received, total)),
            Self::Parts(PartsMoved {
                done,
                moving,
                total,
            }) => Some(fraction(done.saturating_add(moving), total)),
            Self::Pad
            | Self::Seal
            | Self::FindPath
            | Self::Connect(_)
            | Self::Crossing
            | Self::Waiting { .. }
            | Self::Verify
            | Self::Open
            | Self::Save
            | Self::TellSender => None,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bar has fewer pixels than an f32 has steps"
)]
fn fraction(done: u64, total: u64) -> f32 {
    if total == 0 {
        0.0
    } else {
        (done as f32 / total as f32).min(1.0)
    }
}

/// Receives the path of each try.
type PathSink = Arc<dyn Fn(&RelayPath) + Send + Sync>;

/// Receives under which id something in parts is kept.
type KeptSink = Arc<dyn Fn(&UnfinishedId) + Send + Sync>;

/// Receives progress. It is called often, from any thread, and must not block.
#[derive(Clone)]
pub struct ProgressSink {
    stage: Arc<dyn Fn(Stage) + Send + Sync>,
    path: Option<PathSink>,
    kept: Option<KeptSink>,
}

impl ProgressSink {
    /// A sink that calls `on_stage` with each stage.
    #[must_use]
    pub fn new(on_stage: impl Fn(Stage) + Send + Sync + 'static) -> Self {
        Self {
            stage: Arc::new(on_stage),
            path: None,
            kept: None,
        }
    }

    /// This sink, which also calls `on_path` with the path that a try is about to take.
    #[must_use]
    pub fn with_paths(self, on_path: impl Fn(&RelayPath) + Send + Sync + 'static) -> Self {
        Self {
            path: Some(Arc::new(on_path)),
            ..self
        }
    }

    /// This sink, which also calls `on_kept` with the id under which something in parts is kept from now on, so that it can go
    /// on later.
    #[must_use]
    pub fn with_kept(self, on_kept: impl Fn(&UnfinishedId) + Send + Sync + 'static) -> Self {
        Self {
            kept: Some(Arc::new(on_kept)),
            ..self
        }
    }

    /// This sink, which tells paths where `other` does.
    #[must_use]
    pub(super) fn with_paths_of(self, other: &Self) -> Self {
        Self {
            path: other.path.clone(),
            ..self
        }
    }

    /// A sink that drops everything.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_| ())
    }

    /// Tells that a transfer has come to this stage.
    pub fn stage(&self, stage: Stage) {
        (self.stage)(stage);
    }

    /// Tells the id under which something in parts is kept from now on.
    pub fn kept(&self, id: &UnfinishedId) {
        if let Some(on_kept) = &self.kept {
            on_kept(id);
        }
    }

    pub(super) fn path(&self, path: &RelayPath) {
        if let Some(on_path) = &self.path {
            on_path(path);
        }
    }
}

impl Default for ProgressSink {
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_a_number_from_zero_to_one_whatever_was_counted() {
        let upload = |sent, total| Stage::Upload { sent, total }.fraction();
        assert_eq!(upload(0, 0), Some(0.0));
        assert_eq!(upload(7, 0), Some(0.0));
        assert_eq!(upload(1, 2), Some(0.5));
        assert_eq!(upload(3, 2), Some(1.0));
        assert_eq!(Stage::Work { permille: 250 }.fraction(), Some(0.25));
        assert_eq!(Stage::Crossing.fraction(), None);
    }
}
