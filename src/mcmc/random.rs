//! Uniform and normal numbers for the sampler, written here so that no dependency's update changes a draw.
//!
//! Normals: the ziggurat of Marsaglia and Tsang (2000) with 256 layers, in the form of Doornik (2005,
//! "An improved ziggurat method"): layer and abscissa come from disjoint bits of one 64-bit word.

use std::sync::LazyLock;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every random decision of a transition; a test may script them.
pub(super) trait Randomness {
    /// Whether the trajectory doubles forwards in time; both with probability one half.
    fn forward(&mut self) -> bool;

    /// True with the given probability; certain from 1 on.
    fn accept(&mut self, probability: f64) -> bool;

    /// Uniform on [0, 1).
    fn uniform(&mut self) -> f64;

    /// Fills a slice with independent standard normals.
    fn fill_normal(&mut self, values: &mut [f64]);
}

/// The generator of one chain: key from the seed, stream from the chain.
///
/// The key also holds the sampler's name, so that another user of the same seed (a model's `_rng` functions) does
/// not replay the sampler's numbers.
pub(super) fn chain_generator(seed: u64, chain: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(b"hlm mcmc");
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(chain);
    generator
}

/// [`Randomness`] from a generator of uniform words.
#[derive(Debug)]
pub(super) struct Random<G> {
    generator: G,
    ziggurat: &'static Ziggurat,
}

impl<G: Rng> Random<G> {
    pub(super) fn new(generator: G) -> Self {
        Self {
            generator,
            ziggurat: &ZIGGURAT,
        }
    }

    /// The generator, to read or set its place in the stream.
    pub(super) fn generator(&self) -> &G {
        &self.generator
    }

    #[inline]
    fn normal(&mut self) -> f64 {
        loop {
            let word = self.generator.next_u64();
            let layer = (word & 0xff) as usize;
            // The upper 53 bits as a signed fraction in [-1, 1).
            let fraction = (word as i64 >> 11) as f64 * (2.0 * UNIT_STEP);
            let x = fraction * self.ziggurat.edge[layer];
            if fraction.abs() < self.ziggurat.inside[layer] {
                return x;
            }
            if layer == 0 {
                let beyond = self.tail();
                return if fraction < 0.0 { -beyond } else { beyond };
            }
            // In the wedge: a uniform height between the density at the layer's two edges, over that at x.
            let [outer, inner] = [layer, layer + 1]
                .map(|at| libm::exp(-0.5 * (self.ziggurat.edge[at].powi(2) - x * x)));
            if inner + self.uniform() * (outer - inner) < 1.0 {
                return x;
            }
        }
    }

    /// A normal beyond the base layer's edge (Marsaglia 1964).
    fn tail(&mut self) -> f64 {
        loop {
            let x = -libm::log(1.0 - self.uniform()) / TAIL_START;
            let y = -libm::log(1.0 - self.uniform());
            if 2.0 * y > x * x {
                return TAIL_START + x;
            }
        }
    }
}

impl<G: Rng> Randomness for Random<G> {
    #[inline]
    fn forward(&mut self) -> bool {
        self.generator.next_u64() >> 63 == 1
    }

    #[inline]
    fn accept(&mut self, probability: f64) -> bool {
        // A number is used up in any case, so that how many depends on the tree alone.
        self.uniform() < probability
    }

    #[inline]
    fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * UNIT_STEP
    }

    fn fill_normal(&mut self, values: &mut [f64]) {
        for value in values {
            *value = self.normal();
        }
    }
}

/// 2⁻⁵³, the spacing of 53-bit fractions.
const UNIT_STEP: f64 = 1.0 / (1u64 << 53) as f64;

const LAYERS: usize = 256;

/// Where the tail begins for 256 layers of equal area (Marsaglia and Tsang 2000, section 2).
const TAIL_START: f64 = 3.654_152_885_361_009;

/// The layers of equal area under exp(−x²/2).
#[derive(Debug)]
struct Ziggurat {
    /// The right edge of each layer, from the widened base to 0 at the top.
    edge: [f64; LAYERS + 1],
    /// The part of a layer that lies wholly under the curve.
    inside: [f64; LAYERS],
}

static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(|| {
    let density = |x: f64| libm::exp(-0.5 * x * x);
    let tail = (std::f64::consts::PI / 2.0).sqrt()
        * libm::erfc(TAIL_START * std::f64::consts::FRAC_1_SQRT_2);
    let area = TAIL_START * density(TAIL_START) + tail;

    let mut edge = [0.0; LAYERS + 1];
    edge[0] = area / density(TAIL_START);
    edge[1] = TAIL_START;
    for layer in 2..LAYERS {
        let below = edge[layer - 1];
        edge[layer] = (-2.0 * libm::log(area / below + density(below))).sqrt();
    }
    let inside = std::array::from_fn(|layer| edge[layer + 1] / edge[layer]);
    Ziggurat { edge, inside }
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::tests::{kolmogorov_smirnov, normal_cdf};

    fn random(seed: u64) -> Random<ChaCha8Rng> {
        Random::new(chain_generator(seed, 0))
    }

    #[test]
    fn the_top_layer_closes() {
        let edge = &ZIGGURAT.edge;
        let area = edge[0] * libm::exp(-0.5 * TAIL_START * TAIL_START);
        let top = edge[LAYERS - 1];
        assert!((area / top + libm::exp(-0.5 * top * top) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn normals_are_normal() {
        let mut values = vec![0.0; 200_000];
        random(1).fill_normal(&mut values);
        let beyond = values.iter().filter(|x| x.abs() > TAIL_START).count() as f64;
        let expected = 200_000.0 * libm::erfc(TAIL_START / 2f64.sqrt());
        assert!(
            (beyond - expected).abs() < 4.0 * expected.sqrt(),
            "{beyond} {expected}"
        );
        assert!(kolmogorov_smirnov(&mut values, normal_cdf) > 1e-3);
    }

    #[test]
    fn uniforms_are_uniform() {
        let mut random = random(2);
        let mut values: Vec<f64> = (0..100_000).map(|_| random.uniform()).collect();
        assert!(values.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(kolmogorov_smirnov(&mut values, |x| x) > 1e-3);
    }

    #[test]
    fn directions_are_fair() {
        let mut random = random(3);
        let forwards = (0..100_000).filter(|_| random.forward()).count() as f64;
        assert!((forwards - 50_000.0).abs() < 4.0 * 25_000f64.sqrt());
    }

    #[test]
    fn chains_and_seeds_have_their_own_numbers() {
        let first = |seed, chain| chain_generator(seed, chain).next_u64();
        assert_eq!(first(7, 1), first(7, 1));
        assert_ne!(first(7, 1), first(7, 2));
        assert_ne!(first(7, 1), first(8, 1));
    }
}
