//! Estimates the cost of compiling a function from its form: the sum over its basic blocks of the values that
//! are live there.
//!
//! Three effects dominate the compiler's time. Each was found by doubling it within one function.
//!
//! - At each join of blocks the compiler looks at every live value. So calls through tables, `if`s and the
//!   like cost as much as there are values: locals, and operands on the stack.
//! - Instructions without an effect are delayed until an instruction with an effect needs their value, and
//!   their operands stay live until then. A tree of additions over divisions keeps every quotient, however
//!   few operands are on the stack at once.
//! - The number of blocks costs slightly more than in proportion.
//!
//! So [`FunctionCost`] simulates the operand stack with a weight for each entry: the number of values that
//! stay live for it. Values in locals are not followed. The estimate only refuses the worst components early.
//! The limits of the separate process ([`compiler`](super::compiler)) are what holds.

use wasmparser::{
    BlockType, CompositeInnerType, ContType, FrameKind, FuncType, ModuleArity, Operator, RefType, SubType,
};

/// The unit of block counts: one block is sixteen, so that parts of a block can be counted.
const BLOCK: u64 = 16;
/// The cost of a block that no value lives across, in values.
const BASE: u64 = 16;
/// The number of blocks from which the cost of each has doubled.
const CROWD: u64 = 256;

/// The types of the functions of one core module. It implements [`ModuleArity`] so that `wasmparser` can tell
/// how many operands an instruction takes and gives.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    types: Vec<SubType>,
    /// By function, the number of its type. Imported functions come first.
    functions: Vec<u32>,
    /// The open blocks of the function that is being read.
    open: Vec<(BlockType, FrameKind)>,
}

impl Signatures {
    pub(super) fn add_type(&mut self, kind: &SubType) {
        self.types.push(kind.clone());
    }

    pub(super) fn add_function(&mut self, kind: u32) {
        self.functions.push(kind);
    }

    /// Returns the type of a declared function.
    pub(super) fn of_function(&self, function: usize) -> Option<u32> {
        self.functions.get(function).copied()
    }

    pub(super) fn functions(&self) -> usize {
        self.functions.len()
    }
}

impl ModuleArity for Signatures {
    fn sub_type_at(&self, at: u32) -> Option<&SubType> {
        self.types
            .get(at as usize)
            .filter(|kind| matches!(kind.composite_type.inner, CompositeInnerType::Func(_)))
    }

    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }

    fn type_index_of_function(&self, function: u32) -> Option<u32> {
        self.of_function(function as usize)
    }

    fn func_type_of_cont_type(&self, _: &ContType) -> Option<&FuncType> {
        None
    }

    fn sub_type_of_ref_type(&self, _: &RefType) -> Option<&SubType> {
        None
    }

    fn control_stack_height(&self) -> u32 {
        self.open.len() as u32
    }

    fn label_block(&self, depth: u32) -> Option<(BlockType, FrameKind)> {
        let at = self.open.len().checked_sub(depth as usize + 1)?;
        self.open.get(at).copied()
    }
}

/// The cost of one function, which grows as its instructions are read.
pub(super) struct FunctionCost<'s> {
    signatures: &'s mut Signatures,
    locals: u64,
    /// By operand, the number of values that stay live for it.
    stack: Vec<u32>,
    /// The sum of `stack`.
    live: u64,
    /// By open block, the number of operands below it.
    floors: Vec<usize>,
    steps: u64,
    blocks: u64,
    work: u64,
}

impl<'s> FunctionCost<'s> {
    /// Starts a function of this type with this many locals.
    pub(super) fn new(signatures: &'s mut Signatures, kind: Option<u32>, locals: u64) -> FunctionCost<'s> {
        let kind = kind.map_or(BlockType::Empty, BlockType::FuncType);
        signatures.open.clear();
        signatures.open.push((kind, FrameKind::Block));
        FunctionCost {
            signatures,
            locals,
            stack: Vec::new(),
            live: 0,
            floors: vec![0],
            steps: 0,
            blocks: BLOCK,
            work: 0,
        }
    }

    /// Returns the number of open blocks, including the function itself.
    pub(super) fn depth(&self) -> usize {
        self.floors.len()
    }

    /// Counts the next instruction.
    pub(super) fn step(&mut self, operator: &Operator<'_>) {
        let (takes, gives) = operator.operator_arity(&*self.signatures).unwrap_or((0, 0));
        let blocks = blocks_of(operator, takes, gives);
        self.steps += 1;
        self.blocks += blocks;
        self.work = self.work.saturating_add(blocks.saturating_mul(BASE + self.locals + self.live));
        match operator {
            Operator::Block { blockty } => self.enter(*blockty, FrameKind::Block, takes),
            Operator::Loop { blockty } => self.enter(*blockty, FrameKind::Loop, takes),
            Operator::If { blockty } => {
                self.take(1);
                self.enter(*blockty, FrameKind::If, takes.saturating_sub(1));
            }
            Operator::Else => self.restart(gives),
            Operator::End => {
                self.restart(gives);
                self.floors.pop();
                self.signatures.open.pop();
            }
            Operator::Br { .. } | Operator::BrTable { .. } | Operator::Return | Operator::Unreachable => {
                self.restart(0);
            }
            _ => {
                let kept = self.take(takes);
                // A constant or a local costs nothing until it is used. An effect leaves one finished value.
                // Any other result keeps its operands live; one with fewer than two operands is at least a
                // value itself.
                let each = if is_known(operator) {
                    0
                } else if has_effect(operator) {
                    1
                } else {
                    kept.max(u32::from(takes < 2))
                };
                (0..gives).for_each(|_| self.give(each));
            }
        }
    }

    /// Returns the estimate after all instructions.
    pub(super) fn work(&self) -> u64 {
        let blocks = self.blocks / BLOCK;
        let crowd = blocks.saturating_mul(blocks) / CROWD;
        (self.work / BLOCK).saturating_add(crowd).saturating_add(self.steps)
    }

    fn enter(&mut self, kind: BlockType, frame: FrameKind, takes: u32) {
        self.floors.push(self.stack.len().saturating_sub(takes as usize).max(self.floor()));
        self.signatures.open.push((kind, frame));
    }

    fn floor(&self) -> usize {
        self.floors.last().copied().unwrap_or(0)
    }

    /// Drops the operands of the open block, and pushes the values that flow into the next one.
    fn restart(&mut self, gives: u32) {
        while self.stack.len() > self.floor() {
            self.take(1);
        }
        (0..gives).for_each(|_| self.give(1));
    }

    /// Pops operands, but none below the open block. Only unreachable code asks for those.
    fn take(&mut self, count: u32) -> u32 {
        let mut kept: u32 = 0;
        for _ in 0..count {
            if self.stack.len() <= self.floor() {
                break;
            }
            let one = self.stack.pop().unwrap_or(0);
            self.live -= u64::from(one);
            kept = kept.saturating_add(one);
        }
        kept
    }

    fn give(&mut self, kept: u32) {
        self.stack.push(kept);
        self.live += u64::from(kept);
    }
}

/// Returns the number of basic blocks that an instruction becomes, in sixteenths. Some instructions make no
/// block but still split live ranges, and count a fraction.
fn blocks_of(operator: &Operator<'_>, takes: u32, gives: u32) -> u64 {
    use Operator as O;
    match operator {
        O::Block { .. } | O::Else | O::Return | O::MemoryGrow { .. } | O::TableSet { .. } => BLOCK,
        O::If { .. } | O::Br { .. } | O::BrIf { .. } | O::TableGet { .. } => 2 * BLOCK,
        O::MemoryFill { .. } | O::MemoryCopy { .. } | O::MemoryInit { .. } => 3 * BLOCK,
        O::Loop { .. } | O::CallIndirect { .. } | O::ReturnCallIndirect { .. } | O::TableFill { .. } => {
            4 * BLOCK
        }
        O::CallRef { .. } | O::ReturnCallRef { .. } => 4 * BLOCK,
        O::TableGrow { .. } => 8 * BLOCK,
        O::TableCopy { .. } | O::TableInit { .. } => 12 * BLOCK,
        O::BrTable { targets } => (u64::from(targets.len()) + 1) * BLOCK,
        O::End => 0,
        _ if is_known(operator) => 0,
        _ if has_effect(operator) => BLOCK / 4,
        // Loads are among the instructions with one operand and one result.
        _ if (takes, gives) == (1, 1) => BLOCK / 8,
        _ => 0,
    }
}

/// Returns `true` for instructions that need no register before their value is used.
fn is_known(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::LocalGet { .. }
            | O::I32Const { .. }
            | O::I64Const { .. }
            | O::F32Const { .. }
            | O::F64Const { .. }
    )
}

/// Returns `true` for instructions that run where they stand, even if nothing uses their value: calls, and
/// divisions, which may trap. Loads are not among them; they weigh as values because they have one operand.
fn has_effect(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::Call { .. }
            | O::CallIndirect { .. }
            | O::CallRef { .. }
            | O::I32DivS
            | O::I32DivU
            | O::I32RemS
            | O::I32RemU
            | O::I64DivS
            | O::I64DivU
            | O::I64RemS
            | O::I64RemU
    )
}
