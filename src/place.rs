//! Places of needs and keys of sides, for both stages of the compiler that know them: with texts while names are
//! resolved, and with numbers in the plan. Each kind exists once, so that the compiler finds every file that must
//! know a new one.

/// The relation that a place states, of subtrees `S`, targets `T` and keys `K`.
///
/// There is no match with a `_` over this type outside of tests: a new kind is an error wherever it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceKind<S, T, K> {
    /// In one of these subtrees.
    Within(Vec<S>),
    /// In none of these subtrees.
    Outside(Vec<S>),
    /// The same value as every one of the target's.
    Near(T, K),
    /// A different value from every one of the target's.
    Apart(T, K),
    /// At most so many per value.
    AtMost {
        /// The most instances for one value.
        count: u64,
        /// The key whose values are counted.
        key: K,
        /// True if it counts the instances of all needs of the framework, not of this need alone.
        among_framework: bool,
    },
    /// Evenly over the values.
    Spread {
        /// The key whose values are counted.
        key: K,
        /// The most by which the count of one value may exceed the least count.
        skew: u64,
        /// The number of values to be used first. Until then, the least count is taken as 0.
        at_least: u64,
    },
    /// One value for all.
    Together(K),
}

/// The state that decides a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceBasis {
    /// The inventory alone, wherever instances are: `within` and `avoid "path"`.
    Inventory,
    /// The instances of its target: `near` and `avoid TARGET`.
    Target,
    /// Counts of instances by value: `at most`, `spread` and `together`.
    Counts,
}

impl<S, T, K> PlaceKind<S, T, K> {
    /// The state that decides the place.
    pub fn basis(&self) -> PlaceBasis {
        match self {
            PlaceKind::Within(_) | PlaceKind::Outside(_) => PlaceBasis::Inventory,
            PlaceKind::Near(..) | PlaceKind::Apart(..) => PlaceBasis::Target,
            PlaceKind::AtMost { .. } | PlaceKind::Spread { .. } | PlaceKind::Together(_) => {
                PlaceBasis::Counts
            }
        }
    }

    /// Returns `true` if the place counts instances or volumes.
    pub fn counts(&self) -> bool {
        self.basis() == PlaceBasis::Counts
    }

    /// Returns `true` if the inventory alone decides the place, wherever instances are.
    pub fn is_subtree(&self) -> bool {
        self.basis() == PlaceBasis::Inventory
    }

    /// Returns `true` if a value is chosen for all instances of a need before the first is granted.
    pub fn is_chosen_once(&self) -> bool {
        match self {
            PlaceKind::Together(_) => true,
            PlaceKind::Within(_)
            | PlaceKind::Outside(_)
            | PlaceKind::Near(..)
            | PlaceKind::Apart(..)
            | PlaceKind::AtMost { .. }
            | PlaceKind::Spread { .. } => false,
        }
    }

    /// The counterpart that the place is relative to.
    pub fn target(&self) -> Option<&T> {
        match self {
            PlaceKind::Near(target, _) | PlaceKind::Apart(target, _) => Some(target),
            PlaceKind::Within(_)
            | PlaceKind::Outside(_)
            | PlaceKind::AtMost { .. }
            | PlaceKind::Spread { .. }
            | PlaceKind::Together(_) => None,
        }
    }

    /// The key that the place compares or counts by.
    pub fn key(&self) -> Option<K>
    where
        K: Copy,
    {
        match self {
            PlaceKind::Within(_) | PlaceKind::Outside(_) => None,
            PlaceKind::Near(_, key)
            | PlaceKind::Apart(_, key)
            | PlaceKind::AtMost { key, .. }
            | PlaceKind::Spread { key, .. }
            | PlaceKind::Together(key) => Some(*key),
        }
    }

    /// The label of its reasons.
    pub fn label(&self) -> &'static str {
        match self {
            PlaceKind::Within(_) => "within",
            PlaceKind::Outside(_) | PlaceKind::Apart(..) => "avoid",
            PlaceKind::Near(..) => "near",
            PlaceKind::AtMost { .. } => "at-most",
            PlaceKind::Spread { .. } => "spread",
            PlaceKind::Together(_) => "together",
        }
    }
}

impl<S, T, K> PlaceKind<S, T, K> {
    /// The same relation of other subtrees, target and key. The functions share a context, since each may intern
    /// texts.
    pub fn map<C, S2, T2, K2>(
        &self,
        context: &mut C,
        subtree: impl Fn(&mut C, &S) -> S2,
        target: impl Fn(&mut C, &T) -> T2,
        key: impl Fn(&mut C, &K) -> K2,
    ) -> PlaceKind<S2, T2, K2> {
        let subtrees = |context: &mut C, list: &[S]| list.iter().map(|one| subtree(context, one)).collect();
        match self {
            PlaceKind::Within(list) => PlaceKind::Within(subtrees(context, list)),
            PlaceKind::Outside(list) => PlaceKind::Outside(subtrees(context, list)),
            PlaceKind::Near(other, by) => PlaceKind::Near(target(context, other), key(context, by)),
            PlaceKind::Apart(other, by) => PlaceKind::Apart(target(context, other), key(context, by)),
            PlaceKind::AtMost { count, key: by, among_framework } => {
                let key = key(context, by);
                PlaceKind::AtMost { count: *count, key, among_framework: *among_framework }
            }
            PlaceKind::Spread { key: by, skew, at_least } => {
                PlaceKind::Spread { key: key(context, by), skew: *skew, at_least: *at_least }
            }
            PlaceKind::Together(by) => PlaceKind::Together(key(context, by)),
        }
    }
}

impl<S, V, K> PlaceKind<S, Target<V>, K> {
    /// The volume of the same need that the place relates its subject to.
    pub fn volume(&self) -> Option<&V> {
        match self.target()? {
            Target::Volume(volume) => Some(volume),
            Target::Need(_) | Target::NeedVolume(..) => None,
        }
    }

    /// Returns `true` if the place relates its subject to a volume of the same need.
    pub fn is_tie(&self) -> bool {
        self.volume().is_some()
    }
}

/// The counterpart that a place is relative to. Volumes are given by `V`: by number while names are resolved, by
/// name in the plan, where the copies that a volume's `count` makes are one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<V> {
    /// A volume of this need.
    Volume(V),
    /// An earlier need of the framework, by number.
    Need(u32),
    /// A volume of an earlier need.
    NeedVolume(u32, V),
}

/// The key that places count and compare by. Open keys are given by `R`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceKey<R> {
    /// A declared level, by its depth from 0.
    Level(u8),
    /// The agent itself.
    Agent,
    /// The pool.
    Pool,
    /// The instance.
    Instance,
    /// The provider.
    Provider,
    /// An exposed key of the subject.
    Key(R),
}

impl<R> PlaceKey<R> {
    /// The same key, with another form of open keys.
    pub fn map<R2>(&self, open: impl FnOnce(&R) -> R2) -> PlaceKey<R2> {
        match self {
            PlaceKey::Level(depth) => PlaceKey::Level(*depth),
            PlaceKey::Agent => PlaceKey::Agent,
            PlaceKey::Pool => PlaceKey::Pool,
            PlaceKey::Instance => PlaceKey::Instance,
            PlaceKey::Provider => PlaceKey::Provider,
            PlaceKey::Key(key) => PlaceKey::Key(open(key)),
        }
    }
}

/// A key of a side, with names in the form `S`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<S> {
    /// An open key. On the side of a volume or need, also an amount that it asks for.
    Attribute(S),
    /// `.name`: the name.
    Name,
    /// `.domain`: the place in the tree of fault domains.
    Domain,
    /// A declared level such as `.region`, by its depth from 0: the path down to it.
    Level(u8),
    /// `.total.R`: the usable total of a resource, over the parts that cannot be revoked.
    Total(S),
    /// `.free.R`: the free amount of a resource, over the parts that cannot be revoked.
    Free(S),
    /// `.used.R`: the used amount of a resource, over the parts that cannot be revoked.
    Used(S),
    /// `pool.provider`: the provider's name.
    Provider,
    /// `pool.instance`: the instance's name.
    Instance,
}

impl<S> Key<S> {
    /// Returns `true` if its value changes as amounts are taken and given back.
    pub fn is_varying(&self) -> bool {
        match self {
            Key::Free(_) | Key::Used(_) => true,
            Key::Attribute(_)
            | Key::Name
            | Key::Domain
            | Key::Level(_)
            | Key::Total(_)
            | Key::Provider
            | Key::Instance => false,
        }
    }

    /// The same key, with names in another form.
    pub fn map<S2>(&self, name: impl FnOnce(&S) -> S2) -> Key<S2> {
        match self {
            Key::Attribute(key) => Key::Attribute(name(key)),
            Key::Name => Key::Name,
            Key::Domain => Key::Domain,
            Key::Level(depth) => Key::Level(*depth),
            Key::Total(resource) => Key::Total(name(resource)),
            Key::Free(resource) => Key::Free(name(resource)),
            Key::Used(resource) => Key::Used(name(resource)),
            Key::Provider => Key::Provider,
            Key::Instance => Key::Instance,
        }
    }
}
