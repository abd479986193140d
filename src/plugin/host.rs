//! The engine, and how a plugin is installed: looked over, compiled, tried, and only then admitted.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use wasmtime::{
    Config, Engine, OptLevel,
    component::{Component, InstancePre, Linker, types::ComponentItem},
};

use super::{
    About, Grants, Limits, admit,
    clock::Clock,
    fault::{Broken, Fault},
    scan,
    store::{self, Guest},
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
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Host {
    /// A host whose plugins all have these limits. It starts a thread that watches deadlines, which sleeps while
    /// nothing runs.
    ///
    /// # Errors
    /// That the engine cannot run here, or the limits make no sense to it.
    pub fn new(limits: Limits) -> Result<Host, Fault> {
        let broken =
            |error: String| Fault::new("(host)", Broken::BuiltIn, format!("the engine cannot run: {error}"));
        let engine = Engine::new(&config(&limits)).map_err(|error| broken(format!("{error:#}")))?;
        let clock = Clock::start(engine.weak()).map_err(|error| broken(error.to_string()))?;
        Ok(Host { engine, clock, limits: Arc::new(limits) })
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

    /// Compiles what was looked over. The compiler is the one part that strangers' bytes could lead to a defect of: a
    /// panic of it is their fault, not the broker's end.
    pub(super) fn compile(&self, name: &str, bytes: &[u8]) -> Result<Component, Fault> {
        match catch_unwind(AssertUnwindSafe(|| Component::from_binary(&self.engine, bytes))) {
            Ok(Ok(component)) => Ok(component),
            Ok(Err(error)) => {
                Err(Fault::new(name, Broken::Valid, format!("it is cut short or invalid: {error:#}")))
            }
            Err(_) => Err(Fault::new(name, Broken::Valid, "it cannot be compiled")),
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
        let mut tried = installed.start()?;
        let described = installed.describe(&mut tried)?;
        drop(tried);
        installed.about = admit::check(&installed, &described)?;
        installed.seen = admit::granted(&installed)?;
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
fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
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
    /// A new instance. Code of the plugin runs here already, so the limits hold already.
    pub(super) fn start(&self) -> Result<Live, Fault> {
        let mut store = store::store(&self.host);
        let instance =
            store::within(&self.host, &self.name, &mut store, (0, 0), |store| self.pre.instantiate(store))?;
        let world = |error: wasmtime::Error| Fault::new(&self.name, Broken::World, format!("{error:#}"));
        let filter = self.filter.load(&mut store, &instance).map_err(world)?;
        let explain = match &self.explain {
            Some(explain) => Some(explain.load(&mut store, &instance).map_err(world)?),
            None => None,
        };
        Ok(Live { store, filter, explain })
    }

    /// What an instance says of itself: the first that it is asked, always. It is the same each time, since a plugin has
    /// nothing from outside to tell two instances apart.
    pub(super) fn describe(&self, live: &mut Live) -> Result<wire::filter::Descriptor, Fault> {
        let Live { store, filter, .. } = live;
        store::within(&self.host, &self.name, store, (0, 0), |store| filter.call_describe(store))
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
