//! `bourse import csv`.

use super::{Folder, json, schema_problems};

const NODES: &str = "sn,cpu_milli,memory_mib,gpu,model,zone\n\
                     n1,32000,262144,0,,a\n\
                     n2,64500,65536,2,T4,b\n";
const PODS: &str = "name,cpu_milli,spec,phase,team\n\
                    p1,1000,T4|G2,Running,db\n\
                    p2,40000,,Pending,web\n\
                    p3,1,,Failed,web\n";
const NODE_FLAGS: [&str; 13] = [
    "--agents",
    "--name",
    "sn",
    "--resource",
    "cpus=cpu_milli:milli",
    "--resource",
    "mem=memory_mib:MiB",
    "--resource",
    "gpus=gpu",
    "--skip-empty",
    "--key",
    "gpu.model=model",
    "--domain={zone}",
];

fn import(folder: &Folder, file: &str, flags: &[&str], stdin: &str) -> super::Output {
    folder.run_with(&[&["import", "csv", file], flags].concat(), stdin)
}

#[test]
fn tables_become_a_fleet_that_makes_offers() {
    let policy =
        "broker m { levels zone\n  require model: need.spec is absent or need.spec has agent.gpu.model }\n";
    let folder = Folder::new(&[("p.policy", policy), ("nodes.csv", NODES), ("pods.csv", PODS)]);
    let nodes = import(&folder, "nodes.csv", &[&NODE_FLAGS[..], &["-o", "nodes.ndjson"]].concat(), "");
    assert_eq!((nodes.code, nodes.stdout.as_str()), (0, ""), "{nodes:?}");
    assert_eq!(nodes.stderr, "2 rows read, 2 records written\n");
    let flags = [
        "--needs",
        "--name",
        "name",
        "--amount",
        "cpus=cpu_milli:milli",
        "--set",
        "spec=spec:|",
        "--role",
        "team",
        "--filter",
        "phase=Running|Pending",
        "--json",
        "--output=pods.json",
    ];
    let pods = import(&folder, "pods.csv", &flags, "");
    assert_eq!(pods.stderr, "3 rows read, 2 records written, 1 filtered out\n");
    let problems = schema_problems("schema/inventory.schema.json", &json(&folder.read("pods.json")));
    assert!(problems.is_empty(), "{problems:?}");
    let output = folder.run(&["offers", "p.policy", "-i", "nodes.ndjson", "-i", "pods.json"]);
    assert_eq!(output.stderr, "");
    assert!(output.stdout.contains("p1  met  on n2 (b)  score 0  cpus 1"), "{output:?}");
    assert!(output.stdout.contains("p2  met  on n2 (b)  score 0  cpus 40"), "{output:?}");
}

#[test]
fn standard_input_and_output() {
    let folder = Folder::new(&[("nodes.csv", NODES)]);
    let piped = import(&folder, "-", &NODE_FLAGS, NODES);
    assert_eq!((piped.code, &piped.stdout), (0, &import(&folder, "nodes.csv", &NODE_FLAGS, "").stdout));
    insta::assert_snapshot!(piped.stdout);
}

#[test]
fn a_table_with_problems_writes_nothing() {
    let folder = Folder::new(&[("nodes.csv", "sn,cpu\nn1,4\nn1,x\n"), ("out.ndjson", "as it was")]);
    let flags = ["--agents", "--name", "sn", "--resource", "cpus=cpu", "-o", "out.ndjson"];
    let output = import(&folder, "nodes.csv", &flags, "");
    assert_eq!((output.code, output.stdout.as_str()), (3, ""), "{output:?}");
    assert!(output.stderr.contains("nodes.csv:3:"), "{output:?}");
    assert_eq!(folder.read("out.ndjson"), "as it was");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert_eq!(left.len(), 2, "no file is left beside: {left:?}");
}

#[test]
fn wrong_flags_are_usage() {
    let folder = Folder::new(&[("nodes.csv", NODES)]);
    for (flags, want) in [
        (&["--name", "sn"][..], "--agents"),
        (&["--agents", "--needs", "--name", "sn"], "cannot be used with"),
        (&["--agents", "--name", "sn", "--amount", "cpus=cpu_milli"], "cannot be used with"),
        (&["--agents", "--name", "sn", "--resource", "cpus"], "RESOURCE=COLUMN"),
        (&["--agents", "--name", "sn", "--resource", "cpus=cpu_milli:Mib"], "unknown unit `Mib`"),
        (&["--agents", "--name", "sn", "--delimiter", "ab"], "one ASCII character"),
    ] {
        let output = import(&folder, "nodes.csv", flags, "");
        assert_eq!(output.code, 2, "{flags:?}: {output:?}");
        assert!(output.stderr.contains(want), "{flags:?}: {output:?}");
    }
    let output = import(&folder, "nodes.csv", &["--agents", "--name", "sn", "-o", "no/such/folder"], "");
    assert!(output.code == 2 && output.stderr.contains("B0901"), "{output:?}");
}
