//! Scalars of the code: integers with their ranges, reals, checks and their messages.

use super::outcome::Lowered;
use super::procedure::Lowering;
use super::view::{Operand, Pick, Source, View};
use crate::builtins::{Kind, Prim};
use crate::loops::{Message, MessageKind, Part, Stmt, ValueId};
use crate::source::Span;
use std::rc::Rc;

impl Lowering<'_> {
    /// A primitive of scalars; integer results get a range where one follows.
    pub fn prim(&mut self, prim: Prim, args: &[ValueId]) -> ValueId {
        let value = self.builder.prim(prim, args);
        if self.builder.kind(value) == Kind::Int
            && !self.ranges.contains_key(&value)
            && let Some(range) = self.range_of_prim(prim, args)
        {
            self.ranges.insert(value, range);
        }
        value
    }

    pub fn add_int(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.prim(Prim::AddInt, &[a, b])
    }

    pub fn sub_int(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.prim(Prim::SubInt, &[a, b])
    }

    pub fn mul_int(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.prim(Prim::MulInt, &[a, b])
    }

    /// The least and greatest value that an integer can have, if known.
    pub fn range(&self, value: ValueId) -> Option<(i64, i64)> {
        match self.builder.known_int(value) {
            Some(constant) => Some((constant, constant)),
            None => self.ranges.get(&value).copied(),
        }
    }

    fn range_of_prim(&self, prim: Prim, args: &[ValueId]) -> Option<(i64, i64)> {
        let range = |position: usize| self.range(*args.get(position)?);
        match prim {
            Prim::AddInt => {
                let (a, b) = (range(0)?, range(1)?);
                Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
            }
            Prim::SubInt => {
                let (a, b) = (range(0)?, range(1)?);
                Some((a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?))
            }
            Prim::MulInt => {
                let (a, b) = (range(0)?, range(1)?);
                let products = [
                    a.0.checked_mul(b.0)?,
                    a.0.checked_mul(b.1)?,
                    a.1.checked_mul(b.0)?,
                    a.1.checked_mul(b.1)?,
                ];
                Some((*products.iter().min()?, *products.iter().max()?))
            }
            Prim::NegInt => range(0).map(|(low, high)| (-high, -low)),
            Prim::MinInt => {
                let (a, b) = (range(0)?, range(1)?);
                Some((a.0.min(b.0), a.1.min(b.1)))
            }
            Prim::MaxInt => {
                let (a, b) = (range(0)?, range(1)?);
                Some((a.0.max(b.0), a.1.max(b.1)))
            }
            Prim::EqInt
            | Prim::NeInt
            | Prim::LtInt
            | Prim::LeInt
            | Prim::GtInt
            | Prim::GeInt
            | Prim::Eq
            | Prim::Ne
            | Prim::Lt
            | Prim::Le
            | Prim::Gt
            | Prim::Ge
            | Prim::Not
            | Prim::IntStep
            | Prim::IsInf
            | Prim::IsNan => Some((0, 1)),
            _ => None,
        }
    }

    /// offset + Σ index · stride
    pub fn linear(&mut self, offset: ValueId, strides: &[ValueId], indexes: &[ValueId]) -> ValueId {
        let mut at = offset;
        for (&stride, &index) in strides.iter().zip(indexes) {
            let step = self.mul_int(index, stride);
            at = self.add_int(at, step);
        }
        at
    }

    /// An element of a view, by its indexes from 0.
    pub fn element(&mut self, view: &Rc<View>, indexes: &[ValueId]) -> Lowered<ValueId> {
        match &view.source {
            Source::Strided {
                buffer,
                offset,
                strides,
            } => {
                let at = self.linear(*offset, strides, indexes);
                let value = self.builder.load(*buffer, at);
                if let Some(&extremes) = self.extremes.get(buffer) {
                    self.ranges.entry(value).or_insert(extremes);
                }
                Ok(value)
            }
            Source::Fill(value) => Ok(*value),
            Source::Map(prim, operands) => {
                let mut args = Vec::with_capacity(operands.len());
                for operand in operands {
                    args.push(match operand {
                        Operand::Scalar(value) => *value,
                        Operand::View(view) => self.element(view, indexes)?,
                    });
                }
                Ok(self.prim(*prim, &args))
            }
            Source::Part(base, picks) => {
                let inner = self.picked(picks, indexes)?;
                self.element(base, &inner)
            }
            Source::Transposed(base) => {
                let mut inner = indexes.to_vec();
                inner.reverse();
                self.element(base, &inner)
            }
            Source::RowSums { matrix, vector } => {
                let mut sum: Option<ValueId> = None;
                for (column, &factor) in vector.iter().enumerate() {
                    let column = self.int(column as i64);
                    let entry = self.element(matrix, &[indexes[0], column])?;
                    let product = self.prim(Prim::Mul, &[entry, factor]);
                    sum = Some(match sum {
                        None => product,
                        Some(sum) => self.prim(Prim::Add, &[sum, product]),
                    });
                }
                Ok(match sum {
                    Some(sum) => sum,
                    None => self.builder.real(0.0),
                })
            }
        }
    }

    /// The indexes into a base that a part's indexes stand for.
    pub fn picked(&mut self, picks: &[Pick], indexes: &[ValueId]) -> Lowered<Vec<ValueId>> {
        let mut kept = indexes.iter();
        let mut inner = Vec::with_capacity(picks.len());
        for pick in picks {
            inner.push(match pick {
                Pick::Single(position) => *position,
                Pick::Range { start, step } => {
                    let Some(&index) = kept.next() else { continue };
                    let step = self.int(*step);
                    let offset = self.mul_int(index, step);
                    self.add_int(*start, offset)
                }
                Pick::Many(view) => {
                    let Some(&index) = kept.next() else { continue };
                    let position = self.element(view, &[index])?;
                    let one = self.int(1);
                    self.sub_int(position, one)
                }
            });
        }
        Ok(inner)
    }

    /// Emits a check unless the condition is known to hold.
    pub fn check(
        &mut self,
        ok: ValueId,
        kind: MessageKind,
        parts: Vec<Part>,
        values: Vec<ValueId>,
        span: Span,
    ) {
        if self.builder.known_int(ok).is_some_and(|ok| ok != 0) {
            return;
        }
        let message = self.builder.message(Message {
            kind,
            parts,
            span: self.blame.unwrap_or(span),
        });
        self.builder.push(Stmt::Check {
            ok,
            message,
            values,
        });
    }

    /// A message without values.
    pub fn plain_message(
        &mut self,
        kind: MessageKind,
        text: &str,
        span: Span,
    ) -> crate::loops::MessageId {
        let parts = vec![Part::Text(text.to_string())];
        self.builder.message(Message {
            kind,
            parts,
            span: self.blame.unwrap_or(span),
        })
    }

    /// Sizes must agree; checked now where both are known and equal, else when it runs.
    pub fn check_same_dims(
        &mut self,
        a: &[ValueId],
        b: &[ValueId],
        what: &str,
        span: Span,
    ) -> Lowered<()> {
        for (&a, &b) in a.iter().zip(b) {
            self.check_same_size(a, b, what, span);
        }
        Ok(())
    }

    /// Two sizes must agree.
    pub fn check_same_size(&mut self, a: ValueId, b: ValueId, what: &str, span: Span) {
        if a == b {
            return;
        }
        let equal = match (self.builder.known_int(a), self.builder.known_int(b)) {
            (Some(a), Some(b)) => self.int(i64::from(a == b)),
            _ => self.prim(Prim::EqInt, &[a, b]),
        };
        let parts = vec![
            Part::Text(format!("sizes do not match: {what} have sizes ")),
            Part::Value(0),
            Part::Text(" and ".to_string()),
            Part::Value(1),
        ];
        self.check(equal, MessageKind::Fatal, parts, vec![a, b], span);
    }
}
