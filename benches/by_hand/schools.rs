//! Eight schools, non-centred: all effects in one register.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_loadu_pd, _mm512_mul_pd, _mm512_reduce_add_pd,
    _mm512_set1_pd, _mm512_storeu_pd, _mm512_sub_pd,
};

/// Eight schools, non-centred: mu, log tau, eight standardised effects.
pub struct Schools {
    y: [f64; 8],
    inverse: [f64; 8],
}

impl Schools {
    pub fn new() -> Schools {
        let sigma = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0_f64];
        Schools {
            y: [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
            inverse: sigma.map(|sigma| 1.0 / sigma),
        }
    }

    pub fn gradient(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions are there; both slices have ten elements.
            return unsafe { self.avx512(position, gradient) };
        }
        self.scalar(position, gradient)
    }

    fn priors(mu: f64, tau: f64, log_tau: f64) -> (f64, f64, f64) {
        let (m, t) = (mu / 5.0, tau / 5.0);
        let value = -0.5 * m * m - (t * t).ln_1p() + log_tau;
        (value, -m / 5.0, -2.0 * t / 5.0 / (1.0 + t * t))
    }

    fn scalar(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let (mu, tau) = (position[0], position[1].exp());
        let (mut value, mut mu_bar, mut tau_bar) = Schools::priors(mu, tau, position[1]);
        for j in 0..8 {
            let raw = position[2 + j];
            let z = (self.y[j] - mu - tau * raw) * self.inverse[j];
            let slope = z * self.inverse[j];
            value -= 0.5 * (z * z + raw * raw);
            mu_bar += slope;
            tau_bar += slope * raw;
            gradient[2 + j] = slope * tau - raw;
        }
        gradient[0] = mu_bar;
        gradient[1] = tau_bar * tau + 1.0;
        value
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let (mu, tau) = (position[0], position[1].exp());
        let (value, mu_bar, tau_bar) = Schools::priors(mu, tau, position[1]);
        assert!(position.len() == 10 && gradient.len() == 10);
        // SAFETY: eight elements from the third on, as asserted; arrays of eight.
        let (raw, y, inverse) = unsafe {
            (
                _mm512_loadu_pd(position.as_ptr().add(2)),
                _mm512_loadu_pd(self.y.as_ptr()),
                _mm512_loadu_pd(self.inverse.as_ptr()),
            )
        };
        let scale = _mm512_set1_pd(tau);
        let residual = _mm512_fnmadd_pd(scale, raw, _mm512_sub_pd(y, _mm512_set1_pd(mu)));
        let z = _mm512_mul_pd(residual, inverse);
        let slope = _mm512_mul_pd(z, inverse);
        let squares = _mm512_fmadd_pd(z, z, _mm512_mul_pd(raw, raw));
        // SAFETY: as above.
        unsafe {
            _mm512_storeu_pd(
                gradient.as_mut_ptr().add(2),
                _mm512_sub_pd(_mm512_mul_pd(slope, scale), raw),
            )
        };
        gradient[0] = mu_bar + _mm512_reduce_add_pd(slope);
        gradient[1] = (tau_bar + _mm512_reduce_add_pd(_mm512_mul_pd(slope, raw))) * tau + 1.0;
        value - 0.5 * _mm512_reduce_add_pd(squares)
    }
}
