//! Dice that fall the same way in every run: SplitMix64. Not for secrets.

/// Deterministic dice.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice for one `seed` and one purpose, `stream`: what one purpose draws does not shift what another one does.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but without, `end`. `end` is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of the remainder is below 2^-40 for the small ranges that are asked for here.
        self.next() % end
    }

    /// True in `percent` of 100 throws.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which are not empty.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_fall_the_same_way_in_every_run() {
        let mut dice = Dice::new(1, 2);
        let throws: Vec<u64> = (0..6).map(|_| dice.below(100)).collect();
        let mut again = Dice::new(1, 2);
        assert_eq!(throws, (0..6).map(|_| again.below(100)).collect::<Vec<_>>());
        let mut other = Dice::new(1, 3);
        assert_ne!(throws, (0..6).map(|_| other.below(100)).collect::<Vec<_>>());
    }

    #[test]
    fn they_are_fair_enough() {
        let mut dice = Dice::new(7, 0);
        let hits = (0..10_000).filter(|_| dice.chance(30)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }
}
