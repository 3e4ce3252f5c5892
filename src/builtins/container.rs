//! Functions of whole containers: shapes, views, reductions, linear algebra.

macro_rules! containers {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// A function of whole containers that the compiler itself provides.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Container { $($(#[doc = $doc])* $variant,)* }

        impl Container {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Container] = &[$(Container::$variant,)*];

            /// The function's name in the language; operators have names such as `operator*`.
            pub fn name(self) -> &'static str {
                match self { $(Container::$variant => $name,)* }
            }

            /// The function of that name, if there is one.
            pub fn named(name: &str) -> Option<Container> {
                Container::ALL.iter().copied().find(|function| function.name() == name)
            }
        }
    };
}

containers! {
    // Sizes: always known from shapes, so their level is data.
    /// `int size(T)`: first dimension of an array or vector, elements of a matrix, 1 of a scalar.
    Size = "size";
    /// `int num_elements(T)`
    NumElements = "num_elements";
    /// `int rows(vector | row_vector | matrix)`
    Rows = "rows";
    /// `int cols(vector | row_vector | matrix)`
    Cols = "cols";
    /// `array[] int dims(T)`
    Dims = "dims";

    // Reductions.
    /// sum of every scalar: `int` for arrays of int, else `real`
    Sum = "sum";
    /// `real dot_product(v, w)` of vectors, row vectors or arrays of real; also `row_vector * vector`
    DotProduct = "dot_product";

    // Repetition.
    /// `vector rep_vector(real x, int n)`
    RepVector = "rep_vector";
    /// `row_vector rep_row_vector(real x, int n)`
    RepRowVector = "rep_row_vector";
    /// `matrix rep_matrix(real x, int m, int n)`, `(vector v, int n)`, `(row_vector v, int m)`
    RepMatrix = "rep_matrix";
    /// `rep_array(T x, int k, …)`: one to three dimensions in front of x's own
    RepArray = "rep_array";

    // Conversions of shape; matrices flatten column-major, arrays row-major.
    /// `vector to_vector(container of reals or ints)`
    ToVector = "to_vector";
    /// `row_vector to_row_vector(container)`
    ToRowVector = "to_row_vector";
    /// `matrix to_matrix(m | vector | row_vector | array[,] real)`, `(v, int m, int n)`, `(v, int m, int n, int column_major)`
    ToMatrix = "to_matrix";
    /// `array[] real` (or int) `to_array_1d(container)`
    ToArray1d = "to_array_1d";
    /// `array[,] real to_array_2d(matrix)`
    ToArray2d = "to_array_2d";

    // Views.
    /// `m'`
    Transpose = "transpose";
    /// `head(v, int n)` of vector, row vector or array
    Head = "head";
    /// `tail(v, int n)`
    Tail = "tail";
    /// `segment(v, int i, int n)`
    Segment = "segment";
    /// `reverse(v)` of vector, row vector or array
    Reverse = "reverse";
    /// `vector col(matrix, int j)`
    Col = "col";
    /// `row_vector row(matrix, int i)`
    Row = "row";
    /// `matrix block(matrix, int i, int j, int rows, int cols)`
    Block = "block";
    /// `vector sub_col(matrix, int i, int j, int rows)`
    SubCol = "sub_col";
    /// `row_vector sub_row(matrix, int i, int j, int cols)`
    SubRow = "sub_row";
    /// `vector diagonal(matrix)`
    Diagonal = "diagonal";
    /// `matrix diag_matrix(vector)`
    DiagMatrix = "diag_matrix";
    /// `append_row(a, b)`: matrices, row vectors on top of each other, or vectors (or real and vector) end to end
    AppendRow = "append_row";
    /// `append_col(a, b)`
    AppendCol = "append_col";
    /// `append_array(a, b)`
    AppendArray = "append_array";

    // Linear algebra (intrinsics with hand-derived adjoints).
    /// matrix product: matrix * matrix, matrix * vector, row_vector * matrix, vector * row_vector
    Multiply = "operator*";
    /// `matrix crossprod(m)`: m' * m
    Crossprod = "crossprod";
    /// `matrix tcrossprod(m)`: m * m'
    Tcrossprod = "tcrossprod";
    /// `matrix cholesky_decompose(matrix)`: lower factor
    CholeskyDecompose = "cholesky_decompose";
    /// `mdivide_left_tri_low(matrix A, vector | matrix b)`: A \ b with A's lower triangle
    MdivideLeftTriLow = "mdivide_left_tri_low";
    /// `mdivide_right_tri_low(row_vector | matrix b, matrix A)`: b / A with A's lower triangle
    MdivideRightTriLow = "mdivide_right_tri_low";
    /// `mdivide_left(matrix A, vector | matrix b)`: A \ b
    MdivideLeft = "mdivide_left";
    /// `mdivide_right(row_vector | matrix b, matrix A)`: b / A
    MdivideRight = "mdivide_right";
    /// `mdivide_left_spd(matrix A, vector | matrix b)`
    MdivideLeftSpd = "mdivide_left_spd";
    /// `mdivide_right_spd(row_vector | matrix b, matrix A)`
    MdivideRightSpd = "mdivide_right_spd";
    /// `matrix inverse(matrix)`
    Inverse = "inverse";
    /// `matrix inverse_spd(matrix)`
    InverseSpd = "inverse_spd";
    /// `real determinant(matrix)`
    Determinant = "determinant";
    /// `real log_determinant(matrix)`: log |det|
    LogDeterminant = "log_determinant";
    /// `real log_determinant_spd(matrix)`
    LogDeterminantSpd = "log_determinant_spd";
    /// `vector eigenvalues_sym(matrix)`, ascending
    EigenvaluesSym = "eigenvalues_sym";
    /// `matrix eigenvectors_sym(matrix)`
    EigenvectorsSym = "eigenvectors_sym";
    /// `matrix qr_thin_Q(matrix)`
    QrThinQ = "qr_thin_Q";
    /// `matrix qr_thin_R(matrix)`
    QrThinR = "qr_thin_R";
    /// `vector singular_values(matrix)`, descending
    SingularValues = "singular_values";
    /// `matrix matrix_exp(matrix)`
    MatrixExp = "matrix_exp";

    // Order.
    /// `sort_asc(vector | row_vector | array[] real | array[] int)`
    SortAsc = "sort_asc";
    /// `sort_desc(…)`
    SortDesc = "sort_desc";
    /// `array[] int sort_indices_asc(…)`
    SortIndicesAsc = "sort_indices_asc";
    /// `array[] int sort_indices_desc(…)`
    SortIndicesDesc = "sort_indices_desc";

    // Ordinary differential equations; the first argument is a function.
    /// `array[,] real integrate_ode_rk45(f, y0, t0, ts, theta, x_r, x_i[, rel_tol, abs_tol, max_steps])`
    IntegrateOdeRk45 = "integrate_ode_rk45";
    /// `integrate_ode_bdf`, same arguments
    IntegrateOdeBdf = "integrate_ode_bdf";
    /// `integrate_ode_adams`, same arguments
    IntegrateOdeAdams = "integrate_ode_adams";
    /// `integrate_ode`: the old name of `integrate_ode_rk45`
    IntegrateOde = "integrate_ode";
    /// `array[] vector ode_rk45(f, y0, t0, ts, …)`
    OdeRk45 = "ode_rk45";
    /// `array[] vector ode_rk45_tol(f, y0, t0, ts, rel_tol, abs_tol, max_steps, …)`
    OdeRk45Tol = "ode_rk45_tol";
    /// `array[] vector ode_bdf(f, y0, t0, ts, …)`
    OdeBdf = "ode_bdf";
    /// `array[] vector ode_bdf_tol(…)`
    OdeBdfTol = "ode_bdf_tol";
}
