//! A placeholder requester, for reading keys of rows outside of any need.

use super::ask::FleetView;
use crate::{
    engine::{Scene, Subject},
    ir::{Framework, Need},
    source::Span,
    symbol::Symbols,
};

/// An empty framework with an empty need. A [`Scene`] has to have a requester, but keys of agents and
/// supplies do not depend on it.
pub(super) struct PlaceholderSubject {
    framework: Framework,
    need: Need,
}

impl PlaceholderSubject {
    pub(super) fn new() -> Self {
        let mut symbols = Symbols::default();
        let name = symbols.intern("");
        let framework = Framework {
            name,
            role: name,
            principal: None,
            served: None,
            keys: Vec::new(),
            needs: Vec::new(),
            span: Span::default(),
        };
        let need = Need {
            name,
            count: 0,
            keys: Vec::new(),
            agent: None,
            places: Vec::new(),
            volumes: Vec::new(),
            counted: 0,
            all_or_nothing: false,
            accept_revocable: false,
            span: Span::default(),
            docs: Vec::new(),
        };
        PlaceholderSubject { framework, need }
    }

    pub(super) fn scene<'a>(&'a self, view: FleetView<'a>) -> Scene<'a> {
        Scene {
            plan: view.plan,
            world: view.world,
            ledger: view.ledger,
            subject: Subject { framework: &self.framework, need: &self.need },
            agent: None,
            supply: None,
            volume: None,
            filters: None,
            recorder: None,
        }
    }
}
