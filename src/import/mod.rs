//! Importers: inventories of other systems as inventories of this one. Each writes the wire format of
//! `inventory`.

pub mod csv;
