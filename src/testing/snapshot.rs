//! Snapshot files: where they are, what they hold, and what can be wrong with one. The form is insta's (a header in
//! YAML, then the text), so that its tools read them. Reading and writing files is left to the caller.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic},
    output::TEXT_VERSION,
    source::Span,
};

/// What is to become of a file that a snapshot was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds just this.
    Same,
    /// There is none yet.
    New,
    /// It holds this text instead.
    Changed(String),
    /// It cannot be compared with.
    Damaged(Damage),
    /// It was accepted in this run.
    Accepted,
}

impl State {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            State::Same => "same",
            State::New => "new",
            State::Changed(_) => "changed",
            State::Damaged(_) => "damaged",
            State::Accepted => "accepted",
        }
    }
}

/// A snapshot that a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The path of its file.
    pub path: String,
    /// Where it is expected.
    pub span: Span,
    /// What is so now.
    pub taken: Taken,
    /// How that compares with the file.
    pub state: State,
    /// What was given when the file was written and is not now, or the other way round.
    pub note: Option<String>,
}

/// What a snapshot file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The name of the policy's file, without its folder.
    pub source: String,
    /// The name of the test.
    pub test: String,
    /// The names of the inventories it was taken with, without their folders.
    pub inventories: Vec<String>,
    /// The offers and their explanation.
    pub text: String,
}

/// Why a snapshot file cannot be compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It was changed after it was written.
    Edited,
    /// Its end is missing.
    CutOff,
    /// It has no header of ours.
    Foreign,
    /// A later version wrote it.
    Newer(u64),
}

impl Damage {
    /// What is told of it, at the place that expects the snapshot.
    pub fn diagnostic(&self, path: &str, span: Span) -> Diagnostic {
        let retake = "look at what changed (`git diff`), then take it anew with `bourse test --accept`";
        let (code, message, help) = match self {
            Damage::Edited => {
                let message =
                    format!("the snapshot `{path}` was edited by hand: its sum does not fit its text");
                (Code::B0701, message, retake.to_owned())
            }
            Damage::CutOff => (Code::B0702, format!("the snapshot `{path}` is cut off"), retake.to_owned()),
            Damage::Foreign => {
                let help = "move the file away, or give the test another name";
                (Code::B0702, format!("`{path}` is no snapshot of bourse"), help.to_owned())
            }
            Damage::Newer(version) => {
                let message = format!(
                    "the snapshot `{path}` has version {version}, and this bourse knows {TEXT_VERSION} at most"
                );
                let help = "use the newer bourse that wrote it, or remove the file and take it anew";
                (Code::B0703, message, help.to_owned())
            }
        };
        Diagnostic::error(code, span, message).label("expected here").help(help)
    }

    /// Whether taking the snapshot anew may write over the file.
    pub fn may_be_replaced(&self) -> bool {
        matches!(self, Damage::Edited | Damage::CutOff)
    }
}

/// The longest part of a test's name that becomes part of a file's.
const NAME_BYTES: usize = 120;

/// The file of a test's snapshot: in `snapshots` beside the policy, called after both.
pub fn path(policy: &str, test: &str) -> String {
    let (folder, file) = policy.rsplit_once('/').map_or(("", policy), |(folder, file)| (folder, file));
    let stem = file.strip_suffix(".policy").unwrap_or(file);
    let slash = if policy.contains('/') { "/" } else { "" };
    format!("{folder}{slash}snapshots/{stem}__{}.snap", file_name(test))
}

/// A name as part of a file's: letters and digits in lower case, a hyphen for whatever else stands between them.
fn file_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let short = (0..=NAME_BYTES.min(out.len())).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0);
    let is_cut = short < out.len();
    out.truncate(short);
    out.truncate(out.trim_end_matches('-').len());
    if is_cut || out.is_empty() {
        out.push_str(&format!("-{}", sum([name])));
    }
    out
}

const BEGIN: &str = "---\n";
const DESCRIPTION: &str = "bourse snapshot ";

impl fmt::Display for Taken {
    /// The whole file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        writeln!(f, "{BEGIN}source: {}", quoted(&self.source))?;
        writeln!(f, "description: {DESCRIPTION}{TEXT_VERSION}")?;
        writeln!(f, "expression: {}", quoted(&self.test))?;
        writeln!(f, "info:")?;
        if !self.inventories.is_empty() {
            writeln!(f, "  inventories:")?;
            self.inventories.iter().try_for_each(|name| writeln!(f, "    - {}", quoted(name)))?;
        }
        writeln!(f, "  lines: {}", self.text.lines().count())?;
        writeln!(f, "  sum: {}", quoted(&self.sum()))?;
        write!(f, "{BEGIN}{}", self.text)
    }
}

impl Taken {
    fn sum(&self) -> String {
        let parts = [self.source.as_str(), self.test.as_str()].into_iter();
        let names = self.inventories.iter().map(String::as_str);
        sum(parts.chain(names).chain(self.text.lines()))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(file: &str) -> Result<Taken, Damage> {
        // Some check texts out with other line ends.
        let file = file.replace("\r\n", "\n");
        let rest = file.strip_prefix(BEGIN).ok_or(Damage::Foreign)?;
        let (head, text) = match rest.split_once("\n---\n") {
            Some((head, text)) => (head, Some(text)),
            None => (rest.trim_end_matches("\n---"), None),
        };
        let header = Header::read(head);
        let version = header.description.strip_prefix(DESCRIPTION).and_then(|text| text.parse::<u64>().ok());
        match (version, text) {
            (Some(version), _) if version > u64::from(TEXT_VERSION) => return Err(Damage::Newer(version)),
            (Some(_), Some(_)) => {}
            (None, Some(_)) => return Err(Damage::Foreign),
            (_, None) => return Err(Damage::CutOff),
        }
        let text: String =
            text.unwrap_or_default().trim_end().lines().map(|line| format!("{line}\n")).collect();
        let taken = Taken { source: header.source, test: header.test, inventories: header.inventories, text };
        let lines = taken.text.lines().count();
        match (header.lines.parse::<usize>(), header.sum == taken.sum()) {
            (Ok(_), true) => Ok(taken),
            (Ok(expected), false) if lines < expected => Err(Damage::CutOff),
            _ => Err(Damage::Edited),
        }
    }
}

/// The fields of a header that are ours; insta may have added others, and written ours another way.
#[derive(Default)]
struct Header {
    source: String,
    description: String,
    test: String,
    inventories: Vec<String>,
    lines: String,
    sum: String,
}

impl Header {
    fn read(text: &str) -> Header {
        let mut header = Header::default();
        for line in text.lines() {
            let line = line.trim();
            if let Some(item) = line.strip_prefix("- ") {
                header.inventories.push(unquoted(item));
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = unquoted(value.trim());
            match key {
                "source" => header.source = value,
                "description" => header.description = value,
                "expression" => header.test = value,
                "lines" => header.lines = value,
                "sum" => header.sum = value,
                _ => {}
            }
        }
        header
    }
}

fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches(['"', '\'']).to_owned())
}

/// A sum that tells an edit by mistake, not one in bad faith: FNV-1a over the parts, each with a line end.
fn sum<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([b'\n']) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{sum:016x}")
}

/// How a snapshot compares with its file, if there is one.
pub(super) fn compare(path: String, span: Span, taken: Taken, file: Option<&str>) -> Snapshot {
    let (state, note) = match file.map(Taken::read) {
        None => (State::New, None),
        Some(Err(damage)) => (State::Damaged(damage), None),
        Some(Ok(stored)) if stored.text == taken.text => (State::Same, None),
        Some(Ok(stored)) => {
            let note = (stored.inventories != taken.inventories).then(|| {
                let named = |names: &[String]| match names {
                    [] => "no inventory".to_owned(),
                    names => format!("`{}`", names.join("`, `")),
                };
                let (then, now) = (named(&stored.inventories), named(&taken.inventories));
                format!("it was taken with {then}, and this run has {now}")
            });
            (State::Changed(stored.text), note)
        }
    };
    Snapshot { path, span, taken, state, note }
}

#[cfg(test)]
mod tests {
    use super::{Damage, Taken, path};

    fn taken() -> Taken {
        Taken {
            source: "p.policy".to_owned(),
            test: "a \"test\": 1".to_owned(),
            inventories: vec!["fleet.json".to_owned()],
            text: "need n: met\n  offer #1\nrole db\n".to_owned(),
        }
    }

    #[test]
    fn files_read_back_and_what_was_done_to_them_is_told_apart() {
        let file = taken().to_string();
        assert_eq!(Taken::read(&file), Ok(taken()));
        assert_eq!(Taken::read(&file.replace('\n', "\r\n")), Ok(taken()));
        assert_eq!(Taken::read(&file.replace("#1", "#2")), Err(Damage::Edited));
        assert_eq!(Taken::read(&file.replace("role db\n", "role db\nmore\n")), Err(Damage::Edited));
        assert_eq!(Taken::read(&file.replace("fleet.json", "other.json")), Err(Damage::Edited));
        assert_eq!(Taken::read(&file.replace("snapshot 1", "snapshot 7")), Err(Damage::Newer(7)));
        assert_eq!(Taken::read("need n: met\n"), Err(Damage::Foreign));
        assert_eq!(Taken::read("---\nsource: x.rs\n---\ntext\n"), Err(Damage::Foreign));
    }

    /// Wherever it is cut, it is never taken for whole.
    #[test]
    fn no_part_of_a_file_is_a_file() {
        let file = taken().to_string();
        for end in 0..file.trim_end().len() {
            let found = Taken::read(&file[..end]);
            let expected = if end < 4 { Damage::Foreign } else { Damage::CutOff };
            // Within the last line no line is missing.
            let is_last_line = end > file.trim_end().rfind('\n').unwrap_or(0) + 1;
            assert!(
                found == Err(expected) || is_last_line && found == Err(Damage::Edited),
                "{end}: {found:?}"
            );
        }
    }

    #[test]
    fn files_are_called_after_policy_and_test() {
        assert_eq!(path("p.policy", "One, two — THREE"), "snapshots/p__one-two-three.snap");
        assert_eq!(path("a/b.policy", "größe"), "a/snapshots/b__größe.snap");
        assert_eq!(path("/b.policy", "../x"), "/snapshots/b__x.snap");
        let long = path("p.policy", &"ö".repeat(500));
        assert!(long.len() < 160 && long != path("p.policy", &"ö".repeat(501)), "{long}");
        assert_ne!(path("p.policy", "!"), path("p.policy", "?"));
    }
}
