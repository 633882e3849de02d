//! Chance that repeats: SplitMix64 (Steele, Lea and Flood, 2014). Rolls the faults and invents the people; no good
//! for secrets.

/// A seeded generator.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, the bound; 0 for the bound 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let rolled = self.next();
        rolled.checked_rem(bound as u64).and_then(|rest| usize::try_from(rest).ok()).unwrap_or(0)
    }

    /// True that often: never at 0, always at 1.
    pub(super) fn happens(&mut self, rate: f64) -> bool {
        let rolled = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(rolled) / 4_294_967_296.0 < rate
    }

    /// One of the words.
    pub(super) fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let index = self.below(words.len());
        words.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn agrees_with_the_published_sequence() {
        let mut dice = Dice::new(1_234_567);
        let rolled = [dice.next(), dice.next(), dice.next()];
        assert_eq!(rolled, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn never_and_always() {
        let mut dice = Dice::new(7);
        assert!((0..1000).all(|_| !dice.happens(0.0)));
        assert!((0..1000).all(|_| dice.happens(1.0)));
        let often = (0..10_000).filter(|_| dice.happens(0.25)).count();
        assert!((2_300..2_700).contains(&often), "{often} of 10000 at a rate of 0.25");
    }

    #[test]
    fn no_words_no_panic() {
        assert_eq!(Dice::new(1).pick(&[]), "");
    }
}
