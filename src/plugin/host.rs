//! The WebAssembly engine, and the installation of plugins: scan, compile, try, admit.
//!
//! The order is a matter of safety. Nothing compiles bytes that the scan refused, and nothing runs in a store
//! without limits. A plugin is admitted only after a trial in a store that is thrown away.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::{
    Config, Engine, OptLevel,
    component::{Component, Instance, InstancePre, Linker, types::ComponentItem},
};

use super::{
    About, Compiler, Grants, Limits, admit,
    clock::Clock,
    compiler,
    fault::{Broken, Fault},
    fuel, scan,
    store::{self, CallEnd, CallWork, Guest},
    wire,
};

/// The interface that every plugin exports, and the one for explanations, which is optional.
const FILTER: &str = "bourse:filter/filter";
const EXPLAIN: &str = "bourse:filter/explain";
const VERSION: &str = "0.1.0";

/// Runs plugins within limits. Cheap to clone; clones share the engine and its clock.
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    clock: Clock,
    limits: Arc<Limits>,
    /// The program that compiles. `None` to compile in this process.
    compiler: Option<Arc<Compiler>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Host {
    /// Creates a host that gives its plugins these limits, and compiles them in a separate process, which
    /// bounds what compiling takes whatever the plugin is. For plugins of unknown authors. It starts a thread
    /// that watches deadlines, which sleeps while no plugin runs.
    ///
    /// # Errors
    /// The engine cannot run here, or does not accept the limits.
    pub fn with_compiler(limits: Limits, compiler: Compiler) -> Result<Host, Fault> {
        Host::compiling(limits, Some(compiler))
    }

    /// Creates a host like [`Host::with_compiler`], but compiles plugins in this process. The scan refuses
    /// most components that are slow to compile, but it cannot find all, and nothing else stops a compiler
    /// that takes minutes or gigabytes. For plugins whose author is known.
    ///
    /// # Errors
    /// The same as those of [`Host::with_compiler`].
    pub fn in_process(limits: Limits) -> Result<Host, Fault> {
        Host::compiling(limits, None)
    }

    fn compiling(limits: Limits, compiler: Option<Compiler>) -> Result<Host, Fault> {
        let broken =
            |error: String| Fault::new("(host)", Broken::BuiltIn, format!("the engine cannot run: {error}"));
        let engine = Engine::new(&config(&limits)).map_err(|error| broken(format!("{error:#}")))?;
        let clock = Clock::start(engine.weak()).map_err(|error| broken(error.to_string()))?;
        Ok(Host { engine, clock, limits: Arc::new(limits), compiler: compiler.map(Arc::new) })
    }

    /// Returns the limits of its plugins.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Installs a plugin: scans and compiles its bytes, starts it in a store that is thrown away, and checks
    /// its description against what it may see. `name` is the broker's name for it, which every message has.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn install(&self, name: &str, bytes: &[u8], grants: &Grants) -> Result<Plugin, Fault> {
        scan::scan(name, bytes, &self.limits)?;
        let component = self.compile(name, bytes)?;
        self.admit(name, Sha256::digest(bytes).into(), component, grants)
    }

    /// Compiles bytes that were scanned.
    pub(super) fn compile(&self, name: &str, bytes: &[u8]) -> Result<Component, Fault> {
        match &self.compiler {
            Some(compiler) => compiler.compile(name, bytes, (&self.engine, &self.limits)),
            None => compiler::compile(&self.engine, bytes)
                .map_err(|message| Fault::new(name, Broken::Valid, message)),
        }
    }

    pub(super) fn admit(
        &self,
        name: &str,
        hash: [u8; 32],
        component: Component,
        grants: &Grants,
    ) -> Result<Plugin, Fault> {
        let explains = self.check_world(name, &component)?;
        let world = |error: wasmtime::Error| Fault::new(name, Broken::World, format!("{error:#}"));
        let pre = Linker::<Guest>::new(&self.engine).instantiate_pre(&component).map_err(|error| {
            Fault::new(name, Broken::NoImports, format!("it asks for something from outside: {error:#}"))
        })?;
        let filter = wire::filter::GuestIndices::new(&pre).map_err(world)?;
        let explain =
            if explains { Some(wire::explain::GuestIndices::new(&pre).map_err(world)?) } else { None };
        let mut installed = InstalledPlugin {
            host: self.clone(),
            name: name.to_owned(),
            hash,
            about: About::default(),
            seen: Vec::new(),
            grants: grants.clone(),
            pre,
            filter,
            explain,
        };
        // This instance is dropped, so that no state of the trial outlives it.
        let mut tried = installed.start(None).0?;
        let described = installed.describe(&mut tried, None).0?;
        drop(tried);
        installed.about = admit::check(&installed, &described)?;
        installed.seen = admit::granted(&installed)?;
        admit::weight(&installed)?;
        Ok(Plugin { installed: Arc::new(installed) })
    }

    /// Checks that the component imports nothing but types, and exports this version of the interface.
    /// Returns `true` if it also exports the one for explanations.
    fn check_world(&self, name: &str, component: &Component) -> Result<bool, Fault> {
        let kind = component.component_type();
        for (import, item) in kind.imports(&self.engine) {
            let only_types = match &item.ty {
                ComponentItem::ComponentInstance(instance) => {
                    instance.exports(&self.engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
                }
                ComponentItem::Type(_) => true,
                _ => false,
            };
            if !only_types {
                return Err(Fault::new(
                    name,
                    Broken::NoImports,
                    format!("it asks for `{import}` from outside"),
                ));
            }
        }
        let exports: Vec<&str> = kind.exports(&self.engine).map(|(export, _)| export).collect();
        let served = |interface: &str| {
            exports.iter().find_map(|export| export.strip_prefix(interface)?.strip_prefix('@')).map(
                |version| {
                    version == VERSION
                        || version.strip_prefix("0.1.").is_some_and(|patch| patch.parse::<u32>().is_ok())
                },
            )
        };
        match served(FILTER) {
            Some(true) => Ok(served(EXPLAIN) == Some(true)),
            Some(false) => {
                let found = exports.iter().find(|export| export.starts_with(FILTER)).unwrap_or(&FILTER);
                let message = format!("it exports `{found}`; this host serves `{FILTER}@{VERSION}`");
                Err(Fault::new(name, Broken::Version, message))
            }
            None => {
                let message = match exports.first() {
                    Some(export) => format!("it exports no `{FILTER}@{VERSION}`, but `{export}`"),
                    None => format!("it exports no `{FILTER}@{VERSION}`, and nothing else"),
                };
                Err(Fault::new(name, Broken::World, message))
            }
        }
    }
}

/// Returns the settings of the engine for untrusted code. Everything is off that is not needed, or that
/// differs between machines.
pub(super) fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(fuel::cost())
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .wasm_backtrace_max_frames(None)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .concurrency_support(false)
        // Addresses of traps are never shown, and without the map cached code is smaller.
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows))
        // Copy-on-write memory is set up with system calls, which pay off for a large initial memory such as
        // an interpreter's, but not for a few pages. Small memories are copied.
        .memory_init_cow(limits.component_bytes > crate::limits::PLUGIN_BYTES);
    // Multi-memory stays on, because the adapters between the components of one plugin use it.
    config
}

/// An instance with its functions.
pub(super) struct LiveInstance {
    pub(super) store: wasmtime::Store<Guest>,
    pub(super) filter: wire::filter::Guest,
    pub(super) explain: Option<wire::explain::Guest>,
}

/// An installed plugin.
pub(super) struct InstalledPlugin {
    pub(super) host: Host,
    pub(super) name: String,
    hash: [u8; 32],
    pub(super) about: About,
    /// For each column, `true` if the plugin may see it.
    pub(super) seen: Vec<bool>,
    pub(super) grants: Grants,
    pre: InstancePre<Guest>,
    filter: wire::filter::GuestIndices,
    pub(super) explain: Option<wire::explain::GuestIndices>,
}

impl InstalledPlugin {
    /// Starts a new instance. This runs code of the plugin (start functions), so limits hold here too. `most`
    /// is the number of instructions that are left for it.
    pub(super) fn start(&self, most: Option<u64>) -> CallEnd<LiveInstance> {
        let mut store = store::store(&self.host);
        let work = CallWork { most, ..CallWork::default() };
        let (instance, ran) =
            store::within(&self.host, &self.name, &mut store, work, |store| self.pre.instantiate(store));
        (instance.and_then(|instance| self.live(store, &instance)), ran)
    }

    fn live(&self, mut store: wasmtime::Store<Guest>, instance: &Instance) -> Result<LiveInstance, Fault> {
        let world = |error: wasmtime::Error| Fault::new(&self.name, Broken::World, format!("{error:#}"));
        let filter = self.filter.load(&mut store, instance).map_err(world)?;
        let explain = match &self.explain {
            Some(explain) => Some(explain.load(&mut store, instance).map_err(world)?),
            None => None,
        };
        Ok(LiveInstance { store, filter, explain })
    }

    /// Asks an instance for its description. It is always the first call. The description is the same each
    /// time, because a plugin gets nothing from outside that could tell two instances apart.
    pub(super) fn describe(
        &self,
        live: &mut LiveInstance,
        most: Option<u64>,
    ) -> CallEnd<wire::filter::Descriptor> {
        let LiveInstance { store, filter, .. } = live;
        let work = CallWork { most, ..CallWork::default() };
        store::within(&self.host, &self.name, store, work, |store| filter.call_describe(store))
    }
}

/// A plugin that was scanned, compiled and tried. Cheap to clone. Makes a [`Filter`](super::Filter) for each
/// fleet.
#[derive(Clone)]
pub struct Plugin {
    pub(super) installed: Arc<InstalledPlugin>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let InstalledPlugin { name, about, grants, .. } = &*self.installed;
        f.debug_struct("Plugin")
            .field("name", name)
            .field("about", about)
            .field("grants", grants)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Returns the broker's name for it.
    pub fn name(&self) -> &str {
        &self.installed.name
    }

    /// Returns the SHA-256 of its bytes.
    pub fn hash(&self) -> [u8; 32] {
        self.installed.hash
    }

    /// Returns its description.
    pub fn about(&self) -> &About {
        &self.installed.about
    }

    /// Returns the only provider whose supplies it has a say about, or `None` for all supplies.
    pub fn provider(&self) -> Option<&str> {
        self.installed.grants.only_provider()
    }

    /// Returns the columns that it reads but may not see, by their index in [`About::columns`]. To the plugin
    /// they are absent in every row.
    pub fn withheld(&self) -> Vec<usize> {
        self.installed.seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(at, _)| at).collect()
    }
}
