//! Turns straight-line code into instructions, with the loop around it.
//!
//! The code is called with a context and a number of rounds, of which at least one. In the context, in this order: the mask
//! of failed lanes, the sums of eight lanes each, the scalars that are the same in all rounds, the table of addresses, and
//! vectors for which there was no register. Rounds left over in the last group are masked out.
//!
//! RDI holds the context, RSI the rounds that are left, RCX the bytes of a row that are done; RAX and RDX are scratch, the
//! latter for addresses that have no register: a step computes an operand in memory last, so that there is one at a time.

use super::code::{Address, Code, Comparison, Home, Id, Logic, One, Op, Step};
use super::encode::{Code as Instruction, Encoder, Gpr, Index, Lanes, MaskCode, Operand, RAX, RDI};

/// The registers for vectors.
pub(super) const VECTORS: usize = 32;
/// Masks: of the rounds that there are, of failures, and for a gather's progress; the others are free.
const THERE: u8 = 1;
const FAILED: u8 = 2;
const PROGRESS: u8 = 3;
pub(super) const FREE_MASKS: std::ops::Range<u8> = 4..8;
/// Sums beyond so many are kept in memory, to leave registers for everything else.
const SUMS_IN_REGISTERS: usize = 18;
/// Registers for addresses: those that a callee may change, then those that it must restore.
pub(super) const ADDRESSES: [Gpr; 10] = [
    Gpr(8),
    Gpr(9),
    Gpr(10),
    Gpr(11),
    Gpr(3),
    Gpr(5),
    Gpr(12),
    Gpr(13),
    Gpr(14),
    Gpr(15),
];
const RESTORED_FROM: usize = 4;
/// Bytes of a vector.
const VECTOR: i32 = 64;

/// Where things are in the context, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub sums: usize,
    pub splats: usize,
    pub table: usize,
}

impl Context {
    /// The byte of the mask of lanes that failed.
    pub const FAILED: i32 = 0;

    /// The byte of a running sum's eight lanes.
    pub fn sum(&self, number: usize) -> i32 {
        VECTOR * (1 + number as i32)
    }

    /// The byte of a scalar for all rounds.
    pub fn splat(&self, number: usize) -> i32 {
        VECTOR * (1 + self.sums as i32) + 8 * number as i32
    }

    /// The byte of an address.
    pub fn address(&self, number: usize) -> i32 {
        self.splat(self.splats + number)
    }

    /// The byte of a vector without a register.
    pub(super) fn spilled(&self, number: usize) -> i32 {
        let end = self.address(self.table) as usize;
        (end.next_multiple_of(VECTOR as usize)) as i32 + VECTOR * number as i32
    }
}

/// A finished function.
#[derive(Debug)]
pub(super) struct Assembled {
    pub bytes: Vec<u8>,
    /// How large its context is.
    pub context_bytes: usize,
}

/// The function of some code; none if masks run out.
pub(super) fn assemble(code: &Code, context: Context) -> Option<Assembled> {
    // Scalars for all rounds stay in registers, the most used first, as long as that leaves enough for the rest.
    let splats = splats_by_use(code);
    let sums = code.sums.min(SUMS_IN_REGISTERS);
    let most = splats.len().min(VECTORS - sums - 5);
    let (mut resident, mut best) = (most, None);
    loop {
        let mut assembler = Assembler::new(code, context, &splats[..resident]);
        assembler.run()?;
        let evictions = assembler.evictions;
        if best.as_ref().is_none_or(|(fewest, _)| evictions < *fewest) {
            best = Some((evictions, assembler));
        }
        if evictions == 0 || resident == 0 {
            return best.map(|(_, assembler)| assembler.finish());
        }
        resident = resident.saturating_sub(2);
    }
}

/// The vectors that are the same in all rounds, the most used first.
fn splats_by_use(code: &Code) -> Vec<Id> {
    let mut uses = vec![0_usize; code.homes.len()];
    for operand in code.steps.iter().flat_map(Step::operands) {
        uses[operand.0 as usize] += 1;
    }
    let is_splat = |id: &usize| {
        uses[*id] > 0 && matches!(code.homes[*id], Some(Home::Splat(_) | Home::Constant(_)))
    };
    let mut splats: Vec<usize> = (0..uses.len()).filter(is_splat).collect();
    splats.sort_by_key(|id| std::cmp::Reverse(uses[*id]));
    splats.into_iter().map(|id| Id(id as u32)).collect()
}

/// A function in the making.
pub(super) struct Assembler<'c> {
    pub(super) code: &'c Code,
    pub(super) context: Context,
    pub(super) encoder: Encoder,
    /// The steps that use each vector, the last first.
    pub(super) uses: Vec<Vec<usize>>,
    pub(super) register: Vec<Option<u8>>,
    pub(super) holder: [Option<Id>; VECTORS],
    /// Registers that are not given away: by the step at hand, or by the whole loop.
    pub(super) locked: [bool; VECTORS],
    pub(super) fixed: [bool; VECTORS],
    pub(super) masks: [Option<Id>; 8],
    /// The place in the context of vectors that were put there.
    pub(super) spilled: Vec<Option<usize>>,
    /// How many vectors have a place in the context, and how many because there was no register.
    pub(super) spills: usize,
    pub(super) evictions: usize,
    /// Whether a step found no register that it could take.
    pub(super) exhausted: bool,
    pub(super) at: usize,
}

impl<'c> Assembler<'c> {
    fn new(code: &'c Code, context: Context, resident: &[Id]) -> Assembler<'c> {
        let mut uses = vec![Vec::new(); code.homes.len()];
        for (at, step) in code.steps.iter().enumerate().rev() {
            for operand in step.operands() {
                uses[operand.0 as usize].push(at);
            }
        }
        let mut assembler = Assembler {
            code,
            context,
            encoder: Encoder::default(),
            uses,
            register: vec![None; code.homes.len()],
            holder: [None; VECTORS],
            locked: [false; VECTORS],
            fixed: [false; VECTORS],
            masks: [None; 8],
            spilled: vec![None; code.homes.len()],
            spills: 0,
            evictions: 0,
            exhausted: false,
            at: 0,
        };
        for sum in 0..code.sums.min(SUMS_IN_REGISTERS) {
            assembler.fixed[sum_register(sum) as usize] = true;
        }
        let rounds = (0..code.homes.len()).map(|id| Id(id as u32));
        let rounds = rounds
            .filter(|id| assembler.counts_rounds(*id))
            .collect::<Vec<_>>();
        for (number, id) in resident.iter().chain(&rounds).enumerate() {
            let register = number as u8;
            assembler.fixed[register as usize] = true;
            assembler.register[id.0 as usize] = Some(register);
            assembler.holder[register as usize] = Some(*id);
        }
        assembler
    }

    /// Whether a vector counts rounds: it then has a register of its own.
    fn counts_rounds(&self, id: Id) -> bool {
        let home = self.code.homes[id.0 as usize];
        matches!(home, Some(Home::Rounds(_))) && !self.uses[id.0 as usize].is_empty()
    }

    /// Writes everything; none if masks or registers run out.
    fn run(&mut self) -> Option<()> {
        self.enter();
        let top = self.encoder.position();
        self.encoder.mask_of_rest(THERE);
        for (at, step) in self.code.steps.iter().enumerate() {
            self.at = at;
            self.step(step)?;
            self.locked = [false; VECTORS];
        }
        for register in 0..VECTORS as u8 {
            if self.holder[register as usize].is_some_and(|id| self.counts_rounds(id)) {
                let eight = Operand::Constant(8);
                self.two(Instruction::ADD_INT, register, register, eight);
            }
        }
        self.encoder.add_to_rcx(VECTOR as u8);
        self.encoder.again(top);
        self.leave();
        (!self.exhausted).then_some(())
    }

    fn finish(self) -> Assembled {
        Assembled {
            bytes: self.encoder.finish(),
            context_bytes: self.context.spilled(self.spills) as usize,
        }
    }

    /// The registers of addresses that the caller wants back.
    fn restored(&self) -> &'static [Gpr] {
        let used = self.context.table.min(ADDRESSES.len());
        ADDRESSES.get(RESTORED_FROM..used).unwrap_or_default()
    }

    fn enter(&mut self) {
        self.encoder.mask(MaskCode::Xnor, THERE, THERE, THERE);
        for register in self.restored() {
            self.encoder.push(*register);
        }
        for (number, register) in ADDRESSES.iter().enumerate().take(self.context.table) {
            let at = self.context.address(number);
            self.encoder.load(*register, RDI, at);
        }
        for sum in 0..self.code.sums {
            let register = match sum < SUMS_IN_REGISTERS {
                true => sum_register(sum),
                // Free until the loop begins.
                false => sum_register(0),
            };
            self.two(
                Instruction::XOR,
                register,
                register,
                Operand::Register(register),
            );
            if sum >= SUMS_IN_REGISTERS {
                self.store_in_context(register, self.context.sum(sum));
            }
        }
        for register in 0..VECTORS as u8 {
            if let Some(id) = self.holder[register as usize] {
                self.fetch(id, register);
            }
        }
        self.encoder.clear_rcx();
        if self.code.is_checked() {
            self.encoder.mask(MaskCode::Xor, FAILED, FAILED, FAILED);
        }
    }

    fn leave(&mut self) {
        for sum in 0..self.code.sums.min(SUMS_IN_REGISTERS) {
            self.store_in_context(sum_register(sum), self.context.sum(sum));
        }
        if self.code.is_checked() {
            self.encoder.mask_to_rax(FAILED);
            self.encoder.store(RAX, RDI, Context::FAILED);
        }
        for register in self.restored().iter().rev() {
            self.encoder.pop(*register);
        }
        self.encoder.leave();
    }

    // ---- Steps.

    fn step(&mut self, step: &Step) -> Option<()> {
        match *step {
            Step::Define(id, op) => return self.define(id, op),
            Step::Store(address, value) => {
                let value = self.in_register(value);
                let to = self.row(address);
                self.write(Instruction::STORE, value, to);
            }
            Step::AddTo(address, value) => {
                let value = self.in_register(value);
                let sum = self.take();
                let row = self.row(address);
                self.two(Instruction::ADD, sum, value, row);
                let row = self.row(address);
                self.write(Instruction::STORE, sum, row);
                self.unlock(sum);
            }
            Step::Scatter(address, index, value) => self.scatter(address, index, value),
            Step::Sum(number, value) => {
                let value = self.anywhere(value);
                self.sum(number, |this, sum| {
                    this.merging(Instruction::ADD, sum, sum, value);
                });
            }
            Step::SumProduct(number, a, b) => {
                let (a, b) = self.register_and_other(a, b);
                self.sum(number, |this, sum| {
                    this.merging(Instruction::FMA_231, sum, a, b);
                });
            }
            Step::Check(mask) => {
                let mask = self.mask_of(mask)?;
                let encoder = &mut self.encoder;
                encoder.mask(MaskCode::AndNot, PROGRESS, mask, THERE);
                encoder.mask(MaskCode::Or, FAILED, FAILED, PROGRESS);
            }
        }
        self.release(step.operands());
        Some(())
    }

    fn define(&mut self, id: Id, op: Op) -> Option<()> {
        if op.is_mask() {
            return self.define_mask(id, op);
        }
        match op {
            Op::Two(two, a, b) => {
                let (a, b) = match two.commutes() {
                    true => self.register_and_other(a, b),
                    false => (self.in_register(a), self.anywhere(b)),
                };
                self.release(self.code.steps[self.at].operands());
                let to = self.result(id);
                self.two(two.code(), to, a, b);
            }
            Op::One(one, a) => {
                let a = self.anywhere(a);
                self.release(self.code.steps[self.at].operands());
                let to = self.result(id);
                self.one(one, to, a);
            }
            Op::Fma(a, b, c) => self.fma(id, a, b, c),
            Op::Load(address) => {
                let to = self.result(id);
                let row = self.row(address);
                self.two(Instruction::LOAD, to, 0, row);
            }
            Op::Gather(address, index) => {
                let index = self.in_register(index);
                let to = self.result(id);
                let memory = self.memory(address, Index::Lanes(index));
                self.two(Instruction::XOR, to, to, Operand::Register(to));
                self.encoder.mask_copy(PROGRESS, THERE);
                let lanes = Lanes::Merge(PROGRESS);
                self.encoder
                    .vector(Instruction::GATHER, lanes, to, 0, memory, None);
                self.release(self.code.steps[self.at].operands());
            }
            Op::Blend(mask, then, otherwise) => {
                let mask = self.mask_of(mask)?;
                let otherwise = self.in_register(otherwise);
                let then = match self.anywhere(then) {
                    // The blend's mask picks operands, so it cannot keep rounds that are not there from reading.
                    memory @ Operand::Memory { .. } => {
                        let register = self.take();
                        self.two(Instruction::LOAD, register, 0, memory);
                        self.unlock(register);
                        Operand::Register(register)
                    }
                    other => other,
                };
                self.release(self.code.steps[self.at].operands());
                let to = self.result(id);
                let lanes = Lanes::Merge(mask);
                self.encoder
                    .vector(Instruction::BLEND, lanes, to, otherwise, then, None);
            }
            Op::Compare(..) | Op::Logic(_) => {}
        }
        Some(())
    }

    fn define_mask(&mut self, id: Id, op: Op) -> Option<()> {
        let operands = self.code.steps[self.at].operands();
        match op {
            Op::Compare(comparison, a, b) => {
                let (a, b) = (self.in_register(a), self.anywhere(b));
                self.release(operands);
                let to = self.free_mask(id)?;
                let (code, predicate) = match comparison {
                    Comparison::Reals(predicate) => (Instruction::COMPARE, predicate),
                    Comparison::Ints(predicate) => (Instruction::COMPARE_INT, predicate),
                };
                let lanes = match is_row(b) {
                    true => Lanes::Merge(THERE),
                    false => Lanes::All,
                };
                self.encoder.vector(code, lanes, to, a, b, Some(predicate));
            }
            Op::Logic(logic) => {
                let (code, a, b) = match logic {
                    Logic::And(a, b) => (Some(MaskCode::And), a, b),
                    Logic::Or(a, b) => (Some(MaskCode::Or), a, b),
                    Logic::Not(a) => (None, a, a),
                };
                let (a, b) = (self.mask_of(a)?, self.mask_of(b)?);
                self.release(operands);
                let to = self.free_mask(id)?;
                match code {
                    Some(code) => self.encoder.mask(code, to, a, b),
                    None => self.encoder.mask_not(to, a),
                }
            }
            _ => {}
        }
        Some(())
    }

    fn one(&mut self, one: One, to: u8, of: Operand) {
        let (code, immediate) = match one {
            One::Sqrt => (Instruction::SQRT, None),
            One::ToReal => (Instruction::TO_REAL, None),
            // The bit of 8 keeps the machine from noting that the result is inexact.
            One::Floor => (Instruction::ROUND, Some(8 | 1)),
            One::Ceil => (Instruction::ROUND, Some(8 | 2)),
            One::Trunc => (Instruction::ROUND, Some(8 | 3)),
        };
        self.encoder
            .vector(code, lanes_for(of), to, 0, of, immediate);
    }

    /// A fused multiply-add overwrites one operand: one that nothing else uses, else a copy.
    fn fma(&mut self, id: Id, a: Id, b: Id, c: Id) {
        let operands = [a, b, c];
        let ends = |this: &Self, id: Id| {
            let register = this.register[id.0 as usize]?;
            let count = operands.iter().filter(|operand| **operand == id).count();
            let free = !this.fixed[register as usize] && count == 1 && this.ends(id);
            free.then_some(register)
        };
        if let Some(to) = ends(self, c) {
            self.locked[to as usize] = true;
            let (a, b) = self.register_and_other(a, b);
            self.overwrite(operands, to, id);
            self.two(Instruction::FMA_231, to, a, b);
            return;
        }
        for (ending, other) in [(a, b), (b, a)] {
            let Some(to) = ends(self, ending) else {
                continue;
            };
            self.locked[to as usize] = true;
            if self.register[c.0 as usize].is_none() {
                let (other, c) = (self.in_register(other), self.anywhere(c));
                self.overwrite(operands, to, id);
                self.two(Instruction::FMA_213, to, other, c);
            } else {
                let (c, other) = (self.in_register(c), self.anywhere(other));
                self.overwrite(operands, to, id);
                self.two(Instruction::FMA_132, to, c, other);
            }
            return;
        }
        // The addend first: addresses share a scratch register, so one operand at a time may be memory.
        let addend = self.anywhere(c);
        let to = self.take();
        self.copy(to, addend);
        let (a, b) = self.register_and_other(a, b);
        self.release(operands.to_vec());
        self.hold(id, to);
        self.two(Instruction::FMA_231, to, a, b);
    }

    /// Gives the register of an operand that ends here to the result.
    fn overwrite(&mut self, operands: [Id; 3], to: u8, id: Id) {
        self.release(operands.to_vec());
        self.hold(id, to);
    }

    fn scatter(&mut self, address: Address, index: Id, value: Id) {
        let there = Lanes::Zero(THERE);
        let mut places = [0; 2];
        for (place, id) in places.iter_mut().zip([index, value]) {
            let from = self.in_register(id);
            let masked = self.take();
            let from = Operand::Register(from);
            // Rounds that are not there add zero to the first scalar.
            self.encoder
                .vector(Instruction::LOAD, there, masked, 0, from, None);
            *place = self.context.spilled(self.spills);
            self.spills += 1;
            self.store_in_context(masked, *place);
            self.unlock(masked);
        }
        let sum = self.take();
        for lane in 0..8 {
            let base = self.base(address.base);
            self.encoder.load(RAX, RDI, places[0] + 8 * lane);
            let to = Operand::Memory {
                base,
                index: Index::Scalars(RAX),
                displacement: address.displacement,
            };
            let value = Operand::Memory {
                base: RDI,
                index: Index::None,
                displacement: places[1] + 8 * lane,
            };
            let encoder = &mut self.encoder;
            encoder.vector(Instruction::LOAD_ONE, Lanes::All, sum, 0, value, None);
            encoder.vector(Instruction::ADD_ONE, Lanes::All, sum, sum, to, None);
            encoder.vector(Instruction::STORE_ONE, Lanes::All, sum, 0, to, None);
        }
        self.unlock(sum);
    }

    fn sum(&mut self, number: usize, add: impl FnOnce(&mut Self, u8)) {
        if number < SUMS_IN_REGISTERS {
            return add(self, sum_register(number));
        }
        let sum = self.take();
        let place = self.in_context(self.context.sum(number));
        self.two(Instruction::LOAD, sum, 0, place);
        add(self, sum);
        self.store_in_context(sum, self.context.sum(number));
        self.unlock(sum);
    }

    // ---- Instructions.

    /// An instruction whose result in rounds that are not there does not matter.
    fn two(&mut self, code: Instruction, to: u8, second: u8, third: Operand) {
        self.encoder
            .vector(code, lanes_for(third), to, second, third, None);
    }

    /// An instruction that leaves its result as it is where there is no round.
    fn merging(&mut self, code: Instruction, to: u8, second: u8, third: Operand) {
        self.encoder
            .vector(code, Lanes::Merge(THERE), to, second, third, None);
    }

    fn write(&mut self, code: Instruction, from: u8, to: Operand) {
        let lanes = match is_row(to) {
            true => Lanes::Merge(THERE),
            false => Lanes::All,
        };
        self.encoder.vector(code, lanes, from, 0, to, None);
    }

    pub(super) fn store_in_context(&mut self, from: u8, at: i32) {
        let to = self.in_context(at);
        self.write(Instruction::STORE, from, to);
    }

    fn copy(&mut self, to: u8, from: Operand) {
        let code = match from {
            Operand::Splat { .. } | Operand::Constant(_) => Instruction::BROADCAST,
            _ => Instruction::LOAD,
        };
        self.two(code, to, 0, from);
    }

    /// Brings a vector from its home into a register.
    pub(super) fn fetch(&mut self, id: Id, register: u8) {
        let from = self.home(id);
        self.copy(register, from);
    }
}

/// The register of a running sum.
fn sum_register(number: usize) -> u8 {
    (VECTORS - 1 - number) as u8
}

/// Whether an operand is memory that need not be there for all lanes. (The first rounds count as such, too, but are only read
/// where all lanes are.)
fn is_row(operand: Operand) -> bool {
    matches!(operand, Operand::Memory { base, .. } if base != RDI)
}

/// Rounds that are not there read nothing.
fn lanes_for(operand: Operand) -> Lanes {
    match is_row(operand) {
        true => Lanes::Zero(THERE),
        false => Lanes::All,
    }
}
