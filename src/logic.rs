//! Kleene's strong three-valued logic (S. C. Kleene, Introduction to Metamathematics, 1952, § 64).
//!
//! Conditions over keys that may be absent need a third value. The order False < Unknown < True makes `and`
//! the minimum and `or` the maximum.

use std::fmt;

/// A truth value. Unknown never passes a requirement and never earns a preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// The condition does not hold.
    False,
    /// The condition has no answer: a key is absent or of another type, a computation failed, or a plugin
    /// does not answer.
    Unknown,
    /// The condition holds.
    True,
}

impl Truth {
    /// The word for the value.
    pub fn name(self) -> &'static str {
        match self {
            Truth::False => "false",
            Truth::Unknown => "unknown",
            Truth::True => "true",
        }
    }

    /// The conjunction: false if either is false, else unknown if either is unknown, else true.
    pub fn and(self, other: Truth) -> Truth {
        self.min(other)
    }

    /// The disjunction: true if either is true, else unknown if either is unknown, else false.
    pub fn or(self, other: Truth) -> Truth {
        self.max(other)
    }

    /// The negation: swaps true and false. Unknown stays.
    pub fn negate(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }

    /// Returns `true` for [`Truth::True`] alone.
    pub fn holds(self) -> bool {
        self == Truth::True
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    const ALL: [Truth; 3] = [False, Unknown, True];

    #[test]
    fn tables_are_those_of_kleene() {
        for a in ALL {
            assert_eq!(False.and(a), False);
            assert_eq!(True.or(a), True);
            assert_eq!(True.and(a), a);
            assert_eq!(False.or(a), a);
            assert_eq!(a.negate().negate(), a);
            for b in ALL {
                assert_eq!(a.and(b), b.and(a));
                assert_eq!(a.or(b).negate(), a.negate().and(b.negate()), "De Morgan");
            }
        }
        assert_eq!(Unknown.and(Unknown), Unknown);
        assert_eq!(Unknown.or(Unknown), Unknown);
        assert!(!Unknown.holds());
    }
}
