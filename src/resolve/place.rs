//! Placement constraints: their keys (levels, holders, exposed keys) and the grants they refer to.

use super::{
    Resolver,
    expr::show_path,
    hir::{Key, Place, PlaceKey, PlaceKind, Read, Target, Volume},
    need::BoundPlace,
    once::{FrameworkNeeds, volume_named},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    limits,
    operator::Strength,
    parse::ast,
    source::Span,
    types::Side,
    value::show_name,
};

impl Resolver {
    /// Binds a placement constraint on `side`: the agent, or the supply of a volume. It may refer to
    /// `volumes` of the same need and to `earlier` needs.
    pub(super) fn place(
        &mut self,
        place: &ast::Place,
        strength: Strength,
        span: Span,
        side: Side,
        volumes: &[Volume],
        earlier: &FrameworkNeeds,
    ) -> BoundPlace {
        let kind = match place {
            ast::Place::Within(paths) => PlaceKind::Within(self.paths(paths)?),
            ast::Place::Outside(paths) => PlaceKind::Outside(self.paths(paths)?),
            ast::Place::Near { target, key } => {
                let (target, key) = (self.target(target, volumes, earlier), self.place_key(key, side));
                PlaceKind::Near(target?, key?)
            }
            ast::Place::Apart { target, key } => {
                let (target, key) = (self.target(target, volumes, earlier), self.place_key(key, side));
                PlaceKind::Apart(target?, key?)
            }
            ast::Place::AtMost { count, key, among_framework } => {
                let count = self.whole(count.millionths, count.span, "at most", 0, limits::NEED_COUNT);
                let key = self.place_key(key, side);
                PlaceKind::AtMost { count: count?, key: key?, among_framework: *among_framework }
            }
            ast::Place::Spread { key, skew, at_least } => {
                let key = self.place_key(key, side);
                let mut whole = |number: &Option<ast::Number>, word: &str, default| match number {
                    Some(number) => self.whole(number.millionths, number.span, word, 1, limits::NEED_COUNT),
                    None => Some(default),
                };
                let (skew, at_least) = (whole(skew, "skew", 1), whole(at_least, "at least", 0));
                PlaceKind::Spread { key: key?, skew: skew?, at_least: at_least? }
            }
            ast::Place::Together { key } => PlaceKind::Together(self.place_key(key, side)?),
        };
        Some(Place { kind, strength, span })
    }

    fn paths(&mut self, paths: &[ast::Name]) -> Option<Vec<String>> {
        // No short circuit: every invalid path is reported.
        let valid =
            paths.iter().map(|path| self.valid_place(&path.text, path.span)).fold(true, |all, one| all & one);
        valid.then(|| paths.iter().map(|path| path.text.clone()).collect())
    }

    /// Binds the key that a placement constraint compares or counts by.
    fn place_key(&mut self, path: &ast::DottedName, side: Side) -> Option<PlaceKey> {
        let name = show_path(path);
        if let Some(depth) = self.scope.levels.iter().position(|level| show_name(level) == name) {
            return Some(PlaceKey::Level(depth as u8));
        }
        let built_in = match (name.as_str(), side) {
            ("agent", Side::Agent) => Some(PlaceKey::Agent),
            ("pool", Side::Pool) => Some(PlaceKey::Pool),
            ("instance", Side::Pool) => Some(PlaceKey::Instance),
            ("provider", Side::Pool) => Some(PlaceKey::Provider),
            _ => None,
        };
        if built_in.is_some() {
            return built_in;
        }
        let read = Read { side, key: Key::Attribute(name.clone()) };
        if self.scope.exposed.contains(&read) {
            return Some(PlaceKey::Key(read));
        }
        self.unknown_place_key(&name, path.span, side);
        None
    }

    fn unknown_place_key(&mut self, name: &str, span: Span, side: Side) {
        let told = self.problems.len();
        let mut known: Vec<String> = self.scope.levels.iter().map(|level| show_name(level)).collect();
        let built: &[&str] = if side == Side::Agent { &["agent"] } else { &["pool", "instance", "provider"] };
        known.extend(built.iter().map(|&word| word.to_owned()));
        // Each problem looks through all keys: past what is shown none is named.
        let exposed = self.scope.exposed.iter().filter(|_| told < limits::PROBLEMS_SHOWN);
        known.extend(exposed.filter_map(|read| match &read.key {
            Key::Attribute(key) if read.side == side => Some(key.clone()),
            _ => None,
        }));
        let message = format!("`{name}` is nothing that places can go by here");
        let near = nearest_after(told, name, known.iter().map(String::as_str))
            .map(|near| format!("did you mean `{near}`? "));
        let help = format!(
            "{}places go by `{}`; the operator can add a key with `expose {side}.KEY`",
            near.unwrap_or_default(),
            known.join("`, `")
        );
        self.problem(Diagnostic::error(Code::B0217, span, message).help(help));
    }

    fn target(
        &mut self,
        path: &ast::DottedName,
        volumes: &[Volume],
        earlier: &FrameworkNeeds,
    ) -> Option<Target> {
        let names: Vec<&str> = path.segments.iter().map(|segment| segment.text.as_str()).collect();
        let found = match names.as_slice() {
            [only] => match (volume_named(volumes, only), earlier.position(only)) {
                // Ambiguous. Neither is preferred, since the author may mean either.
                (Some(_), Some(need)) => {
                    let message = format!("`{only}` is a volume of this need, and an earlier need");
                    let help = "rename one of them";
                    let problem = Diagnostic::error(Code::B0214, path.span, message)
                        .also(earlier.list[need].name.span, "the need")
                        .help(help);
                    self.problem(problem);
                    return None;
                }
                (Some(at), None) => Some(Target::Volume(at)),
                (None, Some(at)) => Some(Target::Need(at as u32)),
                (None, None) => None,
            },
            [need, name] => earlier.position(need).and_then(|at| {
                volume_named(&earlier.list[at].volumes, name)
                    .map(|volume| Target::NeedVolume(at as u32, volume))
            }),
            _ => None,
        };
        if found.is_none() {
            let name = show_path(path);
            let known = volumes.iter().map(|volume| volume.name.text.as_str());
            let known = known.chain(earlier.list.iter().map(|need| need.name.text.as_str()));
            let help = match nearest_after(self.problems.len(), &name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a volume of this need declared before, an earlier need of the framework, or NEED.VOLUME of one".to_owned(),
            };
            let message = format!("no volume or earlier need is named `{name}` here");
            self.problem(Diagnostic::error(Code::B0213, path.span, message).help(help));
        }
        found
    }
}
