//! What must hold of every comparison of two versions, on generated sets: the other way round it is the other way
//! round, nothing is told twice or left out, and everything has a cause.

use bourse::{
    Offers, Policy,
    change::{Change, DifferenceCause, DifferenceKind, compare, json, markdown, text},
};

use crate::properties::{Numbers, declarations};

fn offers(parts: &[String]) -> Offers {
    let text = parts.join("\n");
    let policy =
        Policy::compile([("p.policy", text.as_str())]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    policy.fleet(&[]).unwrap_or_else(|error| panic!("{error}\n{text}")).offers()
}

/// A set, and another version of it: another operator, an agent less, a framework less, or several of these.
fn versions(seed: u64) -> (Vec<String>, Vec<String>) {
    let old = declarations(seed);
    let mut new = old.clone();
    let mut n = Numbers(seed.wrapping_mul(0xD134_2543_DE82_EF95) | 1);
    if n.chance(70) {
        new[2].clone_from(&declarations(seed + 100_000)[2]);
    }
    for word in ["agent ", "framework "] {
        let of_kind: Vec<usize> = (0..new.len()).filter(|at| new[*at].starts_with(word)).collect();
        if n.chance(40) && of_kind.len() > 1 {
            new.remove(of_kind[n.below(of_kind.len() as u64) as usize]);
        }
    }
    (old, new)
}

fn told(change: &Change) -> [usize; 5] {
    DifferenceKind::ALL.map(|kind| change.count(kind))
}

#[test]
fn both_ways_and_nothing_left_out() {
    let mut changed = 0;
    for seed in 1..80 {
        let (one, other) = versions(seed);
        let (old, new) = (offers(&one), offers(&other));
        let there = compare(&old, &new);
        let back = compare(&new, &old);
        let [lost, gained, moved, ranked, sized] = told(&there);
        assert_eq!(told(&back), [gained, lost, moved, ranked, sized], "seed {seed}");
        assert_eq!(there.kept, back.kept, "seed {seed}");
        assert!(compare(&old, &old).is_empty() && compare(&new, &new).is_empty(), "seed {seed}");
        // An offer that stays where it is may be both ranked and sized anew.
        let grants = old.cycle().grants.len();
        let most = lost + moved + ranked + sized + there.kept;
        assert!(lost + moved + ranked.max(sized) + there.kept <= grants && grants <= most, "seed {seed}");
        let offers = there.needs.iter().flat_map(|need| &need.offers);
        for offer in offers {
            changed += 1;
            assert!(!offer.causes.is_empty(), "seed {seed}: {offer:?}");
            assert!(
                offer.causes != [DifferenceCause::Order] || offer.kind == DifferenceKind::Ranked,
                "seed {seed}: {offer:?}"
            );
        }
        assert_eq!(json(&there), json(&compare(&old, &new)), "seed {seed}");
        assert_eq!(there.is_empty(), text(&there).starts_with("no change"), "seed {seed}");
        assert!(markdown(&there).starts_with("### Offers\n"), "seed {seed}");
    }
    assert!(changed > 100, "only {changed} offers differ");
}
