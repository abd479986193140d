//! Every exit code, where the answer goes, and which code the problem has.

use super::{DEMO, Folder, json, schema_problems};

struct Case {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    args: &'static [&'static str],
    stdin: &'static str,
    code: i32,
    /// Found in standard output; empty: there is none.
    stdout: &'static str,
    /// Found in standard error; empty: there is none.
    stderr: &'static str,
}

const CASE: Case =
    Case { what: "", files: &[("p.policy", OK)], args: &[], stdin: "", code: 0, stdout: "", stderr: "" };

const OK: &str = "agent a { resources { cpus = 4 } }\nneed n { agent { cpus = 2 } }\n";
const NEVER: &str = "agent a { resources { cpus = 4 } }\nneed n { agent { cpus = 20 } }\n";
const WRONG: &str = "agent a { resources { mem = 4m } }\n";
const WARNING: &str =
    "schema agent { os: text }\nagent a { os = \"linux\", oss = \"x\", resources { cpus = 4 } }\n";
/// Eleven volumes, and ten pools that hold one each: every order is tried.
const BOUNDED: &str = r#"
provider p { instance i {
  pool a { resources { size = 1GB } }
  pool b { resources { size = 1GB } }
  pool c { resources { size = 1GB } }
  pool d { resources { size = 1GB } }
  pool e { resources { size = 1GB } }
  pool f { resources { size = 1GB } }
  pool g { resources { size = 1GB } }
  pool h { resources { size = 1GB } }
  pool i { resources { size = 1GB } }
  pool j { resources { size = 1GB } }
} }
need n { volume v { count = 11, size = 1GB } }
"#;
const CLASSES: &str = "class a for agent { x == 1 }\nclass b for agent { x >= 1 }\nclass c for agent { x + y > 2 }\n\
                       class of-two-words for pool { x == 1 }\n";
const SNAPSHOT: &str = "need n { agent { cpus = 1 } }\ntest \"t\" { expect snapshot }\n";
const FLEET: &str = "{\"format\": \"bourse.inventory\", \"version\": 1}\n\
                     {\"record\": \"agent\", \"name\": \"a\", \"resources\": {\"cpus\": 4}}\n";
const UNFORMED: &str = "agent a {resources{cpus=4}}\n";
const NEED: &str = "need n { agent { cpus = 2 } }\n";

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { what: "check, clean", args: &["check", "p.policy"], stdout: "checked 1 file: 1 need, 1 agent, no problems\n", ..CASE },
    Case { what: "a folder", files: &[("f/b.policy", "use \"./deep/c.policy\"\n"), ("f/deep/c.policy", OK), ("f/x.txt", "no")],
        args: &["check", "f"], stdout: "checked 2 files: 1 need", ..CASE },
    Case { what: "a used file is read", files: &[("a.policy", "use \"./sub/b.policy\"\n"), ("sub/b.policy", "use \"../c.policy\"\n"), ("c.policy", OK)],
        args: &["check", "./a.policy"], stdout: "checked 3 files: 1 need", ..CASE },
    Case { what: "a file named twice is read once", args: &["check", "p.policy", "./p.policy", "."], stdout: "checked 1 file", ..CASE },
    Case { what: "a used file that is missing", files: &[("a.policy", "use \"./b.policy\"\nneed n { agent { cpus = 1 } }\n")],
        args: &["check", "a.policy"], code: 3, stderr: "B0210", ..CASE },
    Case { what: "standard input", args: &["check", "-"], stdin: OK, stdout: "checked 1 file", ..CASE },
    Case { what: "standard input twice", args: &["check", "-", "-i", "-"], stdin: OK, code: 2, stderr: "B0901", ..CASE },
    Case { what: "an inventory on standard input, a record a line", files: &[("p.policy", NEED)],
        args: &["offers", "p.policy", "--inventory", "-"], stdin: FLEET, stdout: "met", ..CASE },
    Case { what: "an inventory on standard input, one document", files: &[("p.policy", NEED)], args: &["offers", "p.policy", "-i", "-"],
        stdin: "{\"format\": \"bourse.inventory\", \"version\": 1, \"agents\": [{\"name\": \"a\", \"resources\": {\"cpus\": 4}}]}", stdout: "met", ..CASE },
    Case { what: "an inventory alone", files: &[("f.ndjson", FLEET)], args: &["inventory", "-i", "f.ndjson"], stdout: "cpus 4", ..CASE },
    Case { what: "a policy that does not compile", files: &[("p.policy", WRONG)], args: &["check", "p.policy"], code: 3, stderr: "B0109", ..CASE },
    Case { what: "an inventory that cannot be read", files: &[("p.policy", OK), ("f.json", "{")], args: &["check", "p.policy", "-i", "f.json"],
        code: 3, stderr: "B0501", ..CASE },
    Case { what: "a missing file", args: &["offers", "q.policy"], code: 2, stderr: "B0901", ..CASE },
    Case { what: "a missing inventory", args: &["offers", "p.policy", "-i", "f.json"], code: 2, stderr: "B0901", ..CASE },
    Case { what: "a folder without policies", files: &[("f/x.txt", "")], args: &["check", "f"], code: 2, stderr: "B0902", ..CASE },
    Case { what: "a folder as an inventory", files: &[("p.policy", OK), ("f/x.txt", "")], args: &["check", "p.policy", "-i", "f"],
        code: 2, stderr: "it is a directory", ..CASE },
    Case { what: "warnings pass", files: &[("p.policy", WARNING)], args: &["check", "p.policy"], stdout: "1 warning", stderr: "B0309", ..CASE },
    Case { what: "warnings are denied", files: &[("p.policy", WARNING)], args: &["check", "p.policy", "--deny-warnings"],
        code: 1, stdout: "1 warning", stderr: "B0309", ..CASE },
    Case { what: "a strict check", files: &[("p.policy", WARNING)], args: &["check", "p.policy", "--strict"], code: 3, stderr: "B0309", ..CASE },
    Case { what: "an offer", args: &["offers", "p.policy"], stdout: "n  met  on a  score 0  cpus 2\n1 offer;", ..CASE },
    Case { what: "an offer for a need", args: &["offers", "p.policy", "--need", "n"], stdout: "met", ..CASE },
    Case { what: "an unknown need", args: &["offers", "p.policy", "--need", "m"], code: 2, stderr: "B0903", ..CASE },
    Case { what: "nothing offered", files: &[("p.policy", NEVER)], args: &["offers", "p.policy"], code: 1, stdout: "unmet  0 of 1  proved", ..CASE },
    Case { what: "something offered", files: &[("p.policy", DEMO)], args: &["offers", "p.policy"], stdout: "partial  1 of 2", ..CASE },
    Case { what: "no needs", files: &[("f.ndjson", FLEET)], args: &["offers", "-i", "f.ndjson"], stdout: "0 offers; 0 needs", stderr: "there are no needs", ..CASE },
    Case { what: "undecided", files: &[("p.policy", BOUNDED)], args: &["offers", "p.policy", "--reasons", "none"], code: 4, stdout: "bounded", ..CASE },
    Case { what: "candidates", args: &["match", "p.policy"], stdout: "n  1 candidate\n", ..CASE },
    Case { what: "no candidates", files: &[("p.policy", NEVER)], args: &["match", "p.policy"], code: 1, stdout: "0 candidates", ..CASE },
    Case { what: "candidates of an unknown need", args: &["match", "p.policy", "--need", "m"], code: 2, stderr: "did you mean `n`?", ..CASE },
    Case { what: "undecided candidates", files: &[("p.policy", BOUNDED)], args: &["match", "p.policy"], code: 4, stdout: "0 candidates", ..CASE },
    Case { what: "classes compared", files: &[("p.policy", CLASSES)], args: &["compare", "a", "b", "p.policy"],
        stdout: "contained: every agent of `a` is in `b`", ..CASE },
    Case { what: "standard classes compared", args: &["compare", "storage.flash", "spinning"], stdout: "disjoint", ..CASE },
    Case { what: "classes of which it is not known", files: &[("p.policy", CLASSES)], args: &["compare", "b", "c", "p.policy"], code: 4,
        stdout: "not known: it depends on arithmetic", ..CASE },
    Case { what: "an unknown class", files: &[("p.policy", CLASSES)], args: &["compare", "a", "linus", "p.policy"], code: 2, stderr: "B0907", ..CASE },
    Case { what: "the name that is meant", files: &[("p.policy", CLASSES)], args: &["compare", "a", "of-two-word", "p.policy"], code: 2,
        stderr: "did you mean `of-two-words`?", ..CASE },
    Case { what: "problems of others", files: &[("p.policy", "need a { agent { cpus = 2m } }\nneed b { agent { cpus = 1 } }\n")], args: &["offers", "p.policy", "--as", "framework=b"], code: 3, stderr: "B0908", ..CASE },
    Case { what: "nobody of this name", files: &[("p.policy", "need b { agent { cpus = 1 } }\n")], args: &["offers", "p.policy", "--as", "framework=c"], code: 2, stderr: "B0903", ..CASE },
    Case { what: "classes of two sides", files: &[("p.policy", CLASSES)], args: &["compare", "a", "of-two-words", "p.policy"], code: 2, stderr: "B0907", ..CASE },
    Case { what: "a file in another form", files: &[("p.policy", UNFORMED)], args: &["fmt", "p.policy"], stdout: "p.policy\n", ..CASE },
    Case { what: "nothing to change", args: &["fmt", "p.policy"], ..CASE },
    Case { what: "what would change", files: &[("p.policy", UNFORMED)], args: &["fmt", "--check"], code: 1, stdout: "p.policy\n", ..CASE },
    Case { what: "nothing would change", args: &["fmt", "--check", "--diff", "."], ..CASE },
    Case { what: "a difference", files: &[("p.policy", UNFORMED)], args: &["fmt", "--diff", "p.policy"], code: 1,
        stdout: "-agent a {resources{cpus=4}}\n+agent a { resources { cpus = 4 } }\n", ..CASE },
    Case { what: "a form of standard input", args: &["fmt", "-"], stdin: UNFORMED, stdout: "agent a { resources { cpus = 4 } }\n", ..CASE },
    Case { what: "a form of what does not parse", files: &[("p.policy", "agent {\n")], args: &["fmt", "p.policy"], code: 3, stderr: "B0104", ..CASE },
    Case { what: "a form of what is not there", args: &["fmt", "q.policy"], code: 2, stderr: "B0901", ..CASE },
    Case { what: "a form of no policies", files: &[("f/x.txt", "")], args: &["fmt", "f"], code: 2, stderr: "B0902", ..CASE },
    Case { what: "a page", args: &["doc", "p.policy"], stdout: "# Policy set\n", ..CASE },
    Case { what: "a page for a framework", args: &["doc", "p.policy", "--as", "framework"], stdout: "# What frameworks may ask for\n", ..CASE },
    Case { what: "a page into a file", args: &["doc", "p.policy", "-o", "p.md"], ..CASE },
    Case { what: "a page where none can be", args: &["doc", "p.policy", "-o", "f/p.md"], code: 2, stderr: "B0901", ..CASE },
    Case { what: "a page of what does not compile", files: &[("p.policy", WRONG)], args: &["doc", "p.policy"], code: 3, stderr: "B0109", ..CASE },
    Case { what: "an expression", args: &["repl", "p.policy"], stdin: "agent.free.cpus + 1\n", stdout: "5  number\n", ..CASE },
    Case { what: "an expression with a mistake", args: &["repl", "p.policy"], stdin: "agent.x +\n1 + 1\n", code: 3, stdout: "2  number\n", stderr: "B0107", ..CASE },
    Case { what: "an expression of a set that does not compile", files: &[("p.policy", WRONG)], args: &["repl", "p.policy"], stdin: "1\n",
        code: 3, stderr: "B0109", ..CASE },
    Case { what: "expressions and a policy on standard input", args: &["repl", "-"], stdin: OK, code: 2, stderr: "B0901", ..CASE },
    Case { what: "the same offers", args: &["diff", "p.policy", "p.policy"], stdout: "no change: 1 offer of 1 need\n", ..CASE },
    Case { what: "other offers", files: &[("p.policy", OK), ("q.policy", NEVER)], args: &["diff", "p.policy", "q.policy"], code: 1,
        stdout: "amount cpus (q.policy:2:18): wants 20; has 4 free; permanent", ..CASE },
    Case { what: "a version that does not compile", files: &[("p.policy", OK), ("q.policy", WRONG)], args: &["diff", "p.policy", "q.policy"], code: 3, stderr: "B0109", ..CASE },
    Case { what: "a version that is missing", args: &["diff", "p.policy", "q.policy"], code: 2, stderr: "B0901", ..CASE },
    Case { what: "a new snapshot", files: &[("p.policy", SNAPSHOT)], args: &["test", "p.policy"], code: 1, stdout: "there is no snapshot", ..CASE },
    Case { what: "a damaged snapshot", files: &[("p.policy", SNAPSHOT), ("snapshots/p__t.snap", "---\ndescription: bourse snapshot 1\n---\nn\n")],
        args: &["test", "p.policy"], code: 2, stdout: "could not be run", stderr: "B0701", ..CASE },
    Case { what: "a code", args: &["explain-code", "b0301"], stdout: "# B0301", ..CASE },
    Case { what: "an unknown code", args: &["explain-code", "B031"], code: 2, stderr: "did you mean `B03", ..CASE },
    Case { what: "all codes", args: &["explain-code", "--list"], stdout: "B0901  a file that cannot be read\n", ..CASE },
    Case { what: "a schema", args: &["schema", "offers"], stdout: "bourse.offers", ..CASE },
    Case { what: "the names of schemas", args: &["schema"], stdout: "inventory\noffers\noperations\napplied\nshares\ntests\ndiff\ndiagnostics\ncomparison\nexplanation\n", ..CASE },
    Case { what: "completions", args: &["completions", "bash"], stdout: "_bourse()", ..CASE },
    Case { what: "the version", args: &["--version"], stdout: "bourse 0.", ..CASE },
    Case { what: "no command", args: &[], code: 2, stderr: "Usage:", ..CASE },
    Case { what: "an unknown flag", args: &["offers", "p.policy", "--nee", "n"], code: 2, stderr: "--need", ..CASE },
    Case { what: "no path", args: &["offers"], code: 2, stderr: "PATH", ..CASE },
];

#[test]
fn each_run_ends_as_documented() {
    for case in CASES {
        let folder = Folder::new(case.files);
        let output = folder.run_with(case.args, case.stdin);
        let told =
            |text: &str, want: &str| if want.is_empty() { text.is_empty() } else { text.contains(want) };
        assert_eq!(output.code, case.code, "{}: {output:?}", case.what);
        assert!(told(&output.stdout, case.stdout), "{}: {output:?}", case.what);
        assert!(told(&output.stderr, case.stderr), "{}: {output:?}", case.what);
    }
}

/// The same runs, with problems for programs: one object on standard error, that the schema knows, with the same
/// codes as people are told.
#[test]
fn json_problems_are_one_object() {
    let usage = |case: &&Case| !case.stderr.is_empty() && !case.stderr.starts_with('B');
    for case in CASES.iter().filter(|case| !usage(case) && !case.args.is_empty()) {
        let folder = Folder::new(case.files);
        let args = [case.args, &["--error-format", "json"]].concat();
        let output = folder.run_with(&args, case.stdin);
        assert_eq!(output.code, case.code, "{}: {output:?}", case.what);
        if case.args == ["--version"] {
            continue;
        }
        let report = json(&output.stderr);
        let problems = schema_problems("schema/diagnostics.schema.json", &report);
        assert!(problems.is_empty(), "{}: {problems:?}", case.what);
        let codes = report["diagnostics"].as_array().expect("a list");
        assert_eq!(codes.is_empty(), case.stderr.is_empty(), "{}: {output:?}", case.what);
        assert!(codes.iter().all(|problem| problem["code"] == case.stderr), "{}: {output:?}", case.what);
    }
}
