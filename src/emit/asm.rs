//! A small structured assembler: expressions and statements over locals, written out as WebAssembly.
//!
//! Structured control flow and typed locals make the generator read like the code that it generates. Only the
//! instructions that it needs exist: those of WebAssembly 1.0 and bulk memory, no SIMD. One optimisation is
//! made while writing: a local that is set and then read first is left on the stack (`local.tee`).

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// A local variable of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local(pub u32);

/// A global variable of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global(pub u32);

/// The number of a function of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fn(pub u32);

/// The label of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLabel(u32);

macro_rules! operators {
    (unary { $($un:ident $Un:ident $un_code:ident),* $(,)? } binary { $($bin:ident $Bin:ident $bin_code:ident),* $(,)? }) => {
        /// Instructions with one operand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Un { $($Un),* }

        /// Instructions with two operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bin { $($Bin),* }

        impl Ex {
            $(pub fn $un(self) -> Ex { Ex::Un(Un::$Un, Box::new(self)) })*
            $(pub fn $bin(self, other: impl Into<Ex>) -> Ex {
                Ex::Bin(Bin::$Bin, Box::new(self), Box::new(other.into()))
            })*
        }

        fn unary(sink: &mut InstructionSink<'_>, op: Un) {
            match op { $(Un::$Un => { sink.$un_code(); })* }
        }

        fn binary(sink: &mut InstructionSink<'_>, op: Bin) {
            match op { $(Bin::$Bin => { sink.$bin_code(); })* }
        }
    };
}

operators! {
    unary {
        not Not i32_eqz,
        zero64 Zero64 i64_eqz,
        low Low i32_wrap_i64,
        wide Wide i64_extend_i32_u,
    }
    binary {
        add Add i32_add, sub Sub i32_sub, mul Mul i32_mul, rem Rem i32_rem_u,
        and And i32_and, or Or i32_or, xor Xor i32_xor, shl Shl i32_shl, shr Shr i32_shr_u,
        eq Eq i32_eq, ne Ne i32_ne, lt Lt i32_lt_u, gt Gt i32_gt_u, le Le i32_le_u, ge Ge i32_ge_u,
        add64 Add64 i64_add, sub64 Sub64 i64_sub, mul64 Mul64 i64_mul, div64 Div64 i64_div_u, rem64 Rem64 i64_rem_u,
        div64_s Div64S i64_div_s, rem64_s Rem64S i64_rem_s,
        and64 And64 i64_and, or64 Or64 i64_or, xor64 Xor64 i64_xor, shl64 Shl64 i64_shl, shr64 Shr64 i64_shr_u,
        eq64 Eq64 i64_eq, ne64 Ne64 i64_ne, lt64 Lt64 i64_lt_u, gt64 Gt64 i64_gt_u, ge64 Ge64 i64_ge_u,
        lt64_s Lt64S i64_lt_s, gt64_s Gt64S i64_gt_s, le64_s Le64S i64_le_s, ge64_s Ge64S i64_ge_s,
    }
}

/// The width of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mem {
    /// One byte, extended to 32 bits.
    Byte,
    /// Two bytes, extended to 32 bits.
    Half,
    /// Four bytes.
    Word,
    /// Four bytes, extended to 64 bits.
    WordWide,
    /// Eight bytes.
    Long,
}

/// An expression. It leaves one value on the stack.
#[derive(Clone, Debug)]
pub enum Ex {
    /// A constant of 32 bits.
    Int(i32),
    /// A constant of 64 bits.
    Long(i64),
    /// The value of a local.
    Get(Local),
    /// The value of a global.
    Global(Global),
    /// An operation with one operand.
    Un(Un, Box<Ex>),
    /// An operation with two operands.
    Bin(Bin, Box<Ex>, Box<Ex>),
    /// A load from an address with a constant offset.
    Load(Mem, Box<Ex>, u32),
    /// A call of a function.
    Call(Fn, Vec<Ex>),
    /// A call through the table, by number, of a function of type [`OF_ROWS`](super::module::OF_ROWS).
    CallAt(Box<Ex>, Vec<Ex>),
    /// The first operand if the last is not 0, else the second. All are evaluated.
    Select(Box<[Ex; 3]>),
    /// The size of memory, in pages.
    Pages,
    /// Grows memory by pages. Returns the old size, or −1 on failure.
    Grow(Box<Ex>),
}

impl From<i32> for Ex {
    fn from(value: i32) -> Ex {
        Ex::Int(value)
    }
}

impl From<u32> for Ex {
    fn from(value: u32) -> Ex {
        Ex::Int(value as i32)
    }
}

impl From<i64> for Ex {
    fn from(value: i64) -> Ex {
        Ex::Long(value)
    }
}

impl From<Local> for Ex {
    fn from(value: Local) -> Ex {
        Ex::Get(value)
    }
}

impl From<Global> for Ex {
    fn from(value: Global) -> Ex {
        Ex::Global(value)
    }
}

impl Local {
    /// Returns its value.
    pub fn get(self) -> Ex {
        Ex::Get(self)
    }

    /// `self = value`
    pub fn set(self, value: impl Into<Ex>) -> St {
        St::Set(self, value.into())
    }
}

impl Global {
    /// Returns its value.
    pub fn get(self) -> Ex {
        Ex::Global(self)
    }

    /// `self = value`
    pub fn set(self, value: impl Into<Ex>) -> St {
        St::SetGlobal(self, value.into())
    }
}

impl Ex {
    /// Loads from this address plus an offset.
    pub fn load(self, mem: Mem, offset: u32) -> Ex {
        Ex::Load(mem, Box::new(self), offset)
    }

    /// Loads four bytes.
    pub fn word(self, offset: u32) -> Ex {
        self.load(Mem::Word, offset)
    }

    /// Loads eight bytes.
    pub fn long(self, offset: u32) -> Ex {
        self.load(Mem::Long, offset)
    }

    /// `if self { yes } else { no }`. Both are evaluated.
    pub fn choose(self, yes: impl Into<Ex>, no: impl Into<Ex>) -> Ex {
        Ex::Select(Box::new([yes.into(), no.into(), self]))
    }
}

/// A statement. It leaves the stack as it was.
#[derive(Clone, Debug)]
pub enum St {
    /// Sets a local.
    Set(Local, Ex),
    /// Sets a global.
    SetGlobal(Global, Ex),
    /// Stores to memory: address, offset, value.
    Store(Mem, Ex, u32, Ex),
    /// Runs the first or the second branch.
    If(Ex, Vec<St>, Vec<St>),
    /// Repeats the body while the condition holds.
    While(Ex, Vec<St>),
    /// A block that [`St::Leave`] can leave.
    Block(BlockLabel, Vec<St>),
    /// Jumps to the end of a block.
    Leave(BlockLabel),
    /// Returns a value from the function.
    Return(Ex),
    /// Returns from a function without a result.
    End,
    /// Evaluates a call for its effect. The flag is `true` if it has a result, which is dropped.
    Do(Ex, bool),
    /// Copies bytes: destination, source, length.
    Copy(Ex, Ex, Ex),
    /// Zeroes bytes: address, length.
    Clear(Ex, Ex),
    /// Traps: aborts the instance.
    Trap,
}

/// `if condition { then }`
pub fn when(condition: Ex, then: Vec<St>) -> St {
    St::If(condition, then, Vec::new())
}

/// Stores four bytes.
pub fn put(address: impl Into<Ex>, offset: u32, value: impl Into<Ex>) -> St {
    St::Store(Mem::Word, address.into(), offset, value.into())
}

/// `local += by`
pub fn step(local: Local, by: i32) -> St {
    local.set(local.get().add(by))
}

/// `for local in 0..end { body }`
pub fn count(local: Local, end: impl Into<Ex>, mut body: Vec<St>) -> Vec<St> {
    body.push(step(local, 1));
    vec![local.set(0), St::While(local.get().lt(end), body)]
}

/// The body of a function under construction.
#[derive(Debug)]
pub struct FunctionBody {
    params: Vec<ValType>,
    result: Option<ValType>,
    locals: Vec<ValType>,
    free: Vec<u32>,
    labels: u32,
    /// The statements so far.
    pub code: Vec<St>,
}

impl FunctionBody {
    /// Returns an empty body of a function with this type.
    pub fn new(params: &[ValType], result: Option<ValType>) -> FunctionBody {
        FunctionBody {
            params: params.to_vec(),
            result,
            locals: Vec::new(),
            free: Vec::new(),
            labels: 0,
            code: Vec::new(),
        }
    }

    /// Returns the type of the function.
    pub fn signature(&self) -> (Vec<ValType>, Option<ValType>) {
        (self.params.clone(), self.result)
    }

    /// Returns the parameter at a position.
    pub fn param(&self, at: u32) -> Local {
        Local(at)
    }

    fn local(&mut self, kind: ValType) -> Local {
        // A freed local of the same type is used again, which keeps functions small.
        let params = self.params.len() as u32;
        let fits = |at: &u32| self.locals[*at as usize] == kind;
        if let Some(found) = self.free.iter().position(fits) {
            return Local(params + self.free.swap_remove(found));
        }
        self.locals.push(kind);
        Local(params + self.locals.len() as u32 - 1)
    }

    /// Returns a local of 32 bits that is not in use.
    pub fn int(&mut self) -> Local {
        self.local(ValType::I32)
    }

    /// Returns a local of 64 bits that is not in use.
    pub fn long(&mut self) -> Local {
        self.local(ValType::I64)
    }

    /// Marks a local as free, so that it may be used again.
    pub fn release(&mut self, local: Local) {
        if let Some(at) = local.0.checked_sub(self.params.len() as u32)
            && !self.free.contains(&at)
        {
            self.free.push(at);
        }
    }

    /// Returns a new label.
    pub fn label(&mut self) -> BlockLabel {
        self.labels += 1;
        BlockLabel(self.labels)
    }

    /// Appends statements.
    pub fn add(&mut self, code: impl IntoIterator<Item = St>) -> &mut FunctionBody {
        self.code.extend(code);
        self
    }

    /// Writes the function out.
    pub fn finish(&self) -> Function {
        let mut function = Function::new_with_locals_types(self.locals.iter().copied());
        let mut open = Vec::new();
        let mut sink = CodeWriter { to: function.instructions(), ready: None };
        statements(&mut sink, &self.code, &mut open);
        if self.result.is_some() {
            // Every path returns before this point, but validation must see a value or a trap.
            sink.unreachable();
        }
        sink.end();
        function
    }
}

/// The writer of instructions.
struct CodeWriter<'a> {
    to: InstructionSink<'a>,
    /// A local whose value is already on the stack, for the expression that is written next.
    ready: Option<Local>,
}

impl<'a> std::ops::Deref for CodeWriter<'a> {
    type Target = InstructionSink<'a>;

    fn deref(&self) -> &InstructionSink<'a> {
        &self.to
    }
}

impl std::ops::DerefMut for CodeWriter<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.to
    }
}

fn statements(sink: &mut CodeWriter<'_>, code: &[St], open: &mut Vec<Option<BlockLabel>>) {
    for (at, statement) in code.iter().enumerate() {
        if let St::Set(local, value) = statement
            && code.get(at + 1).and_then(leading).and_then(first) == Some(*local)
        {
            expression(sink, value);
            sink.local_tee(local.0);
            sink.ready = Some(*local);
            continue;
        }
        statement_out(sink, statement, open);
    }
}

/// Returns the expression that a statement evaluates first.
fn leading(statement: &St) -> Option<&Ex> {
    match statement {
        St::Set(_, value)
        | St::SetGlobal(_, value)
        | St::Store(_, value, _, _)
        | St::If(value, _, _)
        | St::Return(value)
        | St::Do(value, _)
        | St::Copy(value, _, _)
        | St::Clear(value, _) => Some(value),
        St::While(..) | St::Block(..) | St::Leave(_) | St::End | St::Trap => None,
    }
}

/// Returns the local that an expression reads before anything else.
fn first(value: &Ex) -> Option<Local> {
    match value {
        // Operands are written left to right, so the leftmost leaf is read first.
        Ex::Get(local) => Some(*local),
        Ex::Un(_, inner) | Ex::Bin(_, inner, _) | Ex::Grow(inner) => first(inner),
        Ex::Load(_, address, _) => first(address),
        Ex::Select(parts) => first(&parts[0]),
        Ex::Call(_, arguments) => first(arguments.first()?),
        Ex::CallAt(number, arguments) => first(arguments.first().unwrap_or(number)),
        Ex::Int(_) | Ex::Long(_) | Ex::Global(_) | Ex::Pages => None,
    }
}

fn statement_out(sink: &mut CodeWriter<'_>, statement: &St, open: &mut Vec<Option<BlockLabel>>) {
    match statement {
        St::Set(local, value) => {
            expression(sink, value);
            sink.local_set(local.0);
        }
        St::SetGlobal(global, value) => {
            expression(sink, value);
            sink.global_set(global.0);
        }
        St::Store(mem, address, offset, value) => {
            expression(sink, address);
            expression(sink, value);
            store(sink, *mem, *offset);
        }
        St::Return(value) => {
            expression(sink, value);
            sink.return_();
        }
        St::End => {
            sink.return_();
        }
        St::Do(call, has_result) => {
            expression(sink, call);
            if *has_result {
                sink.drop();
            }
        }
        St::Trap => {
            sink.unreachable();
        }
        St::Copy(to, from, length) => {
            [to, from, length].into_iter().for_each(|part| expression(sink, part));
            sink.memory_copy(0, 0);
        }
        St::Clear(at, length) => {
            expression(sink, at);
            sink.i32_const(0);
            expression(sink, length);
            sink.memory_fill(0);
        }
        St::If(..) | St::While(..) | St::Block(..) | St::Leave(_) => nested(sink, statement, open),
    }
}

/// Writes statements that contain others, and jumps out of these. `open` holds the enclosing blocks; a jump
/// names its target by the number of blocks in between.
fn nested(sink: &mut CodeWriter<'_>, statement: &St, open: &mut Vec<Option<BlockLabel>>) {
    match statement {
        St::If(condition, then, other) => {
            expression(sink, condition);
            sink.if_(BlockType::Empty);
            open.push(None);
            statements(sink, then, open);
            if !other.is_empty() {
                sink.else_();
                statements(sink, other, open);
            }
            open.pop();
            sink.end();
        }
        St::While(condition, body) => {
            // The block is the way out, one level above the loop: 1 leaves, 0 repeats.
            sink.block(BlockType::Empty).loop_(BlockType::Empty);
            expression(sink, condition);
            sink.i32_eqz().br_if(1);
            open.extend([None, None]);
            statements(sink, body, open);
            open.truncate(open.len() - 2);
            sink.br(0).end().end();
        }
        St::Block(label, body) => {
            sink.block(BlockType::Empty);
            open.push(Some(*label));
            statements(sink, body, open);
            open.pop();
            sink.end();
        }
        St::Leave(label) => {
            let depth = open.iter().rev().position(|known| *known == Some(*label)).unwrap_or(0);
            sink.br(depth as u32);
        }
        _ => {}
    }
}

fn argument(mem: Mem, offset: u32) -> MemArg {
    let align = match mem {
        Mem::Byte => 0,
        Mem::Half => 1,
        Mem::Word | Mem::WordWide => 2,
        Mem::Long => 3,
    };
    MemArg { offset: u64::from(offset), align, memory_index: 0 }
}

fn store(sink: &mut CodeWriter<'_>, mem: Mem, offset: u32) {
    let at = argument(mem, offset);
    match mem {
        Mem::Byte => sink.i32_store8(at),
        Mem::Half => sink.i32_store16(at),
        Mem::Word => sink.i32_store(at),
        Mem::WordWide => sink.i64_store32(at),
        Mem::Long => sink.i64_store(at),
    };
}

fn load(sink: &mut CodeWriter<'_>, mem: Mem, offset: u32) {
    let at = argument(mem, offset);
    match mem {
        Mem::Byte => sink.i32_load8_u(at),
        Mem::Half => sink.i32_load16_u(at),
        Mem::Word => sink.i32_load(at),
        Mem::WordWide => sink.i64_load32_u(at),
        Mem::Long => sink.i64_load(at),
    };
}

fn expression(sink: &mut CodeWriter<'_>, value: &Ex) {
    match value {
        Ex::Int(value) => {
            sink.i32_const(*value);
        }
        Ex::Long(value) => {
            sink.i64_const(*value);
        }
        Ex::Get(local) => {
            if sink.ready.take() != Some(*local) {
                sink.local_get(local.0);
            }
        }
        Ex::Global(global) => {
            sink.global_get(global.0);
        }
        Ex::Un(op, inner) => {
            expression(sink, inner);
            unary(sink, *op);
        }
        Ex::Bin(op, left, right) => {
            expression(sink, left);
            expression(sink, right);
            binary(sink, *op);
        }
        Ex::Load(mem, address, offset) => {
            // A constant address becomes part of the offset.
            match **address {
                Ex::Int(at) => {
                    sink.i32_const(0);
                    load(sink, *mem, at as u32 + offset);
                }
                _ => {
                    expression(sink, address);
                    load(sink, *mem, *offset);
                }
            }
        }
        Ex::Call(function, arguments) => {
            arguments.iter().for_each(|argument| expression(sink, argument));
            sink.call(function.0);
        }
        Ex::CallAt(number, arguments) => {
            arguments.iter().for_each(|argument| expression(sink, argument));
            expression(sink, number);
            sink.call_indirect(0, 0);
        }
        Ex::Select(parts) => {
            parts.iter().for_each(|part| expression(sink, part));
            sink.select();
        }
        Ex::Pages => {
            sink.memory_size(0);
        }
        Ex::Grow(pages) => {
            expression(sink, pages);
            sink.memory_grow(0);
        }
    }
}
