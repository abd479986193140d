//! What a plugin did wrong: the plugin and the rule are always named.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic},
    value::printable,
};

/// A rule that every plugin keeps, and one may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Broken {
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
    /// Compiling it takes no more CPU time and memory than it may.
    Compile,
    /// The program that compiles is there, and of this version.
    Compiler,
    /// It imports nothing but types.
    NoImports,
    /// It exports the interface, with these very types.
    World,
    /// It is of a version of the interface that is served.
    Version,
    /// It reads no column that it was not granted.
    Grant,
    /// Its preferences weigh no more than it was granted.
    Weight,
    /// Its description holds: names, kinds, counts.
    Description,
    /// What it hands back has the form of the interface: texts are texts, lists lie in its memory.
    Form,
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
    /// Instructions of all calls of one cycle or explanation.
    CycleFuel,
    /// Calls of one cycle or explanation.
    CycleQuestions,
    /// Time on the wall: the far backstop of fuel.
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
    /// It is asked about the fleet that it was given, bound with its columns: a defect of the broker, not of the plugin.
    Bound,
    /// It is not asked again once it has broken a rule.
    Sound,
}

impl Broken {
    /// Every rule, in order.
    pub const ALL: [Broken; 30] = [
        Broken::BuiltIn,
        Broken::Wasm,
        Broken::Component,
        Broken::Valid,
        Broken::Size,
        Broken::Compile,
        Broken::Compiler,
        Broken::NoImports,
        Broken::World,
        Broken::Version,
        Broken::Grant,
        Broken::Weight,
        Broken::Description,
        Broken::Form,
        Broken::Length,
        Broken::Rows,
        Broken::Range,
        Broken::NoTrap,
        Broken::Accept,
        Broken::Fuel,
        Broken::CycleFuel,
        Broken::CycleQuestions,
        Broken::Deadline,
        Broken::Memory,
        Broken::Table,
        Broken::Stack,
        Broken::Instances,
        Broken::Results,
        Broken::Bound,
        Broken::Sound,
    ];

    /// Its name, which stays the same.
    pub fn name(self) -> &'static str {
        match self {
            Broken::BuiltIn => "built-in",
            Broken::Wasm => "wasm",
            Broken::Component => "component",
            Broken::Valid => "valid",
            Broken::Size => "size",
            Broken::Compile => "compile",
            Broken::Compiler => "compiler",
            Broken::NoImports => "no-imports",
            Broken::World => "world",
            Broken::Version => "version",
            Broken::Grant => "grant",
            Broken::Weight => "weight",
            Broken::Description => "description",
            Broken::Form => "form",
            Broken::Length => "length",
            Broken::Rows => "rows",
            Broken::Range => "range",
            Broken::NoTrap => "no-trap",
            Broken::Accept => "accept",
            Broken::Fuel => "fuel",
            Broken::CycleFuel => "cycle-fuel",
            Broken::CycleQuestions => "cycle-questions",
            Broken::Deadline => "deadline",
            Broken::Memory => "memory",
            Broken::Table => "table",
            Broken::Stack => "stack",
            Broken::Instances => "instances",
            Broken::Results => "results",
            Broken::Bound => "bound",
            Broken::Sound => "sound",
        }
    }

    /// The code of a problem with it.
    pub fn code(self) -> Code {
        match self {
            Broken::Wasm | Broken::Component | Broken::Valid => Code::B0801,
            Broken::NoImports | Broken::World | Broken::Version => Code::B0802,
            Broken::Size => Code::B0803,
            Broken::Grant | Broken::Weight => Code::B0804,
            Broken::Description => Code::B0805,
            Broken::Form | Broken::Length | Broken::Rows | Broken::Range => Code::B0806,
            Broken::NoTrap | Broken::Accept | Broken::Sound => Code::B0807,
            Broken::Fuel
            | Broken::CycleFuel
            | Broken::CycleQuestions
            | Broken::Deadline
            | Broken::Memory
            | Broken::Table
            | Broken::Stack
            | Broken::Instances
            | Broken::Results => Code::B0808,
            Broken::Compile | Broken::Compiler => Code::B0815,
            Broken::BuiltIn => Code::B0809,
            Broken::Bound => Code::B0906,
        }
    }

    /// What to do about it.
    fn help(self) -> &'static str {
        match self {
            Broken::BuiltIn => "build bourse with `--features wasm`",
            Broken::Wasm | Broken::Component => {
                "a plugin is a WebAssembly component: `bourse build` makes one, `wasm-tools component new` wraps a core module"
            }
            Broken::Valid => "build the plugin again, and copy it whole",
            Broken::NoImports => {
                "a plugin gets nothing from outside: build it without WASI, or with its calls stubbed"
            }
            Broken::World | Broken::Version => "build the plugin against the world `filter` of `wit/`",
            Broken::Compile => {
                "build the plugin with smaller functions, or raise the limit for plugins that you trust"
            }
            Broken::Compiler => "name the `bourse` program of this very version as the compiler",
            Broken::Size => "make the plugin smaller, or raise the limit for plugins that you trust",
            Broken::Weight => {
                "grant it more weight, or ask the plugin's author for preferences that weigh less"
            }
            Broken::Grant => "grant the column, or ask the plugin's author why it is read",
            Broken::Fuel
            | Broken::CycleFuel
            | Broken::CycleQuestions
            | Broken::Deadline
            | Broken::Memory
            | Broken::Table
            | Broken::Stack
            | Broken::Instances
            | Broken::Results => "tell the plugin's author, or raise the limit for plugins that you trust",
            Broken::Description
            | Broken::Form
            | Broken::Length
            | Broken::Rows
            | Broken::Range
            | Broken::NoTrap => {
                "tell the plugin's author; until it is mended, nothing that it filters is offered"
            }
            Broken::Accept => "the plugin says itself what is missing",
            Broken::Bound => {
                "add the plugin's columns to the plan before the fleet is bound, and load it for each fleet"
            }
            Broken::Sound => "install the plugin again once it is mended",
        }
    }
}

impl fmt::Display for Broken {
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
    pub broken: Broken,
    /// What happened, lower case, in a line.
    pub said: String,
}

impl Fault {
    /// A fault; what comes from the plugin itself is made safe to print, and short.
    pub fn new(plugin: &str, broken: Broken, said: impl AsRef<str>) -> Self {
        const LONGEST: usize = 300;
        let said = said.as_ref();
        let mut text: String = printable(said).chars().take(LONGEST).collect();
        if text.chars().count() == LONGEST {
            text.push('…');
        }
        Fault { plugin: printable(plugin), broken, said: text }
    }

    /// The code of the problem.
    pub fn code(&self) -> Code {
        self.broken.code()
    }

    /// The problem, as it is shown.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::without_place(self.code(), self.to_string()).help(self.broken.help())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`: {} (rule `{}`)", self.plugin, self.said, self.broken)
    }
}

impl std::error::Error for Fault {}
