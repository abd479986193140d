//! Generated expressions over generated values: a plugin says what the native engine says, about every row and pair,
//! of every operator, for values of every type, absent, of another type, or too large.

use std::collections::BTreeMap;

use bourse::{
    emit::{self, ColumnKind, Manifest},
    engine::{self, Gap, Keys},
    ir::{
        Column, ColumnId, Definition, DefinitionId, Key, Node, NodeId, Pattern, Plan, Rule, Show, SideSet,
        Strength, op,
    },
    logic::Truth,
    operator::{ArithmeticOp, Function, TestOp},
    quantity::{Dimension, MILLION},
    ranges::Ranges,
    source::Span,
    symbol::{Symbol, Symbols},
    types::{Side, Type},
    value::{Value, Version, is_place},
};
use indexmap::IndexSet;

use super::host::{
    self, Candidate, Cell, Fact, Numbering, Question, Rows, Running, Snapshot, Table, TableChanges,
};
use crate::properties::Numbers;

const TEXTS: [&str; 14] = [
    "us", "us/a", "us/a/r1", "us/a/r2", "us/b", "us//a", "us/", "/x", "", "eu/b", "rexray", "ß-é", "日本",
    "a1",
];
/// Texts that come to be known after the fleet was loaded.
const LATE: [&str; 3] = ["us/a/r1/late", "late", "l8"];
const VERSIONS: [&str; 8] =
    ["5.10.3", "5.10.0", "5.10", "5.9", "5.10.0-rc.1", "5.10.0.0", "0", "5.10.0-rc.2"];
const PATTERNS: [&str; 8] =
    ["us.*", "[a-z]+[0-9]*", "", "(?i)ß.*|É", r"\w+", r"(us|eu)/[^/]+(/.*)?", r".{2}", r"(?-u:\b)l.*"];

struct Generator {
    n: Numbers,
    plan: Plan,
    /// Texts that values are made of.
    texts: Vec<Symbol>,
}

fn amount(n: &mut Numbers) -> i64 {
    let special = [
        0,
        1,
        -1,
        2,
        3,
        5,
        MILLION,
        -MILLION,
        2 * MILLION,
        500_000,
        1_500_000,
        i64::MAX,
        i64::MIN,
        i64::MAX / 2,
        i64::MIN + 1,
        9_223_372_036_854_775,
        1 << 32,
        (1 << 32) - 1,
        7_000_000_000_000,
    ];
    match n.below(4) {
        0 | 1 => special[n.below(special.len() as u64) as usize],
        2 => n.below(20) as i64 * MILLION / 2,
        _ => (n.next() >> n.below(63)) as i64,
    }
}

impl Generator {
    fn new(seed: u64) -> Generator {
        let mut plan = Plan::default();
        let texts = TEXTS.iter().map(|text| plan.symbols.intern(text)).collect();
        for level in ["region", "zone", "rack"].iter().take((seed % 4) as usize) {
            let level = plan.symbols.intern(level);
            plan.levels.push(level);
        }
        for text in PATTERNS {
            let regex = bourse::ir::pattern(text).expect(text);
            plan.patterns.push(Pattern { text: text.to_owned(), regex });
        }
        let mut generator =
            Generator { n: Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), plan, texts };
        generator.columns();
        generator
    }

    fn columns(&mut self) {
        let cpus = self.plan.symbols.intern("cpus");
        let size = self.plan.symbols.intern("size");
        self.plan.resources.insert((Side::Agent, cpus), Dimension::Number);
        for side in [Side::Pool, Side::Agent, Side::Framework, Side::Volume] {
            for (at, kind) in Type::ALL.into_iter().map(Some).chain([None, None]).enumerate() {
                if side == Side::Volume && at % 3 != 0 {
                    continue;
                }
                let key = Key::Attribute(self.plan.symbols.intern(&format!("k{at}")));
                self.column(side, key, kind);
            }
        }
        for side in [Side::Agent, Side::Pool] {
            let own = [
                Key::Name,
                Key::Domain,
                Key::Free(cpus),
                Key::Used(size),
                Key::Total(cpus),
                Key::Total(size),
            ];
            own.into_iter().for_each(|key| self.column(side, key, None));
        }
    }

    fn column(&mut self, side: Side, key: Key, kind: Option<Type>) {
        self.plan.columns.insert(Column { side, key });
        self.plan.column_types.push(kind);
    }

    /// The type of a column, where it has one before there is data.
    fn type_of(&self, id: ColumnId) -> Option<Type> {
        let Column { side, key } = self.plan.column(id);
        match key {
            Key::Attribute(_) => self.plan.column_types[id.0 as usize],
            Key::Name => Some(Type::Text),
            Key::Domain => Some(Type::Place),
            Key::Total(resource) | Key::Free(resource) | Key::Used(resource) => {
                self.plan.dimension(side, resource).map(Type::Quantity)
            }
            _ => None,
        }
    }

    fn any_type(&mut self) -> Type {
        Type::ALL[self.n.below(Type::ALL.len() as u64) as usize]
    }

    /// A value as a plan may have it: a place in it has no empty segment, which data may have.
    fn constant(&mut self, kind: Type) -> Value {
        loop {
            let value = self.value(kind);
            match value {
                Value::Place(place) if !is_place(self.plan.symbols.text(place)) => {}
                _ => return value,
            }
        }
    }

    fn value(&mut self, kind: Type) -> Value {
        let text = |own: &mut Generator| own.texts[own.n.below(own.texts.len() as u64) as usize];
        let members = self.n.below(4);
        match kind {
            Type::Bool => Value::Bool(self.n.chance(50)),
            Type::Quantity(dimension) => Value::Quantity(dimension, amount(&mut self.n)),
            Type::Text => Value::Text(text(self)),
            Type::Place => Value::Place(text(self)),
            Type::Version => {
                let version = Version::parse(self.n.pick(&VERSIONS)).expect("a version");
                Value::Version(version.into())
            }
            Type::Texts => Value::texts((0..members).map(|_| text(self)).collect::<Vec<_>>()),
            Type::Numbers => Value::numbers((0..members).map(|_| amount(&mut self.n)).collect::<Vec<_>>()),
            Type::Ranges => {
                let parts = (0..members).map(|_| {
                    let low = if self.n.chance(90) { self.n.below(8) as i64 } else { amount(&mut self.n) };
                    let high =
                        if self.n.chance(95) { low.saturating_add(self.n.below(3) as i64) } else { i64::MAX };
                    (low, high)
                });
                Value::Ranges(Ranges::new(parts.collect::<Vec<_>>()).into())
            }
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.plan.nodes.push(node);
        self.plan.spans.push(Span::default());
        NodeId(self.plan.nodes.len() as u32 - 1)
    }

    /// A column of a type; sometimes one of any.
    fn some_column(&mut self, kind: Type) -> ColumnId {
        let count = self.plan.columns.len() as u64;
        let mut at = ColumnId(self.n.below(count) as u32);
        for _ in 0..60 {
            if self.type_of(at).is_none_or(|known| known == kind) {
                break;
            }
            at = ColumnId(self.n.below(count) as u32);
        }
        at
    }

    fn expression(&mut self, wanted: Type, depth: u64) -> NodeId {
        let kind = if self.n.chance(94) { wanted } else { self.any_type() };
        let node = match (kind, self.n.below(if depth == 0 { 4 } else { 10 })) {
            (_, 0 | 1) => Node::Read(self.some_column(kind)),
            (_, 2) if self.n.chance(60) => Node::Constant(self.constant(kind)),
            (_, 3) => {
                let other = Node::Constant(self.constant(kind));
                let other = if depth == 0 || self.n.chance(60) {
                    self.push(other)
                } else {
                    self.expression(kind, depth - 1)
                };
                Node::Else(self.some_column(kind), other)
            }
            (Type::Bool, _) if depth > 0 => return self.condition(depth - 1),
            (Type::Quantity(dimension), _) if depth > 0 => self.computation(dimension, depth - 1),
            (_, 4 | 5) if !self.plan.definitions.is_empty() => {
                Node::Named(DefinitionId(self.n.below(self.plan.definitions.len() as u64) as u32))
            }
            _ => Node::Read(self.some_column(kind)),
        };
        self.push(node)
    }

    fn computation(&mut self, dimension: Dimension, depth: u64) -> Node {
        let kind = Type::Quantity(dimension);
        let any = [Dimension::Number, Dimension::Size, Dimension::Duration][self.n.below(3) as usize];
        let (number, other) = (Type::NUMBER, Type::Quantity(any));
        let two = |own: &mut Generator, a, b| (own.expression(a, depth), own.expression(b, depth));
        match self.n.below(9) {
            0 => {
                let (a, b) = two(self, kind, kind);
                Node::Arithmetic(ArithmeticOp::Add, a, b)
            }
            1 => {
                let (a, b) = two(self, kind, kind);
                Node::Arithmetic(ArithmeticOp::Subtract, a, b)
            }
            2 => {
                let (a, b) = two(self, kind, number);
                if self.n.chance(50) {
                    Node::Arithmetic(ArithmeticOp::Multiply, a, b)
                } else {
                    Node::Arithmetic(ArithmeticOp::Multiply, b, a)
                }
            }
            3 | 4 => {
                let (a, b) = if dimension == Dimension::Number {
                    two(self, other, other)
                } else {
                    two(self, kind, number)
                };
                Node::Arithmetic(ArithmeticOp::Divide, a, b)
            }
            5 => Node::Negate(self.expression(kind, depth)),
            6 => Node::Call(Function::Abs, [self.expression(kind, depth)].into()),
            7 => {
                let function = [Function::Min, Function::Max, Function::Clamp][self.n.below(3) as usize];
                let count = if function == Function::Clamp { 3 } else { 2 + self.n.below(2) };
                Node::Call(function, (0..count).map(|_| self.expression(kind, depth)).collect())
            }
            _ => {
                let (a, b) = two(self, Type::Place, Type::Place);
                Node::Call(Function::Closeness, [a, b].into())
            }
        }
    }

    fn condition(&mut self, depth: u64) -> NodeId {
        let choice = if depth == 0 { 3 + self.n.below(7) } else { self.n.below(12) };
        let node = match choice {
            0..=2 => {
                let parts: Box<[NodeId]> =
                    (0..2 + self.n.below(2)).map(|_| self.condition(depth - 1)).collect();
                if self.n.chance(50) { Node::And(parts) } else { Node::Or(parts) }
            }
            3 => Node::IsAbsent(self.some_column(Type::Text)),
            4 => Node::IsPresent(self.some_column(Type::Version)),
            5 => {
                let pattern = self.n.below(PATTERNS.len() as u64) as u32;
                Node::Matches(self.expression(Type::Text, depth), pattern)
            }
            10 => Node::Not(self.condition(depth - 1)),
            11 => Node::Read(self.some_column(Type::Bool)),
            _ => self.comparison(depth),
        };
        self.push(node)
    }

    fn comparison(&mut self, depth: u64) -> Node {
        let sets = [Type::Texts, Type::Numbers, Type::Ranges];
        let set = sets[self.n.below(3) as usize];
        let member = if set == Type::Texts { Type::Text } else { Type::NUMBER };
        let other = if set == Type::Texts { set } else { sets[1 + self.n.below(2) as usize] };
        let dimension = [Dimension::Number, Dimension::Size, Dimension::Bandwidth][self.n.below(3) as usize];
        let ordered = if self.n.chance(70) { Type::Quantity(dimension) } else { Type::Version };
        let equal = self.any_type();
        let (op, left, right) = match self.n.below(17) {
            0 => (TestOp::Equal, equal, equal),
            1 => (TestOp::NotEqual, equal, equal),
            2 => (TestOp::Equal, set, other),
            3 => (TestOp::Less, ordered, ordered),
            4 => (TestOp::LessOrEqual, ordered, ordered),
            5 => (TestOp::Greater, ordered, ordered),
            6 => (TestOp::GreaterOrEqual, ordered, ordered),
            7 => (TestOp::In, member, set),
            8 => (TestOp::Has, set, member),
            9 | 10 => (TestOp::HasAny, set, other),
            11 | 12 => (TestOp::HasAll, set, other),
            13 => (TestOp::Equal, Type::Version, Type::Version),
            14 => (TestOp::NotEqual, Type::Version, Type::Version),
            _ => (TestOp::Within, Type::Place, if self.n.chance(50) { Type::Place } else { Type::Text }),
        };
        let (left, right) = (self.expression(left, depth), self.expression(right, depth));
        Node::Test(op, left, right)
    }

    fn sides(&self, root: NodeId) -> SideSet {
        let reads = self.plan.reads(root);
        reads.iter().fold(SideSet::default(), |sides, column| sides.with(self.plan.column(*column).side))
    }

    fn policy(&mut self) {
        for at in 0..6 {
            let kind = [Type::Bool, Type::Bool, Type::NUMBER, Type::Text, Type::Texts, Type::Version][at];
            let root = if kind == Type::Bool { self.condition(2) } else { self.expression(kind, 2) };
            self.plan.definitions.push(Definition {
                name: format!("d{at}"),
                class_of: (kind == Type::Bool).then_some(Side::Agent),
                root,
                sides: self.sides(root),
                span: Span::default(),
                docs: Vec::new(),
                standard: false,
            });
        }
        for at in 0..24 {
            let strength = if at % 3 == 2 { Strength::Prefer(MILLION) } else { Strength::Require };
            let root = if strength.is_preferred() && at % 2 == 0 {
                self.expression(Type::NUMBER, 3)
            } else {
                self.condition(3)
            };
            let sides = self.sides(root);
            let label = format!("r{at}");
            let rule = Rule {
                label,
                labelled: true,
                strength,
                root,
                sides,
                span: Span::default(),
                docs: Vec::new(),
            };
            if strength.is_preferred() {
                &mut self.plan.broker.prefers
            } else {
                &mut self.plan.broker.requires
            }
            .push(rule);
        }
    }

    fn cell(&mut self, column: ColumnId, may_mismatch: bool) -> Cell {
        let kind = self.type_of(column);
        match self.n.below(100) {
            0..12 => Cell::Absent,
            12..18 if kind.is_some() && may_mismatch => Cell::Mismatch,
            _ => {
                let kind = kind.unwrap_or_else(|| self.any_type());
                Cell::Value(self.value(kind))
            }
        }
    }
}

/// One candidate, as the native engine sees it.
struct Row<'a> {
    plan: &'a Plan,
    symbols: &'a Symbols,
    fleet: &'a Fleet,
    agent: Option<usize>,
    pool: Option<usize>,
}

impl Keys for Row<'_> {
    fn plan(&self) -> &Plan {
        self.plan
    }

    fn symbols(&self) -> &Symbols {
        self.symbols
    }

    fn read(&self, id: ColumnId) -> Result<Value, Gap> {
        let row = match self.plan.column(id).side {
            Side::Agent => self.agent,
            Side::Pool => self.pool,
            _ => Some(0),
        };
        match row.map_or(&Cell::Absent, |row| &self.fleet.cells[&id][row]) {
            Cell::Value(value) => Ok(value.clone()),
            Cell::Absent => Err(Gap::Absent(id)),
            Cell::Mismatch => Err(Gap::Mismatch(id)),
        }
    }
}

/// The rows of each column; of what is asked, one.
struct Fleet {
    cells: BTreeMap<ColumnId, Vec<Cell>>,
    agents: usize,
    pools: usize,
}

impl Fleet {
    fn rows(&self, side: Side) -> usize {
        match side {
            Side::Agent => self.agents,
            Side::Pool => self.pools,
            _ => 1,
        }
    }
}

/// A plan, its plugin, and the fleet both see.
struct Pair {
    generator: Generator,
    manifest: Manifest,
    numbering: Numbering,
    running: Running,
    fleet: Fleet,
    /// The plan's columns by the plugin's numbers.
    columns: Vec<ColumnId>,
    seed: u64,
}

fn key_of(plan: &Plan, id: ColumnId) -> (Side, String) {
    (plan.column(id).side, Show::new(plan).key(id))
}

fn manifest_key(column: &emit::ManifestColumn) -> (Side, String) {
    let key = match &column.key {
        emit::KeyName::Attribute(key) => key.clone(),
        emit::KeyName::Name => "name".to_owned(),
        emit::KeyName::Domain => "domain".to_owned(),
        emit::KeyName::Total(resource) => format!("total.{resource}"),
        emit::KeyName::Free(resource) => format!("free.{resource}"),
        emit::KeyName::Used(resource) => format!("used.{resource}"),
        other => panic!("{other:?}"),
    };
    (column.side, key)
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut generator = Generator::new(seed);
        generator.policy();
        let plan = &generator.plan;
        bourse::ir::verify(plan).expect("a plan");
        let plugin = emit::plugin(plan, &emit::Owners::default(), "generated").expect("a plugin");
        let by_key = |column: &emit::ManifestColumn| {
            let wanted = manifest_key(column);
            (0..plan.columns.len() as u32)
                .map(ColumnId)
                .find(|id| key_of(plan, *id) == wanted)
                .expect("a column")
        };
        let columns = plugin.manifest.columns.iter().map(by_key).collect();
        let numbering = Numbering::new(plan.symbols.clone());
        let running = Running::new(&plugin.bytes);
        let mut fleet = Fleet { cells: BTreeMap::new(), agents: 131, pools: 5 };
        for at in 0..generator.plan.columns.len() as u32 {
            let id = ColumnId(at);
            let side = generator.plan.column(id).side;
            let is_row = matches!(side, Side::Agent | Side::Pool);
            let cells = (0..fleet.rows(side)).map(|_| generator.cell(id, is_row)).collect();
            fleet.cells.insert(id, cells);
        }
        Pair { generator, manifest: plugin.manifest, numbering, running, fleet, columns, seed }
    }

    fn table(&mut self, side: Side) -> Table {
        let mut columns = Vec::new();
        for (at, id) in
            self.columns.iter().enumerate().filter(|(at, _)| host::is_of(&self.manifest, *at, side))
        {
            let kind = self.manifest.columns[at].kind;
            columns.push(self.numbering.column(at as u32, kind, &self.fleet.cells[id]));
        }
        Table { rows: self.fleet.rows(side) as u32, columns }
    }

    fn load(&mut self) {
        let literals = self.manifest.literals.iter();
        let literals =
            literals.map(|text| self.numbering.symbols.find(text).expect("a symbol").index() as u32);
        let literals: Vec<u32> = literals.collect();
        let versions: Vec<Version> =
            self.manifest.versions.iter().map(|text| Version::parse(text).expect("a version")).collect();
        let version_literals = versions.iter().map(|version| self.numbering.version(version)).collect();
        for text in VERSIONS {
            self.numbering.version(&Version::parse(text).expect("a version"));
        }
        let (agents, pools) = (self.table(Side::Agent), self.table(Side::Pool));
        let count = self.numbering.symbols.len();
        let symbols = self.numbering.table(count);
        let versions = self.numbering.ranks();
        let snapshot = Snapshot { symbols, literals, versions, version_literals, agents, pools };
        self.running.load(&snapshot).expect("takes it");
    }

    fn facts(&mut self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (at, id) in self.columns.iter().enumerate() {
            if matches!(self.manifest.columns[at].side, Side::Agent | Side::Pool) {
                continue;
            }
            if let Cell::Value(value) = &self.fleet.cells[id][0] {
                facts.push(Fact { column: at as u32, value: self.numbering.given(value) });
            }
        }
        facts
    }

    fn row(&self, agent: Option<usize>, pool: Option<usize>) -> Row<'_> {
        Row { plan: &self.generator.plan, symbols: &self.numbering.symbols, fleet: &self.fleet, agent, pool }
    }

    fn roots(&self) -> Vec<(bool, NodeId)> {
        let plan = &self.generator.plan;
        let rules = plan.broker.requires.iter().chain(&plan.broker.prefers);
        let rules = rules.map(|rule| (rule.strength.is_preferred(), rule.root));
        let classes = plan.definitions.iter().filter(|class| class.class_of.is_some());
        rules.chain(classes.map(|class| (false, class.root))).collect()
    }

    /// Asks about rows and compares every verdict and score.
    fn compare(&mut self, agents: Option<Vec<u32>>, pools: Option<Vec<u32>>, all: bool, seen: &mut [u64; 4]) {
        let rows = |rows: &Option<Vec<u32>>| match rows {
            None => Rows::None,
            Some(_) if all => Rows::All,
            Some(list) => Rows::These(list.clone()),
        };
        let roots = self.roots();
        let facts = self.facts();
        let rules = (0..roots.len() as u32).collect();
        let answer =
            self.running.evaluate(&Question { facts, rules, agents: rows(&agents), pools: rows(&pools) });
        let listed = |rows: &Option<Vec<u32>>| match rows {
            None => vec![None],
            Some(list) => list.iter().map(|row| Some(*row as usize)).collect(),
        };
        let (agents, pools) = (listed(&agents), listed(&pools));
        let (outer, inner) =
            if pools == [None] { (pools.clone(), agents.clone()) } else { (agents.clone(), pools.clone()) };
        let words = inner.len().div_ceil(64);
        let (mut plane, mut earned) = (0, answer.earned.iter());
        for (is_preference, root) in roots {
            for (at_outer, a) in outer.iter().enumerate() {
                for (at_inner, b) in inner.iter().enumerate() {
                    let (agent, pool) = if pools == [None] { (*b, *a) } else { (*a, *b) };
                    let row = self.row(agent, pool);
                    let shown = || {
                        let reads = self.generator.plan.reads(root);
                        let values = reads
                            .iter()
                            .map(|id| (Show::new(&self.generator.plan).column(*id), row.read(*id)));
                        let values: Vec<_> = values.collect();
                        format!(
                            "seed {}, {agent:?} {pool:?}: {}\n{values:#?}",
                            self.seed,
                            Show::new(&self.generator.plan).node(root)
                        )
                    };
                    if is_preference {
                        let native = engine::value(&row, root).ok().and_then(|value| op::earned(&value).ok());
                        let native = native.map_or(-1, |earned| earned as i32);
                        assert_eq!(*earned.next().expect("a score"), native, "{}", shown());
                        seen[3] += u64::from(native > 0);
                        continue;
                    }
                    let word = plane + at_outer * words + at_inner / 64;
                    let bit = |list: &[u64]| list[word] >> (at_inner % 64) & 1 == 1;
                    let said = match (bit(&answer.holds), bit(&answer.unknown)) {
                        (true, false) => Truth::True,
                        (false, true) => Truth::Unknown,
                        (false, false) => Truth::False,
                        (true, true) => panic!("both: {}", shown()),
                    };
                    let native = engine::truth(&row, root);
                    seen[native as usize] += 1;
                    assert_eq!(said, native, "{}", shown());
                }
            }
            if !is_preference {
                let last = (inner.len() % 64) as u32;
                for at_outer in 0..outer.len() {
                    let end = plane + at_outer * words + words - 1;
                    let beyond =
                        if last == 0 { 0 } else { answer.holds[end] >> last | answer.unknown[end] >> last };
                    assert_eq!(beyond, 0, "bits beyond the last row");
                }
                plane += outer.len() * words;
            }
        }
        assert!(earned.next().is_none() && answer.holds.len() == plane && answer.unknown.len() == plane);
    }

    /// Explains every condition for one candidate.
    fn explain(&mut self, agent: Option<u32>, pool: Option<u32>, faults: &mut u64, varying: &mut u64) {
        let plan = &self.generator.plan;
        let mut nodes: IndexSet<NodeId> = IndexSet::new();
        for (_, root) in self.roots() {
            nodes.extend(plan.conditions(root));
            nodes.insert(root);
        }
        assert_eq!(nodes.len(), self.manifest.conditions.len());
        let facts = self.facts();
        let conditions = (0..nodes.len() as u32).collect();
        let outcomes = self.running.explain(&Candidate { facts, conditions, agent, pool });
        assert_eq!(outcomes.len(), nodes.len());
        for (at, (node, outcome)) in nodes.iter().zip(outcomes).enumerate() {
            let row = self.row(agent.map(|row| row as usize), pool.map(|row| row as usize));
            let shown = format!("seed {}: {}", self.seed, Show::new(&self.generator.plan).node(*node));
            let truth = match engine::truth(&row, *node) {
                Truth::False => host::Truth::No,
                Truth::Unknown => host::Truth::Unknown,
                Truth::True => host::Truth::Yes,
            };
            assert_eq!(outcome.truth, truth, "{shown}");
            let possible = engine::possible(&row, *node);
            assert_eq!(
                (outcome.may_hold, outcome.may_fail),
                (possible.may_hold, possible.may_fail),
                "{shown}"
            );
            *varying += u64::from(possible.may_hold && possible.may_fail);
            let fault = match engine::value(&row, *node) {
                Err(Gap::Fault(at, fault)) if fault != op::OpFault::Mismatch => {
                    Some((fault == op::OpFault::DivisionByZero, Show::new(&self.generator.plan).node(at)))
                }
                _ => None,
            };
            *faults += u64::from(fault.is_some());
            let told = outcome.fault.map(|fault| {
                let by_zero = format!("{:?}", fault.failure).contains("Zero");
                (by_zero, self.manifest.expressions[fault.expression as usize].clone())
            });
            assert_eq!(told, fault, "{shown}");
            let right = match self.generator.plan.node(*node) {
                Node::Test(_, left, right) if matches!(self.generator.plan.node(*left), Node::Read(_)) => {
                    Some(*right)
                }
                _ => None,
            };
            let right = right.filter(|right| !matches!(self.generator.plan.node(*right), Node::Constant(_)));
            assert_eq!(self.manifest.conditions[at].operand, right.is_some(), "{shown}");
            assert_eq!(outcome.distance, distance(&row, *node), "{shown}");
            let operand = right.and_then(|right| engine::value(&row, right).ok());
            let operand = operand.map(|value| self.numbering.given(&value));
            assert_eq!(format!("{:?}", outcome.operand), format!("{operand:?}"), "{shown}");
        }
    }

    /// New texts, changed and new rows.
    fn change(&mut self) {
        for text in LATE {
            let symbol = self.numbering.symbols.intern(text);
            self.generator.texts.push(symbol);
        }
        let grown = [(Side::Agent, 4), (Side::Pool, 70)];
        let mut tables = Vec::new();
        for (side, more) in grown {
            let before = self.fleet.rows(side) as u32;
            let mut changed: Vec<u32> = (0..before).filter(|_| self.generator.n.chance(20)).collect();
            changed.extend(before..before + more);
            let mut columns = Vec::new();
            for at in 0..self.columns.len() {
                if !host::is_of(&self.manifest, at, side) {
                    continue;
                }
                let id = self.columns[at];
                let new: Vec<Cell> = changed.iter().map(|_| self.generator.cell(id, true)).collect();
                let cells = self.fleet.cells.get_mut(&id).expect("cells");
                cells.resize((before + more) as usize, Cell::Absent);
                changed.iter().zip(&new).for_each(|(row, cell)| cells[*row as usize] = cell.clone());
                let kind = self.manifest.columns[at].kind;
                columns.push(self.numbering.column(at as u32, kind, &new));
            }
            tables.push(TableChanges { rows: before + more, changed, columns });
        }
        self.fleet.agents += 4;
        self.fleet.pools += 70;
        // Columns that the plugin does not read have to have as many rows.
        for (id, cells) in &mut self.fleet.cells {
            let rows = match self.generator.plan.column(*id).side {
                Side::Agent => self.fleet.agents,
                Side::Pool => self.fleet.pools,
                _ => 1,
            };
            cells.resize(rows, Cell::Absent);
        }
        let late = self.numbering.version(&Version::parse("5.9.9").expect("a version"));
        assert_eq!(late as usize, VERSIONS.len());
        let count = self.numbering.symbols.len();
        let symbols = self.numbering.table(count);
        let pools = tables.pop().expect("pools");
        let agents = tables.pop().expect("agents");
        let changes = host::Changes { symbols, versions: self.numbering.ranks(), agents, pools };
        self.running.update(&changes).expect("takes it");
    }
}

const SEEDS: u64 = 24;

#[test]
fn plugins_and_the_native_engine_agree() {
    let (mut seen, mut faults, mut varying) = ([0; 4], 0, 0);
    for seed in 0..SEEDS {
        let mut pair = Pair::new(seed);
        pair.load();
        for turn in 0..2 {
            let (agents, pools) = (pair.fleet.agents as u32, pair.fleet.pools as u32);
            pair.compare(None, None, false, &mut seen);
            pair.compare(Some((0..agents).collect()), None, true, &mut seen);
            pair.compare(None, Some((0..pools).collect()), true, &mut seen);
            pair.compare(Some(vec![3, 0, agents - 1]), Some((0..pools).rev().collect()), false, &mut seen);
            for (agent, pool) in
                [(None, None), (Some(1), None), (None, Some(2)), (Some(2), Some(0)), (Some(66), Some(4))]
            {
                pair.explain(agent, pool, &mut faults, &mut varying);
            }
            if turn == 0 {
                pair.change();
            }
        }
    }
    println!("false, unknown, true, earning: {seen:?}; faults: {faults}; could be either: {varying}");
    assert!(seen.iter().all(|count| *count > 10_000) && faults > 20 && varying > 50, "every kind was seen");
}

#[test]
fn the_kinds_are_numbered_as_the_interface_has_them() {
    let names: Vec<&str> = ColumnKind::ALL.iter().map(|kind| kind.name()).collect();
    let text = include_str!("../../wit/bourse-filter.wit");
    let body = text.split("enum kind {").nth(1).and_then(|rest| rest.split('}').next()).expect("kinds");
    let told: Vec<&str> = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("///"))
        .map(|line| line.trim_end_matches(','))
        .collect();
    assert_eq!(names, told);
}

/// How far two amounts that are compared by order are apart, where both are known.
fn distance(row: &impl Keys, node: NodeId) -> Option<u64> {
    use bourse::operator::TestOp;
    let Node::Test(op, left, right) = row.plan().node(node) else { return None };
    if !matches!(op, TestOp::Less | TestOp::LessOrEqual | TestOp::Greater | TestOp::GreaterOrEqual) {
        return None;
    }
    match (engine::value(row, *left).ok()?, engine::value(row, *right).ok()?) {
        (Value::Quantity(one, a), Value::Quantity(other, b)) => (one == other).then(|| a.abs_diff(b)),
        _ => None,
    }
}
