//! The interface of `wit/`, as types.

#![allow(missing_docs, reason = "generated from `wit/`, which documents it")]

wasmtime::component::bindgen!({ path: "wit", world: "plugin" });
