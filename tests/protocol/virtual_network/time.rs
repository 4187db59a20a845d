//! Virtual time: futures that sleep, and one that runs them. Nothing waits; the clock goes on to whatever is next.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A clock that stands still while anything can be done.
#[derive(Default)]
pub(super) struct Time {
    now: Cell<Duration>,
    /// Who sleeps, by when they wake; those of one moment in the order in which they lay down.
    sleepers: RefCell<BTreeMap<(Duration, u64), Waker>>,
    number: Cell<u64>,
}

impl Time {
    pub(super) fn now(&self) -> Duration {
        self.now.get()
    }

    pub(super) fn sleep(&self, lasts: Duration) -> impl Future<Output = ()> {
        self.sleep_until(self.now() + lasts)
    }

    pub(super) fn sleep_until(&self, wake: Duration) -> impl Future<Output = ()> {
        std::future::poll_fn(move |cx| {
            if self.now() >= wake {
                return Poll::Ready(());
            }
            let number = self.number.get();
            self.number.set(number + 1);
            let mut sleepers = self.sleepers.borrow_mut();
            sleepers.insert((wake, number), cx.waker().clone());
            Poll::Pending
        })
    }

    /// Runs `work` to its end.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut work = pin!(work);
        loop {
            woken.0.store(false, Ordering::Relaxed);
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            while !woken.0.load(Ordering::Relaxed) {
                let next = self.sleepers.borrow_mut().pop_first();
                let ((at, _), sleeper) = next.expect("somebody sleeps, else nothing ever happens");
                self.now.set(self.now().max(at));
                sleeper.wake();
            }
        }
    }
}
