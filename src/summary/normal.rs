//! The quantile function of the standard normal distribution, and normal scores of ranks.
//!
//! M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37 (1988),
//! routine PPND16: rational approximations in three regions, relative error about 1e-16. No deviations.

/// Blom's offset of ranks, which the rank-normalised R̂ uses (Vehtari et al. 2021, equation 14).
const BLOM: f64 = 3.0 / 8.0;

/// Φ⁻¹(p) for 0 < p < 1; infinite at the ends, NaN outside.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 || tail.is_nan() {
        return if tail == 0.0 {
            f64::INFINITY.copysign(q)
        } else {
            f64::NAN
        };
    }
    let r = (-libm::log(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        ratio(&MIDDLE, r - 1.6)
    } else {
        ratio(&TAIL, r - 5.0)
    };
    magnitude.copysign(q)
}

/// Numerator and denominator, constant terms first.
type Rational = [[f64; 8]; 2];

fn ratio([numerator, denominator]: &Rational, x: f64) -> f64 {
    let polynomial =
        |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    polynomial(numerator) / polynomial(denominator)
}

const CENTRE: Rational = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const MIDDLE: Rational = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const TAIL: Rational = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// Normal scores of the ranks among a fixed number of draws, computed once for all variables.
#[derive(Debug, Clone)]
pub(super) struct NormalScores {
    scores: Vec<f64>,
}

impl NormalScores {
    pub(super) fn new(draws: usize) -> NormalScores {
        NormalScores {
            scores: (1..=draws).map(|rank| score(rank as f64, draws)).collect(),
        }
    }

    pub(super) fn draws(&self) -> usize {
        self.scores.len()
    }

    /// The score of the draws that share the ranks `first..=last`, from 1: that of their mean rank.
    pub(super) fn of_ranks(&self, first: usize, last: usize) -> f64 {
        if first == last {
            return self.scores[first - 1];
        }
        score((first + last) as f64 / 2.0, self.scores.len())
    }
}

fn score(rank: f64, draws: usize) -> f64 {
    normal_quantile((rank - BLOM) / (draws as f64 - 2.0 * BLOM + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_tabulated_values() {
        // From SciPy 1.17 (`scipy.special.ndtri`).
        let cases = [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.025, -1.959_963_984_540_054),
            (0.925, 1.439_531_470_938_456),
            (1e-5, -4.264_890_793_922_825),
            (1e-12, -7.034_483_825_301_131),
            (1e-300, -37.047_096_299_361_2),
        ];
        for (p, expected) in cases {
            let found = normal_quantile(p);
            assert!(
                (found - expected).abs() <= 2e-15 * expected.abs(),
                "{p}: {found} {expected}"
            );
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(1.5).is_nan() && normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn scores_are_symmetric_and_average_ties() {
        let scores = NormalScores::new(7);
        assert_eq!(scores.of_ranks(4, 4), 0.0);
        assert!((scores.of_ranks(1, 1) + scores.of_ranks(7, 7)).abs() < 1e-15);
        assert_eq!(scores.of_ranks(3, 5), 0.0);
        assert!(scores.of_ranks(1, 2) > scores.of_ranks(1, 1));
    }
}
