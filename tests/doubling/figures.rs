//! What was counted at n, 2n and 4n, and whether it grows faster than the input.

/// What one piece of work took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Instructions executed; `None` where they are not counted.
    pub instructions: Option<u64>,
    /// Bytes allocated in all.
    pub bytes: u64,
    /// The most bytes allocated at once.
    pub peak: u64,
}

/// A figure at n, 2n and 4n.
type Growth = [u64; 3];

impl Figures {
    /// The growths of the figures, with their names.
    fn growths(at: &[Figures; 3]) -> Vec<(&'static str, Growth)> {
        let mut growths = Vec::new();
        if at.iter().all(|figures| figures.instructions.is_some()) {
            growths.push(("instructions", at.map(|figures| figures.instructions.unwrap_or(0))));
        }
        growths.push(("bytes", at.map(|figures| figures.bytes)));
        growths.push(("peak bytes", at.map(|figures| figures.peak)));
        growths
    }

    /// The name of the first figure that grows faster than the input.
    pub fn faster(at: &[Figures; 3]) -> Option<&'static str> {
        Figures::growths(at).into_iter().find(|(_, growth)| is_faster(*growth)).map(|(name, _)| name)
    }

    /// All figures, a line each.
    pub fn table(size: usize, at: &[Figures; 3]) -> String {
        let lines = Figures::growths(at).into_iter().map(|(name, growth)| {
            let [once, twice, four] = growth;
            let mark = if is_faster(growth) { '!' } else { ' ' };
            let rate = match twice.saturating_sub(once) {
                0 => "-".to_owned(),
                rise => {
                    let tenths = (four.saturating_sub(twice)) * 10 / rise;
                    format!("{}.{}", tenths / 10, tenths % 10)
                }
            };
            format!("     {mark} {name:12} {once:>13} {twice:>13} {four:>13}  rise × {rate} at n = {size}")
        });
        lines.collect::<Vec<String>>().join("\n")
    }
}

/// Rises below this are noise: lists grow to powers of two, and tables are made at the first use.
const NOISE: u64 = 1 << 16;

/// Whether a figure grows faster than its input. From 2n to 4n it rises by at most 2.5 times as much as from n to 2n: what is the
/// same at every size, however much it is, cannot hide the growth.
pub fn is_faster([once, twice, four]: Growth) -> bool {
    let (first, second) = (twice.saturating_sub(once), four.saturating_sub(twice));
    let doubled = |small: u64, large: u64| large.saturating_mul(2) > small.saturating_mul(5);
    second > NOISE.max(four / 20) && (doubled(first, second) || doubled(once, twice) || doubled(twice, four))
}
