//! What a run says to a framework: results, problems and exit codes, as they come out of the command.

use crate::cli::{Folder, Output};

/// What a run writes and how it ends.
fn said(output: &Output) -> (i32, &str, &str) {
    (output.code, &output.stdout, &output.stderr)
}

fn run(rest: &str, mine: &str, args: &[&str]) -> Output {
    let folder = Folder::new(&[("set/rest.policy", rest), ("set/mine.policy", mine)]);
    folder.run(args)
}

const REST: &str = r#"class linux for agent { os == "linux" }
broker main { require power: agent.power >= 2 }
agent a1 { os = "linux", power = 3, resources { cpus = 8 } }
agent a2 { os = "linux", power = 1, resources { cpus = 8 } }
framework rival { role = "enemy", need secret { count = 2, agent { cpus = 2 } } }
"#;

/// A key that is hidden and one that is not there are told in the same words, and no near name is one that is hidden.
#[test]
fn an_error_says_nothing_of_hidden_keys() {
    let ask = |key: &str| format!("framework mine {{ need n {{ agent {{ cpus = 1, {key} >= 3 }} }} }}\n");
    for command in [&["check", "set"][..], &["offers", "set", "--as", "framework=mine"]] {
        let hidden = run(REST, &ask("power"), command);
        let absent = run(REST, &ask("glory"), command);
        assert_eq!(hidden.code, 3);
        assert!(hidden.stderr.contains("B0401"), "{}", hidden.stderr);
        assert_eq!(hidden.stderr.replace("power", "glory"), absent.stderr);
        let near = run(REST, &ask("powr"), command);
        assert!(!near.stderr.replace("powr", "").contains("power"), "{}", near.stderr);
    }
    let exposed = REST.replace("broker main {", "broker main {\n expose agent.power\n");
    let near = run(&exposed, &ask("powr"), &["check", "set"]);
    assert!(near.stderr.contains("did you mean `power`?"), "{}", near.stderr);
}

/// Problems of others' declarations are not told, but that there are some; its own are.
#[test]
fn problems_of_others_are_not_told() {
    let mine = "framework mine { need n { agent { cpus = 1, is linus } } }\n";
    let broken = [
        REST.replace("cpus = 2 }", "cpus = 2, is covert }"),
        REST.replace("cpus = 2 }", "cpus = 2m }\n").replace("enemy", "foe"),
    ];
    let args = ["offers", "set", "--as", "framework=mine"];
    let told: Vec<Output> = broken.iter().map(|rest| run(rest, mine, &args)).collect();
    assert_eq!(said(&told[0]), said(&told[1]));
    assert_eq!(told[0].code, 3);
    let text = &told[0].stderr;
    assert!(text.contains("`linus`") && text.contains("B0908"), "{text}");
    for secret in ["rival", "secret", "covert", "rest.policy", "enemy", "foe"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // The operator is told all of it.
    assert!(run(&broken[0], mine, &["offers", "set"]).stderr.contains("covert"));
}

/// Nothing of another's is there for one who looks: needs, and the framework itself, are as names that nobody has.
#[test]
fn others_needs_are_as_if_they_were_not_there() {
    let mine = "framework mine { need n { count = 9, agent { cpus = 2, is linux } } }\n";
    for command in ["explain", "offers"] {
        let ask = |name: &str| match command {
            "explain" => run(REST, mine, &["explain", name, "set", "--as", "framework=mine"]),
            _ => run(REST, mine, &["offers", "set", "--as", "framework=mine", "--need", name]),
        };
        let (there, absent) = (ask("secret"), ask("nobody"));
        assert_eq!(there.code, 2);
        assert_eq!(there.stderr.replace("secret", "nobody"), absent.stderr);
        let own = ask("n");
        assert_eq!(own.code, 0, "{}", own.stderr);
        assert!(own.stdout.starts_with("mine.n  partial  2 of 9"), "{}", own.stdout);
    }
    let single =
        |agent: &str| run(REST, mine, &["explain", "n", "set", "--as", "framework=mine", "--agent", agent]);
    assert_eq!(said(&single("a2")), said(&single("nobody")));
}

/// The table as it stands, alone and beside the others'.
#[test]
fn each_framework_has_its_view() {
    let mine = "framework mine { need n { count = 9, agent { cpus = 2, is linux } } }\n";
    let own = run(REST, mine, &["offers", "set", "--as", "framework=mine"]);
    assert_eq!(
        own.stdout,
        "mine.n  partial  2 of 9  contended: others, or its own offers, leave too little\n  \
         #1  on a1  rank 1  cpus 2\n  #2  on a1  rank 2  cpus 2\n  excluded, because of\n    \
         agents  power                     rule\n    others  leave too little of cpus\n\
         2 offers; 1 need: 0 met, 1 partial, 0 unmet\n"
    );
    let every = run(REST, mine, &["offers", "set", "--as", "framework"]);
    assert!(every.stdout.contains("\nframework rival\nrival.secret  met"), "{}", every.stdout);
    assert!(every.stdout.starts_with(&format!("framework mine\n{}", own.stdout)), "{}", every.stdout);
    // Numbers and scores where the operator says so.
    let open = REST.replace("broker main {", "broker main {\n expose counts\n expose scores\n");
    let own = run(&open, mine, &["offers", "set", "--as", "framework=mine"]);
    assert!(own.stdout.contains("1 agent  power"), "{}", own.stdout);
    assert!(own.stdout.contains("#1  on a1  score 0  cpus 2"), "{}", own.stdout);
}
