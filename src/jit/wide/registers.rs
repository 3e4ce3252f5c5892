//! Which register holds what: vectors come into registers when they are needed, and go to memory when others need one.

use super::assemble::{ADDRESSES, Assembler, FREE_MASKS, VECTORS};
use super::code::{Address, Base, Home, Id};
use super::encode::{Gpr, Index, Operand, RCX, RDI, RDX};

impl Assembler<'_> {
    // ---- Operands.

    pub(super) fn in_context(&self, displacement: i32) -> Operand {
        Operand::Memory {
            base: RDI,
            index: Index::None,
            displacement,
        }
    }

    /// The register of an address's base.
    pub(super) fn base(&mut self, base: Base) -> Gpr {
        match base {
            Base::Context => RDI,
            Base::Table(number) => match ADDRESSES.get(number) {
                Some(register) => *register,
                None => {
                    let at = self.context.address(number);
                    self.encoder.load(RDX, RDI, at);
                    RDX
                }
            },
        }
    }

    pub(super) fn memory(&mut self, address: Address, index: Index) -> Operand {
        Operand::Memory {
            base: self.base(address.base),
            index,
            displacement: address.displacement,
        }
    }

    pub(super) fn row(&mut self, address: Address) -> Operand {
        self.memory(address, Index::Bytes(RCX))
    }

    /// Where a vector is that has no register.
    pub(super) fn home(&mut self, id: Id) -> Operand {
        if let Some(spilled) = self.spilled[id.0 as usize] {
            return self.in_context(self.context.spilled(spilled));
        }
        match self.code.homes[id.0 as usize] {
            Some(Home::Row(address)) => self.row(address),
            Some(Home::Splat(number)) => Operand::Splat {
                base: RDI,
                displacement: self.context.splat(number),
            },
            Some(Home::Constant(bits)) => Operand::Constant(bits),
            Some(Home::Rounds(address)) => self.memory(address, Index::None),
            // Everything else is in a register or spilled.
            None => Operand::Register(0),
        }
    }

    /// A vector in a register, which stays locked for this step.
    pub(super) fn in_register(&mut self, id: Id) -> u8 {
        if let Some(register) = self.register[id.0 as usize] {
            self.locked[register as usize] = true;
            return register;
        }
        let register = self.take();
        self.fetch(id, register);
        self.hold(id, register);
        register
    }

    /// A vector where it is; in a register if it is used again and there is a free one.
    pub(super) fn anywhere(&mut self, id: Id) -> Operand {
        let is_free = |at: &usize| self.is_free(*at as u8);
        let any_free = (0..VECTORS).any(|at| is_free(&at));
        if self.register[id.0 as usize].is_some() || !self.ends(id) && any_free {
            return Operand::Register(self.in_register(id));
        }
        self.home(id)
    }

    /// One in a register, preferably one that is in one already, and the other anywhere.
    pub(super) fn register_and_other(&mut self, a: Id, b: Id) -> (u8, Operand) {
        match self.register[a.0 as usize].is_none() && self.register[b.0 as usize].is_some() {
            true => (self.in_register(b), self.anywhere(a)),
            false => (self.in_register(a), self.anywhere(b)),
        }
    }

    /// Whether nothing uses a vector after this step.
    pub(super) fn ends(&self, id: Id) -> bool {
        self.use_from(id, self.at + 1).is_none()
    }

    /// The first step from one on that uses a vector.
    fn use_from(&self, id: Id, first: usize) -> Option<usize> {
        let uses = &self.uses[id.0 as usize];
        uses.iter().rev().copied().find(|at| *at >= first)
    }

    // ---- Registers.

    pub(super) fn is_free(&self, register: u8) -> bool {
        let at = register as usize;
        self.holder[at].is_none() && !self.fixed[at] && !self.locked[at]
    }

    /// A register for this step: a free one, else that of the vector that is needed last, which goes to memory.
    pub(super) fn take(&mut self) -> u8 {
        let mut chosen = (0..VECTORS as u8).find(|register| self.is_free(*register));
        if chosen.is_none() {
            let takeable = |at: &u8| !self.fixed[*at as usize] && !self.locked[*at as usize];
            let last = (0..VECTORS as u8).filter(takeable).max_by_key(|at| {
                let holder = self.holder[*at as usize];
                holder
                    .and_then(|id| self.use_from(id, self.at))
                    .unwrap_or(usize::MAX)
            });
            if let Some(register) = last {
                self.evict(register);
            }
            chosen = last;
        }
        // There are more registers than sums, splats and operands of one step.
        self.exhausted |= chosen.is_none();
        let register = chosen.unwrap_or(0);
        self.locked[register as usize] = true;
        register
    }

    pub(super) fn evict(&mut self, register: u8) {
        let Some(id) = self.holder[register as usize].take() else {
            return;
        };
        let at = id.0 as usize;
        self.register[at] = None;
        if self.code.homes[at].is_none() && self.spilled[at].is_none() && !self.is_over(id) {
            let number = self.spills;
            self.spills += 1;
            self.evictions += 1;
            self.spilled[at] = Some(number);
            let place = self.context.spilled(number);
            self.store_in_context(register, place);
        }
    }

    /// Whether neither this step nor a later one uses a vector.
    fn is_over(&self, id: Id) -> bool {
        self.use_from(id, self.at).is_none()
    }

    pub(super) fn hold(&mut self, id: Id, register: u8) {
        self.locked[register as usize] = true;
        self.register[id.0 as usize] = Some(register);
        self.holder[register as usize] = Some(id);
    }

    /// The register of a step's result.
    pub(super) fn result(&mut self, id: Id) -> u8 {
        let register = self.take();
        self.hold(id, register);
        register
    }

    pub(super) fn unlock(&mut self, register: u8) {
        self.locked[register as usize] = false;
    }

    /// Frees the registers and masks of operands that nothing uses after this step.
    pub(super) fn release(&mut self, operands: Vec<Id>) {
        for id in operands {
            if !self.ends(id) {
                continue;
            }
            if let Some(register) = self.register[id.0 as usize]
                && !self.fixed[register as usize]
            {
                self.register[id.0 as usize] = None;
                self.holder[register as usize] = None;
                self.locked[register as usize] = false;
            }
            for mask in &mut self.masks {
                if *mask == Some(id) {
                    *mask = None;
                }
            }
        }
    }

    pub(super) fn free_mask(&mut self, id: Id) -> Option<u8> {
        let register = FREE_MASKS
            .into_iter()
            .find(|at| self.masks[*at as usize].is_none())?;
        self.masks[register as usize] = Some(id);
        Some(register)
    }

    pub(super) fn mask_of(&self, id: Id) -> Option<u8> {
        let at = self.masks.iter().position(|held| *held == Some(id))?;
        Some(at as u8)
    }
}
