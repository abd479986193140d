//! The standard library: each module has a file in `tests/stdlib`, a set that uses it. Its tests must pass, and every
//! class and let of the module must decide some of them.

use std::{fs, path::Path};

use bourse::{
    check::Strictness,
    pipeline::{Extra, Parsed},
    resolve::{hir::DefinitionKind, library},
};

use crate::cases::failures_of;

#[allow(clippy::disallowed_methods, reason = "sets are files")]
fn set_of(module: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stdlib/{module}.policy"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_module_does_what_its_tests_say() {
    for module in library::MODULES {
        let (tests, failures) = failures_of(module.name, &set_of(module.name));
        assert!(failures.is_empty(), "{failures}");
        assert!(tests > 0, "std.{} has no test", module.name);
    }
}

/// A class decides a test if something is refused because of it; a let if a rule of a test is just that let.
#[test]
fn every_class_and_let_decides_a_test() {
    for module in library::MODULES {
        let text = set_of(module.name);
        let parsed = Parsed::new([(module.name, text.as_bytes())]);
        let checked = parsed.check(&Extra::default(), Strictness::default());
        let own = checked.hir.definitions.iter().filter(|definition| {
            definition.standard && definition.name.starts_with(&format!("{}.", module.name))
        });
        let own: Vec<_> = own.collect();
        assert!(!own.is_empty(), "std.{} declares nothing", module.name);
        for definition in own {
            let name = &definition.name;
            assert!(!definition.docs.is_empty(), "`{name}` has no documentation");
            let decides = match definition.kind {
                DefinitionKind::Class(_) => text.contains(&format!("because \"{name}\"")),
                DefinitionKind::Let => text.contains(&format!(": {name}")),
            };
            assert!(decides, "no test of tests/stdlib/{}.policy turns on `{name}`", module.name);
        }
    }
}

#[test]
fn modules_only_add_types() {
    let uses: String = library::MODULES.iter().map(|module| format!("use std.{}\n", module.name)).collect();
    let text = format!("{uses}agent a {{ colour = \"red\", resources {{ cpus = 1 }} }}\n");
    let parsed = Parsed::new([("all.policy", text.as_bytes())]);
    let checked = parsed.check(&Extra::default(), Strictness { undeclared_keys: true, lookalikes: true });
    assert_eq!(checked.report.render(bourse::diagnostic::Render::Human(false)), "");
}
