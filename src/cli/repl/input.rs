//! Reads lines: typed on a terminal with editing and completion, or from a pipe without a prompt.

use std::io::{self, BufRead, IsTerminal, Read};

use rustyline::{
    Config, Context, Editor, Helper, completion::Completer, error::ReadlineError, highlight::Highlighter,
    hint::Hinter, history::MemHistory, validate::Validator,
};

use super::session::Session;
use crate::{
    cli::CommandFailure,
    diagnostic::{Code, Diagnostic},
    limits,
};

type Terminal = Editor<Words, MemHistory>;

/// The source of lines.
pub enum LineSource {
    Terminal(Box<Terminal>),
    Pipe,
}

impl LineSource {
    pub fn new() -> LineSource {
        if !io::stdin().is_terminal() {
            return LineSource::Pipe;
        }
        match Editor::with_history(Config::default(), MemHistory::new()) {
            Ok(editor) => LineSource::Terminal(Box::new(editor)),
            // A terminal without editing is read like a pipe.
            Err(_) => LineSource::Pipe,
        }
    }

    pub fn is_terminal(&self) -> bool {
        matches!(self, LineSource::Terminal(_))
    }

    /// Returns the next line, or `None` at the end.
    pub fn next(&mut self, session: &Session) -> Result<Option<String>, CommandFailure> {
        match self {
            LineSource::Terminal(editor) => typed(editor, session),
            LineSource::Pipe => piped(),
        }
    }
}

fn unread(error: &dyn std::fmt::Display) -> CommandFailure {
    let message = format!("cannot read standard input: {error}");
    Diagnostic::without_place(Code::B0901, message)
        .help("give it text in UTF-8, a line for each expression")
        .into()
}

fn typed(editor: &mut Terminal, session: &Session) -> Result<Option<String>, CommandFailure> {
    editor.set_helper(Some(Words(session.words())));
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                // A line that the history refuses is still evaluated.
                let _ = editor.add_history_entry(line.as_str());
                return Ok(Some(line));
            }
            // Ctrl-C gives up the line, not the run.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(None),
            Err(error) => return Err(unread(&error)),
        }
    }
}

fn piped() -> Result<Option<String>, CommandFailure> {
    let mut line = String::new();
    let most = limits::SOURCE_BYTES as u64 + 1;
    let read = io::stdin().lock().take(most).read_line(&mut line).map_err(|error| unread(&error))?;
    if read > limits::SOURCE_BYTES {
        return Err(unread(&format!("a line of more than {} bytes", limits::SOURCE_BYTES)));
    }
    Ok((read > 0).then_some(line))
}

/// The words for completion, sorted, so that a search by halves finds those with a prefix.
pub struct Words(Vec<String>);

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..at).unwrap_or(line);
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '"');
        let start = before
            .rfind(|c| !part(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let begun = &before[start..];
        let from = self.0.partition_point(|word| word.as_str() < begun);
        let found = self.0[from..].iter().take_while(|word| word.starts_with(begun)).take(100).cloned();
        Ok((start, found.collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use rustyline::{Context, completion::Completer, history::MemHistory};

    use super::Words;

    #[test]
    fn the_word_before_the_cursor_is_completed() {
        let words = Words(["agent.os", "agent.vlan", "pool.media"].map(str::to_owned).to_vec());
        let history = MemHistory::new();
        let complete = |line: &str| words.complete(line, line.len(), &Context::new(&history)).expect("words");
        assert_eq!(complete("1 < ag"), (4, vec!["agent.os".to_owned(), "agent.vlan".to_owned()]));
        assert_eq!(complete("(pool."), (1, vec!["pool.media".to_owned()]));
        assert_eq!(complete("é≥x"), ("é≥".len(), Vec::new()));
    }
}
