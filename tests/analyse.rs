//! What `check` says of policies that compile and are not what they should be. Each file of `tests/analyse` is a set;
//! its snapshot holds the set and everything said of it.

use std::{fs, path::Path};

use bourse::{
    analyse::analyse,
    check::Strictness,
    diagnostic::{Code, Render, Report},
    pipeline::{Extra, Parsed},
};

/// Everything that is said of a set that compiles.
pub fn said(name: &str, text: &str) -> Report {
    let parsed = Parsed::new([(name, text.as_bytes())]);
    let loaded = parsed.check(&Extra::default(), Strictness::default()).load(&Extra::default());
    let loaded = loaded.unwrap_or_else(|report| panic!("{}", report.render(Render::Human(false))));
    let mut report = loaded.report.clone();
    report.diagnostics.extend(analyse(&parsed, &loaded));
    report.sort();
    report
}

#[test]
#[allow(clippy::disallowed_methods, reason = "cases are files")]
fn every_kind_of_broken_policy_is_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/analyse");
    let mut seen = std::collections::BTreeSet::new();
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "policy")) {
        let name = file.file_stem().expect("name").to_string_lossy().into_owned();
        let text = fs::read_to_string(file).expect("readable");
        let report = said(&format!("{name}.policy"), &text);
        seen.extend(report.diagnostics.iter().map(|problem| problem.code));
        let shown = format!("{text}\n────\n\n{}", report.render(Render::Human(false)));
        insta::with_settings!({ snapshot_path => "snapshots/analyse", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, shown);
        });
    }
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(|code| code.name().starts_with("B06") && !seen.contains(*code)).collect();
    assert!(missing.is_empty(), "no case gives {missing:?}");
}

/// Policies that people copy, the standard library's tests and the examples of the language reference are as they should
/// be: whatever is said of them is wrong, or is listed here.
#[test]
#[allow(clippy::disallowed_methods, reason = "policies are files")]
fn sound_policies_are_left_in_peace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sets: Vec<(String, String)> = Vec::new();
    for folder in ["policies", "tests/stdlib"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if entry.path().is_dir() {
                entry.path().join(format!("{name}.policy"))
            } else {
                entry.path()
            };
            if path.extension().is_some_and(|ending| ending == "policy") {
                sets.push((name, fs::read_to_string(path).expect("readable")));
            }
        }
    }
    for page in ["docs/language.md", "docs/output.md", "README.md"] {
        let text = fs::read_to_string(root.join(page)).expect("readable");
        let fences = text.split("\n```policy\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
        sets.extend(
            fences.enumerate().map(|(at, (example, _))| (format!("{page}, {at}"), example.to_owned())),
        );
    }
    assert!(sets.len() > 35, "only {} sets were found", sets.len());
    let mut wrong = String::new();
    for (name, text) in &sets {
        let mut report = said(name, text);
        report.diagnostics.retain(|problem| problem.code.name().starts_with("B06"));
        wrong.push_str(&report.render(Render::Human(false)));
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Claims about generated classes, held against many candidates and against each witness, as the engine has them.
mod claims {
    use bourse::{
        Fleet, Policy,
        analyse::{Region, compare},
        diagnostic::Render,
        engine::{Scene, Subject},
        ir::{DefinitionId, Plan},
        logic::Truth,
    };

    /// xorshift64*, so that a failing case can be repeated by its seed.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % bound
        }

        fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
            from[self.below(from.len() as u64) as usize]
        }

        fn chance(&mut self, percent: u64) -> bool {
            self.below(100) < percent
        }
    }

    const TEXTS: [&str; 3] = ["\"a\"", "\"b\"", "\"web-7\""];
    const NUMBERS: [&str; 4] = ["1", "2", "2.000001", "9"];
    const VERSIONS: [&str; 4] = ["v\"1.2\"", "v\"1.10\"", "v\"1.2.0.1\"", "v\"2\""];
    const PLACES: [&str; 4] = ["\"us\"", "\"us/a\"", "\"us/b\"", "\"eu/a/r1\""];
    const SETS: [&str; 5] = ["[\"a\"]", "[\"a\", \"b\"]", "[]", "[\"web-7\"]", "[\"b\", \"c\"]"];
    const ORDER: [&str; 4] = ["<", "<=", ">", ">="];

    /// Few kinds of conditions for each case, so that they meet on one key.
    fn atom(n: &mut Numbers, kinds: [u64; 3]) -> String {
        let number = |n: &mut Numbers| n.pick(&["x", "y", "x else 2", "min(x, y)", "max(x, 2)"]).to_owned();
        match kinds[n.below(3) as usize] {
            0 => format!("t {} {}", n.pick(&["==", "!="]), n.pick(&TEXTS)),
            1 => format!("t in {}", n.pick(&["[\"a\", \"b\"]", "[\"c\"]", "s"])),
            2 | 3 => format!("{} {} {}", number(n), n.pick(&ORDER), n.pick(&NUMBERS)),
            4 => format!("x {} y", n.pick(&["<", "<=", "==", "!="])),
            5 => format!("x in [1, 2, {}]", n.pick(&NUMBERS)),
            6 => format!("s has {}", n.pick(&TEXTS)),
            7 => format!("s {} {}", n.pick(&["has any", "has all", "==", "!="]), n.pick(&SETS)),
            8 => n.pick(&["f", "f == true", "f != true", "not f"]).to_owned(),
            9 => format!("v {} {}", n.pick(&ORDER), n.pick(&VERSIONS)),
            10 => format!("domain within {}", n.pick(&PLACES)),
            11 => format!("zone {} {}", n.pick(&["==", "!="]), n.pick(&PLACES[1..3])),
            12 => format!("region {} {}", n.pick(&["==", "!="]), n.pick(&["\"us\"", "\"eu\""])),
            13 => format!(
                "{} is {}",
                n.pick(&["t", "x", "s", "f", "zone", "v"]),
                n.pick(&["absent", "present"])
            ),
            14 => format!("t matches {}", n.pick(&["\"web-[0-9]+\"", "\"[ab]\"", "\".*-.*\""])),
            _ => n
                .pick(&[
                    "s == r",
                    "s has all r",
                    "r has any s",
                    "x + 1 > y",
                    "total.cpus > 4",
                    "total.cpus is absent",
                ])
                .to_owned(),
        }
    }

    fn condition(n: &mut Numbers, kinds: [u64; 3], depth: u64) -> String {
        match n.below(if depth == 0 { 4 } else { 8 }) {
            0..=3 => atom(n, kinds),
            4 => format!("not ({})", condition(n, kinds, depth - 1)),
            word => {
                let word = if word == 5 { " and " } else { " or " };
                let parts: Vec<String> =
                    (0..2 + n.below(2)).map(|_| condition(n, kinds, depth - 1)).collect();
                format!("({})", parts.join(word))
            }
        }
    }

    fn body(n: &mut Numbers, kinds: [u64; 3]) -> String {
        (0..1 + n.below(3)).map(|_| condition(n, kinds, 2)).collect::<Vec<_>>().join("\n  ")
    }

    fn agent(n: &mut Numbers, name: &str) -> String {
        let mut keys: Vec<String> = Vec::new();
        let mut key = |n: &mut Numbers, name: &str, values: &[&str]| {
            if n.chance(75) {
                let value = n.pick(values);
                keys.push(format!("{name} = {value}"));
            }
        };
        key(n, "t", &["\"a\"", "\"b\"", "\"c\"", "\"web-7\"", "\"web-8\"", "\"x-y\""]);
        for number in ["x", "y"] {
            key(n, number, &["0", "1", "1.5", "2", "2.000001", "5", "9", "10", "-3"]);
        }
        for set in ["s", "r"] {
            key(
                n,
                set,
                &["[]", "[\"a\"]", "[\"b\"]", "[\"a\", \"b\"]", "[\"c\"]", "[\"a\", \"web-7\", \"d\"]"],
            );
        }
        key(n, "f", &["true", "false"]);
        key(
            n,
            "v",
            &[
                "v\"1.2\"",
                "v\"1.2.0.0.1\"",
                "v\"1.5\"",
                "v\"1.10\"",
                "v\"2\"",
                "v\"3\"",
                "v\"1.10-rc\"",
                "v\"0\"",
            ],
        );
        key(
            n,
            "domain",
            &["\"us\"", "\"us/a\"", "\"us/b/r\"", "\"eu/a\"", "\"eu/a/r1\"", "\"eu/a/r2\"", "\"x/y\""],
        );
        if n.chance(60) {
            keys.push(format!("resources {{ cpus = {} }}", n.pick(&["0", "4", "5", "unlimited"])));
        }
        format!("agent {name} {{ {} }}\n", keys.join(", "))
    }

    fn fleet(text: &str) -> Fleet {
        let policy = Policy::compile([("generated.policy", text)]);
        let policy = policy.unwrap_or_else(|error| panic!("{}\n{text}", error.render(Render::Human(false))));
        policy.fleet(&[]).expect("a fleet")
    }

    fn class(plan: &Plan, name: &str) -> DefinitionId {
        let at = plan.definitions.iter().position(|known| known.name == name).expect(name);
        DefinitionId(at as u32)
    }

    /// Whether each agent of a fleet is in the classes `one` and `two`.
    fn members(fleet: &Fleet) -> Vec<[bool; 2]> {
        let (plan, world) = (fleet.plan(), fleet.world());
        let framework = &plan.frameworks[0];
        let subject = Subject { framework, need: &framework.needs[0] };
        let (ledger, roots) =
            (fleet.ledger(), ["one", "two"].map(|name| plan.definition(class(plan, name)).root));
        let agents = 0..world.agents.len();
        let scene = |at| Scene {
            plan,
            world,
            ledger,
            subject,
            agent: Some(at),
            supply: None,
            volume: None,
            filters: None,
            recorder: None,
        };
        agents.map(|at| roots.map(|root| scene(at).truth(root) == Truth::True)).collect()
    }

    /// An agent with the keys of a witness, as a policy would declare it.
    fn declared(keys: &[String]) -> Option<String> {
        let mut body: Vec<String> = Vec::new();
        for key in keys.iter().filter(|key| !key.ends_with("is absent")) {
            // What is of another type comes with data only.
            if key.ends_with("of another type") {
                return None;
            }
            body.push(match key.strip_prefix("total.") {
                Some(resource) => format!("resources {{ {resource} }}"),
                None => key.clone(),
            });
        }
        Some(format!("agent witness {{ {} }}\n", body.join(", ")))
    }

    #[test]
    fn no_candidate_contradicts_a_claim_and_every_witness_is_one() {
        let (mut empty, mut found, mut unknown) = (0, 0, 0);
        for seed in 1..=300_u64 {
            let n = &mut Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            let kinds = [n.below(16), n.below(16), n.below(16)];
            let classes = format!(
                "schema agent {{ t: text, x: number, y: number, s: set of text, r: set of text, f: bool, v: version }}
                 need n {{ agent {{ cpus = 1 }} }}\nclass one for agent {{\n  {}\n}}\nclass two for agent {{\n  {}\n}}\n",
                body(n, kinds),
                body(n, kinds)
            );
            let agents: String = (0..100).map(|at| agent(n, &format!("a{at}"))).collect();
            let fleet_of_many = fleet(&format!("{classes}{agents}"));
            let names = ["one", "two"].map(|name| class(fleet_of_many.plan(), name));
            let claim = compare(fleet_of_many.loaded(), names).expect("classes of one side");
            let many = members(&fleet_of_many);
            let regions = [
                (&claim.both, [true, true]),
                (&claim.only[0], [true, false]),
                (&claim.only[1], [false, true]),
            ];
            for (region, wanted) in regions {
                match region {
                    Region::Empty(conditions) => {
                        empty += 1;
                        let against = many.iter().position(|member| *member == wanted);
                        assert_eq!(
                            against, None,
                            "seed {seed}: {conditions:?} should exclude it\n{classes}{agents}"
                        );
                    }
                    Region::Candidate(keys) => {
                        found += 1;
                        let Some(witness) = declared(keys) else { continue };
                        let member = members(&fleet(&format!("{classes}{witness}")))[0];
                        assert_eq!(member, wanted, "seed {seed}: {keys:?}\n{classes}");
                    }
                    Region::NotKnown(_) => unknown += 1,
                }
            }
        }
        println!("{empty} {found} {unknown}");
        assert!(empty > 150 && found > 300, "each is claimed often: {empty}, {found}");
        assert!(unknown * 10 < empty + found, "{unknown} are not known, beside {empty} and {found}");
    }
}

/// A note names the comparison at which a limit ends the analysis of classes.
#[test]
fn classes_are_compared_up_to_a_limit() {
    let with = |classes: usize| {
        let each = |line: &dyn Fn(usize) -> String| (0..classes).map(line).collect::<String>();
        let declared = each(&|at| format!("class c{at} for agent {{ x != {at} }}\n"));
        let named = each(&|at| format!("  is c{at}\n"));
        format!("{declared}class all for agent {{\n{named}}}\nneed n {{ agent {{ cpus = 1, is all }} }}\n")
    };
    let notes = |classes: usize| {
        let mut report = said("many.policy", &with(classes));
        report.diagnostics.retain(|problem| problem.message.contains("too many pairs"));
        report.diagnostics.len()
    };
    assert_eq!((notes(20), notes(150)), (0, 1));
}
