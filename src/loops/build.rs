//! Builds procedures: fresh ids, nested blocks, and the folding that costs nothing to do at once.

use super::{
    Buffer, BufferId, Cell, CellId, Message, MessageId, Op, Procedure, Role, Stmt, ValueId,
};
use crate::builtins::{Kind, Prim, Scalar};
use std::collections::BTreeMap;

/// Appends statements to the innermost open block of a procedure.
#[derive(Debug, Default)]
pub struct Builder {
    /// The procedure so far; its body is filled by [`Builder::finish`].
    pub procedure: Procedure,
    /// Open blocks, outermost first.
    blocks: Vec<Vec<Stmt>>,
    /// Constants of integers defined in the outermost block, so that each exists once.
    integers: BTreeMap<i64, ValueId>,
    /// The same of reals, by bits.
    reals: BTreeMap<u64, ValueId>,
    /// What defined each constant value: for folding.
    constants: BTreeMap<ValueId, Op>,
    /// What negations negate: for folding double ones.
    negations: BTreeMap<ValueId, ValueId>,
    /// Definitions of constants, put before everything else at the end.
    prologue: Vec<Stmt>,
}

impl Builder {
    /// An empty procedure of that name, with its outermost block open.
    pub fn new(name: &str) -> Builder {
        Builder {
            procedure: Procedure {
                name: name.to_string(),
                ..Procedure::default()
            },
            blocks: vec![Vec::new()],
            ..Builder::default()
        }
    }

    /// A builder that goes on with an existing procedure's tables and an empty body; it knows the constants that the
    /// old body defined at its top, which the caller must put first again.
    pub fn resume(mut procedure: Procedure) -> Builder {
        let body = std::mem::take(&mut procedure.body);
        let mut builder = Builder {
            procedure,
            blocks: vec![Vec::new()],
            ..Builder::default()
        };
        for stmt in &body {
            match stmt {
                Stmt::Let(value, Op::Int(constant)) => {
                    builder.integers.insert(*constant, *value);
                    builder.constants.insert(*value, Op::Int(*constant));
                }
                Stmt::Let(value, Op::Real(constant)) => {
                    builder.reals.insert(constant.to_bits(), *value);
                    builder.constants.insert(*value, Op::Real(*constant));
                }
                // Constants further down are not defined yet where new code may stand.
                _ => break,
            }
        }
        builder
    }

    /// A new value that nothing defines yet (a loop's variable).
    pub fn fresh(&mut self, kind: Kind) -> ValueId {
        self.procedure.fresh(kind)
    }

    /// The kind of a value.
    pub fn kind(&self, value: ValueId) -> Kind {
        self.procedure.values[value.0 as usize]
    }

    /// Appends a statement.
    pub fn push(&mut self, stmt: Stmt) {
        if let Some(block) = self.blocks.last_mut() {
            block.push(stmt);
        }
    }

    /// Defines a value by an operation that the caller knows not to fold.
    pub fn define(&mut self, kind: Kind, op: Op) -> ValueId {
        let value = self.fresh(kind);
        self.push(Stmt::Let(value, op));
        value
    }

    /// An integer constant.
    pub fn int(&mut self, constant: i64) -> ValueId {
        if let Some(&value) = self.integers.get(&constant) {
            return value;
        }
        let value = self.fresh(Kind::Int);
        self.prologue.push(Stmt::Let(value, Op::Int(constant)));
        self.integers.insert(constant, value);
        self.constants.insert(value, Op::Int(constant));
        value
    }

    /// A real constant.
    pub fn real(&mut self, constant: f64) -> ValueId {
        if let Some(&value) = self.reals.get(&constant.to_bits()) {
            return value;
        }
        let value = self.fresh(Kind::Real);
        self.prologue.push(Stmt::Let(value, Op::Real(constant)));
        self.reals.insert(constant.to_bits(), value);
        self.constants.insert(value, Op::Real(constant));
        value
    }

    fn scalar(&mut self, constant: Scalar) -> ValueId {
        match constant {
            Scalar::Int(constant) => self.int(constant),
            Scalar::Real(constant) => self.real(constant),
        }
    }

    /// The integer that a value is known to be.
    pub fn known_int(&self, value: ValueId) -> Option<i64> {
        match self.constants.get(&value) {
            Some(Op::Int(constant)) => Some(*constant),
            _ => None,
        }
    }

    /// The real that a value is known to be.
    pub fn known_real(&self, value: ValueId) -> Option<f64> {
        match self.constants.get(&value) {
            Some(Op::Real(constant)) => Some(*constant),
            _ => None,
        }
    }

    /// From here on an integer is known to be a constant, which its definition does not tell.
    pub fn assume(&mut self, value: ValueId, constant: i64) {
        self.constants.insert(value, Op::Int(constant));
    }

    /// The operation that defines a value in one of the open blocks.
    pub fn definition(&self, value: ValueId) -> Option<&Op> {
        let mut defined = self
            .blocks
            .iter()
            .rev()
            .flat_map(|block| block.iter().rev());
        defined.find_map(|stmt| match stmt {
            Stmt::Let(defined, op) if *defined == value => Some(op),
            _ => None,
        })
    }

    /// A primitive applied to values, folded where that is exact and free: see [`super::fold`](crate::loops).
    pub fn prim(&mut self, prim: Prim, args: &[ValueId]) -> ValueId {
        if let Some(value) = self.fold(prim, args) {
            return value;
        }
        let value = self.define(prim.result(), Op::Prim(prim, args.to_vec()));
        if prim == Prim::Not {
            self.negations.insert(value, args[0]);
        }
        value
    }

    /// `buffer[index]`
    pub fn load(&mut self, buffer: BufferId, index: ValueId) -> ValueId {
        let kind = self.procedure.buffers[buffer.0 as usize].kind;
        let known = self.known_int(index);
        let constant =
            known.and_then(|index| self.procedure.buffers[buffer.0 as usize].constant(index));
        if let Some(constant) = constant {
            return self.scalar(constant);
        }
        self.define(kind, Op::Load(buffer, index))
    }

    /// The current value of a cell.
    pub fn get(&mut self, cell: CellId) -> ValueId {
        let kind = self.procedure.cells[cell.0 as usize].kind;
        self.define(kind, Op::Get(cell))
    }

    /// A new cell.
    pub fn cell(&mut self, name: &str, kind: Kind) -> CellId {
        let id = CellId(self.procedure.cells.len() as u32);
        self.procedure.cells.push(Cell {
            name: name.to_string(),
            kind,
        });
        id
    }

    /// A new buffer.
    pub fn buffer(&mut self, name: &str, kind: Kind, len: usize, role: Role) -> BufferId {
        let id = BufferId(self.procedure.buffers.len() as u32);
        self.procedure.buffers.push(Buffer {
            name: name.to_string(),
            kind,
            len,
            role,
        });
        id
    }

    /// A new message.
    pub fn message(&mut self, message: Message) -> MessageId {
        let id = MessageId(self.procedure.messages.len() as u32);
        self.procedure.messages.push(message);
        id
    }

    /// Opens a nested block; statements go there until [`Builder::close`].
    pub fn open(&mut self) {
        self.blocks.push(Vec::new());
    }

    /// Closes the innermost nested block and returns its statements.
    pub fn close(&mut self) -> Vec<Stmt> {
        if self.blocks.len() > 1 {
            self.blocks.pop().unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// A loop over `start..end`; `body` gets the loop's variable.
    pub fn for_loop<E>(
        &mut self,
        start: ValueId,
        end: ValueId,
        reverse: bool,
        body: impl FnOnce(&mut Builder, ValueId) -> Result<(), E>,
    ) -> Result<(), E> {
        let var = self.fresh(Kind::Int);
        self.open();
        let outcome = body(self, var);
        let body = self.close();
        outcome?;
        self.push(Stmt::For {
            var,
            start,
            end,
            reverse,
            body,
        });
        Ok(())
    }

    /// The finished procedure.
    pub fn finish(mut self) -> Procedure {
        let mut body = std::mem::take(&mut self.prologue);
        body.append(&mut self.blocks.pop().unwrap_or_default());
        self.procedure.body = body;
        self.procedure
    }

    /// Integer arithmetic on constants and the neutral elements of arithmetic: exact on every input, NaN included.
    fn fold(&mut self, prim: Prim, args: &[ValueId]) -> Option<ValueId> {
        if let Some(scalar) = self.apply(prim, args) {
            return Some(self.scalar(scalar));
        }
        match (prim, args) {
            (Prim::Not, &[a]) => self
                .negations
                .get(&a)
                .copied()
                .filter(|&a| self.is_truth(a)),
            (Prim::ToReal, &[a]) => self.known_int(a).map(|a| self.real(a as f64)),
            (Prim::AddInt | Prim::SubInt | Prim::MulInt, &[a, b]) => self.fold_int(prim, a, b),
            (Prim::Mul, &[a, b]) => match (self.known_real(a), self.known_real(b)) {
                (Some(a), Some(b)) => Some(self.real(a * b)),
                (Some(1.0), None) => Some(b),
                (None, Some(1.0)) => Some(a),
                (Some(-1.0), None) => Some(self.prim(Prim::Neg, &[b])),
                (None, Some(-1.0)) => Some(self.prim(Prim::Neg, &[a])),
                _ => None,
            },
            (Prim::Div, &[a, b]) if self.known_real(b) == Some(1.0) => Some(a),
            (Prim::Add, &[a, b]) => match (self.known_real(a), self.known_real(b)) {
                (Some(a), Some(b)) => Some(self.real(a + b)),
                _ => None,
            },
            (Prim::Sub, &[a, b]) => match (self.known_real(a), self.known_real(b)) {
                (Some(a), Some(b)) => Some(self.real(a - b)),
                (None, Some(0.0)) => Some(a),
                _ => None,
            },
            (Prim::Neg, &[a]) => self.known_real(a).map(|a| self.real(-a)),
            (Prim::Pow, &[base, exponent]) => {
                let exponent = self.known_real(exponent)?;
                self.power(base, exponent)
            }
            _ => None,
        }
    }

    /// A power that a multiplication or two give, or a division.
    fn power(&mut self, base: ValueId, exponent: f64) -> Option<ValueId> {
        match exponent {
            1.0 => Some(base),
            2.0 => Some(self.prim(Prim::Square, &[base])),
            3.0 => {
                let square = self.prim(Prim::Square, &[base]);
                Some(self.prim(Prim::Mul, &[base, square]))
            }
            -1.0 => Some(self.prim(Prim::Inv, &[base])),
            _ => None,
        }
    }

    /// Whether a value is 0 or 1 by its definition in the innermost block (where conditions usually stand).
    fn is_truth(&self, value: ValueId) -> bool {
        self.blocks.iter().rev().flatten().any(|stmt| {
            matches!(stmt, Stmt::Let(defined, Op::Prim(prim, _)) if *defined == value && is_predicate(*prim))
        })
    }

    /// The result of a primitive whose arguments are all known.
    fn apply(&self, prim: Prim, args: &[ValueId]) -> Option<Scalar> {
        let known = args
            .iter()
            .map(|arg| match self.constants.get(arg)? {
                Op::Int(constant) => Some(Scalar::Int(*constant)),
                Op::Real(constant) => Some(Scalar::Real(*constant)),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        prim.apply(&known)
    }

    fn fold_int(&mut self, prim: Prim, a: ValueId, b: ValueId) -> Option<ValueId> {
        match (prim, self.known_int(a), self.known_int(b)) {
            (Prim::AddInt, Some(a), Some(b)) => a.checked_add(b).map(|sum| self.int(sum)),
            (Prim::SubInt, Some(a), Some(b)) => a.checked_sub(b).map(|sum| self.int(sum)),
            (Prim::MulInt, Some(a), Some(b)) => a.checked_mul(b).map(|sum| self.int(sum)),
            (Prim::AddInt, Some(0), None) => Some(b),
            (Prim::AddInt | Prim::SubInt, None, Some(0)) => Some(a),
            (Prim::MulInt, Some(1), None) => Some(b),
            (Prim::MulInt, None, Some(1)) => Some(a),
            (Prim::MulInt, Some(0), None) | (Prim::MulInt, None, Some(0)) => Some(self.int(0)),
            _ => None,
        }
    }
}

/// Whether a primitive's result is 0 or 1.
fn is_predicate(prim: Prim) -> bool {
    use Prim as P;
    matches!(
        prim,
        P::EqInt
            | P::NeInt
            | P::LtInt
            | P::LeInt
            | P::GtInt
            | P::GeInt
            | P::Eq
            | P::Ne
            | P::Lt
            | P::Le
            | P::Gt
            | P::Ge
            | P::Not
            | P::IsInf
            | P::IsNan
            | P::IntStep
    )
}
