//! Reads the manifest of a plugin from its bytes without running it. Works for plugins that this program
//! built; others are asked by a host through `describe`.

use super::{
    manifest::{ColumnKind, Manifest, ManifestColumn, ManifestRule},
    vocabulary::{KeyName, Purpose, RuleCondition, RuleScope},
};
use crate::{ir::SideSet, types::Side};

/// The custom section that holds the address of the description.
pub const SECTION: &str = "bourse";

/// The first bytes of a component: magic number, version, layer.
const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
const MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const DATA: u8 = 11;

/// Returns `true` if the bytes begin as a component does.
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(&COMPONENT)
}

/// Returns the manifest, or `None` if the bytes do not have the form that `component` writes.
pub fn read(bytes: &[u8]) -> Option<Manifest> {
    let own = sections(bytes.strip_prefix(&COMPONENT)?)?;
    let mut custom = own.iter().filter(|section| section.0 == CUSTOM);
    let address = custom.find_map(|(_, body)| {
        let (length, rest) = number(body)?;
        let (name, rest) = rest.split_at_checked(length as usize)?;
        let address = rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        if name == SECTION.as_bytes() { address } else { None }
    })?;
    let module = own.iter().find(|section| section.0 == CORE_MODULE)?.1;
    let inner = sections(module.strip_prefix(&MODULE)?)?;
    let data = inner.iter().find(|section| section.0 == DATA)?.1;
    // The form: one segment, at a constant address of memory 0.
    let (1, rest) = number(data)? else { return None };
    let rest = rest.strip_prefix(&[0, 0x41])?;
    let (start, rest) = number(rest)?;
    let (length, memory) = number(rest.strip_prefix(&[0x0b])?)?;
    // Addresses within the segment can be added to without overflow.
    start.checked_add(length)?;
    let memory = Memory { start, bytes: memory.get(..length as usize)? };
    descriptor(&memory, address)
}

fn sections(mut rest: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    while let Some((id, body)) = rest.split_first() {
        let (length, body) = number(body)?;
        let (body, more) = body.split_at_checked(length as usize)?;
        found.push((*id, body));
        rest = more;
    }
    Some(found)
}

/// Reads a number of at most 32 bits in LEB128.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value: u32 = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// The static memory of a plugin.
struct Memory<'a> {
    start: u32,
    bytes: &'a [u8],
}

impl Memory<'_> {
    fn bytes(&self, at: u32, length: u32) -> Option<&[u8]> {
        let from = at.checked_sub(self.start)? as usize;
        self.bytes.get(from..from.checked_add(length as usize)?)
    }

    fn byte(&self, at: u32) -> Option<u8> {
        self.bytes(at, 1).map(|bytes| bytes[0])
    }

    fn word(&self, at: u32) -> Option<u32> {
        self.bytes(at, 4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn long(&self, at: u32) -> Option<i64> {
        self.bytes(at, 8)?.first_chunk().map(|bytes| i64::from_le_bytes(*bytes))
    }

    fn text(&self, at: u32) -> Option<String> {
        let bytes = self.bytes(self.word(at)?, self.word(at + 4)?)?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    fn list<T>(&self, at: u32, size: u32, read: impl Fn(u32) -> Option<T>) -> Option<Vec<T>> {
        let (from, count) = (self.word(at)?, self.word(at + 4)?);
        // The whole list must be in memory, so a wrong length cannot allocate more than the file holds.
        self.bytes(from, count.checked_mul(size)?)?;
        (0..count).map(|item| read(from + item * size)).collect()
    }

    fn words(&self, at: u32) -> Option<Vec<u32>> {
        self.list(at, 4, |at| self.word(at))
    }

    fn texts(&self, at: u32) -> Option<Vec<String>> {
        self.list(at, 8, |at| self.text(at))
    }
}

/// Reads a descriptor. The inverse of `abi::descriptor`.
fn descriptor(memory: &Memory<'_>, at: u32) -> Option<Manifest> {
    // The size of a descriptor: the offsets below lie inside it.
    memory.bytes(at, 65)?;
    let wants = memory.byte(at + 64)?;
    Some(Manifest {
        name: memory.text(at)?,
        producer: memory.text(at + 8)?,
        columns: memory.list(at + 16, 20, |at| column(memory, at))?,
        rules: memory.list(at + 24, 64, |at| rule(memory, at))?,
        conditions: memory.list(at + 32, 36, |at| condition(memory, at))?,
        expressions: memory.texts(at + 40)?,
        literals: memory.texts(at + 48)?,
        versions: memory.texts(at + 56)?,
        wants_texts: wants & 1 != 0,
        wants_places: wants & 2 != 0,
    })
}

fn side(number: u8) -> Option<Side> {
    Side::ALL.get(usize::from(number)).copied()
}

fn column(memory: &Memory<'_>, at: u32) -> Option<ManifestColumn> {
    let text = || memory.text(at + 8);
    let key = match memory.byte(at + 4)? {
        0 => KeyName::Attribute(text()?),
        1 => KeyName::Name,
        2 => KeyName::Domain,
        3 => KeyName::Level(text()?),
        4 => KeyName::Total(text()?),
        5 => KeyName::Free(text()?),
        6 => KeyName::Used(text()?),
        7 => KeyName::Provider,
        8 => KeyName::Instance,
        _ => return None,
    };
    let kind = *ColumnKind::ALL.get(usize::from(memory.byte(at + 16)?))?;
    Some(ManifestColumn { side: side(memory.byte(at)?)?, key, kind, required: memory.byte(at + 17)? == 1 })
}

fn rule(memory: &Memory<'_>, at: u32) -> Option<ManifestRule> {
    let purpose = match memory.byte(at + 16)? {
        0 => Purpose::Require,
        1 => Purpose::Prefer(memory.long(at + 24)?),
        2 => Purpose::Class(side(memory.byte(at + 24)?)?),
        _ => return None,
    };
    let scope = match memory.byte(at + 32)? {
        0 => RuleScope::Everyone,
        1 => RuleScope::Agent(memory.text(at + 36)?),
        2 => RuleScope::Tier(memory.text(at + 36)?),
        _ => return None,
    };
    let sides = memory.byte(at + 44)?;
    let named = Side::ALL.into_iter().filter(|side| sides & (1 << *side as u8) != 0);
    Some(ManifestRule {
        label: memory.text(at)?,
        labelled: memory.byte(at + 8)? == 1,
        purpose,
        scope,
        sides: named.fold(SideSet::default(), SideSet::with),
        whole: memory.word(at + 48)?,
        conditions: memory.words(at + 52)?,
    })
}

fn condition(memory: &Memory<'_>, at: u32) -> Option<RuleCondition> {
    let subject = memory.byte(at + 16)? == 1;
    Some(RuleCondition {
        text: memory.text(at)?,
        want: memory.text(at + 8)?,
        subject: if subject { Some(memory.word(at + 20)?) } else { None },
        operand: memory.byte(at + 24)? == 1,
        reads: memory.words(at + 28)?,
    })
}
