//! Generated modules beside an honest plugin, and honest plugins that are bent: installed, or a fault, and nothing else.

#![no_main]

use std::sync::LazyLock;

#[path = "../../tests/plugins/generated.rs"]
mod generated;

#[path = "../../tests/plugins/made.rs"]
#[allow(dead_code)]
mod made;

static HONEST: LazyLock<Vec<u8>> = LazyLock::new(|| made::Made::default().component());

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(generated::install(data, &HONEST)));
