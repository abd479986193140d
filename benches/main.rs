//! What the plain evaluator takes: `cargo bench`. Ratios are read inside one run; nothing here is asserted.
//!
//! `check/10k-lines` is a policy set of ten thousand lines; `offers/quickstart` goes from its source to its
//! offers; `cluster/…` is a fleet and load with the shapes of Alibaba's GPU cluster trace of 2023 ("openb", published
//! with hkust-adsl/kubernetes-scheduler-simulator): its commonest kinds of machines and pods.

use std::{fmt::Write as _, hint::black_box};

use bourse::{
    Policy,
    analyse::analyse,
    check::Strictness,
    cycle::{CycleRequest, Reasons},
    pipeline::{Extra, Parsed},
    plugin::Beside,
    testing,
};
use criterion::{Criterion, criterion_group, criterion_main};

/// Machines: how many, CPUs, memory in GiB, GPUs, their model.
const MACHINES: [(usize, u32, u32, u32, &str); 10] = [
    (549, 96, 384, 8, "G2"),
    (387, 104, 512, 2, "T4"),
    (129, 32, 256, 0, "none"),
    (107, 16, 120, 2, "P100"),
    (59, 96, 512, 0, "none"),
    (39, 128, 768, 8, "G3"),
    (30, 96, 384, 0, "none"),
    (28, 32, 128, 4, "V100M16"),
    (22, 64, 256, 2, "P100"),
    (21, 96, 768, 8, "V100M32"),
];

/// Pods: how many, thousandths of a CPU, memory in MiB, thousandths of a GPU.
const PODS: [(usize, u32, u32, u32); 12] = [
    (1047, 3_152, 5_600, 810),
    (857, 11_300, 49_152, 1_000),
    (534, 11_400, 48_128, 1_000),
    (470, 3_152, 5_600, 1_000),
    (388, 11_908, 47_104, 470),
    (358, 8_000, 30_517, 470),
    (255, 18_708, 64_512, 1_000),
    (237, 11_908, 47_104, 650),
    (195, 9_810, 41_560, 1_000),
    (158, 15_700, 58_368, 1_000),
    (122, 12_500, 57_344, 0),
    (96, 32_000, 49_152, 0),
];

/// A cluster with one in `part` of the machines and pods.
fn cluster(part: usize) -> String {
    let mut text = String::from("broker main { prefer pack: agent.used.cpus / agent.total.cpus }\n");
    for (kind, (count, cpus, mem, gpus, model)) in MACHINES.into_iter().enumerate() {
        for at in 0..count.div_ceil(part) {
            let _ = writeln!(
                text,
                "agent m{kind}-{at} {{ gpu {{ model = \"{model}\" }}, resources {{ cpus = {cpus}, mem = {mem}GiB, gpus = {gpus} }} }}"
            );
        }
    }
    for (kind, (count, cpus, mem, gpu)) in PODS.into_iter().enumerate() {
        let gpus =
            if gpu > 0 { format!(", gpus = {}.{:03}", gpu / 1_000, gpu % 1_000) } else { String::new() };
        let count = count.div_ceil(part);
        let (whole, rest) = (cpus / 1_000, cpus % 1_000);
        let _ = writeln!(
            text,
            "need p{kind} {{ count = {count}, agent {{ cpus = {whole}.{rest:03}, mem = {mem}MiB{gpus} }} }}"
        );
    }
    text
}

/// A set of about ten thousand lines, of every kind of declaration.
fn large_set() -> String {
    let mut text =
        String::from("use std.domains\nbroker main {\n  levels region > zone > rack\n  expose agent.os\n");
    for at in 0..250 {
        let _ = writeln!(text, "  require rule-{at}: agent.k{} != \"x{at}\" or pool.tier >= {at}", at % 50);
        let _ = writeln!(text, "  prefer p{at}: agent.domain within pool.domain weight {}", at % 50);
    }
    text.push_str("}\n");
    for at in 0..400 {
        let _ = writeln!(
            text,
            "/// Class {at}.\nclass c{at} for pool {{\n  media == \"ssd\"\n  tier >= {at}\n  replicas >= 2 and size-class in [\"a\", \"b\"]\n}}"
        );
    }
    for at in 0..160 {
        let _ = writeln!(
            text,
            "provider p{at} {{\n  vendor = \"v{at}\"\n  require driver: agent.drivers has \"d{at}\"\n  instance i {{\n    domain = \"us/a\"\n    pool a {{\n      media = \"ssd\", replicas = 2, tier = 1\n      resources {{\n        size = 500TB {{ reserved = 10%, step = 1GB }}\n        iops = 900k\n      }}\n    }}\n    pool b {{\n      media = \"hdd\"\n      resources {{ size = 1PB, iops = 20k }}\n    }}\n  }}\n}}"
        );
    }
    for at in 0..390 {
        let _ = writeln!(
            text,
            "agent a{at} {{\n  domain = \"us/a/r{}\"\n  os = \"linux\"\n  drivers = [\"d{at}\"]\n  resources {{ cpus = 16, mem = 64GiB, ports = [31000..32000] }}\n}}",
            at % 20
        );
    }
    for at in 0..160 {
        let _ = writeln!(
            text,
            "framework f{at} {{\n  role = \"r{}\"\n  need n {{\n    count = 2\n    at most 1 per agent\n    agent {{ cpus = 2, mem = 1GiB, os == \"linux\" }}\n    volume v {{ size = 1TB, is c{at} }}\n    near v in zone\n  }}\n}}",
            at % 10
        );
    }
    for at in 0..60 {
        let _ = writeln!(
            text,
            "test \"t{at}\" {{\n  agent x {{ resources {{ cpus = 4 }} }}\n  need q {{ agent {{ cpus = 2 }} }}\n  expect q met\n}}"
        );
    }
    text
}

fn check(criterion: &mut Criterion) {
    let text = large_set();
    let lines = text.lines().count();
    assert!((9_500..11_000).contains(&lines), "{lines} lines");
    let mut group = criterion.benchmark_group("check");
    group.sample_size(20);
    group.bench_function("10k-lines", |bencher| {
        bencher.iter(|| {
            let parsed = Parsed::new([("large.policy", text.as_bytes())]);
            let checked = parsed.check(&Extra::default(), Strictness::default());
            assert!(!checked.report.has_errors());
            let tests = testing::check(&parsed, &checked, (&[], Beside::default()), Strictness::default());
            assert!(tests.is_empty());
            black_box(checked.load(&Extra::default()).is_ok())
        });
    });
    let parsed = Parsed::new([("large.policy", text.as_bytes())]);
    let loaded = parsed.check(&Extra::default(), Strictness::default()).load(&Extra::default());
    let loaded = loaded.expect("no errors");
    group.bench_function("10k-lines/analysis", |bencher| {
        bencher.iter(|| black_box(analyse(&parsed, &loaded).len()));
    });
    group.bench_function("10k-lines/parse-only", |bencher| {
        bencher.iter(|| black_box(Parsed::new([("large.policy", text.as_bytes())]).files.len()));
    });
    group.finish();
}

fn offers(criterion: &mut Criterion) {
    let quickstart = include_str!("../policies/quickstart/quickstart.policy");
    criterion.bench_function("offers/quickstart", |bencher| {
        bencher.iter(|| {
            let policy = Policy::compile([("quickstart.policy", quickstart)]).expect("compiles");
            black_box(policy.fleet(&[]).expect("binds").offers().cycle().grants.len())
        });
    });
    let mut group = criterion.benchmark_group("cluster");
    group.sample_size(10);
    for part in [16, 8] {
        let policy = Policy::compile([("cluster.policy", cluster(part).as_str())]).expect("compiles");
        let fleet = policy.fleet(&[]).expect("binds");
        group.bench_function(format!("one-in-{part}"), |bencher| {
            bencher.iter(|| {
                let request = CycleRequest { reasons: Reasons::Unmet, ..CycleRequest::default() };
                black_box(fleet.cycle(request).cycle().grants.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, check, offers);
criterion_main!(benches);
