//! The states and sensitivities of a small system of differential equations, all their derivatives by time in one procedure.
//!
//! A solver evaluates them several times a step. Row by row of the Jacobian, each row a call and a sweep of its own, a
//! system of two states spends most of that on the calls; written out, common subexpressions are computed once and
//! elements of the Jacobian that are zero by the form of the equations cost nothing.

use super::differentiate;
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, Builder, Cell, CellId, Op, Procedure, Role, Stmt, System, ValueId, blocks, written_in,
};
use std::collections::{BTreeMap, BTreeSet};

/// As many states as are written out at most; beyond, a system's right-hand side is a loop.
const MOST_STATES: usize = 8;
/// The products of the Jacobian and the sensitivities are written out up to this number, each three instructions or so.
const MOST_PRODUCTS: usize = 400;
/// The right-hand side is repeated per state up to so many statements in all: the limit that holds for unrolled loops too.
const MOST_STATEMENTS: usize = 600;

/// The procedure that [`System::coupled`] describes, if the system is small and prints nothing.
pub(super) fn couple(system: &System) -> Option<Procedure> {
    let problem = system.problem;
    let (n, columns) = (problem.states, problem.columns);
    let small = n <= MOST_STATES
        && n * n * columns <= MOST_PRODUCTS
        && n * size(&system.right_side.body)? <= MOST_STATEMENTS;
    if columns == 0 || !small || !system.right_side.systems.is_empty() {
        return None;
    }
    let components = components(&system.right_side, n)?;
    let first_parameter = columns - problem.parameters;
    let mut build = Builder::new(&format!("coupled {}", system.name));
    let mut buffer = |name, len, role| build.buffer(name, Kind::Real, len, role);
    buffer("point", n + problem.parameters, Role::Input(0));
    buffer("given", 1 + problem.given, Role::Input(1));
    let sensitivities = buffer("sensitivities", n * columns, Role::Input(2));
    let slope = buffer("slope", n + n * columns, Role::Output(0));
    let of_states = build.splice(&system.right_side);
    for state in 0..n {
        let index = build.int(state as i64);
        let value = build.load(*of_states.first()?, index);
        build.push(Stmt::Store(slope, index, value));
    }
    for (state, component) in components.into_iter().enumerate() {
        let gradient = differentiate(&component);
        let row = Row::of(&gradient, &mut build)?;
        for column in 0..columns {
            let products = (0..n).filter_map(|k| Some((row.element(k)?, column * n + k)));
            let products: Vec<_> = products.collect();
            let mut sum = None;
            for (factor, at) in products {
                let index = build.int(at as i64);
                let sensitivity = build.load(sensitivities, index);
                let product = build.prim(Prim::Mul, &[factor, sensitivity]);
                sum = Some(plus(&mut build, sum, product));
            }
            let parameter = column.checked_sub(first_parameter);
            if let Some(direct) = parameter.and_then(|parameter| row.element(n + parameter)) {
                sum = Some(plus(&mut build, sum, direct));
            }
            let sum = sum.unwrap_or_else(|| build.real(0.0));
            let index = build.int((n + column * n + state) as i64);
            build.push(Stmt::Store(slope, index, sum));
        }
    }
    Some(build.finish())
}

fn plus(build: &mut Builder, sum: Option<ValueId>, term: ValueId) -> ValueId {
    match sum {
        Some(sum) => build.prim(Prim::Add, &[sum, term]),
        None => term,
    }
}

/// A row of the Jacobian: the elements that may be other than zero.
struct Row(BTreeMap<usize, ValueId>);

impl Row {
    /// The row that a gradient's code, appended here, computes.
    fn of(gradient: &Procedure, build: &mut Builder) -> Option<Row> {
        let is_output = |buffer: &crate::loops::Buffer| matches!(buffer.role, Role::Output(0));
        let output = gradient.buffers.iter().position(is_output)?;
        let (id, len) = (BufferId(output as u32), gradient.buffers[output].len);
        let written = elements_written(gradient, id).unwrap_or((0..len).collect());
        let spliced = *build.splice(gradient).first()?;
        let mut row = BTreeMap::new();
        for element in written {
            let index = build.int(element as i64);
            row.insert(element, build.load(spliced, index));
        }
        Some(Row(row))
    }

    fn element(&self, at: usize) -> Option<ValueId> {
        self.0.get(&at).copied()
    }
}

/// The elements of a buffer that code writes, if they are constants all.
fn elements_written(procedure: &Procedure, buffer: BufferId) -> Option<BTreeSet<usize>> {
    let mut integers = BTreeMap::new();
    let mut written = BTreeSet::new();
    for stmt in &procedure.body {
        match stmt {
            Stmt::Let(value, Op::Int(constant)) => {
                integers.insert(*value, *constant);
            }
            Stmt::Store(to, index, _) | Stmt::Accumulate(to, index, _) if *to == buffer => {
                written.insert(usize::try_from(*integers.get(index)?).ok()?);
            }
            other if written_in(std::slice::from_ref(other)).contains(&buffer) => return None,
            _ => {}
        }
    }
    Some(written)
}

/// The procedures that compute one element each of the right-hand side, as their results.
fn components(right_side: &Procedure, states: usize) -> Option<Vec<Procedure>> {
    let is_output = |buffer: &crate::loops::Buffer| matches!(buffer.role, Role::Output(0));
    let output = BufferId(right_side.buffers.iter().position(is_output)? as u32);
    let mut rest = right_side.clone();
    rest.buffers[output.0 as usize].role = Role::Work;
    let mut integers = BTreeMap::new();
    let mut slopes = vec![None; states];
    for stmt in &right_side.body {
        match stmt {
            Stmt::Let(value, Op::Int(constant)) => {
                integers.insert(*value, *constant);
            }
            Stmt::Store(to, index, value) if *to == output => {
                let at = usize::try_from(*integers.get(index)?).ok()?;
                *slopes.get_mut(at)? = Some(*value);
            }
            other if written_in(std::slice::from_ref(other)).contains(&output) => return None,
            _ => {}
        }
    }
    rest.body
        .retain(|stmt| !matches!(stmt, Stmt::Store(to, ..) if *to == output));
    let total = CellId(rest.cells.len() as u32);
    rest.cells.push(Cell {
        name: "element".to_owned(),
        kind: Kind::Real,
    });
    rest.result = Some(total);
    let component = |slope: Option<ValueId>| {
        let mut component = rest.clone();
        component.body.push(Stmt::Add(total, slope?));
        Some(component)
    };
    slopes.into_iter().map(component).collect()
}

/// How many statements code has; none if it prints, which is not to be repeated.
fn size(stmts: &[Stmt]) -> Option<usize> {
    let mut size = stmts.len();
    for stmt in stmts {
        if let Stmt::Print { .. } = stmt {
            return None;
        }
        for block in blocks(stmt) {
            size += self::size(block)?;
        }
    }
    Some(size)
}
