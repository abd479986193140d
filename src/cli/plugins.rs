//! The options `--plugin`, `--grant`, `--grant-weight` and `--no-rules`: plugins that filter and score beside
//! the policies of a run.

use std::path::{Path, PathBuf};

use super::{
    CommandFailure, Exit,
    files::Console,
    set::{SetArgs, shown},
};
use crate::{
    Fleet, Inventory,
    check::Strictness,
    diagnostic::{Code, Diagnostic, Report, nearest},
    pipeline::{Extra, Parsed},
    plugin::{
        Beside, Broken, Compiler, Fault, Grants, Host, Limits, Plugin,
        about::{AboutColumn, KeyName},
        serve_compiler,
    },
    types::Side,
    value::printable,
};

/// Policies and inventories, with plugins beside them.
#[derive(Debug, clap::Args)]
pub struct FleetArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    plugins: PluginArgs,
}

/// Plugins, what they may see, and what they stand for.
#[derive(Debug, Default, clap::Args)]
pub struct PluginArgs {
    /// A plugin beside the policies: FILE sees the whole fleet, PROVIDER=FILE the supplies of its provider alone and what
    /// `--grant` adds; may be repeated
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    plugin: Vec<String>,
    /// What a provider's plugin may see besides its supplies, such as array=agent.drivers,agent.kernel; may be repeated
    #[arg(long, value_name = "PROVIDER=KEYS")]
    grant: Vec<String>,
    /// What the preferences of a provider's plugin may weigh together, such as array=500; 100 where this is not said, and may be
    /// repeated
    #[arg(long, value_name = "PROVIDER=WEIGHT")]
    grant_weight: Vec<String>,
    /// Leave out what the policies require and prefer, where a plugin does that
    #[arg(long)]
    no_rules: bool,
}

/// A `--plugin` argument.
struct Named {
    provider: Option<String>,
    path: PathBuf,
}

impl Named {
    fn of(argument: &str) -> Named {
        match argument.split_once('=') {
            // A folder's name may have an equals sign; a provider's name has no slash.
            Some((provider, path)) if !provider.is_empty() && !provider.contains('/') => {
                Named { provider: Some(provider.to_owned()), path: path.into() }
            }
            _ => Named { provider: None, path: argument.into() },
        }
    }
}

impl FleetArgs {
    /// Reads, compiles and binds everything.
    pub fn fleet(&self, console: &mut Console, strictness: Strictness) -> Result<Fleet, CommandFailure> {
        Ok(self.parsed_fleet(console, strictness)?.0)
    }

    /// Does the same as [`FleetArgs::fleet`], and returns the parsed set too.
    pub fn parsed_fleet(
        &self,
        console: &mut Console,
        strictness: Strictness,
    ) -> Result<(Fleet, Parsed), CommandFailure> {
        let plugins = self.plugins.install(console)?;
        let parsed = self.set.parse(console)?;
        let inventories = self.set.inventories(console)?;
        let fleet = plugins.fleet(&parsed, strictness, &inventories)?;
        console.problems.absorb(fleet.warnings().clone());
        plugins.report_withheld(console);
        Ok((fleet, parsed))
    }
}

/// The plugins of one run.
#[derive(Debug, Default)]
pub struct Installed {
    plugins: Vec<Plugin>,
    instead_of_rules: bool,
}

impl Installed {
    /// Returns the plugins in the form in which a policy is bound with them.
    pub fn beside(&self) -> Beside<'_> {
        Beside { plugins: &self.plugins, instead_of_rules: self.instead_of_rules }
    }

    /// Returns what a set is checked with: inventories, and the classes of the plugins.
    pub fn extra<'a>(&self, inventories: &'a [Inventory]) -> Extra<'a> {
        Extra { plugin_classes: self.beside().classes(), ..Inventory::extra(inventories) }
    }

    /// Binds a set with its inventories and the plugins. Fails if the provider of a plugin is not in the
    /// fleet.
    pub fn fleet(
        &self,
        parsed: &Parsed,
        strictness: Strictness,
        inventories: &[Inventory],
    ) -> Result<Fleet, CommandFailure> {
        let extra = self.extra(inventories);
        let fleet = Fleet::bind(parsed.check(&extra, strictness), &extra, self.beside())?;
        let (plan, world) = (fleet.plan(), fleet.world());
        let providers = world.tiers.iter().filter(|tier| tier.parent.is_none());
        self.are_there(&providers.map(|tier| plan.symbols.text(tier.name)).collect::<Vec<_>>())?;
        Ok(fleet)
    }

    /// Fails if the provider of a plugin is not among the known ones.
    pub fn are_there(&self, known: &[&str]) -> Result<(), CommandFailure> {
        for provider in self.plugins.iter().filter_map(Plugin::provider) {
            if known.iter().all(|own| *own != provider) {
                let problem = unclear(format!("no provider is named `{provider}`"));
                return Err(problem
                    .help(match nearest(provider, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "`bourse inventory` lists what there is".to_owned(),
                    })
                    .into());
            }
        }
        Ok(())
    }

    /// Warns of keys that plugins read and are not granted.
    pub fn report_withheld(&self, console: &mut Console) {
        let told = &mut console.problems.diagnostics;
        for problem in self.plugins.iter().filter_map(withheld) {
            if !told.contains(&problem) {
                told.push(problem);
            }
        }
    }
}

impl PluginArgs {
    /// Returns the files of the plugins.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.plugin.iter().map(|argument| Named::of(argument).path.to_string_lossy().into_owned())
    }

    /// Installs every plugin. Fails with the problems of all of them.
    pub fn install(&self, console: &mut Console) -> Result<Installed, CommandFailure> {
        self.install_more(&[], &[], console)
    }

    /// Installs every plugin, and those of `more`. Fails with the problems of all of them. `elsewhere` names
    /// plugins that others install, so that their providers may be granted something as well.
    pub fn install_more(
        &self,
        more: &[String],
        elsewhere: &[String],
        console: &mut Console,
    ) -> Result<Installed, CommandFailure> {
        let named = |arguments: &[String]| -> Vec<Named> {
            arguments.iter().map(|argument| Named::of(argument)).collect()
        };
        let (all, others) = (named(&[&self.plugin[..], more].concat()), named(elsewhere));
        let grants = self.grants(all.iter().chain(&others))?;
        if self.no_rules && all.is_empty() && others.is_empty() {
            let problem = unclear("`--no-rules` is given, and no plugin that has rules instead".to_owned());
            return Err(problem.help("give one with `--plugin`").into());
        }
        if all.is_empty() {
            return Ok(Installed { plugins: Vec::new(), instead_of_rules: self.no_rules });
        }
        let host = Host::with_compiler(Limits::default(), compiler()?).map_err(failure_of)?;
        let (mut plugins, mut broken) = (Vec::<Plugin>::new(), Report::default());
        for named in &all {
            match install_one(&host, named, &grants, console) {
                Ok(plugin) => {
                    let is_same = |other: &Plugin| {
                        (other.hash(), other.provider()) == (plugin.hash(), plugin.provider())
                    };
                    if plugins.iter().any(is_same) {
                        let problem = unclear(format!("the plugin `{}` is given twice", plugin.name()));
                        let help = "its preferences would count twice: give it once";
                        broken.diagnostics.push(problem.help(help));
                    }
                    plugins.push(plugin);
                }
                Err(failure) => broken.absorb(*failure.0),
            }
        }
        if broken.has_errors() {
            return Err(CommandFailure(Box::new(broken)));
        }
        Ok(Installed { plugins, instead_of_rules: self.no_rules })
    }

    /// Parses the grants of each provider.
    fn grants<'n>(
        &self,
        plugins: impl Iterator<Item = &'n Named>,
    ) -> Result<Vec<(String, Granted)>, CommandFailure> {
        let owners: Vec<&str> = plugins.filter_map(|named| named.provider.as_deref()).collect();
        let mut grants = Vec::new();
        for argument in &self.grant {
            let usual = "agent.KEY`, with commas between keys";
            let (provider, keys) = owned(&owners, "--grant", argument, usual)?;
            for key in keys.split(',') {
                grants.push((provider.to_owned(), Granted::of(key.trim())?));
            }
        }
        for argument in &self.grant_weight {
            let (provider, weight) = owned(&owners, "--grant-weight", argument, "WEIGHT`")?;
            let Ok(weight) = weight.parse() else {
                let problem = unclear(format!("`{}` is no weight", printable(weight)));
                return Err(problem.help("a weight is a whole number, such as 500").into());
            };
            grants.push((provider.to_owned(), Granted::Weight(weight)));
        }
        Ok(grants)
    }
}

/// Splits an argument into a provider, for which a plugin must be given, and its value.
fn owned<'a>(
    owners: &[&str],
    option: &str,
    argument: &'a str,
    usual: &str,
) -> Result<(&'a str, &'a str), CommandFailure> {
    let Some((provider, said)) = argument.split_once('=').filter(|(provider, _)| !provider.is_empty()) else {
        let problem = unclear(format!("`{option} {}` names no provider", printable(argument)));
        return Err(problem.help(format!("write `{option} PROVIDER={usual}")).into());
    };
    if owners.contains(&provider) {
        return Ok((provider, said));
    }
    let problem = unclear(format!("no plugin is given as `--plugin {provider}=FILE`"));
    let near = nearest(provider, owners.iter().copied());
    Err(problem
        .help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a plugin that is given without a provider sees everything already".to_owned(),
        })
        .into())
}

/// Returns a compiler that runs this program as its own process.
fn compiler() -> Result<Compiler, CommandFailure> {
    // The link leads to the running file, even if another was put at its path since.
    let running = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return Ok(Compiler::bourse(running));
    }
    let program = std::env::current_exe().map_err(|error| {
        failure_of(Fault::new(
            "(host)",
            Broken::Compiler,
            format!("this program does not find itself: {error}"),
        ))
    });
    program.map(Compiler::bourse)
}

/// Runs `compile-plugin`, the command of the process that [`compiler`] starts.
pub fn compile() -> Result<Exit, CommandFailure> {
    let ended = serve_compiler().map(|()| Exit::Yes);
    ended.map_err(|error| failure_of(Fault::new("(compiler)", Broken::Compiler, error.to_string())))
}

fn failure_of(fault: Fault) -> CommandFailure {
    fault.diagnostic().into()
}

/// Reads and installs a plugin with the grants of its provider.
fn install_one(
    host: &Host,
    named: &Named,
    grants: &[(String, Granted)],
    console: &mut Console,
) -> Result<Plugin, CommandFailure> {
    let name = shown(&named.path);
    if named.path.as_os_str().is_empty() {
        let problem = unclear("`--plugin` names no file".to_owned());
        return Err(problem.help("write `--plugin FILE`, or `--plugin PROVIDER=FILE`").into());
    }
    let bytes = console.built(&named.path)?;
    let Some(provider) = &named.provider else {
        return install(host, &name, &bytes, &Grants::all()).map_err(failure_of);
    };
    let own: Vec<&Granted> =
        grants.iter().filter(|(of, _)| of == provider).map(|(_, granted)| granted).collect();
    let granted = own.iter().fold(Grants::provider(provider), |grants, granted| granted.add_to(grants));
    let plugin = install(host, &name, &bytes, &granted).map_err(failure_of)?;
    let idle = own.iter().filter_map(|granted| granted.unread(&plugin));
    console.problems.diagnostics.extend(idle);
    Ok(plugin)
}

/// Installs a plugin, from the cache of compiled code if there is one.
fn install(host: &Host, name: &str, bytes: &[u8], grants: &Grants) -> Result<Plugin, Fault> {
    #[cfg(all(feature = "wasm", unix))]
    if let Some(kept) =
        super::plugin_cache::folder().and_then(|folder| super::plugin_cache::open(&folder).ok())
    {
        return host.install_kept(name, bytes, grants, &kept);
    }
    host.install(name, bytes, grants)
}

fn unclear(message: String) -> Diagnostic {
    Diagnostic::without_place(Code::B0903, message)
}

/// Returns a warning of the keys that a plugin reads and is not granted.
fn withheld(plugin: &Plugin) -> Option<Diagnostic> {
    let provider = plugin.provider()?;
    let columns = &plugin.about().columns;
    let keys: Vec<String> = plugin.withheld().into_iter().map(|at| columns[at].show()).collect();
    if keys.is_empty() {
        return None;
    }
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let message = format!("plugin `{}` is not granted {}", plugin.name(), quoted.join(", "));
    let help = format!(
        "what it asks of them is unknown, and is not offered; grant them with `--grant {provider}={}`",
        keys.join(",")
    );
    Some(Diagnostic::warning_without_place(Code::B0810, message).help(help))
}

/// A grant: a whole side, one key by its possible names, or a weight.
enum Granted {
    Side(Side),
    Keys(Side, Vec<KeyName>),
    Weight(u64),
}

impl Granted {
    fn of(text: &str) -> Result<Granted, CommandFailure> {
        let (side, key) = text.split_once('.').map_or((text, None), |(side, key)| (side, Some(key)));
        let Some(side) = Side::ALL.into_iter().find(|known| known.to_string() == side) else {
            let sides: Vec<String> = Side::ALL.iter().map(ToString::to_string).collect();
            let problem = unclear(format!("`{text}` is no key to grant"));
            let help = match nearest(side, sides.iter().map(String::as_str)) {
                Some(near) => {
                    format!("did you mean `{near}`? a key is written as in a policy: `agent.drivers`")
                }
                None => format!(
                    "a key is written as in a policy, as `agent.drivers`; sides are {}",
                    sides.join(", ")
                ),
            };
            return Err(problem.help(help).into());
        };
        Ok(match key {
            None => Granted::Side(side),
            Some(key) => Granted::Keys(side, KeyName::written(key)),
        })
    }

    /// Returns a warning if the plugin does not read a granted key.
    fn unread(&self, plugin: &Plugin) -> Option<Diagnostic> {
        let Granted::Keys(side, keys) = self else { return None };
        let columns = &plugin.about().columns;
        if columns.iter().any(|column| column.side == *side && keys.contains(&column.key)) {
            return None;
        }
        let key = format!("{side}.{}", keys.first()?.show());
        let message = format!("plugin `{}` does not read `{key}`, which it is granted", plugin.name());
        let read: Vec<String> = columns.iter().map(AboutColumn::show).collect();
        let help = match nearest(&key, read.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`bourse inspect {}` lists what it reads", plugin.name()),
        };
        Some(Diagnostic::warning_without_place(Code::B0810, message).help(help))
    }

    fn add_to(&self, grants: Grants) -> Grants {
        match self {
            Granted::Side(side) => grants.side(*side),
            Granted::Weight(weight) => grants.weight_at_most(*weight),
            Granted::Keys(side, keys) => {
                keys.iter().fold(grants, |grants, key| grants.key(*side, key.clone()))
            }
        }
    }
}

/// Reports the faults of plugins in the run, and returns the exit code of a command that answers otherwise.
pub fn exit(fleet: &Fleet, console: &mut Console) -> Exit {
    if report_faults(fleet, console) { Exit::Undecided } else { Exit::Yes }
}

/// Reports the faults of plugins in the run. Returns `true` if there are any.
pub fn report_faults(fleet: &Fleet, console: &mut Console) -> bool {
    let faults = fleet.faults();
    console.problems.diagnostics.extend(faults.iter().map(Fault::diagnostic));
    !faults.is_empty()
}
