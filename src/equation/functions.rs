//! Functions of vectors and matrices: their shapes, and which arguments are scales. All others are elementwise.
//!
//! A shape is a text such as `a,ab>ab`: one letter per axis, `_` for a number, equal letters for equal index sets, the
//! result behind `>`. The axes of a result that no argument has (`rep_vector`) are found from where the result stands.

/// What the equation form must know of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its shapes, one text per form.
    pub shapes: &'static [&'static str],
    /// How many of the last arguments must be positive: amplitudes and lengths of kernels.
    pub scales: usize,
}

impl Function {
    /// The row of that name; functions without one are elementwise.
    pub fn named(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }
}

const fn row(name: &'static str, shapes: &'static [&'static str]) -> Function {
    Function {
        name,
        shapes,
        scales: 0,
    }
}

const fn kernel(name: &'static str, shapes: &'static [&'static str], scales: usize) -> Function {
    Function {
        name,
        shapes,
        scales,
    }
}

/// A number from all elements.
const TO_NUMBER: &[&str] = &["a>_", "ab>_"];
const VECTOR_TO_NUMBER: &[&str] = &["a>_"];
const TWO_VECTORS: &[&str] = &["a,a>_"];
const SAME_VECTOR: &[&str] = &["a>a"];
const SAME_MATRIX: &[&str] = &["ab>ab"];
const SQUARE: &[&str] = &["aa>aa"];
const SQUARE_TO_NUMBER: &[&str] = &["aa>_"];
const KERNEL: &[&str] = &[
    "a,_,_>aa",
    "ab,_,_>aa",
    "ab,_,b>aa",
    "a,c,_,_>ac",
    "ab,cb,_,_>ac",
    "ab,cb,_,b>ac",
];

const FUNCTIONS: &[Function] = &[
    // Numbers from vectors.
    row("sum", TO_NUMBER),
    row("prod", TO_NUMBER),
    row("mean", TO_NUMBER),
    row("sd", TO_NUMBER),
    row("variance", TO_NUMBER),
    row("min", &["a>_", "ab>_", "_,_>_"]),
    row("max", &["a>_", "ab>_", "_,_>_"]),
    row(
        "log_sum_exp",
        &["a>_", "ab>_", "_,_>_", "_,a>a", "a,_>a", "a,a>a"],
    ),
    row("num_elements", TO_NUMBER),
    row("norm1", VECTOR_TO_NUMBER),
    row("norm2", VECTOR_TO_NUMBER),
    row("dot_self", VECTOR_TO_NUMBER),
    row("dot_product", TWO_VECTORS),
    row("distance", TWO_VECTORS),
    row("squared_distance", &["a,a>_", "_,_>_"]),
    row("quantile", &["a,_>_", "a,b>b"]),
    row("rank", &["a,_>_"]),
    row("log_mix", &["_,_,_>_", "a,a>_"]),
    // Vectors from vectors.
    row("softmax", SAME_VECTOR),
    row("log_softmax", SAME_VECTOR),
    row("cumulative_sum", SAME_VECTOR),
    row("sort_asc", SAME_VECTOR),
    row("sort_desc", SAME_VECTOR),
    row("reverse", SAME_VECTOR),
    row("to_vector", SAME_VECTOR),
    row("to_row_vector", SAME_VECTOR),
    row("to_array_1d", SAME_VECTOR),
    // Repetition: `rep_vector(0, size(k))` runs over the set of k, see `shapes`.
    row("rep_vector", &["_,_>a"]),
    row("rep_row_vector", &["_,_>a"]),
    row("zeros_vector", &["_>a"]),
    row("ones_vector", &["_>a"]),
    row("uniform_simplex", &["_>a"]),
    row("identity_matrix", &["_>aa"]),
    row("rep_matrix", &["_,_,_>ab"]),
    // Matrices and diagonals.
    row("diag_matrix", &["a>aa"]),
    row("diagonal", &["aa>a"]),
    row("add_diag", &["aa,_>aa", "aa,a>aa"]),
    row("diag_pre_multiply", &["a,ab>ab"]),
    row("diag_post_multiply", &["ab,b>ab"]),
    row("quad_form_diag", &["aa,a>aa"]),
    row("quad_form", &["aa,a>_", "aa,ab>bb"]),
    row("quad_form_sym", &["aa,a>_", "aa,ab>bb"]),
    row("trace_quad_form", &["aa,a>_", "aa,ab>_"]),
    row("crossprod", &["ab>bb"]),
    row("tcrossprod", &["ab>aa"]),
    row("multiply_lower_tri_self_transpose", SQUARE),
    row("symmetrize_from_lower_tri", SQUARE),
    row("lower_triangle", SAME_MATRIX),
    row("columns_dot_product", &["ab,ab>b"]),
    row("rows_dot_product", &["ab,ab>a"]),
    row("columns_dot_self", &["ab>b"]),
    row("rows_dot_self", &["ab>a"]),
    row("to_matrix", SAME_MATRIX),
    // Decompositions and solutions.
    row("cholesky_decompose", SQUARE),
    row("inverse", SQUARE),
    row("inverse_spd", SQUARE),
    row("chol2inv", SQUARE),
    row("matrix_exp", SQUARE),
    row("matrix_power", &["aa,_>aa"]),
    row("determinant", SQUARE_TO_NUMBER),
    row("log_determinant", SQUARE_TO_NUMBER),
    row("log_determinant_spd", SQUARE_TO_NUMBER),
    row("trace", SQUARE_TO_NUMBER),
    row("eigenvalues_sym", &["aa>a"]),
    row("eigenvectors_sym", SQUARE),
    row("mdivide_left", &["aa,a>a", "aa,ab>ab"]),
    row("mdivide_left_spd", &["aa,a>a", "aa,ab>ab"]),
    row("mdivide_left_tri_low", &["aa,a>a", "aa,ab>ab"]),
    row("mdivide_right", &["a,aa>a", "ba,aa>ba"]),
    row("mdivide_right_spd", &["a,aa>a", "ba,aa>ba"]),
    row("mdivide_right_tri_low", &["a,aa>a", "ba,aa>ba"]),
    // Kernels of Gaussian processes: points, amplitude, length.
    kernel("gp_exp_quad_cov", KERNEL, 2),
    kernel("gp_exponential_cov", KERNEL, 2),
    kernel("gp_matern32_cov", KERNEL, 2),
    kernel("gp_matern52_cov", KERNEL, 2),
    kernel("gp_periodic_cov", &["a,_,_,_>aa", "ab,_,_,_>aa"], 3),
    kernel("gp_dot_prod_cov", &["a,_>aa", "ab,_>aa"], 1),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::{Container, Prim};

    #[test]
    fn rows_are_of_functions_that_exist_and_name_their_result() {
        let in_library = |name: &str| {
            let called = format!(" {name}(");
            let defined = |text: &str| {
                text.lines()
                    .any(|line| !line.starts_with([' ', '/']) && line.contains(&called))
            };
            crate::stdlib::files().iter().any(|(_, text)| defined(text))
        };
        for function in FUNCTIONS {
            let name = function.name;
            let is_primitive = Container::named(name).is_some()
                || Prim::ALL.iter().any(|prim| prim.name() == name);
            assert!(is_primitive || in_library(name), "{name}");
            for shape in function.shapes {
                assert_eq!(shape.matches('>').count(), 1, "{name}: {shape}");
            }
        }
    }
}
