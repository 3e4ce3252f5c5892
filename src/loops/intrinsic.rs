//! Linear algebra and differential equations as whole calls on slices: which functions there are, what they take and what
//! their adjoints take.

/// A function of matrices. Vectors are matrices of one column, row vectors of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinearAlgebra {
    /// (A, B) → op(A) op(B), where op transposes if the flag says so.
    Product {
        /// Use Aᵀ.
        transpose_left: bool,
        /// Use Bᵀ.
        transpose_right: bool,
    },
    /// A → lower L with L Lᵀ = A. Fails unless symmetric and positive definite.
    Cholesky,
    /// (L, B) → op(L)⁻¹ B with the lower triangle of L.
    SolveLower {
        /// Use Lᵀ.
        transpose: bool,
    },
    /// (B, L) → B op(L)⁻¹ with the lower triangle of L.
    SolveLowerRight {
        /// Use Lᵀ.
        transpose: bool,
    },
    /// (A, B) → A⁻¹ B.
    Solve,
    /// (B, A) → B A⁻¹.
    SolveRight,
    /// (A, B) → A⁻¹ B, A symmetric positive definite.
    SolveSpd,
    /// A → A⁻¹.
    Inverse,
    /// A → A⁻¹, A symmetric positive definite.
    InverseSpd,
    /// A → det A (1 × 1).
    Determinant,
    /// A → log |det A| (1 × 1).
    LogDeterminant,
    /// A → log det A (1 × 1), A symmetric positive definite.
    LogDeterminantSpd,
    /// A → (eigenvalues ascending n × 1, eigenvectors n × n), A symmetric.
    EigenSym,
    /// A → (Q, R) thin, R's diagonal not negative.
    QrThin,
    /// A → singular values, descending (k × 1).
    SingularValues,
    /// A → e^A.
    MatrixExp,
}

/// What a [`super::Stmt::Call`] calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intrinsic {
    /// Inputs as the function's, outputs overwritten.
    Forward(LinearAlgebra),
    /// Inputs: the function's inputs, its outputs, the outputs' adjoints, in that order. Outputs: the adjoints of those
    /// inputs whose bit is set in the mask (bit 0 is the first input), in order; *accumulated into*.
    Adjoint(LinearAlgebra, u8),
    /// (keys n × 1) → (indices n × 1, counted from 1, an `Int` buffer), stable, ascending or descending.
    SortIndices {
        /// Largest first.
        descending: bool,
    },
    /// Solves the system of that number among [`super::Procedure::systems`]: (initial state n × 1, parameters p × 1, given
    /// g × 1, initial time and the T times of the solution (1 + T) × 1) → (solution n × T, sensitivities n T × c).
    ///
    /// The sensitivities are the derivatives of the solution, seen as one column, with respect to the parameters (c = p), or
    /// with respect to the initial state and the parameters (c = n + p); with c = 0 they are not computed. The adjoint is
    /// their product with the solution's adjoint, so a procedure that is to be differentiated must ask for those that
    /// depend on its position. Times and what is given have no derivatives. A stop of the system ends the procedure.
    Ode(u32),
}

impl LinearAlgebra {
    /// How many inputs and outputs.
    pub fn arity(self) -> (usize, usize) {
        use LinearAlgebra as F;
        match self {
            F::Product { .. }
            | F::SolveLower { .. }
            | F::SolveLowerRight { .. }
            | F::Solve
            | F::SolveRight
            | F::SolveSpd => (2, 1),
            F::EigenSym | F::QrThin => (1, 2),
            F::Cholesky
            | F::Inverse
            | F::InverseSpd
            | F::Determinant
            | F::LogDeterminant
            | F::LogDeterminantSpd
            | F::SingularValues
            | F::MatrixExp => (1, 1),
        }
    }
}
