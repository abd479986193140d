//! A pattern as a table of states. The table is made from the same text by the same rules as the native matcher, and so
//! has its verdicts; what no table of a bounded size can do is refused when the plugin is built.

use regex_automata::{
    Anchored,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson,
    util::{primitives::StateID, start, syntax},
};

use super::module::Data;
use crate::limits;

/// Where the classes of bytes stand in a table: after the number of classes, the first state, and the addresses of what
/// states accept and of where they go.
pub const CLASSES: u32 = 16;

/// Why a pattern has no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It takes too much space.
    TooLarge,
    /// It asks for words of other scripts, which takes more than a table.
    Boundary,
}

/// Writes the table of a pattern; gives its address.
///
/// # Errors
/// That there is none of a bounded size.
pub fn table(data: &mut Data, pattern: &str) -> Result<u32, Refused> {
    let automaton = build(pattern)?;
    let config = start::Config::new().anchored(Anchored::Yes);
    let start = automaton.start_state(&config).map_err(|_| Refused::Boundary)?;
    // State 0 goes nowhere; others are numbered as they are met.
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
                return Err(Refused::Boundary);
            }
            let next = number(&mut states, next);
            cells.push(u16::try_from(next).map_err(|_| Refused::TooLarge)?);
        }
        accepts.push(u8::from(automaton.is_match_state(automaton.next_eoi_state(state))));
        if cells.len() * 2 > limits::PLUGIN_PATTERN_BYTES {
            return Err(Refused::TooLarge);
        }
    }
    let cells: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    let (accepts, cells) = (data.put(&accepts, 1), data.put(&cells, 2));
    let head = [representatives.len() as u32, first, accepts, cells];
    let mut table: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    table.extend((0..=255).map(|byte| classes.get(byte)));
    Ok(data.put(&table, 4))
}

fn build(pattern: &str) -> Result<dense::DFA<Vec<u32>>, Refused> {
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(regex_automata::MatchKind::All)
        .accelerate(false)
        .specialize_start_states(false)
        // Bytes of other scripts end the search where a word may begin; no table is made then.
        .unicode_word_boundary(true)
        .dfa_size_limit(Some(8 * limits::PLUGIN_PATTERN_BYTES))
        .determinize_size_limit(Some(8 * limits::PLUGIN_PATTERN_BYTES));
    let built = dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().nest_limit(limits::NESTING as u32))
        .thompson(thompson::Config::new().nfa_size_limit(Some(limits::PATTERN_BYTES)))
        .build(&format!("^(?:{pattern})$"));
    built.map_err(|error| if error.is_size_limit_exceeded() { Refused::TooLarge } else { Refused::Boundary })
}
