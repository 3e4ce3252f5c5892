//! Calls in reverse: linear algebra by its adjoints, solutions of differential equations by their sensitivities.

use super::Reverse;
use crate::autodiff::tree::Node;
use crate::builtins::Prim;
use crate::loops::{BufferId, Intrinsic, LinearAlgebra, MessageId, Slice, Stmt};

impl<'p> Reverse<'p> {
    pub(super) fn reverse_call(
        &mut self,
        node: &Node<'p>,
        function: LinearAlgebra,
        inputs: &[Slice],
        outputs: &[Slice],
        message: MessageId,
    ) {
        if !outputs
            .iter()
            .any(|slice| self.is_active_buffer(slice.buffer))
        {
            return;
        }
        let slices: Vec<Slice> = inputs.iter().chain(outputs).copied().collect();
        let here = self.slices_back(node, &slices);
        let mut arguments = here.clone();
        let output_shadows: Vec<Slice> = here[inputs.len()..]
            .iter()
            .map(|slice| self.shadow_of(slice))
            .collect();
        arguments.extend(output_shadows.iter().copied());
        let mut mask = 0;
        let mut results = Vec::new();
        for (position, slice) in here[..inputs.len()].iter().enumerate() {
            if self.is_active_buffer(slice.buffer) {
                mask |= 1 << position;
                results.push(self.shadow_of(slice));
            }
        }
        self.builder.push(Stmt::Call {
            function: Intrinsic::Adjoint(function, mask),
            inputs: arguments,
            outputs: results,
            message,
        });
        let zero = self.builder.real(0.0);
        for slice in output_shadows {
            self.builder.push(Stmt::Fill(slice, zero));
        }
    }

    /// The adjoints of the initial state and the parameters grow by Sᵀ times that of the solution, where S are the
    /// sensitivities: the adjoint of a product of S, whose value nobody needs.
    pub(super) fn reverse_ode(
        &mut self,
        node: &Node<'p>,
        inputs: &[Slice],
        outputs: &[Slice],
        message: MessageId,
    ) {
        let (&[initial, parameters, ..], &[solution, sensitivities]) = (inputs, outputs) else {
            return;
        };
        if !self.is_active_buffer(solution.buffer) {
            return;
        }
        let sensitivities = self.slices_back(node, &[sensitivities])[0];
        let solution = self.slice_here(&solution);
        let (one, height) = (self.int(1), sensitivities.rows);
        let solution_bar = self.shadow_of(&solution);
        let [solution, solution_column] = [solution, solution_bar].map(|slice| Slice {
            rows: height,
            cols: one,
            ..slice
        });
        // The parameters' columns are the last ones; the initial state's, where there are any, come before them.
        let parameters = self.slice_here(&parameters);
        let first = self.prim(Prim::SubInt, &[sensitivities.cols, parameters.rows]);
        let skipped = self.prim(Prim::MulInt, &[first, height]);
        let initial = self.slice_here(&initial);
        for (input, skipped) in [(initial, None), (parameters, Some(skipped))] {
            if !self.is_active_buffer(input.buffer) {
                continue;
            }
            let offset = match skipped {
                Some(skipped) => self.prim(Prim::AddInt, &[sensitivities.offset, skipped]),
                None => sensitivities.offset,
            };
            let columns = Slice {
                offset,
                cols: input.rows,
                ..sensitivities
            };
            let product = LinearAlgebra::Product {
                transpose_left: false,
                transpose_right: false,
            };
            let input_bar = self.shadow_of(&input);
            self.builder.push(Stmt::Call {
                function: Intrinsic::Adjoint(product, 0b10),
                inputs: vec![columns, input, solution, solution_column],
                outputs: vec![input_bar],
                message,
            });
        }
        let zero = self.builder.real(0.0);
        self.builder.push(Stmt::Fill(solution_bar, zero));
    }

    /// The slice of the adjoints of a slice.
    fn shadow_of(&mut self, slice: &Slice) -> Slice {
        Slice {
            buffer: self.buffer_shadow(slice.buffer),
            ..*slice
        }
    }

    /// The slices of a call as they are called here; those whose contents change before are brought back.
    fn slices_back(&mut self, node: &Node<'p>, slices: &[Slice]) -> Vec<Slice> {
        let changing: Vec<Slice> = slices
            .iter()
            .copied()
            .filter(|slice| self.changes_after(node, slice.buffer))
            .collect();
        let here = slices.iter().map(|slice| self.slice_here(slice)).collect();
        for slice in changing.iter().rev() {
            let slice = self.slice_here(slice);
            self.builder.push(Stmt::PopSlice(slice));
        }
        self.slices.insert(node.first, changing);
        here
    }

    /// Whether what a buffer holds after a statement may be gone when the reverse sweep gets there.
    fn changes_after(&self, node: &Node<'p>, buffer: BufferId) -> bool {
        let place = self.place();
        if self.analysis.lasts(buffer, &place.live_loops) {
            return false;
        }
        let within = |range: (u32, u32), at: u32| range.0 <= at && at <= range.1;
        self.analysis.buffers[buffer.0 as usize]
            .writes
            .iter()
            .any(|&at| {
                let later = at > node.last && within(place.live_range, at);
                later || place.taped_range.is_some_and(|range| within(range, at))
            })
    }
}
