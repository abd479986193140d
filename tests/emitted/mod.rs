//! Built plugins: they are what `wit/` says, the same bytes every time, small, and of the same opinion as the native
//! engine about everything.

mod computations;
mod generated;
mod host;
mod interface;
