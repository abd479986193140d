//! Places of needs and keys of sides, for both stages of the compiler that know them: with texts while names are
//! resolved, and with numbers in the plan. Each kind exists once, so that the compiler finds every file that must
//! know a new one.

/// The relation that a place states, of subtrees `S`, targets `T` and keys `K`.
///
/// Matches over it are closed: a new kind is an error of the compiler wherever it matters.
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

/// The test that a place makes, by the state that decides it. All kinds of places come down to these three, which
/// is all that matching knows of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceTest<'p, S, T, K> {
    /// The inventory alone decides, wherever instances are: the subject must be inside one of the subtrees, or
    /// outside all of them.
    Subtree {
        /// True for inside.
        inside: bool,
        /// The subtrees.
        paths: &'p [S],
    },
    /// The instances of a target decide: each has its value in the key.
    Compared {
        /// The relation to each instance of the target.
        relation: PlaceRelation,
        /// The target.
        target: T,
        /// The key that is compared.
        key: K,
    },
    /// Counts of instances by value decide.
    Counted {
        /// The rule of the counts.
        rule: CountRule,
        /// The key whose values are counted.
        key: K,
    },
}

/// The relation of a subject to an instance of a place's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRelation {
    /// Both have the same value, or one is in the fault domain of the other.
    Near,
    /// Both have a value, and the values differ.
    Apart,
}

/// The rule of a place that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountRule {
    /// At most so many instances for each value.
    AtMost {
        /// The most instances.
        count: u64,
        /// True if it counts the instances of all needs of the framework.
        among_framework: bool,
    },
    /// The count of a value may exceed the least count by so many.
    Spread {
        /// The allowed excess.
        skew: u64,
        /// The number of values to be used first.
        at_least: u64,
    },
    /// One value has all instances.
    Together,
}

impl CountRule {
    /// Returns `true` if something is chosen or counted over all rows before the first grant of a need: the values
    /// that a spread is over, or the value that all instances share.
    pub fn is_settled_first(self) -> bool {
        match self {
            CountRule::Spread { .. } | CountRule::Together => true,
            CountRule::AtMost { .. } => false,
        }
    }
}

impl<S, T: Copy, K: Copy> PlaceKind<S, T, K> {
    /// The test that the place makes.
    pub fn test(&self) -> PlaceTest<'_, S, T, K> {
        let compared =
            |relation, target: &T, key: &K| PlaceTest::Compared { relation, target: *target, key: *key };
        let counted = |rule, key: &K| PlaceTest::Counted { rule, key: *key };
        match self {
            PlaceKind::Within(paths) => PlaceTest::Subtree { inside: true, paths },
            PlaceKind::Outside(paths) => PlaceTest::Subtree { inside: false, paths },
            PlaceKind::Near(target, key) => compared(PlaceRelation::Near, target, key),
            PlaceKind::Apart(target, key) => compared(PlaceRelation::Apart, target, key),
            PlaceKind::AtMost { count, key, among_framework } => {
                counted(CountRule::AtMost { count: *count, among_framework: *among_framework }, key)
            }
            PlaceKind::Spread { key, skew, at_least } => {
                counted(CountRule::Spread { skew: *skew, at_least: *at_least }, key)
            }
            PlaceKind::Together(key) => counted(CountRule::Together, key),
        }
    }

    /// The rule of the counts, if the place counts instances or volumes.
    pub fn counts(&self) -> Option<CountRule> {
        match self.test() {
            PlaceTest::Counted { rule, .. } => Some(rule),
            PlaceTest::Subtree { .. } | PlaceTest::Compared { .. } => None,
        }
    }

    /// Returns `true` if the inventory alone decides the place, wherever instances are.
    pub fn is_subtree(&self) -> bool {
        match self.test() {
            PlaceTest::Subtree { .. } => true,
            PlaceTest::Compared { .. } | PlaceTest::Counted { .. } => false,
        }
    }

    /// Returns `true` if a value is chosen for all instances of a need before the first is granted.
    pub fn is_together(&self) -> bool {
        self.counts() == Some(CountRule::Together)
    }

    /// Returns `true` if the place is decided over all rows before the first grant of a need.
    pub fn is_settled_first(&self) -> bool {
        self.counts().is_some_and(CountRule::is_settled_first)
    }

    /// The key that the place compares or counts by.
    pub fn key(&self) -> Option<K> {
        match self.test() {
            PlaceTest::Subtree { .. } => None,
            PlaceTest::Compared { key, .. } | PlaceTest::Counted { key, .. } => Some(key),
        }
    }
}

impl<S, T, K> PlaceKind<S, T, K> {
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

impl<S, V: Copy, K: Copy> PlaceKind<S, Target<V>, K> {
    /// The relation to a volume of the same need, the volume, and the key that is compared, if the place ties its
    /// subject to one.
    pub fn tie(&self) -> Option<(PlaceRelation, V, K)> {
        match self.test() {
            PlaceTest::Compared { relation, target: Target::Volume(volume), key } => {
                Some((relation, volume, key))
            }
            PlaceTest::Compared { target: Target::Need(_) | Target::NeedVolume(..), .. }
            | PlaceTest::Subtree { .. }
            | PlaceTest::Counted { .. } => None,
        }
    }

    /// Returns `true` if the place relates its subject to a volume of the same need.
    pub fn is_tie(&self) -> bool {
        self.tie().is_some()
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
