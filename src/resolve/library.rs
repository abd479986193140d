//! The standard library: modules of the language itself, compiled in.

/// A standard module.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// As in `use std.NAME`.
    pub name: &'static str,
    /// Its source.
    pub text: &'static str,
}

/// Every standard module, in the order of the reference.
pub const MODULES: [Module; 6] = [
    Module { name: "storage", text: include_str!("../../stdlib/storage.policy") },
    Module { name: "compute", text: include_str!("../../stdlib/compute.policy") },
    Module { name: "domains", text: include_str!("../../stdlib/domains.policy") },
    Module { name: "packing", text: include_str!("../../stdlib/packing.policy") },
    Module { name: "mesos", text: include_str!("../../stdlib/mesos.policy") },
    Module { name: "kubernetes", text: include_str!("../../stdlib/kubernetes.policy") },
];

/// The module with this name.
pub fn find(name: &str) -> Option<Module> {
    MODULES.into_iter().find(|module| module.name == name)
}
