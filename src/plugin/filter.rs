//! A plugin with a fleet in its memory, which answers questions.
//!
//! The plugin has a copy of the columns that it was granted, in numbers of its own: rows from 0, texts and
//! versions from 0 ([`Texts`]). Every method translates between these and the broker's own. The copy is sent
//! once, by [`Plugin::load`], and later only the rows whose values changed. So a plugin never learns that
//! something it cannot see has changed.
//!
//! An instance ends with its first fault. `live` is taken before each call and put back only after success,
//! so that no path can call a faulty instance again.

use super::{
    About, Plugin,
    about::AboutColumn,
    answer,
    ask::{Answer, CandidateQuestion, Changed, ConditionOutcome, FleetView, Question, TriedRows},
    binding,
    budget::Budget,
    columns::{self, SentColumn},
    fault::{Broken, Fault},
    host::LiveInstance,
    store::{CallEnd, CallWork, within},
    texts::Texts,
    wire::{explain, filter as wire},
};
use crate::{
    engine::Subject,
    ir::{ColumnId, Volume},
    limits,
    types::Side,
};

/// The row of a supply that the filter does not have.
const UNSEEN: u32 = u32::MAX;

/// An instance of a plugin with a fleet in its memory. After its first fault the instance is dropped, and
/// every further question is a fault.
pub struct Filter {
    plugin: Plugin,
    live: Option<LiveInstance>,
    /// For each column of the plugin, the plan's column. `None` if it is not granted, or if no row can have
    /// it.
    columns: Vec<Option<ColumnId>>,
    texts: Texts,
    agents: Vec<usize>,
    pools: Vec<usize>,
    /// By supply of the fleet, its row, or [`UNSEEN`].
    pool_rows: Vec<u32>,
    /// By column, the values that its rows were last sent with.
    sent: Vec<SentColumn>,
    budget: Budget,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter")
            .field("plugin", &self.plugin)
            .field("sound", &self.is_sound())
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Starts the plugin, and loads a fleet into it.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn load(&self, view: FleetView<'_>) -> Result<Filter, Fault> {
        let installed = &*self.installed;
        let about = &installed.about;
        let columns = binding::of_view(about, &installed.seen, view.plan).map_err(|column| {
            let message = format!("the fleet is bound without its column `{column}`");
            Fault::new(&installed.name, Broken::Bound, message)
        })?;
        let provider = installed.grants.only_provider();
        let is_seen = |supply: &usize| {
            let own = view.plan.symbols.text(view.world.supplies[*supply].provider);
            provider.is_none_or(|provider| provider == own)
        };
        let pools: Vec<usize> = (0..view.world.supplies.len()).filter(is_seen).collect();
        let mut pool_rows = vec![UNSEEN; view.world.supplies.len()];
        for (row, supply) in pools.iter().enumerate() {
            pool_rows[*supply] = row as u32;
        }
        let rows = view.world.agents.len() + pools.len();
        let needs = view.plan.frameworks.iter().map(|framework| framework.needs.len()).sum();
        let mut filter = Filter {
            plugin: self.clone(),
            live: None,
            columns,
            texts: Texts::new(about.wants_texts, about.wants_places),
            agents: (0..view.world.agents.len()).collect(),
            pools,
            pool_rows,
            sent: about.columns.iter().map(|_| SentColumn::default()).collect(),
            budget: Budget::new(installed.host.limits(), (rows, needs)),
        };
        filter.start(view)?;
        Ok(filter)
    }
}

impl Filter {
    /// Returns the plugin.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Returns `true` if it has broken no rule so far.
    pub fn is_sound(&self) -> bool {
        self.live.is_some()
    }

    /// Returns the supplies that it sees, by their index in the fleet, ascending. Their order is that of its
    /// rows.
    pub fn pools(&self) -> &[usize] {
        &self.pools
    }

    /// Returns `true` if it has a say about a supply.
    pub fn sees_pool(&self, supply: usize) -> bool {
        self.pool_rows.get(supply).is_some_and(|row| *row != UNSEEN)
    }

    fn fault(&self, broken: Broken, message: impl AsRef<str>) -> Fault {
        Fault::new(&self.plugin.installed.name, broken, message)
    }

    /// Begins a run of questions; see [`Budget`].
    pub(super) fn begin(&mut self) {
        self.budget.begin();
    }

    /// Ends a run of questions.
    pub(super) fn end(&mut self) {
        self.budget.end();
    }

    /// Counts values that the host handled for the plugin.
    ///
    /// # Errors
    /// The allowance of the run is used up.
    pub(super) fn work(&mut self, values: usize) -> Result<(), Fault> {
        self.budget.handle(values).map_err(|found| self.broke(found))
    }

    /// Calls the plugin. A fault drops the instance.
    fn call<R>(
        &mut self,
        work: CallWork,
        call: impl FnOnce(&wire::Guest, &mut wasmtime::Store<super::store::Guest>) -> wasmtime::Result<R>,
    ) -> Result<R, Fault> {
        let installed = self.plugin.installed.clone();
        let Some(mut live) = self.live.take() else {
            return Err(self.fault(Broken::Sound, "it broke a rule before, and is not asked again"));
        };
        self.budget.ask(work.values).map_err(|found| self.broke(found))?;
        let LiveInstance { store, filter, .. } = &mut live;
        let work = CallWork { most: self.budget.most(), ..work };
        let ended = within(&installed.host, &installed.name, store, work, |store| call(filter, store));
        let result = self.spent(ended)?;
        self.live = Some(live);
        Ok(result)
    }

    /// Counts the instructions of a call against the run. A call that ran out of the run's allowance, rather
    /// than of its own, gets the fault of the run.
    fn spent<R>(&mut self, (result, ran): CallEnd<R>) -> Result<R, Fault> {
        let is_last = self.budget.most() == Some(ran);
        match result {
            Err(fault) if fault.broken == Broken::Fuel && is_last => {
                Err(self.broke(self.budget.out_of_fuel()))
            }
            Err(fault) => Err(fault),
            Ok(result) => {
                self.budget.spend(ran).map_err(|found| self.broke(found))?;
                Ok(result)
            }
        }
    }

    /// Drops the instance, and returns the fault.
    fn broke(&mut self, (broken, message): (Broken, String)) -> Fault {
        self.live = None;
        self.fault(broken, message)
    }

    /// Starts a new instance, and loads the fleet into it.
    fn start(&mut self, view: FleetView<'_>) -> Result<(), Fault> {
        self.live = None;
        self.texts.forget();
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        let symbols = &view.plan.symbols;
        let literals = about.literals.iter().map(|text| self.texts.text_number(symbols, text)).collect();
        let version = |text: &String| crate::value::Version::parse(text).map(std::sync::Arc::new);
        let version_literals = about.version_literals.iter().filter_map(version);
        let version_literals = version_literals.map(|version| self.texts.version_number(&version)).collect();
        let agents = self.table(view, Side::Agent, about);
        let pools = self.table(view, Side::Pool, about);
        // Evaluating the facts of every possible question gives their texts numbers now, so that they are
        // sent with the fleet, and a question needs no update before it.
        let is_asked = |column: &AboutColumn| !matches!(column.side, Side::Agent | Side::Pool);
        let frameworks = view.plan.frameworks.iter().filter(|_| about.columns.iter().any(is_asked));
        for framework in frameworks {
            for need in &framework.needs {
                let subject = Some(Subject { framework, need });
                for volume in need.volumes.iter().map(Some).chain([None]) {
                    columns::facts(view, &mut self.texts, about, &self.columns, (subject, volume));
                }
            }
        }
        let symbols = self.texts.news(symbols);
        let cells = agents.rows as usize * agents.columns.len() + pools.rows as usize * pools.columns.len();
        let rows = cells + symbols.count as usize + symbols.bytes.len() / 8;
        let versions = self.texts.version_news();
        let snapshot = wire::Snapshot { symbols, literals, versions, version_literals, agents, pools };
        let started = self.plugin.installed.start(self.budget.most());
        let mut live = self.spent(started)?;
        // The interface lets a plugin rely on `describe` being its first call.
        let described = self.plugin.installed.describe(&mut live, self.budget.most());
        self.spent(described)?;
        self.live = Some(live);
        let work = CallWork { rows, values: rows, ..CallWork::default() };
        let loaded = self.call(work, |filter, store| filter.call_load(store, &snapshot))?;
        loaded
            .map_err(|message| self.broke((Broken::Accept, format!("it does not take the fleet: {message}"))))
    }

    fn table(&mut self, view: FleetView<'_>, side: Side, about: &About) -> wire::Table {
        let rows = if side == Side::Agent { self.agents.clone() } else { self.pools.clone() };
        let columns = self.side_columns(view, side, about, &rows, false);
        let (columns, told): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        for (column, cells) in columns.iter().zip(told) {
            self.sent[column.column as usize].cells = cells;
        }
        wire::Table { rows: rows.len() as u32, columns }
    }

    fn side_columns(
        &mut self,
        view: FleetView<'_>,
        side: Side,
        about: &About,
        rows: &[usize],
        only_counted: bool,
    ) -> Vec<(wire::ColumnData, Vec<columns::SentCell>)> {
        let columns = about.columns.iter().zip(&self.columns).enumerate();
        let wanted = columns
            .filter(|(_, (column, _))| column.side == side && (!only_counted || column.key.is_counted()));
        wanted
            .filter_map(|(number, (column, id))| Some((number, column, (*id)?)))
            .map(|column| {
                let sets = &mut self.sent[column.0].sets;
                columns::data(view, (&mut self.texts, sets), column, rows)
            })
            .collect()
    }

    /// Returns the changes of one side: of these rows, those with a column whose value differs from the one
    /// that was sent. Records them as sent.
    fn changes(
        &mut self,
        view: FleetView<'_>,
        side: Side,
        rows: &[usize],
        only_counted: bool,
    ) -> wire::TableChanges {
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        let own = |filter: &Filter, row: usize| match side {
            Side::Agent => row as u32,
            _ => filter.pool_rows[row],
        };
        let mut columns = self.side_columns(view, side, about, rows, only_counted);
        let mut changed = vec![false; rows.len()];
        for (column, cells) in &columns {
            let told = &self.sent[column.column as usize].cells;
            for (at, (row, cell)) in rows.iter().zip(cells).enumerate() {
                changed[at] |= told.get(own(self, *row) as usize) != Some(cell);
            }
        }
        // Columns are lists over the changed rows, so they are built again without the rows that did not
        // change.
        if changed.contains(&false) {
            let rows: Vec<usize> =
                rows.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(row, _)| *row).collect();
            columns = match rows.as_slice() {
                [] => Vec::new(),
                rows => self.side_columns(view, side, about, rows, only_counted),
            };
        }
        let changed = rows.iter().zip(&changed).filter(|(_, changed)| **changed);
        let changed: Vec<u32> = changed.map(|(row, _)| own(self, *row)).collect();
        for (column, cells) in &columns {
            let told = &mut self.sent[column.column as usize].cells;
            for (row, cell) in changed.iter().zip(cells) {
                told[*row as usize] = *cell;
            }
        }
        let count = if side == Side::Agent { self.agents.len() } else { self.pools.len() };
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        wire::TableChanges { rows: count as u32, changed, columns }
    }

    /// Sends changes: of these rows, those with a value that differs from the one that was sent, in a column
    /// that the plugin sees. If none differs, no row is sent, so that the plugin does not learn that
    /// something else of them changed. The fleet must have the same agents and supplies as the one that was
    /// loaded; load another fleet with [`Plugin::load`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn update(&mut self, view: FleetView<'_>, changed: Changed<'_>) -> Result<(), Fault> {
        if self.live.is_none() {
            return Err(self.fault(Broken::Sound, "it broke a rule before, and is not asked again"));
        }
        let same =
            view.world.agents.len() == self.agents.len() && view.world.supplies.len() == self.pool_rows.len();
        if !same {
            return Err(self.fault(Broken::Bound, "it is told of changes of another fleet"));
        }
        let pools: Vec<usize> =
            changed.pools.iter().copied().filter(|supply| self.sees_pool(*supply)).collect();
        let agents = self.changes(view, Side::Agent, changed.agents, changed.only_counted);
        let pools = self.changes(view, Side::Pool, &pools, changed.only_counted);
        if agents.changed.is_empty() && pools.changed.is_empty() {
            return self.tell_news(view);
        }
        self.tell(view, agents, pools)
    }

    fn tell(
        &mut self,
        view: FleetView<'_>,
        agents: wire::TableChanges,
        pools: wire::TableChanges,
    ) -> Result<(), Fault> {
        let symbols = self.texts.news(&view.plan.symbols);
        let versions = self.texts.version_news();
        let cells = agents.changed.len() * agents.columns.len() + pools.changed.len() * pools.columns.len();
        // A plugin may go over everything it has, such as when the ranks of versions change, so it gets fuel
        // for all rows.
        let values = cells + symbols.count as usize + symbols.bytes.len() / 8;
        let work =
            CallWork { rows: values + self.agents.len() + self.pools.len(), values, ..CallWork::default() };
        let changes = wire::Changes { symbols, versions, agents, pools };
        match self.call(work, |filter, store| filter.call_update(store, &changes))? {
            Ok(()) => Ok(()),
            // A plugin may refuse changes. Then it gets the whole fleet again.
            Err(_) => self.start(view),
        }
    }

    /// Sends texts and versions that are new with a question.
    fn tell_news(&mut self, view: FleetView<'_>) -> Result<(), Fault> {
        if !self.texts.has_news() {
            return Ok(());
        }
        let none =
            |rows: usize| wire::TableChanges { rows: rows as u32, changed: Vec::new(), columns: Vec::new() };
        self.tell(view, none(self.agents.len()), none(self.pools.len()))
    }

    /// Asks rules about agents, for every agent in order. `rules` is a choice of [`About::rules_of`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn agents(
        &mut self,
        view: FleetView<'_>,
        subject: Subject<'_>,
        rules: &[u32],
    ) -> Result<Answer, Fault> {
        let asked = Question {
            subject: Some(subject),
            volume: None,
            rules,
            agents: TriedRows::All,
            pools: TriedRows::None,
        };
        self.evaluate(view, &asked)
    }

    /// Asks rules about supplies, for every supply that is seen, in the order of [`Filter::pools`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn supplies(
        &mut self,
        view: FleetView<'_>,
        subject: Subject<'_>,
        volume: &Volume,
        rules: &[u32],
    ) -> Result<Answer, Fault> {
        let asked = Question {
            subject: Some(subject),
            volume: Some(volume),
            rules,
            agents: TriedRows::None,
            pools: TriedRows::All,
        };
        self.evaluate(view, &asked)
    }

    /// Asks rules about both sides, for each of these agents with each of these supplies. The rows are
    /// indices in the fleet. Pass one row of each class of rows that are alike in [`About::pair_columns`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn classes(
        &mut self,
        view: FleetView<'_>,
        (subject, volume): (Subject<'_>, &Volume),
        rules: &[u32],
        (agents, pools): (&[usize], &[usize]),
    ) -> Result<Answer, Fault> {
        let (agents, pools) = (TriedRows::These(agents), TriedRows::These(pools));
        self.evaluate(view, &Question { subject: Some(subject), volume: Some(volume), rules, agents, pools })
    }

    /// Asks rules. A question with a large answer is asked in parts.
    ///
    /// # Errors
    /// The rule that the plugin broke; or a row or rule does not exist.
    pub fn evaluate(&mut self, view: FleetView<'_>, asked: &Question<'_>) -> Result<Answer, Fault> {
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        if let Some(rule) = asked.rules.iter().find(|rule| **rule as usize >= about.rules.len()) {
            return Err(
                self.fault(Broken::Bound, format!("it is asked about rule {rule}, which is not there"))
            );
        }
        let agents = self.rows(asked.agents, Side::Agent)?;
        let pools = self.rows(asked.pools, Side::Pool)?;
        let counts = (self.count(&agents, Side::Agent), self.count(&pools, Side::Pool));
        let facts = columns::facts_of(view, &mut self.texts, about, &self.columns, asked);
        self.tell_news(view)?;
        let whole = answer::shape(about, asked.rules, counts.0, counts.1);
        let question = wire::Question { facts, rules: asked.rules.to_vec(), agents, pools };
        if whole.bytes() <= limits::PLUGIN_ANSWER_BYTES {
            return self.judge(whole, &question);
        }
        self.judge_in_parts(whole, question, counts)
    }

    /// Asks in parts of one side, which are joined again: of the agents if they are tried, else of the
    /// supplies. A part has a multiple of 64 rows, so that bitmaps join by whole words.
    fn judge_in_parts(
        &mut self,
        whole: Answer,
        mut question: wire::Question,
        (agents, pools): (Option<usize>, Option<usize>),
    ) -> Result<Answer, Fault> {
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        let rows = if agents.is_some() { question.agents.clone() } else { question.pools.clone() };
        let rows = match rows {
            wire::Rows::These(rows) => rows,
            _ => (0..agents.or(pools).unwrap_or(0) as u32).collect(),
        };
        let row = whole.bytes() / rows.len().max(1) + 1;
        let most = (limits::PLUGIN_ANSWER_BYTES / row).max(64) / 64 * 64;
        let mut parts = Vec::new();
        for part in rows.chunks(most) {
            let (these, count) = (wire::Rows::These(part.to_vec()), Some(part.len()));
            let shape = if agents.is_some() {
                question.agents = these;
                answer::shape(about, &question.rules, count, pools)
            } else {
                question.pools = these;
                answer::shape(about, &question.rules, None, count)
            };
            parts.push(self.judge(shape, &question)?);
        }
        Ok(whole.of_parts(&parts))
    }

    /// Converts the rows of a question to the plugin's numbers.
    fn rows(&self, rows: TriedRows<'_>, side: Side) -> Result<wire::Rows, Fault> {
        let own = |row: &usize| {
            let own = match side {
                Side::Agent => (*row < self.agents.len()).then_some(*row as u32),
                _ => self.pool_rows.get(*row).copied().filter(|own| *own != UNSEEN),
            };
            own.ok_or_else(|| {
                self.fault(Broken::Bound, format!("it is asked about {side} {row}, which it does not see"))
            })
        };
        Ok(match rows {
            TriedRows::None => wire::Rows::None,
            TriedRows::All => wire::Rows::All,
            TriedRows::These(rows) => wire::Rows::These(rows.iter().map(own).collect::<Result<_, _>>()?),
        })
    }

    /// Returns the number of rows that are tried. `None` if the side is not tried.
    fn count(&self, rows: &wire::Rows, side: Side) -> Option<usize> {
        match rows {
            wire::Rows::None => None,
            wire::Rows::All if side == Side::Agent => Some(self.agents.len()),
            wire::Rows::All => Some(self.pools.len()),
            wire::Rows::These(rows) => Some(rows.len()),
        }
    }

    fn judge(&mut self, mut answer: Answer, question: &wire::Question) -> Result<Answer, Fault> {
        let (agents, pools) = answer.shape();
        let rows = agents.saturating_mul(pools).saturating_mul(question.rules.len().max(1));
        let results = answer.bytes();
        let work = CallWork { rows, results, values: results / size_of::<u64>(), most: None };
        let found = self.call(work, |filter, store| filter.call_evaluate(store, question))?;
        answer.fill(found).map_err(|problem| self.broke(problem))?;
        Ok(answer)
    }

    /// Asks how conditions came out for one candidate, and why. Returns `None` if the plugin does not
    /// explain.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn explain(
        &mut self,
        view: FleetView<'_>,
        asked: &CandidateQuestion<'_>,
    ) -> Result<Option<Vec<ConditionOutcome>>, Fault> {
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        if !about.explains {
            return Ok(None);
        }
        if let Some(condition) = asked.conditions.iter().find(|one| **one as usize >= about.conditions.len())
        {
            let message = format!("it is asked about condition {condition}, which is not there");
            return Err(self.fault(Broken::Bound, message));
        }
        let row = |row: &Option<usize>, side| match row {
            Some(row) => self.rows(TriedRows::These(&[*row]), side),
            None => Ok(wire::Rows::None),
        };
        let first = |rows| match rows {
            wire::Rows::These(rows) => rows.first().copied(),
            _ => None,
        };
        let agent = first(row(&asked.agent, Side::Agent)?);
        let pool = first(row(&asked.pool, Side::Pool)?);
        let facts =
            columns::facts(view, &mut self.texts, about, &self.columns, (asked.subject, asked.volume));
        self.tell_news(view)?;
        let candidate = explain::Candidate { facts, conditions: asked.conditions.to_vec(), agent, pool };
        let guest = self.live.as_ref().and_then(|live| live.explain.clone());
        let Some(guest) = guest else {
            return Err(self.fault(Broken::Sound, "it broke a rule before, and is not asked again"));
        };
        let rows = asked.conditions.len();
        let work = CallWork { rows, results: rows * 64, values: rows * 8, most: None };
        let told = self.call(work, |_, store| guest.call_explain(store, &candidate))?;
        let outcomes = answer::outcomes(about, asked.conditions, told, &self.texts, &view.plan.symbols);
        outcomes.map(Some).map_err(|problem| self.broke(problem))
    }
}
