//! What is built is what `wit/` says.

use std::path::Path;

use bourse::{Policy, emit};
use wit_component::{DecodedWasm, WitPrinter, decode};
use wit_parser::Resolve;

const POLICY: &str = r#"
    class old for agent { kernel < v"5.0" }
    broker main {
      domain = "us/a"
      levels region > zone
      require driver: agent.drivers has any ["rexray", "docker"] and agent.name matches "[a-z]+[0-9]*"
      prefer near: closeness(agent.domain, pool.domain) weight 2
      prefer agent.free.cpus / agent.total.cpus
    }
    agent a { require framework.name != "x" }
    provider p { require pool.tier >= 2 and not agent is old }
"#;

fn plugin(text: &str) -> emit::BuiltPlugin {
    let policy = Policy::compile([("demo.policy", text)]).expect("a policy");
    let fleet = policy.fleet(&[]).expect("a fleet");
    emit::plugin(fleet.plan(), &emit::Owners::of(fleet.plan(), fleet.world()), "main").expect("a plugin")
}

/// The interfaces of a package as text, without comments.
fn printed(resolve: &Resolve, world: wit_parser::WorldId) -> Vec<String> {
    let exports = resolve.worlds[world].exports.values();
    let interfaces = exports.filter_map(|item| match item {
        wit_parser::WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let mut texts: Vec<String> = interfaces
        .map(|id| {
            let interface = &resolve.interfaces[id];
            let mut texts = vec![format!("{:?}", interface.name)];
            let types = interface.types.iter();
            texts.extend(types.map(|(name, id)| format!("{name}: {}", shape(resolve, *id))));
            let functions = interface.functions.values();
            texts.extend(functions.map(|function| {
                let params: Vec<String> = function
                    .params
                    .iter()
                    .map(|param| format!("{}: {}", param.name, of(resolve, &param.ty)))
                    .collect();
                let result = function.result.as_ref().map(|result| of(resolve, result));
                format!("{}({params:?}) -> {result:?}", function.name)
            }));
            texts.join("\n")
        })
        .collect();
    texts.sort();
    texts
}

/// A type, by name where it has one.
fn of(resolve: &Resolve, kind: &wit_parser::Type) -> String {
    match kind {
        wit_parser::Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => name.clone(),
            None => shape(resolve, *id),
        },
        other => format!("{other:?}"),
    }
}

fn shape(resolve: &Resolve, id: wit_parser::TypeId) -> String {
    use wit_parser::TypeDefKind as K;
    let one = |kind: &wit_parser::Type| of(resolve, kind);
    let maybe = |kind: &Option<wit_parser::Type>| kind.as_ref().map(one);
    match &resolve.types[id].kind {
        K::Record(record) => {
            let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, one(&field.ty)));
            format!("record {:?}", fields.collect::<Vec<_>>())
        }
        K::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| format!("{}({:?})", case.name, maybe(&case.ty)));
            format!("variant {:?}", cases.collect::<Vec<_>>())
        }
        K::Enum(of) => format!("enum {:?}", of.cases.iter().map(|case| &case.name).collect::<Vec<_>>()),
        K::Flags(of) => format!("flags {:?}", of.flags.iter().map(|flag| &flag.name).collect::<Vec<_>>()),
        K::List(inner) => format!("list<{}>", one(inner)),
        K::Option(inner) => format!("option<{}>", one(inner)),
        K::Result(result) => format!("result<{:?}, {:?}>", maybe(&result.ok), maybe(&result.err)),
        K::Type(inner) => match inner {
            wit_parser::Type::Id(used) => format!("= {}", of(resolve, &wit_parser::Type::Id(*used))),
            other => format!("= {other:?}"),
        },
        other => panic!("a kind of type that the interface does not have: {other:?}"),
    }
}

#[test]
fn a_plugin_has_the_interface_of_wit() {
    let mut resolve = Resolve::default();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit/bourse-filter.wit");
    let package = resolve.push_path(path).expect("wit").0;
    let world = resolve.select_world(&[package], Some("explaining-plugin")).expect("a world");
    let plugin = plugin(POLICY);
    let DecodedWasm::Component(built, own) = decode(&plugin.bytes).expect("a component") else {
        panic!("no component");
    };
    assert!(built.worlds[own].imports.is_empty(), "a plugin imports nothing");
    assert_eq!(printed(&resolve, world), printed(&built, own));
    let mut printer = WitPrinter::default();
    printer.print(&built, built.worlds[own].package.expect("a package"), &[]).expect("wit again");
}

#[test]
fn the_published_interface_does_not_change() {
    insta::assert_snapshot!("bourse-filter-0.1.0", include_str!("../../wit/bourse-filter.wit"));
}

#[test]
fn the_same_policy_gives_the_same_bytes() {
    assert_eq!(plugin(POLICY).bytes, plugin(POLICY).bytes);
    let size = plugin(POLICY).bytes.len();
    println!("{size} bytes");
    assert!(size < 13 << 10, "{size} bytes");
}

#[cfg(feature = "wasm")]
#[test]
fn a_plugin_describes_itself_as_its_manifest_says() {
    let plugin = plugin(POLICY);
    let told = super::host::Running::new(&plugin.bytes).describe();
    assert_eq!(told.name, "main");
    let manifest = &plugin.manifest;
    assert_eq!(told.literals, manifest.literals);
    assert_eq!(told.version_literals, ["5.0"]);
    assert_eq!(told.expressions, manifest.expressions);
    let keys: Vec<String> = told
        .columns
        .iter()
        .map(|column| format!("{:?} {:?} {:?}", column.side, column.key, column.kind))
        .collect();
    insta::assert_debug_snapshot!("descriptor", (keys, told.rules, told.conditions));
}

#[test]
fn what_is_read_from_the_bytes_is_what_was_written() {
    let plugin = plugin(POLICY);
    assert_eq!(emit::read(&plugin.bytes).as_ref(), Some(&plugin.manifest));
    for length in 0..plugin.bytes.len() {
        // Cut short, it is another plugin or none; never a panic.
        let _ = emit::read(&plugin.bytes[..length]);
    }
    let mut changed = plugin.bytes.clone();
    for at in 0..changed.len() {
        let byte = changed[at];
        for value in [0, 0x7f, 0xff] {
            changed[at] = value;
            let _ = emit::read(&changed);
        }
        changed[at] = byte;
    }
}

#[test]
fn a_segment_at_the_end_of_memory_holds_no_description() {
    // A segment of 200 bytes that would end past the last address: numbers have up to five groups of seven bits.
    let bytes = [0; 200];
    let segment = [&[1, 0, 0x41, 0xc0, 0xff, 0xff, 0xff, 0x0f, 0x0b, 0xc8, 1][..], &bytes].concat();
    let segment = [&[0xd3, 1][..], &segment].concat();
    let module = [&b"\0asm\x01\0\0\0"[..], &[11], &segment].concat();
    let address = u32::MAX - 63;
    let custom = [&[6][..], b"bourse", &address.to_le_bytes()].concat();
    let module = [&[module.len() as u8 | 0x80, (module.len() >> 7) as u8][..], &module].concat();
    let file = [&b"\0asm\x0d\0\x01\0"[..], &[1], &module, &[0, custom.len() as u8], &custom].concat();
    assert_eq!(emit::read(&file), None);
}
