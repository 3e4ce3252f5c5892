//! The types that each [`Container`] function takes and returns: one line per form, as a user reads them.

use super::promote::promotions;
use crate::builtins::Container;
use crate::types::Ty;

/// A form of a function that fits given arguments.
pub(super) struct Form {
    /// The type that each argument is promoted to.
    pub parameters: Vec<Ty>,
    /// The type of the call.
    pub result: Ty,
    /// How many promotions from int to real the arguments need.
    pub promotions: u32,
}

/// The forms of a function as text: `result(parameters)`. `T` stands for any one type, `array[] T` for an
/// array of it.
///
/// Functions that take functions are not listed: `higher_order` handles them.
pub(super) fn forms(function: Container) -> &'static [&'static str] {
    use Container::*;
    match function {
        Size | NumElements => &["int(T)"],
        Rows | Cols => &["int(vector)", "int(row_vector)", "int(matrix)"],
        Dims => &["array[] int(T)"],
        Sum => &[
            "int(array[] int)",
            "real(array[] real)",
            "real(vector)",
            "real(row_vector)",
            "real(matrix)",
        ],
        DotProduct => &[
            "real(vector, vector)",
            "real(row_vector, row_vector)",
            "real(vector, row_vector)",
            "real(row_vector, vector)",
            "real(array[] real, array[] real)",
        ],
        RepVector => &["vector(real, int)"],
        RepRowVector => &["row_vector(real, int)"],
        RepMatrix => &[
            "matrix(real, int, int)",
            "matrix(vector, int)",
            "matrix(row_vector, int)",
        ],
        RepArray => &[
            "array[] T(T, int)",
            "array[,] T(T, int, int)",
            "array[,,] T(T, int, int, int)",
        ],
        ToVector => &[
            "vector(vector)",
            "vector(row_vector)",
            "vector(matrix)",
            "vector(array[] int)",
            "vector(array[] real)",
        ],
        ToRowVector => &[
            "row_vector(vector)",
            "row_vector(row_vector)",
            "row_vector(matrix)",
            "row_vector(array[] int)",
            "row_vector(array[] real)",
        ],
        ToMatrix => &[
            "matrix(vector)",
            "matrix(row_vector)",
            "matrix(matrix)",
            "matrix(array[,] int)",
            "matrix(array[,] real)",
            "matrix(array[] row_vector)",
            "matrix(vector, int, int)",
            "matrix(row_vector, int, int)",
            "matrix(matrix, int, int)",
            "matrix(array[] int, int, int)",
            "matrix(array[] real, int, int)",
            "matrix(vector, int, int, int)",
            "matrix(row_vector, int, int, int)",
            "matrix(matrix, int, int, int)",
            "matrix(array[] int, int, int, int)",
            "matrix(array[] real, int, int, int)",
        ],
        ToArray1d => &[
            "array[] real(vector)",
            "array[] real(row_vector)",
            "array[] real(matrix)",
            "array[] int(array[] int)",
            "array[] int(array[,] int)",
            "array[] int(array[,,] int)",
            "array[] real(array[] real)",
            "array[] real(array[,] real)",
            "array[] real(array[,,] real)",
        ],
        ToArray2d => &["array[,] real(matrix)"],
        Transpose => &["row_vector(vector)", "vector(row_vector)", "matrix(matrix)"],
        Head | Tail => &[
            "vector(vector, int)",
            "row_vector(row_vector, int)",
            "array[] T(array[] T, int)",
        ],
        Segment => &[
            "vector(vector, int, int)",
            "row_vector(row_vector, int, int)",
            "array[] T(array[] T, int, int)",
        ],
        Reverse => &[
            "vector(vector)",
            "row_vector(row_vector)",
            "array[] T(array[] T)",
        ],
        Col => &["vector(matrix, int)"],
        Row => &["row_vector(matrix, int)"],
        Block => &["matrix(matrix, int, int, int, int)"],
        SubCol => &["vector(matrix, int, int, int)"],
        SubRow => &["row_vector(matrix, int, int, int)"],
        Diagonal => &["vector(matrix)"],
        DiagMatrix => &["matrix(vector)"],
        AppendRow => &[
            "matrix(matrix, matrix)",
            "matrix(matrix, row_vector)",
            "matrix(row_vector, matrix)",
            "matrix(row_vector, row_vector)",
            "vector(vector, vector)",
            "vector(real, vector)",
            "vector(vector, real)",
        ],
        AppendCol => &[
            "matrix(matrix, matrix)",
            "matrix(matrix, vector)",
            "matrix(vector, matrix)",
            "matrix(vector, vector)",
            "row_vector(row_vector, row_vector)",
            "row_vector(real, row_vector)",
            "row_vector(row_vector, real)",
        ],
        AppendArray => &["array[] T(array[] T, array[] T)"],
        Multiply => &[
            "matrix(matrix, matrix)",
            "vector(matrix, vector)",
            "row_vector(row_vector, matrix)",
            "matrix(vector, row_vector)",
        ],
        Crossprod | Tcrossprod | CholeskyDecompose | Inverse | InverseSpd | EigenvectorsSym
        | QrThinQ | QrThinR | MatrixExp => &["matrix(matrix)"],
        MdivideLeftTriLow | MdivideLeft | MdivideLeftSpd => {
            &["vector(matrix, vector)", "matrix(matrix, matrix)"]
        }
        MdivideRightTriLow | MdivideRight | MdivideRightSpd => {
            &["row_vector(row_vector, matrix)", "matrix(matrix, matrix)"]
        }
        Determinant | LogDeterminant | LogDeterminantSpd => &["real(matrix)"],
        EigenvaluesSym | SingularValues => &["vector(matrix)"],
        SortAsc | SortDesc => &[
            "vector(vector)",
            "row_vector(row_vector)",
            "array[] int(array[] int)",
            "array[] real(array[] real)",
        ],
        SortIndicesAsc | SortIndicesDesc => &[
            "array[] int(vector)",
            "array[] int(row_vector)",
            "array[] int(array[] int)",
            "array[] int(array[] real)",
        ],
        IntegrateOdeRk45 | IntegrateOdeBdf | IntegrateOdeAdams | IntegrateOde | OdeRk45
        | OdeRk45Tol | OdeBdf | OdeBdfTol => &[],
    }
}

/// Whether the value depends on shapes alone, which are known once the data are.
pub(super) fn is_shape_query(function: Container) -> bool {
    use Container::*;
    matches!(function, Size | NumElements | Rows | Cols | Dims)
}

/// The form that fits the arguments with the fewest promotions.
pub(super) fn fitting_form(function: Container, arguments: &[Ty]) -> Option<Form> {
    forms(function)
        .iter()
        .filter_map(|form| fit(form, arguments))
        .min_by_key(|form| form.promotions)
}

fn fit(form: &str, arguments: &[Ty]) -> Option<Form> {
    let (result, parameters) = split(form)?;
    if parameters.len() != arguments.len() {
        return None;
    }
    let any = bound_type(&parameters, arguments);
    let parameters: Vec<Ty> = parameters
        .iter()
        .map(|parameter| spelled(parameter, any.as_ref()))
        .collect::<Option<_>>()?;
    let mut needed = 0;
    for (argument, parameter) in arguments.iter().zip(&parameters) {
        needed += promotions(argument, parameter)?;
    }
    Some(Form {
        result: spelled(result, any.as_ref())?,
        parameters,
        promotions: needed,
    })
}

/// `result(a, b)` as its parts.
fn split(form: &str) -> Option<(&str, Vec<&str>)> {
    let (result, rest) = form.split_once('(')?;
    let inside = rest.strip_suffix(')')?;
    Some((result, inside.split(", ").collect()))
}

/// What `T` stands for, given the arguments: of several the one that the others promote to.
fn bound_type(parameters: &[&str], arguments: &[Ty]) -> Option<Ty> {
    let mut bound: Option<Ty> = None;
    for (parameter, argument) in parameters.iter().zip(arguments) {
        let candidate = match (*parameter, argument) {
            ("T", ty) => ty.clone(),
            ("array[] T", Ty::Array(element)) => (**element).clone(),
            _ => continue,
        };
        bound = match bound {
            Some(before) if promotions(&candidate, &before).is_some() => Some(before),
            _ => Some(candidate),
        };
    }
    bound
}

fn spelled(text: &str, any: Option<&Ty>) -> Option<Ty> {
    let (depth, word) = match text.strip_prefix("array[") {
        Some(rest) => {
            let (commas, word) = rest.split_once("] ")?;
            (commas.len() + 1, word)
        }
        None => (0, text),
    };
    let inner = match word {
        "T" => any?.clone(),
        "int" => Ty::Int,
        "real" => Ty::Real,
        "vector" => Ty::Vector,
        "row_vector" => Ty::RowVector,
        "matrix" => Ty::Matrix,
        _ => return None,
    };
    Some(inner.array_of(depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(function: Container, arguments: &[Ty]) -> Option<Ty> {
        fitting_form(function, arguments).map(|form| form.result)
    }

    #[test]
    fn every_form_can_be_read() {
        for &function in Container::ALL {
            for form in forms(function) {
                let (result, parameters) = split(form).unwrap();
                for text in parameters.into_iter().chain([result]) {
                    assert!(spelled(text, Some(&Ty::Real)).is_some(), "{text} in {form}");
                }
            }
        }
    }

    #[test]
    fn type_variables_bind() {
        let matrices = Ty::Matrix.array_of(1);
        assert_eq!(
            result(Container::RepArray, &[Ty::Matrix, Ty::Int]),
            Some(matrices.clone())
        );
        assert_eq!(
            result(Container::Head, &[matrices.clone(), Ty::Int]),
            Some(matrices)
        );
        let (ints, reals) = (Ty::Int.array_of(1), Ty::Real.array_of(1));
        assert_eq!(
            result(Container::AppendArray, &[ints, reals.clone()]),
            Some(reals)
        );
    }

    #[test]
    fn integers_keep_their_type_where_a_form_has_it() {
        assert_eq!(
            result(Container::Sum, &[Ty::Int.array_of(1)]),
            Some(Ty::Int)
        );
        assert_eq!(result(Container::Sum, &[Ty::Vector]), Some(Ty::Real));
        assert_eq!(result(Container::Sum, &[Ty::Int]), None);
    }
}
