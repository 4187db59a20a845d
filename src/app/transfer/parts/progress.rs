//! How much of something in parts has moved: what is confirmed, and what is on its way.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::stage::{PartsMoved, ProgressSink, Stage};
use crate::protocol::parts::{PartIndex, PartPlan};

/// Counts the bytes of a whole and tells a sink of them. Clones count the same.
#[derive(Clone)]
pub(super) struct PartsProgress {
    sink: ProgressSink,
    plan: PartPlan,
    counted: Arc<Mutex<Counted>>,
}

struct Counted {
    done: u64,
    /// Bytes of the content that the connection has taken or given, of each part on its way.
    moving: BTreeMap<PartIndex, u64>,
    total: u64,
}

impl PartsProgress {
    /// Of `total` bytes `done` are there already.
    pub(super) fn new(sink: &ProgressSink, plan: PartPlan, done: u64, total: u64) -> Self {
        let progress = Self {
            sink: sink.clone(),
            plan,
            counted: Arc::new(Mutex::new(Counted {
                done,
                moving: BTreeMap::new(),
                total,
            })),
        };
        progress.tell();
        progress
    }

    /// A sink for the requests of one part.
    pub(super) fn of_part(&self, index: PartIndex) -> impl Fn(Stage) + Send + Sync + use<> {
        let progress = self.clone();
        move |stage| {
            let (moved, total) = match stage {
                Stage::Upload { sent, total } => (sent, total),
                Stage::Download { received, total } => (received, total),
                Stage::Connect(_) => (0, 1),
                _ => return,
            };
            if total == 0 {
                return;
            }
            let len = progress.plan.content_len(index) as u64;
            // Both are below 11 MB.
            let moved = len * moved.min(total) / total;
            progress.counted.lock().moving.insert(index, moved);
            progress.tell();
        }
    }

    /// The part got through.
    pub(super) fn done(&self, index: PartIndex) {
        let mut counted = self.counted.lock();
        counted.moving.remove(&index);
        counted.done += self.plan.content_len(index) as u64;
        drop(counted);
        self.tell();
    }

    /// The part did not get through: what had moved of it is lost.
    pub(super) fn lost(&self, index: PartIndex) {
        self.counted.lock().moving.remove(&index);
        self.tell();
    }

    fn tell(&self) {
        let counted = self.counted.lock();
        let moved = PartsMoved {
            done: counted.done.min(counted.total),
            moving: counted.moving.values().sum::<u64>().min(counted.total),
            total: counted.total,
        };
        drop(counted);
        self.sink.stage(Stage::Parts(moved));
    }
}
