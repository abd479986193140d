//! A plugin that has a fleet, and is asked about it.

use super::{
    About, Plugin,
    about::Column,
    answer,
    ask::{Answer, Candidate, Changed, Outcome, Question, Rows, View},
    binding, columns,
    fault::{Broken, Fault},
    host::Live,
    store::within,
    texts::Texts,
    wire::{explain, filter as wire},
};
use crate::{
    engine::Subject,
    ir::{ColumnId, Volume},
    limits,
    types::Side,
};

/// A row that the filter does not have.
const UNSEEN: u32 = u32::MAX;

/// An instance of a plugin with a fleet in its memory. After its first fault it is gone, and every question is a fault.
pub struct Filter {
    plugin: Plugin,
    live: Option<Live>,
    columns: Vec<Option<ColumnId>>,
    texts: Texts,
    agents: Vec<usize>,
    pools: Vec<usize>,
    /// Of each supply of the fleet its row, or [`UNSEEN`].
    pool_rows: Vec<u32>,
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
    /// Starts the plugin, and gives it a fleet.
    ///
    /// # Errors
    /// The rule that it broke.
    pub fn load(&self, view: View<'_>) -> Result<Filter, Fault> {
        let installed = &*self.installed;
        let about = &installed.about;
        let columns = binding::of_view(about, &installed.seen, view.plan).map_err(|column| {
            let said = format!("the fleet is bound without its column `{column}`");
            Fault::new(&installed.name, Broken::Bound, said)
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
        let mut filter = Filter {
            plugin: self.clone(),
            live: None,
            columns,
            texts: Texts::new(about.wants_texts, about.wants_places),
            agents: (0..view.world.agents.len()).collect(),
            pools,
            pool_rows,
        };
        filter.start(view)?;
        Ok(filter)
    }
}

impl Filter {
    /// The plugin.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Whether it has broken no rule so far.
    pub fn is_sound(&self) -> bool {
        self.live.is_some()
    }

    /// The supplies that it sees, by their numbers in the fleet, ascending: its rows.
    pub fn pools(&self) -> &[usize] {
        &self.pools
    }

    /// Whether it has a say about a supply.
    pub fn sees_pool(&self, supply: usize) -> bool {
        self.pool_rows.get(supply).is_some_and(|row| *row != UNSEEN)
    }

    fn fault(&self, broken: Broken, said: impl AsRef<str>) -> Fault {
        Fault::new(&self.plugin.installed.name, broken, said)
    }

    /// Calls the plugin; a fault is the end of its instance.
    fn call<R>(
        &mut self,
        work: (usize, usize),
        call: impl FnOnce(&wire::Guest, &mut wasmtime::Store<super::store::Guest>) -> wasmtime::Result<R>,
    ) -> Result<R, Fault> {
        let installed = self.plugin.installed.clone();
        let Some(mut live) = self.live.take() else {
            return Err(self.fault(Broken::Sound, "it broke a rule before, and is not asked again"));
        };
        let Live { store, filter, .. } = &mut live;
        let result = within(&installed.host, &installed.name, store, work, |store| call(filter, store));
        if result.is_ok() {
            self.live = Some(live);
        }
        result
    }

    /// A fault that was found in what came back: the instance is dropped.
    fn broke(&mut self, (broken, said): (Broken, String)) -> Fault {
        self.live = None;
        self.fault(broken, said)
    }

    /// A new instance, with the fleet.
    fn start(&mut self, view: View<'_>) -> Result<(), Fault> {
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
        // Texts of all that may be asked are told with the fleet, so that questions bring no news.
        let is_asked = |column: &Column| !matches!(column.side, Side::Agent | Side::Pool);
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
        let work = cells + symbols.count as usize + symbols.bytes.len() / 8;
        let versions = self.texts.version_news();
        let snapshot = wire::Snapshot { symbols, literals, versions, version_literals, agents, pools };
        let mut live = self.plugin.installed.start()?;
        self.plugin.installed.describe(&mut live)?;
        self.live = Some(live);
        let loaded = self.call((work, 0), |filter, store| filter.call_load(store, &snapshot))?;
        loaded.map_err(|said| self.broke((Broken::Accept, format!("it does not take the fleet: {said}"))))
    }

    fn table(&mut self, view: View<'_>, side: Side, about: &About) -> wire::Table {
        let rows = if side == Side::Agent { self.agents.clone() } else { self.pools.clone() };
        wire::Table { rows: rows.len() as u32, columns: self.side_columns(view, side, about, &rows, false) }
    }

    fn side_columns(
        &mut self,
        view: View<'_>,
        side: Side,
        about: &About,
        rows: &[usize],
        only_counted: bool,
    ) -> Vec<wire::ColumnData> {
        let columns = about.columns.iter().zip(&self.columns).enumerate();
        let wanted = columns
            .filter(|(_, (column, _))| column.side == side && (!only_counted || column.key.is_counted()));
        wanted
            .filter_map(|(number, (column, id))| Some((number, column, (*id)?)))
            .map(|column| columns::data(view, &mut self.texts, column, rows))
            .collect()
    }

    /// Tells what has changed. The fleet must have the same agents and supplies as when it was loaded; another fleet is
    /// another [`Plugin::load`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn update(&mut self, view: View<'_>, changed: Changed<'_>) -> Result<(), Fault> {
        if self.live.is_none() {
            return Err(self.fault(Broken::Sound, "it broke a rule before, and is not asked again"));
        }
        let same =
            view.world.agents.len() == self.agents.len() && view.world.supplies.len() == self.pool_rows.len();
        if !same {
            return Err(self.fault(Broken::Bound, "it is told of changes of another fleet"));
        }
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        let pools: Vec<usize> =
            changed.pools.iter().copied().filter(|supply| self.sees_pool(*supply)).collect();
        let agents = wire::TableChanges {
            rows: self.agents.len() as u32,
            changed: changed.agents.iter().map(|row| *row as u32).collect(),
            columns: self.side_columns(view, Side::Agent, about, changed.agents, changed.only_counted),
        };
        let pools = wire::TableChanges {
            rows: self.pools.len() as u32,
            changed: pools.iter().map(|supply| self.pool_rows[*supply]).collect(),
            columns: self.side_columns(view, Side::Pool, about, &pools, changed.only_counted),
        };
        self.tell(view, agents, pools)
    }

    fn tell(
        &mut self,
        view: View<'_>,
        agents: wire::TableChanges,
        pools: wire::TableChanges,
    ) -> Result<(), Fault> {
        let symbols = self.texts.news(&view.plan.symbols);
        let versions = self.texts.version_news();
        let cells = agents.changed.len() * agents.columns.len() + pools.changed.len() * pools.columns.len();
        // A filter may go over all it has, as where ranks of versions move.
        let work =
            cells + self.agents.len() + self.pools.len() + symbols.count as usize + symbols.bytes.len() / 8;
        let changes = wire::Changes { symbols, versions, agents, pools };
        match self.call((work, 0), |filter, store| filter.call_update(store, &changes))? {
            Ok(()) => Ok(()),
            // One that takes no changes is given the fleet anew.
            Err(_) => self.start(view),
        }
    }

    /// Tells texts and versions that a question brings.
    fn tell_news(&mut self, view: View<'_>) -> Result<(), Fault> {
        if !self.texts.has_news() {
            return Ok(());
        }
        let none =
            |rows: usize| wire::TableChanges { rows: rows as u32, changed: Vec::new(), columns: Vec::new() };
        self.tell(view, none(self.agents.len()), none(self.pools.len()))
    }

    /// What the rules about agents say of every agent, in order. `rules` chooses among [`About::rules_of`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn agents(&mut self, view: View<'_>, subject: Subject<'_>, rules: &[u32]) -> Result<Answer, Fault> {
        let asked =
            Question { subject: Some(subject), volume: None, rules, agents: Rows::All, pools: Rows::None };
        self.evaluate(view, &asked)
    }

    /// What the rules about supplies say of every supply that is seen, in the order of [`Filter::pools`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn supplies(
        &mut self,
        view: View<'_>,
        subject: Subject<'_>,
        volume: &Volume,
        rules: &[u32],
    ) -> Result<Answer, Fault> {
        let asked = Question {
            subject: Some(subject),
            volume: Some(volume),
            rules,
            agents: Rows::None,
            pools: Rows::All,
        };
        self.evaluate(view, &asked)
    }

    /// What the rules about both say of pairs: of each of these agents with each of these supplies, by their numbers in
    /// the fleet. Give one of each class of those that are alike in [`About::pair_columns`].
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn classes(
        &mut self,
        view: View<'_>,
        (subject, volume): (Subject<'_>, &Volume),
        rules: &[u32],
        (agents, pools): (&[usize], &[usize]),
    ) -> Result<Answer, Fault> {
        let (agents, pools) = (Rows::These(agents), Rows::These(pools));
        self.evaluate(view, &Question { subject: Some(subject), volume: Some(volume), rules, agents, pools })
    }

    /// What rules say. Large questions are asked in parts.
    ///
    /// # Errors
    /// The rule that the plugin broke, or that a row or rule is not there.
    pub fn evaluate(&mut self, view: View<'_>, asked: &Question<'_>) -> Result<Answer, Fault> {
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

    /// Asks in parts of one side: of agents where they are tried, in whole words of a bitmap.
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

    /// Rows of a question as the filter counts them.
    fn rows(&self, rows: Rows<'_>, side: Side) -> Result<wire::Rows, Fault> {
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
            Rows::None => wire::Rows::None,
            Rows::All => wire::Rows::All,
            Rows::These(rows) => wire::Rows::These(rows.iter().map(own).collect::<Result<_, _>>()?),
        })
    }

    /// How many rows are tried; `None` where the side is not.
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
        let work = agents.saturating_mul(pools).saturating_mul(question.rules.len().max(1));
        let found =
            self.call((work, answer.bytes()), |filter, store| filter.call_evaluate(store, question))?;
        answer.fill(found).map_err(|problem| self.broke(problem))?;
        Ok(answer)
    }

    /// What conditions come out as for one candidate, and why; `None` where the plugin does not explain.
    ///
    /// # Errors
    /// The rule that the plugin broke.
    pub fn explain(&mut self, view: View<'_>, asked: &Candidate<'_>) -> Result<Option<Vec<Outcome>>, Fault> {
        let plugin = self.plugin.clone();
        let about = &plugin.installed.about;
        if !about.explains {
            return Ok(None);
        }
        if let Some(condition) = asked.conditions.iter().find(|one| **one as usize >= about.conditions.len())
        {
            let said = format!("it is asked about condition {condition}, which is not there");
            return Err(self.fault(Broken::Bound, said));
        }
        let row = |row: &Option<usize>, side| match row {
            Some(row) => self.rows(Rows::These(&[*row]), side),
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
        let work = (asked.conditions.len(), asked.conditions.len() * 64);
        let told = self.call(work, |_, store| guest.call_explain(store, &candidate))?;
        let outcomes = answer::outcomes(about, asked.conditions, told, &self.texts, &view.plan.symbols);
        outcomes.map(Some).map_err(|problem| self.broke(problem))
    }
}
