//! Loops whose rounds need different code: rounds that agree in what must be known make one loop each.
//!
//! A segment of ragged data has another length in every round, and lengths must be known before the code is made. Few
//! lengths are different, so the rounds fall into few classes, in each of which the length is a constant; unrolling, which
//! makes code for every row of the data, is left for the rest.

use super::environment::Binding;
use super::outcome::Lowered;
use super::procedure::Lowering;
use super::view::Val;
use crate::builtins::{Kind, Scalar};
use crate::ir::{Stmt as IrStmt, StmtKind, VarId};
use crate::loops::{Op, Role, ValueId};
use std::collections::{BTreeMap, BTreeSet};

/// A loop is cut into so many classes at most; a guess: each has its own machine code.
const MOST_CLASSES: usize = 32;

/// A loop that is being lowered for rounds of one class.
#[derive(Debug)]
pub(super) struct Class {
    /// The variable of the loop over the class's rounds; none before there is one.
    var: Option<ValueId>,
    /// What was asked in the rounds so far, and has this answer in all of them.
    answers: Vec<i64>,
    /// How many of the answers were given in the current attempt.
    given: usize,
}

/// Something that must be known but differs between the rounds of a loop.
#[derive(Debug)]
pub(super) struct Question {
    /// The loop's variable.
    var: ValueId,
    /// The value in each round, from `first` on.
    answers: Vec<i64>,
}

/// What the loop in question is.
#[derive(Clone, Copy)]
struct Loop<'a> {
    var: VarId,
    body: &'a [IrStmt],
}

impl Lowering<'_> {
    /// An integer that must be known now: a constant, or the same in all rounds of the class at hand.
    pub fn required_int(&mut self, value: ValueId) -> Option<i64> {
        if let Some(known) = self.builder.known_int(value) {
            return Some(known);
        }
        let (var, steps) = self.derivation(value)?;
        let class = self
            .classes
            .iter_mut()
            .find(|class| class.var == Some(var))?;
        if let Some(&answer) = class.answers.get(class.given) {
            class.given += 1;
            self.builder.assume(value, answer);
            return Some(answer);
        }
        let &(first, last) = self.ranges.get(&var)?;
        let answers = (first..=last).map(|round| self.derived(value, var, round, &steps));
        let answers = answers.collect::<Option<Vec<i64>>>();
        self.question = answers.map(|answers| Question { var, answers });
        None
    }

    /// Lowers a loop that stays one, or one loop for each class of its rounds.
    pub fn kept_loop(&mut self, var: VarId, first: i64, last: i64, body: &[IrStmt]) -> Lowered<()> {
        self.settle(&[body]);
        let whole = Loop { var, body };
        self.class((first..=last).collect(), Vec::new(), whole)?;
        self.forget(&[body]);
        Ok(())
    }

    /// Whether the last failure asked for something that another loop around has to answer.
    pub fn asks_further_out(&self) -> bool {
        self.question.is_some()
    }

    /// Lowers some rounds of a loop, in which what was asked so far has these answers.
    fn class(&mut self, rounds: Vec<i64>, answers: Vec<i64>, whole: Loop<'_>) -> Lowered<()> {
        let (env, returns) = (self.env.clone(), self.returns.clone());
        self.question = None;
        self.builder.open();
        self.classes.push(Class {
            var: None,
            answers: answers.clone(),
            given: 0,
        });
        let outcome = self.rounds_of_class(&rounds, whole);
        let var = self.classes.pop().and_then(|class| class.var);
        let code = self.builder.close();
        let failure = match outcome {
            Ok(()) => {
                code.into_iter().for_each(|stmt| self.builder.push(stmt));
                return Ok(());
            }
            Err(failure) => failure,
        };
        let Some(question) = self.question.take_if(|question| Some(question.var) == var) else {
            return Err(failure);
        };
        self.env = env;
        self.returns = returns;
        let mut classes: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (&round, &answer) in rounds.iter().zip(&question.answers) {
            classes.entry(answer).or_default().push(round);
        }
        if classes.len() > MOST_CLASSES || !is_free_of_order(whole.body) {
            return Err(failure);
        }
        for (answer, rounds) in classes {
            let answers = answers.iter().copied().chain([answer]).collect();
            self.class(rounds, answers, whole)?;
        }
        Ok(())
    }

    fn rounds_of_class(&mut self, rounds: &[i64], whole: Loop<'_>) -> Lowered<()> {
        let (Some(&first), Some(&last)) = (rounds.first(), rounds.last()) else {
            return Ok(());
        };
        // Rounds that follow each other need no table of their numbers.
        let consecutive = (last - first) as usize == rounds.len() - 1;
        let (start, end, table) = if consecutive {
            (first, last + 1, None)
        } else {
            let role = Role::ConstantInt(rounds.to_vec().into());
            let table = (self.builder).buffer("rounds", Kind::Int, rounds.len(), role);
            self.extremes.insert(table, (first, last));
            (0, rounds.len() as i64, Some(table))
        };
        let (start, end) = (self.int(start), self.int(end));
        self.residual_loop(start, end, &mut |lowering, index| {
            if let Some(class) = lowering.classes.last_mut() {
                class.var = Some(index);
            }
            let round = match table {
                Some(table) => lowering.builder.load(table, index),
                None => index,
            };
            lowering.ranges.insert(round, (first, last));
            let round = Binding::Fixed(Val::Scalar(round));
            lowering.env.set(whole.var, round);
            lowering.statements(whole.body)
        })
    }

    /// The one loop variable that a value comes from, and the values on the way, each after what it needs; `None` if it
    /// comes from anything but constants and that.
    fn derivation(&self, value: ValueId) -> Option<(ValueId, Vec<(ValueId, Op)>)> {
        let mut steps = Vec::new();
        let mut vars = BTreeSet::new();
        self.derive(value, &mut steps, &mut BTreeSet::new(), &mut vars)?;
        match vars.len() {
            1 => Some((vars.pop_first()?, steps)),
            _ => None,
        }
    }

    fn derive(
        &self,
        value: ValueId,
        steps: &mut Vec<(ValueId, Op)>,
        seen: &mut BTreeSet<ValueId>,
        vars: &mut BTreeSet<ValueId>,
    ) -> Option<()> {
        if !seen.insert(value) || self.known_scalar(value).is_some() {
            return Some(());
        }
        if self.loops.contains(&value) {
            vars.insert(value);
            return Some(());
        }
        let op = self.builder.definition(value)?.clone();
        match &op {
            Op::Prim(..) | Op::Select(..) => {}
            Op::Load(buffer, _) => match self.builder.procedure.buffers[buffer.0 as usize].role {
                Role::ConstantInt(_) | Role::ConstantReal(_) => {}
                _ => return None,
            },
            _ => return None,
        }
        for operand in op.operands() {
            self.derive(operand, steps, seen, vars)?;
        }
        steps.push((value, op));
        Some(())
    }

    fn known_scalar(&self, value: ValueId) -> Option<Scalar> {
        let int = self.builder.known_int(value).map(Scalar::Int);
        int.or_else(|| self.builder.known_real(value).map(Scalar::Real))
    }

    /// What a derived integer is in one round.
    fn derived(
        &self,
        value: ValueId,
        var: ValueId,
        round: i64,
        steps: &[(ValueId, Op)],
    ) -> Option<i64> {
        let mut found = BTreeMap::from([(var, Scalar::Int(round))]);
        for (step, op) in steps {
            let of = |value: ValueId| {
                found
                    .get(&value)
                    .copied()
                    .or_else(|| self.known_scalar(value))
            };
            let result = op.known(&self.builder.procedure.buffers, of)?;
            found.insert(*step, result);
        }
        match found.get(&value)? {
            Scalar::Int(value) => Some(*value),
            Scalar::Real(_) => None,
        }
    }
}

/// Whether rounds may run in another order: they assign nothing but what they declare themselves, print nothing and draw
/// nothing that is kept.
fn is_free_of_order(body: &[IrStmt]) -> bool {
    let mut declared = BTreeSet::new();
    body.iter().all(|stmt| keeps_to_itself(stmt, &mut declared))
}

fn keeps_to_itself(stmt: &IrStmt, declared: &mut BTreeSet<VarId>) -> bool {
    let all = |stmts: &[IrStmt], declared: &mut BTreeSet<VarId>| {
        stmts.iter().all(|stmt| keeps_to_itself(stmt, declared))
    };
    match &stmt.kind {
        StmtKind::Declare(var) => {
            declared.insert(*var);
            true
        }
        StmtKind::Assign { target, .. } => declared.contains(target),
        StmtKind::AddTarget(_) | StmtKind::AddJacobian(_) | StmtKind::Validate(_) => true,
        StmtKind::For { body, .. }
        | StmtKind::ForEach { body, .. }
        | StmtKind::While { body, .. }
        | StmtKind::Block(body) => all(body, declared),
        StmtKind::If {
            then, otherwise, ..
        } => all(then, declared) && all(otherwise, declared),
        _ => false,
    }
}
