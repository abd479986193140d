use super::*;
use crate::{
    inventory::records::{PartRecord, Raw, RawAmount, Reserved, RuleText, UseKind},
    quantity::{MILLION, Quantity},
    ranges::Ranges,
};

const SAMPLE: &str = include_str!("samples/whole.json");
const LINES: &str = include_str!("samples/whole.ndjson");

struct ReadDocument {
    sources: Sources,
    records: Records,
    diagnostics: Vec<Diagnostic>,
}

impl ReadDocument {
    /// Code and text of the first place of each problem.
    fn problems(&self) -> Vec<(Code, String)> {
        let text = |diagnostic: &Diagnostic| self.sources.text(diagnostic.labels[0].span).to_owned();
        self.diagnostics.iter().map(|diagnostic| (diagnostic.code, text(diagnostic))).collect()
    }
}

fn read_as(name: &str, text: &str) -> ReadDocument {
    let mut sources = Sources::default();
    let (records, diagnostics) = read(&mut sources, name, text.as_bytes());
    ReadDocument { sources, records, diagnostics }
}

fn document(fields: &str) -> String {
    format!(r#"{{"format": "bourse.inventory", "version": 1, {fields}}}"#)
}

fn texts(located: &[crate::inventory::records::Located]) -> Vec<&str> {
    located.iter().map(|it| it.text.as_str()).collect()
}

#[test]
fn a_document_says_all_that_declarations_say() {
    let read = read_as("fleet.json", SAMPLE);
    assert_eq!(read.diagnostics, []);
    let records = &read.records;
    let (levels, _) = records.broker.levels.clone().expect("has levels");
    assert_eq!(levels, ["region", "zone", "rack"]);
    let agent = &records.agents[0];
    let key = |name: &str| agent.keys.iter().find(|key| key.key == name).map(|key| key.value.clone());
    assert_eq!(key("adapter.infiniband"), Some(Raw::Bool(true)));
    assert_eq!(key("\"nvidia.com/gpu\".count"), Some(Raw::Integer(4)));
    assert_eq!(key("load"), Some(Raw::Quantity(Quantity::parse("0.25").expect("reads"))));
    assert_eq!(key("vlans"), Some(Raw::Ranges(Ranges::new([(1, 5), (9, 9)]))));
    assert_eq!(key("drivers"), Some(Raw::Texts(vec!["rexray".into(), "docker".into()])));
    assert_eq!(key("sizes"), Some(Raw::Numbers(vec![MILLION, 2_500_000])));
    assert_eq!(key("none"), Some(Raw::Empty));
    let resource = |name: &str| agent.resources.iter().find(|it| it.name == name).expect(name);
    assert_eq!(resource("cpus").amount, RawAmount::Integer(16));
    assert_eq!(
        resource("cpus").options.as_ref().expect("options").overcommit.map(|it| it.0),
        Some(1_500_000)
    );
    assert_eq!(
        resource("cpus").options.as_ref().expect("options").reserved.as_ref().map(|it| &it.0),
        Some(&Reserved::Fraction(100_000))
    );
    assert_eq!(resource("ports").amount, RawAmount::Ranges(Ranges::new([(31000, 32000), (8080, 8080)])));
    assert_eq!(resource("\"nvidia.com/gpu\"").amount, RawAmount::Items(vec!["g0".into(), "g1".into()]));
    assert_eq!(resource("mounts").amount, RawAmount::Unlimited);
    let parts: Vec<_> =
        agent.resources.iter().map(|it| &it.part).filter(|it| **it != PartRecord::Unreserved).collect();
    assert_eq!(parts, [&PartRecord::Reserved("eng/ads".into()), &PartRecord::Revocable]);
    let pool = &records.providers[0].children[0].children[0];
    let path = [&records.providers[0].name, &records.providers[0].children[0].name, &pool.name];
    assert_eq!(path.map(|name| name.text.as_str()), ["scaleio", "aisle-15", "ssd"]);
    assert_eq!(pool.children[0].reserved_for.as_ref().map(|it| it.text.as_str()), Some("db"));
    assert_eq!(records.serial, Some(7));
    let reserved =
        records.reservations.iter().map(|it| (it.of.kind, it.of.holder.text.as_str(), it.of.amounts.len()));
    assert_eq!(
        reserved.collect::<Vec<_>>(),
        [(UseKind::Agent, "a1", 2), (UseKind::Pool, "scaleio/aisle-15/ssd", 1),]
    );
    let volume = &records.volumes[0];
    assert_eq!((volume.pool(), volume.tier.name.text.as_str()), ("scaleio/aisle-15/ssd", "silver"));
    let uses: Vec<_> =
        records.allocations[0].uses.iter().map(|it| (it.kind, it.revocable, it.amounts.len())).collect();
    let agent_and_pool = [(UseKind::Agent, false, 2), (UseKind::Pool, false, 1)];
    assert_eq!(uses[..2], agent_and_pool);
    assert_eq!(uses[2..], [(UseKind::Volume, false, 0), (UseKind::Agent, true, 1)]);
}

#[test]
fn rules_are_kept_as_text_with_their_places() {
    let read = read_as("fleet.json", SAMPLE);
    let provider = &read.records.providers[0];
    let shown: Vec<_> = provider
        .rules
        .iter()
        .map(|rule| {
            let RuleText::Text(text) = &rule.text else { panic!("a text") };
            assert_eq!(
                read.sources.text(text.span),
                text.text,
                "no escapes: a place in one is a place in the other"
            );
            (rule.label.as_ref().map(|it| it.text.as_str()), rule.strength.weight(), text.text.as_str())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (None, None, "agent.vlan is present"),
            (Some("driver"), None, "agent is rexray"),
            (Some("lan"), Some(2_500_000), "agent.vlan == pool.vlan"),
        ]
    );
    assert_eq!(provider.rules[1].docs, ["The client that mounts.", "Without it nothing works."]);
}

#[test]
fn demand_becomes_statements_of_the_language() {
    let records = read_as("fleet.json", SAMPLE).records;
    assert_eq!(
        texts(&records.roles[0].statements),
        [
            "weight = 2.5",
            "limit { cpus = 400, pool.size = 1.5PB, \"nvidia.com/gpu\" = 4 }",
            "principals = [\"alice\"]",
        ]
    );
    let framework = &records.frameworks[0];
    assert_eq!(
        texts(&framework.declaration.statements),
        [
            "role = \"db\"",
            "principal = \"alice\"",
            "capabilities = [\"region-aware\"]",
            "tier.grade = \"a\\\"b\"",
            "tolerates = [\"gpu\"]",
        ]
    );
    let names: Vec<_> = framework.needs.iter().map(|need| need.declaration.name.text.as_str()).collect();
    assert_eq!(names, ["ring", "seed"], "a need that names its framework joins it");
    let ring = &framework.needs[0];
    assert_eq!(
        texts(&ring.declaration.statements),
        [
            "count = 3",
            "all or nothing",
            "accept revocable",
            "urgent = true",
            "spread over zone",
            "prefer within \"us/a\" weight 5",
        ]
    );
    let (agent, _) = ring.agent.as_ref().expect("asks of an agent");
    assert_eq!(
        texts(agent),
        [
            "cpus = 2..8",
            "mem = 16GiB",
            "ports = [8080, 9000..9001]",
            "\"nvidia.com/gpu\" = [\"g0\"]",
            "is rexray",
            "not is std.\"odd class\"",
            "os == \"linux\"",
        ]
    );
    assert_eq!(
        texts(&ring.volumes[0].statements),
        [
            "count = 2",
            "size = 2TB",
            "iops = 5000",
            "filesystem = \"ext4\"",
            "access = \"rw\"",
            "source = \"scaleio/aisle-15/ssd/gold\"",
            "is fast-durable",
            "near data in zone",
        ]
    );
    assert_eq!(records.frameworks[1].declaration.name.text, "elsewhere", "declared by a policy");
    assert_eq!(records.needs[0].declaration.name.text, "alone");
}

#[test]
fn lines_say_the_same_as_a_document() {
    let (whole, lines) = (read_as("fleet.json", SAMPLE), read_as("fleet.NDJSON", LINES));
    assert_eq!(lines.diagnostics, []);
    let strip = |read: &ReadDocument| {
        // Places differ; nothing else does.
        let text = format!("{:#?}", read.records);
        let mut skip = 0;
        let kept = text.lines().filter(|line| {
            skip = if line.contains("Span {") { 4 } else { skip };
            skip = usize::saturating_sub(skip, 1);
            skip == 0
        });
        kept.filter(|line| !line.contains("start:") && !line.contains("end:")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(strip(&lines), strip(&whole));
}

#[test]
fn names_and_marks_of_files_do_not_matter() {
    let mut sources = Sources::default();
    let text = format!("\u{feff}{}", document(r#""agents": []"#));
    assert_eq!(read(&mut sources, "a.json", text.as_bytes()).1, []);
    let (_, problems) = read(&mut sources, "a.json", b"{\"format\": \"\xff\"}");
    assert_eq!(problems[0].code, Code::B0101);
}

/// The fields of a document, whether the schema refuses it too, and its problems.
type Sample = (&'static str, bool, &'static [(Code, &'static str)]);

/// Each sample with the code and the text of the place of each problem. `true`: the schema refuses it too.
#[rustfmt::skip]
const BAD: &[Sample] = &[
    (r#""agents": 5"#, true, &[(Code::B0502, "5")]),
    (r#""agents": [5]"#, true, &[(Code::B0502, "5")]),
    (r#""agents": [{}]"#, true, &[(Code::B0504, "{")]),
    (r#""agents": [{"name": ""}]"#, true, &[(Code::B0502, r#""""#)]),
    (r#""agents": [{"name": "a/b"}]"#, true, &[(Code::B0502, r#""a/b""#)]),
    (r#""agents": [{"name": "a\u202eb"}]"#, true, &[(Code::B0102, r#""a\u202eb""#)]),
    (r#""agents": [{"name": "a\nb"}]"#, true, &[(Code::B0102, r#""a\nb""#)]),
    (r#""agents": [{"name": "a\u200bb"}]"#, true, &[(Code::B0102, r#""a\u200bb""#)]),
    (r#""agents": [{"name": "a", "keys": {"k\ufeff": 1}}]"#, true, &[(Code::B0102, r#""k\ufeff""#)]),
    (r#""agents": [{"name": "a", "domain": "us/\u2060"}]"#, true, &[(Code::B0102, r#""us/\u2060""#)]),
    (r#""agents": [{"name": "a", "resources": {"gpus": ["g\u00ad"]}}]"#, true, &[(Code::B0102, r#""g\u00ad""#)]),
    (r#""allocations": [{"name": "a", "role": "e\udb40\udc01"}]"#, false, &[(Code::B0102, r#""e\udb40\udc01""#)]),
    (r#""allocations": [{"name": "a", "role": "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"}]"#, true,
        &[(Code::B0209, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17")]),
    (r#""allocations": [{"name": "a", "role": "e//f"}]"#, true, &[(Code::B0209, "e//f")]),
    (r#""frameworks": [{"name": "f", "role": "e/../f"}]"#, false, &[(Code::B0209, "e/../f")]),
    (r#""agents": [{"name": "\ud800"}]"#, false, &[(Code::B0501, "\"")]),
    (r#""agents": [{"name": "a", "domian": "us"}]"#, true, &[(Code::B0503, r#""domian""#)]),
    (r#""agents": [{"name": "a", "domain": "us//b"}]"#, true, &[(Code::B0311, r#""us//b""#)]),
    (r#""agents": [{"name": "a", "domain": "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"}]"#, true,
        &[(Code::B0311, r#""1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17""#)]),
    (r#""agents": [{"name": "a"}, {"name": "a"}]"#, false, &[(Code::B0506, "a")]),
    (r#""agents": [{"name": "a", "name": "b"}]"#, false, &[(Code::B0212, r#""name""#)]),
    (r#""agents": [{"name": "a", "keys": {"x": 1, "y": 2, "x": 3}}]"#, false, &[(Code::B0212, r#""x""#)]),
    (r#""agents": [{"name": "a", "keys": {"x": null}}]"#, true, &[(Code::B0502, "null")]),
    (r#""agents": [{"name": "a", "keys": {"": 1}}]"#, true, &[(Code::B0502, r#""""#)]),
    (r#""agents": [{"name": "a", "keys": {"domain": "us"}}]"#, true, &[(Code::B0211, r#"{"domain": "us"}"#)]),
    (r#""agents": [{"name": "a", "keys": {"domain": {"x": 1}}}]"#, true, &[(Code::B0211, r#"{"domain": {"x": 1}}"#)]),
    (r#""agents": [{"name": "a", "keys": {"x": [1, "a"]}}]"#, true, &[(Code::B0115, r#"[1, "a"]"#)]),
    (r#""agents": [{"name": "a", "keys": {"x": [1.5, "1..2"]}}]"#, true, &[(Code::B0115, r#"[1.5, "1..2"]"#)]),
    (r#""agents": [{"name": "a", "keys": {"x": [true]}}]"#, true, &[(Code::B0502, "true")]),
    (r#""agents": [{"name": "a", "keys": {"x": 9223372036854775808}}]"#, false, &[(Code::B0111, "9223372036854775808")]),
    (r#""agents": [{"name": "a", "keys": {"x": 1e400}}]"#, false, &[(Code::B0111, "1e400")]),
    (r#""agents": [{"name": "a", "keys": {"x": [9000000000000000000]}}]"#, false, &[(Code::B0111, "9000000000000000000")]),
    (r#""agents": [{"name": "a", "keys": {"x": 0.0000001}}]"#, false, &[(Code::B0512, "0.0000001")]),
    (r#""agents": [{"name": "a", "resources": {"cpus": true}}]"#, true, &[(Code::B0502, "true")]),
    (r#""agents": [{"name": "a", "resources": {"cpus": -1}}]"#, true, &[(Code::B0507, "-1")]),
    (r#""agents": [{"name": "a", "resources": {"cpus": -0.5}}]"#, true, &[(Code::B0507, "-0.5")]),
    (r#""agents": [{"name": "a", "resources": {"mem": "-1GB"}}]"#, true, &[(Code::B0507, r#""-1GB""#)]),
    (r#""agents": [{"name": "a", "resources": {"mem": "64Gi"}}]"#, true, &[(Code::B0109, r#""64Gi""#)]),
    (r#""agents": [{"name": "a", "resources": {"cpus": "400m"}}]"#, true, &[(Code::B0109, r#""400m""#)]),
    (r#""agents": [{"name": "a", "resources": {"mem": "lots"}}]"#, true, &[(Code::B0502, r#""lots""#)]),
    (r#""agents": [{"name": "a", "resources": {"mem": "10EB"}}]"#, false, &[(Code::B0111, r#""10EB""#)]),
    (r#""agents": [{"name": "a", "resources": {"mem": "1.5B"}}]"#, false, &[(Code::B0512, r#""1.5B""#)]),
    (r#""agents": [{"name": "a", "resources": {"mem": "10%"}}]"#, true, &[(Code::B0502, r#""10%""#)]),
    (r#""agents": [{"name": "a", "resources": {"ports": ["9..1"]}}]"#, false, &[(Code::B0502, r#""9..1""#)]),
    (r#""agents": [{"name": "a", "resources": {"ports": [1.5]}}]"#, true, &[(Code::B0502, "1.5")]),
    (r#""agents": [{"name": "a", "resources": {"ports": ["1..2", "g0"]}}]"#, true, &[(Code::B0115, r#"["1..2", "g0"]"#)]),
    (r#""agents": [{"name": "a", "resources": {"gpus": ["g0", "g0"]}}]"#, true, &[(Code::B0212, r#"["g0", "g0"]"#)]),
    (r#""agents": [{"name": "a", "resources": {"gpus": [""]}}]"#, true, &[(Code::B0502, r#""""#)]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"step": 1}}}]"#, true, &[(Code::B0504, "{")]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"total": 1, "stpe": 1}}}]"#, true, &[(Code::B0503, r#""stpe""#)]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"total": 1, "step": [1]}}}]"#, true, &[(Code::B0502, "[1]")]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"total": 1, "reserved": "x%"}}}]"#, true, &[(Code::B0502, r#""x%""#)]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"total": 1, "overcommit": "2"}}}]"#, true, &[(Code::B0502, r#""2""#)]),
    (r#""agents": [{"name": "a", "resources": {"cpus": {"total": 1, "overcommit": -1}}}]"#, true, &[(Code::B0507, "-1")]),
    (r#""agents": [{"name": "a", "reserved": {"db": 4}}]"#, true, &[(Code::B0502, "4")]),
    (r#""agents": [{"name": "a", "require": "x"}]"#, true, &[(Code::B0502, r#""x""#)]),
    (r#""agents": [{"name": "a", "require": ["a\nb"]}]"#, true, &[(Code::B0502, r#""a\nb""#)]),
    (r#""agents": [{"name": "a", "require": [" "]}]"#, true, &[(Code::B0502, r#"" ""#)]),
    (r#""agents": [{"name": "a", "require": ["a\u0007"]}]"#, true, &[(Code::B0102, r#""a\u0007""#)]),
    (r#""agents": [{"name": "a", "require": [{"rule": "x", "weight": 1}]}]"#, true, &[(Code::B0503, r#""weight""#)]),
    (r#""agents": [{"name": "a", "prefer": [{"weight": 1}]}]"#, true, &[(Code::B0504, "{")]),
    (r#""agents": [{"name": "a", "prefer": [{"rule": "x", "weight": "1"}]}]"#, true, &[(Code::B0502, r#""1""#)]),
    (r#""broker": {"levels": []}"#, true, &[(Code::B0502, "[]")]),
    (r#""broker": {"levels": ["a", "a"]}"#, true, &[(Code::B0212, r#""a""#)]),
    (r#""providers": [{"name": "p", "pools": []}]"#, true, &[(Code::B0503, r#""pools""#)]),
    (r#""providers": [{"name": "p", "instances": {}}]"#, true, &[(Code::B0502, "{}")]),
    (r#""providers": [{"name": "p", "instances": [{"name": "i", "pools": [{"name": "n"}, {"name": "n"}]}]}]"#, false, &[(Code::B0506, "n")]),
    (r#""allocations": [{"name": "x", "agents": {"a/b": {}}}]"#, true, &[(Code::B0502, r#""a/b""#)]),
    (r#""allocations": [{"name": "x", "agents": {"a": {"cpus": "unlimited"}}}]"#, true, &[(Code::B0502, r#""unlimited""#)]),
    (r#""allocations": [{"name": "x", "agents": {"a": 1}}]"#, true, &[(Code::B0502, "1")]),
    (r#""allocations": [{"name": "x", "pools": {"p/i": {}}}]"#, true, &[(Code::B0502, r#""p/i""#)]),
    (r#""allocations": [{"name": "x", "volumes": ["p/i/n"]}]"#, true, &[(Code::B0502, r#""p/i/n""#)]),
    (r#""allocations": [{"name": "x", "volumes": ["p/i/n/v", "p/i/n/v"]}]"#, true, &[(Code::B0212, "p/i/n/v")]),
    (r#""allocations": [{"name": "x"}, {"name": "x"}]"#, false, &[(Code::B0506, "x")]),
    (r#""allocations": [{"name": "x", "revocable": {"volumes": []}}]"#, true, &[(Code::B0503, r#""volumes""#)]),
    (r#""serial": -1"#, true, &[(Code::B0502, "-1")]),
    (r#""serial": 1.5"#, true, &[(Code::B0502, "1.5")]),
    (r#""reservations": [{"name": "r", "role": "db", "agent": "a"}]"#, true, &[(Code::B0504, "{")]),
    (r#""reservations": [{"name": "r", "role": "db", "resources": {}}]"#, true, &[(Code::B0504, "{")]),
    (r#""reservations": [{"name": "r", "role": "db", "agent": "a", "pool": "p/i/n", "resources": {}}]"#, true, &[(Code::B0212, r#""p/i/n""#)]),
    (r#""reservations": [{"name": "r", "role": "db", "pool": "p", "resources": {}}]"#, true, &[(Code::B0502, r#""p""#)]),
    (r#""reservations": [{"name": "r", "role": "db", "agent": "a", "resources": {"cpus": "unlimited"}}]"#, true, &[(Code::B0502, r#""unlimited""#)]),
    (r#""reservations": [{"name": "r", "role": "a", "agent": "a", "resources": {}}, {"name": "r", "role": "a", "agent": "a", "resources": {}}]"#, false, &[(Code::B0506, "r")]),
    (r#""volumes": [{"name": "v"}]"#, true, &[(Code::B0503, r#""name""#), (Code::B0504, "{")]),
    (r#""volumes": [{"path": "p/i/n"}]"#, true, &[(Code::B0502, r#""p/i/n""#)]),
    (r#""volumes": [{"path": "p/i/n/v"}, {"path": "p/i/n/v"}]"#, false, &[(Code::B0506, "p/i/n/v")]),
    (r#""roles": [{"name": "db", "weight": "2"}]"#, true, &[(Code::B0502, r#""2""#)]),
    (r#""roles": [{"name": "db", "limit": {"cpus": [1]}}]"#, true, &[(Code::B0502, "[1]")]),
    (r#""roles": [{"name": "db", "limit": {"pool.": 1}}]"#, true, &[(Code::B0502, r#""pool.""#)]),
    (r#""frameworks": [{"name": "f", "keys": {"role": "x"}}]"#, true, &[(Code::B0211, r#"{"role": "x"}"#)]),
    (r#""frameworks": [{"name": "f", "needs": [{"name": "n", "framework": "f"}]}]"#, true, &[(Code::B0503, r#""framework""#)]),
    (r#""frameworks": [{"name": "f", "needs": [{"name": "n"}, {"name": "n"}]}]"#, false, &[(Code::B0506, "n")]),
    (r#""frameworks": [{"name": "f", "needs": [{"name": "n"}]}], "needs": [{"name": "n", "framework": "f"}]"#, false, &[(Code::B0506, "n")]),
    (r#""frameworks": [{"name": "f"}], "needs": [{"name": "f"}]"#, false, &[(Code::B0506, "f")]),
    (r#""needs": [{"name": "n", "count": 0}]"#, true, &[(Code::B0308, "0")]),
    (r#""needs": [{"name": "n", "count": 1.5}]"#, true, &[(Code::B0502, "1.5")]),
    (r#""needs": [{"name": "n", "count": 1000001}]"#, true, &[(Code::B0308, "1000001")]),
    (r#""needs": [{"name": "n", "all_or_nothing": 1}]"#, true, &[(Code::B0502, "1")]),
    (r#""needs": [{"name": "n", "keys": {"count": {"x": 1}}}]"#, true, &[(Code::B0211, r#"{"count": {"x": 1}}"#)]),
    (r#""needs": [{"name": "n", "agent": {"amounts": {"cpus": "8..2"}}}]"#, false, &[(Code::B0502, r#""8..2""#)]),
    (r#""needs": [{"name": "n", "agent": {"amounts": {"cpus": "2..8GB"}}}]"#, false, &[(Code::B0502, r#""2..8GB""#)]),
    (r#""needs": [{"name": "n", "agent": {"amounts": {"cpus": "2..lots"}}}]"#, true, &[(Code::B0502, r#""2..lots""#)]),
    (r#""needs": [{"name": "n", "agent": {"amounts": {"cpus": "-2..8"}}}]"#, true, &[(Code::B0502, r#""-2..8""#)]),
    (r#""needs": [{"name": "n", "agent": {"is": ["a b"]}}]"#, true, &[(Code::B0502, r#""a b""#)]),
    (r#""needs": [{"name": "n", "agent": {"is": ["a, count = 5"]}}]"#, true, &[(Code::B0502, r#""a, count = 5""#)]),
    (r#""needs": [{"name": "n", "agent": {"is": ["a."]}}]"#, true, &[(Code::B0502, r#""a.""#)]),
    (r#""needs": [{"name": "n", "places": ["count = 5"]}]"#, true, &[(Code::B0502, r#""count = 5""#)]),
    (r#""needs": [{"name": "n", "prefer": ["prefer within \"a\""]}]"#, true, &[(Code::B0502, r#""prefer within \"a\"""#)]),
    (r#""needs": [{"name": "n", "volumes": [{"name": "v"}]}]"#, true, &[(Code::B0504, "{")]),
    (r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {"count": 1}}]}]"#, true, &[(Code::B0211, r#""count""#)]),
    (r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {}, "access": "wo"}]}]"#, true, &[(Code::B0502, r#""wo""#)]),
    (r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {}, "count": 65}]}]"#, true, &[(Code::B0308, "65")]),
    (r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {}}, {"name": "v", "amounts": {}}]}]"#, false, &[(Code::B0506, "v")]),
    (r#""agent": []"#, true, &[(Code::B0503, r#""agent""#)]),
    // all at once, each at its place
    (r#""agents": [{"name": 1, "x": 2, "resources": {"cpus": null, "mem": "1XB"}}], "roles": {}"#, true,
        &[(Code::B0503, r#""x""#), (Code::B0502, "1"), (Code::B0502, "null"), (Code::B0109, r#""1XB""#), (Code::B0502, "{}")]),
];

#[test]
fn each_mistake_has_its_code_and_place() {
    for (fields, _, want) in BAD {
        let read = read_as("bad.json", &document(fields));
        let want: Vec<_> = want.iter().map(|(code, text)| (*code, (*text).to_owned())).collect();
        assert_eq!(read.problems(), want, "{fields}");
    }
}

#[test]
fn messages_name_the_way_to_the_value() {
    let read = read_as("bad.json", &document(r#""agents": [{"name": "a", "resources": {"cpus": true}}]"#));
    assert_eq!(read.diagnostics[0].message, "agents[0].resources.cpus: expected an amount, found a boolean");
    let read = read_as("bad.json", &document(r#""agents": [{"name": "a", "domian": "us"}]"#));
    assert_eq!(read.diagnostics[0].message, "agents[0]: unknown field `domian`");
    let help = read.diagnostics[0].help.clone().unwrap_or_default();
    assert!(help.starts_with("did you mean `domain`? known here: `name`, `domain`"), "{help}");
    let read = read_as("bad.json", &document(r#""agents": [{"name": "a"}, {"name": "a"}]"#));
    assert_eq!(read.diagnostics[0].labels.len(), 2, "both places");
}

#[test]
fn the_head_of_a_file_is_checked_first() {
    for (text, want) in [
        ("", Code::B0501),
        ("[]", Code::B0502),
        ("{}", Code::B0504),
        (r#"{"format": "bourse.inventory"}"#, Code::B0504),
        (r#"{"format": "x", "version": 1, "what": 5}"#, Code::B0505),
        (r#"{"format": "bourse.inventory", "version": 2, "what": 5}"#, Code::B0505),
        (r#"{"format": "bourse.inventory", "version": "1"}"#, Code::B0502),
        (r#"{"format": "bourse.inventory", "version": 1} {}"#, Code::B0501),
    ] {
        let read = read_as("x.json", text);
        assert!(read.problems().iter().all(|problem| problem.0 == want), "{text}: {:?}", read.diagnostics);
        assert!(!read.diagnostics.is_empty(), "{text}");
    }
    let read = read_as("x.json", "{\"format\": \"bourse.inventory\", \"version\": 1,\n  \"agents\": [}]}");
    let place = read.sources.line_column(read.diagnostics[0].labels[0].span);
    assert_eq!((place.line, place.column, read.problems()[0].1.as_str()), (2, 14, "}"));
}

#[test]
fn each_line_stands_for_itself() {
    let header = r#"{"format": "bourse.inventory", "version": 1}"#;
    let lines = [
        header,
        r#"{"record": "agent", "name": "a"}"#,
        r#"{"record": "agent", "name": "b""#,
        "",
        r#"{"record": "agnet", "name": "c"}"#,
        r#"{"name": "d"}"#,
        r#"{"record": "agent", "name": "e", "resources": {"cpus": "x"}}"#,
        "7",
        r#"{"record": "need", "name": "f", "agent": {"amounts": {"cpus": 1}}}"#,
    ];
    let read = read_as("fleet.jsonl", &lines.join("\r\n"));
    let codes: Vec<_> = read.problems().into_iter().map(|problem| problem.0).collect();
    assert_eq!(codes, [Code::B0501, Code::B0502, Code::B0504, Code::B0502, Code::B0502]);
    let line_of = |at: usize| read.sources.line_column(read.diagnostics[at].labels[0].span).line;
    assert_eq!([0, 1, 2, 3, 4].map(line_of), [3, 5, 6, 7, 8]);
    assert_eq!(read.diagnostics[3].message, "resources.cpus: expected an amount, found the text `x`");
    assert_eq!((read.records.agents.len(), read.records.needs.len()), (2, 1));
    let read = read_as("fleet.ndjson", &lines[1..].join("\n"));
    assert_eq!(read.diagnostics[0].code, Code::B0504, "the header is missing");
    assert_eq!(read_as("fleet.ndjson", "").problems(), [(Code::B0504, String::new())]);
    let read = read_as("fleet.ndjson", &format!("{{\"record\": \"x\", {}", &header[1..]));
    assert_eq!(read.problems(), [(Code::B0503, "\"record\"".to_owned())]);
}

/// Values of the data that try to say more than one literal.
#[test]
fn a_text_becomes_one_literal() {
    let evil = r#"x\", count = 9 } need y { \u0022"#;
    let text = document(&format!(
        r#""frameworks": [{{"name": "f", "role": "{evil}", "keys": {{"{evil}": "{evil}", "k": ["{evil}"]}}}}]"#
    ));
    let read = read_as("x.json", &text);
    assert_eq!(read.diagnostics, []);
    let quoted = r#""x\", count = 9 } need y { \"""#;
    let want = [format!("role = {quoted}"), format!("{quoted} = {quoted}"), format!("k = [{quoted}]")];
    assert_eq!(texts(&read.records.frameworks[0].declaration.statements), want);
}

#[test]
fn the_schema_and_the_reader_agree() {
    let mut schema: serde_json::Value = serde_json::from_str(INVENTORY_SCHEMA).expect("the schema is JSON");
    let whole = jsonschema::validator_for(&schema).expect("the schema is one");
    let agree = |text: &str, is_structural: bool, has_problems: bool| {
        let value: serde_json::Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) => return,
        };
        let wrong: Vec<_> = whole.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(wrong.is_empty(), !(is_structural && has_problems), "{text}: {wrong:?}");
    };
    agree(SAMPLE, true, false);
    for (fields, is_structural, _) in BAD {
        agree(&document(fields), *is_structural, true);
    }
    for text in
        ["[]", "{}", r#"{"format": "bourse.inventory"}"#, r#"{"format": "bourse.inventory", "version": 2}"#]
    {
        agree(text, true, true);
    }
    for fields in GOOD {
        assert_eq!(read_as("good.json", &document(fields)).diagnostics, [], "{fields}");
        agree(&document(fields), true, false);
    }
    let defs = schema["$defs"].take();
    let line = serde_json::json!({ "$ref": "#/$defs/line", "$defs": defs });
    let line = jsonschema::validator_for(&line).expect("the schema of a line is one");
    for text in LINES.lines() {
        let value: serde_json::Value = serde_json::from_str(text).expect("is JSON");
        assert!(line.is_valid(&value), "{text}");
    }
    for text in [r#"{"record": "agnet", "name": "c"}"#, r#"{"name": "d"}"#, r#"{"record": "agent"}"#, "7"] {
        assert!(!line.is_valid(&serde_json::from_str(text).expect("is JSON")), "{text}");
    }
}

const GOOD: &[&str] = &[
    r#""agents": []"#,
    r#""agents": [{"name": "a", "resources": {}, "keys": {}, "require": [], "reserved": {}}]"#,
    r#""agents": [{"name": "é b", "resources": {"cpus": 1.0, "x": 1e3, "y": 0, "z": "0", "p": []}}]"#,
    r#""agents": [{"name": "a", "keys": {"x": ["1..5", 9], "y": ["1..5"], "z": ["1..5", "a"], "t": "a\nb"}}]"#,
    r#""agents": [{"name": "a", "resources": {"x": ["a..b", "1"], "b": "1_000kB/s", "t": "2.5h"}}]"#,
    r#""agents": [{"name": "a", "resources": {"x": {"total": "1TB", "reserved": "1GB", "min": 5, "overcommit": "150%"}}}]"#,
    r#""agents": [{"name": "a", "require": ["a\tb"], "prefer": [{"rule": "x", "weight": -1.5, "doc": "a\nb"}]}]"#,
    r#""needs": [{"name": "n", "count": 2.0, "agent": {"amounts": {"mem": "1GB..2TB"}, "is": ["a-b.c_d", "\"x y\".z"]}}]"#,
    r#""needs": [{"name": "n", "volumes": [{"name": "v", "amounts": {}, "access": "r\u006f"}]}]"#,
    r#""roles": [{"name": "eng/ads", "limit": {"agent.cpus": "unlimited", "a.b": 1}}]"#,
    r#""broker": {}, "providers": [{"name": "p", "instances": [{"name": "i"}]}]"#,
];

#[test]
fn a_truncated_document_is_never_fine() {
    let text = SAMPLE.trim_end();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let read = read_as("cut.json", &text[..end]);
        assert!(read.diagnostics.iter().any(Diagnostic::is_error), "cut at {end}");
        let lines = read_as("cut.ndjson", &LINES[..end.min(LINES.len())]);
        drop(lines);
    }
}

#[test]
fn no_change_of_bytes_makes_it_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let pieces = [
        "\"", "{", "}", "[", "]", ",", ":", "\\", "null", "-1", "1e9", "\u{202e}", "\n", "é", "\\ud800", "..",
    ];
    for round in 0..2_000 {
        let (name, sample) = if round % 2 == 0 { ("m.json", SAMPLE) } else { ("m.ndjson", LINES) };
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            let end = (at + next(4)).min(bytes.len());
            bytes.splice(at..end, pieces[next(pieces.len())].bytes());
        }
        let mut sources = Sources::default();
        let (_, diagnostics) = read(&mut sources, name, &bytes);
        for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            let source = sources.get(label.span.source);
            assert!(
                source.text.get(label.span.start as usize..label.span.end as usize).is_some(),
                "a place outside"
            );
        }
    }
}

#[test]
fn depth_and_number_of_problems_are_bounded() {
    let deep = format!(
        r#""agents": [{{"name": "a", "keys": {}1{}}}]"#,
        r#"{"k":"#.repeat(100_000),
        "}".repeat(100_000)
    );
    assert_eq!(read_as("deep.json", &document(&deep)).problems()[0].0, Code::B0105);
    let many = format!(r#""agents": [{}{{}}]"#, "{},".repeat(limits::PROBLEMS_KEPT + 100));
    let read = read_as("many.json", &document(&many));
    assert_eq!(read.diagnostics.len(), limits::PROBLEMS_KEPT + 1);
    let last = &read.diagnostics[limits::PROBLEMS_KEPT].message;
    assert!(last.ends_with("(and 100 more problems that are not listed)"), "{last}");
}

/// Run by hand, in release, with `--ignored --nocapture`: how long a large fleet takes.
#[test]
#[ignore = "prints a time"]
#[expect(clippy::disallowed_types, reason = "measures")]
fn a_large_fleet() {
    let agent = |i: usize| {
        format!(
            r#"{{"name": "agent-{i}", "domain": "us-west/z{}/r{}", "keys": {{"os": "linux", "kernel": "5.10.3", "vlan": {}, "drivers": ["rexray", "docker"], "adapter": {{"infiniband": true}}, "gpu": {{"model": "T4"}}}}, "resources": {{"cpus": 64, "mem": "256GiB", "mounts": 16, "bandwidth": "10Gbps", "ports": ["31000..32000"], "gpus": ["g0", "g1"]}}}}"#,
            i % 3,
            i % 40,
            i % 4096
        )
    };
    let agents: Vec<_> = (0..100_000).map(agent).collect();
    let document = document(&format!("\"agents\": [\n{}\n]", agents.join(",\n")));
    let header = r#"{"format": "bourse.inventory", "version": 1}"#;
    let lines = agents.iter().map(|agent| format!("{{\"record\": \"agent\", {}\n", &agent[1..]));
    let lines = format!("{header}\n{}", lines.collect::<String>());
    for (name, text) in [("a.json", &document), ("a.ndjson", &lines)] {
        let start = std::time::Instant::now();
        let read = read_as(name, text);
        println!("{name}: {} bytes, {} agents, {:?}", text.len(), read.records.agents.len(), start.elapsed());
        assert_eq!(read.diagnostics, []);
    }
}
