//! Wall-clock deadlines of calls: a thread that advances the engine's epoch while a call runs.
//!
//! The clock decides no offer. A call that ends before its deadline has the same result without a clock. Fuel
//! bounds calls deterministically; the clock is a backstop for whatever fuel does not see.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use wasmtime::EngineWeak;

/// The length of an epoch.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct Calls {
    /// The number of calls that run.
    running: Mutex<usize>,
    /// Notified when a call begins, to wake the thread.
    began: Condvar,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Advances the epoch of one engine. The thread ends after the last clone of this is dropped, or the engine.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    calls: Arc<Calls>,
}

/// A call that is running. The clock advances until it is dropped.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a Calls);

impl Clock {
    /// Starts the clock of an engine.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(engine: EngineWeak) -> std::io::Result<Clock> {
        let calls = Arc::new(Calls::default());
        let known = Arc::downgrade(&calls);
        thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || tick(&known, &engine))?;
        Ok(Clock { calls })
    }

    /// Advances the epoch until the returned value is dropped.
    pub(super) fn run(&self) -> Running<'_> {
        *self.calls.lock() += 1;
        self.calls.began.notify_one();
        Running(&self.calls)
    }

    /// Returns a deadline in ticks. One is added, because the current epoch may be about to end.
    pub(super) fn ticks(deadline_ms: u64) -> u64 {
        deadline_ms / TICK.as_millis() as u64 + 1
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}

/// The body of the thread. It holds weak references only, so that it keeps neither clock nor engine alive;
/// while it sleeps it wakes once a second to see if they are gone.
fn tick(calls: &Weak<Calls>, engine: &EngineWeak) {
    loop {
        let Some(calls) = calls.upgrade() else { return };
        let running = calls.lock();
        if *running == 0 {
            let waited = calls.began.wait_timeout(running, TICK * 100);
            drop(waited);
            continue;
        }
        drop(running);
        drop(calls);
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}
