//! The limits of a plugin. The defaults are safe for code of unknown authors. Their numbers are in
//! `limits.rs` of the crate.

use crate::limits;

/// The limits of one plugin. Exceeding one is a [`Fault`](super::Fault) that names it. It never makes the
/// host panic, hang or grow without bound.
///
/// ```
/// use bourse::plugin::Limits;
/// let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
/// assert_eq!(limits.fuel_for(1_000), limits.fuel + 1_000 * limits.fuel_per_row);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the component.
    pub component_bytes: usize,
    /// Core modules, and components, within it: each at most this many.
    pub modules: u32,
    /// Types, imports, exports, instances and aliases that it declares, on all levels together.
    pub items: u32,
    /// Parameters, and results, of one function or block; and fields of one type.
    pub arity: u32,
    /// Functions of all its core modules together.
    pub functions: u32,
    /// Bytes of one function's body.
    pub body_bytes: usize,
    /// Locals of one function.
    pub locals: u32,
    /// Blocks that are open at once in a function.
    pub nesting: u32,
    /// Targets of one `br_table`.
    pub targets: u32,
    /// Estimated work of compiling: for each function about its values times its blocks, over all functions.
    pub compile_work: u64,
    /// Seconds of CPU time of the process that compiles it.
    pub compile_seconds: u64,
    /// Bytes of address space of the process that compiles it.
    pub compile_memory_bytes: u64,
    /// Seconds on the wall clock after which the process that compiles it is killed. A backstop of the CPU
    /// time.
    pub compile_wall_seconds: u64,
    /// Bytes of linear memory, over all memories.
    pub memory_bytes: usize,
    /// Elements of tables, over all tables.
    pub table_elements: usize,
    /// Core instances, memories, and tables: each at most this many.
    pub instances: usize,
    /// Bytes of stack.
    pub stack_bytes: usize,
    /// Instructions of one call, apart from those for its rows.
    pub fuel: u64,
    /// Additional instructions for each row that a call is about.
    pub fuel_per_row: u64,
    /// Instructions of one run (a cycle, an explanation or a list of matches), over all its calls. Each value
    /// that a call is sent, or that is read from it, counts as ten.
    pub cycle_fuel: u64,
    /// Additional instructions of a run for each pair of a row and a need of the fleet, because each need may
    /// ask about every row.
    pub cycle_fuel_per_row: u64,
    /// Calls of one run.
    pub cycle_questions: u64,
    /// Milliseconds of one call on the wall clock. A distant backstop: fuel counts everything that a plugin
    /// does, and should run out first on any machine.
    pub deadline_ms: u64,
    /// Bytes that one call may return, beyond those that its rows need.
    pub result_bytes: usize,
    /// Columns that it may read.
    pub columns: usize,
    /// Rules that it may have.
    pub rules: usize,
    /// Literals that it may compare with.
    pub literals: usize,
}

impl Default for Limits {
    /// Returns limits for plugins of unknown authors, in languages that compile to WebAssembly.
    fn default() -> Self {
        Limits {
            component_bytes: limits::PLUGIN_BYTES,
            modules: limits::PLUGIN_MODULES,
            items: limits::PLUGIN_ITEMS,
            arity: limits::PLUGIN_ARITY,
            functions: limits::PLUGIN_FUNCTIONS,
            body_bytes: limits::PLUGIN_BODY_BYTES,
            locals: limits::PLUGIN_LOCALS,
            nesting: limits::PLUGIN_NESTING,
            targets: limits::PLUGIN_TARGETS,
            compile_work: limits::PLUGIN_COMPILE_WORK,
            compile_seconds: limits::PLUGIN_COMPILE_SECONDS,
            compile_memory_bytes: limits::PLUGIN_COMPILE_MEMORY_BYTES,
            compile_wall_seconds: limits::PLUGIN_COMPILE_WALL_SECONDS,
            memory_bytes: limits::PLUGIN_MEMORY_BYTES,
            table_elements: limits::PLUGIN_TABLE_ELEMENTS,
            instances: limits::PLUGIN_INSTANCES,
            stack_bytes: limits::PLUGIN_STACK_BYTES,
            fuel: limits::PLUGIN_FUEL,
            fuel_per_row: limits::PLUGIN_FUEL_PER_ROW,
            cycle_fuel: limits::PLUGIN_CYCLE_FUEL,
            cycle_fuel_per_row: limits::PLUGIN_CYCLE_FUEL_PER_ROW,
            cycle_questions: limits::PLUGIN_CYCLE_QUESTIONS,
            deadline_ms: limits::PLUGIN_DEADLINE_MS,
            result_bytes: limits::PLUGIN_RESULT_BYTES,
            columns: limits::PLUGIN_COLUMNS,
            rules: limits::PLUGIN_RULES,
            literals: limits::PLUGIN_LITERALS,
        }
    }
}

impl Limits {
    /// Returns limits for plugins that contain an interpreter, such as those in JavaScript or Python.
    /// Compiling one takes seconds, so that these limits are for plugins whose author is known.
    pub fn with_interpreter() -> Self {
        Limits {
            component_bytes: limits::INTERPRETED_PLUGIN_BYTES,
            modules: limits::PLUGIN_MODULES * 16,
            items: limits::PLUGIN_ITEMS * 64,
            functions: limits::PLUGIN_FUNCTIONS * 32,
            body_bytes: limits::PLUGIN_BODY_BYTES * 32,
            locals: limits::PLUGIN_LOCALS * 8,
            nesting: limits::PLUGIN_NESTING * 8,
            targets: limits::PLUGIN_TARGETS * 8,
            compile_work: limits::PLUGIN_COMPILE_WORK * 1_000,
            compile_seconds: limits::PLUGIN_COMPILE_SECONDS * 60,
            compile_memory_bytes: limits::PLUGIN_COMPILE_MEMORY_BYTES * 4,
            compile_wall_seconds: limits::PLUGIN_COMPILE_WALL_SECONDS * 6,
            memory_bytes: limits::PLUGIN_MEMORY_BYTES * 4,
            table_elements: limits::PLUGIN_TABLE_ELEMENTS * 8,
            instances: limits::PLUGIN_INSTANCES * 8,
            stack_bytes: limits::PLUGIN_STACK_BYTES * 4,
            fuel: limits::PLUGIN_FUEL * 200,
            fuel_per_row: limits::PLUGIN_FUEL_PER_ROW * 250,
            cycle_fuel: limits::PLUGIN_CYCLE_FUEL * 200,
            cycle_fuel_per_row: limits::PLUGIN_CYCLE_FUEL_PER_ROW * 250,
            deadline_ms: limits::PLUGIN_DEADLINE_MS * 6,
            ..Limits::default()
        }
    }

    /// Returns the instructions of one run over a fleet of this many rows and needs.
    pub fn cycle_fuel_for(&self, rows: usize, needs: usize) -> u64 {
        let pairs = (rows as u64).saturating_mul(needs as u64);
        self.cycle_fuel.saturating_add(self.cycle_fuel_per_row.saturating_mul(pairs))
    }

    /// Returns the instructions of one call about this many rows.
    pub fn fuel_for(&self, rows: usize) -> u64 {
        self.fuel.saturating_add(self.fuel_per_row.saturating_mul(rows as u64))
    }
}
