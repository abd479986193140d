//! The codes of diagnostics. Each has a page in `docs/codes/`, with an example that a test shows to give
//! exactly this code.

use std::fmt;

macro_rules! codes {
    ($($name:ident $title:literal),* $(,)?) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// Returns the code as text: `B0301`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => stringify!($name),)* }
            }

            /// Returns a description in one line.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }

        /// Returns the page about a code, in Markdown.
        pub fn explain(code: Code) -> &'static str {
            match code {
                $(Code::$name => include_str!(concat!("../../docs/codes/", stringify!($name), ".md")),)*
            }
        }
    };
}

codes! {
    // text and syntax
    B0101 "a source that is not UTF-8",
    B0102 "a hidden character in a source or a name",
    B0103 "a text that does not end",
    B0104 "a bracket without its partner",
    B0105 "brackets nested too deep",
    B0106 "a source that is too large",
    B0107 "something else than was expected here",
    B0108 "a word that begins no declaration or statement",
    B0109 "an unknown unit",
    B0110 "more digits than the unit holds",
    B0111 "a number that is too large",
    B0112 "a malformed literal",
    B0113 "a chain of comparisons",
    B0114 "an expression or list that is too large",
    B0115 "a list of unlike members",
    B0116 "a source that declares nothing",
    // names
    B0201 "a name declared twice",
    B0202 "an unknown class",
    B0203 "an unknown name",
    B0204 "an unknown module",
    B0205 "a module without this name",
    B0206 "files that use each other",
    B0207 "classes or lets that include each other",
    B0208 "a statement where it does not belong",
    B0209 "a missing or unusable name",
    B0210 "a used file that cannot be found",
    B0211 "a key named like a built-in",
    B0212 "something said twice",
    B0213 "an unknown need, volume, agent or pool",
    B0214 "a name with two readings",
    B0215 "a side that is unknown or not meant here",
    B0216 "an unknown type",
    B0217 "a place by an unknown key",
    B0218 "an unknown function",
    B0219 "something required that is missing",
    B0220 "a name that looks like another",
    // types
    B0301 "types that disagree",
    B0302 "dimensions that differ",
    B0303 "something else than a condition",
    B0304 "an order of what has none",
    B0305 "a set where there is none",
    B0306 "the wrong number of arguments",
    B0307 "a class for another side",
    B0308 "a number out of its range",
    B0309 "a key that the schema does not declare",
    B0310 "an invalid pattern",
    B0311 "an invalid place",
    B0312 "something else than a literal",
    B0313 "a rule that costs too much",
    B0314 "an amount of the wrong form",
    B0315 "a resource read as a key",
    B0316 "a key or resource that looks misspelt",
    // needs and rules
    B0401 "a need that names a fine-grained key",
    B0402 "a key of a side that is not in view",
    B0403 "a charge on something else than an agent's resource",
    B0404 "a need that asks for nothing",
    B0405 "a rule that does not reach a need without volumes",
    // inventories
    B0501 "data that is not JSON",
    B0502 "a value of the wrong type or form",
    B0503 "an unknown field",
    B0504 "a missing field",
    B0505 "an unknown format or version",
    B0506 "a name given twice in the inventory",
    B0507 "a negative amount",
    B0508 "more allocated than there is",
    B0509 "an allocation or a reservation of something unknown",
    B0510 "options that make no sense",
    B0511 "a value of another type than its key",
    B0512 "a value that was rounded",
    B0513 "levels or a domain stated in two ways",
    B0514 "an inventory or table that is too large",
    B0515 "a table that cannot be imported",
    B0516 "a limit below what is used already",
    B0517 "more reserved than is unreserved",
    B0518 "a change for which the fleet is bound anew",
    // states and operations
    B0521 "an inventory that is no state",
    B0522 "an operation that takes more than is free",
    B0523 "an operation on something that is gone",
    B0524 "an operation that makes what is there already",
    B0525 "an operation on something that is in use",
    B0526 "a state that was changed meanwhile",
    B0527 "a state that another run holds",
    // analysis
    B0601 "a class that can never hold",
    B0602 "a class that always holds",
    B0603 "a requirement that can never hold",
    B0604 "a requirement that always holds",
    B0605 "a need whose conditions exclude each other",
    B0606 "a class that adds nothing to another",
    B0607 "a need that nothing declared can serve",
    B0608 "a need that can never be met in full",
    B0609 "a preference that never discriminates",
    B0610 "a name that nothing uses",
    B0611 "an analysis that a bound ended",
    // tests
    B0701 "a snapshot that was edited by hand",
    B0702 "a snapshot that is not whole",
    B0703 "a snapshot of a newer version",
    B0704 "two tests with one snapshot",
    B0705 "a snapshot without its test",
    B0706 "nobody to ask",
    // plugins, as they are run
    B0801 "a plugin that is no component",
    B0802 "a plugin of another world or version",
    B0803 "a plugin that is too large",
    B0804 "a plugin that asks for more than it is granted",
    B0805 "a plugin whose description does not hold",
    B0806 "a plugin that answers what it was not asked",
    B0807 "a plugin that failed",
    B0808 "a plugin that took more than its limits",
    B0809 "plugins are not built in",
    B0810 "a plugin that is not granted what it reads",
    // plugins and compiled policies, as they are built and read
    B0811 "a policy that no plugin can hold",
    B0812 "a file that is neither a plugin nor a compiled policy",
    B0813 "a compiled policy of another version",
    B0814 "a compiled policy that is not whole",
    // plugins, as they are compiled
    B0815 "a plugin that could not be compiled",
    // the command line
    B0901 "a file that cannot be read",
    B0902 "no policies found",
    B0903 "a need that is not there",
    B0904 "no tests found",
    B0905 "needs too large for one cycle",
    B0906 "a defect of bourse",
    B0907 "classes that cannot be compared",
    B0908 "problems that a framework is not told of",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    /// Parses `B0301`, in either case.
    fn from_str(text: &str) -> Result<Code, String> {
        let found = Code::ALL.iter().copied().find(|code| code.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| match suggest(text) {
            Some(code) => format!("no code `{text}`; did you mean `{code}`?"),
            None => format!("no code `{text}`; codes look like `B0301`"),
        })
    }
}

/// Returns the code that is most similar to a mistyped one.
pub fn suggest(text: &str) -> Option<Code> {
    let name = super::nearest(text, Code::ALL.iter().map(|code| code.name()))?;
    Code::ALL.iter().copied().find(|code| code.name() == name)
}
