//! `bourse test`: not registered yet. It takes [`set::SetArgs`](super::set::SetArgs), `--run REGEX` and
//! `--format pretty|json`; reads with `SetArgs::parse`, runs `crate::testing`, and ends with `Exit::No` where a
//! test fails and B0904 where there is none.
