//! Questions about the resolved tree: what a part of it mentions, which names are used whole, which ends are constant.

use std::collections::BTreeSet;

use crate::equation::tree::{
    Expr, ExprKind, LetterId, Model, NameId, Order, Purpose, Role, SetId, SetKind, Statement,
    StatementKind, Subscript, SupportKind,
};
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// Visits an expression and everything in it, subscripts' expressions included, outermost first.
pub(super) fn visit<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Size(_) | ExprKind::LetterValue(_) => {}
        ExprKind::Name { subscripts, .. } | ExprKind::LevelTest { subscripts, .. } => {
            for subscript in subscripts {
                visit_subscript(subscript, see);
            }
        }
        ExprKind::Reduce { agreeing, body, .. } => {
            for (bound, free) in agreeing {
                visit_subscript(bound, see);
                visit_subscript(free, see);
            }
            visit(body, see);
        }
        ExprKind::Unary { operand, .. } => visit(operand, see),
        ExprKind::Binary { left, right, .. } => {
            visit(left, see);
            visit(right, see);
        }
        ExprKind::Ternary {
            condition,
            if_true,
            if_false,
        } => {
            for part in [condition, if_true, if_false] {
                visit(part, see);
            }
        }
        ExprKind::Call { arguments, .. } => arguments.iter().for_each(|part| visit(part, see)),
        ExprKind::RowVector(elements) | ExprKind::Array(elements) => {
            elements.iter().for_each(|part| visit(part, see));
        }
    }
}

fn visit_subscript<'e>(subscript: &'e Subscript, see: &mut dyn FnMut(&'e Expr)) {
    match subscript {
        Subscript::Map { of, .. }
        | Subscript::Part { of, .. }
        | Subscript::Membership { of, .. } => visit_subscript(of, see),
        Subscript::Shift { of, by } => {
            visit_subscript(of, see);
            visit(by, see);
        }
        Subscript::Range { lower, upper } => {
            for end in [lower, upper].into_iter().flatten() {
                visit_subscript(end, see);
            }
        }
        Subscript::Letter(_)
        | Subscript::Label { .. }
        | Subscript::First(_)
        | Subscript::Last(_)
        | Subscript::All => {}
    }
}

/// The expressions of a statement, the variate of `~` first.
pub(super) fn expressions(statement: &Statement) -> Vec<&Expr> {
    match &statement.kind {
        StatementKind::Draw {
            variate,
            arguments,
            truncation,
            ..
        } => {
            let bounds = truncation
                .iter()
                .flat_map(|(lower, upper)| [lower, upper].into_iter().flatten());
            std::iter::once(variate)
                .chain(arguments)
                .chain(bounds)
                .collect()
        }
        StatementKind::Define { value, .. } | StatementKind::Target { value } => vec![value],
    }
}

/// The expressions that a statement reads: all but a variate that it gives a value or a distribution.
pub(super) fn reads(statement: &Statement) -> Vec<&Expr> {
    let all = expressions(statement);
    let skipped = usize::from(matches!(
        &statement.kind,
        StatementKind::Draw { purpose, .. } if *purpose != Purpose::Factor
    ));
    all.into_iter().skip(skipped).collect()
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
    match subscript {
        Subscript::Map { column, of } => {
            names.insert(*column);
            maps_in(of, names);
        }
        Subscript::Part { of, .. }
        | Subscript::Membership { of, .. }
        | Subscript::Shift { of, .. } => maps_in(of, names),
        Subscript::Range { lower, upper } => {
            for end in [lower, upper].into_iter().flatten() {
                maps_in(end, names);
            }
        }
        _ => {}
    }
}

/// Whether a subscript depends on a letter.
pub(super) fn subscript_mentions(subscript: &Subscript, letter: LetterId) -> bool {
    match subscript {
        Subscript::Letter(own) => *own == letter,
        Subscript::Map { of, .. }
        | Subscript::Part { of, .. }
        | Subscript::Membership { of, .. } => subscript_mentions(of, letter),
        Subscript::Shift { of, by } => subscript_mentions(of, letter) || mentions(by, letter),
        Subscript::Range { lower, upper } => [lower, upper]
            .into_iter()
            .flatten()
            .any(|end| subscript_mentions(end, letter)),
        Subscript::Label { .. } | Subscript::First(_) | Subscript::Last(_) | Subscript::All => {
            false
        }
    }
}

/// Whether an expression depends on a letter that is not bound inside of it.
pub(super) fn mentions(expr: &Expr, letter: LetterId) -> bool {
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Size(_) => false,
        ExprKind::LetterValue(own) => *own == letter,
        ExprKind::Name { subscripts, .. } | ExprKind::LevelTest { subscripts, .. } => subscripts
            .iter()
            .any(|subscript| subscript_mentions(subscript, letter)),
        ExprKind::Reduce {
            letters,
            agreeing,
            body,
            ..
        } => {
            let in_free = agreeing
                .iter()
                .any(|(_, free)| subscript_mentions(free, letter));
            in_free || (!letters.contains(&letter) && mentions(body, letter))
        }
        ExprKind::Unary { operand, .. } => mentions(operand, letter),
        ExprKind::Binary { left, right, .. } => mentions(left, letter) || mentions(right, letter),
        ExprKind::Ternary {
            condition,
            if_true,
            if_false,
        } => [condition, if_true, if_false]
            .into_iter()
            .any(|part| mentions(part, letter)),
        ExprKind::Call {
            arguments: parts, ..
        }
        | ExprKind::RowVector(parts)
        | ExprKind::Array(parts) => parts.iter().any(|part| mentions(part, letter)),
    }
}

/// Whether an expression depends on any letter of its statement.
pub(super) fn mentions_any(model: &Model, expr: &Expr) -> bool {
    (0..model.letters.len()).any(|letter| mentions(expr, LetterId(letter)))
}

/// The value of an integer expression without names.
pub(super) fn constant(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Int(value) => Some(i64::from(*value)),
        ExprKind::Unary {
            operator: UnaryOp::Negate,
            operand,
        } => constant(operand).map(|value| -value),
        ExprKind::Binary {
            operator,
            left,
            right,
        } => {
            let (left, right) = (constant(left)?, constant(right)?);
            match operator {
                BinaryOp::Add => Some(left + right),
                BinaryOp::Subtract => Some(left - right),
                BinaryOp::Multiply => Some(left * right),
                _ => None,
            }
        }
        _ => None,
    }
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
        for expr in expressions(statement) {
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
        for expr in expressions(statement) {
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
