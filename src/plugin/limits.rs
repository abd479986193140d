//! What a plugin may take. The defaults are safe for code of strangers; their numbers stand in `limits.rs` of the crate.

use crate::limits;

/// Bounds of one plugin. Exceeding one is a [`Fault`](super::Fault) that names it, never a panic, a hang or a swollen host.
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
    /// Core modules and components within it, each.
    pub modules: u32,
    /// Types, imports, exports, instances and aliases that it declares, all levels together.
    pub items: u32,
    /// Parameters, and results, of one function or block, and fields of one type.
    pub arity: u32,
    /// Functions of all its core modules.
    pub functions: u32,
    /// Bytes of one function's body.
    pub body_bytes: usize,
    /// Locals of one function.
    pub locals: u32,
    /// Blocks open at once in a function.
    pub nesting: u32,
    /// Targets of one `br_table`.
    pub targets: u32,
    /// Work of compiling: for each function, its values times its blocks, all functions together.
    pub compile_work: u64,
    /// Seconds of CPU time that compiling may take, in a process of its own.
    pub compile_seconds: u64,
    /// Bytes of address space that the process that compiles may take.
    pub compile_memory_bytes: u64,
    /// Seconds on the wall after which the process that compiles is given up; the backstop of its CPU time.
    pub compile_wall_seconds: u64,
    /// Linear memory in bytes, all memories together.
    pub memory_bytes: usize,
    /// Elements of tables, all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables, each.
    pub instances: usize,
    /// Bytes of stack.
    pub stack_bytes: usize,
    /// Instructions of one call, whatever it is about.
    pub fuel: u64,
    /// More instructions for each row that a call is about.
    pub fuel_per_row: u64,
    /// Instructions of one cycle, or of one explanation or list of matches: all its calls together, and ten for each value that
    /// they are told or that is read from them.
    pub cycle_fuel: u64,
    /// More of them for each row and need of the fleet: each need may ask about every row.
    pub cycle_fuel_per_row: u64,
    /// Calls of one cycle, or of one explanation or list of matches.
    pub cycle_questions: u64,
    /// Milliseconds of one call on the wall: a far backstop. Fuel counts all that a plugin does, so that no machine is slow enough
    /// to get here.
    pub deadline_ms: u64,
    /// Bytes that one call may hand back, beyond what its rows need.
    pub result_bytes: usize,
    /// Columns that it may read.
    pub columns: usize,
    /// Rules that it may have.
    pub rules: usize,
    /// Literals that it may compare with.
    pub literals: usize,
}

impl Default for Limits {
    /// For plugins of strangers, in languages that are compiled.
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
    /// For plugins that carry the interpreter of their language with them: JavaScript, Python. Compiling one takes
    /// seconds, so it is for plugins whose author is known.
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
            fuel: limits::PLUGIN_FUEL * 20,
            fuel_per_row: limits::PLUGIN_FUEL_PER_ROW * 50,
            cycle_fuel: limits::PLUGIN_CYCLE_FUEL * 20,
            cycle_fuel_per_row: limits::PLUGIN_CYCLE_FUEL_PER_ROW * 50,
            deadline_ms: limits::PLUGIN_DEADLINE_MS * 6,
            ..Limits::default()
        }
    }

    /// Instructions of one cycle over a fleet of so many rows and needs.
    pub fn cycle_fuel_for(&self, rows: usize, needs: usize) -> u64 {
        let pairs = (rows as u64).saturating_mul(needs as u64);
        self.cycle_fuel.saturating_add(self.cycle_fuel_per_row.saturating_mul(pairs))
    }

    /// Instructions of one call about so many rows.
    pub fn fuel_for(&self, rows: usize) -> u64 {
        self.fuel.saturating_add(self.fuel_per_row.saturating_mul(rows as u64))
    }
}
