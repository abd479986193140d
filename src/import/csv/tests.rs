use super::*;
use crate::inventory::{
    records::{Raw, Records},
    wire,
};

const NODES: &str = "\
sn,cpu_milli,memory_mib,gpu,model,region,zone,spare,code
n0,32000,262144,0,,us,a,true,007
n1,500,\"1024\",2,G2,us,,false,12
\"n,2\",,2048,8,\"V\"\"100\",eu,b,,3
";

const PODS: &str = "\
name,cpu_milli,mem,num_gpu,gpu_milli,gpu_spec,qos,n,team
p0,8000,30517,0,0,,BE,1,
p1,11400,1.5,2,460,V100M16|V100M32,LS,3,ads
p2,0,0,1,1000,G2,LS,,ads
";

fn amount(text: &str) -> AmountColumn {
    text.parse().expect(text)
}

fn key(text: &str) -> KeyColumn {
    text.parse().expect(text)
}

fn nodes() -> AgentColumns {
    AgentColumns {
        name: "sn".into(),
        resources: ["cpus=cpu_milli:milli", "mem=memory_mib:MiB", "gpus=gpu"].map(amount).into(),
        keys: ["gpu.model=model", "spare=spare", "code=code", "id=code:text", "nic.mem=memory_mib:MiB"]
            .map(key)
            .into(),
        domain: Some("{region}/{zone}".parse().expect("a template")),
        skip_empty: false,
    }
}

fn pods() -> NeedColumns {
    NeedColumns {
        name: "name".into(),
        amounts: ["cpus=cpu_milli:milli", "mem=mem:MiB", "gpu=num_gpu*gpu_milli:milli"].map(amount).into(),
        keys: vec![key("qos=qos"), KeyColumn::set("gpu_spec=gpu_spec:|").expect("a set")],
        classes: vec!["qos".into()],
        conditions: vec!["os == \"linux\"".into()],
        count: Some("n".into()),
        ..NeedColumns::default()
    }
}

/// The written text with its summary, or the code and span of each problem.
fn run(table: &str, options: &CsvImport) -> Result<(String, ImportSummary), Vec<(Code, String)>> {
    let mut sources = Sources::default();
    let mut out = Vec::new();
    match import(&mut sources, table.as_bytes(), "t.csv", options, &mut out) {
        Ok(summary) => Ok((String::from_utf8(out).expect("is text"), summary)),
        Err(problems) => {
            assert_eq!(out, b"", "nothing is written beside a problem");
            let place = |problem: &Diagnostic| problem.labels.first().map_or("", |it| sources.text(it.span));
            Err(problems.iter().map(|problem| (problem.code, place(problem).to_owned())).collect())
        }
    }
}

fn read_back(name: &str, text: &str) -> Records {
    let mut sources = Sources::default();
    let (records, problems) = wire::read(&mut sources, name, text.as_bytes());
    assert_eq!(problems, [], "{text}");
    records
}

#[test]
fn rows_become_agents() {
    let options = CsvImport::new(CsvRecords::Agents(nodes()));
    let (text, summary) = run(NODES, &options).expect("imports");
    let want = r#"{"format": "bourse.inventory", "version": 1}
{"record": "agent", "name": "n0", "domain": "us/a", "keys": {"spare": true, "code": "007", "id": "007", "nic": {"mem": "256GiB"}}, "resources": {"cpus": 32, "mem": "256GiB", "gpus": 0}}
{"record": "agent", "name": "n1", "domain": "us", "keys": {"gpu": {"model": "G2"}, "spare": false, "code": "12", "id": "12", "nic": {"mem": "1GiB"}}, "resources": {"cpus": 0.5, "mem": "1GiB", "gpus": 2}}
{"record": "agent", "name": "n,2", "domain": "eu/b", "keys": {"gpu": {"model": "V\"100"}, "code": "3", "id": "3", "nic": {"mem": "2GiB"}}, "resources": {"mem": "2GiB", "gpus": 8}}
"#;
    assert_eq!(text, want);
    assert_eq!((summary.rows, summary.records, summary.rounded), (3, 3, 0));
    let records = read_back("t.ndjson", &text);
    assert_eq!(records.agents[1].keys[0].value, Raw::Text("G2".into()));
    let mut columns = nodes();
    columns.skip_empty = true;
    let options = CsvImport { output: CsvOutput::Json, ..CsvImport::new(CsvRecords::Agents(columns)) };
    let (text, _) = run(NODES, &options).expect("imports");
    assert!(!text.contains("\"gpus\": 0"), "{text}");
    assert_eq!(read_back("t.json", &text).agents.len(), 3);
}

#[test]
fn rows_become_needs() {
    let options = CsvImport::new(CsvRecords::Needs(pods()));
    let (text, summary) = run(PODS, &options).expect("imports");
    let want = r#"{"format": "bourse.inventory", "version": 1}
{"record": "need", "name": "p0", "count": 1, "keys": {"qos": "BE"}, "agent": {"amounts": {"cpus": 8, "mem": "30517MiB"}, "is": ["BE"], "where": ["os == \"linux\""]}}
{"record": "need", "name": "p1", "count": 3, "keys": {"qos": "LS", "gpu_spec": ["V100M16", "V100M32"]}, "agent": {"amounts": {"cpus": 11.4, "mem": "1.5MiB", "gpu": 0.92}, "is": ["LS"], "where": ["os == \"linux\""]}}
{"record": "need", "name": "p2", "keys": {"qos": "LS", "gpu_spec": ["G2"]}, "agent": {"amounts": {"gpu": 1}, "is": ["LS"], "where": ["os == \"linux\""]}}
"#;
    assert_eq!(text, want);
    assert_eq!(summary.records, 3);
    assert_eq!(read_back("t.ndjson", &text).needs.len(), 3);
}

#[test]
fn a_need_with_a_role_becomes_a_framework() {
    let base = NeedColumns {
        name: "name".into(),
        amounts: vec![amount("cpus=cpu_milli:milli")],
        ..Default::default()
    };
    let with = |role: Option<&str>, framework: Option<&str>| {
        let role = role.map(|role| role.parse().expect(role));
        let columns = NeedColumns { role, framework: framework.map(str::to_owned), ..base.clone() };
        let (text, _) = run(PODS, &CsvImport::new(CsvRecords::Needs(columns))).expect("imports");
        let records = read_back("t.ndjson", &text);
        let frameworks =
            records.frameworks.iter().map(|it| (it.declaration.name.text.clone(), it.needs.len()));
        (frameworks.collect::<Vec<_>>(), records.needs.len(), text)
    };
    let named = |pairs: &[(&str, usize)]| pairs.iter().map(|it| (it.0.to_owned(), it.1)).collect::<Vec<_>>();
    let (frameworks, alone, text) = with(Some("team"), None);
    assert_eq!((frameworks, alone), (named(&[("p1", 1), ("p2", 1)]), 1));
    assert!(
        text.contains(r#"{"record": "framework", "name": "p1", "role": "ads", "needs": [{"name": "p1""#),
        "{text}"
    );
    let (frameworks, alone, text) = with(Some("=\"batch/low\""), Some("qos"));
    assert_eq!((frameworks, alone), (named(&[("BE", 1), ("LS", 2)]), 0));
    assert!(text.contains(r#""role": "batch/low""#), "{text}");
    let (frameworks, alone, text) = with(None, Some("team"));
    assert_eq!((frameworks, alone), (named(&[("ads", 2)]), 1));
    assert!(text.contains(r#""name": "p1", "framework": "ads""#), "{text}");
}

#[test]
fn filters_choose_rows_and_rounding_is_counted() {
    let mut options = CsvImport::new(CsvRecords::Needs(pods()));
    options.filters = vec!["qos=BE|Burstable".parse().expect("a filter")];
    let (_, summary) = run(PODS, &options).expect("imports");
    assert_eq!((summary.rows, summary.filtered, summary.records), (3, 2, 1));
    let columns = AgentColumns {
        name: "a".into(),
        resources: vec![amount("x=b"), amount("y=b:B")],
        ..Default::default()
    };
    let options = CsvImport { delimiter: b';', ..CsvImport::new(CsvRecords::Agents(columns)) };
    let (text, summary) = run("\u{feff}a;b\r\nn;2.50000050\r\n", &options).expect("imports");
    assert!(text.contains(r#""resources": {"x": 2.5, "y": "3B"}"#), "{text}");
    let codes: Vec<_> = summary.notes.iter().map(|note| note.code).collect();
    assert_eq!((summary.rounded, codes), (2, vec![Code::B0512, Code::B0512]));
}

#[test]
fn every_problem_of_a_table_has_its_place() {
    let table = "\
sn,cpu_milli,memory_mib,gpu,model,region,zone,spare,code
n0,32000,262144,0,,us,a,true,007
n1,many,1024,2,G2,us,a,false,12
n2,1,2
\"n0\",-5,\"\"\"7\"\"\",1e99,x,,b,,
a/b,1,1,1,x,us,b/,,
,1,1,1,x,us,b,,
";
    let problems = run(table, &CsvImport::new(CsvRecords::Agents(nodes()))).expect_err("has problems");
    let want = [
        (Code::B0515, "n2,1,2"),
        (Code::B0515, "many"),
        (Code::B0506, "\"n0\""),
        (Code::B0311, "\"n0\",-5,\"\"\"7\"\"\",1e99,x,,b,,"),
        (Code::B0515, "\"\"\"7\"\"\""),
        (Code::B0507, "-5"),
        (Code::B0515, "\"\"\"7\"\"\""),
        (Code::B0111, "1e99"),
        (Code::B0502, "a/b"),
        (Code::B0515, ""),
    ];
    assert_eq!(problems, want.map(|(code, text)| (code, text.to_owned())));
}

#[test]
fn problems_of_the_header_and_the_options_are_said() {
    let mut columns = nodes();
    columns.resources.push(amount("disk=dsk"));
    columns.keys.push(key("gpu=gpu"));
    let problems =
        run(NODES, &CsvImport::new(CsvRecords::Agents(columns.clone()))).expect_err("has problems");
    assert_eq!(problems.iter().map(|problem| problem.0).collect::<Vec<_>>(), [Code::B0515, Code::B0515]);
    columns.keys.pop();
    columns.resources[3] = amount("disk=memory_mb");
    let mut sources = Sources::default();
    let options = CsvImport::new(CsvRecords::Agents(columns));
    let problems = import(&mut sources, NODES.as_bytes(), "t.csv", &options, &mut Vec::new());
    let help = problems.expect_err("has problems")[0].help.clone().unwrap_or_default();
    assert!(help.starts_with("did you mean `memory_mib`? columns: `sn`"), "{help}");
    let options = CsvImport::new(CsvRecords::Agents(AgentColumns { name: "a".into(), ..Default::default() }));
    assert_eq!(run("", &options).expect_err("is empty")[0].0, Code::B0515);
    assert_eq!(run("a,a\n1,2\n", &options).expect_err("is unclear"), [(Code::B0515, "a".to_owned())]);
    let mut sources = Sources::default();
    let problems = import(&mut sources, &b"a\n\xff\n"[..], "t.csv", &options, &mut Vec::new());
    assert_eq!(problems.expect_err("is not UTF-8")[0].code, Code::B0101);
}

#[test]
fn flags_that_make_no_sense_say_so() {
    assert!(
        "cpus=cpu:mili".parse::<AmountColumn>().is_err_and(|error| error.contains("did you mean `milli`?"))
    );
    assert!("cpus".parse::<AmountColumn>().is_err());
    assert!("cpus=a*".parse::<AmountColumn>().is_err());
    assert!("a..b=c".parse::<KeyColumn>().is_err());
    assert_eq!(key("\"nvidia.com/gpu\".count=c").key, ["nvidia.com/gpu", "count"]);
    assert!(KeyColumn::set("a=b").is_err());
    assert!("{region".parse::<Template>().is_err());
    assert!("status".parse::<RowFilter>().is_err());
}

#[test]
fn no_change_of_bytes_makes_it_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let pieces = ["\"", ",", "\n", "\r\n", "-1", "1e9", "\u{202e}", "é", "|", ""];
    let options = [CsvImport::new(CsvRecords::Agents(nodes())), CsvImport::new(CsvRecords::Needs(pods()))];
    for round in 0..2_000 {
        let (options, sample) = if round % 2 == 0 { (&options[0], NODES) } else { (&options[1], PODS) };
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            let end = (at + next(4)).min(bytes.len());
            bytes.splice(at..end, pieces[next(pieces.len())].bytes());
        }
        let (mut sources, mut out) = (Sources::default(), Vec::new());
        match import(&mut sources, bytes.as_slice(), "t.csv", options, &mut out) {
            Ok(_) => drop(read_back("t.ndjson", &String::from_utf8(out).expect("is text"))),
            Err(problems) => {
                for label in problems.iter().flat_map(|problem| &problem.labels) {
                    let text = sources.get(label.span.source).text;
                    assert!(text.get(label.span.start as usize..label.span.end as usize).is_some());
                }
            }
        }
    }
}
