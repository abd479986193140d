//! Fleets that grow: agents, storage, keys, resources, parts, and the rules of holders.

use crate::{
    Case,
    input::{lines, list, policy},
    work::{
        Input,
        Task::{
            Analyse, Build, Change, Diff, Doc, Explain, Format, Keep, Load, Match, Offers, Refuse, Stock,
        },
        cases as of, growing,
    },
};

pub fn cases() -> Vec<Case> {
    let parts = [
        of("agents", 200, agents, &[Load, Analyse, Offers, Explain, Match, Doc, Stock, Keep]),
        of("agents-in-json", 200, agents_in_json, &[Load, Diff, Change]),
        of("agents-of-own-kind", 150, agents_of_own_kind, &[Analyse, Offers, Explain, Match]),
        of("domains", 150, domains, &[Load, Offers]),
        of("keys-of-an-agent", 150, keys_of_an_agent, &[Load, Analyse, Offers, Format]),
        of("own-keys", 150, own_keys, &[Load, Offers, Doc, Keep]),
        growing(
            of("own-keys", 150, own_keys, &[Analyse]),
            Analyse,
            "candidates are held against each preference, up to `PREFERRING_STEPS` in all",
        ),
        growing(
            of("own-keys", 150, own_keys, &[Explain]),
            Explain,
            "every agent is a class of its own, and each rule is asked of it, up to `EXPLAIN_STEPS`",
        ),
        growing(
            of("own-keys-in-json", 150, own_keys_in_json, &[Load, Offers]),
            Offers,
            "an agent that cannot serve is held against every rule, for all its reasons, up to `REASONS_LOOKED`",
        ),
        of("keys-without-use", 150, keys_without_use, &[Load, Offers, Doc]),
        of("misspelt-keys", 250, misspelt_keys, &[Load]),
        of("misspelt-needed-keys", 250, misspelt_needed_keys, &[Refuse]),
        of("rules-of-agents", 150, rules_of_agents, &[Load, Analyse, Offers, Explain, Doc, Build]),
        of("rules-of-an-agent", 150, rules_of_an_agent, &[Load, Analyse, Offers, Explain]),
        of("rules-of-pools", 160, rules_of_pools, &[Load, Analyse, Offers, Explain]),
        [Offers, Match, Stock].into_iter().fold(
            of("resources-of-an-agent", 1_200, resources_of_an_agent, &[Load, Offers, Match, Stock]),
            |cases, task| {
                growing(cases, task, "what a candidate takes is compared with all that it took before")
            },
        ),
        of("own-resources", 150, own_resources, &[Load, Analyse, Offers, Stock]),
        of("parts-of-an-agent", 150, parts_of_an_agent, &[Load, Offers, Stock]),
        of("members-of-a-key", 200, members_of_a_key, &[Load, Offers]),
        of("ranges-of-a-resource", 600, ranges_of_a_resource, &[Load, Offers, Match, Stock]),
        of("items-of-a-resource", 150, items_of_a_resource, &[Load, Offers, Match]),
        of("providers", 150, providers, &[Load, Analyse, Offers, Explain, Match, Stock]),
        of("instances", 150, instances, &[Load, Offers]),
        of("pools", 150, pools, &[Load, Analyse, Offers, Explain, Match, Stock]),
        of("agents-and-pools-with-a-rule", 12, agents_and_pools, &[Load]),
        of("existing-volumes", 150, existing_volumes, &[Load, Offers, Explain, Match, Stock]),
        of("volumes-by-path", 150, volumes_by_path, &[Load]),
        of("twice-the-same-agent", 150, twice_the_same_agent, &[Refuse]),
    ];
    parts.into_iter().flatten().collect()
}

const NEEDS: &str = "need n { count = 3, agent { cpus = 2 } }\nneed m { agent { cpus = 99 } }\n";
const VOLUME: &str = "need n { count = 3, volume v { size = 2GB } }\nneed m { volume v { size = 99GB } }\n";

fn agents(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ kind = \"z{}\", resources {{ cpus = {} }} }}", a % 7, 2 + a % 3);
    policy(lines(n, agent) + NEEDS)
}

fn agents_in_json(n: usize) -> Input {
    let agents = |from: usize| {
        let agent = |a| format!("{{\"name\": \"a{}\", \"resources\": {{\"cpus\": 4}}}}", from + a);
        format!("\"agents\": [{}]", list(n, agent))
    };
    policy("need n { count = 5, agent { cpus = 4 } }").with(agents(0)).with(agents(n))
}

/// No two agents are alike to a rule.
fn agents_of_own_kind(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ rank = {a}, resources {{ cpus = {} }} }}", a + 1);
    policy(lines(n, agent) + "broker main { require r: agent.rank < 5, prefer agent.rank / 9 }\n" + NEEDS)
}

fn domains(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ domain = \"r{}/z{a}\", resources {{ cpus = 4 }} }}", a / 3);
    policy(
        lines(n, agent)
            + "broker main { domain = \"r0/z1\", require r: agent.domain within \"r1\" }\n"
            + NEEDS,
    )
}

fn keys_of_an_agent(n: usize) -> Input {
    policy(
        "agent a {\n".to_owned()
            + &lines(n, |k| format!("  k{k} = {k}"))
            + "  resources { cpus = 9 }\n}\nbroker main {\n"
            + &lines(n, |k| format!("  require r{k}: agent.k{k} == {k}"))
            + "}\n"
            + NEEDS,
    )
}

/// Each agent has a key of its own, and a rule reads it.
fn own_keys(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ k{a} = {a}, resources {{ cpus = 4 }} }}");
    let rule = |a| format!("  prefer p{a}: agent.k{a} == {a}");
    policy(lines(n, agent) + "broker main {\n" + &lines(n, rule) + "}\n" + NEEDS)
}

fn own_keys_in_json(n: usize) -> Input {
    let agent =
        |a| format!("{{\"name\": \"a{a}\", \"keys\": {{\"k{a}\": {a}}}, \"resources\": {{\"cpus\": 4}}}}");
    let rule = |a| format!("  require r{a}: agent.k{a} else 0 < 9");
    policy("broker main {\n".to_owned() + &lines(n, rule) + "}\n" + NEEDS)
        .with(format!("\"agents\": [{}]", list(n, agent)))
}

fn keys_without_use(n: usize) -> Input {
    let agent =
        |a| format!("{{\"name\": \"a{a}\", \"keys\": {{\"k{a}\": {a}}}, \"resources\": {{\"cpus\": 4}}}}");
    policy(NEEDS).with(format!("\"agents\": [{}]", list(n, agent)))
}

/// As many keys as there are, each misspelt once.
fn misspelt_keys(n: usize) -> Input {
    let key = |k| format!("key-{k}");
    policy(
        "schema agent {\n".to_owned()
            + &lines(n, |k| format!("  {}: number", key(k)))
            + "}\nagent a {\n"
            + &lines(n, |k| format!("  {}x = 1", key(k)))
            + "  resources { cpus = 1 }\n}\nneed n { agent { cpus = 1 } }",
    )
}

/// Needs test keys that are not exposed, beside as many that are.
fn misspelt_needed_keys(n: usize) -> Input {
    policy(
        "broker main {\n".to_owned()
            + &lines(n, |k| format!("  expose agent.key-{k}"))
            + "}\nneed n { agent {\n  cpus = 1\n"
            + &lines(n, |k| format!("  key-{k}x == 1"))
            + "} }\nagent a { key-0 = 1, resources { cpus = 1 } }",
    )
}

fn rules_of_agents(n: usize) -> Input {
    let agent = |a| {
        format!(
            "agent a{a} {{ resources {{ cpus = 4 }}, require r: framework.name != \"f{a}\" or need.deep else false }}"
        )
    };
    policy(lines(n, agent) + NEEDS)
}

fn rules_of_an_agent(n: usize) -> Input {
    policy(
        "agent a {\n  resources { cpus = 4 }\n".to_owned()
            + &lines(n, |r| format!("  require r{r}: framework.name != \"f{r}\""))
            + "}\n"
            + NEEDS,
    )
}

fn rules_of_pools(n: usize) -> Input {
    let pool =
        |p| format!("  pool p{p} {{ resources {{ size = 9GB }}, require r: framework.name != \"f{p}\" }}");
    policy("provider a { instance i {\n".to_owned() + &lines(n, pool) + "} }\n" + VOLUME)
}

fn resources_of_an_agent(n: usize) -> Input {
    let amounts = list(n, |r| format!("r{r} = 4"));
    let asked = list(n, |r| format!("r{r} = 1"));
    policy(format!("agent a {{ resources {{ {amounts} }} }}\nneed n {{ count = 3, agent {{ {asked} }} }}"))
}

/// Each agent has a resource of its own, and a need asks for it.
fn own_resources(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ resources {{ r{a} = 4 }} }}");
    let need = |a| format!("need n{a} {{ agent {{ r{a} = 4 }} }}");
    policy(lines(n, agent) + &lines(n.min(5), need))
}

fn parts_of_an_agent(n: usize) -> Input {
    let part = |r| format!("  resources for \"role-{r}\" {{ cpus = 1 }}");
    policy(
        "agent a {\n  resources { cpus = 9 }\n".to_owned()
            + &lines(n, part)
            + "}\nframework f { role = \"role-3\", need n { count = 4, agent { cpus = 2 } } }\n",
    )
}

fn members_of_a_key(n: usize) -> Input {
    let members = list(n, |m| format!("\"m{m}\""));
    policy(format!(
        "agent a {{ tags = [{members}], resources {{ cpus = 9 }} }}
         broker main {{ require r: agent.tags has all [{members}] }}\n{NEEDS}"
    ))
}

fn ranges_of_a_resource(n: usize) -> Input {
    let ranges = list(n, |r| format!("{}..{}", 10 * r, 10 * r + 3));
    let asked = list(n, |r| (10 * r + 1).to_string());
    policy(format!(
        "agent a {{ resources {{ ports = [{ranges}] }} }}
         need n {{ agent {{ ports = [{asked}] }} }}\nneed m {{ count = 2, agent {{ ports = {n} }} }}"
    ))
}

fn items_of_a_resource(n: usize) -> Input {
    let items = list(n, |r| format!("\"g{r}\""));
    policy(format!(
        "agent a {{ resources {{ gpus = [{items}] }} }}
         need n {{ agent {{ gpus = {} }} }}\nneed m {{ agent {{ gpus = [{items}] }} }}",
        n / 2
    ))
}

fn providers(n: usize) -> Input {
    let one = |p| {
        format!("provider p{p} {{ instance i {{ pool q {{ resources {{ size = {}GB }} }} }} }}", 2 + p % 3)
    };
    policy(lines(n, one) + VOLUME)
}

fn instances(n: usize) -> Input {
    let one = |p| format!("  instance i{p} {{ pool q {{ resources {{ size = {}GB }} }} }}", 2 + p % 3);
    policy("provider p {\n  resources { size = 90GB }\n".to_owned() + &lines(n, one) + "}\n" + VOLUME)
}

fn pools(n: usize) -> Input {
    let one = |p| format!("  pool q{p} {{ media = \"m{}\", resources {{ size = {}GB }} }}", p % 7, 2 + p % 3);
    policy("provider p { instance i {\n".to_owned() + &lines(n, one) + "} }\n" + VOLUME)
}

/// Four times as many pairs for twice as many of each: binding makes none of them.
fn agents_and_pools(n: usize) -> Input {
    let agent = |a| format!("agent a{a} {{ vlan = {a}, resources {{ cpus = 4 }} }}");
    let pool = |p| format!("  pool q{p} {{ vlan = {p}, resources {{ size = 9GB }} }}");
    policy(
        lines(n, agent)
            + "provider p { instance i {\n"
            + &lines(n, pool)
            + "} }\nbroker main { require r: agent.vlan == pool.vlan }\nneed n { agent { cpus = 1 }, volume v { size = 1GB } }",
    )
}

fn existing_volumes(n: usize) -> Input {
    let volume = |v| format!("  volume v{v} {{ resources {{ size = {}GB }} }}", 1 + v % 3);
    policy(
        format!("provider p {{ instance i {{ pool q {{\n  resources {{ size = {}GB }}\n", 4 * n)
            + &lines(n, volume)
            + "} } }\n"
            + VOLUME,
    )
}

fn volumes_by_path(n: usize) -> Input {
    let volume = |v| {
        format!(
            "{{\"path\": \"p/i/q/v{v}\", \"resources\": {{\"size\": \"1GB\"}}, \"reserved_for\": \"db\"}}"
        )
    };
    policy(
        format!("provider p {{ instance i {{ pool q {{ resources {{ size = {}GB }} }} }} }}\n", 4 * n)
            + VOLUME,
    )
    .with(format!("\"volumes\": [{}]", list(n, volume)))
}

fn twice_the_same_agent(n: usize) -> Input {
    policy(lines(n, |_| "agent a { resources { cpus = 1 } }".to_owned()) + NEEDS)
}
