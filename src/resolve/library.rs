//! The standard library: policy modules that are compiled into the program.

/// A standard module.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The name, as in `use std.NAME`.
    pub name: &'static str,
    /// The source text.
    pub text: &'static str,
}

/// The standard modules, in the order of the reference.
pub const MODULES: [Module; 6] = [
    Module { name: "storage", text: include_str!("../../stdlib/storage.policy") },
    Module { name: "compute", text: include_str!("../../stdlib/compute.policy") },
    Module { name: "domains", text: include_str!("../../stdlib/domains.policy") },
    Module { name: "packing", text: include_str!("../../stdlib/packing.policy") },
    Module { name: "mesos", text: include_str!("../../stdlib/mesos.policy") },
    Module { name: "kubernetes", text: include_str!("../../stdlib/kubernetes.policy") },
];

/// Returns the module with this name.
pub fn find(name: &str) -> Option<Module> {
    MODULES.into_iter().find(|module| module.name == name)
}
