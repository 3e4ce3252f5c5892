//! Sufficient statistics: a sum of squares over rows of data becomes one over groups of rows.
//!
//! The squares of a normal likelihood, (y[n] - alpha[g[n]] - beta x[n])², have terms that depend on the row through data
//! coefficients alone. With D the coefficients of the rows of a group and u the terms' values, their sum is |D u|² = |R u|²
//! for the triangular factor of D = Q R (Golub and Van Loan, *Matrix Computations*, section 5.2), which has as many rows as
//! there are terms, however many rows the data have. Nothing is lost to cancellation, as it would be with sums of products.

use crate::builtins::{Kind, Prim, Scalar};
use crate::loops::{
    Buffer, BufferId, CellId, Intrinsic, LinearAlgebra, MessageId, Op, Procedure, Role, Slice,
    Stmt, ValueId, rewrite_operands_here, written_in,
};
use nalgebra::DMatrix;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// More terms than this would make more code than they save work.
const MOST_TERMS: usize = 32;
/// Decompositions of more work than this (rows times squared terms) would make the user wait; a fraction of a second.
const MOST_WORK: usize = 100_000_000;
/// So many values of rows are held at once at most, in 16 bytes each.
const MOST_ENTRIES: usize = 10_000_000;

/// Replaces the loops of a log density that only add such squares; whether there are such. For densities, before
/// differentiation.
pub(super) fn summarise(procedure: &mut Procedure) -> bool {
    let body = std::mem::take(&mut procedure.body);
    let mut constants = BTreeMap::new();
    let mut products: BTreeMap<BufferId, Product> = BTreeMap::new();
    let mut changed = false;
    let mut result = Vec::with_capacity(body.len());
    for stmt in body {
        match &stmt {
            Stmt::Let(value, Op::Int(constant)) => {
                constants.insert(*value, Scalar::Int(*constant));
            }
            Stmt::Let(value, Op::Real(constant)) => {
                constants.insert(*value, Scalar::Real(*constant));
            }
            _ => {}
        }
        let written = written_in(std::slice::from_ref(&stmt));
        products.retain(|buffer, product| {
            !written.contains(buffer) && !written.contains(&product.vector)
        });
        if let Some((buffer, product)) = Product::of(procedure, &constants, &stmt) {
            products.insert(buffer, product);
        }
        let summary = Summary::of(procedure, &constants, &products, &stmt);
        match summary {
            Some(summary) => {
                summary.emit(procedure, &mut result);
                changed = true;
            }
            None => result.push(stmt),
        }
    }
    procedure.body = result;
    changed
}

/// A buffer that holds a constant matrix times a vector.
struct Product {
    matrix: BufferId,
    rows: usize,
    cols: usize,
    vector: BufferId,
    first: i64,
}

impl Product {
    fn of(
        procedure: &Procedure,
        constants: &BTreeMap<ValueId, Scalar>,
        stmt: &Stmt,
    ) -> Option<(BufferId, Product)> {
        let function = Intrinsic::Forward(LinearAlgebra::Product {
            transpose_left: false,
            transpose_right: false,
        });
        let Stmt::Call {
            function: called,
            inputs,
            outputs,
            ..
        } = stmt
        else {
            return None;
        };
        let (&[matrix, vector], &[output]) = (inputs.as_slice(), outputs.as_slice()) else {
            return None;
        };
        let known = |value: ValueId| constants.get(&value).map(|value| value.as_int());
        let shape =
            |slice: Slice| Some((known(slice.offset)?, known(slice.rows)?, known(slice.cols)?));
        let constant = matches!(
            procedure.buffers[matrix.buffer.0 as usize].role,
            Role::ConstantReal(_)
        );
        let ((0, rows, cols), (first, _, 1), (0, _, 1)) =
            (shape(matrix)?, shape(vector)?, shape(output)?)
        else {
            return None;
        };
        (*called == function && constant && cols as usize <= MOST_TERMS).then_some((
            output.buffer,
            Product {
                matrix: matrix.buffer,
                rows: rows as usize,
                cols: cols as usize,
                vector: vector.buffer,
                first,
            },
        ))
    }
}

/// Something in every round.
type Column = Rc<Vec<Scalar>>;

/// A term of a linear form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    /// 1.
    One,
    /// A value that is the same in all rounds, or in all of a group.
    Value(ValueId),
    /// An element of a buffer.
    Element(BufferId, i64),
}

/// What a whole form is multiplied with or divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Times(ValueId),
    Over(ValueId),
}

/// A sum of terms with coefficients of data.
#[derive(Clone, Debug)]
struct Affine {
    terms: BTreeMap<Term, Rc<Vec<f64>>>,
    factors: Vec<Factor>,
}

/// What a value of the body is.
#[derive(Clone, Debug)]
enum Form {
    /// Known in every round.
    Data(Column),
    /// The same in all rounds with the same data indices.
    Level,
    Affine(Affine),
    /// The absolute value of one.
    Size(Affine),
    /// Whether one is finite.
    Finite(Affine),
    /// The square of one, times factors.
    Square(Affine, Vec<Factor>),
}

/// A loop that can be replaced.
struct Summary {
    rounds: usize,
    /// The values of the body that are the same within a group, with their operations, in order.
    levels: Vec<(ValueId, Op)>,
    /// The groups: the numbers of their rounds, counted from the loop's first.
    groups: Vec<Vec<usize>>,
    /// Per index of data that levels are found by: its value in each group.
    indices: BTreeMap<ValueId, Vec<i64>>,
    /// What is added, and to which cell.
    squares: Vec<(CellId, Affine, Vec<Factor>)>,
    /// The linear forms that must be finite, with what to say where they are not.
    finite: Vec<(Affine, MessageId)>,
    /// Checks of levels.
    checks: Vec<Stmt>,
}

/// The analysis of a body.
struct Survey<'s> {
    procedure: &'s Procedure,
    constants: &'s BTreeMap<ValueId, Scalar>,
    products: &'s BTreeMap<BufferId, Product>,
    rounds: usize,
    forms: BTreeMap<ValueId, Form>,
    levels: Vec<(ValueId, Op)>,
    /// The data indices that levels are found by.
    indices: BTreeSet<ValueId>,
}

impl Summary {
    fn of(
        procedure: &Procedure,
        constants: &BTreeMap<ValueId, Scalar>,
        products: &BTreeMap<BufferId, Product>,
        stmt: &Stmt,
    ) -> Option<Summary> {
        let Stmt::For {
            var,
            start,
            end,
            body,
            ..
        } = stmt
        else {
            return None;
        };
        let known = |value: &ValueId| constants.get(value).map(|value| value.as_int());
        let (start, end) = (known(start)?, known(end)?);
        let rounds = usize::try_from(end - start).ok()?;
        let adds = body.iter().any(|stmt| matches!(stmt, Stmt::Add(..)));
        if rounds < 2 || !adds || rounds.saturating_mul(body.len()) > MOST_ENTRIES {
            return None;
        }
        let survey = |rounds: usize| {
            let variable = (start..).take(rounds).map(Scalar::Int).collect();
            let mut survey = Survey {
                procedure,
                constants,
                products,
                rounds,
                forms: BTreeMap::from([(*var, Form::Data(Rc::new(variable)))]),
                levels: Vec::new(),
                indices: BTreeSet::new(),
            };
            let mut summary = Summary::empty(rounds);
            for stmt in body {
                summary.stmt(&mut survey, stmt)?;
            }
            Some((summary, survey))
        };
        // One round says whether the body is of the form: most are not, and their rows' values need not be held to see that.
        survey(1)?;
        let (mut summary, survey) = survey(rounds)?;
        summary.group(&survey)?;
        summary.levels = survey.levels;
        summary.is_worthwhile().then_some(summary)
    }

    fn empty(rounds: usize) -> Summary {
        Summary {
            rounds,
            levels: Vec::new(),
            groups: Vec::new(),
            indices: BTreeMap::new(),
            squares: Vec::new(),
            finite: Vec::new(),
            checks: Vec::new(),
        }
    }

    fn stmt(&mut self, survey: &mut Survey<'_>, stmt: &Stmt) -> Option<()> {
        match stmt {
            Stmt::Let(value, op) => {
                let form = survey.form(*value, op)?;
                survey.forms.insert(*value, form);
            }
            Stmt::Add(cell, value) => match survey.forms.get(value)? {
                Form::Square(affine, factors) => {
                    self.squares.push((*cell, affine.clone(), factors.clone()));
                }
                _ => return None,
            },
            Stmt::Check {
                ok,
                message,
                values,
            } => match survey.forms.get(ok)? {
                Form::Finite(affine) => self.finite.push((affine.clone(), *message)),
                Form::Level
                    if values.iter().all(|value| {
                        matches!(survey.forms.get(value), None | Some(Form::Level))
                    }) =>
                {
                    self.checks.push(stmt.clone());
                }
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }

    /// Rounds with the same data indices are a group.
    fn group(&mut self, survey: &Survey<'_>) -> Option<()> {
        let columns: Vec<(ValueId, Column)> = survey
            .indices
            .iter()
            .map(|index| Some((*index, survey.column(*index)?)))
            .collect::<Option<_>>()?;
        let mut groups: BTreeMap<Vec<i64>, Vec<usize>> = BTreeMap::new();
        for round in 0..self.rounds {
            let key = columns.iter().map(|(_, column)| column[round].as_int());
            groups.entry(key.collect()).or_default().push(round);
        }
        for (at, (index, _)) in columns.iter().enumerate() {
            let of_groups = groups.keys().map(|key| key[at]).collect();
            self.indices.insert(*index, of_groups);
        }
        self.groups = groups.into_values().collect();
        Some(())
    }

    fn is_worthwhile(&self) -> bool {
        let is_covered = |form: &Affine| {
            self.squares
                .iter()
                .any(|(_, affine, _)| affine.covers(form))
        };
        self.finite.iter().all(|(form, _)| is_covered(form))
            && self.squares.iter().all(|(_, affine, _)| {
                let terms = affine.terms.len();
                let entries = terms * (terms + 1) / 2;
                terms <= MOST_TERMS
                    && self.rounds.saturating_mul(terms * terms) <= MOST_WORK
                    && self.groups.len() * entries * 2 <= self.rounds * (terms + 2)
            })
    }

    /// The loop over groups.
    fn emit(self, procedure: &mut Procedure, code: &mut Vec<Stmt>) {
        let mut writer = Writer {
            procedure,
            code,
            body: Vec::new(),
            group: ValueId(0),
            renamed: BTreeMap::new(),
        };
        writer.group = writer.procedure.fresh(Kind::Int);
        let mut elements = BTreeMap::new();
        for (_, affine, _) in &self.squares {
            for term in affine.terms.keys() {
                if let Term::Element(buffer, at) = term {
                    elements
                        .entry(*term)
                        .or_insert_with(|| writer.element(*buffer, *at));
                }
            }
        }
        for (index, of_groups) in &self.indices {
            let role = Role::ConstantInt(of_groups.clone().into());
            let value = writer.entry(Kind::Int, of_groups.len(), role);
            writer.renamed.insert(*index, value);
        }
        for (value, op) in &self.levels {
            writer.level(*value, op);
        }
        for check in &self.checks {
            writer.check(check);
        }
        for (cell, affine, factors) in &self.squares {
            let sum = writer.sum_of_squares(affine, &self.groups, &elements);
            for (form, message) in &self.finite {
                if affine.covers(form) {
                    writer.check_finite(sum, *message);
                }
            }
            let mut term = sum;
            for factor in affine.factors.iter().chain(&affine.factors).chain(factors) {
                term = writer.scaled(term, *factor);
            }
            writer.body.push(Stmt::Add(*cell, term));
        }
        writer.finish(self.groups.len());
    }
}

impl Survey<'_> {
    fn form(&mut self, value: ValueId, op: &Op) -> Option<Form> {
        let form = self.form_of(op)?;
        if matches!(form, Form::Level) {
            self.levels.push((value, op.clone()));
        }
        Some(form)
    }

    /// What a value is in every round, if data tell.
    fn column(&self, value: ValueId) -> Option<Column> {
        match self.forms.get(&value) {
            Some(Form::Data(column)) => Some(column.clone()),
            Some(_) => None,
            None => {
                let constant = *self.constants.get(&value)?;
                Some(Rc::new(vec![constant; self.rounds]))
            }
        }
    }

    fn is_level(&self, value: ValueId) -> bool {
        matches!(self.forms.get(&value), None | Some(Form::Level))
    }

    fn form_of(&mut self, op: &Op) -> Option<Form> {
        match op {
            Op::Real(value) => Some(Form::Data(Rc::new(vec![Scalar::Real(*value); self.rounds]))),
            Op::Int(value) => Some(Form::Data(Rc::new(vec![Scalar::Int(*value); self.rounds]))),
            Op::Load(buffer, index) => self.load(*buffer, *index),
            Op::Prim(prim, args) => {
                let columns: Option<Vec<Column>> =
                    args.iter().map(|arg| self.column(*arg)).collect();
                if let Some(columns) = columns {
                    let at = |round: usize| -> Option<Scalar> {
                        let args: Vec<Scalar> =
                            columns.iter().map(|column| column[round]).collect();
                        prim.apply(&args)
                    };
                    let column = (0..self.rounds).map(at).collect::<Option<Vec<_>>>()?;
                    return Some(Form::Data(Rc::new(column)));
                }
                if args.iter().all(|arg| self.is_level(*arg)) {
                    return Some(Form::Level);
                }
                self.arithmetic(*prim, args)
            }
            Op::Select(condition, then, otherwise) => [condition, then, otherwise]
                .into_iter()
                .all(|arg| self.is_level(*arg))
                .then_some(Form::Level),
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => None,
        }
    }

    fn load(&mut self, buffer: BufferId, index: ValueId) -> Option<Form> {
        let place = self.column(index)?;
        let declared = &self.procedure.buffers[buffer.0 as usize];
        if matches!(declared.role, Role::ConstantReal(_) | Role::ConstantInt(_)) {
            let element = |place: &Scalar| declared.constant(place.as_int());
            let column = place.iter().map(element).collect::<Option<_>>()?;
            return Some(Form::Data(Rc::new(column)));
        }
        if let Some(product) = self.products.get(&buffer) {
            return self.row_of_product(product, &place);
        }
        self.indices.insert(index);
        Some(Form::Level)
    }

    /// A row of a constant matrix times a vector.
    fn row_of_product(&self, product: &Product, place: &Column) -> Option<Form> {
        let Role::ConstantReal(contents) = &self.procedure.buffers[product.matrix.0 as usize].role
        else {
            return None;
        };
        let mut terms = BTreeMap::new();
        for col in 0..product.cols {
            let coefficient = |row: &Scalar| {
                let row = usize::try_from(row.as_int()).ok()?;
                contents.get(row + col * product.rows).copied()
            };
            let column = place
                .iter()
                .map(coefficient)
                .collect::<Option<Vec<f64>>>()?;
            let term = Term::Element(product.vector, product.first + col as i64);
            terms.insert(term, Rc::new(column));
        }
        Some(Form::Affine(Affine {
            terms,
            factors: Vec::new(),
        }))
    }

    /// A value as a linear form.
    fn affine(&self, value: ValueId) -> Option<Affine> {
        let alone = |term: Term, column: Vec<f64>| Affine {
            terms: BTreeMap::from([(term, Rc::new(column))]),
            factors: Vec::new(),
        };
        match self.forms.get(&value) {
            Some(Form::Affine(affine)) => Some(affine.clone()),
            Some(Form::Data(column)) => {
                let numbers = column.iter().map(|value| value.as_real()).collect();
                Some(alone(Term::One, numbers))
            }
            Some(Form::Level) => Some(alone(Term::Value(value), vec![1.0; self.rounds])),
            None => match self.constants.get(&value) {
                Some(constant) => Some(alone(Term::One, vec![constant.as_real(); self.rounds])),
                None => Some(alone(Term::Value(value), vec![1.0; self.rounds])),
            },
            Some(_) => None,
        }
    }

    fn arithmetic(&self, prim: Prim, args: &[ValueId]) -> Option<Form> {
        match (prim, args) {
            (Prim::Add, &[a, b]) => {
                Some(Form::Affine(self.affine(a)?.plus(&self.affine(b)?, 1.0)?))
            }
            (Prim::Sub, &[a, b]) => {
                Some(Form::Affine(self.affine(a)?.plus(&self.affine(b)?, -1.0)?))
            }
            (Prim::Neg, &[a]) => match self.forms.get(&a)? {
                Form::Affine(affine) => Some(Form::Affine(affine.times(|_| -1.0))),
                _ => None,
            },
            (Prim::Fma, &[a, b, c]) => {
                let Form::Affine(product) = self.product(a, b)? else {
                    return None;
                };
                Some(Form::Affine(product.plus(&self.affine(c)?, 1.0)?))
            }
            (Prim::Square, &[a]) => match self.forms.get(&a)? {
                Form::Affine(affine) => Some(Form::Square(affine.clone(), Vec::new())),
                _ => None,
            },
            (Prim::Mul, &[a, b]) if a == b => self.arithmetic(Prim::Square, &[a]),
            (Prim::Mul, &[a, b]) => self.product(a, b),
            (Prim::Div, &[a, b]) => self.quotient(a, b),
            (Prim::Abs, &[a]) => match self.forms.get(&a)? {
                Form::Affine(affine) => Some(Form::Size(affine.clone())),
                _ => None,
            },
            (Prim::Lt, &[a, b]) => match (self.forms.get(&a)?, self.constants.get(&b)?) {
                (Form::Size(affine), Scalar::Real(f64::INFINITY)) => {
                    Some(Form::Finite(affine.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn product(&self, a: ValueId, b: ValueId) -> Option<Form> {
        for (form, other) in [(a, b), (b, a)] {
            let constant = self.column(other);
            match (self.forms.get(&form), constant) {
                (Some(Form::Affine(affine)), Some(column)) => {
                    return Some(Form::Affine(affine.times(|round| column[round].as_real())));
                }
                (Some(Form::Affine(affine)), None) if self.is_level(other) => {
                    return Some(Form::Affine(affine.with(Factor::Times(other))));
                }
                (Some(Form::Square(affine, factors)), _) if self.is_level(other) => {
                    let mut factors = factors.clone();
                    factors.push(Factor::Times(other));
                    return Some(Form::Square(affine.clone(), factors));
                }
                // Data times a level.
                (Some(Form::Data(column)), None) if self.is_level(other) => {
                    let level = self.affine(other)?;
                    return Some(Form::Affine(level.times(|round| column[round].as_real())));
                }
                _ => {}
            }
        }
        None
    }

    fn quotient(&self, a: ValueId, b: ValueId) -> Option<Form> {
        match (self.forms.get(&a)?, self.column(b)) {
            (Form::Affine(affine), Some(column)) => Some(Form::Affine(
                affine.times(|round| 1.0 / column[round].as_real()),
            )),
            (Form::Affine(affine), None) if self.is_level(b) => {
                Some(Form::Affine(affine.with(Factor::Over(b))))
            }
            (Form::Square(affine, factors), _) if self.is_level(b) => {
                let mut factors = factors.clone();
                factors.push(Factor::Over(b));
                Some(Form::Square(affine.clone(), factors))
            }
            _ => None,
        }
    }
}

impl Affine {
    /// The sum of this and so many times another, if they have the same factors.
    fn plus(&self, other: &Affine, times: f64) -> Option<Affine> {
        if self.factors != other.factors {
            return None;
        }
        let mut sum = self.clone();
        for (term, column) in &other.terms {
            let own = sum.terms.get(term).cloned();
            let added = column.iter().enumerate().map(|(round, coefficient)| {
                own.as_ref().map_or(0.0, |own| own[round]) + times * coefficient
            });
            sum.terms.insert(*term, Rc::new(added.collect()));
        }
        Some(sum)
    }

    /// All coefficients times one number per round.
    fn times(&self, number: impl Fn(usize) -> f64) -> Affine {
        let mut product = self.clone();
        for column in product.terms.values_mut() {
            let scaled = column.iter().enumerate();
            *column = Rc::new(scaled.map(|(round, own)| own * number(round)).collect());
        }
        product
    }

    fn with(&self, factor: Factor) -> Affine {
        let mut scaled = self.clone();
        scaled.factors.push(factor);
        scaled
    }

    /// Whether this cannot be finite where another is not: it has all its terms.
    fn covers(&self, other: &Affine) -> bool {
        let mut terms = other.terms.keys();
        terms.all(|term| *term == Term::One || self.terms.contains_key(term))
    }

    /// The triangular factors of the groups' coefficients: per row and column of the triangle, an entry per group. Columns
    /// are the terms in order, but for the constant, which comes last so that its entry alone is what no term explains.
    fn triangles(&self, groups: &[Vec<usize>]) -> Vec<(usize, Term, Vec<f64>)> {
        let mut terms: Vec<(Term, &Rc<Vec<f64>>)> = self
            .terms
            .iter()
            .map(|(term, column)| (*term, column))
            .collect();
        terms.sort_by_key(|(term, _)| *term == Term::One);
        let mut entries = Vec::new();
        for row in 0..terms.len() {
            for (term, _) in &terms[row..] {
                entries.push((row, *term, Vec::with_capacity(groups.len())));
            }
        }
        for group in groups {
            let rows = DMatrix::from_fn(group.len(), terms.len(), |row, col| {
                terms[col].1[group[row]]
            });
            let triangle = rows.qr().unpack_r();
            let mut entry = entries.iter_mut();
            for row in 0..terms.len() {
                for col in row..terms.len() {
                    let value = if row < triangle.nrows() {
                        triangle[(row, col)]
                    } else {
                        0.0
                    };
                    if let Some((_, _, of_groups)) = entry.next() {
                        of_groups.push(value);
                    }
                }
            }
        }
        entries
    }
}

/// Writes the loop over groups.
struct Writer<'w> {
    procedure: &'w mut Procedure,
    /// Code before the loop, and the loop in the end.
    code: &'w mut Vec<Stmt>,
    body: Vec<Stmt>,
    /// The loop's variable.
    group: ValueId,
    /// What stands for the values of the old body.
    renamed: BTreeMap<ValueId, ValueId>,
}

impl Writer<'_> {
    fn now(&self, value: ValueId) -> ValueId {
        self.renamed.get(&value).copied().unwrap_or(value)
    }

    fn define(&mut self, kind: Kind, op: Op) -> ValueId {
        let value = self.procedure.fresh(kind);
        self.body.push(Stmt::Let(value, op));
        value
    }

    fn prim(&mut self, prim: Prim, args: &[ValueId]) -> ValueId {
        self.define(prim.result(), Op::Prim(prim, args.to_vec()))
    }

    /// A buffer's element, before the loop.
    fn element(&mut self, buffer: BufferId, at: i64) -> ValueId {
        let (index, value) = (
            self.procedure.fresh(Kind::Int),
            self.procedure.fresh(Kind::Real),
        );
        self.code.push(Stmt::Let(index, Op::Int(at)));
        self.code.push(Stmt::Let(value, Op::Load(buffer, index)));
        value
    }

    /// The group's entry of a table.
    fn entry(&mut self, kind: Kind, len: usize, role: Role) -> ValueId {
        let buffer = BufferId(self.procedure.buffers.len() as u32);
        self.procedure.buffers.push(Buffer {
            name: "statistic".to_string(),
            kind,
            len,
            role,
        });
        self.define(kind, Op::Load(buffer, self.group))
    }

    fn level(&mut self, value: ValueId, op: &Op) {
        let kind = self.procedure.values[value.0 as usize];
        let now = self.procedure.fresh(kind);
        let mut stmt = Stmt::Let(now, op.clone());
        rewrite_operands_here(&mut stmt, &mut |operand| self.now(operand));
        self.body.push(stmt);
        self.renamed.insert(value, now);
    }

    fn check(&mut self, check: &Stmt) {
        let mut check = check.clone();
        rewrite_operands_here(&mut check, &mut |operand| self.now(operand));
        self.body.push(check);
    }

    /// |R u|² of the group.
    fn sum_of_squares(
        &mut self,
        affine: &Affine,
        groups: &[Vec<usize>],
        elements: &BTreeMap<Term, ValueId>,
    ) -> ValueId {
        let mut rows: Vec<Option<ValueId>> = vec![None; affine.terms.len()];
        for (row, term, of_groups) in affine.triangles(groups) {
            // A group of one row, or terms that go together, leave rows of zeros.
            if of_groups.iter().all(|entry| *entry == 0.0) {
                continue;
            }
            let entry = self.entry(
                Kind::Real,
                of_groups.len(),
                Role::ConstantReal(of_groups.into()),
            );
            let product = match term {
                Term::One => entry,
                Term::Value(value) => self.prim(Prim::Mul, &[entry, self.now(value)]),
                Term::Element(..) => self.prim(Prim::Mul, &[entry, elements[&term]]),
            };
            rows[row] = Some(match rows[row] {
                Some(sum) => self.prim(Prim::Add, &[sum, product]),
                None => product,
            });
        }
        let mut sum = None;
        for row in rows.into_iter().flatten() {
            let square = self.prim(Prim::Square, &[row]);
            sum = Some(match sum {
                Some(sum) => self.prim(Prim::Add, &[sum, square]),
                None => square,
            });
        }
        match sum {
            Some(sum) => sum,
            None => self.define(Kind::Real, Op::Real(0.0)),
        }
    }

    /// The sum of squares is finite if and only if, overflow aside, what is squared is finite in every row.
    fn check_finite(&mut self, sum: ValueId, message: MessageId) {
        let size = self.prim(Prim::Abs, &[sum]);
        let infinity = self.define(Kind::Real, Op::Real(f64::INFINITY));
        let ok = self.prim(Prim::Lt, &[size, infinity]);
        self.body.push(Stmt::Check {
            ok,
            message,
            values: vec![sum],
        });
    }

    fn scaled(&mut self, value: ValueId, factor: Factor) -> ValueId {
        match factor {
            Factor::Times(by) => self.prim(Prim::Mul, &[value, self.now(by)]),
            Factor::Over(by) => self.prim(Prim::Div, &[value, self.now(by)]),
        }
    }

    fn finish(self, groups: usize) {
        let (start, end) = (
            self.procedure.fresh(Kind::Int),
            self.procedure.fresh(Kind::Int),
        );
        self.code.push(Stmt::Let(start, Op::Int(0)));
        self.code.push(Stmt::Let(end, Op::Int(groups as i64)));
        self.code.push(Stmt::For {
            var: self.group,
            start,
            end,
            reverse: false,
            body: self.body,
        });
    }
}
