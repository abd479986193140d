//! A WebAssembly store for one instance, with its limits. The limits of memory hold before the instance
//! exists. Each call gets fuel and a deadline, and a store in which a call failed must not be used again.

use wasmtime::{Error, ResourceLimiter, Store, Trap};

use super::{
    Limits,
    clock::Clock,
    fault::{Broken, Fault},
    host::Host,
};

/// The memory and tables of one store, and their limits.
#[derive(Debug)]
pub(super) struct Guest {
    /// Bytes of all memories together.
    bytes: usize,
    /// Elements of all tables together.
    elements: usize,
    most_bytes: usize,
    most_elements: usize,
    /// The largest number of instances, of tables and of memories.
    most_of_each: usize,
}

/// A limit that was exceeded, as an error that travels through the engine.
#[derive(Debug)]
struct Exceeded(Broken, String);

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.1)
    }
}

impl std::error::Error for Exceeded {}

impl Guest {
    fn new(limits: &Limits) -> Self {
        Guest {
            bytes: 0,
            elements: 0,
            most_bytes: limits.memory_bytes,
            most_elements: limits.table_elements,
            most_of_each: limits.instances,
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.bytes.saturating_add(desired.saturating_sub(current));
        if all > self.most_bytes {
            // An error instead of `Ok(false)`: that would let `memory.grow` return -1, and the plugin go on.
            let message =
                format!("it asks for {all} bytes of memory; at most {} are allowed", self.most_bytes);
            return Err(Exceeded(Broken::Memory, message).into());
        }
        self.bytes = all;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.elements.saturating_add(desired.saturating_sub(current));
        if all > self.most_elements {
            let message =
                format!("it asks for {all} elements of tables; at most {} are allowed", self.most_elements);
            return Err(Exceeded(Broken::Table, message).into());
        }
        self.elements = all;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.most_of_each
    }

    fn tables(&self) -> usize {
        self.most_of_each
    }

    fn memories(&self) -> usize {
        self.most_of_each
    }
}

/// Creates a store for one instance, with the limits of memory set.
pub(super) fn store(host: &Host) -> Store<Guest> {
    let mut store = Store::new(host.engine(), Guest::new(host.limits()));
    store.limiter(|guest| guest);
    store.epoch_deadline_trap();
    store
}

/// The size of one call, which scales its limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallWork {
    /// The rows that it is about. Each adds to its instructions.
    pub(super) rows: usize,
    /// The bytes of results that these rows need.
    pub(super) results: usize,
    /// The values that the host writes for it or reads from it.
    pub(super) values: usize,
    /// The most instructions that the run has left for it.
    pub(super) most: Option<u64>,
}

/// The outcome of a call, and the number of instructions that it ran.
pub(super) type CallEnd<R> = (Result<R, Fault>, u64);

/// Runs one call within its limits.
///
/// # Errors
/// The rule that the call broke. The store must not be used again.
pub(super) fn within<R>(
    host: &Host,
    name: &str,
    store: &mut Store<Guest>,
    work: CallWork,
    call: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<R>,
) -> CallEnd<R> {
    let limits = host.limits();
    let fuel = limits.fuel_for(work.rows).min(work.most.unwrap_or(u64::MAX));
    if let Err(error) = store.set_fuel(fuel) {
        return (Err(fault(name, limits, fuel, &error)), 0);
    }
    store.set_epoch_deadline(Clock::ticks(limits.deadline_ms));
    store.set_hostcall_fuel(limits.result_bytes.saturating_add(work.results));
    let running = host.clock().run();
    let result = call(store);
    drop(running);
    let ran = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    (result.map_err(|error| fault(name, limits, fuel, &error)), ran)
}

/// Returns the fault for an error of the engine.
fn fault(name: &str, limits: &Limits, fuel: u64, error: &Error) -> Fault {
    if let Some(Exceeded(broken, message)) = error.downcast_ref::<Exceeded>() {
        return Fault::new(name, *broken, message);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => {
                Fault::new(name, Broken::Fuel, format!("it ran {fuel} instructions without an end"))
            }
            Trap::Interrupt => {
                let message = format!("it ran {} ms on the wall without an end", limits.deadline_ms);
                Fault::new(name, Broken::Deadline, message)
            }
            Trap::StackOverflow => {
                let message = format!("it used up its stack of {} bytes", limits.stack_bytes);
                Fault::new(name, Broken::Stack, message)
            }
            other => {
                let message = other.to_string();
                let message = message.strip_prefix("wasm trap: ").unwrap_or(&message);
                Fault::new(name, Broken::NoTrap, format!("it was stopped: {message}"))
            }
        };
    }
    // The engine has no types for these errors, so they are recognized by their text.
    let message = format!("{error:#}");
    if message.contains("fuel allocated for hostcalls") {
        let message =
            format!("it hands back more than {} bytes beyond what was asked for", limits.result_bytes);
        return Fault::new(name, Broken::Results, message);
    }
    if message.contains("resource limit exceeded") {
        let message = format!("it has more than {} instances, memories or tables", limits.instances);
        return Fault::new(name, Broken::Instances, message);
    }
    Fault::new(name, Broken::Form, message)
}
