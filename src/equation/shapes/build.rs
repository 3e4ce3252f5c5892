//! From a model to relations between ranks: one per operator, function, name and statement.

use super::{ANY, Axes, Node, Ranks, Relation, Shapes};
use crate::equation::families::Family;
use crate::equation::functions::Function;
use crate::equation::tree::{
    Expr, ExprKind, LetterId, Model, NameId, Role, SetId, Statement, StatementKind, Subscript,
};
use crate::syntax::ast::{BaseType, BinaryOp, FunctionDef, UnaryOp, UnsizedKind};

/// Elementwise: numbers go with vectors and matrices, those only with their like.
const ELEMENTWISE: &[[u8; 3]] = &[
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 1],
    [0, 2, 2],
    [2, 0, 2],
    [2, 2, 2],
];
const PRODUCT: &[[u8; 3]] = &[
    [0, 0, 0],
    [0, 1, 1],
    [0, 2, 2],
    [1, 0, 1],
    [2, 0, 2],
    [1, 1, 0],
    [2, 1, 1],
    [1, 2, 1],
    [2, 2, 2],
];
const QUOTIENT: &[[u8; 3]] = &[[0, 0, 0], [1, 0, 1], [2, 0, 2], [0, 1, 1]];
const NUMBERS: &[[u8; 3]] = &[[0, 0, 0]];

impl<'m> Shapes<'m> {
    /// Builds the relations of a model.
    pub(super) fn build(model: &'m Model, closed: &[bool]) -> Shapes<'m> {
        let mut builder = Builder {
            model,
            nodes: Vec::new(),
            relations: Vec::new(),
            statement: 0,
        };
        for (position, statement) in model.statements.iter().enumerate() {
            builder.statement = position;
            builder.statement(statement);
        }
        let nodes = builder.nodes;
        let mut relations = builder.relations;
        // Hidden ranks stand behind the nodes.
        for relation in &mut relations {
            if let Axes::OfName { name, .. } = &relation.axes {
                relation.members[0] = nodes.len() + name.0;
            }
        }
        let mut ranks = vec![ANY; nodes.len()];
        ranks.extend(hidden_ranks(model, closed));
        Shapes {
            model,
            nodes,
            relations,
            ranks,
        }
    }
}

/// The hidden ranks that names can have at first.
fn hidden_ranks(model: &Model, closed: &[bool]) -> Vec<Ranks> {
    let names = model.names.iter().zip(closed);
    names
        .map(|(name, closed)| {
            if name.role == Role::Data || *closed {
                return 0b001;
            }
            let least = name
                .declared
                .as_ref()
                .map_or(0, |declared| least_rank(declared.base));
            // A type acts on the last index, or the last two.
            match least.saturating_sub(name.shown) {
                0 => ANY,
                1 => 0b110,
                _ => 0b100,
            }
        })
        .collect()
}

/// The number of indices that a type acts on.
fn least_rank(base: BaseType) -> usize {
    match base {
        BaseType::Int | BaseType::Real | BaseType::Complex => 0,
        BaseType::Vector
        | BaseType::RowVector
        | BaseType::ComplexVector
        | BaseType::ComplexRowVector
        | BaseType::Ordered
        | BaseType::PositiveOrdered
        | BaseType::Simplex
        | BaseType::UnitVector
        | BaseType::SumToZeroVector => 1,
        BaseType::Matrix
        | BaseType::ComplexMatrix
        | BaseType::SumToZeroMatrix
        | BaseType::RowStochasticMatrix
        | BaseType::ColumnStochasticMatrix
        | BaseType::CovMatrix
        | BaseType::CorrMatrix
        | BaseType::CholeskyFactorCov
        | BaseType::CholeskyFactorCorr => 2,
    }
}

struct Builder<'m> {
    model: &'m Model,
    nodes: Vec<Node<'m>>,
    relations: Vec<Relation>,
    statement: usize,
}

impl<'m> Builder<'m> {
    fn statement(&mut self, statement: &'m Statement) {
        match &statement.kind {
            StatementKind::Draw {
                variate,
                distribution,
                arguments,
                truncation,
                ..
            } => {
                let members: Vec<usize> = std::iter::once(variate)
                    .chain(arguments)
                    .map(|expr| self.node(expr))
                    .collect();
                let exprs: Vec<&Expr> = std::iter::once(variate).chain(arguments).collect();
                self.density(distribution, &members, &exprs, members[0]);
                let bounds = truncation.iter().flat_map(|(lower, upper)| [lower, upper]);
                for bound in bounds.flatten() {
                    let node = self.node(bound);
                    self.relate(vec![node], vec![vec![0]], Axes::Same, node);
                }
            }
            StatementKind::Define {
                name,
                subscripts,
                value,
            } => {
                let left = self.new_node(None);
                self.relate_name(*name, subscripts, left);
                let right = self.node(value);
                let rows = (0..3).map(|rank| vec![rank, rank]).collect();
                self.relate(vec![left, right], rows, Axes::Same, right);
            }
            StatementKind::Target { value } => {
                let node = self.node(value);
                self.relate(vec![node], vec![vec![0]], Axes::Same, node);
            }
        }
    }

    fn new_node(&mut self, expr: Option<&'m Expr>) -> usize {
        self.nodes.push(Node {
            expr,
            vector_only: false,
            statement: self.statement,
        });
        self.nodes.len() - 1
    }

    fn relate(&mut self, members: Vec<usize>, rows: Vec<Vec<u8>>, axes: Axes, about: usize) {
        self.relations.push(Relation {
            members,
            rows,
            axes,
            about,
        });
    }

    fn relate_name(&mut self, name: NameId, subscripts: &[Subscript], node: usize) {
        let shown = self.model.names[name.0].shown;
        let kept: Vec<usize> = (0..shown)
            .filter(|place| {
                subscripts
                    .get(*place)
                    .is_none_or(|subscript| !subscript.is_single())
            })
            .collect();
        let rows = (0..3u8)
            .filter(|hidden| kept.len() + usize::from(*hidden) <= 2)
            .map(|hidden| vec![hidden, kept.len() as u8 + hidden])
            .collect();
        // The first member is put in place once the number of nodes is known.
        self.relate(
            vec![usize::MAX, node],
            rows,
            Axes::OfName { name, kept },
            node,
        );
    }

    /// The node of an expression, in the order of `write_expr`: the whole, then its parts.
    fn node(&mut self, expr: &'m Expr) -> usize {
        let node = self.new_node(Some(expr));
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Size(_)
            | ExprKind::LetterValue(_)
            | ExprKind::LevelTest { .. } => {
                self.relate(vec![node], vec![vec![0]], Axes::Same, node);
            }
            ExprKind::Name { name, subscripts } => self.relate_name(*name, subscripts, node),
            ExprKind::Reduce {
                function,
                letters,
                body,
                ..
            } => self.reduction(&function.name, letters, body, node),
            ExprKind::Unary { operator, operand } => {
                let inside = self.node(operand);
                let (rows, axes) = match operator {
                    UnaryOp::Negate | UnaryOp::Plus => (0..3, Axes::Same),
                    UnaryOp::Not => (0..1, Axes::Same),
                    UnaryOp::Transpose => (1..3, Axes::Swapped),
                };
                let rows = rows.map(|rank| vec![rank, rank]).collect();
                self.relate(vec![inside, node], rows, axes, node);
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let members = vec![self.node(left), self.node(right), node];
                self.operator(*operator, members);
            }
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => {
                let condition = self.node(condition);
                self.relate(vec![condition], vec![vec![0]], Axes::Same, condition);
                let members = vec![self.node(if_true), self.node(if_false), node];
                let rows = (0..3).map(|rank| vec![rank; 3]).collect();
                self.relate(members, rows, Axes::Same, node);
            }
            ExprKind::Call {
                function,
                arguments,
                ..
            } => {
                let members: Vec<usize> = arguments
                    .iter()
                    .map(|argument| self.node(argument))
                    .collect();
                self.call(&function.name, members, arguments, node);
            }
            ExprKind::RowVector(list) | ExprKind::Array(list) => {
                let mut members: Vec<usize> =
                    list.iter().map(|element| self.node(element)).collect();
                let rows = [0, 1].map(|rank| {
                    let mut row = vec![rank; members.len()];
                    row.push(rank + 1);
                    row
                });
                members.push(node);
                self.relate(members, rows.to_vec(), Axes::Free(None), node);
            }
        }
        node
    }

    fn operator(&mut self, operator: BinaryOp, members: Vec<usize>) {
        let node = members[2];
        let (rows, axes) = match operator {
            BinaryOp::Multiply => (PRODUCT, Axes::Product),
            BinaryOp::Divide => (QUOTIENT, Axes::Same),
            BinaryOp::LeftDivide => {
                let forms = ["aa,a,a", "aa,ab,ab"].map(tokens).to_vec();
                self.forms(forms, members, &[], node);
                return;
            }
            BinaryOp::And | BinaryOp::Or | BinaryOp::Modulo | BinaryOp::IntegerDivide => {
                (NUMBERS, Axes::Same)
            }
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::ElementMultiply
            | BinaryOp::ElementDivide
            | BinaryOp::Power
            | BinaryOp::ElementPower
            | BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual => (ELEMENTWISE, Axes::Same),
        };
        let rows = rows.iter().map(|row| row.to_vec()).collect();
        self.relate(members, rows, axes, node);
    }

    fn reduction(&mut self, function: &str, letters: &[LetterId], body: &'m Expr, node: usize) {
        let body = self.node(body);
        // softmax and its like give a vector over the bound letter.
        let gives_vector = Function::named(function)
            .is_some_and(|found| found.shapes.iter().all(|shape| shape.ends_with(">a")));
        let (rank, axes) = match letters {
            [letter] if gives_vector => {
                let set = self.model.letters[letter.0].set;
                (1, Axes::Free(Some(set)))
            }
            _ => (0, Axes::Same),
        };
        self.relate(vec![body, node], vec![vec![0, rank]], axes, node);
    }

    fn call(
        &mut self,
        function: &str,
        mut members: Vec<usize>,
        arguments: &'m [Expr],
        node: usize,
    ) {
        let exprs: Vec<&Expr> = arguments.iter().collect();
        if let Some(forms) = self.own_forms(function, true) {
            members.push(node);
            self.forms(forms, members, &exprs, node);
            return;
        }
        if let Some(family) = density_of(function)
            && Family::named(family).is_some()
        {
            self.relate(vec![node], vec![vec![0]], Axes::Same, node);
            self.density(family, &members, &exprs, node);
            return;
        }
        if let Some(found) = Function::named(function) {
            members.push(node);
            if let Some(set) = repeated_set(found.name, arguments) {
                self.relate(vec![node], vec![vec![1]], Axes::Free(Some(set)), node);
            }
            let forms = found.shapes.iter().map(|shape| tokens(shape)).collect();
            self.forms(forms, members, &exprs, node);
            return;
        }
        if let Some(family) = function.strip_suffix("_rng").and_then(Family::named)
            && !family.is_univariate()
        {
            members.push(node);
            let forms = family.shapes.iter().map(|shape| {
                let mut form = tokens(shape);
                form.rotate_left(1);
                form
            });
            let forms = forms.collect();
            self.forms(forms, members, &exprs, node);
            return;
        }
        // Every other function is one of numbers, taken elementwise.
        let count = members.len();
        members.push(node);
        let mut rows = elementwise_rows(count, 1);
        rows.extend(elementwise_rows(count, 2).into_iter().skip(1));
        self.relate(members, rows, Axes::Same, node);
    }

    /// Variate and arguments of a family.
    fn density(&mut self, family: &str, members: &[usize], exprs: &[&'m Expr], about: usize) {
        if let Some(forms) = self
            .own_forms(&format!("{family}_lpdf"), false)
            .or_else(|| self.own_forms(&format!("{family}_lpmf"), false))
        {
            self.forms(forms, members.to_vec(), exprs, about);
            return;
        }
        match Family::named(family) {
            Some(family) if !family.is_univariate() => {
                let forms = family.shapes.iter().map(|shape| tokens(shape)).collect();
                self.forms(forms, members.to_vec(), exprs, about);
            }
            _ => {
                let arguments = members.len() - 1;
                let mut rows = vec![vec![0; members.len()]];
                for choice in 0..1usize << arguments {
                    let bits = (0..arguments).map(|place| (choice >> place & 1) as u8);
                    rows.push(std::iter::once(1).chain(bits).collect());
                }
                self.relate(members.to_vec(), rows, Axes::Same, about);
            }
        }
    }

    /// A relation given by forms. A number in a place where every form has a vector is the constant vector.
    fn forms(
        &mut self,
        forms: Vec<Vec<String>>,
        members: Vec<usize>,
        exprs: &[&'m Expr],
        about: usize,
    ) {
        let forms: Vec<Vec<String>> = forms
            .into_iter()
            .filter(|form| form.len() == members.len())
            .collect();
        let rank = |token: &String| if token == "_" { 0 } else { token.len() as u8 };
        let mut rows: Vec<Vec<u8>> = (forms.iter())
            .map(|form| form.iter().map(rank).collect())
            .collect();
        for (place, expr) in exprs.iter().enumerate() {
            let vector_only = !rows.is_empty() && rows.iter().all(|row| row[place] > 0);
            if !vector_only {
                continue;
            }
            self.nodes[members[place]].vector_only = true;
            if self.is_constant(expr) {
                let vectors = rows.iter().filter(|row| row[place] == 1);
                let lifted: Vec<Vec<u8>> = vectors
                    .map(|row| {
                        let mut row = row.clone();
                        row[place] = 0;
                        row
                    })
                    .collect();
                rows.extend(lifted);
            }
        }
        self.relate(members, rows, Axes::Forms(forms), about);
    }

    /// Whether an expression is computed from numbers and data alone.
    fn is_constant(&self, expr: &Expr) -> bool {
        let mut constant = true;
        expr.visit(&mut |part| {
            constant &= match &part.kind {
                ExprKind::Name { name, .. } => self.model.names[name.0].role == Role::Data,
                ExprKind::Reduce { .. } => false,
                _ => true,
            };
        });
        constant
    }

    /// The forms of a function of the program itself. Its containers run over sets of their own.
    fn own_forms(&self, function: &str, with_result: bool) -> Option<Vec<Vec<String>>> {
        let functions = self.model.functions.iter().flat_map(|block| &block.items);
        let own: Vec<&FunctionDef> = functions.filter(|own| own.name.name == function).collect();
        if own.is_empty() {
            return None;
        }
        let forms = own.iter().map(|own| {
            let types = own.parameters.iter().map(|one| &one.parameter_type.kind);
            let result = own.return_type.iter().map(|result| &result.kind);
            let result = result.take(usize::from(with_result));
            types
                .chain(result)
                .enumerate()
                .map(|(place, kind)| own_axes(rank_of(kind), place))
                .collect()
        });
        Some(forms.collect())
    }
}

/// `_`, or letters that no other place of the form has.
fn own_axes(rank: usize, place: usize) -> String {
    if rank == 0 {
        return String::from("_");
    }
    // Two letters per place, from a part of the alphabet that rows do not use.
    let first = 0x4E00 + 2 * place as u32;
    (0..rank as u32)
        .filter_map(|axis| char::from_u32(first + axis))
        .collect()
}

fn rank_of(kind: &UnsizedKind) -> usize {
    match kind {
        UnsizedKind::Basic(base) => least_rank(*base),
        UnsizedKind::Array {
            dimensions,
            element,
        } => (dimensions + rank_of(&element.kind)).min(2),
        UnsizedKind::Tuple(_) => 0,
    }
}

/// The family of a density or distribution function called by name.
pub(in crate::equation) fn density_of(function: &str) -> Option<&str> {
    let suffixes = [
        "_lpdf", "_lpmf", "_lupdf", "_lupmf", "_lcdf", "_lccdf", "_cdf",
    ];
    suffixes
        .iter()
        .find_map(|suffix| function.strip_suffix(suffix))
}

/// The set whose size says how long a repetition is.
fn repeated_set(function: &str, arguments: &[Expr]) -> Option<SetId> {
    if ![
        "rep_vector",
        "rep_row_vector",
        "zeros_vector",
        "ones_vector",
    ]
    .contains(&function)
    {
        return None;
    }
    match arguments.last().map(|last| &last.kind) {
        Some(ExprKind::Size(set)) => Some(*set),
        _ => None,
    }
}

fn tokens(shape: &str) -> Vec<String> {
    shape.split([',', '>']).map(str::to_owned).collect()
}

/// Each of some arguments is a number or has the rank `most`; so is the result if any has.
fn elementwise_rows(arguments: usize, most: u8) -> Vec<Vec<u8>> {
    // No function of the library has more arguments than this.
    let arguments_shown = arguments.min(10);
    (0..1usize << arguments_shown)
        .map(|choice| {
            let bits = (0..arguments).map(|place| {
                if place < arguments_shown {
                    (choice >> place & 1) as u8 * most
                } else {
                    0
                }
            });
            let result = if choice == 0 { 0 } else { most };
            bits.chain(std::iter::once(result)).collect()
        })
        .collect()
}
