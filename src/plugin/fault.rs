//! The ways in which a plugin can fail. Every fault names the plugin and the rule that it broke.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic},
    value::printable,
};

/// A rule that every plugin must keep. Each variant states the rule; a fault means that it was broken.
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
    /// Its form stays within [`Limits`](super::Limits), such as the number of functions and the nesting of
    /// blocks.
    Size,
    /// Its compilation stays within the limits of CPU time and memory.
    Compile,
    /// The compiler program exists, and is of this version.
    Compiler,
    /// It imports nothing but types.
    NoImports,
    /// It exports the interface with exactly these types.
    World,
    /// It exports a version of the interface that this host serves.
    Version,
    /// Every column that it requires was granted.
    Grant,
    /// Its preferences weigh no more than it was granted.
    Weight,
    /// Its description is consistent in names, kinds and counts.
    Description,
    /// The values that it returns are well formed: texts are UTF-8, and lists lie in its memory.
    Form,
    /// Its answers have the length of the question.
    Length,
    /// Its answers are about rows that exist: no bit is set beyond the last row.
    Rows,
    /// No row is both true and unknown, and every number is in its range.
    Range,
    /// It ends by itself, without a trap.
    NoTrap,
    /// It accepts the fleet that it is given.
    Accept,
    /// One call runs no more instructions than it may.
    Fuel,
    /// The calls of one cycle or explanation together run no more instructions than they may.
    CycleFuel,
    /// It is called no more often in one cycle or explanation than it may be.
    CycleQuestions,
    /// One call ends before the wall-clock deadline, which is a backstop behind `Fuel`.
    Deadline,
    /// Its linear memories together have no more bytes than they may.
    Memory,
    /// Its tables together have no more elements than they may.
    Table,
    /// It stays within its stack.
    Stack,
    /// It has no more instances, memories and tables than it may.
    Instances,
    /// One call returns no more bytes than it may.
    Results,
    /// The broker asks only about the fleet that the plugin was given, bound with its columns. Breaking this
    /// is a defect of the broker, not of the plugin.
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

    /// Returns the name of the rule, which never changes.
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

    /// Returns the code of a problem with it.
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

    /// Returns advice on what to do.
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

/// A plugin that broke a rule. Its instance is gone, and nothing that it filters is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The broker's name for the plugin.
    pub plugin: String,
    /// The rule.
    pub broken: Broken,
    /// The event, in lower case, in one line.
    pub message: String,
}

impl Fault {
    /// Creates a fault. The text may come from the plugin, so it is made safe to print, and cut.
    pub fn new(plugin: &str, broken: Broken, message: impl AsRef<str>) -> Self {
        const LONGEST: usize = 300;
        let message = message.as_ref();
        let mut text: String = printable(message).chars().take(LONGEST).collect();
        if text.chars().count() == LONGEST {
            text.push('…');
        }
        Fault { plugin: printable(plugin), broken, message: text }
    }

    /// Returns the code of the problem.
    pub fn code(&self) -> Code {
        self.broken.code()
    }

    /// Returns the problem as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::without_place(self.code(), self.to_string()).help(self.broken.help())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`: {} (rule `{}`)", self.plugin, self.message, self.broken)
    }
}

impl std::error::Error for Fault {}
