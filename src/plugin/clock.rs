//! The deadline of calls: a thread that moves the engine's epoch on while some call is running.
//!
//! It decides no offer: a call that ends in time is the same call without it. It only ends those that would not end.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use wasmtime::EngineWeak;

/// How long an epoch is.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct Calls {
    running: Mutex<usize>,
    began: Condvar,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves time on for the calls of one engine. Its thread ends with it.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    calls: Arc<Calls>,
}

/// A call that is running.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a Calls);

impl Clock {
    /// Starts the clock of an engine.
    ///
    /// # Errors
    /// That the system gives no thread.
    pub(super) fn start(engine: EngineWeak) -> std::io::Result<Clock> {
        let calls = Arc::new(Calls::default());
        let known = Arc::downgrade(&calls);
        thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || tick(&known, &engine))?;
        Ok(Clock { calls })
    }

    /// Time passes until what this gives is dropped.
    pub(super) fn run(&self) -> Running<'_> {
        *self.calls.lock() += 1;
        self.calls.began.notify_one();
        Running(&self.calls)
    }

    /// How many ticks a deadline is: one more, since the first may be near its end.
    pub(super) fn ticks(deadline_ms: u64) -> u64 {
        deadline_ms / TICK.as_millis() as u64 + 1
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}

/// Sleeps while nothing runs, but looks now and then whether it is still wanted.
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
