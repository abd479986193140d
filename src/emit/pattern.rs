//! Regular expressions as tables of a deterministic automaton, built by `regex-automata` with the syntax and
//! options of the native matcher, so that the verdicts are the same. A pattern whose table exceeds the bound
//! is refused at build time.
//!
//! A table is, in words: the number of byte classes, the first state, the address of the accepting flags (a
//! byte per state), and the address of the transitions (two bytes per state and class). The class of each of
//! the 256 bytes follows. Bytes that no state tells apart share a class, which keeps rows short.

use regex_automata::{
    Anchored,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{primitives::StateID, start, syntax},
};

use super::module::Data;
use crate::limits;

/// The offset of the byte classes in a table, after its four words.
pub const CLASSES: u32 = 16;

/// The reason why a pattern has no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternRefusal {
    /// The table would exceed the size limit.
    TooLarge,
    /// The pattern has a Unicode word boundary. A table of bytes cannot decide it.
    Boundary,
}

/// Writes the table of a pattern and returns its address.
///
/// # Errors
/// Returns why there is no table.
pub fn table(data: &mut Data, pattern: &str) -> Result<u32, PatternRefusal> {
    let automaton = build(pattern)?;
    // The pattern must match the whole text: it is anchored here, and by `^(?:…)$` below.
    let config = start::Config::new().anchored(Anchored::Yes);
    let start = automaton.start_state(&config).map_err(|_| PatternRefusal::Boundary)?;
    // State 0 is the dead state. The others are numbered breadth first, as they are met.
    let mut states: indexmap::IndexSet<StateID> = indexmap::IndexSet::new();
    let number = |states: &mut indexmap::IndexSet<StateID>, state: StateID| {
        if automaton.is_dead_state(state) { 0 } else { states.insert_full(state).0 as u32 + 1 }
    };
    let classes = automaton.byte_classes();
    let all = classes.representatives(..).filter_map(|unit| unit.as_u8());
    let representatives: Vec<u8> = all.collect();
    let first = number(&mut states, start);
    let mut cells: Vec<u16> = vec![0; representatives.len()];
    let mut accepts = vec![0_u8];
    let mut at = 0;
    while let Some(&state) = states.get_index(at) {
        at += 1;
        for byte in &representatives {
            let next = automaton.next_state(state, *byte);
            if automaton.is_quit_state(next) {
                return Err(PatternRefusal::Boundary);
            }
            let next = number(&mut states, next);
            cells.push(u16::try_from(next).map_err(|_| PatternRefusal::TooLarge)?);
        }
        // The automaton reports a match one step late, so the end of input is one more transition.
        accepts.push(u8::from(automaton.is_match_state(automaton.next_eoi_state(state))));
        if cells.len() * 2 > limits::PLUGIN_PATTERN_BYTES {
            return Err(PatternRefusal::TooLarge);
        }
    }
    let cells: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    let (accepts, cells) = (data.put(&accepts, 1), data.put(&cells, 2));
    let head = [representatives.len() as u32, first, accepts, cells];
    let mut table: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    table.extend((0..=255).map(|byte| classes.get(byte)));
    Ok(data.put(&table, 4))
}

fn build(pattern: &str) -> Result<dense::DFA<Vec<u32>>, PatternRefusal> {
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(regex_automata::MatchKind::All)
        .accelerate(false)
        .specialize_start_states(false)
        // The builder gives such a boundary a quit state for bytes above ASCII. `table` refuses a pattern
        // that can reach it.
        .unicode_word_boundary(true)
        .dfa_size_limit(Some(8 * limits::PLUGIN_PATTERN_BYTES))
        .determinize_size_limit(Some(8 * limits::PLUGIN_PATTERN_BYTES));
    let built = dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().nest_limit(limits::NESTING as u32))
        .thompson(thompson::Config::new().nfa_size_limit(Some(limits::PATTERN_BYTES)))
        .build(&format!("^(?:{pattern})$"));
    built.map_err(|error| {
        if error.is_size_limit_exceeded() { PatternRefusal::TooLarge } else { PatternRefusal::Boundary }
    })
}
