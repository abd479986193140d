//! What dominant resource fairness promises (Ghodsi et al., Dominant Resource Fairness, NSDI 2011, sections 3 and 4), where its
//! assumptions hold: one cluster, demands in fixed proportions that are small against it, more wanted than there is.

use bourse::{Fleet, Offers, Policy, cycle::Fraction};

use crate::properties::{Numbers, cycle};

const RESOURCES: [&str; 3] = ["cpus", "mem", "disk"];

/// What a task of each user asks of each resource; the cluster; the weights.
#[derive(Clone, Debug)]
struct Case {
    capacity: [u64; 3],
    demands: Vec<[u64; 3]>,
    weights: Vec<u64>,
}

fn case(seed: u64, weighted: bool) -> Case {
    let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let users = 2 + n.below(4) as usize;
    let capacity = [0; 3].map(|_: u64| 400 + n.below(800));
    let mut demand = || {
        let mut demand = [0; 3].map(|_: u64| n.below(6));
        if demand == [0; 3] {
            demand[0] = 1;
        }
        demand
    };
    let demands: Vec<[u64; 3]> = (0..users).map(|_| demand()).collect();
    let weights = (0..users).map(|_| if weighted { 1 + n.below(3) } else { 1 }).collect();
    Case { capacity, demands, weights }
}

impl Case {
    fn text(&self) -> String {
        let [cpus, mem, disk] = self.capacity;
        let mut text = format!("agent a {{ resources {{ cpus = {cpus}, mem = {mem}, disk = {disk} }} }}\n");
        for (user, (demand, weight)) in self.demands.iter().zip(&self.weights).enumerate() {
            let asked: Vec<String> = RESOURCES
                .iter()
                .zip(demand)
                .filter(|(_, amount)| **amount > 0)
                .map(|(name, amount)| format!("{name} = {amount}"))
                .collect();
            text.push_str(&format!(
                "role \"u{user}\" {{ weight = {weight} }}\nframework u{user} {{ role = \"u{user}\", need t {{ count = 100000, agent {{ {} }} }} }}\n",
                asked.join(", ")
            ));
        }
        text
    }

    /// How many tasks each user gets.
    fn tasks(&self) -> Vec<u64> {
        self.offers().cycle().needs.iter().map(|need| need.offered).collect()
    }

    fn offers(&self) -> Offers {
        let text = self.text();
        let policy = Policy::compile([("fair.policy", text.as_str())]).expect("compiles");
        let fleet: Fleet = policy.fleet(&[]).expect("a fleet");
        cycle(&fleet)
    }

    /// How many tasks a user could run with what some tasks of another take.
    fn tasks_within(&self, user: usize, bundle: [u64; 3]) -> u64 {
        let often =
            (0..3).filter(|at| self.demands[user][*at] > 0).map(|at| bundle[at] / self.demands[user][at]);
        often.min().unwrap_or(0)
    }

    fn bundle(&self, user: usize, tasks: u64) -> [u64; 3] {
        self.demands[user].map(|amount| amount * tasks)
    }

    /// The dominant share of so many tasks.
    fn share(&self, user: usize, tasks: u64) -> Fraction {
        let parts = (0..3).map(|at| {
            Fraction::new(u128::from(self.demands[user][at] * tasks), u128::from(self.capacity[at]))
        });
        parts.max().expect("three")
    }
}

const CASES: u64 = 60;

/// A task is whole: what a user is short of another's bundle is less than the last tasks of both.
const WHOLE_TASKS: u64 = 2;

#[test]
fn nobody_envies_another() {
    for seed in 0..CASES {
        let case = case(seed, false);
        let tasks = case.tasks();
        for (user, own) in tasks.iter().enumerate() {
            for (other, theirs) in tasks.iter().enumerate() {
                let envied = case.tasks_within(user, case.bundle(other, *theirs));
                assert!(
                    envied <= own + WHOLE_TASKS,
                    "seed {seed}: u{user} has {own}, u{other} {envied}; {case:?}"
                );
            }
        }
    }
}

/// With weights, a user compares what another has per weight.
#[test]
fn nobody_envies_another_by_weight() {
    for seed in 0..CASES {
        let case = case(seed, true);
        let tasks = case.tasks();
        for (user, own) in tasks.iter().enumerate() {
            for (other, theirs) in tasks.iter().enumerate() {
                let bundle = case
                    .bundle(other, *theirs)
                    .map(|amount| amount * case.weights[user] / case.weights[other]);
                let envied = case.tasks_within(user, bundle);
                let whole = WHOLE_TASKS * case.weights[user].max(case.weights[other]) + 1;
                assert!(envied <= own + whole, "seed {seed}: u{user} has {own}, u{other} {envied}; {case:?}");
            }
        }
    }
}

/// Each gets at least what an equal split of everything would give it, but for the last task of another, which is up to five of
/// a resource.
#[test]
fn sharing_is_no_worse_than_splitting() {
    for seed in 0..CASES {
        let case = case(seed, false);
        let users = case.demands.len() as u64;
        for (user, own) in case.tasks().iter().enumerate() {
            let split = case.tasks_within(user, case.capacity.map(|amount| amount / users));
            assert!(
                own + 6 >= split,
                "seed {seed}: u{user} has {own}, and {split} of an equal split; {case:?}"
            );
        }
    }
}

/// Nobody gets more useful tasks by asking for something else than it needs.
#[test]
fn nobody_gains_by_lying() {
    let mut n = Numbers(7);
    for seed in 0..CASES {
        let case = case(seed, false);
        let honest = case.tasks();
        for (user, honest) in honest.iter().enumerate() {
            let mut lie = case.clone();
            lie.demands[user] = case.demands[user].map(|amount| amount + n.below(3));
            if lie.demands[user] == case.demands[user] {
                continue;
            }
            let got = lie.bundle(user, lie.tasks()[user]);
            let useful = case.tasks_within(user, got);
            assert!(
                useful <= honest + WHOLE_TASKS,
                "seed {seed}: u{user} runs {honest} and by lying {useful}; {case:?}, {lie:?}"
            );
        }
    }
}

/// Nothing that anybody could use is left over.
#[test]
fn nothing_useful_is_left() {
    for seed in 0..CASES {
        let case = case(seed, true);
        let tasks = case.tasks();
        let used = (0..3).map(|at| {
            tasks.iter().enumerate().map(|(user, tasks)| case.demands[user][at] * tasks).sum::<u64>()
        });
        let left: Vec<u64> = used.zip(case.capacity).map(|(used, capacity)| capacity - used).collect();
        for user in 0..tasks.len() {
            assert_eq!(
                case.tasks_within(user, [left[0], left[1], left[2]]),
                0,
                "seed {seed}: u{user}, {left:?}"
            );
        }
    }
}

/// The shares that a cycle states are those of its grants.
#[test]
fn shares_are_those_of_the_grants() {
    for seed in 0..CASES {
        let case = case(seed, true);
        let offers = case.offers();
        for (user, need) in offers.cycle().needs.iter().enumerate() {
            let role =
                offers.cycle().roles.iter().find(|role| role.path == format!("u{user}")).expect("is there");
            assert_eq!(role.dominant.share, case.share(user, need.offered), "seed {seed}: u{user}");
        }
    }
}
