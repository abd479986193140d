//! `--plugin`: filters of others beside the policies of a run.

use std::path::PathBuf;

use super::{
    Failure,
    files::Console,
    set::{SetArgs, shown},
};
use crate::{
    Fleet, Inventory,
    check::Strictness,
    diagnostic::{Code, Diagnostic, Report, nearest},
    pipeline::Parsed,
    plugin::{
        Fault, Grants, Host, Limits, Plugin,
        about::{Column, Key},
        add_columns,
    },
    types::Side,
};

/// Policies and inventories, with plugins beside them.
#[derive(Debug, clap::Args)]
pub struct FleetArgs {
    #[command(flatten)]
    set: SetArgs,
    /// A plugin beside the policies: FILE sees the whole fleet, PROVIDER=FILE the supplies of its provider alone and what
    /// `--grant` adds; may be repeated
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    plugin: Vec<String>,
    /// What a provider's plugin may see besides its supplies, such as array=agent.drivers,agent.kernel; may be repeated
    #[arg(long, value_name = "PROVIDER=KEYS", requires = "plugin")]
    grant: Vec<String>,
    /// Leave out what the policies require and prefer, where a plugin does that
    #[arg(long, requires = "plugin")]
    no_rules: bool,
}

/// A plugin of the command line.
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
    pub fn fleet(&self, console: &mut Console, strictness: Strictness) -> Result<Fleet, Failure> {
        if self.plugin.is_empty() {
            return Ok(self.set.fleet(console, strictness)?.0);
        }
        let plugins = self.install(console)?;
        let parsed = self.set.parse(console)?;
        let inventories = self.set.inventories(console)?;
        let fleet = self.load(&parsed, strictness, &inventories, &plugins)?;
        self.are_there(&fleet)?;
        console.problems.absorb(fleet.warnings().clone());
        let withheld = plugins.iter().filter_map(withheld);
        console.problems.diagnostics.extend(withheld);
        Ok(fleet)
    }

    fn load(
        &self,
        parsed: &Parsed,
        strictness: Strictness,
        inventories: &[Inventory],
        plugins: &[Plugin],
    ) -> Result<Fleet, Failure> {
        let extra = Inventory::extra(inventories);
        let loaded = parsed.check(&extra, strictness).load_with(&extra, |plan| {
            plugins.iter().for_each(|plugin| add_columns(plan, plugin.about()));
            if self.no_rules {
                plan.clear_rules();
            }
        });
        Ok(Fleet::with_plugins(loaded.map_err(Failure)?, plugins))
    }

    /// Installs every plugin; tells what is wrong with any.
    fn install(&self, console: &mut Console) -> Result<Vec<Plugin>, Failure> {
        let grants = self.grants()?;
        let host = Host::new(Limits::default()).map_err(told)?;
        let (mut plugins, mut broken) = (Vec::<Plugin>::new(), Report::default());
        for named in self.plugin.iter().map(|argument| Named::of(argument)) {
            match install_one(&host, &named, &grants, console) {
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
        if broken.has_errors() { Err(Failure(Box::new(broken))) } else { Ok(plugins) }
    }

    /// What each provider is granted.
    fn grants(&self) -> Result<Vec<(String, Vec<Granted>)>, Failure> {
        let owners: Vec<String> =
            self.plugin.iter().filter_map(|argument| Named::of(argument).provider).collect();
        let mut grants = Vec::new();
        for argument in &self.grant {
            let Some((provider, keys)) = argument.split_once('=') else {
                let problem = unclear(format!("`--grant {argument}` names no provider"));
                return Err(problem
                    .help("write `--grant PROVIDER=agent.KEY`, with commas between keys")
                    .into());
            };
            if !owners.iter().any(|owner| owner == provider) {
                let problem = unclear(format!("no plugin is given as `--plugin {provider}=FILE`"));
                let near = nearest(provider, owners.iter().map(String::as_str));
                return Err(problem
                    .help(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "a plugin that is given without a provider sees everything already".to_owned()
                        }
                    })
                    .into());
            }
            let keys = keys.split(',').map(|key| Granted::of(key.trim()));
            grants.push((provider.to_owned(), keys.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(grants)
    }

    /// Every provider that a plugin is given for has storage.
    fn are_there(&self, fleet: &Fleet) -> Result<(), Failure> {
        let (plan, world) = (fleet.plan(), fleet.world());
        let known = || world.tiers.iter().filter(|tier| tier.parent.is_none());
        let known = || known().map(|tier| plan.symbols.text(tier.name));
        for provider in self.plugin.iter().filter_map(|argument| Named::of(argument).provider) {
            if known().all(|own| own != provider) {
                let problem = unclear(format!("no provider is named `{provider}`"));
                let near = nearest(&provider, known());
                return Err(problem
                    .help(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "`bourse inventory` lists what there is".to_owned(),
                    })
                    .into());
            }
        }
        Ok(())
    }
}

fn told(fault: Fault) -> Failure {
    fault.diagnostic().into()
}

/// Reads and installs a plugin, with what its provider is granted.
fn install_one(
    host: &Host,
    named: &Named,
    grants: &[(String, Vec<Granted>)],
    console: &mut Console,
) -> Result<Plugin, Failure> {
    let name = shown(&named.path);
    if named.path.as_os_str().is_empty() {
        let problem = unclear("`--plugin` names no file".to_owned());
        return Err(problem.help("write `--plugin FILE`, or `--plugin PROVIDER=FILE`").into());
    }
    let bytes = console.built(&named.path)?;
    let Some(provider) = &named.provider else {
        return install(host, &name, &bytes, &Grants::all()).map_err(told);
    };
    let own: Vec<&Granted> =
        grants.iter().filter(|(of, _)| of == provider).flat_map(|(_, keys)| keys).collect();
    let granted = own.iter().fold(Grants::provider(provider), |grants, granted| granted.add_to(grants));
    let plugin = install(host, &name, &bytes, &granted).map_err(told)?;
    let idle = own.iter().filter_map(|granted| granted.unread(&plugin));
    console.problems.diagnostics.extend(idle);
    Ok(plugin)
}

/// Installs a plugin; what was compiled before is not compiled again.
fn install(host: &Host, name: &str, bytes: &[u8], grants: &Grants) -> Result<Plugin, Fault> {
    #[cfg(all(feature = "wasm", unix))]
    if let Some(kept) = super::kept::folder().and_then(|folder| super::kept::open(&folder).ok()) {
        return host.install_kept(name, bytes, grants, &kept);
    }
    host.install(name, bytes, grants)
}

fn unclear(message: String) -> Diagnostic {
    Diagnostic::without_place(Code::B0903, message)
}

/// What a plugin reads and was not granted.
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

/// A key that is granted, or all of a side.
enum Granted {
    Side(Side),
    Keys(Side, Vec<Key>),
}

impl Granted {
    fn of(text: &str) -> Result<Granted, Failure> {
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
            Some(key) => Granted::Keys(side, Key::written(key)),
        })
    }

    /// That the plugin does not read it.
    fn unread(&self, plugin: &Plugin) -> Option<Diagnostic> {
        let Granted::Keys(side, keys) = self else { return None };
        let columns = &plugin.about().columns;
        if columns.iter().any(|column| column.side == *side && keys.contains(&column.key)) {
            return None;
        }
        let key = format!("{side}.{}", keys.first()?.show());
        let message = format!("plugin `{}` does not read `{key}`, which it is granted", plugin.name());
        let read: Vec<String> = columns.iter().map(Column::show).collect();
        let help = match nearest(&key, read.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`bourse inspect {}` lists what it reads", plugin.name()),
        };
        Some(Diagnostic::warning_without_place(Code::B0810, message).help(help))
    }

    fn add_to(&self, grants: Grants) -> Grants {
        match self {
            Granted::Side(side) => grants.side(*side),
            Granted::Keys(side, keys) => {
                keys.iter().fold(grants, |grants, key| grants.key(*side, key.clone()))
            }
        }
    }
}

/// Tells what plugins broke while they were asked; gives whether any did.
pub fn tell_faults(fleet: &Fleet, console: &mut Console) -> bool {
    let faults = fleet.faults();
    console.problems.diagnostics.extend(faults.iter().map(Fault::diagnostic));
    !faults.is_empty()
}
