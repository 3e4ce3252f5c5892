//! The random draws that the library's `_rng` functions are composed from.

use super::Kind;

/// A draw of one scalar. Arguments are not checked here: the library's functions check them and say what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Draw {
    /// `std_uniform_rng()`: uniform on the open interval (0, 1).
    Uniform,
    /// `std_normal_rng()`.
    Normal,
    /// `std_exponential_rng()`: rate 1.
    Exponential,
    /// `std_gamma_rng(real shape)`: rate 1, shape > 0.
    Gamma,
    /// `poisson_draw_rng(real rate)`: an integer; 0 ≤ rate.
    Poisson,
    /// `binomial_draw_rng(int n, real p)`: an integer; 0 ≤ n, 0 ≤ p ≤ 1.
    Binomial,
    /// `hypergeometric_draw_rng(int n, int a, int b)`: successes among n drawn from a good and b bad.
    Hypergeometric,
    /// `von_mises_draw_rng(real mu, real kappa)`.
    VonMises,
}

impl Draw {
    /// Every draw.
    pub const ALL: [Draw; 8] = [
        Draw::Uniform,
        Draw::Normal,
        Draw::Exponential,
        Draw::Gamma,
        Draw::Poisson,
        Draw::Binomial,
        Draw::Hypergeometric,
        Draw::VonMises,
    ];

    /// The name, argument kinds and result kind.
    pub fn row(self) -> (&'static str, &'static [Kind], Kind) {
        use Kind::{Int, Real};
        match self {
            Draw::Uniform => ("std_uniform_rng", &[], Real),
            Draw::Normal => ("std_normal_rng", &[], Real),
            Draw::Exponential => ("std_exponential_rng", &[], Real),
            Draw::Gamma => ("std_gamma_rng", &[Real], Real),
            Draw::Poisson => ("poisson_draw_rng", &[Real], Int),
            Draw::Binomial => ("binomial_draw_rng", &[Int, Real], Int),
            Draw::Hypergeometric => ("hypergeometric_draw_rng", &[Int, Int, Int], Int),
            Draw::VonMises => ("von_mises_draw_rng", &[Real, Real], Real),
        }
    }

    /// The draw of that name, if there is one.
    pub fn named(name: &str) -> Option<Draw> {
        Draw::ALL.into_iter().find(|draw| draw.row().0 == name)
    }
}
