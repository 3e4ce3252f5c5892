//! Contraction: a product that only one sum uses becomes a fused multiply-add, rounded once.

use crate::builtins::Prim;
use crate::loops::{Op, Procedure, Stmt, ValueId, blocks_mut, for_each_operand_inside};
use std::collections::BTreeMap;

/// Contracts `a · b + c` wherever nothing else uses the product.
pub(super) fn contract(procedure: &mut Procedure) {
    let mut uses = vec![0_u32; procedure.values.len()];
    for stmt in &procedure.body {
        for_each_operand_inside(stmt, &mut |value| uses[value.0 as usize] += 1);
    }
    block(&mut procedure.body, &uses);
}

fn block(stmts: &mut Vec<Stmt>, uses: &[u32]) {
    // Products of this block that are used once, and where they are defined.
    let mut products: BTreeMap<ValueId, (usize, [ValueId; 2])> = BTreeMap::new();
    let mut gone = Vec::new();
    for (at, stmt) in stmts.iter_mut().enumerate() {
        for inner in blocks_mut(stmt) {
            block(inner, uses);
        }
        let Stmt::Let(value, Op::Prim(prim, args)) = stmt else {
            continue;
        };
        match (*prim, args.as_slice()) {
            (Prim::Mul, &[a, b]) if uses[value.0 as usize] == 1 => {
                products.insert(*value, (at, [a, b]));
            }
            (Prim::Add, &[x, y]) => {
                let found = products.remove(&y).map(|product| (product, x));
                let found = found.or_else(|| products.remove(&x).map(|product| (product, y)));
                if let Some(((place, [a, b]), c)) = found {
                    *stmt = Stmt::Let(*value, Op::Prim(Prim::Fma, vec![a, b, c]));
                    gone.push(place);
                }
            }
            _ => {}
        }
    }
    gone.sort_unstable();
    for place in gone.into_iter().rev() {
        stmts.remove(place);
    }
}
