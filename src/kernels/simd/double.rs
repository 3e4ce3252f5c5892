//! Numbers as unevaluated sums of two (Dekker, 1971), where an error would grow by more than a result can bear.

/// Σ of high and low, where high is the rounded sum or close to it.
#[derive(Clone, Copy)]
pub(super) struct Double {
    pub high: f64,
    pub low: f64,
}

impl Double {
    /// a + b for |a| ≥ |b|, or a = 0 (Dekker's fast sum).
    #[inline(always)]
    pub fn sum(a: f64, b: f64) -> Double {
        let high = a + b;
        Double {
            high,
            low: b - (high - a),
        }
    }

    #[inline(always)]
    pub fn product(a: f64, b: f64) -> Double {
        let high = a * b;
        Double {
            high,
            low: a.mul_add(b, -high),
        }
    }
}
