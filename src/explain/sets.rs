//! Sets of conditions.

/// A set of conditions, as ascending numbers.
pub(super) type Conditions = Vec<usize>;

/// Returns `true` if every member of `part` is in `whole`.
pub(super) fn is_subset(part: &[usize], whole: &[usize]) -> bool {
    part.iter().all(|member| whole.binary_search(member).is_ok())
}

/// Returns the union of two sets.
pub(super) fn union(one: &[usize], other: &[usize]) -> Conditions {
    set_of(one.iter().chain(other).copied())
}

/// These members, each once, ascending.
pub(super) fn set_of(members: impl IntoIterator<Item = usize>) -> Conditions {
    let mut all: Conditions = members.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all
}
