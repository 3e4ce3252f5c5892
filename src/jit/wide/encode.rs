//! Writes the machine's instructions: vectors of eight lanes by AVX-512, and the few of general registers around them.
//!
//! Encodings are those of Intel's manual (volume 2, sections 2.3 and 2.7 for the prefixes).

/// A general register by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gpr(pub u8);

pub(super) const RAX: Gpr = Gpr(0);
pub(super) const RCX: Gpr = Gpr(1);
pub(super) const RDX: Gpr = Gpr(2);
pub(super) const RDI: Gpr = Gpr(7);

/// What an address adds to its base, times a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    None,
    /// A general register.
    Bytes(Gpr),
    /// A general register times eight.
    Scalars(Gpr),
    /// The lanes of a vector register times eight.
    Lanes(u8),
}

/// The last operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Register(u8),
    Memory {
        base: Gpr,
        index: Index,
        displacement: i32,
    },
    /// A scalar in memory for all lanes.
    Splat {
        base: Gpr,
        displacement: i32,
    },
    /// A constant of the code's own for all lanes.
    Constant(u64),
}

/// Which lanes an instruction writes, by the mask of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    All,
    /// The others keep what they were.
    Merge(u8),
    /// The others become zero.
    Zero(u8),
}

/// An instruction on vectors: prefix, table and number, as the manual writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    prefix: u8,
    table: u8,
    number: u8,
    /// Bytes that a short displacement counts in, where memory is no splat.
    unit: i32,
    /// Vectors of eight lanes; else a single lane.
    wide: bool,
}

const fn code(prefix: u8, table: u8, number: u8) -> Code {
    Code {
        prefix,
        table,
        number,
        unit: 64,
        wide: true,
    }
}

/// The prefixes 66, F3 and F2.
const P66: u8 = 1;
const PF3: u8 = 2;
const PF2: u8 = 3;

impl Code {
    pub const ADD: Code = code(P66, 1, 0x58);
    pub const MUL: Code = code(P66, 1, 0x59);
    pub const SUB: Code = code(P66, 1, 0x5C);
    pub const DIV: Code = code(P66, 1, 0x5E);
    pub const AND: Code = code(P66, 1, 0x54);
    pub const OR: Code = code(P66, 1, 0x56);
    pub const XOR: Code = code(P66, 1, 0x57);
    pub const SQRT: Code = code(P66, 1, 0x51);
    pub const LOAD: Code = code(P66, 1, 0x10);
    pub const STORE: Code = code(P66, 1, 0x11);
    pub const COMPARE: Code = code(P66, 1, 0xC2);
    pub const ADD_INT: Code = code(P66, 1, 0xD4);
    pub const SUB_INT: Code = code(P66, 1, 0xFB);
    pub const MUL_INT: Code = code(P66, 2, 0x40);
    pub const COMPARE_INT: Code = code(P66, 3, 0x1F);
    pub const TO_REAL: Code = code(PF3, 1, 0xE6);
    pub const BLEND: Code = code(P66, 2, 0x65);
    pub const ROUND: Code = code(P66, 3, 0x09);
    /// `to = second * third + to`.
    pub const FMA_231: Code = code(P66, 2, 0xB8);
    /// `to = second * to + third`.
    pub const FMA_213: Code = code(P66, 2, 0xA8);
    /// `to = to * third + second`.
    pub const FMA_132: Code = code(P66, 2, 0x98);
    pub const BROADCAST: Code = code(P66, 2, 0x19).of_scalars(true);
    pub const GATHER: Code = code(P66, 2, 0x93).of_scalars(true);
    pub const LOAD_ONE: Code = code(PF2, 1, 0x10).of_scalars(false);
    pub const STORE_ONE: Code = code(PF2, 1, 0x11).of_scalars(false);
    pub const ADD_ONE: Code = code(PF2, 1, 0x58).of_scalars(false);

    const fn of_scalars(self, wide: bool) -> Code {
        Code {
            unit: 8,
            wide,
            ..self
        }
    }
}

/// An operation on masks, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MaskCode {
    And = 0x41,
    /// Not the first, and the second.
    AndNot = 0x42,
    Or = 0x45,
    /// All ones, of a mask and itself.
    Xnor = 0x46,
    /// All zeros, of a mask and itself.
    Xor = 0x47,
}

/// Code that is being written.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
    constants: Vec<u64>,
    /// Where displacements to constants are, with the end of the instruction and the constant's number.
    references: Vec<(usize, usize, usize)>,
}

impl Encoder {
    /// The finished code, constants at its end.
    pub fn finish(mut self) -> Vec<u8> {
        while !self.bytes.len().is_multiple_of(8) {
            self.bytes.push(0xCC);
        }
        let start = self.bytes.len();
        for (at, end, number) in self.references {
            let distance = (start + 8 * number) as i32 - end as i32;
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.bytes
            .extend(self.constants.iter().flat_map(|bits| bits.to_le_bytes()));
        self.bytes
    }

    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    // ---- Vectors.

    /// An instruction of up to three operands; `second` is a register, or 0 where there is none.
    pub fn vector(
        &mut self,
        code: Code,
        lanes: Lanes,
        to: u8,
        second: u8,
        third: Operand,
        immediate: Option<u8>,
    ) {
        let (rm_3, rm_4, second_4) = match third {
            Operand::Register(register) => (register >> 3, register >> 4, second >> 4),
            Operand::Memory { base, index, .. } => match index {
                Index::Lanes(register) => (base.0 >> 3, register >> 3, register >> 4),
                Index::Bytes(register) | Index::Scalars(register) => {
                    (base.0 >> 3, register.0 >> 3, second >> 4)
                }
                Index::None => (base.0 >> 3, 0, second >> 4),
            },
            Operand::Splat { base, .. } => (base.0 >> 3, 0, second >> 4),
            Operand::Constant(_) => (0, 0, second >> 4),
        };
        let inverted = |bit: u8, at: u8| (!bit & 1) << at;
        let splat = matches!(third, Operand::Splat { .. } | Operand::Constant(_))
            && code != Code::BROADCAST;
        let (zero, mask) = match lanes {
            Lanes::All => (0, 0),
            Lanes::Merge(mask) => (0, mask),
            Lanes::Zero(mask) => (1, mask),
        };
        self.bytes.extend([
            0x62,
            inverted(to >> 3, 7)
                | inverted(rm_4, 6)
                | inverted(rm_3, 5)
                | inverted(to >> 4, 4)
                | code.table,
            0x80 | ((!second & 15) << 3) | 4 | code.prefix,
            zero << 7
                | if code.wide { 2 << 5 } else { 0 }
                | u8::from(splat) << 4
                | inverted(second_4, 3)
                | mask,
            code.number,
        ]);
        let unit = if splat { 8 } else { code.unit };
        self.operand(to, third, unit, immediate.is_some());
        self.bytes.extend(immediate);
    }

    /// The bytes that tell a register and an operand, whose short displacements count in units.
    fn operand(&mut self, register: u8, operand: Operand, unit: i32, has_immediate: bool) {
        let register = (register & 7) << 3;
        let (base, index, displacement) = match operand {
            Operand::Register(other) => {
                self.bytes.push(0xC0 | register | (other & 7));
                return;
            }
            Operand::Constant(bits) => {
                let known = self.constants.iter().position(|known| *known == bits);
                let number = known.unwrap_or_else(|| {
                    self.constants.push(bits);
                    self.constants.len() - 1
                });
                self.bytes.push(register | 5);
                let at = self.bytes.len();
                let end = at + 4 + usize::from(has_immediate);
                self.references.push((at, end, number));
                self.bytes.extend([0; 4]);
                return;
            }
            Operand::Memory {
                base,
                index,
                displacement,
            } => (base, index, displacement),
            Operand::Splat { base, displacement } => (base, Index::None, displacement),
        };
        let short = (displacement % unit == 0)
            .then(|| i8::try_from(displacement / unit).ok())
            .flatten();
        // A base of 5 without a displacement means something else.
        let mode = match short {
            Some(0) if base.0 & 7 != 5 => 0,
            Some(_) => 0x40,
            None => 0x80,
        };
        let scaled = |scale: u8, index: u8| Some(scale << 6 | (index & 7) << 3 | (base.0 & 7));
        let second = match index {
            Index::None if base.0 & 7 == 4 => scaled(0, 4),
            Index::None => None,
            Index::Bytes(index) => scaled(0, index.0),
            Index::Scalars(index) => scaled(3, index.0),
            Index::Lanes(index) => scaled(3, index),
        };
        let rm = if second.is_some() { 4 } else { base.0 & 7 };
        self.bytes.push(mode | register | rm);
        self.bytes.extend(second);
        match (mode, short) {
            (0, _) => {}
            (0x40, Some(short)) => self.bytes.push(short as u8),
            _ => self.bytes.extend(displacement.to_le_bytes()),
        }
    }

    // ---- Masks.

    /// `to = first code second`, of the lowest eight bits.
    pub fn mask(&mut self, code: MaskCode, to: u8, first: u8, second: u8) {
        let prefix = 0x80 | ((!first & 15) << 3) | 4 | P66;
        let registers = 0xC0 | to << 3 | second;
        self.bytes.extend([0xC5, prefix, code as u8, registers]);
    }

    pub fn mask_not(&mut self, to: u8, from: u8) {
        self.bytes.extend([0xC5, 0xF9, 0x44, 0xC0 | to << 3 | from]);
    }

    pub fn mask_copy(&mut self, to: u8, from: u8) {
        self.bytes.extend([0xC5, 0xF9, 0x90, 0xC0 | to << 3 | from]);
    }

    /// A mask from RAX.
    pub fn mask_from_rax(&mut self, to: u8) {
        self.bytes.extend([0xC5, 0xF9, 0x92, 0xC0 | to << 3]);
    }

    /// RAX from a mask.
    pub fn mask_to_rax(&mut self, from: u8) {
        self.bytes.extend([0xC5, 0xF9, 0x93, 0xC0 | from]);
    }

    // ---- General registers.

    /// `to = [base + displacement]`.
    pub fn load(&mut self, to: Gpr, base: Gpr, displacement: i32) {
        self.general(0x8B, to, base, displacement);
    }

    /// `[base + displacement] = from`.
    pub fn store(&mut self, from: Gpr, base: Gpr, displacement: i32) {
        self.general(0x89, from, base, displacement);
    }

    fn general(&mut self, number: u8, register: Gpr, base: Gpr, displacement: i32) {
        let rex = 0x48 | (register.0 >> 3) << 2 | base.0 >> 3;
        self.bytes.extend([rex, number]);
        let operand = Operand::Memory {
            base,
            index: Index::None,
            displacement,
        };
        self.operand(register.0, operand, 1, false);
    }

    pub fn push(&mut self, register: Gpr) {
        let rex = (register.0 >= 8).then_some(0x41);
        self.bytes.extend(rex);
        self.bytes.push(0x50 | (register.0 & 7));
    }

    pub fn pop(&mut self, register: Gpr) {
        let rex = (register.0 >= 8).then_some(0x41);
        self.bytes.extend(rex);
        self.bytes.push(0x58 | (register.0 & 7));
    }

    pub fn clear_rcx(&mut self) {
        self.bytes.extend([0x31, 0xC9]);
    }

    pub fn add_to_rcx(&mut self, bytes: u8) {
        self.bytes.extend([0x48, 0x83, 0xC1, bytes]);
    }

    /// The mask of as many lanes as RSI tells, if these are fewer than eight; else leaves it as it is.
    pub fn mask_of_rest(&mut self, mask: u8) {
        self.bytes.extend([0x48, 0x83, 0xFE, 8]); // cmp rsi, 8
        self.bytes.extend([0x73, 14]); // jae beyond
        self.bytes.extend([0xB8, 0xFF, 0, 0, 0]); // mov eax, 255
        self.bytes.extend([0xC4, 0xE2, 0x48, 0xF5, 0xC0]); // bzhi eax, eax, esi
        self.mask_from_rax(mask);
    }

    /// Takes eight from RSI and goes to a place above if something is left.
    pub fn again(&mut self, top: usize) {
        self.bytes.extend([0x48, 0x83, 0xEE, 8]); // sub rsi, 8
        let end = self.bytes.len() + 6;
        let distance = top as i32 - end as i32;
        self.bytes.extend([0x0F, 0x87]); // ja
        self.bytes.extend(distance.to_le_bytes());
    }

    pub fn leave(&mut self) {
        self.bytes.extend([0xC5, 0xF8, 0x77]); // vzeroupper
        self.bytes.push(0xC3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(base: u8, index: Index, displacement: i32) -> Operand {
        Operand::Memory {
            base: Gpr(base),
            index,
            displacement,
        }
    }

    /// The bytes of one instruction.
    fn bytes(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
        let mut encoder = Encoder::default();
        write(&mut encoder);
        encoder.bytes
    }

    /// Bytes as LLVM's assembler writes them.
    #[test]
    fn vectors_are_encoded_as_an_assembler_does() {
        let (all, rcx) = (Lanes::All, Index::Bytes(RCX));
        let vector = |code, lanes, registers: [u8; 2], third, immediate| {
            let [to, second] = registers;
            bytes(|it| it.vector(code, lanes, to, second, third, immediate))
        };
        // vaddpd zmm1, zmm2, zmm3
        let found = vector(Code::ADD, all, [1, 2], Operand::Register(3), None);
        assert_eq!(found, [0x62, 0xf1, 0xed, 0x48, 0x58, 0xcb]);
        // vsubpd zmm31, zmm17, zmm24
        let found = vector(Code::SUB, all, [31, 17], Operand::Register(24), None);
        assert_eq!(found, [0x62, 0x01, 0xf5, 0x40, 0x5c, 0xf8]);
        // vmulpd zmm9 {k1} {z}, zmm30, [r9 + rcx + 64]
        let found = vector(Code::MUL, Lanes::Zero(1), [9, 30], memory(9, rcx, 64), None);
        assert_eq!(found, [0x62, 0x51, 0x8d, 0xc1, 0x59, 0x4c, 0x09, 0x01]);
        // vdivpd zmm0, zmm16, [rdi + 136]{1to8}
        let splat = Operand::Splat {
            base: RDI,
            displacement: 136,
        };
        let found = vector(Code::DIV, all, [0, 16], splat, None);
        assert_eq!(found, [0x62, 0xf1, 0xfd, 0x50, 0x5e, 0x47, 0x11]);
        // vaddpd zmm31 {k1}, zmm31, [r13 + rcx + 1]
        let found = vector(
            Code::ADD,
            Lanes::Merge(1),
            [31, 31],
            memory(13, rcx, 1),
            None,
        );
        let expected = [0x62, 0x41, 0x85, 0x41, 0x58, 0xbc, 0x0d, 0x01, 0, 0, 0];
        assert_eq!(found, expected);
        // vfmadd231pd zmm20, zmm5, [rbp + rcx]
        let found = vector(Code::FMA_231, all, [20, 5], memory(5, rcx, 0), None);
        assert_eq!(found, [0x62, 0xe2, 0xd5, 0x48, 0xb8, 0x64, 0x0d, 0x00]);
        // vcmpltpd k4 {k1}, zmm18, [r12 + rcx - 8192]
        let operand = memory(12, rcx, -8192);
        let found = vector(Code::COMPARE, Lanes::Merge(1), [4, 18], operand, Some(1));
        assert_eq!(
            found,
            [0x62, 0xd1, 0xed, 0x41, 0xc2, 0x64, 0x0c, 0x80, 0x01]
        );
        // vblendmpd zmm8 {k5}, zmm19, zmm31
        let found = vector(
            Code::BLEND,
            Lanes::Merge(5),
            [8, 19],
            Operand::Register(31),
            None,
        );
        assert_eq!(found, [0x62, 0x12, 0xe5, 0x45, 0x65, 0xc7]);
        // vgatherqpd zmm17 {k3}, [r11 + 8*zmm25 - 16]
        let operand = memory(11, Index::Lanes(25), -16);
        let found = vector(Code::GATHER, Lanes::Merge(3), [17, 0], operand, None);
        assert_eq!(found, [0x62, 0x82, 0xfd, 0x43, 0x93, 0x4c, 0xcb, 0xfe]);
        // vrndscalepd zmm4, zmm29, 9
        let found = vector(Code::ROUND, all, [4, 0], Operand::Register(29), Some(9));
        assert_eq!(found, [0x62, 0x93, 0xfd, 0x48, 0x09, 0xe5, 0x09]);
        // vcvtqq2pd zmm26, zmm2
        let found = vector(Code::TO_REAL, all, [26, 0], Operand::Register(2), None);
        assert_eq!(found, [0x62, 0x61, 0xfe, 0x48, 0xe6, 0xd2]);
        // vpmullq zmm1, zmm21, zmm14
        let found = vector(Code::MUL_INT, all, [1, 21], Operand::Register(14), None);
        assert_eq!(found, [0x62, 0xd2, 0xd5, 0x40, 0x40, 0xce]);
        // vpcmpneqq k6, zmm3, zmm22
        let found = vector(
            Code::COMPARE_INT,
            all,
            [6, 3],
            Operand::Register(22),
            Some(4),
        );
        assert_eq!(found, [0x62, 0xb3, 0xe5, 0x48, 0x1f, 0xf6, 0x04]);
        // vbroadcastsd zmm28, [rdi + 1024]
        let splat = Operand::Splat {
            base: RDI,
            displacement: 1024,
        };
        let found = vector(Code::BROADCAST, all, [28, 0], splat, None);
        assert_eq!(found, [0x62, 0x62, 0xfd, 0x48, 0x19, 0xa7, 0, 4, 0, 0]);
        // vmovupd [rdi + rcx - 64], zmm23
        let found = vector(Code::STORE, all, [23, 0], memory(7, rcx, -64), None);
        assert_eq!(found, [0x62, 0xe1, 0xfd, 0x48, 0x11, 0x7c, 0x0f, 0xff]);
        // vaddsd xmm19, xmm19, [r14 + 8*rax + 16]
        let operand = memory(14, Index::Scalars(RAX), 16);
        let found = vector(Code::ADD_ONE, all, [19, 19], operand, None);
        assert_eq!(found, [0x62, 0xc1, 0xe7, 0x00, 0x58, 0x5c, 0xc6, 0x02]);
        // vmovsd [rdx + 8*rax], xmm19
        let operand = memory(2, Index::Scalars(RAX), 0);
        let found = vector(Code::STORE_ONE, all, [19, 0], operand, None);
        assert_eq!(found, [0x62, 0xe1, 0xff, 0x08, 0x11, 0x1c, 0xc2]);
    }

    #[test]
    fn masks_and_general_registers_are_encoded_as_an_assembler_does() {
        // kandnb k3, k4, k1; knotb k5, k6; kmovb k3, k1
        let found = bytes(|it| it.mask(MaskCode::AndNot, 3, 4, 1));
        assert_eq!(found, [0xc5, 0xdd, 0x42, 0xd9]);
        assert_eq!(bytes(|it| it.mask_not(5, 6)), [0xc5, 0xf9, 0x44, 0xee]);
        assert_eq!(bytes(|it| it.mask_copy(3, 1)), [0xc5, 0xf9, 0x90, 0xd9]);
        // mov r13, [rdi + 264]; mov [rdi], rax
        let found = bytes(|it| it.load(Gpr(13), RDI, 264));
        assert_eq!(found, [0x4c, 0x8b, 0xaf, 0x08, 0x01, 0, 0]);
        assert_eq!(bytes(|it| it.store(RAX, RDI, 0)), [0x48, 0x89, 0x07]);
        // push r12; pop rbx
        assert_eq!(bytes(|it| it.push(Gpr(12))), [0x41, 0x54]);
        assert_eq!(bytes(|it| it.pop(Gpr(3))), [0x5b]);
    }

    #[test]
    fn constants_lie_behind_the_code() {
        let constant = Operand::Constant(7);
        let mut encoder = Encoder::default();
        encoder.vector(Code::ADD, Lanes::All, 0, 0, constant, None);
        encoder.vector(Code::COMPARE, Lanes::All, 4, 0, constant, Some(1));
        let code = encoder.finish();
        let distance = |at: usize| i32::from_le_bytes(std::array::from_fn(|byte| code[at + byte]));
        // Distances count from the ends of the instructions: after 10 and after 21 bytes.
        assert_eq!((distance(6), distance(16)), (24 - 10, 24 - 21));
        assert_eq!(code[24..], 7_u64.to_le_bytes());
    }
}
