//! `bourse repl`, with lines on standard input.

use super::{DEMO, Folder, Output};

fn session(lines: &str) -> Output {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    folder.run_with(&["repl", "p.policy"], lines)
}

/// Each line with its answer.
#[test]
fn a_value_has_its_unit_and_type() {
    for (line, answer) in [
        ("agent.free.cpus", "8  number"),
        ("agent.total.mem * 2", "128GiB  size"),
        ("agent.os", "\"linux\"  text"),
        ("agent.domain", "\"us/a\"  place"),
        ("agent.drivers", "[\"rexray\"]  set of text"),
        ("agent.drivers has \"rexray\"", "true  bool"),
        ("not agent is rexray", "false  bool"),
        ("agent.domain within pool.domain", "true  bool"),
        ("volume.size / 4", "500GB  size"),
        ("need.count", "2  number"),
        ("framework.name == \"db\"", "true  bool"),
        ("1GB + 3MB", "1003MB  size"),
        ("agent.rpm > 3", "unknown: agent.rpm is absent"),
        ("agent.rpm > 3 or agent.tier == 2", "unknown: agent.rpm is absent; agent.tier is absent"),
        ("agent.rpm > 3 or agent.os == \"linux\"", "true  bool"),
        ("agent.rpm > 3 and agent.os == \"plan9\"", "false  bool"),
        ("1GB / (agent.free.cpus - 8)", "unknown: a division by zero in 1GB / (agent.free.cpus - 8)"),
        ("9223372036854 * 1000000", "unknown: an overflow in 9223372036854 * 1000000"),
        (":type agent.free.mem", "size"),
        (":type agent.free.cpus > 3", "bool"),
        (":volume log", "agent   a1\npool    scaleio/aisle/hdd\nneed    db.ring\nvolume  log"),
    ] {
        let output = session(line);
        assert_eq!((output.stdout.trim_end(), output.code), (answer, 0), "{line}: {output:?}");
    }
}

#[test]
fn what_is_chosen_is_what_is_seen() {
    let output = session(
        "agent.os\n:agent a2\nagent.os\n:pool scaleio/aisle/ssd/gold\npool.media\nvolume.size\n:volume \"log\"\n\
         volume.size\n:need web\nneed.cpus\nvolume.size\n:agent -\nagent.os\nagent.os is absent\n",
    );
    let answers: Vec<&str> =
        output.stdout.lines().filter(|line| line.contains("  ") && !line.contains("   ")).collect();
    let wanted = ["\"linux\"  text", "\"ssd\"  text", "2TB  size", "500GB  size", "2  number"];
    let known: Vec<&str> = answers.iter().copied().filter(|line| wanted.contains(line)).collect();
    assert_eq!(known, wanted, "{output:?}");
    for wanted in [
        "unknown: agent.os is absent\n",
        "unknown: volume.size is absent, since no volume is chosen: `:volume NAME`\n",
        "unknown: agent.os is absent, since no agent is chosen: `:agent NAME`\n",
        "true  bool  (no agent is chosen: `:agent NAME`)\n",
    ] {
        assert!(output.stdout.contains(wanted), "{wanted} in {output:?}");
    }
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn names_are_listed() {
    for (line, answer) in [
        (":agent", "a1\na2\n"),
        (":pool", "scaleio/aisle/hdd\nscaleio/aisle/ssd\nscaleio/aisle/ssd/gold\n"),
        (":need", "db.ring\nweb\nhuge\n"),
        (":volume", "data\nlog\n"),
    ] {
        assert_eq!(session(line).stdout, answer);
    }
    let keys = session(":keys pool").stdout;
    assert!(
        keys.contains("pool.media") && keys.contains("\"hdd\", \"ssd\"") && keys.contains("pool.total.size"),
        "{keys}"
    );
}

#[test]
fn why_shows_each_part() {
    let output = session(":why agent is rexray and agent.rpm else 3 > agent.tier");
    let wanted = "\
unknown  agent is rexray and agent.rpm else 3 > agent.tier
  true  agent is rexray
    true  agent.drivers has \"rexray\"
      [\"rexray\"]  agent.drivers
  unknown  agent.rpm else 3 > agent.tier
    3  agent.rpm else 3
    unknown  agent.tier    agent.tier is absent
";
    assert_eq!(output.stdout, wanted);
}

/// The line and column are those of what was typed, a command before it or not.
#[test]
fn mistakes_are_told_with_their_places() {
    for (line, code, place, help) in [
        ("agent.x +", "B0107", "<stdin>:2:10", "a value is"),
        ("agent.x = 3", "B0107", "<stdin>:2:9", "`==` compares"),
        (":why  agent is rexay", "B0202", "<stdin>:2:16", "did you mean `rexray`?"),
        ("  vlan == 3", "B0203", "<stdin>:2:3", "agent.vlan"),
        ("agent.free.mem + 3", "B0302", "<stdin>:2:1", "give the number a unit"),
        (":agent a3", "B0213", "<stdin>:2:8", "did you mean `a1`?"),
        (":pool scaleio/aisle/hd", "B0213", "<stdin>:2:7", "did you mean `scaleio/aisle/hdd`?"),
        (":need rng", "B0213", "<stdin>:2:7", "did you mean `ring`?"),
        (":agnt a1", "B0107", "<stdin>:2:1", "did you mean `:agent`?"),
        (":keys", "B0215", "<stdin>:2:1", ":keys agent"),
        ("\"\u{1b}[2J\"", "B0102", "<stdin>:2:2", "\\u{1b}"),
    ] {
        let output = session(&format!("1 + 1\n{line}\n2 + 2\n"));
        assert_eq!(
            (output.stdout.as_str(), output.code),
            ("2  number\n4  number\n", 3),
            "{line}: {output:?}"
        );
        for wanted in [code, place, help] {
            assert!(output.stderr.contains(wanted), "{wanted} for {line}: {output:?}");
        }
        assert!(!output.stderr.contains('\u{1b}'), "{output:?}");
    }
}

#[test]
fn a_doubt_is_told_and_answered() {
    let output = session("agent.driver has \"rexray\"\n");
    assert_eq!((output.stdout.as_str(), output.code), ("unknown: agent.driver is absent\n", 0));
    assert!(
        output.stderr.contains("B0316") && output.stderr.contains("did you mean `drivers`?"),
        "{output:?}"
    );
}

#[test]
fn nothing_is_remembered_of_an_expression() {
    let output = session("agent.rack-no == 3\nagent.rack-no == \"three\"\n// nothing\n\n:quit\n1 +\n");
    assert_eq!(output.code, 0, "{output:?}");
}

#[test]
fn a_set_without_needs_has_nobody_who_asks() {
    let folder = Folder::new(&[("p.policy", "agent a { resources { cpus = 4 } }\n")]);
    let output = folder.run_with(&["repl", "p.policy"], "agent.free.cpus\nframework.name\n:need\n");
    let wanted = "4  number\nunknown: the set has no need, so nobody asks\nthere is none\n";
    assert_eq!(output.stdout, wanted, "{output:?}");
}
