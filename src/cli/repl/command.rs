//! Interprets one line: a command that begins with `:`, or an expression to evaluate.

use super::{
    answer, keys,
    session::{CompiledExpr, Session},
};
use crate::{
    diagnostic::{Code, Diagnostic, Report},
    matching::NeedId,
    output::printable_name,
    types::Side,
};

/// The result of a line.
pub enum Done {
    /// The text to print, and the warnings of the expression.
    Printed(String, Report),
    Quit,
}

impl From<String> for Done {
    fn from(text: String) -> Done {
        Done::Printed(text, Report::default())
    }
}

/// The most names of one list.
const LISTED: usize = 50;

/// The commands: word, argument, and description.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("agent", "[NAME]", "choose an agent; without a name, list all; `-` for none"),
    ("pool", "[PATH]", "choose a pool or an existing volume"),
    ("need", "[NAME]", "choose a need: NEED or FRAMEWORK.NEED"),
    ("volume", "[NAME]", "choose a volume of the need"),
    ("where", "", "show what is chosen"),
    (
        "keys",
        "SIDE",
        "list keys and the values that the fleet has: agent, pool, need, framework, role, broker",
    ),
    ("type", "EXPRESSION", "show the type of an expression"),
    ("why", "EXPRESSION", "show the value of each part of an expression"),
    ("help", "", "show this"),
    ("quit", "", "end"),
];

/// Interprets a line. `number` counts lines from 1, for messages.
pub fn one(session: &mut Session, number: usize, line: &str) -> Result<Done, Box<Report>> {
    let start = line.len() - line.trim_start().len();
    let typed = line.trim();
    if typed.is_empty() || typed.starts_with("//") {
        return Ok(String::new().into());
    }
    let Some(command) = typed.strip_prefix(':') else {
        let compiled = session.compile(number, line, start)?;
        let answer = answer::value(session, &compiled);
        return Ok(Done::Printed(answer, compiled.warnings));
    };
    // `start` and `at` are the bytes of the line where the command and its argument begin.
    let word: &str = command.split_whitespace().next().unwrap_or("");
    let rest = command[word.len().min(command.len())..].trim();
    let after = line.len() - line.trim_end().len();
    let at = line.len() - after - rest.len();
    let typed = Typed { number, line, start, at, rest };
    let text = match word {
        "agent" => typed.agent(session)?,
        "pool" => typed.pool(session)?,
        "need" => typed.need(session)?,
        "volume" => typed.volume(session)?,
        "where" => chosen(session),
        "keys" => typed.keys(session)?,
        "type" => {
            let compiled = typed.expression(session)?;
            return Ok(Done::Printed(answer::kind(&compiled), compiled.warnings));
        }
        "why" => {
            let compiled = typed.expression(session)?;
            let answer = answer::tree(session, &compiled);
            return Ok(Done::Printed(answer, compiled.warnings));
        }
        "help" => help(),
        "quit" | "q" | "exit" => return Ok(Done::Quit),
        word => {
            let message = format!("`:{}` is no command", printable_name(word));
            let names = COMMANDS.iter().map(|known| known.0);
            let help = match crate::diagnostic::nearest(word, names) {
                Some(near) => format!("did you mean `:{near}`?"),
                None => "`:help` lists the commands".to_owned(),
            };
            return Err(typed.problem(session, Code::B0107, (start, start + 1 + word.len()), message, help));
        }
    };
    Ok(text.into())
}

/// Lists the choices of the session, one on each line.
pub fn chosen(session: &Session) -> String {
    let none = || "none".to_owned();
    let plan = session.fleet().plan();
    let need = session.need.map_or_else(none, |id| id.label(plan));
    let of = |name: &Option<String>| name.clone().unwrap_or_else(none);
    let rows = [
        ("agent", of(&session.agent)),
        ("pool", of(&session.pool)),
        ("need", need),
        ("volume", of(&session.volume)),
    ];
    rows.iter().map(|(what, name)| format!("{what:<8}{}\n", printable_name(name))).collect()
}

fn help() -> String {
    let rows = COMMANDS.iter().map(|(word, followed, does)| {
        let head = format!(":{word} {followed}");
        format!("{head:<18} {does}\n")
    });
    rows.collect::<String>() + "EXPRESSION         show its value for what is chosen\n"
}

/// A command, with its argument and the places of both in the line.
struct Typed<'a> {
    number: usize,
    line: &'a str,
    /// The byte where the command begins.
    start: usize,
    /// The byte where the argument begins.
    at: usize,
    /// The argument.
    rest: &'a str,
}

impl Typed<'_> {
    fn problem(
        &self,
        session: &Session,
        code: Code,
        at: (usize, usize),
        message: String,
        help: String,
    ) -> Box<Report> {
        let (parsed, span) = session.place(self.number, self.line, at.0, at.1);
        let problem = Diagnostic::error(code, span, message).help(help);
        Box::new(Report { sources: parsed.sources, diagnostics: vec![problem] })
    }

    fn unknown(&self, session: &Session, what: &str, names: &[String], list: &str) -> Box<Report> {
        let message = format!("no {what} is named `{}`", printable_name(self.rest));
        let help = Session::near(&self.name(), names.iter().map(String::as_str), list);
        self.problem(session, Code::B0213, (self.at, self.at + self.rest.len()), message, help)
    }

    /// Returns the argument as a name, without quotes.
    fn name(&self) -> String {
        let inside = self.rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        inside.unwrap_or(self.rest).to_owned()
    }

    fn agent(&self, session: &mut Session) -> Result<String, Box<Report>> {
        let (plan, world) = (session.fleet().plan(), session.fleet().world());
        let names: Vec<String> =
            world.agents.iter().map(|known| plan.symbols.text(known.name).to_owned()).collect();
        let agent = self.choose(session, "agent", &names)?;
        if let Some(agent) = agent {
            session.agent = agent;
            return Ok(chosen(session));
        }
        Ok(list(&names))
    }

    fn pool(&self, session: &mut Session) -> Result<String, Box<Report>> {
        let (plan, world) = (session.fleet().plan(), session.fleet().world());
        let names: Vec<String> =
            world.supplies.iter().map(|known| plan.symbols.text(known.path).to_owned()).collect();
        let pool = self.choose(session, "pool", &names)?;
        if let Some(pool) = pool {
            session.pool = pool;
            return Ok(chosen(session));
        }
        Ok(list(&names))
    }

    fn volume(&self, session: &mut Session) -> Result<String, Box<Report>> {
        let names = session.volumes();
        if let Some(volume) = self.choose(session, "volume", &names)? {
            session.volume = volume;
            return Ok(chosen(session));
        }
        Ok(list(&names))
    }

    /// Reads the argument as a choice among `names`. Returns `None` if there is no argument, which asks for a
    /// list, and `Some(None)` for `-`, which chooses none.
    fn choose(
        &self,
        session: &Session,
        what: &str,
        names: &[String],
    ) -> Result<Option<Option<String>>, Box<Report>> {
        match self.name().as_str() {
            "" => Ok(None),
            "-" => Ok(Some(None)),
            name if names.iter().any(|known| known == name) => Ok(Some(Some(name.to_owned()))),
            _ => Err(self.unknown(session, what, names, what)),
        }
    }

    fn need(&self, session: &mut Session) -> Result<String, Box<Report>> {
        let plan = session.fleet().plan();
        let all: Vec<_> = crate::cycle::every_need(plan).filter(|_| session.has_needs).collect();
        let names: Vec<String> = all.iter().map(|id| id.label(plan)).collect();
        let name = self.name();
        if name.is_empty() {
            return Ok(list(&names));
        }
        let found = session.fleet().needs(&name).unwrap_or_default();
        session.need = match found.as_slice() {
            [only] if session.has_needs => Some(*only),
            [_, _, ..] => {
                let message = format!("`{}` means {} needs", printable_name(&name), found.len());
                let which: Vec<String> =
                    found.iter().take(LISTED).map(|id| format!("`{}`", id.label(plan))).collect();
                let at = (self.at, self.at + self.rest.len());
                return Err(self.problem(
                    session,
                    Code::B0214,
                    at,
                    message,
                    format!("write one of {}", which.join(", ")),
                ));
            }
            _ => {
                let own = |id: &NeedId| {
                    let framework = &plan.frameworks[id.framework];
                    [framework.name, framework.needs[id.need].name]
                        .map(|name| plan.symbols.text(name).to_owned())
                };
                let names: Vec<String> = names.into_iter().chain(all.iter().flat_map(own)).collect();
                return Err(self.unknown(session, "need", &names, "need"));
            }
        };
        session.volume = session.volumes().first().cloned();
        Ok(chosen(session))
    }

    fn keys(&self, session: &Session) -> Result<String, Box<Report>> {
        match Side::from_name(self.rest) {
            Some(side) => Ok(keys::table(session, side)),
            None => {
                let message = match self.rest {
                    "" => "keys of which side?".to_owned(),
                    rest => format!("`{}` is no side", printable_name(rest)),
                };
                let help = "write `:keys agent`, or `pool`, `need`, `framework`, `role`, `broker`".to_owned();
                Err(self.problem(
                    session,
                    Code::B0215,
                    (self.start, self.at + self.rest.len()),
                    message,
                    help,
                ))
            }
        }
    }

    fn expression(&self, session: &Session) -> Result<CompiledExpr, Box<Report>> {
        session.compile(self.number, self.line, self.at)
    }
}

/// Lists names, one on each line, up to [`LISTED`].
fn list(names: &[String]) -> String {
    let mut out: String =
        names.iter().take(LISTED).map(|name| format!("{}\n", printable_name(name))).collect();
    if names.is_empty() {
        out.push_str("there is none\n");
    }
    if let more @ 1.. = names.len().saturating_sub(LISTED) {
        out.push_str(&format!("{more} more are not listed\n"));
    }
    out
}
