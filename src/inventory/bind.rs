//! Binding: the records of all sources become one world, typed by a plan. Every problem is reported at once;
//! callers do not use a fleet that has an error.
//!
//! The order of the steps matters.
//!
//! 1. `units`: the dimension of each resource, before any amount is read.
//! 2. Agents, then storage depth first, with the volumes that are put into pools by path.
//! 3. `sort`: rows get their final positions.
//! 4. `reservations` move amounts between parts, so the parts are final from here on.
//! 5. `totals`, `lines` and `limits`, which later steps read.
//! 6. `carve`, then `allocations`, in order of name: what is taken first decides what is left, and must not
//!    depend on the order of the input.
//!
//! A fleet that changes ([`amend`](super::amend)) binds its new rows by the same methods of [`Binder`].

use indexmap::{IndexMap, IndexSet};

use super::{
    existing::Carved,
    holding::{HoldingDraft, PreviousRow, UndoEntry},
    ledger::Ledger,
    put::PendingVolume,
    records::{
        AgentRecord, KeyRecord, Located, Raw, RawAmount, Records, ResourceRecord, TierKind, TierRecord,
    },
    values::value_of,
    world::{
        Agent, BrokerFacts, Cell, Cells, HoldingId, PartKind, ResourceList, StockId, Supply, Tier, World,
    },
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice},
    ir::{Column, Key, Plan},
    keys::BuiltIn,
    quantity::Dimension,
    source::Span,
    symbol::Symbol,
    types::{Side, Type},
};

/// The records of one source of a fleet: the policy, a data file, or a change.
#[derive(Clone, Copy, Debug)]
pub struct SourceRecords<'a> {
    /// The records.
    pub records: &'a Records,
    /// The offset of their sources in the run: the records number their sources from 0.
    pub first_source: u32,
}

impl SourceRecords<'_> {
    /// Converts a span of these records to the sources of the run.
    pub fn to_run_span(&self, span: Span) -> Span {
        Span { source: crate::source::SourceId(span.source.0 + self.first_source), ..span }
    }
}

/// Binds records to a plan. Texts are interned in the plan's symbols.
pub fn bind<'a>(plan: &'a mut Plan, parts: &[SourceRecords<'a>]) -> (World, Vec<Diagnostic>) {
    let mut world = World::default();
    let typing = TypeTable::new(plan, &mut world);
    let mut binder = Binder::new(plan, &mut world, typing);
    binder.broker(parts);
    binder.units(parts);
    // Rows refer to their rules by number. The resolver numbers them in the same order: agents as they come,
    // tiers depth first, and volumes put by path at the end. A record that is refused here still uses its
    // number.
    let mut rules = 0;
    for part in parts {
        for agent in &part.records.agents {
            binder.agent(part, agent, rules);
            rules += 1;
        }
    }
    binder.put(parts);
    let mut rules = 0..;
    for part in parts {
        for provider in &part.records.providers {
            binder.provider(part, provider, &mut rules);
        }
    }
    binder.report_unattached();
    binder.sort();
    binder.reservations(parts);
    binder.totals();
    binder.lines(parts);
    binder.limits();
    let mut ledger = Ledger::empty(binder.world);
    binder.carve(&mut ledger);
    super::allocate::allocations(&mut binder, parts, &mut ledger);
    let problems = binder.problems;
    (world, problems)
}

/// The record of a tier, with the records that it belongs to.
pub(super) type TierLayer<'a> = (SourceRecords<'a>, &'a TierRecord);

/// Values by side and key or resource. They are looked up for every key and amount of every row, so the hash is a
/// quick one; nothing depends on its order.
type BySideAndName<V> = IndexMap<(Side, Symbol), V, foldhash::fast::RandomState>;

/// The types of keys and resources: those that the plan states, and those that the first amount of the data
/// implies. A fleet that changes keeps them, so that later data meets the same types.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeTable {
    /// The columns of open keys, by side and key: the position in the cells of a row, and the type.
    keys: BySideAndName<(usize, Option<Type>)>,
    /// The number of cells in a full row of agents and of supplies.
    widths: (usize, usize),
    /// The dimensions of resources that the plan states.
    pub(super) dimensions: BySideAndName<Dimension>,
    /// The dimensions of other resources: that of the first amount with a unit.
    pub(super) units: BySideAndName<Dimension>,
    /// The positions of frameworks, by name.
    pub(super) frameworks: IndexMap<Symbol, usize>,
}

impl TypeTable {
    /// Reads the types of a plan. Also writes the settings of the plan into the world: the positions of its
    /// columns in cells, `lends` and `overlap`.
    pub(super) fn new(plan: &Plan, world: &mut World) -> Self {
        let mut typing = TypeTable::default();
        world.cells = Vec::with_capacity(plan.columns.len());
        for (column, kind) in plan.columns.iter().zip(&plan.column_types) {
            let width = match column.side {
                Side::Agent => &mut typing.widths.0,
                Side::Pool => &mut typing.widths.1,
                _ => {
                    world.cells.push(None);
                    continue;
                }
            };
            if let Column { side, key: Key::Attribute(key) } = column {
                typing.keys.insert((*side, *key), (*width, *kind));
                world.cells.push(Some(*width as u32));
                *width += 1;
            } else {
                world.cells.push(None);
            }
        }
        (world.lends, world.overlap) = (plan.broker.lends, plan.broker.overlap);
        typing.dimensions = plan.resources.iter().map(|(resource, of)| (*resource, *of)).collect();
        typing.frameworks =
            plan.frameworks.iter().enumerate().map(|(at, framework)| (framework.name, at)).collect();
        typing
    }
}

/// The state of a binding.
pub(super) struct Binder<'a> {
    pub(super) plan: &'a mut Plan,
    pub(super) world: &'a mut World,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) typing: TypeTable,
    /// The providers bound so far, to report repeated names.
    providers: IndexMap<Symbol, Span>,
    /// The row that is being bound, one slot for each column. `filled` lists the slots in use, so that
    /// emptying the row costs its own keys and not all columns.
    row: Vec<Cell>,
    filled: Vec<u32>,
    /// The amounts of existing volumes, to be taken from their pools once all tiers are bound.
    pub(super) carved: Vec<Carved>,
    /// The volumes that are put into pools by path, by the path of the pool.
    pub(super) puts: IndexMap<&'a str, Vec<PendingVolume<'a>>>,
    /// The resources that rows had before this binding, by path. Equal ones keep their numbers.
    pub(super) before: IndexMap<Symbol, PreviousRow>,
    /// The stocks of parts that a holding lost. A reservation may create the part again; otherwise they are
    /// freed.
    pub(super) orphaned_parts: IndexMap<(HoldingId, PartKind), StockId>,
    /// The undo log of the tables of stocks and holdings; `None` where no change has to be undone.
    pub(super) undo_log: Option<Vec<UndoEntry>>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(plan: &'a mut Plan, world: &'a mut World, typing: TypeTable) -> Self {
        Binder {
            plan,
            world,
            problems: Vec::new(),
            typing,
            providers: IndexMap::new(),
            row: Vec::new(),
            filled: Vec::new(),
            carved: Vec::new(),
            puts: IndexMap::new(),
            before: IndexMap::new(),
            orphaned_parts: IndexMap::new(),
            undo_log: None,
        }
    }

    fn broker(&mut self, parts: &[SourceRecords<'_>]) {
        let mut domain: Option<(&Located, Span)> = None;
        let mut keys = Vec::new();
        for part in parts {
            let broker = &part.records.broker;
            if let Some(own) = &broker.domain {
                let span = part.to_run_span(own.span);
                match domain {
                    Some((first, at)) if first.text != own.text => self.problems.push(
                        Diagnostic::error(
                            Code::B0513,
                            span,
                            "the broker's `domain` is stated twice, differently",
                        )
                        .also(at, "first stated here")
                        .help("keep one of them"),
                    ),
                    _ => domain = Some((own, span)),
                }
            }
            for record in &broker.keys {
                let kind = self.kind_of(Side::Broker, &record.key);
                match value_of(&record.value, kind, &mut self.plan.symbols) {
                    Some(value) => keys.push((self.plan.symbols.intern(&record.key), value)),
                    None => self.mismatch(part, Side::Broker, record, kind),
                }
            }
        }
        let placement = World::place_of(self.plan, domain.map(|(domain, _)| domain.text.as_str()));
        self.world.broker = BrokerFacts { placement, keys };
    }

    fn kind_of(&self, side: Side, key: &str) -> Option<Type> {
        let symbol = self.plan.symbols.find(key)?;
        let column = self.plan.find_column(Column { side, key: Key::Attribute(symbol) })?;
        self.plan.column_types[column.0 as usize]
    }

    /// Warns of a value of another type than its key. It is no error, since conditions that read it are
    /// unknown and fail.
    fn mismatch(&mut self, part: &SourceRecords<'_>, side: Side, record: &KeyRecord, kind: Option<Type>) {
        let wanted = kind.map_or("another type", Type::name);
        let message = format!("`{}` of this {side} is not of the key's type, {wanted}", record.key);
        let help = "conditions that read it are unknown here, and fail; correct the value";
        self.problems
            .push(Diagnostic::warning(Code::B0511, part.to_run_span(record.span), message).help(help));
    }

    /// Adds the keys of one record to the current row. Keys that the row has already stay as they are.
    fn cells(&mut self, part: &SourceRecords<'_>, side: Side, records: &[KeyRecord]) {
        for record in records {
            let key = self.plan.symbols.intern(&record.key);
            self.world.keys.insert((side, key));
            let Some(&(at, kind)) = self.typing.keys.get(&(side, key)) else { continue };
            // Tiers come nearest first: a value further out does not replace a nearer one.
            if self.row.len() <= at {
                self.row.resize(at + 1, Cell::Absent);
            }
            if self.row[at] != Cell::Absent {
                continue;
            }
            self.filled.push(at as u32);
            self.row[at] = match value_of(&record.value, kind, &mut self.plan.symbols) {
                Some(value) => Cell::Value(value),
                None => {
                    self.mismatch(part, side, record, kind);
                    Cell::Mismatch(show_raw(&record.value))
                }
            };
        }
    }

    /// Returns the current row, and leaves it empty for the next one.
    fn taken_row(&mut self) -> Cells {
        let row = &mut self.row;
        Cells::new(
            self.filled
                .drain(..)
                .map(|at| (at, std::mem::replace(&mut row[at as usize], Cell::Absent)))
                .collect(),
        )
    }

    fn agent(&mut self, part: &SourceRecords<'_>, record: &AgentRecord, rules: usize) {
        let name = self.plan.symbols.intern(&record.name.text);
        let span = part.to_run_span(record.name.span);
        if let Some(first) = self.world.agent_names.get(&name) {
            let first = self.world.agents[*first].span;
            let problem =
                Diagnostic { code: Code::B0506, ..declared_twice("agent", &record.name.text, span, first) };
            self.problems.push(problem);
            return;
        }
        let (mut agent, drafts) = self.agent_row(part, record, rules);
        agent.resources = self.place(drafts, &[]).into();
        self.world.agent_names.insert(name, self.world.agents.len());
        self.world.agents.push(agent);
    }

    /// Binds the row of an agent. Its resources stay drafts: no table is touched.
    pub(super) fn agent_row(
        &mut self,
        part: &SourceRecords<'_>,
        record: &AgentRecord,
        rules: usize,
    ) -> (Agent, Vec<HoldingDraft>) {
        self.cells(part, Side::Agent, &record.keys);
        let cells = self.taken_row();
        let domain = record.domain.as_ref().map(|domain| domain.text.as_str());
        let agent = Agent {
            name: self.plan.symbols.intern(&record.name.text),
            placement: World::place_of(self.plan, domain),
            cells,
            resources: ResourceList::default(),
            rules,
            span: part.to_run_span(record.name.span),
        };
        (agent, self.drafts(part, Side::Agent, &record.resources))
    }

    /// Finds the dimension of each resource for which the plan states none, so that it is the same
    /// everywhere.
    pub(super) fn units(&mut self, parts: &[SourceRecords<'_>]) {
        for part in parts {
            for agent in &part.records.agents {
                agent.resources.iter().for_each(|record| self.unit(Side::Agent, record));
            }
            // The stack replaces recursion; the order of the walk is fixed, which settles the first unit.
            let mut open: Vec<&TierRecord> = part.records.providers.iter().collect();
            while let Some(tier) = open.pop() {
                tier.resources.iter().for_each(|record| self.unit(Side::Pool, record));
                open.extend(&tier.children);
            }
            for volume in &part.records.volumes {
                volume.tier.resources.iter().for_each(|record| self.unit(Side::Pool, record));
            }
        }
    }

    fn unit(&mut self, side: Side, record: &ResourceRecord) {
        let RawAmount::Quantity(quantity) = &record.amount else { return };
        let resource = self.plan.symbols.intern(&record.name);
        if !self.typing.dimensions.contains_key(&(side, resource)) {
            self.typing.units.entry((side, resource)).or_insert(quantity.dimension);
        }
    }

    pub(super) fn provider(
        &mut self,
        part: &SourceRecords<'a>,
        record: &'a TierRecord,
        rules: &mut dyn Iterator<Item = usize>,
    ) {
        let name = self.plan.symbols.intern(&record.name.text);
        let span = part.to_run_span(record.name.span);
        let problem = self.providers.get(&name).map(|first| Diagnostic {
            code: Code::B0506,
            ..declared_twice("provider", &record.name.text, span, *first)
        });
        let repeated = problem.is_some();
        self.problems.extend(problem);
        self.providers.entry(name).or_insert(span);
        self.tier(part, record, None, &mut Vec::new(), rules, repeated);
    }

    /// Binds a tier and those below it, depth first. `above` holds the records from the provider down to the
    /// parent. A `repeated` provider is bound for its problems only: its pools and volumes are no supplies.
    pub(super) fn tier(
        &mut self,
        part: &SourceRecords<'a>,
        record: &'a TierRecord,
        parent: Option<usize>,
        above: &mut Vec<TierLayer<'a>>,
        rules: &mut dyn Iterator<Item = usize>,
        repeated: bool,
    ) {
        let path = match parent {
            Some(parent) => {
                format!("{}/{}", self.plan.symbols.text(self.world.tiers[parent].path), record.name.text)
            }
            None => record.name.text.clone(),
        };
        let drafts = self.drafts(part, Side::Pool, &record.resources);
        let symbol = self.plan.symbols.intern(&path);
        let before = self.before.get(&symbol).map(|before| before.held.clone()).unwrap_or_default();
        let tier = Tier {
            kind: record.kind,
            name: self.plan.symbols.intern(&record.name.text),
            path: symbol,
            parent,
            resources: self.place(drafts, &before),
            rules: rules.next().unwrap_or_default(),
            span: part.to_run_span(record.name.span),
        };
        // A repeated path must not keep the same numbers again.
        if let Some(before) = self.before.get_mut(&symbol) {
            before.held.clear();
        }
        let at = self.world.tiers.len();
        self.world.tiers.push(tier);
        above.push((*part, record));
        match record.kind {
            _ if repeated => {}
            TierKind::Volume => self.supply(part, at, above),
            TierKind::Pool if !is_false(record, BuiltIn::Carve.text()) => self.supply(part, at, above),
            _ => {}
        }
        for child in &record.children {
            self.tier(part, child, Some(at), above, rules, repeated);
        }
        // Volumes put by path come after the declared ones, as if they stood at the end of the pool.
        if record.kind == TierKind::Pool && !repeated {
            self.attach_to(&path, at, above);
        }
        above.pop();
    }

    /// Adds the supply of a pool or volume, which joins the keys, place and resources of its tiers.
    fn supply(&mut self, part: &SourceRecords<'_>, at: usize, above: &[TierLayer<'_>]) {
        let mut chain = vec![at];
        while let Some(parent) = self.world.tiers[chain[chain.len() - 1]].parent {
            chain.push(parent);
        }
        // The nearest tier first: its values win.
        for (part, record) in above.iter().rev() {
            self.cells(part, Side::Pool, &record.keys);
        }
        let cells = self.taken_row();
        let domain = above.iter().rev().find_map(|(_, record)| record.domain.as_ref());
        let placement = World::place_of(self.plan, domain.map(|domain| domain.text.as_str()));
        let record = above[above.len() - 1].1;
        let is_volume = record.kind == TierKind::Volume;
        let own = self.world.tiers[at].resources.clone();
        let mut resources: IndexMap<Symbol, Vec<HoldingId>> = IndexMap::new();
        // The own resources of a volume are taken from its pool as a whole: a user does not take them again.
        for tier in &chain[usize::from(is_volume)..] {
            for held in &self.world.tiers[*tier].resources {
                resources.entry(held.resource).or_default().push(held.holding);
            }
        }
        let path = self.plan.symbols.text(self.world.tiers[at].path).to_owned();
        let existing = is_volume.then(|| self.existing(part, record, &path, &own, &mut resources));
        // By depth from the top: 0 the provider, 1 the instance, 2 the pool.
        let tier = |depth: usize| &self.world.tiers[chain[chain.len() - 1 - depth]];
        let supply = Supply {
            path: tier(chain.len() - 1).path,
            pool: tier(2).path,
            instance_path: tier(1).path,
            instance: tier(1).name,
            provider: tier(0).name,
            chain: chain.clone(),
            placement,
            cells,
            resources,
            existing,
        };
        self.world.supply_paths.insert(supply.path, self.world.supplies.len());
        self.world.supplies.push(supply);
    }

    /// Sorts agents by name and supplies by path, the order of ties and listings.
    fn sort(&mut self) {
        let symbols = &self.plan.symbols;
        self.world.agents.sort_by(|a, b| symbols.text(a.name).cmp(symbols.text(b.name)));
        self.world.agent_names =
            self.world.agents.iter().enumerate().map(|(at, agent)| (agent.name, at)).collect();
        self.sort_supplies();
    }

    pub(super) fn sort_supplies(&mut self) {
        let symbols = &self.plan.symbols;
        self.world.supplies.sort_by(|a, b| symbols.text(a.path).cmp(symbols.text(b.path)));
        self.world.supply_paths =
            self.world.supplies.iter().enumerate().map(|(at, one)| (one.path, at)).collect();
    }

    /// Sums the usable totals. A holding that several supplies share counts once.
    fn totals(&mut self) {
        let mut counted: IndexSet<HoldingId> = IndexSet::new();
        for agent in &self.world.agents {
            counted.extend(agent.resources.iter().map(|held| held.holding));
        }
        for supply in &self.world.supplies {
            counted.extend(self.world.counted(supply));
        }
        for id in counted {
            self.world.count(id, 1);
        }
    }
}

fn is_false(record: &TierRecord, key: &str) -> bool {
    record.keys.iter().any(|own| own.key == key && own.value == Raw::Bool(false))
}

/// Formats a raw value as the language writes it, for messages.
pub fn show_raw(raw: &Raw) -> String {
    let quoted =
        |texts: &[String]| texts.iter().map(|text| crate::value::quote(text)).collect::<Vec<_>>().join(", ");
    match raw {
        Raw::Bool(value) => value.to_string(),
        Raw::Integer(whole) => whole.to_string(),
        Raw::Quantity(quantity) => quantity.to_string(),
        Raw::Text(text) => crate::value::quote(text),
        Raw::Version(version) => format!("v\"{version}\""),
        Raw::Empty => "[]".to_owned(),
        Raw::Texts(texts) => format!("[{}]", quoted(texts)),
        Raw::Numbers(numbers) => {
            let shown = numbers.iter().map(|n| crate::quantity::render(Dimension::Number, i128::from(*n)));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
        Raw::Ranges(ranges) => ranges.to_string(),
    }
}
