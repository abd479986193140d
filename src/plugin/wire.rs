//! The types and functions of the interface in `wit/`, generated.

#![allow(missing_docs, unused_qualifications, reason = "generated from `wit/`, which documents it")]

wasmtime::component::bindgen!({ path: "wit", world: "explaining-plugin", additional_derives: [PartialEq] });

pub(super) use exports::bourse::filter::{explain, filter};
