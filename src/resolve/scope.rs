//! The symbol table: declared names by kind. Later stages, and tests that extend a set, look names up in it.

use std::{collections::BTreeSet, sync::Arc};

use indexmap::IndexMap;

use super::hir::{DefinitionId, DefinitionKind, Read};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, nearest},
    parse::ast::{Block, BlockKind, Statement, StatementKind},
    source::Span,
    types::Side,
};

/// The kinds of names. A name is unique among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A class.
    Class,
    /// A let.
    Let,
    /// A role.
    Role,
    /// A broker.
    Broker,
    /// A provider.
    Provider,
    /// An agent.
    Agent,
    /// A framework, or a need at top level.
    Framework,
    /// An allocation.
    Allocation,
    /// A test.
    Test,
}

impl NameKind {
    /// Returns the keyword of the kind.
    pub fn word(self) -> &'static str {
        match self {
            NameKind::Class => "class",
            NameKind::Let => "let",
            NameKind::Role => "role",
            NameKind::Broker => "broker",
            NameKind::Provider => "provider",
            NameKind::Agent => "agent",
            NameKind::Framework => "framework",
            NameKind::Allocation => "allocation",
            NameKind::Test => "test",
        }
    }
}

/// Returns the kind and name that a statement declares. In a test, it replaces the declaration of the set
/// with both.
pub fn declaration(statement: &Statement) -> Option<(NameKind, &str)> {
    match &statement.kind {
        StatementKind::Let(name, _) => Some((NameKind::Let, &name.text)),
        StatementKind::Block(Block { kind, name: Some(name), .. }) => {
            let kind = match kind {
                BlockKind::Class(_) => NameKind::Class,
                BlockKind::Role => NameKind::Role,
                BlockKind::Broker => NameKind::Broker,
                BlockKind::Provider => NameKind::Provider,
                BlockKind::Agent => NameKind::Agent,
                BlockKind::Framework | BlockKind::Need => NameKind::Framework,
                BlockKind::Allocation => NameKind::Allocation,
                _ => return None,
            };
            Some((kind, &name.text))
        }
        _ => None,
    }
}

/// The facts about a class or let that its uses need.
#[derive(Clone, Debug)]
pub struct DefinitionInfo {
    /// The name as the set writes it.
    pub name: String,
    /// The kind: class with its side, or let.
    pub kind: DefinitionKind,
    /// The span of its name; `None` if a plugin defines it.
    pub span: Option<Span>,
}

/// The names visible in the set, or in one module.
#[derive(Clone, Debug, Default)]
pub struct Names {
    classes: IndexMap<String, DefinitionId>,
    lets: IndexMap<String, DefinitionId>,
}

/// The spans of declared names, in two layers: those of a set, shared, and those laid on top of it. A test
/// thus copies none of the names of its set.
#[derive(Clone, Debug, Default)]
struct Declared {
    below: Arc<IndexMap<(NameKind, String), Span>>,
    /// Names of the lower layer that are not declared any more.
    gone: BTreeSet<(NameKind, String)>,
    own: IndexMap<(NameKind, String), Span>,
}

impl Declared {
    fn get(&self, name: &(NameKind, String)) -> Option<Span> {
        let below = || self.below.get(name).filter(|_| !self.gone.contains(name));
        self.own.get(name).or_else(below).copied()
    }

    fn names(&self) -> impl Iterator<Item = &(NameKind, String)> {
        self.below.keys().filter(|name| !self.gone.contains(*name)).chain(self.own.keys())
    }

    fn forget(&mut self, name: (NameKind, String)) {
        self.own.shift_remove(&name);
        self.gone.insert(name);
    }
}

/// The symbol table of a set.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The names of the levels, outermost first.
    pub levels: Vec<String>,
    /// The span of their declaration, if there is one.
    pub levels_span: Option<Span>,
    /// The classes and lets, by number.
    pub definitions: Vec<DefinitionInfo>,
    /// The keys in the coarse vocabulary.
    pub exposed: Vec<Read>,
    /// `true` while errors still suggest similar names.
    pub(super) suggests: bool,
    declared: Declared,
    own: Names,
    modules: IndexMap<String, Names>,
}

/// The namespace of a lookup: the set (`None`) or a standard module.
pub type Home<'a> = Option<&'a str>;

impl Scope {
    /// Declares a name. The error reports an earlier declaration of the same kind and name.
    pub fn declare(&mut self, kind: NameKind, name: &str, span: Span) -> Result<(), Diagnostic> {
        let key = (kind, name.to_owned());
        match self.declared.get(&key) {
            Some(first) => Err(declared_twice(kind.word(), name, span, first)),
            None => {
                self.declared.own.insert(key, span);
                Ok(())
            }
        }
    }

    /// Closes the set: what is declared from now on lies on top of it.
    pub(super) fn closed(mut self) -> Scope {
        let Declared { below, gone, own } = std::mem::take(&mut self.declared);
        let mut all = Arc::unwrap_or_clone(below);
        all.retain(|name, _| !gone.contains(name));
        all.extend(own);
        self.declared.below = Arc::new(all);
        self
    }

    /// Removes a declaration, so that another may replace it.
    pub fn forget(&mut self, kind: NameKind, name: &str) {
        self.declared.forget((kind, name.to_owned()));
    }

    /// Returns the span of a declaration.
    pub fn declared(&self, kind: NameKind, name: &str) -> Option<Span> {
        self.declared.get(&(kind, name.to_owned()))
    }

    /// Returns the declared names of a kind.
    pub fn names(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        self.declared.names().filter(move |key| key.0 == kind).map(|key| key.1.as_str())
    }

    /// Makes a definition visible in `home` under a name.
    pub fn bring(&mut self, home: Home<'_>, name: &str, id: DefinitionId) {
        let names = match home {
            None => &mut self.own,
            Some(module) => self.modules.entry(module.to_owned()).or_default(),
        };
        match self.definitions[id.0].kind {
            DefinitionKind::Class(_) => names.classes.insert(name.to_owned(), id),
            DefinitionKind::Let => names.lets.insert(name.to_owned(), id),
        };
    }

    fn home(&self, home: Home<'_>) -> Option<&Names> {
        match home {
            None => Some(&self.own),
            Some(module) => self.modules.get(module),
        }
    }

    /// Returns the class visible in `home` under a name.
    pub fn class(&self, home: Home<'_>, name: &str) -> Option<DefinitionId> {
        self.home(home)?.classes.get(name).copied()
    }

    /// Returns the let visible in `home` under a name.
    pub fn named(&self, home: Home<'_>, name: &str) -> Option<DefinitionId> {
        self.home(home)?.lets.get(name).copied()
    }

    /// Returns `true` if a module has been loaded.
    pub fn has_module(&self, module: &str) -> bool {
        self.modules.contains_key(module)
    }

    /// Marks a module as loaded, even if it declares nothing.
    pub fn add_module(&mut self, module: &str) {
        self.modules.entry(module.to_owned()).or_default();
    }

    /// Returns the definitions of a module by their bare names, without those it imports.
    pub fn module_names(&self, module: &str) -> Vec<(String, DefinitionId)> {
        let Some(names) = self.modules.get(module) else { return Vec::new() };
        // The namespace of a module also has what it imports from other modules.
        let own = |(name, id): (&String, &DefinitionId)| {
            (self.definitions[id.0].name == format!("{module}.{name}")).then(|| (name.clone(), *id))
        };
        names.classes.iter().chain(&names.lets).filter_map(own).collect()
    }

    /// Returns the error for an unknown class, with a suggestion.
    pub fn unknown_class(&self, home: Home<'_>, name: &str, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(Code::B0202, span, format!("no class is named `{name}`"));
        let known = self.home(home).filter(|_| self.suggests).map(|names| &names.classes);
        let help = self.meant(home, name, known).unwrap_or_else(|| {
            "declare it: `class NAME for agent { … }` or `class NAME for pool { … }`".to_owned()
        });
        diagnostic.help(help)
    }

    /// Returns the error for an unknown class of a plugin, with a suggestion.
    pub fn unknown_plugin_class(&self, plugin: &str, name: &str, span: Span) -> Diagnostic {
        let known = || self.own.classes.keys().map(String::as_str).filter(|known| known.contains('/'));
        let is_there =
            known().any(|known| known.strip_prefix(plugin).is_some_and(|rest| rest.starts_with('/')));
        let near = self.suggests.then(|| nearest(name, known())).flatten();
        let message = match is_there {
            true => format!("plugin `{plugin}` has no class that is named `{name}`"),
            false => format!("no plugin is given that has a class `{name}`"),
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if is_there => "`bourse inspect` lists the classes of a plugin".to_owned(),
            None => format!(
                "give the plugin that is called `{plugin}` with `--plugin FILE`; `build`, `compare` and `repl` take no plugin, \
                 and no set that asks for a class of one"
            ),
        };
        Diagnostic::error(Code::B0202, span, message).help(help)
    }

    /// Returns the error for an unknown name in a rule, with a suggestion.
    pub fn unknown_name(&self, home: Home<'_>, name: &str, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(Code::B0203, span, format!("nothing is named `{name}` here"));
        let known = self.home(home).filter(|_| self.suggests).map(|names| &names.lets);
        if let Some(help) = self.meant(home, name, known) {
            return diagnostic.help(help);
        }
        // `agnet.cpus`: the side is misspelt, and not the name of a let.
        let first = name.split('.').next().unwrap_or(name);
        if name.contains('.')
            && let Some(side) = nearest(first, Side::ALL.map(Side::name))
        {
            return Diagnostic { code: Code::B0215, ..diagnostic }
                .help(format!("rules write the side first; did you mean `{side}{}`?", &name[first.len()..]));
        }
        diagnostic.help(format!(
            "rules write the side of a key: `agent.{name}`, `pool.{name}`; a `let {name} = …` would also do"
        ))
    }

    /// Returns the help for an unknown name. Suggests, in this order: a name of an imported module, a similar
    /// name, a module to import.
    fn meant(
        &self,
        home: Home<'_>,
        name: &str,
        known: Option<&IndexMap<String, DefinitionId>>,
    ) -> Option<String> {
        // `flash` may be meant for the imported `storage.flash`.
        let full = known.and_then(|known| of_module(name, known.keys())).map(String::as_str);
        let near = || known.and_then(|known| nearest(name, known.keys().map(String::as_str)));
        if let Some(meant) = full.or_else(near) {
            return Some(format!("did you mean `{meant}`?"));
        }
        self.standard_home_of(name).map(|module| self.standard_help(home, module))
    }

    fn standard_help(&self, home: Home<'_>, module: &str) -> String {
        if self.has_module(module) && home.is_none() {
            return format!("`std.{module}` is used, and declares no such name");
        }
        format!("if it is of the standard library, add `use std.{module}`")
    }

    /// Returns the standard module that a dotted name begins with.
    fn standard_home_of(&self, name: &str) -> Option<&'static str> {
        let module = name.split_once('.')?.0;
        super::library::find(module).map(|module| module.name)
    }
}

/// Returns the imported name whose part after the module is this bare name.
fn of_module<'a>(name: &str, mut known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    known.find(|full| full.split_once('.').is_some_and(|(_, bare)| bare == name))
}
