//! `build` and `inspect`.

use std::fs;

use super::Folder;

fn quickstart() -> Folder {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/quickstart/quickstart.policy");
    Folder::new(&[("q.policy", &fs::read_to_string(path).expect("a policy"))])
}

/// Sizes and hashes are those of one version of the generator: they are left out.
fn masked(text: &str) -> String {
    let long = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = |line: &str| {
        let size = line.contains(" bytes");
        let words = line.split(' ').map(|word| match word {
            word if long(word) => "HASH",
            word if size && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => "N",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_policy_becomes_a_plugin_and_a_compiled_policy() {
    let folder = quickstart();
    for (target, file) in [("wasm", "q.wasm"), ("native", "q.plan")] {
        let built = folder.run(&["build", "q.policy", "--target", target, "-o", file]);
        assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{file}");
        let bytes = fs::read(folder.path().join(file)).expect(file);
        folder.run(&["build", "q.policy", "--target", target, "-o", file]);
        assert_eq!(fs::read(folder.path().join(file)).expect(file), bytes, "the same bytes");
        assert!(
            built.stdout.starts_with(&format!("{file}: {} bytes, sha256 ", bytes.len())),
            "{}",
            built.stdout
        );
        let told = folder.run(&["inspect", file]);
        assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{file}");
        insta::assert_snapshot!(format!("inspect_{target}"), masked(&told.stdout));
    }
}

#[test]
fn what_cannot_be_built_or_read_has_its_code() {
    let folder = quickstart();
    folder.write("large.policy", "broker b { require agent.name matches \"[ab]*a[ab]{16}\" }");
    folder.write("words.policy", "broker b { require agent.name matches \"\\\\bx.*\" }");
    folder.write("fleet.json", "{}");
    folder.run(&["build", "q.policy", "--target", "native", "-o", "q.plan"]);
    let good = fs::read(folder.path().join("q.plan")).expect("built");
    let mut version = good.clone();
    version[8] = 7;
    let mut changed = good.clone();
    changed[100] ^= 1;
    for (name, bytes) in
        [("version.plan", &version), ("changed.plan", &changed), ("cut.plan", &good[..50].to_vec())]
    {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    for (args, code, problem) in [
        (
            &["build", "large.policy", "-o", "x.wasm"][..],
            3,
            "B0811: the pattern \"[ab]*a[ab]{16}\" is too large",
        ),
        (&["build", "words.policy", "-o", "x.wasm"], 3, "B0811: the pattern \"\\\\bx.*\" asks where words"),
        (&["build", "q.policy", "-o", "no/such/x.wasm"], 2, "B0901: cannot write"),
        (&["inspect", "fleet.json"], 2, "B0812: `fleet.json` is neither"),
        (&["inspect", "version.plan"], 2, "B0813: `version.plan` is a compiled policy of version 7"),
        (&["inspect", "changed.plan"], 2, "B0814: `changed.plan` was changed: its checksum does not fit"),
        (&["inspect", "cut.plan"], 2, "B0814: `cut.plan` is not whole"),
        (&["inspect", "nothing.wasm"], 2, "B0901: cannot read"),
    ] {
        let run = folder.run(args);
        let told: String = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(run.code, code, "{args:?}: {told}");
        let (code, message) = problem.split_once(": ").expect("a code and a message");
        assert!(told.contains(code) && told.contains(message), "{args:?}: {told}");
        assert!(!folder.path().join("x.wasm").exists(), "nothing is written");
    }
}

#[test]
fn any_component_is_told_by_size_and_hash() {
    let folder = quickstart();
    fs::write(folder.path().join("other.wasm"), b"\0asm\x0d\0\x01\0").expect("written");
    let told = folder.run(&["inspect", "other.wasm"]);
    assert_eq!(told.code, 0);
    assert!(told.stdout.contains("8 bytes") && told.stdout.contains("it was not made by `bourse build`"));
}

/// The page about plugins is a session, but for sizes and hashes.
#[test]
fn the_session_of_the_page_is_real() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plugins.md")).expect("a page");
    let mut policies =
        page.split("```policy\n").skip(1).map(|rest| rest.split("```").next().expect("an end"));
    let folder = quickstart();
    folder.write("policies/quickstart/quickstart.policy", &folder.read("q.policy"));
    folder.write("vendor.policy", policies.next().expect("the vendor's policy"));
    folder.write("site.policy", policies.next().expect("the site's policy"));
    let mut commands = 0;
    for session in page.split("```console\n$ bourse ").skip(1) {
        let session = session.split("\n```").next().expect("an end");
        for command in session.split("\n$ bourse ") {
            let (args, shown) = command.split_once('\n').unwrap_or((command, ""));
            if args.contains("--plugin") && !cfg!(feature = "wasm") {
                continue;
            }
            let run = folder.run(&args.split(' ').collect::<Vec<_>>());
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "bourse {args}");
            if !shown.is_empty() {
                assert_eq!(masked(run.stdout.trim_end()), masked(shown), "bourse {args}");
            }
            commands += 1;
        }
    }
    assert!(commands >= 3, "{commands} commands");
}
