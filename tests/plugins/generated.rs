//! Modules that nobody would write, made from any bytes: each is set beside an honest plugin, whose start it joins, or is given
//! as it is, or bends the honest plugin. Whatever they are, installing and asking ends in an answer or a fault.
//! Fuzzing includes this file by its path.

use bourse::plugin::{Fault, Grants, Host, Limits};
use wasm_smith::{Config, Module};

/// Bounds of the generated: small, so that many are tried.
fn limits() -> Limits {
    Limits { fuel: 200_000, deadline_ms: 2_000, memory_bytes: 16 << 20, ..Limits::default() }
}

/// Installs what the bytes make. Nothing may panic, hang or grow.
///
/// # Errors
/// The rule that it broke.
pub fn install(data: &[u8], honest: &[u8]) -> Result<(), Fault> {
    let Some((first, rest)) = data.split_first() else { return Ok(()) };
    let component = match first % 4 {
        0 => bend(honest, rest),
        1 => [&honest[..8], rest].concat(),
        _ => {
            // Only what is on: else all are refused for one reason, and nothing is learnt.
            let config = Config {
                min_funcs: 3,
                max_imports: 0,
                max_memories: 3,
                max_tables: 3,
                exceptions_enabled: false,
                gc_enabled: false,
                memory64_enabled: first % 4 == 3 && rest.first() == Some(&0),
                reference_types_enabled: false,
                relaxed_simd_enabled: false,
                threads_enabled: false,
                ..Config::default()
            };
            let mut unstructured = arbitrary::Unstructured::new(rest);
            let Ok(module) = Module::new(config, &mut unstructured) else { return Ok(()) };
            beside(&module.to_bytes(), honest)
        }
    };
    let host = Host::in_process(limits())?;
    host.install("generated.wasm", &component, &Grants::all()).map(drop)
}

/// The honest plugin with bytes of it changed: place (three bytes) and value.
fn bend(honest: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let length = bytes.len();
        bytes[at % length] = change[3];
    }
    bytes
}

fn number(mut value: usize, bytes: &mut Vec<u8>) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// A component that instantiates a core module, then the honest plugin, and exports this one's interface.
fn beside(module: &[u8], honest: &[u8]) -> Vec<u8> {
    const FILTER: &str = "bourse:filter/filter@0.1.0";
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let mut section = |id: u8, content: &[u8]| {
        bytes.push(id);
        number(content.len(), &mut bytes);
        bytes.extend_from_slice(content);
    };
    let name = [&[FILTER.len() as u8], FILTER.as_bytes()].concat();
    section(1, module);
    section(2, &[1, 0, 0, 0]);
    section(4, honest);
    section(5, &[1, 0, 0, 0]);
    section(6, &[&[1, 5, 0, 0][..], &name].concat());
    section(11, &[&[1, 0][..], &name, &[5, 1, 0]].concat());
    bytes
}
