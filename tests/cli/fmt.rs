//! `bourse fmt` and files.

use super::Folder;

const UNFORMED: &str = "agent a {resources{cpus=4}} // four\n";
const FORMED: &str = "agent a { resources { cpus = 4 } } // four\n";

/// Those with mistakes are left as they are and told; the others are written.
#[test]
fn a_mistake_in_one_file_does_not_stop_the_others() {
    let wrong = "agent a {\n  os = \n}\nagent b {  }\n";
    let folder = Folder::new(&[
        ("a.policy", UNFORMED),
        ("b.policy", wrong),
        ("c/d.policy", UNFORMED),
        ("e.policy", FORMED),
    ]);
    let output = folder.run(&["fmt"]);
    assert_eq!((output.code, output.stdout.as_str()), (3, "./a.policy\n./c/d.policy\n"), "{output:?}");
    assert!(output.stderr.contains("B0107") && output.stderr.contains("./b.policy:2"), "{output:?}");
    assert_eq!((folder.read("a.policy").as_str(), folder.read("b.policy").as_str()), (FORMED, wrong));
    assert_eq!(folder.read("c/d.policy"), FORMED);
}

#[test]
fn looking_writes_nothing() {
    let folder = Folder::new(&[("a.policy", UNFORMED)]);
    for args in
        [&["fmt", "--check", "a.policy"][..], &["fmt", "--diff", "a.policy"], &["fmt", "--check", "--diff"]]
    {
        assert_eq!(folder.run(args).code, 1);
        assert_eq!(folder.read("a.policy"), UNFORMED);
    }
    let output = folder.run(&["fmt", "--diff", "a.policy"]);
    let wanted = format!("--- a.policy\n+++ a.policy\n@@ -1 +1 @@\n-{UNFORMED}+{FORMED}");
    assert_eq!(output.stdout, wanted);
}

/// Nothing is left beside the file, and it stays what it was: its permissions, and what a link leads to.
#[cfg(unix)]
#[test]
fn the_file_is_replaced_in_one_step() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new(&[("real/a.policy", UNFORMED)]);
    let real = folder.path().join("real/a.policy");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    symlink("real/a.policy", folder.path().join("link.policy")).expect("a link");
    assert_eq!(folder.run(&["fmt", "link.policy"]).stdout, "link.policy\n");
    assert_eq!(folder.read("real/a.policy"), FORMED);
    assert_eq!(std::fs::metadata(&real).expect("a file").permissions().mode() & 0o777, 0o640);
    let is_link = std::fs::symlink_metadata(folder.path().join("link.policy")).expect("a link").is_symlink();
    assert!(is_link);
    assert_eq!(std::fs::read_dir(folder.path().join("real")).expect("a folder").count(), 1);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new(&[]);
    let output = folder.run_with(&["fmt", "-"], UNFORMED);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, FORMED, ""));
    let output = folder.run_with(&["fmt", "-"], "agent a {");
    assert_eq!((output.code, output.stdout.as_str()), (3, ""), "{output:?}");
    let output = folder.run_with(&["fmt", "--check", "-"], UNFORMED);
    assert_eq!((output.code, output.stdout.as_str()), (1, "<stdin>\n"));
}
