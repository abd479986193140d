//! Converts failures to reasons, which say what was wanted and what there is in the author's words.
//!
//! A [`Failure`] holds references and is cheap to make, since the search discards most. A [`Reason`] is text,
//! and is built only for failures that are shown.

use super::{
    Matcher,
    failure::{Failure, Shortage},
    place::PlaceVerdict,
};
use crate::{
    engine::{self, FilterOutcome, Gap, Scene},
    inventory::world::Cell,
    ir::{Amount, ColumnId, Node, NodeId, PlaceKey, PlaceKind, Show, Target},
    quantity::render,
    types::Side,
    value::{quote, show_name},
};

/// The kind of condition that a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// A rule of the operator, of an agent or of a provider.
    Rule,
    /// A class that the need asks for.
    Class,
    /// A condition of the need itself.
    Condition,
    /// An amount.
    Amount,
    /// A charge.
    Charge,
    /// A place.
    Place,
    /// The file system of an existing volume.
    Filesystem,
    /// The access to an existing volume.
    Access,
    /// The users of an existing volume.
    Users,
    /// The role that an existing volume is reserved for.
    Reserved,
    /// The source that a volume is to be a snapshot of.
    Source,
    /// The principals that the role serves.
    Principal,
    /// The limit of a role.
    Limit,
}

impl ReasonKind {
    /// Every kind.
    pub const ALL: [ReasonKind; 13] = [
        ReasonKind::Rule,
        ReasonKind::Class,
        ReasonKind::Condition,
        ReasonKind::Amount,
        ReasonKind::Charge,
        ReasonKind::Place,
        ReasonKind::Filesystem,
        ReasonKind::Access,
        ReasonKind::Users,
        ReasonKind::Reserved,
        ReasonKind::Source,
        ReasonKind::Principal,
        ReasonKind::Limit,
    ];

    /// Returns its word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            ReasonKind::Rule => "rule",
            ReasonKind::Class => "class",
            ReasonKind::Condition => "condition",
            ReasonKind::Amount => "amount",
            ReasonKind::Charge => "charge",
            ReasonKind::Place => "place",
            ReasonKind::Filesystem => "filesystem",
            ReasonKind::Access => "access",
            ReasonKind::Users => "users",
            ReasonKind::Reserved => "reserved",
            ReasonKind::Source => "source",
            ReasonKind::Principal => "principal",
            ReasonKind::Limit => "limit",
        }
    }
}

/// One condition that does not hold, and excludes a candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// The label or place in the source of a rule; or the name of a class, a resource or a built-in
    /// condition.
    pub label: String,
    /// The kind of condition.
    pub kind: ReasonKind,
    /// The side of the key or amount.
    pub side: Side,
    /// The key or resource that the condition is about, if there is a single one.
    pub key: Option<String>,
    /// The present value, if there is one.
    pub have: Option<String>,
    /// The value or amount that is wanted.
    pub want: String,
    /// The keys that are absent, or have a value of another type, with their sides.
    pub absent: Vec<String>,
    /// True if no change of free amounts can make the condition hold.
    pub permanent: bool,
}

impl<'a> Matcher<'a> {
    /// Returns the reason for a failure.
    pub fn reason(
        &self,
        failure: &Failure<'a>,
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'a crate::ir::Volume>,
    ) -> Reason {
        let scene = self.scene(agent, supply, volume);
        let kind = failure.constraint(volume).kind();
        match failure {
            Failure::Rule(rule, node) => self.condition(&scene, rule.label.clone(), kind, None, *node),
            Failure::Class(ask, side, node) => {
                let name = self.moment.plan.definition(ask.class).name.clone();
                let mut reason = self.condition(&scene, name.clone(), kind, Some(*side), *node);
                if ask.negated {
                    reason.want = format!("not is {name}");
                    reason.permanent = !engine::possible(&scene, *node).may_fail;
                }
                reason
            }
            Failure::Condition(rule, side, node) => {
                self.condition(&scene, rule.label.clone(), kind, Some(*side), *node)
            }
            Failure::Amount(shortage) => self.shortage(shortage),
            Failure::Nothing(side, resource) => {
                let have = Some("nothing left to take".to_owned());
                let want = "an amount above 0".to_owned();
                let reason = plain(self.text(*resource), kind, have, want);
                Reason { side: *side, permanent: false, ..reason }
            }
            Failure::Charge(charge, gap) => {
                let have = match gap {
                    None => Some("a negative or too large charge".to_owned()),
                    Some(Gap::Fault(_, fault)) => Some(fault.words().to_owned()),
                    Some(_) => None,
                };
                let want = Show::new(self.moment.plan).node(charge.root);
                let reason = plain(self.text(charge.resource), kind, have, want);
                Reason { side: Side::Agent, absent: self.absent(&scene, charge.root), ..reason }
            }
            Failure::Place(place, side, verdict) => self.place_reason(place, *side, verdict),
            Failure::Principal { have, want } => {
                let names = want.iter().map(|name| quote(self.text(*name)));
                let want = format!("one of [{}]", names.collect::<Vec<_>>().join(", "));
                let have = have.map(|name| quote(self.text(name)));
                let absent = if have.is_none() { vec!["framework.principal".to_owned()] } else { Vec::new() };
                Reason { side: Side::Framework, absent, ..plain(kind.name(), kind, have, want) }
            }
            Failure::Filesystem { have, want } => {
                let have = have.map(|name| quote(self.text(name)));
                plain(kind.name(), kind, have, quote(self.text(*want)))
            }
            Failure::Access => plain(kind.name(), kind, Some("\"ro\"".to_owned()), "\"rw\"".to_owned()),
            Failure::Users { users } => {
                let have = Some(format!("{users} already"));
                Reason { permanent: false, ..plain(kind.name(), kind, have, "one more".to_owned()) }
            }
            Failure::Reserved { role } => {
                let have = format!("kept for {}", quote(self.text(*role)));
                let want = format!("open to {}", quote(self.text(self.subject.framework.role)));
                plain(kind.name(), kind, Some(have), want)
            }
            Failure::Source { source, there } => {
                let path = self.text(*source);
                let have = supply.map(|supply| self.text(self.moment.world.supplies[supply].path).to_owned());
                let want = format!("the pool of {path}");
                let absent = if *there { Vec::new() } else { vec![path.to_owned()] };
                Reason { absent, ..plain(kind.name(), kind, have.filter(|_| *there), want) }
            }
        }
    }

    fn text(&self, symbol: crate::symbol::Symbol) -> &'a str {
        self.moment.plan.symbols.text(symbol)
    }

    fn condition(
        &self,
        scene: &Scene<'a>,
        label: String,
        kind: ReasonKind,
        side: Option<Side>,
        node: NodeId,
    ) -> Reason {
        let plan = self.moment.plan;
        let show = Show::new(plan);
        let subject = plan.subject(node);
        let (key, have, want) = match subject {
            Some(column) => (Some(show.key(column)), self.have(scene, column), self.want(scene, node)),
            None => (None, self.have_all(scene, node), show.node(node)),
        };
        // The cause of a failed computation says more than the values that went into it, and the obstacle of
        // a plugin more than both.
        let asked = self.asked(scene, node);
        let have = match self.cause(scene, node) {
            _ if asked.as_ref().is_some_and(|asked| asked.obstacle.is_some()) => {
                asked.and_then(|asked| asked.obstacle)
            }
            Some(cause) => Some(have.map_or_else(|| cause.clone(), |have| format!("{have}: {cause}"))),
            None => have,
        };
        let mentioned = plan.reads(node).first().map(|column| plan.column(*column).side);
        let side =
            side.or(subject.map(|column| plan.column(column).side)).or(mentioned).unwrap_or(Side::Broker);
        let absent = self.absent(scene, node);
        Reason {
            label,
            kind,
            side,
            key,
            have,
            want,
            absent,
            permanent: !engine::possible(scene, node).may_hold,
        }
    }

    /// Returns the cause of a computation without a value.
    fn cause(&self, scene: &Scene<'a>, node: NodeId) -> Option<String> {
        match scene.value(node) {
            Err(Gap::Fault(at, fault)) if fault != crate::ir::op::OpFault::Mismatch => {
                Some(format!("{} in `{}`", fault.words(), Show::new(self.moment.plan).node(at)))
            }
            _ => self.asked(scene, node)?.cause,
        }
    }

    /// Returns the outcome of a condition that a plugin evaluates.
    fn asked(&self, scene: &Scene<'a>, node: NodeId) -> Option<FilterOutcome> {
        match self.moment.plan.node(node) {
            Node::External(asked) => scene.filters?.outcome(scene, self.moment.plan.asked(*asked)),
            _ => None,
        }
    }

    /// Returns the demand on the left side of a condition. Keys on the right are shown with their values.
    fn want(&self, scene: &Scene<'a>, node: NodeId) -> String {
        let plan = self.moment.plan;
        let want = Show::new(plan).want(node);
        match plan.node(node) {
            Node::External(_) => match self.asked(scene, node).and_then(|outcome| outcome.operand) {
                Some(operand) => format!("{want} ({operand})"),
                None => want,
            },
            Node::Test(_, _, right) if !matches!(plan.node(*right), Node::Constant(_)) => {
                match scene.value(*right) {
                    Ok(value) => format!("{want} ({})", value.show(&plan.symbols)),
                    Err(_) => want,
                }
            }
            _ => want,
        }
    }

    fn have(&self, scene: &Scene<'a>, column: ColumnId) -> Option<String> {
        match scene.read(column) {
            Ok(value) => Some(value.show(&self.moment.plan.symbols)),
            Err(Gap::Mismatch(_)) => self.mismatched(scene, column),
            Err(_) => None,
        }
    }

    /// Returns a value of the wrong type as the data has it.
    fn mismatched(&self, scene: &Scene<'a>, column: ColumnId) -> Option<String> {
        let world = self.moment.world;
        let cells = match self.moment.plan.column(column).side {
            Side::Agent => &world.agents[scene.agent?].cells,
            _ => &world.supplies[scene.supply?].cells,
        };
        match cells.get(world.cell(column)?) {
            Cell::Mismatch(raw) => {
                let kind = self.moment.plan.column_types.get(column.0 as usize).copied().flatten();
                let wanted = kind.map_or("the key's type", |kind| kind.name());
                Some(format!("{raw}, which is not of type {wanted}"))
            }
            _ => None,
        }
    }

    /// Returns the values of all keys that a condition reads.
    fn have_all(&self, scene: &Scene<'a>, node: NodeId) -> Option<String> {
        let show = Show::new(self.moment.plan);
        let reads = self.moment.plan.reads(node);
        let parts: Vec<String> = reads
            .iter()
            .filter_map(|column| {
                self.have(scene, *column).map(|have| format!("{} = {have}", show.column(*column)))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn absent(&self, scene: &Scene<'a>, node: NodeId) -> Vec<String> {
        let show = Show::new(self.moment.plan);
        let reads = self.moment.plan.reads(node);
        let absent = reads.iter().filter(|column| scene.read(**column).is_err());
        absent.map(|column| show.column(*column)).collect()
    }

    fn shortage(&self, shortage: &Shortage) -> Reason {
        let name = self.moment.plan.symbols.text(shortage.resource).to_owned();
        let amount = |base: i128| render(shortage.dimension, base);
        let mut want = match &shortage.want {
            Amount::Scalar(dimension, low, _) => {
                let asked = i128::from(*low) + i128::from(shortage.charged);
                let takes = shortage.takes.map(i128::from).filter(|takes| *takes != asked);
                match takes {
                    Some(takes) => format!("{} (takes {})", render(*dimension, asked), amount(takes)),
                    None => render(*dimension, asked),
                }
            }
            Amount::Ranges(ranges) => ranges.to_string(),
            Amount::Items(items) => {
                let names = items.iter().map(|item| quote(self.moment.plan.symbols.text(*item)));
                format!("[{}]", names.collect::<Vec<_>>().join(", "))
            }
        };
        if shortage.charged > 0 {
            want = format!("{want}, {} of it charged", amount(i128::from(shortage.charged)));
        }
        let absent =
            if shortage.have.is_none() { vec![format!("{}.{name}", shortage.side)] } else { Vec::new() };
        if let Some(role) = shortage.limit {
            let role = quote(self.moment.plan.symbols.text(role));
            let have = shortage.have.map(|have| format!("{} left to role {role}", amount(have.max(0))));
            return Reason {
                label: "limit".to_owned(),
                kind: ReasonKind::Limit,
                side: shortage.side,
                key: Some(name),
                have,
                want,
                absent: Vec::new(),
                permanent: shortage.permanent,
            };
        }
        let kept = match shortage.kept {
            0 => String::new(),
            kept => format!(", {} more kept for other roles", amount(kept)),
        };
        Reason {
            label: name.clone(),
            kind: ReasonKind::Amount,
            side: shortage.side,
            key: Some(name),
            have: match shortage.above {
                Some(most) => Some(format!("at most {} a request", amount(i128::from(most)))),
                None => shortage.have.map(|have| format!("{} free{kept}", amount(have))),
            },
            want,
            absent,
            permanent: shortage.permanent,
        }
    }

    /// Returns the reason for an amount that ran out when later volumes were added. It is never permanent:
    /// the volumes before it may be served elsewhere.
    pub fn ran_out(&self, supply: usize, shortage: &Shortage) -> Reason {
        let mut reason = self.shortage(shortage);
        let path = self.moment.plan.symbols.text(self.moment.world.supplies[supply].path);
        reason.want = format!("{} from {path}, after the volumes before it", reason.want);
        reason.permanent = false;
        reason
    }

    fn place_reason(&self, place: &crate::ir::Place, side: Side, verdict: &PlaceVerdict) -> Reason {
        let (have, obstacle) = match verdict {
            PlaceVerdict::Holds | PlaceVerdict::Absent => (None, None),
            PlaceVerdict::Never(have) => (Some(have.clone()), None),
            PlaceVerdict::Now(have, other) => {
                (Some(have.clone()), Some(other).filter(|other| !other.is_empty()))
            }
        };
        let (key, mut want) = self.place_words(&place.kind);
        if let Some(other) = obstacle {
            want = format!("{want} ({other})");
        }
        let absent =
            if *verdict == PlaceVerdict::Absent { vec![format!("{side}.{key}")] } else { Vec::new() };
        Reason {
            label: place.kind.label().to_owned(),
            kind: ReasonKind::Place,
            side,
            key: Some(key),
            have,
            want,
            absent,
            permanent: verdict.is_permanent(),
        }
    }

    /// Returns the key that a place compares, and what the place asks, as text.
    pub fn place_words(&self, kind: &PlaceKind) -> (String, String) {
        let symbols = &self.moment.plan.symbols;
        let paths = |paths: &[crate::symbol::Symbol]| {
            let quoted: Vec<String> = paths.iter().map(|path| quote(symbols.text(*path))).collect();
            if let [only] = quoted.as_slice() { only.clone() } else { format!("[{}]", quoted.join(", ")) }
        };
        match kind {
            PlaceKind::Within(list) => ("domain".to_owned(), format!("within {}", paths(list))),
            PlaceKind::Outside(list) => ("domain".to_owned(), format!("avoid {}", paths(list))),
            PlaceKind::Near(target, key) => {
                let key = self.place_key(*key);
                (key.clone(), format!("near {} in {key}", self.target(*target)))
            }
            PlaceKind::Apart(target, key) => {
                let key = self.place_key(*key);
                (key.clone(), format!("avoid {} in {key}", self.target(*target)))
            }
            PlaceKind::Spread { key, skew, at_least } => {
                let key = self.place_key(*key);
                let skew = if *skew == 1 { String::new() } else { format!(" skew {skew}") };
                let least = if *at_least == 0 { String::new() } else { format!(" at least {at_least}") };
                (key.clone(), format!("spread over {key}{skew}{least}"))
            }
            PlaceKind::Together(key) => {
                let key = self.place_key(*key);
                (key.clone(), format!("together in {key}"))
            }
            PlaceKind::AtMost { count, key, among_framework } => {
                let key = self.place_key(*key);
                let among = if *among_framework { " among framework" } else { "" };
                (key.clone(), format!("at most {count} per {key}{among}"))
            }
        }
    }

    fn place_key(&self, key: PlaceKey) -> String {
        Show::new(self.moment.plan).place_key(key)
    }

    fn target(&self, target: Target) -> String {
        let symbols = &self.moment.plan.symbols;
        let need = |at: u32| show_name(symbols.text(self.subject.framework.needs[at as usize].name));
        match target {
            Target::Volume(name) => show_name(symbols.text(name)),
            Target::Need(at) => need(at),
            Target::NeedVolume(at, name) => format!("{}.{}", need(at), show_name(symbols.text(name))),
        }
    }
}

/// Returns a permanent reason about a supply. Callers replace the fields that differ.
fn plain(label: &str, kind: ReasonKind, have: Option<String>, want: String) -> Reason {
    let key = Some(label.to_owned());
    Reason {
        label: label.to_owned(),
        kind,
        side: Side::Pool,
        key,
        have,
        want,
        absent: Vec::new(),
        permanent: true,
    }
}
