//! What a plugin did wrong: the plugin and the rule are always named.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic},
    value::printable,
};

/// A rule that plugins keep, or the host is not able to run them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Plugins are built in.
    BuiltIn,
    /// It is WebAssembly.
    Wasm,
    /// It is a component, not a core module.
    Component,
    /// It is whole, valid, and uses no feature that is off.
    Valid,
    /// Its form stays within [`Limits`](super::Limits): bytes, functions, bodies, nesting and the like.
    Size,
    /// It imports nothing but types.
    NoImports,
    /// It exports the interface, with these very types.
    World,
    /// It is of a version of the interface that is served.
    Version,
    /// It reads no column that it was not granted.
    Grant,
    /// Its description holds: names, kinds, counts, and the same each time.
    Description,
    /// What it answers has the length that was asked for.
    Length,
    /// What it answers is about rows that exist: no bit beyond the last one.
    Rows,
    /// No row is both true and unknown, and every number is in its range.
    Range,
    /// It ends by itself, without a trap.
    NoTrap,
    /// It does not refuse what it is given.
    Accept,
    /// Instructions.
    Fuel,
    /// Time on the wall.
    Deadline,
    /// Linear memory.
    Memory,
    /// Elements of tables.
    Table,
    /// The stack.
    Stack,
    /// Instances, memories and tables.
    Instances,
    /// Bytes handed back.
    Results,
    /// It is not asked again once it has broken a rule.
    Sound,
}

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Rule; 23] = [
        Rule::BuiltIn,
        Rule::Wasm,
        Rule::Component,
        Rule::Valid,
        Rule::Size,
        Rule::NoImports,
        Rule::World,
        Rule::Version,
        Rule::Grant,
        Rule::Description,
        Rule::Length,
        Rule::Rows,
        Rule::Range,
        Rule::NoTrap,
        Rule::Accept,
        Rule::Fuel,
        Rule::Deadline,
        Rule::Memory,
        Rule::Table,
        Rule::Stack,
        Rule::Instances,
        Rule::Results,
        Rule::Sound,
    ];

    /// Its name, which stays the same.
    pub fn name(self) -> &'static str {
        match self {
            Rule::BuiltIn => "built-in",
            Rule::Wasm => "wasm",
            Rule::Component => "component",
            Rule::Valid => "valid",
            Rule::Size => "size",
            Rule::NoImports => "no-imports",
            Rule::World => "world",
            Rule::Version => "version",
            Rule::Grant => "grant",
            Rule::Description => "description",
            Rule::Length => "length",
            Rule::Rows => "rows",
            Rule::Range => "range",
            Rule::NoTrap => "no-trap",
            Rule::Accept => "accept",
            Rule::Fuel => "fuel",
            Rule::Deadline => "deadline",
            Rule::Memory => "memory",
            Rule::Table => "table",
            Rule::Stack => "stack",
            Rule::Instances => "instances",
            Rule::Results => "results",
            Rule::Sound => "sound",
        }
    }

    /// The code of a problem with it.
    pub fn code(self) -> Code {
        match self {
            Rule::Wasm | Rule::Component | Rule::Valid => Code::B0801,
            Rule::NoImports | Rule::World | Rule::Version => Code::B0802,
            Rule::Size => Code::B0803,
            Rule::Grant => Code::B0804,
            Rule::Description => Code::B0805,
            Rule::Length | Rule::Rows | Rule::Range => Code::B0806,
            Rule::NoTrap | Rule::Accept | Rule::Sound => Code::B0807,
            Rule::Fuel
            | Rule::Deadline
            | Rule::Memory
            | Rule::Table
            | Rule::Stack
            | Rule::Instances
            | Rule::Results => Code::B0808,
            Rule::BuiltIn => Code::B0809,
        }
    }

    /// What to do about it.
    fn help(self) -> &'static str {
        match self {
            Rule::BuiltIn => "build bourse with `--features wasm`",
            Rule::Wasm | Rule::Component => {
                "a plugin is a WebAssembly component: `bourse build` makes one, `wasm-tools component new` wraps a core module"
            }
            Rule::Valid => "build the plugin again, and copy it whole",
            Rule::NoImports => "a plugin gets nothing from outside: build it without WASI, or with its calls stubbed",
            Rule::World | Rule::Version => "build the plugin against the world `filter` of `wit/`",
            Rule::Size => "make the plugin smaller, or raise the limit for plugins that you trust",
            Rule::Grant => "grant the column, or ask the plugin's author why it is read",
            Rule::Fuel
            | Rule::Deadline
            | Rule::Memory
            | Rule::Table
            | Rule::Stack
            | Rule::Instances
            | Rule::Results => "tell the plugin's author, or raise the limit for plugins that you trust",
            Rule::Description | Rule::Length | Rule::Rows | Rule::Range | Rule::NoTrap => {
                "tell the plugin's author; until it is mended, nothing that it filters is offered"
            }
            Rule::Accept => "the plugin says itself what is missing",
            Rule::Sound => "install the plugin again once it is mended",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A plugin that broke a rule. Its instance is gone; nothing that it filters is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The plugin, as the broker calls it.
    pub plugin: String,
    /// The rule.
    pub rule: Rule,
    /// What happened, lower case, in a line.
    pub said: String,
}

impl Fault {
    /// A fault; what comes from the plugin itself is made safe to print, and short.
    pub fn new(plugin: &str, rule: Rule, said: impl AsRef<str>) -> Self {
        const LONGEST: usize = 300;
        let said = said.as_ref();
        let mut text: String = printable(said).chars().take(LONGEST).collect();
        if text.chars().count() == LONGEST {
            text.push('…');
        }
        Fault { plugin: printable(plugin), rule, said: text }
    }

    /// The code of the problem.
    pub fn code(&self) -> Code {
        self.rule.code()
    }

    /// The problem, as it is shown.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::without_place(self.code(), self.to_string()).help(self.rule.help())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`: {} (rule `{}`)", self.plugin, self.said, self.rule)
    }
}

impl std::error::Error for Fault {}
