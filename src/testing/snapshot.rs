//! Snapshot files: their paths, their form, and the ways in which one can be damaged.
//!
//! The form is that of the insta crate (a header in YAML between two lines `---`, then the text), so its
//! tools can review them. The header has the number of lines, and a checksum of its names and of the text: a
//! file that was cut off or edited by hand never counts as the expected text. The caller reads and writes the
//! files.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic},
    output::TEXT_VERSION,
    source::Span,
};

/// The result of comparing a snapshot with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotResult {
    /// The file has the same text.
    Same,
    /// There is no file yet.
    New,
    /// The file has this text instead.
    Changed(String),
    /// The file cannot be compared with.
    Damaged(Damage),
    /// The snapshot was accepted in this run; the file is to be written.
    Accepted,
}

impl SnapshotResult {
    /// The word for this state in outputs.
    pub fn name(&self) -> &'static str {
        match self {
            SnapshotResult::Same => "same",
            SnapshotResult::New => "new",
            SnapshotResult::Changed(_) => "changed",
            SnapshotResult::Damaged(_) => "damaged",
            SnapshotResult::Accepted => "accepted",
        }
    }
}

/// A snapshot that a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The path of its file.
    pub path: String,
    /// The place of the statement `expect snapshot`.
    pub span: Span,
    /// The snapshot as this run took it.
    pub taken: SnapshotFile,
    /// The result of comparing it with the file.
    pub state: SnapshotResult,
    /// A remark for the reader of a difference: the file was taken with other inventories.
    pub note: Option<String>,
}

/// The content of a snapshot file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The name of the policy's file, without its folder.
    pub source: String,
    /// The name of the test.
    pub test: String,
    /// The names of the inventories that it was taken with, without their folders.
    pub inventories: Vec<String>,
    /// The offers and their explanation.
    pub text: String,
}

/// The reason why a snapshot file cannot be compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The checksum does not fit: the file was changed after it was written.
    Edited,
    /// The end of the file is missing.
    CutOff,
    /// The file has no header of this program.
    Foreign,
    /// A later version of the format, with this number.
    Newer(u64),
}

impl Damage {
    /// Returns the diagnostic, at the place that expects the snapshot.
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

    /// Returns `true` if accepting the snapshot may write over the file.
    pub fn may_be_replaced(&self) -> bool {
        matches!(self, Damage::Edited | Damage::CutOff)
    }
}

/// The most bytes of a test's name that become part of a file name.
const NAME_BYTES: usize = 120;

/// Returns the path of a test's snapshot: `snapshots/POLICY__TEST.snap` beside the policy.
pub fn path(policy: &str, test: &str) -> String {
    let (folder, file) = policy.rsplit_once('/').map_or(("", policy), |(folder, file)| (folder, file));
    let stem = file.strip_suffix(".policy").unwrap_or(file);
    let slash = if policy.contains('/') { "/" } else { "" };
    format!("{folder}{slash}snapshots/{stem}__{}.snap", file_name(test))
}

/// Returns a name as part of a file name: letters and digits in lower case, and a hyphen for anything between
/// them.
///
/// A name that is cut at [`NAME_BYTES`], or of which nothing remains, has a checksum of the full name at its
/// end, so that two such names do not share a file.
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

impl fmt::Display for SnapshotFile {
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

impl SnapshotFile {
    /// Returns the checksum of the names in the header and of the lines of the text.
    fn sum(&self) -> String {
        let parts = [self.source.as_str(), self.test.as_str()].into_iter();
        let names = self.inventories.iter().map(String::as_str);
        sum(parts.chain(names).chain(self.text.lines()))
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// The damage, if the file is not just as it was written. Line ends and blank lines at the end do not
    /// count.
    pub fn read(file: &str) -> Result<SnapshotFile, Damage> {
        // Git may check out text with the line ends of Windows.
        let file = file.replace("\r\n", "\n");
        let rest = file.strip_prefix(BEGIN).ok_or(Damage::Foreign)?;
        let (head, text) = match rest.split_once("\n---\n") {
            Some((head, text)) => (head, Some(text)),
            None => (rest.trim_end_matches("\n---"), None),
        };
        let header = Header::read(head);
        let version = header.description.strip_prefix(DESCRIPTION).and_then(|text| text.parse::<u64>().ok());
        match (version, text) {
            // Comes first: nothing else is known of the form of a later version.
            (Some(version), _) if version > u64::from(TEXT_VERSION) => return Err(Damage::Newer(version)),
            (Some(_), Some(_)) => {}
            (None, Some(_)) => return Err(Damage::Foreign),
            (_, None) => return Err(Damage::CutOff),
        }
        let text: String =
            text.unwrap_or_default().trim_end().lines().map(|line| format!("{line}\n")).collect();
        let taken =
            SnapshotFile { source: header.source, test: header.test, inventories: header.inventories, text };
        let lines = taken.text.lines().count();
        match (header.lines.parse::<usize>(), header.sum == taken.sum()) {
            (Ok(_), true) => Ok(taken),
            // An edit may also remove lines. It is then reported as a cut, and the help is the same.
            (Ok(expected), false) if lines < expected => Err(Damage::CutOff),
            _ => Err(Damage::Edited),
        }
    }
}

/// The fields of a header that matter here.
///
/// Read leniently, line by line, as the tools of insta add fields of their own and quote values in other
/// ways. The checksum decides in the end.
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

/// Removes the quotes of a YAML value: in JSON's form, as written here, or plain ones.
fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches(['"', '\'']).to_owned())
}

/// Returns a checksum that finds edits by mistake, not those in bad faith: 64-bit FNV-1a over the parts, each
/// with a line end.
fn sum<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([b'\n']) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{sum:016x}")
}

/// Compares a snapshot with the text of its file, if there is one.
pub(super) fn compare(path: String, span: Span, taken: SnapshotFile, file: Option<&str>) -> Snapshot {
    let (state, note) = match file.map(SnapshotFile::read) {
        None => (SnapshotResult::New, None),
        Some(Err(damage)) => (SnapshotResult::Damaged(damage), None),
        Some(Ok(stored)) if stored.text == taken.text => (SnapshotResult::Same, None),
        Some(Ok(stored)) => {
            let note = (stored.inventories != taken.inventories).then(|| {
                let named = |names: &[String]| match names {
                    [] => "no inventory".to_owned(),
                    names => format!("`{}`", names.join("`, `")),
                };
                let (then, now) = (named(&stored.inventories), named(&taken.inventories));
                format!("it was taken with {then}, and this run has {now}")
            });
            (SnapshotResult::Changed(stored.text), note)
        }
    };
    Snapshot { path, span, taken, state, note }
}

#[cfg(test)]
mod tests {
    use super::{Damage, SnapshotFile, path};

    fn taken() -> SnapshotFile {
        SnapshotFile {
            source: "p.policy".to_owned(),
            test: "a \"test\": 1".to_owned(),
            inventories: vec!["fleet.json".to_owned()],
            text: "need n: met\n  offer #1\nrole db\n".to_owned(),
        }
    }

    #[test]
    fn files_read_back_and_what_was_done_to_them_is_told_apart() {
        let file = taken().to_string();
        assert_eq!(SnapshotFile::read(&file), Ok(taken()));
        assert_eq!(SnapshotFile::read(&file.replace('\n', "\r\n")), Ok(taken()));
        assert_eq!(SnapshotFile::read(&file.replace("#1", "#2")), Err(Damage::Edited));
        assert_eq!(SnapshotFile::read(&file.replace("role db\n", "role db\nmore\n")), Err(Damage::Edited));
        assert_eq!(SnapshotFile::read(&file.replace("fleet.json", "other.json")), Err(Damage::Edited));
        assert_eq!(SnapshotFile::read(&file.replace("snapshot 1", "snapshot 7")), Err(Damage::Newer(7)));
        assert_eq!(SnapshotFile::read("need n: met\n"), Err(Damage::Foreign));
        assert_eq!(SnapshotFile::read("---\nsource: x.rs\n---\ntext\n"), Err(Damage::Foreign));
    }

    /// A file that is cut anywhere is never taken for whole.
    #[test]
    fn no_part_of_a_file_is_a_file() {
        let file = taken().to_string();
        for end in 0..file.trim_end().len() {
            let found = SnapshotFile::read(&file[..end]);
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
