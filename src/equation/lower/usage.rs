//! Questions about the resolved tree: what a part of it mentions, which names are used whole, which ends are constant.

use std::collections::BTreeSet;

use crate::equation::tree::{
    Expr, ExprKind, LetterId, Model, NameId, Order, Role, SetId, SetKind, Statement, StatementKind,
    Subscript, SupportKind,
};

/// Visits an expression and everything in it, subscripts' expressions included, outermost first.
pub(super) fn visit<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    let mut in_subscript = |subscript: &'e Subscript| {
        subscript.visit(&mut |part| {
            if let Subscript::Shift { by, .. } = part {
                visit(by, see);
            }
        });
    };
    expr.subscripts().iter().for_each(&mut in_subscript);
    if let ExprKind::Reduce { agreeing, .. } = &expr.kind {
        for (bound, free) in agreeing {
            in_subscript(bound);
            in_subscript(free);
        }
    }
    for part in expr.parts() {
        visit(part, see);
    }
}

/// The subscripts that a statement defines an element with, or that its variate has.
pub(super) fn left_subscripts(statement: &Statement) -> &[Subscript] {
    match &statement.kind {
        StatementKind::Draw { variate, .. } => match &variate.kind {
            ExprKind::Name { subscripts, .. } => subscripts,
            _ => &[],
        },
        StatementKind::Define { subscripts, .. } => subscripts,
        StatementKind::Target { .. } => &[],
    }
}

/// The name that a statement is about: the one defined, or drawn.
pub(super) fn left_name(statement: &Statement) -> Option<NameId> {
    match &statement.kind {
        StatementKind::Draw { variate, .. } => match &variate.kind {
            ExprKind::Name { name, .. } => Some(*name),
            _ => None,
        },
        StatementKind::Define { name, .. } => Some(*name),
        StatementKind::Target { .. } => None,
    }
}

/// Every subscript of an expression (those within subscripts of shifts included), with the name that has it.
pub(super) fn subscripts_of(expr: &Expr) -> Vec<(NameId, &[Subscript])> {
    let mut found = Vec::new();
    visit(expr, &mut |part| match &part.kind {
        ExprKind::Name { name, subscripts } => found.push((*name, subscripts.as_slice())),
        ExprKind::LevelTest {
            column, subscripts, ..
        } => found.push((*column, subscripts.as_slice())),
        _ => {}
    });
    found
}

/// The names that an expression mentions, columns of maps included.
pub(super) fn names_in(expr: &Expr) -> BTreeSet<NameId> {
    let mut names = BTreeSet::new();
    for (name, subscripts) in subscripts_of(expr) {
        names.insert(name);
        for subscript in subscripts {
            maps_in(subscript, &mut names);
        }
    }
    names
}

fn maps_in(subscript: &Subscript, names: &mut BTreeSet<NameId>) {
    subscript.visit(&mut |part| {
        if let Subscript::Map { column, .. } = part {
            names.insert(*column);
        }
    });
}

/// Whether a subscript depends on a letter.
pub(super) fn subscript_mentions(subscript: &Subscript, letter: LetterId) -> bool {
    match subscript {
        Subscript::Letter(own) => *own == letter,
        Subscript::Shift { of, by } => subscript_mentions(of, letter) || mentions(by, letter),
        _ => (subscript.parts()).any(|part| subscript_mentions(part, letter)),
    }
}

/// Whether an expression depends on a letter that is not bound inside of it.
pub(super) fn mentions(expr: &Expr, letter: LetterId) -> bool {
    let in_parts = || expr.parts().into_iter().any(|part| mentions(part, letter));
    match &expr.kind {
        ExprKind::LetterValue(own) => *own == letter,
        ExprKind::Reduce {
            letters, agreeing, ..
        } => {
            let mut free = agreeing.iter().map(|(_, free)| free);
            free.any(|free| subscript_mentions(free, letter))
                || (!letters.contains(&letter) && in_parts())
        }
        _ => {
            let mut subscripts = expr.subscripts().iter();
            subscripts.any(|subscript| subscript_mentions(subscript, letter)) || in_parts()
        }
    }
}

/// Whether an expression depends on any letter of its statement.
pub(super) fn mentions_any(model: &Model, expr: &Expr) -> bool {
    (0..model.letters.len()).any(|letter| mentions(expr, LetterId(letter)))
}

/// The ends of a set's range, if the file gives it one.
pub(super) fn range(model: &Model, set: SetId) -> Option<(&Expr, &Expr)> {
    match &model.sets[set.0].kind {
        SetKind::Levels {
            order: Some(Order::Range(lower, upper)),
            ..
        }
        | SetKind::Fixed(Order::Range(lower, upper)) => Some((lower, upper)),
        _ => None,
    }
}

/// The place of a data name among the plan's columns: data names in the order of the file.
pub(super) fn column(model: &Model, name: NameId) -> usize {
    let is_data = |earlier: &&crate::equation::tree::Name| earlier.role == Role::Data;
    model.names[..name.0].iter().filter(is_data).count()
}

/// The names whose last two axes are used together somewhere, or that are matrices by their support or type.
pub(super) fn used_whole(model: &Model) -> BTreeSet<NameId> {
    let mut whole = BTreeSet::new();
    let mut see = |expr: &Expr| {
        if let ExprKind::Name { name, subscripts } = &expr.kind {
            let axes = model.names[name.0].axes.len();
            let one_of_two = |at: usize| match subscripts.get(at) {
                None | Some(Subscript::All | Subscript::Range { .. }) => true,
                Some(_) => false,
            };
            // Whole in the last but one axis: a column, or all of a matrix.
            if axes >= 2 && one_of_two(axes - 2) {
                whole.insert(*name);
            }
        }
    };
    for statement in &model.statements {
        for expr in statement.expressions() {
            visit(expr, &mut see);
        }
    }
    for (at, name) in model.names.iter().enumerate() {
        let by_support = matches!(
            name.support.kind,
            SupportKind::Covariance
                | SupportKind::Correlation
                | SupportKind::CholeskyCovariance
                | SupportKind::CholeskyCorrelation
        );
        let by_type = name
            .declared
            .as_ref()
            .is_some_and(|declared| declared.base.size_count().1 == 2 || is_square(declared.base));
        if by_support || by_type {
            whole.insert(NameId(at));
        }
    }
    whole
}

fn is_square(base: crate::syntax::ast::BaseType) -> bool {
    use crate::syntax::ast::BaseType;
    matches!(
        base,
        BaseType::CovMatrix | BaseType::CorrMatrix | BaseType::CholeskyFactorCorr
    )
}

/// The functions that the program calls or defines: no variable may have their names.
pub(super) fn functions(model: &Model) -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    let mut see = |expr: &Expr| match &expr.kind {
        ExprKind::Call { function, .. } | ExprKind::Reduce { function, .. } => {
            functions.insert(function.name.clone());
        }
        _ => {}
    };
    for statement in &model.statements {
        for expr in statement.expressions() {
            visit(expr, &mut see);
        }
    }
    let defined = model.functions.iter().flat_map(|block| &block.items);
    functions.extend(defined.map(|function| function.name.name.clone()));
    // What lowering itself calls.
    let own = [
        "dot_product",
        "rep_vector",
        "rep_array",
        "to_vector",
        "to_row_vector",
        "to_array_1d",
        "append_row",
        "sort_indices_asc",
        "to_int",
    ];
    functions.extend(own.map(str::to_string));
    functions
}

/// The columns whose maps a subscript follows.
pub(super) fn maps_of(subscript: &Subscript) -> BTreeSet<NameId> {
    let mut names = BTreeSet::new();
    maps_in(subscript, &mut names);
    names
}
