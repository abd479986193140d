//! Runs of `apply` beside each other: many at once, killed, through links, and those that wait.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
};

use super::{Folder, Output, finish, json};

const POLICY: &str = "agent a1 { resources { cpus = 100 } }\n";
const STATE: &str = r#"{"format": "bourse.inventory", "version": 1, "serial": 0}"#;

fn folder() -> Folder {
    Folder::new(&[("p.policy", POLICY), ("data/state.json", STATE)])
}

/// An operation that shows in the state who wrote it.
fn reserve(at: usize) -> String {
    format!(
        r#"{{"format": "bourse.operations", "version": 1, "operations": [
        {{"op": "reserve", "name": "r{at}", "role": "db", "agent": "a1", "resources": {{"cpus": 1}}}}]}}"#
    )
}

fn apply<'a>(state: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["apply", "p.policy", "-", "--state", state], more].concat()
}

fn reservations(folder: &Folder) -> Vec<String> {
    let state = json(&folder.read("data/state.json"));
    let list = state["reservations"].as_array().cloned().unwrap_or_default();
    list.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

fn left_over(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("data")).expect("readable");
    let names = entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "state.json" && name != "state.json.lock").collect()
}

/// Links lead to the same state, so they lead to the same lock.
#[cfg(unix)]
#[test]
fn runs_through_links_and_the_file_lose_nothing() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    symlink("data/state.json", folder.path().join("link.json")).expect("a link");
    symlink("data", folder.path().join("folder")).expect("a link");
    let paths = ["data/state.json", "link.json", "folder/state.json"];
    let run = |at: usize| {
        let command = folder.command(&apply(paths[at % paths.len()], &[]));
        std::thread::spawn(move || finish(command, &reserve(at)))
    };
    let runs: Vec<_> = (0..24).map(run).collect();
    for run in runs {
        let output = run.join().expect("ends");
        assert_eq!(output.code, 0, "{output:?}");
    }
    assert_eq!(reservations(&folder).len(), 24);
    assert_eq!(json(&folder.read("data/state.json"))["serial"], 24);
    assert_eq!(left_over(&folder), Vec::<String>::new());
}

/// Whatever a run said before it was killed is done, the file is whole, and the next run removes what is left over.
#[cfg(unix)]
#[test]
fn killed_runs_lose_nothing() {
    let folder = folder();
    let mut said = Vec::new();
    for round in 0..8 {
        let start = |at: usize| {
            let mut command = folder.command(&apply("data/state.json", &[]));
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().expect("the command starts");
            child.stdin.take().expect("piped").write_all(reserve(at).as_bytes()).expect("written");
            (at, child)
        };
        let children: Vec<_> = (0..6).map(|at| start(round * 6 + at)).collect();
        for (at, mut child) in children {
            // Some are killed at once, some while they wait, some have ended.
            if at % 3 != 0 {
                std::thread::sleep(std::time::Duration::from_millis((round * 3) as u64));
                child.kill().expect("killed");
            }
            let mut out = String::new();
            child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
            child.wait().expect("ends");
            if out.contains("is at serial") {
                said.push(format!("r{at}"));
            }
        }
        // The file is whole, and has all that was said.
        let there = reservations(&folder);
        let lost: Vec<&String> = said.iter().filter(|name| !there.contains(name)).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} are lost");
    }
    let mut half = String::from("data/.bourse-");
    half.push_str(&"0".repeat(32));
    half.push_str(".new");
    folder.write(&half, "{\"format\": ");
    let output = finish(folder.command(&apply("data/state.json", &["--wait", "1min"])), &reserve(99));
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(left_over(&folder), Vec::<String>::new());
}

/// A lock file that somebody holds, and that says who.
#[cfg(unix)]
fn held(folder: &Folder, who: &str) -> File {
    let path = folder.path().join("data/state.json.lock");
    let mut file = File::options().create(true).truncate(false).write(true).open(path).expect("open");
    file.lock().expect("locked");
    file.write_all(who.as_bytes()).expect("written");
    file
}

#[cfg(unix)]
#[test]
fn a_wait_is_told_with_who_is_waited_for() {
    let folder = folder();
    let lock = held(&folder, "process 7 on db1: bourse apply\u{1b}[2J\n");
    let mut command = folder.command(&apply("data/state.json", &[]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    child.stdin.take().expect("piped").write_all(reserve(1).as_bytes()).expect("written");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("told");
    assert_eq!(
        line,
        "waiting for `data/state.json`, which `process 7 on db1: bourse apply\\u{1b}[2J` holds\n"
    );
    drop(lock);
    assert!(child.wait().expect("ends").success());
    assert_eq!(reservations(&folder), ["r1"]);
}

#[cfg(unix)]
#[test]
fn a_wait_has_a_bound() {
    let folder = folder();
    let run =
        |more: &[&str]| -> Output { finish(folder.command(&apply("data/state.json", more)), &reserve(1)) };
    let lock = held(&folder, "");
    for wait in ["0s", "20ms"] {
        let output = run(&["--wait", wait]);
        assert_eq!((output.code, output.stdout.as_str()), (4, ""));
        assert!(output.stderr.contains("error B0527"), "{}", output.stderr);
        assert!(output.stderr.contains("`data/state.json` is held by another program"), "{}", output.stderr);
    }
    let output = run(&["--wait", "0s", "--error-format", "json"]);
    assert_eq!((output.code, json(&output.stderr)["diagnostics"][0]["code"].as_str()), (4, Some("B0527")));
    drop(lock);
    assert_eq!(folder.read("data/state.json"), STATE);
    for wait in ["", "1", "1GB", "-1s", "soon"] {
        let output = run(&["--wait", wait]);
        assert_eq!(output.code, 2, "{wait}");
    }
    assert_eq!(run(&["--wait", "0s"]).code, 0);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_replaced_whole_is_refused() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let run = |state: &str, more: &[&str]| finish(folder.command(&apply(state, more)), &reserve(1));
    // A link to nothing leads to where the state begins.
    symlink("data/first.json", folder.path().join("dangling.json")).expect("a link");
    assert_eq!(run("dangling.json", &[]).code, 2);
    assert_eq!(run("dangling.json", &["--init"]).code, 0);
    assert!(fs::symlink_metadata(folder.path().join("dangling.json")).expect("there").is_symlink());
    assert_eq!(json(&folder.read("data/first.json"))["serial"], 1);
    // Under another name of the file, nobody would see the change.
    fs::hard_link(folder.path().join("data/state.json"), folder.path().join("again.json")).expect("a link");
    let output = run("data/state.json", &[]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("a hard link, under which no change would be seen"), "{}", output.stderr);
    assert_eq!(folder.read("data/state.json"), STATE);
    for state in ["/dev/null", "data", "-", "none/state.json"] {
        let output = run(state, &["--init"]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{state}: {output:?}");
        assert!(output.stderr.contains("B0901"), "{state}: {}", output.stderr);
    }
    assert!(!folder.path().join("-").exists() && !folder.path().join("data.lock").exists());
}

/// Errors of a disk are told in words; a device is written to, and stays one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let folder = Folder::new(&[("p.policy", POLICY)]);
    let run = |to: &str| folder.run(&["doc", "p.policy", "-o", to]);
    let output = run("/dev/full");
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("cannot write `/dev/full`: there is no space left on the disk"),
        "{output:?}"
    );
    let output = run("/dev/stdout");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.contains("a1"), "{output:?}");
}
