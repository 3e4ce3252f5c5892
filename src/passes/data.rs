//! What values are where data and the variables of loops alone decide.

use crate::builtins::Scalar;
use crate::loops::{Buffer, Op, Role, Stmt, ValueId, rewrite_operands_here};
use std::collections::BTreeMap;

/// Values of data, in an order in which they can be computed.
pub(super) struct Data<'b> {
    buffers: &'b [Buffer],
    /// Constants outside of the loops; those that something uses are entries, too.
    constants: &'b BTreeMap<ValueId, Op>,
    entries: Vec<Entry>,
    numbers: BTreeMap<ValueId, ValueId>,
}

enum Entry {
    /// A loop's variable, by number.
    Variable(usize),
    /// An operation whose operands are numbers of entries.
    Computed(Op),
}

impl<'b> Data<'b> {
    /// Constants, and variables of loops in this order.
    pub fn new(
        buffers: &'b [Buffer],
        constants: &'b BTreeMap<ValueId, Op>,
        variables: &[ValueId],
    ) -> Data<'b> {
        let mut data = Data {
            buffers,
            constants,
            entries: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for (number, variable) in variables.iter().enumerate() {
            data.push(*variable, Entry::Variable(number));
        }
        data
    }

    fn push(&mut self, value: ValueId, entry: Entry) -> ValueId {
        let number = ValueId(self.entries.len() as u32);
        self.numbers.insert(value, number);
        self.entries.push(entry);
        number
    }

    /// The entry of a value, made if it is a constant.
    fn entry(&mut self, value: ValueId) -> Option<ValueId> {
        let found = self.numbers.get(&value).copied();
        found.or_else(|| {
            let constant = self.constants.get(&value)?.clone();
            Some(self.push(value, Entry::Computed(constant)))
        })
    }

    /// Notes a value if it is one of data; whether it is.
    pub fn define(&mut self, value: ValueId, op: &Op) -> bool {
        match op {
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => return false,
            Op::Load(buffer, _) => match self.buffers[buffer.0 as usize].role {
                Role::ConstantReal(_) | Role::ConstantInt(_) => {}
                _ => return false,
            },
            Op::Real(_) | Op::Int(_) | Op::Prim(..) | Op::Select(..) => {}
        }
        let mut stmt = Stmt::Let(value, op.clone());
        let mut all = true;
        rewrite_operands_here(&mut stmt, &mut |operand| {
            let number = self.entry(operand);
            all &= number.is_some();
            number.unwrap_or(operand)
        });
        if let Stmt::Let(_, op) = stmt
            && all
        {
            self.push(value, Entry::Computed(op));
        }
        all
    }

    /// The number of a value that [`Data::define`] took, or a variable.
    pub fn number_of(&self, defined: ValueId) -> Option<usize> {
        self.numbers.get(&defined).map(|number| number.0 as usize)
    }

    /// The number of a value, if it is one of data, constants included.
    pub fn number(&mut self, value: ValueId) -> Option<usize> {
        self.entry(value).map(|number| number.0 as usize)
    }

    /// Whether a value is one of data and not a constant.
    pub fn varies(&self, value: ValueId) -> bool {
        self.numbers.get(&value).is_some_and(|number| {
            let entry = &self.entries[number.0 as usize];
            !matches!(entry, Entry::Computed(Op::Int(_) | Op::Real(_)))
        })
    }

    /// The values of data that are not constants or variables.
    pub fn computed(&self) -> impl Iterator<Item = ValueId> {
        let numbers = self.numbers.iter();
        let computed = numbers.filter(|(value, number)| {
            let entry = &self.entries[number.0 as usize];
            self.varies(**value) && matches!(entry, Entry::Computed(_))
        });
        computed.map(|(value, _)| *value)
    }

    /// What all values are, by number, given the variables; none: what cannot be computed.
    pub fn evaluate(&self, variables: &[i64], values: &mut Vec<Option<Scalar>>) {
        values.clear();
        for entry in &self.entries {
            let value = |number: ValueId| values.get(number.0 as usize).copied().flatten();
            let found = match entry {
                Entry::Variable(number) => variables.get(*number).copied().map(Scalar::Int),
                Entry::Computed(op) => op.known(self.buffers, value),
            };
            values.push(found);
        }
    }
}
