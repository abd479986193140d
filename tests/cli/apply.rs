//! `bourse apply` and `bourse shares`, run as a broker runs them.

use std::fs;

use serde_json::{Value, json};

use super::{Folder, finish, json, schema_problems};

const POLICY: &str = r#"
role "db" { weight = 2, limit { cpus = 12 } }
role "db/ads" { weight = 3 }
provider array { instance hall { pool ssd { resources { size = 10TB } } } }
framework db { role = "db", need ring { count = 3, agent { cpus = 2 }, volume data { size = 2TB } } }
framework ads { role = "db/ads", need one { agent { cpus = 1 } } }
need web { agent { cpus = 3 } }
"#;
const FLEET: &str = r#"{"format": "bourse.inventory", "version": 1, "agents": [
  {"name": "a1", "resources": {"cpus": 8}}, {"name": "a2", "resources": {"cpus": 4}}]}"#;

fn folder() -> Folder {
    Folder::new(&[("p.policy", POLICY), ("fleet.json", FLEET)])
}

fn offers(folder: &Folder, more: &[&str]) -> Value {
    let args = [&["offers", "p.policy", "-i", "fleet.json", "--format", "json"], more].concat();
    json(&folder.run(&args).stdout)
}

/// Launches of these offers, as `jq` would write them.
fn launches(offers: &Value, ids: &[&str]) -> String {
    let offer = |id: &&str| {
        let all = offers["offers"].as_array().expect("offers");
        let offer = all.iter().find(|offer| offer["id"] == **id).unwrap_or_else(|| panic!("{id} in {all:?}"));
        json!({"op": "launch", "offer": offer})
    };
    let operations: Vec<Value> = ids.iter().map(offer).collect();
    json!({"format": "bourse.operations", "version": 1, "operations": operations}).to_string()
}

const APPLY: [&str; 6] = ["apply", "p.policy", "-i", "fleet.json", "--state", "state.json"];

#[test]
fn offers_are_piped_into_a_state_and_the_state_into_offers() {
    let folder = folder();
    let first = offers(&folder, &[]);
    let operations = launches(&first, &["db.ring#1", "web#1"]);
    let missing = folder.run_with(&[&APPLY[..], &["-"]].concat(), &operations);
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    assert!(missing.stderr.contains("`--init`"), "{}", missing.stderr);
    let dry = folder.run_with(&[&APPLY[..], &["--init", "--dry-run", "-"]].concat(), &operations);
    assert_eq!((dry.code, dry.stderr.as_str()), (0, ""));
    assert!(dry.stdout.contains("+ allocation web#1"), "{}", dry.stdout);
    assert!(!folder.path().join("state.json").exists(), "a dry run writes nothing");
    let done = folder.run_with(&[&APPLY[..], &["--init", "-", "--format", "json"]].concat(), &operations);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let told = json(&done.stdout);
    assert_eq!(schema_problems("schema/applied.schema.json", &told), Vec::<String>::new());
    assert_eq!((&told["outcome"], &told["serial"]), (&json!("applied"), &json!(1)));
    let next = offers(&folder, &["-i", "state.json"]);
    let before: Vec<&Value> =
        next["needs"].as_array().expect("needs").iter().map(|need| &need["allocated"]).collect();
    assert_eq!(before, [1, 0, 1]);
}

#[test]
fn conflicts_are_told_and_nothing_is_written() {
    let folder = folder();
    let first = offers(&folder, &[]);
    let once = launches(&first, &["web#1"]);
    folder.run_with(&[&APPLY[..], &["--init", "-"]].concat(), &once);
    let before = folder.read("state.json");
    let twice = folder.run_with(&[&APPLY[..], &["-", "--format", "json"]].concat(), &once);
    assert_eq!(twice.code, 1, "{twice:?}");
    let told = json(&twice.stdout);
    assert_eq!(schema_problems("schema/applied.schema.json", &told), Vec::<String>::new());
    assert_eq!((&told["outcome"], &told["written"]), (&json!("conflicts"), &json!(false)));
    assert_eq!(told["conflicts"][0]["code"], "B0524");
    assert!(
        twice.stderr.contains("operations[0]: there is an allocation `web#1` already"),
        "{}",
        twice.stderr
    );
    assert_eq!(folder.read("state.json"), before);
    // Operations that say which state they are for are not done on another.
    let stale = once.replacen("\"version\":1", "\"version\":1,\"serial\":0", 1);
    let stale = folder.run_with(&[&APPLY[..], &["-"]].concat(), &stale);
    assert_eq!(stale.code, 1);
    assert!(stale.stderr.contains("B0526"), "{}", stale.stderr);
    assert_eq!(folder.read("state.json"), before);
}

#[test]
fn wrong_input_leaves_the_state_alone() {
    let folder = folder();
    folder.write("state.json", r#"{"format": "bourse.inventory", "version": 1, "serial": 5}"#);
    let before = folder.read("state.json");
    let run = |args: &[&str], stdin: &str| {
        let output = folder.run_with(&[&APPLY[..], args].concat(), stdin);
        assert_eq!(folder.read("state.json"), before, "{output:?}");
        output
    };
    assert_eq!(run(&["-"], "{").code, 3);
    assert_eq!(run(&["-"], r#"{"format": "bourse.inventory", "version": 1}"#).code, 3);
    assert_eq!(run(&["none.json"], "").code, 2);
    assert_eq!(run(&[], "").code, 2);
    let unknown =
        run(&["-"], r#"{"format": "bourse.operations", "version": 1, "operations": [{"op": "lunch"}]}"#);
    assert!(unknown.stderr.contains("did you mean \"launch\"?"), "{}", unknown.stderr);
    let nothing = run(&["-"], r#"{"format": "bourse.operations", "version": 1, "operations": []}"#);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "`state.json` is at serial 5\n"));
    folder.write("fleet-as-state.json", FLEET);
    let args = ["apply", "p.policy", "--state", "fleet-as-state.json", "-"];
    let output = folder.run_with(&args, r#"{"format": "bourse.operations", "version": 1, "operations": []}"#);
    assert_eq!(output.code, 3);
    assert!(output.stderr.contains("B0521"), "{}", output.stderr);
}

/// Every run sees what the others wrote: none is lost, and the serial counts them.
#[test]
fn writers_wait_for_each_other() {
    let folder = folder();
    folder.write("state.json", r#"{"format": "bourse.inventory", "version": 1, "serial": 0}"#);
    let runs: Vec<_> = (0..6)
        .map(|at| {
            let operation = format!(
                r#"{{"op": "reserve", "name": "r{at}", "role": "db", "agent": "a1", "resources": {{"cpus": 1}}}}"#
            );
            let text = format!(
                r#"{{"format": "bourse.operations", "version": 1, "operations": [{operation}]}}"#
            );
            let command = folder.command(&[&APPLY[..], &["-"]].concat());
            std::thread::spawn(move || finish(command, &text))
        })
        .collect();
    for run in runs {
        let output = run.join().expect("ends");
        assert_eq!(output.code, 0, "{output:?}");
    }
    let state = json(&folder.read("state.json"));
    assert_eq!(state["serial"], 6);
    assert_eq!(state["reservations"].as_array().map(Vec::len), Some(6));
    let left: Vec<String> = fs::read_dir(folder.path())
        .expect("readable")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".new"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing half written is left behind");
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder();
    folder.write("real.json", r#"{"format": "bourse.inventory", "version": 1, "serial": 0}"#);
    let real = folder.path().join("real.json");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("real.json", folder.path().join("state.json")).expect("a link");
    let operations = launches(&offers(&folder, &[]), &["web#1"]);
    assert_eq!(folder.run_with(&[&APPLY[..], &["-"]].concat(), &operations).code, 0);
    assert!(fs::symlink_metadata(folder.path().join("state.json")).expect("there").is_symlink());
    assert_eq!(fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o640);
    assert_eq!(json(&folder.read("real.json"))["serial"], 1);
}

#[test]
fn shares_before_and_after() {
    let folder = folder();
    let operations = launches(&offers(&folder, &[]), &["db.ring#1"]);
    folder.run_with(&[&APPLY[..], &["--init", "-"]].concat(), &operations);
    let args = ["shares", "p.policy", "-i", "fleet.json", "-i", "state.json"];
    let table = folder.run(&args);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("shares", table.stdout);
    let told = json(&folder.run(&[&args[..], &["--format", "json"]].concat()).stdout);
    assert_eq!(schema_problems("schema/shares.schema.json", &told), Vec::<String>::new());
    // 2 of 12 CPUs, and 2 of 10 TB; then 6 and 1 of 12, and 6 of 10.
    let db = told["roles"].as_array().expect("roles").iter().find(|role| role["role"] == "db").expect("db");
    assert_eq!((&db["share_before"], &db["dominant_before"]), (&json!("1/5"), &json!("pool.size")));
    assert_eq!((&db["share"], &db["dominant"]), (&json!("3/5"), &json!("pool.size")));
}

/// The session of the documentation is what the command does, line by line.
#[test]
fn the_documented_session_is_real() {
    let page = fs::read_to_string("docs/state.md").expect("the page");
    let folder = Folder::new(&[]);
    let mut real = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        real.push_str(line);
        real.push('\n');
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(' ') {
            Some((_, name)) => folder.write(name, &format!("{}\n", body.join("\n"))),
            None if info == "console" => {
                let commands = body.iter().filter(|line| line.starts_with("$ "));
                real.push_str(
                    &commands
                        .map(|command| format!("{command}\n{}", ran(&folder, command)))
                        .collect::<String>(),
                );
                real.push_str("```\n");
                continue;
            }
            None => {}
        }
        real.extend(body.iter().map(|line| format!("{line}\n")));
        real.push_str("```\n");
    }
    if std::env::var_os("BOURSE_UPDATE_DOCS").is_some() {
        fs::write("docs/state.md", &real).expect("writable");
    }
    assert!(
        page == real,
        "docs/state.md: with BOURSE_UPDATE_DOCS=1 set, this test writes what is so:\n{real}"
    );
}

/// What a command of a session writes.
fn ran(folder: &Folder, command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    match words.as_slice() {
        ["cat", name] => folder.read(name),
        ["bourse", args @ ..] => {
            let output = folder.run(args);
            format!("{}{}", output.stdout, output.stderr)
        }
        _ => panic!("{command} is no command of a session"),
    }
}
