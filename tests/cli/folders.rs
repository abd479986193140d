//! A folder of policies: whatever looks like one is read, or it is an error.

use std::{fs, path::Path};

use super::Folder;

const NEED: &str = "need n { agent { cpus = 2 } }\n";
const AGENT: &str = "agent a { resources { cpus = 4 } }\n";

/// `check` refuses the folder `f`, and says this.
#[track_caller]
fn refused(folder: &Folder, told: &[&str]) {
    for command in ["check", "offers", "test", "doc", "diff", "fmt"] {
        let args = if command == "diff" { vec![command, "f", "f"] } else { vec![command, "f"] };
        let output = folder.run(&args);
        assert_eq!(output.code, 2, "{command}: {output:?}");
        assert!(output.stderr.contains("B0901"), "{command}: {output:?}");
        // Frames break long lines.
        let said: String = output.stderr.split_whitespace().filter(|word| *word != "│").collect();
        for text in told {
            let text: String = text.split_whitespace().collect();
            assert!(said.contains(&text), "{command}: {output:?}");
        }
    }
}

#[track_caller]
fn reads(folder: &Folder, files: usize) {
    let output = folder.run(&["check", "f"]);
    let plural = if files == 1 { "" } else { "s" };
    assert!(output.stdout.contains(&format!("checked {files} file{plural}:")), "{output:?}");
    assert_eq!(output.code, 0, "{output:?}");
}

#[test]
fn a_directory_named_as_a_policy_is_no_folder_of_policies() {
    let folder = Folder::new(&[("f/a.policy", AGENT), ("f/x.policy/b.policy", NEED)]);
    refused(&folder, &["`f/x.policy`: it is a directory"]);
}

#[test]
fn an_ending_in_capitals_is_no_other_kind_of_file() {
    let folder = Folder::new(&[("f/a.policy", AGENT), ("f/B.POLICY", NEED), ("f/c.policy ", NEED)]);
    refused(&folder, &["`f/B.POLICY`: its name ends almost", "`f/c.policy `: its name ends almost"]);
}

#[test]
fn left_overs_of_editors_are_no_policies() {
    let files = ["f/a.policy~", "f/a.policy.bak", "f/#a.policy#", "f/.a.policy.swp", "f/a.policy.orig"];
    let mut files: Vec<(&str, &str)> = files.iter().map(|name| (*name, "no policy {")).collect();
    files.push(("f/a.policy", AGENT));
    files.push(("f/.hidden.policy", NEED));
    reads(&Folder::new(&files), 2);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener};

    use super::*;

    fn link(folder: &Folder, target: &str, name: &str) {
        symlink(target, folder.path().join(name)).expect("links are made");
    }

    fn pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is there");
        assert!(made.success());
    }

    #[test]
    fn links_that_lead_nowhere_are_told() {
        let folder = Folder::new(&[("f/a.policy", AGENT)]);
        link(&folder, "gone.policy", "f/rules.policy");
        link(&folder, "/nowhere/at/all", "f/shared");
        link(&folder, "b.policy", "f/c.policy");
        link(&folder, "c.policy", "f/b.policy");
        let told = [
            "`f/rules.policy`: it is a link to `gone.policy`, which is not there",
            "`f/shared`: it is a link to `/nowhere/at/all`",
            "`f/b.policy`:",
            "`f/c.policy`:",
        ];
        refused(&folder, &told);
    }

    #[test]
    fn what_is_no_file_is_told_and_never_waited_for() {
        let folder = Folder::new(&[("f/a.policy", AGENT)]);
        pipe(&folder.path().join("f/p.policy"));
        let _socket = UnixListener::bind(folder.path().join("f/s.policy")).expect("a socket");
        link(&folder, "/dev/null", "f/d.policy");
        let told = ["`f/p.policy`: it is no", "`f/s.policy`: it is no", "`f/d.policy`: it is no"];
        refused(&folder, &told);
    }

    #[test]
    fn a_name_that_is_no_text_is_told() {
        let folder = Folder::new(&[("f/a.policy", AGENT)]);
        let name = std::ffi::OsStr::from_bytes(b"f/\xff.policy");
        fs::write(folder.path().join(name), NEED).expect("is written");
        refused(&folder, &[".policy`: its name is not UTF-8"]);
    }

    /// As the kubelet lays out a volume (`AtomicWriter`), with another version that it is about to remove.
    #[test]
    fn a_mounted_volume_is_read_once() {
        let folder = Folder::new(&[
            ("f/..2024_06_01/a.policy", AGENT),
            ("f/..2024_06_01/deep/n.policy", NEED),
            ("f/..2024_05_31/a.policy", "agent a { resources { cpus = 1 } }\n"),
            ("f/..2024_05_31/gone.policy", "need gone { agent { cpus = 1 } }\n"),
        ]);
        link(&folder, "..2024_06_01", "f/..data");
        link(&folder, "..data/a.policy", "f/a.policy");
        link(&folder, "..data/deep", "f/deep");
        reads(&folder, 2);
        let output = folder.run(&["offers", "f"]);
        assert!(output.stdout.contains("1 offer; 1 need"), "{output:?}");
        // A version that is not whole is no version.
        fs::remove_file(folder.path().join("f/..2024_06_01/a.policy")).expect("is removed");
        refused(&folder, &["`f/a.policy`: it is a link to"]);
    }

    #[test]
    fn two_points_hide_nothing_elsewhere() {
        let folder = Folder::new(&[("f/a.policy", AGENT), ("f/..old/n.policy", NEED)]);
        reads(&folder, 2);
    }

    #[test]
    fn links_to_folders_are_followed_once() {
        let folder = Folder::new(&[("f/a.policy", AGENT), ("shared/n.policy", NEED)]);
        link(&folder, "../shared", "f/shared");
        reads(&folder, 2);
        link(&folder, "../shared", "f/again");
        link(&folder, "..", "f/above");
        link(&folder, ".", "f/itself");
        reads(&folder, 2);
    }

    #[test]
    fn folders_that_lead_to_each_other_twice_are_walked_once_each() {
        let folder = Folder::new(&[("f/a.policy", AGENT)]);
        for at in 0..30 {
            fs::create_dir(folder.path().join(format!("f/d{at}"))).expect("is made");
        }
        for at in 0..29 {
            for name in ["l", "r"] {
                link(&folder, &format!("../d{}", at + 1), &format!("f/d{at}/{name}"));
            }
        }
        fs::write(folder.path().join("f/d29/n.policy"), NEED).expect("is written");
        reads(&folder, 2);
    }

    #[test]
    fn a_file_of_several_names_is_read_once() {
        let folder = Folder::new(&[("f/a.policy", AGENT), ("f/n.policy", NEED)]);
        link(&folder, "n.policy", "f/m.policy");
        reads(&folder, 2);
        let output = folder.run(&["check", "f/m.policy", "f/n.policy", "f"]);
        assert!(output.stdout.contains("checked 2 files:"), "{output:?}");
    }

    #[test]
    fn an_unsaved_change_of_emacs_stops_nobody() {
        let folder = Folder::new(&[("f/a.policy", AGENT)]);
        link(&folder, "me@host.123:456", "f/.#a.policy");
        reads(&folder, 1);
    }

    #[test]
    fn a_snapshot_that_is_a_pipe_is_told_and_never_waited_for() {
        let folder =
            Folder::new(&[("p.policy", &format!("{AGENT}{NEED}test \"t\" {{ expect snapshot }}\n"))]);
        fs::create_dir(folder.path().join("snapshots")).expect("is made");
        pipe(&folder.path().join("snapshots/p__t.snap"));
        let output = folder.run(&["test", "p.policy"]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("it is not a file"), "{output:?}");
    }
}
