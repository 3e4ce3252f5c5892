//! The seam between a model and everything that explores it: a log density with its gradient.

use std::error::Error;
use std::fmt;

/// Why a density could not be evaluated, kept unrendered so that a rejection in a hot loop costs one small box.
///
/// A `&str`, a `String` or any error type converts with `.into()`.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A differentiable log density over unconstrained real vectors, known up to an additive constant.
///
/// It takes `&mut self` because an evaluator owns its scratch memory: each chain has its own.
pub trait LogDensity {
    /// The number of unconstrained parameters, the length of every position and gradient.
    fn dimension(&self) -> usize;

    /// Returns the log density at `position` and writes its gradient to `gradient`.
    ///
    /// Both slices have length [`dimension`](Self::dimension). After an error, or when the value is not finite,
    /// the content of `gradient` is unspecified.
    ///
    /// # Errors
    /// [`DensityError::Rejected`] where the density is zero or undefined, which the sampler treats as log density −∞;
    /// [`DensityError::Fatal`] when no further evaluation makes sense, which ends the chain.
    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError>;
}

impl<D: LogDensity + ?Sized> LogDensity for &mut D {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        (**self).log_density_gradient(position, gradient)
    }
}

impl<D: LogDensity + ?Sized> LogDensity for Box<D> {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        (**self).log_density_gradient(position, gradient)
    }
}

/// How an evaluation of a [`LogDensity`] failed.
#[derive(Debug)]
pub enum DensityError {
    /// This position is impossible (a `reject` statement, a scale that underflowed); others may be fine.
    Rejected(Cause),
    /// The model itself is broken (an index out of range, a failed solver): the chain ends and keeps its draws.
    Fatal(Cause),
}

impl DensityError {
    /// A recoverable failure at this position.
    pub fn rejected(cause: impl Into<Cause>) -> Self {
        Self::Rejected(cause.into())
    }

    /// A failure that ends the chain.
    pub fn fatal(cause: impl Into<Cause>) -> Self {
        Self::Fatal(cause.into())
    }
}

impl fmt::Display for DensityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(cause) => write!(f, "the position is rejected: {cause}"),
            Self::Fatal(cause) => write!(f, "the density cannot be evaluated: {cause}"),
        }
    }
}

impl Error for DensityError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Rejected(cause) | Self::Fatal(cause) => Some(cause.as_ref()),
        }
    }
}
