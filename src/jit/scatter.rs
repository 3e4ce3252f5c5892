//! Scatter-adds on blocks: sums by group whose indices are data, carried out by the kernel that suits the indices' order.
//!
//! Code that adds to `table[group[i]]` round by round waits for memory whenever a group repeats the one before, which is
//! the rule where data are sorted. So the values of a block are kept, and a kernel adds them up when all are there.

use super::compile::{Affine, FunctionCompiler};
use super::lanes::{Class, Plan};
use super::symbols;
use super::vector::Group;
use crate::builtins::Prim;
use crate::kernels::simd::scatter::FEW;
use crate::loops::{BufferId, Op, Procedure, Role, Stmt, ValueId};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

/// Shorter runs than this on the average are not worth finding: each costs a mispredicted branch. From measurements:
/// runs of 8 take a third of the time of single additions, runs of 32 a tenth.
const SHORTEST_RUNS: usize = 4;

/// An addition waits for the last one to its cell if that is one of so many before it.
const RECENT: usize = 3;
/// Copies of cells pay if one addition in so many has to wait: those to 20 cells in no order take as long either way.
const WAITS: usize = 4;

/// The order in which indices come; it decides on the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Mostly as the one before.
    Runs,
    /// In any order, of few cells that often come again soon.
    Few,
}

impl Order {
    /// The order of indices; none if they are best added one by one.
    pub fn of(indices: &[i64]) -> Option<Order> {
        let changes = indices.windows(2).filter(|pair| pair[0] != pair[1]).count();
        if indices.len() >= SHORTEST_RUNS * (changes + 1) {
            return Some(Order::Runs);
        }
        let (least, most) = (indices.iter().min()?, indices.iter().max()?);
        let again = indices
            .windows(RECENT + 1)
            .filter(|recent| recent[..RECENT].contains(&recent[RECENT]));
        let few = most.checked_sub(*least)? < FEW as i64;
        (few && indices.len() < WAITS * again.count()).then_some(Order::Few)
    }
}

/// A statement `table[indices[place] + offset] += value`.
#[derive(Clone, Debug)]
pub(super) struct Scatter {
    table: BufferId,
    /// Integers known at binding.
    indices: BufferId,
    /// Up by one from round to round.
    place: ValueId,
    /// What is the same in all rounds, with how it goes into the index.
    offset: Vec<(Prim, ValueId)>,
    order: Order,
    /// What is added.
    pub value: ValueId,
}

impl Scatter {
    /// The scatter-add that a statement of a loop's body is, if a kernel suits it.
    pub fn new(procedure: &Procedure, plan: &Plan, body: &[Stmt], stmt: &Stmt) -> Option<Scatter> {
        let Stmt::Accumulate(table, index, value) = stmt else {
            return None;
        };
        if plan.class(*value) != Class::Reals || plan.ordered.contains(table) {
            return None;
        }
        let definition = |value: ValueId| {
            body.iter().find_map(|stmt| match stmt {
                Stmt::Let(defined, op) if *defined == value => Some(op),
                _ => None,
            })
        };
        let (mut index, mut offset) = (*index, Vec::new());
        let (indices, place) = loop {
            let (prim, varying, uniform) = match definition(index)? {
                Op::Load(buffer, place) => break (*buffer, *place),
                Op::Prim(prim @ Prim::AddInt, args) if plan.class(args[0]) == Class::Uniform => {
                    (*prim, args[1], args[0])
                }
                Op::Prim(prim @ (Prim::AddInt | Prim::SubInt), args) => (*prim, args[0], args[1]),
                _ => return None,
            };
            if plan.class(uniform) != Class::Uniform {
                return None;
            }
            offset.push((prim, uniform));
            index = varying;
        };
        let Role::ConstantInt(contents) = &procedure.buffers[indices.0 as usize].role else {
            return None;
        };
        if !matches!(plan.class(place), Class::Linear { .. }) {
            return None;
        }
        Some(Scatter {
            table: *table,
            indices,
            place,
            offset,
            order: Order::of(contents)?,
            value: *value,
        })
    }

    /// What is added to every index.
    fn offset(&self, compiler: &mut FunctionCompiler<'_, '_, '_>) -> Value {
        let mut offset = compiler.builder.ins().iconst(I64, 0);
        for (prim, value) in &self.offset {
            let part = compiler.value(*value);
            let ins = compiler.builder.ins();
            offset = match prim {
                Prim::AddInt => ins.iadd(offset, part),
                _ => ins.isub(offset, part),
            };
        }
        offset
    }
}

impl Group<'_, '_, '_, '_> {
    /// Adds the kept values of a block, of the rounds from one up to before another, to their cells.
    pub(super) fn scatter(&mut self, scatter: &Scatter, number: usize, from: Value, to: Value) {
        let values = i64::from(self.kept_at(number));
        let Class::Linear { base, constant } = self.plan.class(scatter.place) else {
            return;
        };
        let compiler = &mut *self.compiler;
        let first = compiler.further(from, base);
        let base = Some(first);
        let indices = compiler.element(scatter.indices, Affine { base, constant });
        let builder = &mut compiler.builder;
        let count = builder.ins().isub(to, from);
        let values = builder.ins().iadd_imm_s(compiler.own, values);
        let offset = scatter.offset(compiler);
        let nothing = Affine {
            base: None,
            constant: 0,
        };
        let table = compiler.element(scatter.table, nothing);
        let len = compiler.unit.procedure.buffers[scatter.table.0 as usize].len;
        let len = compiler.builder.ins().iconst(I64, len as i64);
        let address = symbols::scatter_symbol(scatter.order);
        let args = [values, indices, count, offset, table, len];
        compiler.call_shim(address, &args, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_told_apart() {
        let sorted: Vec<i64> = (0..200).map(|at| at / 5).collect();
        assert_eq!(Order::of(&sorted), Some(Order::Runs));
        let grouped: Vec<i64> = sorted.iter().map(|index| index * 7 % 41).collect();
        assert_eq!(Order::of(&grouped), Some(Order::Runs));
        assert_eq!(Order::of(&[3]), None);
        assert_eq!(Order::of(&[3; 4]), Some(Order::Runs));
        let alternating: Vec<i64> = (0..200).map(|at| at % 2).collect();
        assert_eq!(Order::of(&alternating), Some(Order::Few));
        let turns: Vec<i64> = (0..200).map(|at| at % 14).collect();
        assert_eq!(Order::of(&turns), None);
        let short: Vec<i64> = (0..200).map(|at| at / 2).collect();
        assert_eq!(Order::of(&short), None);
        assert_eq!(Order::of(&[]), None);
        assert_eq!(Order::of(&[i64::MIN, i64::MAX]), None);
    }
}
