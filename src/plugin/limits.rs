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
    /// Milliseconds of one call on the wall; the backstop of fuel, for work that fuel does not count.
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
            memory_bytes: limits::PLUGIN_MEMORY_BYTES,
            table_elements: limits::PLUGIN_TABLE_ELEMENTS,
            instances: limits::PLUGIN_INSTANCES,
            stack_bytes: limits::PLUGIN_STACK_BYTES,
            fuel: limits::PLUGIN_FUEL,
            fuel_per_row: limits::PLUGIN_FUEL_PER_ROW,
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
            memory_bytes: limits::PLUGIN_MEMORY_BYTES * 4,
            table_elements: limits::PLUGIN_TABLE_ELEMENTS * 8,
            instances: limits::PLUGIN_INSTANCES * 8,
            stack_bytes: limits::PLUGIN_STACK_BYTES * 4,
            fuel: limits::PLUGIN_FUEL * 20,
            fuel_per_row: limits::PLUGIN_FUEL_PER_ROW * 50,
            deadline_ms: limits::PLUGIN_DEADLINE_MS * 6,
            ..Limits::default()
        }
    }

    /// Instructions of one call about so many rows.
    pub fn fuel_for(&self, rows: usize) -> u64 {
        self.fuel.saturating_add(self.fuel_per_row.saturating_mul(rows as u64))
    }
}
