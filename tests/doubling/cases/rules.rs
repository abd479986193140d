//! Policies that grow: classes, lets, rules, levels, schemas, roles, tests.

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{Analyse, Build, Doc, Explain, Format, Keep, Load, Match, Offers, Snapshot, Stock, Test},
        cases as of, growing,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("classes", 150, classes, &[Load, Analyse, Offers, Doc, Build, Keep, Format]),
        growing(
            of("classes-of-classes", 40, classes_of_classes, &[Load, Analyse, Offers, Doc]),
            Analyse,
            "a class is asked about with the conditions of all that it includes, up to `ANALYSED_CONDITIONS` and `ANALYSIS_STEPS`",
        ),
        of("lines-of-a-class", 2_400, lines_of_a_class, &[Load, Analyse, Offers, Explain]),
        of("is-of-a-class", 150, is_of_a_class, &[Load, Analyse, Offers]),
        of("lets", 150, lets, &[Load, Analyse, Offers, Doc]),
        of("lets-of-lets", 30, lets_of_lets, &[Load, Analyse, Offers]),
        of("rules", 150, rules, &[Load, Analyse, Offers, Explain, Match, Doc, Build, Keep, Format]),
        of("preferences", 150, preferences, &[Load, Analyse, Offers, Match]),
        of("pair-rules", 30, pair_rules, &[Load, Analyse, Offers, Explain]),
        of("patterns", 30, patterns, &[Load, Analyse, Build]),
        of("brokers", 150, brokers, &[Load, Doc]),
        of("charges", 600, charges, &[Load, Analyse, Offers, Explain, Match]),
        of("exposed-keys", 150, exposed_keys, &[Load, Offers, Doc]),
        of("schema-fields", 150, schema_fields, &[Load, Doc]),
        of("roles", 150, roles, &[Load, Offers, Stock, Doc]),
        of("limits-of-a-role", 400, limits_of_a_role, &[Load, Offers]),
        of("principals-of-a-role", 2_000, principals_of_a_role, &[Load, Offers]),
        of("tests", 60, tests, &[Analyse, Test]),
        of("expectations", 150, expectations, &[Analyse, Test]),
        of("expectations-that-fail", 150, expectations_that_fail, &[Test]),
        of("agents-of-a-test", 150, agents_of_a_test, &[Analyse, Test]),
        of("lines-of-a-snapshot", 150, lines_of_a_snapshot, &[Snapshot]),
        of("unknown-expectations", 250, unknown_expectations, &[Analyse]),
    ];
    parts.into_iter().flatten().collect()
}

const FLEET: &str = "agent a { x = 1, os = \"linux\", resources { cpus = 4, ports = [1..9] } }
agent b { x = 2, resources { cpus = 8 } }
provider p { instance i { pool q { x = 1, resources { size = 9GB } } } }
";
const NEED: &str =
    "need n { count = 3, agent { cpus = 2 }, volume v { size = 1GB } }\nneed m { agent { cpus = 99 } }\n";

fn fleet(text: impl AsRef<str>) -> Input {
    policy(FLEET.to_owned() + NEED + text.as_ref())
}

fn in_broker(statements: String) -> Input {
    fleet(format!("broker main {{\n{statements}}}\n"))
}

/// All are asked for by one need.
fn classes(n: usize) -> Input {
    let class = |c| format!("class c{c} for agent {{ x < {c} }}");
    let is = |c| format!("is c{c}");
    fleet(lines(n, class) + &format!("need k {{ agent {{ cpus = 1, {} }} }}", list(n, is)))
}

fn classes_of_classes(n: usize) -> Input {
    let class = |c| format!("class c{} for agent {{ is c{c}, x != {c} }}", c + 1);
    fleet(format!(
        "class c0 for agent {{ x > 0 }}\n{}need k {{ agent {{ cpus = 1, is c{n} }} }}",
        lines(n, class)
    ))
}

fn lines_of_a_class(n: usize) -> Input {
    let line = |c| format!("  x != {}", c + 2);
    fleet(format!("class c for agent {{\n{}}}\nneed k {{ agent {{ cpus = 1, is c }} }}", lines(n, line)))
}

fn is_of_a_class(n: usize) -> Input {
    let class = |c| format!("class c{c} for agent {{ x != {} }}", c + 2);
    let all = lines(n, |c| format!("  is c{c}"));
    fleet(
        lines(n, class) + &format!("class c for agent {{\n{all}}}\nneed k {{ agent {{ cpus = 1, is c }} }}"),
    )
}

fn lets(n: usize) -> Input {
    let rules = lines(n, |l| format!("  require r{l}: l{l} > 0"));
    fleet(lines(n, |l| format!("let l{l} = agent.x + {l}")) + "broker main {\n" + &rules + "}\n")
}

/// Chains as long as rules may be deep; several of them, to outgrow what is there anyhow.
fn lets_of_lets(n: usize) -> Input {
    const CHAINS: usize = 5;
    let start = lines(CHAINS, |c| format!("let c{c}l0 = agent.x"));
    let one = |l| (0..CHAINS).map(|c| format!("let c{c}l{} = c{c}l{l} + 1\n", l + 1)).collect();
    let rules = lines(CHAINS, |c| format!("  require r{c}: c{c}l{n} > 0"));
    fleet(format!("{start}{}broker main {{\n{rules}}}\n", lines(n, one)))
}

fn rules(n: usize) -> Input {
    in_broker(lines(n, |r| format!("  require r{r}: agent.x < {r} or framework.name == \"n\"")))
}

fn preferences(n: usize) -> Input {
    in_broker(lines(n, |r| format!("  prefer r{r}: agent.x < {r} weight {r}")))
}

fn pair_rules(n: usize) -> Input {
    in_broker(lines(n, |r| format!("  require r{r}: agent.x <= pool.x + {r}")))
}

fn patterns(n: usize) -> Input {
    in_broker(lines(n, |r| format!("  require r{r}: agent.os matches \"li[a-z]*{r}?x?\" or agent.x > 0")))
}

fn brokers(n: usize) -> Input {
    fleet(lines(n, |b| format!("broker b{b} {{ require r{b}: agent.x < 9 }}")))
}

fn charges(n: usize) -> Input {
    let amounts = list(n, |r| format!("r{r} = 9"));
    policy(format!("agent c {{ x = 1, resources {{ cpus = 9, {amounts} }} }}\n{NEED}"))
        .and(FLEET)
        .and(format!("broker main {{\n{}}}\n", lines(n, |r| format!("  charge agent.r{r} 1 per need"))))
}

fn exposed_keys(n: usize) -> Input {
    let conditions = list(n, |k| format!("k{k} == 1"));
    fleet(format!("need k {{ agent {{ cpus = 1, {conditions} }} }}\n"))
        .and(format!("agent k {{ {}, resources {{ cpus = 9 }} }}\n", list(n, |k| format!("k{k} = 1"))))
        .and(format!("broker main {{\n{}}}\n", lines(n, |k| format!("  expose agent.k{k}"))))
}

fn schema_fields(n: usize) -> Input {
    fleet(
        "schema agent {\n  x: number\n  os: text\n".to_owned()
            + &lines(n, |k| format!("  k{k}: number"))
            + "}\n",
    )
}

fn roles(n: usize) -> Input {
    let role = |r| format!("role \"r{}/q{r}\" {{ weight = {}, limit {{ cpus = 9 }} }}", r % 5, r + 1);
    fleet(
        lines(n, role)
            + &lines(5, |f| {
                format!("framework f{f} {{ role = \"r{f}/q{f}\", need k {{ agent {{ cpus = 1 }} }} }}")
            }),
    )
}

fn limits_of_a_role(n: usize) -> Input {
    let amounts = list(n, |r| format!("r{r} = 9"));
    fleet(format!("agent c {{ resources {{ {amounts} }} }}\nrole \"r\" {{ limit {{ {amounts} }} }}\n"))
        .and("framework f { role = \"r\", need k { count = 4, agent { r0 = 1 } } }\n")
}

fn principals_of_a_role(n: usize) -> Input {
    let all = list(n, |p| format!("\"p{p}\""));
    fleet(format!("role \"r\" {{ principals = [{all}] }}\n"))
        .and("framework f { role = \"r\", principal = \"p7\", need k { agent { cpus = 1 } } }\n")
        .and("framework g { role = \"r\", principal = \"eve\", need k { agent { cpus = 1 } } }\n")
}

fn tests(n: usize) -> Input {
    fleet(lines(n, |t| format!("test \"t{t}\" {{ need k {{ agent {{ cpus = 1 }} }}\n expect k met }}")))
}

fn expectations(n: usize) -> Input {
    fleet(format!(
        "test \"t\" {{\n{}}}\n",
        lines(n, |_| "  expect n met\n  expect m not on a because cpus".to_owned())
    ))
}

fn expectations_that_fail(n: usize) -> Input {
    fleet(format!("test \"t\" {{\n{}}}\n", lines(n, |_| "  expect n unmet\n  expect m on a".to_owned())))
}

/// A test declares as many agents as the set has, and every other takes the place of one.
fn agents_of_a_test(n: usize) -> Input {
    let agent = |a| format!("agent c{a} {{ resources {{ cpus = 1 }} }}");
    let own = lines(n, |a| agent(2 * a));
    fleet(lines(n, agent) + &format!("test \"t\" {{\n  with inventory\n{own}  expect n unmet\n}}"))
}

fn lines_of_a_snapshot(n: usize) -> Input {
    let needs = lines(n, |k| format!("need k{k} {{ agent {{ cpus = {} }} }}", 1 + k % 2));
    fleet(needs + "test \"t\" { expect snapshot }\n")
}

fn unknown_expectations(n: usize) -> Input {
    let needs = lines(n, |k| format!("need k{k} {{ agent {{ cpus = 1 }} }}"));
    fleet(needs + "test \"t\" {\n" + &lines(n, |k| format!("  expect k{k}x met")) + "}\n")
}
