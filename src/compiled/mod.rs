//! A compiled policy as a file: a head with the version and the length, the plan, and a checksum.
//!
//! Bytes that were changed, cut off or written by another version are refused. The checksum detects
//! accidents. It does not prove who wrote the file, so the plan is also verified like any other before it is
//! run.

mod codec;
mod forms;

use sha2::{Digest, Sha256};

use crate::{
    emit::Owners,
    ir::{self, PLAN_VERSION, Plan},
};
use codec::{ByteReader, Form};

/// The first bytes of every file. The last of them is NUL, which no policy contains, so that no text is taken
/// for a plan.
const MAGIC: &[u8; 8] = b"boursep\0";
const HEAD: usize = MAGIC.len() + 4 + 8;
const CHECKSUM: usize = 32;

/// A compiled policy, as a file holds it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The name.
    pub name: String,
    /// The owners of the rules of agents and tiers.
    pub owners: Owners,
    /// The plan.
    pub plan: Plan,
}

/// The cause for which bytes are no compiled policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bytes are something else.
    Other,
    /// The file has another version.
    Version(u32),
    /// The file is cut off, or continues after its end. Holds the stated length and the actual one.
    Length(u64, u64),
    /// The bytes were changed after they were written.
    Checksum,
    /// The file is whole, but holds no valid plan. Holds the defect, in a line.
    Broken(String),
}

/// Returns `true` if bytes begin like a compiled policy.
pub fn is_compiled(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes a compiled policy. Equal policies give equal bytes.
pub fn write(compiled: &Compiled) -> Vec<u8> {
    let mut body = Vec::new();
    compiled.name.put(&mut body);
    compiled.owners.put(&mut body);
    compiled.plan.put(&mut body);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(PLAN_VERSION.to_le_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    bytes
}

/// Reads a compiled policy.
///
/// # Errors
/// The cause for which the bytes are refused.
pub fn read(bytes: &[u8]) -> Result<Compiled, Refused> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err(Refused::Other) };
    let cut = Refused::Length((HEAD + CHECKSUM) as u64, bytes.len() as u64);
    let (version, rest) = rest.split_first_chunk().ok_or(cut.clone())?;
    let version = u32::from_le_bytes(*version);
    if version != PLAN_VERSION {
        return Err(Refused::Version(version));
    }
    let (length, rest) = rest.split_first_chunk().ok_or(cut)?;
    let length = u64::from_le_bytes(*length);
    let whole = length.saturating_add((HEAD + CHECKSUM) as u64);
    if whole != bytes.len() as u64 {
        return Err(Refused::Length(whole, bytes.len() as u64));
    }
    let (body, checksum) = rest.split_at(rest.len() - CHECKSUM);
    if Sha256::digest(&bytes[..bytes.len() - CHECKSUM])[..] != *checksum {
        return Err(Refused::Checksum);
    }
    let compiled = decode(body).map_err(Refused::Broken)?;
    ir::verify(&compiled.plan).map_err(Refused::Broken)?;
    let owners = &compiled.owners;
    // Verification does not know the owners, whose numbers are checked here.
    let agents = owners.agents.iter().all(|owner| owner.1 < compiled.plan.agent_rules.len());
    let tiers = owners.tiers.iter().all(|owner| owner.1 < compiled.plan.tier_rules.len());
    if agents && tiers { Ok(compiled) } else { Err(Refused::Broken("rules of nobody".to_owned())) }
}

fn decode(body: &[u8]) -> Result<Compiled, String> {
    let mut reader = ByteReader::new(body);
    let compiled = Compiled {
        name: String::take(&mut reader)?,
        owners: Owners::take(&mut reader)?,
        plan: Plan::take(&mut reader)?,
    };
    reader.end()?;
    Ok(compiled)
}

/// Returns the SHA-256 of a file in hexadecimal, by which people compare and pin files.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, ir::Node, value::Value};

    const POLICY: &str = r#"
        class old for agent { kernel < v"5.0", not drivers has any ["a", "b"] }
        let near = closeness(agent.domain, pool.domain)
        role "x" { weight = 2, limit { cpus = 4 }, principals = ["p"] }
        broker main {
          domain = "us/a"
          levels region > zone
          overlap = 10%
          expose agent.os
          require driver: agent.name matches "[a-z]+[0-9]*" or agent.ports has any [1..5, 9]
          prefer near weight 2.5
          prefer min(agent.free.cpus, 3) / agent.total.cpus
          charge agent.mounts 1 per volume
        }
        agent a { resources { cpus = 4 }, require framework.name != "y" }
        provider p { require pool.tier else 0 >= 2, instance i { pool s { resources { size = 2TB } } } }
        framework f { role = "x", principal = "p"
          need n { count = 2, spread over zone, agent { cpus = 1..2, ports = [80], is old }
            volume v { size = 1GB, near n.v in zone, avoid "eu" } } }
    "#;

    fn compiled(text: &str) -> Compiled {
        let policy = Policy::compile([("p.policy", text)]).expect("a policy");
        let fleet = policy.fleet(&[]).expect("a fleet");
        let owners = Owners::of(fleet.plan(), fleet.world());
        Compiled { name: "main".to_owned(), owners, plan: fleet.plan().clone() }
    }

    fn small() -> Vec<u8> {
        write(&compiled("broker b { require agent.os in [\"linux\", \"bsd\"] }"))
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let compiled = compiled(&POLICY.replace("near n.v in zone, ", ""));
        let bytes = write(&compiled);
        let read = read(&bytes).expect("is whole");
        assert_eq!(format!("{read:?}"), format!("{compiled:?}"));
        assert_eq!(write(&read), bytes);
    }

    #[test]
    fn every_change_of_a_byte_is_found() {
        let bytes = small();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            let refused = read(&changed).expect_err("changed");
            let expected = match at {
                0..8 => Refused::Other,
                8..12 => {
                    Refused::Version(u32::from_le_bytes([changed[8], changed[9], changed[10], changed[11]]))
                }
                12..20 => refused.clone(),
                _ => Refused::Checksum,
            };
            assert_eq!(refused, expected, "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "cut to {length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(read(&longer).err(), Some(Refused::Length(bytes.len() as u64, longer.len() as u64)));
    }

    #[test]
    fn a_set_out_of_order_is_refused() {
        let mut compiled = compiled("broker b { require agent.os in [\"linux\", \"bsd\"] }");
        let set = compiled.plan.nodes.iter_mut().find_map(|node| match node {
            Node::Constant(Value::Texts(members)) => Some(members),
            _ => None,
        });
        let set = set.expect("the set of the rule");
        *set = set.iter().rev().copied().collect();
        assert!(matches!(read(&write(&compiled)), Err(Refused::Broken(why)) if why.contains("out of order")));
    }

    #[test]
    fn bytes_with_a_good_checksum_and_no_plan_are_refused_in_order() {
        let bytes = small();
        let body = HEAD..bytes.len() - CHECKSUM;
        let (mut whole, mut broken) = (0, 0);
        for at in body.clone() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let checksum = Sha256::digest(&changed[..body.end]);
                changed[body.end..].copy_from_slice(&checksum);
                match read(&changed) {
                    Ok(_) => whole += 1,
                    Err(Refused::Broken(_)) => broken += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        assert!(whole > 100 && broken > 100, "{whole}, {broken}");
    }
}
