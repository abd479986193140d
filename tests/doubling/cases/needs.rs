//! Demand that grows: frameworks, needs, what they ask and where, and what is allocated.

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{Analyse, Doc, Explain, Format, Load, Match, Offers, Stock, Views},
        cases as of,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("frameworks", 150, frameworks, &[Load, Analyse, Offers, Explain, Doc, Stock]),
        of("needs-of-a-framework", 150, needs_of_a_framework, &[Load, Analyse, Offers, Doc, Format]),
        of("different-needs", 150, different_needs, &[Offers]),
        of("unmet-needs", 150, unmet_needs, &[Offers, Views]),
        of("unmet-needs-of-a-framework", 150, unmet_needs_of_a_framework, &[Offers, Views]),
        of("met-needs", 150, frameworks, &[Views]),
        of("needs-in-json", 150, needs_in_json, &[Load, Offers]),
        of("count", 200, count, &[Offers, Match]),
        of("count-and-agents", 150, count_and_agents, &[Offers, Stock]),
        of("keys-of-a-need", 150, keys_of_a_need, &[Load, Offers]),
        of("conditions-of-a-need", 150, conditions_of_a_need, &[Load, Analyse, Offers, Explain, Match]),
        of("capabilities", 3_200, capabilities, &[Load, Offers]),
        of("parts-of-the-tree", 800, parts_of_the_tree, &[Load, Offers]),
        of("preferred-places", 150, preferred_places, &[Load, Offers]),
        of("avoided-places", 600, avoided_places, &[Load, Analyse, Offers]),
        of("volumes-of-a-need", 8, volumes_of_a_need, &[Load, Offers, Explain, Match]),
        of("asked-ports", 600, asked_ports, &[Load, Offers]),
        of("allocations", 150, allocations, &[Load, Offers, Stock]),
        of("allocations-in-json", 150, allocations_in_json, &[Load, Offers]),
        of("agents-of-an-allocation", 150, agents_of_an_allocation, &[Load, Offers]),
    ];
    parts.into_iter().flatten().collect()
}

const FLEET: &str = "agent a { x = 1, domain = \"us/a\", resources { cpus = 4000 } }
agent b { x = 2, domain = \"us/b\", resources { cpus = 8000 } }
provider p { instance i { pool q { x = 1, resources { size = 9TB } } } }
";

fn fleet(text: impl AsRef<str>) -> Input {
    policy(FLEET.to_owned() + text.as_ref())
}

fn agent_block(conditions: &str) -> Input {
    fleet(format!(
        "broker main {{ expose agent.x }}\nneed n {{ count = 2, agent {{ cpus = 1, {conditions} }} }}\n"
    ))
}

fn frameworks(n: usize) -> Input {
    fleet(lines(n, |f| {
        format!("framework f{f} {{ role = \"r{}\", need n {{ agent {{ cpus = 1 }} }} }}", f % 5)
    }))
}

fn needs_of_a_framework(n: usize) -> Input {
    fleet(format!("framework f {{\n{}}}\n", lines(n, |f| format!("  need n{f} {{ agent {{ cpus = 1 }} }}"))))
}

fn different_needs(n: usize) -> Input {
    fleet(lines(n, |f| {
        format!("need n{f} {{ agent {{ cpus = {} }}, within \"us/{}\" }}", 1 + f % 7, ["a", "b"][f % 2])
    }))
}

fn unmet_needs(n: usize) -> Input {
    fleet(lines(n, |f| format!("need n{f} {{ agent {{ cpus = {} }} }}", 9_000 + f)))
}

fn unmet_needs_of_a_framework(n: usize) -> Input {
    let need =
        |f| format!("  need n{f} {{ agent {{ cpus = {}, x == 3 }}, volume v {{ size = 1GB }} }}", 9_000 + f);
    fleet("broker main { expose agent.x }\n").and(format!("framework f {{\n{}}}\n", lines(n, need)))
}

fn needs_in_json(n: usize) -> Input {
    let need = |k| {
        format!(
            "{{\"name\": \"n{k}\", \"agent\": {{\"amounts\": {{\"cpus\": 1}}, \"where\": [\"x == 1\"]}}}}"
        )
    };
    fleet("broker main { expose agent.x }").with(format!("\"needs\": [{}]", list(n, need)))
}

fn count(n: usize) -> Input {
    fleet(format!("need n {{ count = {n}, agent {{ cpus = 1 }} }}\n"))
}

fn count_and_agents(n: usize) -> Input {
    let agent = |a| format!("agent c{a} {{ resources {{ cpus = 1 }} }}");
    policy(lines(n, agent) + &format!("need n {{ count = {n}, agent {{ cpus = 1 }} }}\n"))
}

fn keys_of_a_need(n: usize) -> Input {
    fleet(format!("need n {{ agent {{ cpus = 1 }}, {} }}\n", list(n, |k| format!("k{k} = {k}"))))
        .and(format!("broker main {{\n{}}}\n", lines(n, |k| format!("  require need.k{k} == {k}"))))
}

fn conditions_of_a_need(n: usize) -> Input {
    agent_block(&list(n, |k| format!("x != {}", k + 2)))
}

fn capabilities(n: usize) -> Input {
    let all = list(n, |c| format!("\"c{c}\""));
    fleet(format!("framework f {{ capabilities = [{all}], need n {{ agent {{ cpus = 1 }} }} }}\n"))
        .and("broker main { require r: framework.capabilities has \"c3\" }\n")
}

fn parts_of_the_tree(n: usize) -> Input {
    let all = list(n, |c| format!("\"eu/{c}\""));
    fleet(format!("need n {{ agent {{ cpus = 1 }}, within [{all}] }}\n"))
}

fn preferred_places(n: usize) -> Input {
    let all = lines(n, |c| format!("  prefer within \"us/{c}\" weight 1"));
    fleet(format!("need n {{\n  agent {{ cpus = 1 }}\n{all}}}\n"))
}

fn avoided_places(n: usize) -> Input {
    let all = lines(n, |c| format!("  avoid \"eu/{c}\""));
    fleet(format!("need n {{\n  agent {{ cpus = 1 }}\n{all}}}\n"))
}

fn volumes_of_a_need(n: usize) -> Input {
    fleet(format!(
        "need n {{ agent {{ cpus = 1 }}, {} }}\n",
        list(n, |v| format!("volume v{v} {{ size = 1GB }}"))
    ))
}

fn asked_ports(n: usize) -> Input {
    let all = list(n, |p| (3 * p + 1).to_string());
    policy(format!(
        "agent a {{ resources {{ ports = [0..90000] }} }}\nneed n {{ agent {{ ports = [{all}] }} }}\n"
    ))
}

fn allocations(n: usize) -> Input {
    let one = |a| format!("allocation x{a} {{ framework = \"f\", need = \"n\", agent a {{ cpus = 1 }} }}");
    fleet(
        lines(n, one) + &format!("framework f {{ need n {{ count = {}, agent {{ cpus = 1 }} }} }}\n", n + 2),
    )
}

fn allocations_in_json(n: usize) -> Input {
    let one = |a| {
        format!(
            "{{\"name\": \"x{a}\", \"agents\": {{\"a\": {{\"cpus\": 1}}}}, \"pools\": {{\"p/i/q\": {{\"size\": \"1GB\"}}}}}}"
        )
    };
    fleet("need n { agent { cpus = 1 } }\n").with(format!("\"allocations\": [{}]", list(n, one)))
}

fn agents_of_an_allocation(n: usize) -> Input {
    let agent = |a| format!("agent c{a} {{ resources {{ cpus = 2 }} }}");
    let taken = list(n, |a| format!("agent c{a} {{ cpus = 1 }}"));
    policy(lines(n, agent) + &format!("allocation x {{ {taken} }}\nneed n {{ agent {{ cpus = 1 }} }}\n"))
}
