//! The operators and functions of the language, by name. Their meaning is in `ir::op`.

/// Two-sided conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TestOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `x in SET`
    In,
    /// `SET has x`
    Has,
    /// `SET has any SET`
    HasAny,
    /// `SET has all SET`
    HasAll,
    /// `place within place`
    Within,
}

/// Arithmetic with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// The strength of a rule or place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// A requirement: a candidate for which it does not hold is excluded.
    Require,
    /// A preference: a candidate earns its weight, in millionths, as far as it holds.
    Prefer(i64),
}

impl Strength {
    /// Returns `true` for a requirement.
    pub fn is_required(self) -> bool {
        match self {
            Strength::Require => true,
            Strength::Prefer(_) => false,
        }
    }

    /// Returns `true` for a preference.
    pub fn is_preferred(self) -> bool {
        !self.is_required()
    }

    /// The weight of a preference, in millionths. `None` for a requirement.
    pub fn weight(self) -> Option<i64> {
        match self {
            Strength::Require => None,
            Strength::Prefer(weight) => Some(weight),
        }
    }
}

impl TestOp {
    /// The operator as written.
    pub fn text(self) -> &'static str {
        match self {
            TestOp::Equal => "==",
            TestOp::NotEqual => "!=",
            TestOp::Less => "<",
            TestOp::LessOrEqual => "<=",
            TestOp::Greater => ">",
            TestOp::GreaterOrEqual => ">=",
            TestOp::In => "in",
            TestOp::Has => "has",
            TestOp::HasAny => "has any",
            TestOp::HasAll => "has all",
            TestOp::Within => "within",
        }
    }
}

impl ArithmeticOp {
    /// The operator as written.
    pub fn text(self) -> &'static str {
        match self {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => "/",
        }
    }
}

/// The occasion on which a charge is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargePer {
    /// Once for each volume.
    Volume,
    /// Once for each instance of the need.
    Need,
}

/// The functions of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// `min(a, b, …)`
    Min,
    /// `max(a, b, …)`
    Max,
    /// `abs(a)`
    Abs,
    /// `clamp(x, low, high)`
    Clamp,
    /// `closeness(place, place)`: shared levels / declared levels.
    Closeness,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 5] =
        [Function::Min, Function::Max, Function::Abs, Function::Clamp, Function::Closeness];

    /// The name as written.
    pub fn name(self) -> &'static str {
        match self {
            Function::Min => "min",
            Function::Max => "max",
            Function::Abs => "abs",
            Function::Clamp => "clamp",
            Function::Closeness => "closeness",
        }
    }

    /// The function with this name.
    pub fn from_name(name: &str) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.name() == name)
    }

    /// The least and the greatest number of arguments.
    pub fn arity(self) -> (usize, usize) {
        match self {
            Function::Min | Function::Max => (2, 16),
            Function::Abs => (1, 1),
            Function::Clamp => (3, 3),
            Function::Closeness => (2, 2),
        }
    }

    /// The form of a call, for messages.
    pub fn signature(self) -> &'static str {
        match self {
            Function::Min => "min(a, b, …)",
            Function::Max => "max(a, b, …)",
            Function::Abs => "abs(x)",
            Function::Clamp => "clamp(x, low, high)",
            Function::Closeness => "closeness(place, place)",
        }
    }
}
