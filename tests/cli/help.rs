//! What the command says of itself.

use super::Folder;

#[test]
fn help_of_each_command() {
    let folder = Folder::new(&[]);
    for (name, args) in [
        ("bourse", vec!["--help"]),
        ("check", vec!["check", "--help"]),
        ("compare", vec!["compare", "--help"]),
        ("offers", vec!["offers", "--help"]),
        ("match", vec!["match", "--help"]),
        ("apply", vec!["apply", "--help"]),
        ("shares", vec!["shares", "--help"]),
        ("inventory", vec!["inventory", "--help"]),
        ("diff", vec!["diff", "--help"]),
        ("test", vec!["test", "--help"]),
        ("import", vec!["import", "--help"]),
        ("import_csv", vec!["import", "csv", "--help"]),
        ("fmt", vec!["fmt", "--help"]),
        ("doc", vec!["doc", "--help"]),
        ("build", vec!["build", "--help"]),
        ("inspect", vec!["inspect", "--help"]),
        ("repl", vec!["repl", "--help"]),
        ("explain_code", vec!["explain-code", "--help"]),
        ("schema", vec!["schema", "--help"]),
        ("completions", vec!["completions", "--help"]),
    ] {
        let output = folder.run(&args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}");
        insta::assert_snapshot!(format!("help_{name}"), output.stdout);
    }
}
