//! Cycles that grow: places that count, offers that overlap, volumes together, holders of much.

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{Explain, Match, Offers},
        cases as of,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("at-most-per-agent", 200, at_most_per_agent, &[Offers, Match]),
        of("at-most-per-zone", 200, |n| in_zones(n, "at most 1 per zone"), &[Offers, Match]),
        of("spread-over-zones", 200, |n| in_zones(n, "spread over zone"), &[Offers, Match]),
        of("soft-spread", 200, |n| in_zones(n, "prefer spread over zone weight 3"), &[Offers]),
        of("together-in-a-zone", 200, |n| in_zones(n, "together in zone"), &[Offers]),
        of("near-another-need", 200, |n| beside(n, "prefer near x in zone weight 3"), &[Offers]),
        of("apart-from-another-need", 200, |n| beside(n, "avoid x in zone"), &[Offers]),
        of("at-most-among-framework", 200, at_most_among_framework, &[Offers]),
        of("volumes-spread", 200, |n| volumes_in_zones(n, "spread over zone"), &[Offers]),
        of("volumes-at-most", 200, |n| volumes_in_zones(n, "at most 1 per zone"), &[Offers]),
        of("two-volumes", 100, two_volumes, &[Offers]),
        of("overlapping-frameworks", 100, overlapping_frameworks, &[Offers]),
        of("gapped-ports", 200, gapped_ports, &[Offers]),
        of("resources-of-a-partial-need", 200, resources_of_a_partial_need, &[Offers, Explain]),
        of("charges-of-a-need", 200, charges_of_a_need, &[Offers]),
        of("instances-without-amounts", 200, instances_without_amounts, &[Offers]),
        of("hard-needs", 2, hard_needs, &[Offers]),
    ];
    parts.into_iter().flatten().collect()
}

fn at_most_per_agent(n: usize) -> Input {
    let agents = lines(n, |a| format!("agent a{a} {{ resources {{ cpus = 4 }} }}"));
    policy(agents + &format!("need d {{ count = {n}, at most 1 per agent, agent {{ cpus = 1 }} }}\n"))
}

fn zones(n: usize) -> String {
    lines(n, |a| format!("agent a{a} {{ domain = \"r/z{a}\", resources {{ cpus = 4 }} }}"))
}

fn in_zones(n: usize, place: &str) -> Input {
    policy(zones(n) + &format!("need d {{ count = {n}, {place}, agent {{ cpus = 1 }} }}\n"))
}

fn beside(n: usize, place: &str) -> Input {
    let half = n / 2;
    policy(
        zones(n)
            + &format!(
                "framework f {{
  need x {{ count = {half}, at most 1 per agent, agent {{ cpus = 1 }} }}
  need y {{ count = {half}, {place}, agent {{ cpus = 1 }} }}
}}
"
            ),
    )
}

fn at_most_among_framework(n: usize) -> Input {
    let needs =
        lines(n, |d| format!("  need d{d} {{ at most 3 per agent among framework, agent {{ cpus = 1 }} }}"));
    policy(zones(n) + &format!("framework f {{\n{needs}}}\n"))
}

fn volumes_in_zones(n: usize, place: &str) -> Input {
    let instances = lines(n, |i| {
        format!("  instance i{i} {{ domain = \"r/z{i}\", pool p {{ resources {{ size = 100GB }} }} }}")
    });
    policy(format!(
        "provider p {{\n{instances}}}
agent a {{ resources {{ cpus = 1000000 }} }}
need d {{ count = {n}, agent {{ cpus = 1 }}, volume v {{ size = 9GB, {place} }} }}
"
    ))
}

fn two_volumes(n: usize) -> Input {
    let agents = lines(n, |a| format!("agent a{a} {{ resources {{ cpus = 4 }} }}"));
    policy(agents).and(format!(
        "provider p {{ instance i {{ pool q {{ resources {{ size = 100TB }} }} }} }}
need d {{ count = {n}, agent {{ cpus = 1 }}, volume v {{ size = 1GB }}
volume w {{ size = 2GB }} }}
"
    ))
}

fn overlapping_frameworks(n: usize) -> Input {
    let agents = lines(20, |a| format!("agent a{a} {{ resources {{ cpus = 1000 }} }}"));
    let frameworks =
        lines(n, |f| format!("framework f{f} {{ need t {{ count = 20, agent {{ cpus = 1 }} }} }}"));
    policy("broker main { overlap = unlimited }\n".to_owned() + &agents + &frameworks)
}

fn gapped_ports(n: usize) -> Input {
    let taken = lines(n, |x| format!("allocation x{x} {{ agent a {{ ports = [{}] }} }}", 2 * x + 1));
    let last = 2 * n + 9;
    policy(taken).and(format!(
        "agent a {{ resources {{ ports = [1..{last}] }} }}\nneed d {{ agent {{ ports = 1 }} }}\n"
    ))
}

fn resources_of_a_partial_need(n: usize) -> Input {
    let (has, asks) = (list(n, |r| format!("r{r} = 10")), list(n, |r| format!("r{r} = 6")));
    policy(format!("agent a {{ resources {{ {has} }} }}\nneed d {{ count = 2, agent {{ {asks} }} }}\n"))
}

fn charges_of_a_need(n: usize) -> Input {
    let charges = lines(n, |r| format!("charge agent.r{r} 1 per need"));
    let has = list(n, |r| format!("r{r} = 10"));
    policy(format!(
        "broker main {{\n{charges}}}
agent a {{ resources {{ cpus = 4, {has} }} }}
need d {{ count = 2, agent {{ cpus = 1 }} }}
"
    ))
}

fn instances_without_amounts(n: usize) -> Input {
    policy(format!(
        "broker main {{ expose agent.x }}
agent a {{ x = 1, resources {{ cpus = 4 }} }}
need d {{ count = {}, agent {{ x == 1 }} }}
",
        n * 10
    ))
}

fn hard_needs(n: usize) -> Input {
    let instances = lines(30, |i| {
        format!("  instance i{i} {{ domain = \"r/z/k{}\", pool p {{ resources {{ size = 9TB }} }} }}", i % 10)
    });
    let needs = lines(n, |f| {
        format!(
            "framework f{f} {{ need d {{ agent {{ cpus = 1 }}, volume v {{ count = 11, size = {}GB, at most 1 per rack }} }} }}",
            f + 1
        )
    });
    policy(format!(
        "broker main {{ levels region > zone > rack }}
provider p {{\n{instances}}}
agent a {{ resources {{ cpus = 1000 }} }}
{needs}"
    ))
}
