//! Small words to write inputs with.

use crate::work::Input;

/// As many lines, each made of its number.
pub fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| line(number) + "\n").collect()
}

/// As many members with commas between, each made of its number.
pub fn list(count: usize, member: impl Fn(usize) -> String) -> String {
    (0..count).map(member).collect::<Vec<_>>().join(", ")
}

/// A set of one file.
pub fn policy(text: impl Into<String>) -> Input {
    Input { policies: vec![("doubling.policy".to_owned(), text.into())], ..Input::default() }
}

/// A document of a format with these fields.
fn document(format: &str, fields: &str) -> String {
    format!("{{\"format\": \"bourse.{format}\", \"version\": 1, {fields}}}")
}

impl Input {
    /// With more statements in its file.
    pub fn and(mut self, text: impl AsRef<str>) -> Input {
        self.policies[0].1.push_str(text.as_ref());
        self
    }

    /// With an inventory of these fields.
    pub fn with(mut self, fields: impl AsRef<str>) -> Input {
        self.inventories.push(document("inventory", fields.as_ref()));
        self
    }

    /// With a state of these fields.
    pub fn in_state(mut self, fields: impl AsRef<str>) -> Input {
        self.state = Some(document("inventory", fields.as_ref()));
        self
    }

    /// With these operations.
    pub fn asked(mut self, operations: impl AsRef<str>) -> Input {
        self.operations = document("operations", &format!("\"operations\": [{}]", operations.as_ref()));
        self
    }
}
