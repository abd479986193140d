//! Built plugins: they are what `wit/` says, the same bytes every time, small, and of the same opinion as the native
//! engine about everything. What runs them needs the feature `wasm`.

#[cfg(feature = "wasm")]
mod computations;
#[cfg(feature = "wasm")]
mod generated;
#[cfg(feature = "wasm")]
mod host;
mod interface;
#[cfg(feature = "wasm")]
mod words;
