//! The random number generator of one chain: ChaCha8, addressed by seed, chain, purpose and step.

use rand::rand_core::{Infallible, TryRng};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator whose numbers depend on nothing but the seed, the chain, the purpose and the step.
///
/// ChaCha (Bernstein 2008; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) is a function from
/// (key, stream, position) to bits, so randomness is addressable: chains run in any order on any number of threads, and a
/// run resumes at a step without a saved state. Eight rounds pass every statistical test with a wide margin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRng(ChaCha8Rng);

impl ChainRng {
    /// The generator of `chain` for one `purpose` (the caller's numbering: initial values, transitions, predictions, …),
    /// at step 0.
    pub fn new(seed: u64, chain: u32, purpose: u32) -> ChainRng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        // The rest of the key only sets hlm apart from other users of ChaCha8 with the same seed.
        key[8..24].copy_from_slice(b"hlm random draws");
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(u64::from(chain) << 32 | u64::from(purpose));
        ChainRng(generator)
    }

    /// Goes to the beginning of a step (an iteration, say), whatever was drawn before: each has room for 2^32 words.
    pub fn seek(&mut self, step: u32) {
        self.0.set_word_pos(u128::from(step) << 32);
    }
}

impl TryRng for ChainRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(mut rng: ChainRng) -> u64 {
        rng.next_u64()
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let base = first(ChainRng::new(1, 1, 0));
        assert_eq!(base, first(ChainRng::new(1, 1, 0)));
        for other in [
            ChainRng::new(2, 1, 0),
            ChainRng::new(1, 2, 0),
            ChainRng::new(1, 1, 1),
        ] {
            assert_ne!(base, first(other));
        }
    }

    #[test]
    fn seeking_forgets_what_was_drawn() {
        let mut drawn = ChainRng::new(7, 3, 0);
        for _ in 0..1000 {
            drawn.next_u32();
        }
        drawn.seek(5);
        let mut fresh = ChainRng::new(7, 3, 0);
        fresh.seek(5);
        assert_eq!(drawn.next_u64(), fresh.next_u64());
        fresh.seek(6);
        assert_ne!(drawn.next_u64(), fresh.next_u64());
    }

    #[test]
    fn the_stream_is_pinned() {
        // A change here changes every user's draws: it needs an entry in the changelog.
        let mut rng = ChainRng::new(20, 1, 2);
        assert_eq!(
            [rng.next_u64(), rng.next_u64()],
            [17_964_439_282_855_511_848, 13_658_881_310_467_707_325]
        );
    }
}
