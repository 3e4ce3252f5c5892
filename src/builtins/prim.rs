//! Functions of scalars: name, signature and kernel of each; calls lift over containers element by element.

/// The machine kind of a scalar: an `int` of the language is carried as `i64`, a `real` as `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `i64`; truth values are 0 and 1.
    Int,
    /// `f64`.
    Real,
}

macro_rules! prims {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal ($($arg:ident),*) -> $result:ident;)*) => {
        /// A function of scalars. Reals and integers have separate variants where both exist (`AddInt`, `Add`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Prim { $($(#[doc = $doc])* $variant,)* }

        impl Prim {
            /// Every primitive, in the order of the table.
            pub const ALL: &'static [Prim] = &[$(Prim::$variant,)*];

            /// The function's name in the language; operators have names such as `operator+`.
            pub fn name(self) -> &'static str {
                match self { $(Prim::$variant => $name,)* }
            }

            /// The kinds of its arguments.
            pub fn args(self) -> &'static [Kind] {
                match self { $(Prim::$variant => &[$(Kind::$arg),*],)* }
            }

            /// The kind of its result.
            pub fn result(self) -> Kind {
                match self { $(Prim::$variant => Kind::$result,)* }
            }
        }
    };
}

prims! {
    // Conversions.
    /// int to real; inserted by the checker wherever the language promotes.
    ToReal = "to_real"(Int) -> Real;
    /// real to int, truncating towards zero (`to_int`, data only).
    ToInt = "to_int"(Real) -> Int;

    // Integer arithmetic. Division truncates towards zero, `%` takes the dividend's sign; by zero is an error.
    /// a + b
    AddInt = "operator+"(Int, Int) -> Int;
    /// a - b
    SubInt = "operator-"(Int, Int) -> Int;
    /// a * b
    MulInt = "operator*"(Int, Int) -> Int;
    /// a / b and a %/% b, truncating
    DivInt = "operator%/%"(Int, Int) -> Int;
    /// a % b
    ModInt = "operator%"(Int, Int) -> Int;
    /// -a
    NegInt = "operator-"(Int) -> Int;
    /// |a|
    AbsInt = "abs"(Int) -> Int;
    /// the smaller
    MinInt = "min"(Int, Int) -> Int;
    /// the larger
    MaxInt = "max"(Int, Int) -> Int;

    // Comparisons and logic: 1 or 0; comparisons with NaN are 0 (`!=` is 1).
    /// a == b
    EqInt = "operator=="(Int, Int) -> Int;
    /// a != b
    NeInt = "operator!="(Int, Int) -> Int;
    /// a < b
    LtInt = "operator<"(Int, Int) -> Int;
    /// a <= b
    LeInt = "operator<="(Int, Int) -> Int;
    /// a > b
    GtInt = "operator>"(Int, Int) -> Int;
    /// a >= b
    GeInt = "operator>="(Int, Int) -> Int;
    /// a == b
    Eq = "operator=="(Real, Real) -> Int;
    /// a != b
    Ne = "operator!="(Real, Real) -> Int;
    /// a < b
    Lt = "operator<"(Real, Real) -> Int;
    /// a <= b
    Le = "operator<="(Real, Real) -> Int;
    /// a > b
    Gt = "operator>"(Real, Real) -> Int;
    /// a >= b
    Ge = "operator>="(Real, Real) -> Int;
    /// 1 if a is 0, else 0
    Not = "operator!"(Int) -> Int;
    /// both non-zero, without short circuit (`&&` short-circuits in the typed IR)
    AndInt = "logical_and"(Int, Int) -> Int;
    /// either non-zero, without short circuit
    OrInt = "logical_or"(Int, Int) -> Int;
    /// whether x is infinite
    IsInf = "is_inf"(Real) -> Int;
    /// whether x is NaN
    IsNan = "is_nan"(Real) -> Int;
    /// 1 if x > 0, else 0
    IntStep = "int_step"(Real) -> Int;

    // Real arithmetic.
    /// a + b
    Add = "operator+"(Real, Real) -> Real;
    /// a - b
    Sub = "operator-"(Real, Real) -> Real;
    /// a * b
    Mul = "operator*"(Real, Real) -> Real;
    /// a / b
    Div = "operator/"(Real, Real) -> Real;
    /// -a
    Neg = "operator-"(Real) -> Real;
    /// a * b + c, rounded once
    Fma = "fma"(Real, Real, Real) -> Real;
    /// a^b
    Pow = "pow"(Real, Real) -> Real;
    /// |a|
    Abs = "abs"(Real) -> Real;
    /// the smaller; the other one if one is NaN
    Fmin = "fmin"(Real, Real) -> Real;
    /// the larger; the other one if one is NaN
    Fmax = "fmax"(Real, Real) -> Real;
    /// max(a - b, 0)
    Fdim = "fdim"(Real, Real) -> Real;
    /// remainder of a / b, with a's sign
    Fmod = "fmod"(Real, Real) -> Real;
    /// x * 2^n
    Ldexp = "ldexp"(Real, Int) -> Real;
    /// largest integer not above x
    Floor = "floor"(Real) -> Real;
    /// smallest integer not below x
    Ceil = "ceil"(Real) -> Real;
    /// nearest integer, halves away from zero
    Round = "round"(Real) -> Real;
    /// towards zero
    Trunc = "trunc"(Real) -> Real;
    /// 1 if x >= 0, else 0
    Step = "step"(Real) -> Real;
    /// x, a constant to differentiation: for what is subtracted and added again, such as a largest term
    StopGradient = "stop_gradient"(Real) -> Real;

    // Elementary functions.
    /// e^x
    Exp = "exp"(Real) -> Real;
    /// 2^x
    Exp2 = "exp2"(Real) -> Real;
    /// e^x - 1
    Expm1 = "expm1"(Real) -> Real;
    /// natural logarithm
    Log = "log"(Real) -> Real;
    /// base 2
    Log2 = "log2"(Real) -> Real;
    /// base 10
    Log10 = "log10"(Real) -> Real;
    /// log(1 + x)
    Log1p = "log1p"(Real) -> Real;
    /// log(1 - x)
    Log1m = "log1m"(Real) -> Real;
    /// log(1 + e^x)
    Log1pExp = "log1p_exp"(Real) -> Real;
    /// log(1 - e^x), x < 0
    Log1mExp = "log1m_exp"(Real) -> Real;
    /// log(e^a + e^b)
    LogSumExp = "log_sum_exp"(Real, Real) -> Real;
    /// log(e^a - e^b), a >= b
    LogDiffExp = "log_diff_exp"(Real, Real) -> Real;
    /// square root
    Sqrt = "sqrt"(Real) -> Real;
    /// cube root
    Cbrt = "cbrt"(Real) -> Real;
    /// x * x
    Square = "square"(Real) -> Real;
    /// 1 / x
    Inv = "inv"(Real) -> Real;
    /// 1 / sqrt(x)
    InvSqrt = "inv_sqrt"(Real) -> Real;
    /// 1 / x^2
    InvSquare = "inv_square"(Real) -> Real;
    /// sqrt(a^2 + b^2)
    Hypot = "hypot"(Real, Real) -> Real;
    /// sine
    Sin = "sin"(Real) -> Real;
    /// cosine
    Cos = "cos"(Real) -> Real;
    /// tangent
    Tan = "tan"(Real) -> Real;
    /// inverse sine
    Asin = "asin"(Real) -> Real;
    /// inverse cosine
    Acos = "acos"(Real) -> Real;
    /// inverse tangent
    Atan = "atan"(Real) -> Real;
    /// angle of the point (b, a)
    Atan2 = "atan2"(Real, Real) -> Real;
    /// hyperbolic sine
    Sinh = "sinh"(Real) -> Real;
    /// hyperbolic cosine
    Cosh = "cosh"(Real) -> Real;
    /// hyperbolic tangent
    Tanh = "tanh"(Real) -> Real;
    /// inverse hyperbolic sine
    Asinh = "asinh"(Real) -> Real;
    /// inverse hyperbolic cosine
    Acosh = "acosh"(Real) -> Real;
    /// inverse hyperbolic tangent
    Atanh = "atanh"(Real) -> Real;

    // Links.
    /// log(x / (1 - x))
    Logit = "logit"(Real) -> Real;
    /// 1 / (1 + e^-x)
    InvLogit = "inv_logit"(Real) -> Real;
    /// log(inv_logit(x))
    LogInvLogit = "log_inv_logit"(Real) -> Real;
    /// log(1 - inv_logit(x))
    Log1mInvLogit = "log1m_inv_logit"(Real) -> Real;
    /// standard normal cdf
    Phi = "Phi"(Real) -> Real;
    /// log of the standard normal cdf, accurate in both tails
    LogPhi = "std_normal_lcdf"(Real) -> Real;
    /// standard normal quantile
    InvPhi = "inv_Phi"(Real) -> Real;
    /// error function
    Erf = "erf"(Real) -> Real;
    /// complementary error function
    Erfc = "erfc"(Real) -> Real;

    // Gamma, beta and relatives.
    /// log |Γ(x)|
    Lgamma = "lgamma"(Real) -> Real;
    /// Γ(x)
    Tgamma = "tgamma"(Real) -> Real;
    /// derivative of lgamma
    Digamma = "digamma"(Real) -> Real;
    /// derivative of digamma
    Trigamma = "trigamma"(Real) -> Real;
    /// log B(a, b)
    Lbeta = "lbeta"(Real, Real) -> Real;
    /// log of the binomial coefficient
    Lchoose = "lchoose"(Real, Real) -> Real;
    /// binomial coefficient of integers
    Choose = "choose"(Int, Int) -> Int;
    /// x log(y), 0 where x is 0 and y is not negative
    Lmultiply = "lmultiply"(Real, Real) -> Real;
    /// regularised lower incomplete gamma P(a, x)
    GammaP = "gamma_p"(Real, Real) -> Real;
    /// regularised upper incomplete gamma Q(a, x)
    GammaQ = "gamma_q"(Real, Real) -> Real;
    /// ∂P(a, x)/∂a; for derivatives
    GammaPDa = "gamma_p_da"(Real, Real) -> Real;
    /// regularised incomplete beta I_x(a, b), arguments (a, b, x)
    IncBeta = "inc_beta"(Real, Real, Real) -> Real;
    /// ∂I_x(a, b)/∂a; for derivatives
    IncBetaDa = "inc_beta_da"(Real, Real, Real) -> Real;
    /// ∂I_x(a, b)/∂b; for derivatives
    IncBetaDb = "inc_beta_db"(Real, Real, Real) -> Real;
    /// J_n(x)
    BesselJ = "bessel_first_kind"(Int, Real) -> Real;
    /// Y_n(x)
    BesselY = "bessel_second_kind"(Int, Real) -> Real;
    /// I_n(x)
    BesselI = "modified_bessel_first_kind"(Int, Real) -> Real;
    /// K_n(x)
    BesselK = "modified_bessel_second_kind"(Int, Real) -> Real;
    /// log I_v(x) for real order v
    LogBesselI = "log_modified_bessel_first_kind"(Real, Real) -> Real;
    /// Owen's T(h, a)
    OwensT = "owens_t"(Real, Real) -> Real;
    /// principal branch of Lambert's W
    LambertW0 = "lambert_w0"(Real) -> Real;
    /// lower branch of Lambert's W
    LambertWm1 = "lambert_wm1"(Real) -> Real;
}

impl Prim {
    /// The primitives of that name, in order of the table: several where integers and reals differ.
    pub fn named(name: &str) -> impl Iterator<Item = Prim> + '_ {
        Prim::ALL
            .iter()
            .copied()
            .filter(move |prim| prim.name() == name)
    }
}
