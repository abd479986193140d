//! What compiling a function costs, from its form: values that are live, times blocks that they live across.
//!
//! Three things were measured to drive the compiler's time, each by doubling it within one function. Where blocks meet, every value
//! that is live is looked at, so calls through tables, `if`s and the like cost as much as there are values: locals, and what lies on
//! the operand stack. Instructions without an effect are put off until something with an effect wants their value, so what they are
//! made of stays live: a tree of additions over divisions keeps every quotient, however few operands the tree has open at once.
//! And blocks by themselves cost a little more than in proportion to their number.
//!
//! So the stack is followed, and each entry weighs as many values as must be kept for it. What is put into a local is not followed
//! further: this is a first look, and [`compiler`](super::compiler) the wall behind it.

use wasmparser::{
    BlockType, CompositeInnerType, ContType, FrameKind, FuncType, ModuleArity, Operator, RefType, SubType,
};

/// Blocks are counted in sixteenths.
const BLOCK: u64 = 16;
/// Values that a block costs as much as, whatever lives across it.
const BASE: u64 = 16;
/// Blocks after which each costs twice.
const CROWD: u64 = 256;

/// What the functions of one core module take and give.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    types: Vec<SubType>,
    /// Of each function the number of its type, imported ones first.
    functions: Vec<u32>,
    /// The blocks that are open in the function that is looked at.
    open: Vec<(BlockType, FrameKind)>,
}

impl Signatures {
    pub(super) fn add_type(&mut self, kind: &SubType) {
        self.types.push(kind.clone());
    }

    pub(super) fn add_function(&mut self, kind: u32) {
        self.functions.push(kind);
    }

    /// The type of a function that is declared.
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

/// The cost of one function, as its instructions are read.
pub(super) struct FunctionCost<'s> {
    signatures: &'s mut Signatures,
    locals: u64,
    /// Of each operand, how many values are kept for it.
    stack: Vec<u32>,
    /// Their sum.
    live: u64,
    /// Of each open block, how many operands lie below it.
    floors: Vec<usize>,
    steps: u64,
    blocks: u64,
    work: u64,
}

impl<'s> FunctionCost<'s> {
    /// A function of this type, with so many locals.
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

    /// Blocks that are open, the function itself included.
    pub(super) fn depth(&self) -> usize {
        self.floors.len()
    }

    /// Takes the next instruction.
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

    /// Work, once all was read.
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

    /// Ends the operands of the open block, and begins anew with what flows in.
    fn restart(&mut self, gives: u32) {
        while self.stack.len() > self.floor() {
            self.take(1);
        }
        (0..gives).for_each(|_| self.give(1));
    }

    /// Takes operands: none of those below the open block, which only code has that is never reached.
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

/// Blocks that an instruction becomes, in sixteenths; what is no block and yet parts those that are live counts a little.
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
        // Loads are among these.
        _ if (takes, gives) == (1, 1) => BLOCK / 8,
        _ => 0,
    }
}

/// What takes no place until it is wanted.
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

/// What is done where it stands, whoever wants its value: calls, and divisions, which may trap. Loads count as values by
/// their one operand.
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
