//! The engine, and how a plugin is installed: looked over, compiled, tried, and only then admitted.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::{
    Config, Engine, OperatorCost, OptLevel,
    component::{Component, Instance, InstancePre, Linker, types::ComponentItem},
};

use super::{
    About, Compiler, Grants, Limits, admit,
    clock::Clock,
    compiler,
    fault::{Broken, Fault},
    scan,
    store::{self, CallWork, Ended, Guest},
    wire,
};

/// The interface that is served, and the one that a plugin may have besides.
const FILTER: &str = "bourse:filter/filter";
const EXPLAIN: &str = "bourse:filter/explain";
const VERSION: &str = "0.1.0";

/// Runs plugins within limits. Cheap to clone; what is cloned shares engine and clock.
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    clock: Clock,
    limits: Arc<Limits>,
    /// `None`: in this process.
    compiler: Option<Arc<Compiler>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Host {
    /// A host whose plugins all have these limits, and are compiled by a program in a process of its own: what compiling may take
    /// is bounded whatever they are. For plugins of strangers. It starts a thread that watches deadlines, which sleeps while
    /// nothing runs.
    ///
    /// # Errors
    /// That the engine cannot run here, or the limits make no sense to it.
    pub fn with_compiler(limits: Limits, compiler: Compiler) -> Result<Host, Fault> {
        Host::compiling(limits, Some(compiler))
    }

    /// As [`Host::with_compiler`], but plugins are compiled in this process. Their form is looked over first, and most of what is slow
    /// to compile is refused; but no look tells for sure, and nothing else ends a compiler that takes minutes or gigabytes. For
    /// plugins whose author is known.
    ///
    /// # Errors
    /// As [`Host::with_compiler`].
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

    /// The limits of its plugins.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Installs a plugin: looks its bytes over, compiles it, starts it in a store that is thrown away, and checks what
    /// it says of itself against what it may see. `name` is what the broker calls it, in every message.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn install(&self, name: &str, bytes: &[u8], grants: &Grants) -> Result<Plugin, Fault> {
        scan::scan(name, bytes, &self.limits)?;
        let component = self.compile(name, bytes)?;
        self.admit(name, Sha256::digest(bytes).into(), component, grants)
    }

    /// Compiles what was looked over.
    pub(super) fn compile(&self, name: &str, bytes: &[u8]) -> Result<Component, Fault> {
        match &self.compiler {
            Some(compiler) => compiler.compile(name, bytes, (&self.engine, &self.limits)),
            None => {
                compiler::compile(&self.engine, bytes).map_err(|said| Fault::new(name, Broken::Valid, said))
            }
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
        let mut installed = Installed {
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
        // Thrown away: whatever the plugin keeps of this is gone.
        let mut tried = installed.start(None).0?;
        let described = installed.describe(&mut tried, None).0?;
        drop(tried);
        installed.about = admit::check(&installed, &described)?;
        installed.seen = admit::granted(&installed)?;
        admit::weight(&installed)?;
        Ok(Plugin { installed: Arc::new(installed) })
    }

    /// Imports nothing but types, and exports this version of the interface; gives whether it explains.
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
                let said = format!("it exports `{found}`; this host serves `{FILTER}@{VERSION}`");
                Err(Fault::new(name, Broken::Version, said))
            }
            None => {
                let said = match exports.first() {
                    Some(export) => format!("it exports no `{FILTER}@{VERSION}`, but `{export}`"),
                    None => format!("it exports no `{FILTER}@{VERSION}`, and nothing else"),
                };
                Err(Fault::new(name, Broken::World, said))
            }
        }
    }
}

/// How strangers' code is compiled and run. Off: all that is not needed, or does not give the same on every machine.
pub(super) fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(cost())
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .wasm_backtrace_max_frames(None)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .concurrency_support(false)
        // Where a trap was, nobody is told: code that is kept is smaller without.
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows))
        // What memory starts with is copied. To map it pays for memory with an interpreter in it, not for a few pages.
        .memory_init_cow(limits.component_bytes > crate::limits::PLUGIN_BYTES);
    // Multi-memory stays on: adapters between the components of one plugin use it.
    config
}

/// What instructions count as: one each, but for those that call into the engine, or have it clear memory. So fuel is in
/// proportion to time, and the wall clock has nothing to decide.
fn cost() -> OperatorCost {
    /// What a call into the engine takes, in the time of plain instructions.
    const CALL: u8 = 50;
    let mut cost = OperatorCost {
        MemoryGrow: u8::MAX,
        MemoryFill: CALL,
        MemoryCopy: CALL,
        MemoryInit: CALL,
        TableGrow: u8::MAX,
        TableFill: CALL,
        TableCopy: CALL,
        TableInit: CALL,
        ..OperatorCost::new()
    };
    cost.variable.memory_grow_per_page = u8::MAX;
    cost
}

/// An instance, and the functions of it.
pub(super) struct Live {
    pub(super) store: wasmtime::Store<Guest>,
    pub(super) filter: wire::filter::Guest,
    pub(super) explain: Option<wire::explain::Guest>,
}

/// What is known of an installed plugin.
pub(super) struct Installed {
    pub(super) host: Host,
    pub(super) name: String,
    hash: [u8; 32],
    pub(super) about: About,
    pub(super) seen: Vec<bool>,
    pub(super) grants: Grants,
    pre: InstancePre<Guest>,
    filter: wire::filter::GuestIndices,
    pub(super) explain: Option<wire::explain::GuestIndices>,
}

impl Installed {
    /// A new instance. Code of the plugin runs here already, so the limits hold already. `most`: instructions that are left
    /// for it.
    pub(super) fn start(&self, most: Option<u64>) -> Ended<Live> {
        let mut store = store::store(&self.host);
        let work = CallWork { most, ..CallWork::default() };
        let (instance, ran) =
            store::within(&self.host, &self.name, &mut store, work, |store| self.pre.instantiate(store));
        (instance.and_then(|instance| self.live(store, &instance)), ran)
    }

    fn live(&self, mut store: wasmtime::Store<Guest>, instance: &Instance) -> Result<Live, Fault> {
        let world = |error: wasmtime::Error| Fault::new(&self.name, Broken::World, format!("{error:#}"));
        let filter = self.filter.load(&mut store, instance).map_err(world)?;
        let explain = match &self.explain {
            Some(explain) => Some(explain.load(&mut store, instance).map_err(world)?),
            None => None,
        };
        Ok(Live { store, filter, explain })
    }

    /// What an instance says of itself: the first that it is asked, always. It is the same each time, since a plugin has
    /// nothing from outside to tell two instances apart.
    pub(super) fn describe(&self, live: &mut Live, most: Option<u64>) -> Ended<wire::filter::Descriptor> {
        let Live { store, filter, .. } = live;
        let work = CallWork { most, ..CallWork::default() };
        store::within(&self.host, &self.name, store, work, |store| filter.call_describe(store))
    }
}

/// A plugin that was looked over, compiled and tried. Cheap to clone; gives a [`Filter`](super::Filter) for each fleet.
#[derive(Clone)]
pub struct Plugin {
    pub(super) installed: Arc<Installed>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Installed { name, about, grants, .. } = &*self.installed;
        f.debug_struct("Plugin")
            .field("name", name)
            .field("about", about)
            .field("grants", grants)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// What the broker calls it.
    pub fn name(&self) -> &str {
        &self.installed.name
    }

    /// The SHA-256 of its bytes.
    pub fn hash(&self) -> [u8; 32] {
        self.installed.hash
    }

    /// What it says it is.
    pub fn about(&self) -> &About {
        &self.installed.about
    }

    /// The provider whose supplies alone it has a say about; `None`: about all.
    pub fn provider(&self) -> Option<&str> {
        self.installed.grants.only_provider()
    }

    /// The columns that it reads and does not see, by their place in [`About::columns`]: no row has these keys.
    pub fn withheld(&self) -> Vec<usize> {
        self.installed.seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(at, _)| at).collect()
    }
}
