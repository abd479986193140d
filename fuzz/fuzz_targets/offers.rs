//! Any bytes as a policy and, after a byte 0, an inventory: problems or offers, and nothing else.

#![no_main]

#[path = "../../tests/harness/mod.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::offers(data));
