//! One procedure's code as part of another's: its tables are added, its names renamed.

use super::{
    BufferId, Builder, CellId, MessageId, Op, Procedure, Role, Slice, Stmt, ValueId, blocks_mut,
    rewrite_definitions, rewrite_operands,
};

impl Builder {
    /// Appends the code of `other`, which has no systems of its own, to the innermost open block, which must be the
    /// outermost one. Its inputs are the procedure's inputs of the same numbers, if there are such; its outputs become
    /// scratch, which is returned by number.
    pub fn splice(&mut self, other: &Procedure) -> Vec<BufferId> {
        let own = &mut self.procedure;
        let mut renamed = Renamed {
            values: own.values.len() as u32,
            cells: own.cells.len() as u32,
            messages: own.messages.len() as u32,
            buffers: Vec::with_capacity(other.buffers.len()),
        };
        own.values.extend(&other.values);
        own.cells.extend_from_slice(&other.cells);
        own.messages.extend_from_slice(&other.messages);
        let mut outputs = Vec::new();
        for buffer in &other.buffers {
            let shared = match buffer.role {
                Role::Input(number) => own
                    .buffers
                    .iter()
                    .position(|own| matches!(own.role, Role::Input(of_own) if of_own == number)),
                _ => None,
            };
            let at = shared.unwrap_or(own.buffers.len());
            let id = BufferId(at as u32);
            renamed.buffers.push(id);
            if shared.is_some() {
                continue;
            }
            own.buffers.push(buffer.clone());
            if let Role::Output(number) = buffer.role {
                // Outputs are zero at the start.
                own.buffers[at].role = Role::Zeroed;
                outputs.push((number, id));
            }
        }
        for (buffer, var) in &other.scopes {
            own.scopes
                .insert(renamed.buffer(*buffer), renamed.value(*var));
        }
        for stmt in &other.body {
            let mut stmt = stmt.clone();
            rewrite_operands(&mut stmt, &mut |value| renamed.value(value));
            rewrite_definitions(&mut stmt, &mut |value| renamed.value(value));
            renamed.places(&mut stmt);
            self.push(stmt);
        }
        outputs.sort_unstable();
        outputs.into_iter().map(|(_, id)| id).collect()
    }
}

/// How many names there were before, and what stands for each buffer.
struct Renamed {
    values: u32,
    cells: u32,
    messages: u32,
    buffers: Vec<BufferId>,
}

impl Renamed {
    fn value(&self, value: ValueId) -> ValueId {
        ValueId(value.0 + self.values)
    }

    fn buffer(&self, buffer: BufferId) -> BufferId {
        self.buffers[buffer.0 as usize]
    }

    /// Renames everything but values.
    fn places(&self, stmt: &mut Stmt) {
        let cell = |cell: &mut CellId| cell.0 += self.cells;
        let buffer = |buffer: &mut BufferId| *buffer = self.buffer(*buffer);
        let slice = |slice: &mut Slice| slice.buffer = self.buffer(slice.buffer);
        let message = |message: &mut MessageId| message.0 += self.messages;
        match stmt {
            Stmt::Let(_, Op::Load(from, _)) => buffer(from),
            Stmt::Let(_, Op::Get(of)) | Stmt::Set(of, _) | Stmt::Add(of, _) => cell(of),
            Stmt::Store(to, ..) | Stmt::Accumulate(to, ..) => buffer(to),
            Stmt::Fill(of, _) | Stmt::PushSlice(of) | Stmt::PopSlice(of) => slice(of),
            Stmt::Call {
                inputs,
                outputs,
                message: said,
                ..
            } => {
                inputs.iter_mut().chain(outputs).for_each(slice);
                message(said);
            }
            Stmt::Check { message: said, .. } | Stmt::Print { message: said, .. } => message(said),
            Stmt::Let(..) | Stmt::For { .. } | Stmt::If { .. } | Stmt::While { .. } => {}
            Stmt::Push(_) => {}
        }
        for block in blocks_mut(stmt) {
            block.iter_mut().for_each(|inner| self.places(inner));
        }
    }
}
