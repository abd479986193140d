//! Other systems' inventories, as inventories of ours.

pub mod csv;
