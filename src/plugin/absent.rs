//! The types of plugins in a build without the feature `wasm`. Only [`SealedCache`] and [`Compiler`] have
//! values, so that a caller needs no conditional code; making a [`Host`] always fails.

use std::{convert::Infallible, ffi::OsString, io, path::PathBuf, sync::Arc};

use super::{
    About, Answer, CandidateQuestion, Changed, CodeCache, ConditionOutcome, FleetView, Grants, Limits,
    Question,
    fault::{Broken, Fault},
};
use crate::{engine::Subject, ir::Volume};

/// Runs plugins within limits.
#[derive(Clone, Debug)]
pub struct Host(Infallible);

/// A cache of compiled plugins.
#[derive(Clone, Debug)]
pub struct SealedCache(());

impl SealedCache {
    /// Creates a cache over a shelf. It stays empty, because this build compiles no plugin.
    pub fn new(_: [u8; 32], _: Arc<dyn CodeCache>) -> SealedCache {
        SealedCache(())
    }
}

/// A plugin that was scanned, compiled and tried.
#[derive(Clone, Debug)]
pub struct Plugin(Infallible);

/// An instance of a plugin with a fleet in its memory.
#[derive(Debug)]
pub struct Filter(Infallible);

/// A program that compiles plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler(());

impl Compiler {
    /// The `bourse` program at this path.
    pub fn bourse(_: impl Into<PathBuf>) -> Compiler {
        Compiler(())
    }

    /// A program that calls [`serve_compiler`] when it is started with these arguments.
    pub fn new<A: Into<OsString>>(_: impl Into<PathBuf>, _: impl IntoIterator<Item = A>) -> Compiler {
        Compiler(())
    }
}

/// Compiles one plugin for the process that started this one.
///
/// # Errors
/// Always fails: plugins are not built in.
pub fn serve_compiler() -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, NOT_BUILT_IN))
}

const NOT_BUILT_IN: &str = "plugins are not built into this bourse";

impl Host {
    /// Creates a host that gives its plugins these limits, and compiles them in a separate process.
    ///
    /// # Errors
    /// Always fails: plugins are not built in.
    pub fn with_compiler(limits: Limits, _: Compiler) -> Result<Host, Fault> {
        Host::in_process(limits)
    }

    /// Creates a host that gives its plugins these limits, and compiles them in this process.
    ///
    /// # Errors
    /// Always fails: plugins are not built in.
    pub fn in_process(_: Limits) -> Result<Host, Fault> {
        Err(Fault::new("(host)", Broken::BuiltIn, NOT_BUILT_IN))
    }

    /// Returns the limits of its plugins.
    pub fn limits(&self) -> &Limits {
        match self.0 {}
    }

    /// Installs a plugin.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn install(&self, _: &str, _: &[u8], _: &Grants) -> Result<Plugin, Fault> {
        match self.0 {}
    }

    /// Installs a plugin that may have been compiled before.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn install_kept(&self, _: &str, _: &[u8], _: &Grants, _: &SealedCache) -> Result<Plugin, Fault> {
        match self.0 {}
    }
}

impl Plugin {
    /// Returns the broker's name for it.
    pub fn name(&self) -> &str {
        match self.0 {}
    }

    /// Returns the SHA-256 of its bytes.
    pub fn hash(&self) -> [u8; 32] {
        match self.0 {}
    }

    /// Returns its description.
    pub fn about(&self) -> &About {
        match self.0 {}
    }

    /// Returns the only provider whose supplies it has a say about.
    pub fn provider(&self) -> Option<&str> {
        match self.0 {}
    }

    /// Returns the columns that it reads but may not see.
    pub fn withheld(&self) -> Vec<usize> {
        match self.0 {}
    }

    /// Starts the plugin, and gives it a fleet.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn load(&self, _: FleetView<'_>) -> Result<Filter, Fault> {
        match self.0 {}
    }
}

impl Filter {
    /// Returns the plugin.
    pub fn plugin(&self) -> &Plugin {
        match self.0 {}
    }

    /// Returns `true` if it has broken no rule so far.
    pub fn is_sound(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn begin(&mut self) {
        match self.0 {}
    }

    pub(super) fn end(&mut self) {
        match self.0 {}
    }

    pub(super) fn work(&mut self, _: usize) -> Result<(), Fault> {
        match self.0 {}
    }

    /// Returns the supplies that it sees.
    pub fn pools(&self) -> &[usize] {
        match self.0 {}
    }

    /// Returns `true` if it has a say about a supply.
    pub fn sees_pool(&self, _: usize) -> bool {
        match self.0 {}
    }

    /// Sends changes of the fleet to the plugin.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn update(&mut self, _: FleetView<'_>, _: Changed<'_>) -> Result<(), Fault> {
        match self.0 {}
    }

    /// Asks rules about agents, for every agent.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn agents(&mut self, _: FleetView<'_>, _: Subject<'_>, _: &[u32]) -> Result<Answer, Fault> {
        match self.0 {}
    }

    /// Asks rules about supplies, for every supply that is seen.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn supplies(
        &mut self,
        _: FleetView<'_>,
        _: Subject<'_>,
        _: &Volume,
        _: &[u32],
    ) -> Result<Answer, Fault> {
        match self.0 {}
    }

    /// Asks rules about both sides, for pairs.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn classes(
        &mut self,
        _: FleetView<'_>,
        _: (Subject<'_>, &Volume),
        _: &[u32],
        _: (&[usize], &[usize]),
    ) -> Result<Answer, Fault> {
        match self.0 {}
    }

    /// Asks rules.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn evaluate(&mut self, _: FleetView<'_>, _: &Question<'_>) -> Result<Answer, Fault> {
        match self.0 {}
    }

    /// Asks how conditions came out for one candidate.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn explain(
        &mut self,
        _: FleetView<'_>,
        _: &CandidateQuestion<'_>,
    ) -> Result<Option<Vec<ConditionOutcome>>, Fault> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_says_that_plugins_are_not_built_in() {
        let fault = Host::in_process(Limits::default()).expect_err("is not built in");
        assert_eq!((fault.broken, fault.code().name()), (Broken::BuiltIn, "B0809"));
        assert!(fault.diagnostic().help.is_some_and(|help| help.contains("--features wasm")));
    }
}
