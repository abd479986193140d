//! The fuel that each instruction of a plugin costs: one unit, and more for those that take longer. Fuel is
//! thus about proportional to time, and no wall clock is needed to end a call.

use wasmtime::OperatorCost;

/// The cost of an instruction that calls into the engine.
const CALL: u8 = 50;
/// The cost of reading memory that is in no cache, where the next instruction waits for it. Memory in a cache
/// costs about one plain instruction, but which case it is cannot be known beforehand.
const LOAD: u8 = 32;
/// The cost of a division or a root.
const DIVISION: u8 = 8;

/// Returns the cost of each instruction.
pub(super) fn cost() -> OperatorCost {
    let mut cost = loads(OperatorCost {
        MemoryGrow: u8::MAX,
        MemoryFill: CALL,
        MemoryCopy: CALL,
        MemoryInit: CALL,
        TableGrow: u8::MAX,
        TableFill: CALL,
        TableCopy: CALL,
        TableInit: CALL,
        F32Sqrt: DIVISION,
        F64Sqrt: DIVISION,
        F32x4Sqrt: DIVISION,
        F64x2Sqrt: DIVISION,
        F32Div: DIVISION,
        F64Div: DIVISION,
        F32x4Div: DIVISION,
        F64x2Div: DIVISION,
        I32DivS: DIVISION,
        I32DivU: DIVISION,
        I64DivS: DIVISION,
        I64DivU: DIVISION,
        I32RemS: DIVISION,
        I32RemU: DIVISION,
        I64RemS: DIVISION,
        I64RemU: DIVISION,
        ..OperatorCost::new()
    });
    cost.variable.memory_grow_per_page = u8::MAX;
    cost
}

/// Sets the cost of the instructions that read memory.
fn loads(others: OperatorCost) -> OperatorCost {
    OperatorCost {
        I32Load: LOAD,
        I64Load: LOAD,
        F32Load: LOAD,
        F64Load: LOAD,
        I32Load8S: LOAD,
        I32Load8U: LOAD,
        I32Load16S: LOAD,
        I32Load16U: LOAD,
        I64Load8S: LOAD,
        I64Load8U: LOAD,
        I64Load16S: LOAD,
        I64Load16U: LOAD,
        I64Load32S: LOAD,
        I64Load32U: LOAD,
        V128Load: LOAD,
        V128Load8x8S: LOAD,
        V128Load8x8U: LOAD,
        V128Load16x4S: LOAD,
        V128Load16x4U: LOAD,
        V128Load32x2S: LOAD,
        V128Load32x2U: LOAD,
        V128Load8Splat: LOAD,
        V128Load16Splat: LOAD,
        V128Load32Splat: LOAD,
        V128Load64Splat: LOAD,
        V128Load32Zero: LOAD,
        V128Load64Zero: LOAD,
        V128Load8Lane: LOAD,
        V128Load16Lane: LOAD,
        V128Load32Lane: LOAD,
        V128Load64Lane: LOAD,
        ..others
    }
}
