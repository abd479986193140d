//! The command as it is built by default: without the feature `wasm`. With it there is nothing to test here, and the one test says so.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

#[cfg(feature = "wasm")]
#[test]
#[ignore = "of a build without the feature `wasm`: `cargo test --test without_plugins`"]
fn a_build_without_plugins_says_so() {}

#[cfg(not(feature = "wasm"))]
#[test]
fn a_build_without_plugins_says_so() {
    use std::process::{Command, Output};

    let folder = tempfile::tempdir().expect("a folder");
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/quickstart/quickstart.policy");
    let run = |args: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bourse"));
        command.current_dir(&folder).args(args).output().expect("the command runs")
    };
    // Plugins are built without the feature; to run them needs it.
    let built = run(&["build", policy, "-o", "q.wasm"]);
    assert!(built.status.success(), "{built:?}");
    let output = run(&["offers", policy, "--plugin", "q.wasm"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("B0809") && told.contains("--features wasm"), "{told}");
}
