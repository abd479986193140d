//! Results for programs.

use serde_json::Value;

use super::{DEMO, Folder, json, schema_problems};

fn offers(args: &[&str]) -> (String, Value) {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    let output = folder.run(&[&["offers", "p.policy", "--format", "json"], args].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let value = json(&output.stdout);
    (output.stdout, value)
}

#[test]
fn offers_are_as_their_schema_says() {
    for view in ["operator", "framework=db"] {
        for reasons in ["grouped", "all", "none"] {
            let (_, value) = offers(&["--as", view, "--reasons", reasons]);
            let problems = schema_problems("schema/offers.schema.json", &value);
            assert!(problems.is_empty(), "{view}, {reasons}: {problems:#?}");
            assert_eq!(
                value["rejections"] == Value::Array(Vec::new()),
                reasons == "none",
                "{view}, {reasons}"
            );
        }
    }
}

#[test]
fn the_schema_refuses_what_a_framework_may_not_see() {
    let (_, operators) = offers(&[]);
    let mut shown = operators;
    shown["view"] = Value::from("framework");
    shown["framework"] = Value::from("db");
    assert!(!schema_problems("schema/offers.schema.json", &shown).is_empty());
}

#[test]
fn offers_are_the_same_bytes_each_time() {
    assert_eq!(offers(&["--reasons", "all"]).0, offers(&["--reasons", "all"]).0);
}

#[test]
fn offers_for_operators() {
    insta::assert_snapshot!(offers(&[]).0);
}

#[test]
fn offers_for_frameworks() {
    let (text, value) = offers(&["--as", "framework"]);
    for view in value["views"].as_array().expect("views") {
        assert_eq!(schema_problems("schema/offers.schema.json", view), [""; 0]);
    }
    // Fine-grained keys, their values, the operator's preferences, agents that are not offered, numbers.
    for secret in ["docker", "media", "replicas", "weight", "same-zone", "web#1 on", "count", "have", "value"]
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_rejection_on_its_own() {
    let (_, value) = offers(&["--reasons", "all", "--need", "db"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&value["rejections"]).expect("JSON"));
}

#[test]
fn candidates_and_fleets() {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    let matches = folder.run(&["match", "p.policy", "--top", "1", "--format", "json"]);
    insta::assert_snapshot!("matches", matches.stdout);
    let fleet = folder.run(&["inventory", "p.policy", "--format", "json"]);
    insta::assert_snapshot!("fleet", fleet.stdout);
}

#[test]
fn comparisons_are_as_their_schema_says() {
    let folder = Folder::new(&[(
        "p.policy",
        "class a for pool { x > 1, t == \"s\" }\nclass b for pool { x > 2, t == \"s\" }\nclass c for pool { x + 1 > 2 }\n",
    )]);
    for (first, second, relation) in [("a", "b", "contained"), ("a", "a", "equal"), ("b", "c", "not known")] {
        let output = folder.run(&["compare", first, second, "p.policy", "--format", "json"]);
        let value = json(&output.stdout);
        assert_eq!(schema_problems("schema/comparison.schema.json", &value), [""; 0], "{output:?}");
        assert_eq!(value["relation"], relation);
        if relation == "contained" {
            assert_eq!(value["contained"], "b");
            assert_eq!(value["both"]["keys"], serde_json::json!(["t = \"s\"", "x = 3"]));
        }
    }
}

#[test]
fn explanations_are_as_their_schema_says() {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    let asked: [&[&str]; 7] = [
        &["db"],
        &["web"],
        &["huge", "--alone"],
        &["db", "--as", "framework=db"],
        &["db", "--agent", "a2"],
        &["db", "--agent", "a1", "--pool", "scaleio/aisle/ssd/gold"],
        &["web", "--offer"],
    ];
    for args in asked {
        let args = [&["explain", args[0], "p.policy", "--format", "json"], &args[1..]].concat();
        let output = folder.run(&args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
        let value = json(&output.stdout);
        assert_eq!(schema_problems("schema/explanation.schema.json", &value), [""; 0], "{args:?}");
        assert_eq!(output.stdout, folder.run(&args).stdout, "the same bytes each time");
        if args.contains(&"framework=db") {
            // And the schema refuses what a framework may not see.
            let mut fine = json(&folder.run(&["explain", "db", "p.policy", "--format", "json"]).stdout);
            fine["view"] = Value::from("framework");
            assert!(!schema_problems("schema/explanation.schema.json", &fine).is_empty());
        }
    }
}

/// What a name means is looked for among the names of its kind.
#[test]
fn explaining_what_is_not_there() {
    let folder = Folder::new(&[("p.policy", DEMO)]);
    for (args, near) in [
        (["--agent", "a3"], "did you mean `a1`?"),
        (["--pool", "scaleio/aisle/sdd"], "did you mean `scaleio/aisle/"),
        (["--offer", "9"], "lists what there is"),
    ] {
        let output = folder.run(&[&["explain", "web", "p.policy"], args.as_slice()].concat());
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.contains("B0903") && output.stderr.contains(near), "{output:?}");
    }
}

/// What an offer takes can be given back as an allocation: the same need is then met without a new offer.
#[test]
fn an_offer_reads_back_as_an_allocation() {
    let (_, value) = offers(&["--need", "ring"]);
    let offer = &value["offers"][0];
    let taken = |volume: &Value| volume["taken"].clone();
    let mut pools = serde_json::Map::new();
    let mut volumes = Vec::new();
    for volume in offer["volumes"].as_array().expect("volumes") {
        let supply = volume["supply"].as_str().expect("a path").to_owned();
        if volume["kind"] == "carved" {
            pools.insert(supply, taken(volume));
        } else {
            volumes.push(Value::from(supply));
        }
    }
    let agent = offer["agent"]["name"].as_str().expect("a name");
    let inventory = serde_json::json!({
        "format": "bourse.inventory", "version": 1,
        "allocations": [{
            "name": "x1", "framework": offer["framework"], "need": offer["need"], "role": offer["role"],
            "agents": {agent: offer["amounts"]["unreserved"]}, "pools": pools, "volumes": volumes,
        }],
    });
    let folder = Folder::new(&[("p.policy", DEMO), ("x.json", &inventory.to_string())]);
    let args = ["offers", "p.policy", "-i", "x.json", "--need", "ring", "--format", "json"];
    let output = folder.run(&args);
    assert_eq!(output.code, 1, "{output:?}");
    let after = json(&output.stdout);
    assert_eq!(after["needs"][0]["allocated"], 1, "{output:?}");
    assert_eq!(after["remaining"]["agents"][agent], value["remaining"]["agents"][agent]);
    assert_eq!(after["remaining"]["pools"], value["remaining"]["pools"]);
}

/// The example of the documentation is what the command writes.
#[test]
fn the_documented_example_is_real() {
    let page = std::fs::read_to_string("docs/output.md").expect("the page");
    let fence = |word: &str| {
        let (_, rest) = page.split_once(&format!("```{word}\n")).expect(word);
        rest.split_once("\n```").expect("an end").0.to_owned() + "\n"
    };
    let folder = Folder::new(&[("demo.policy", &fence("policy"))]);
    let output = folder.run(&["offers", "demo.policy", "--format", "json"]);
    assert_eq!(json(&output.stdout), json(&fence("json")), "{}", output.stdout);
    let table = folder.run(&["offers", "demo.policy"]).stdout;
    assert_eq!(format!("$ bourse offers demo.policy\n{table}"), fence("console"));
    let shares = folder.run(&["shares", "demo.policy"]).stdout;
    assert!(page.contains(&format!("```console\n$ bourse shares demo.policy\n{shares}```\n")), "{shares}");
}
