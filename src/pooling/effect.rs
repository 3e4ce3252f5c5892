//! The effects of a model that vary by group: unknowns drawn from a population whose location and scale the model gives.

use super::mentions;
use crate::equation::tree::{self, NameId, Purpose, SetKind, StatementKind};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Index, UnaryOp};
use crate::syntax::equation::{DeclaredType, EquationProgram, ItemKind};

/// An effect that varies by group, `theta[j] ~ normal(mu, tau)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Its name.
    pub name: String,
    /// Letters over each of its axes, hidden ones too.
    pub letters: Vec<String>,
    /// The sets of its axes.
    pub axes: Vec<tree::SetId>,
    /// Which of its axes are groups; the others have labels that the file spells out, as those of covariates.
    pub is_group: Vec<bool>,
    /// The subscripts of its prior's left side.
    pub subscripts: Vec<Index>,
    /// A type written for it.
    pub declared: Option<DeclaredType>,
    /// Where its population is.
    pub location: Expr,
    /// How far groups differ.
    pub deviation: Deviation,
    /// The place of its prior among the program's items.
    pub item: usize,
    /// Where the prior stands.
    pub span: Span,
}

/// The argument of a prior that says how far groups differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Deviation {
    /// A standard deviation (or the scale of another family), or one per coefficient.
    Scale(Expr),
    /// A covariance matrix of the coefficients.
    Covariance(Expr),
    /// Its Cholesky factor.
    CholeskyFactor(Expr),
}

impl Effect {
    /// Whether its location is a number: the mean of the groups is another name's business.
    pub fn has_fixed_location(&self) -> bool {
        is_number(&self.location)
    }
}

/// Why a name is no effect that can be pooled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEffect {
    /// It has no prior of its own, or is none of the model's unknowns.
    NotUnknown,
    /// It does not vary by group.
    NoGroups,
    /// Several statements give its prior, or it depends on its own earlier elements.
    SeveralStatements,
    /// Its prior's family has no location and scale on the real line.
    Family(String),
    /// Its location and scale are numbers, so groups learn nothing from each other.
    FixedScale,
}

impl std::fmt::Display for NoEffect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoEffect::NotUnknown => write!(f, "it has no prior"),
            NoEffect::NoGroups => write!(f, "it does not vary by group"),
            NoEffect::SeveralStatements => {
                write!(f, "its prior is not one statement for all groups")
            }
            NoEffect::Family(family) => {
                write!(
                    f,
                    "its prior is `{family}`, which has no location and scale"
                )
            }
            NoEffect::FixedScale => write!(
                f,
                "its prior has a scale that is a number, so groups learn nothing from each other"
            ),
        }
    }
}

/// The effects of a model that vary by group, in the order of the file.
///
/// Effects over the rows of a table count only if no effect varies over levels: then each row is a group, as in a
/// meta-analysis.
pub fn effects(program: &EquationProgram, model: &tree::Model) -> Vec<Effect> {
    let names = (0..model.names.len()).map(NameId);
    let found: Vec<Effect> = names
        .filter_map(|name| of_name(program, model, name).ok())
        .collect();
    let is_over_rows = |effect: &Effect| {
        let rows = |set: &tree::SetId| matches!(model.sets[set.0].kind, SetKind::Rows);
        effect.axes.iter().any(rows)
    };
    if found.iter().all(is_over_rows) {
        found
    } else {
        found.into_iter().filter(|e| !is_over_rows(e)).collect()
    }
}

/// The effect of a name.
///
/// # Errors
/// Why it is none.
pub fn effect(
    program: &EquationProgram,
    model: &tree::Model,
    name: &str,
) -> Result<Effect, NoEffect> {
    let place = model.names.iter().position(|other| other.name == name);
    of_name(program, model, NameId(place.ok_or(NoEffect::NotUnknown)?))
}

/// Families with a location and a scale: the places of the two among the arguments.
fn family(distribution: &str) -> Option<(usize, usize)> {
    match distribution {
        "normal"
        | "cauchy"
        | "logistic"
        | "double_exponential"
        | "multi_normal"
        | "multi_normal_cholesky" => Some((0, 1)),
        "student_t" => Some((1, 2)),
        _ => None,
    }
}

fn of_name(program: &EquationProgram, model: &tree::Model, id: NameId) -> Result<Effect, NoEffect> {
    let name = &model.names[id.0];
    let priors = model.statements.iter().filter(|statement| {
        matches!(&statement.kind, StatementKind::Draw { purpose: Purpose::Prior(of), .. } if *of == id)
    });
    let priors: Vec<&tree::Statement> = priors.collect();
    let defined = model.statements.iter().any(
        |statement| matches!(&statement.kind, StatementKind::Define { name, .. } if *name == id),
    );
    let statement = match priors.as_slice() {
        [] => return Err(NoEffect::NotUnknown),
        [one] if !defined => *one,
        _ => return Err(NoEffect::SeveralStatements),
    };
    let is_group: Vec<bool> = (name.axes.iter())
        .map(|set| !matches!(model.sets[set.0].kind, SetKind::Fixed(_)))
        .collect();
    if !is_group.contains(&true) {
        return Err(NoEffect::NoGroups);
    }
    let StatementKind::Draw {
        distribution,
        arguments: resolved,
        truncation: None,
        ..
    } = &statement.kind
    else {
        return Err(NoEffect::SeveralStatements);
    };
    let places = family(distribution).ok_or_else(|| NoEffect::Family(distribution.clone()))?;
    let (item, arguments, subscripts, declared) =
        prior(program, &name.name).ok_or(NoEffect::SeveralStatements)?;
    let (Some(location), Some(scale)) = (arguments.get(places.0), arguments.get(places.1)) else {
        return Err(NoEffect::Family(distribution.clone()));
    };
    if is_number(scale) {
        return Err(NoEffect::FixedScale);
    }
    if arguments
        .iter()
        .any(|argument| mentions_name(argument, &name.name))
    {
        return Err(NoEffect::SeveralStatements);
    }
    let rank = resolved.get(places.1).map_or(0, |scale| scale.axes.len());
    let deviation = match distribution.as_str() {
        "multi_normal_cholesky" => Deviation::CholeskyFactor(scale.clone()),
        "multi_normal" if rank == 2 => Deviation::Covariance(scale.clone()),
        _ => Deviation::Scale(scale.clone()),
    };
    Ok(Effect {
        name: name.name.clone(),
        letters: axis_letters(model, &name.axes, subscripts),
        axes: name.axes.clone(),
        is_group,
        subscripts: subscripts.to_vec(),
        declared: declared.cloned(),
        location: location.clone(),
        deviation,
        item,
        span: statement.span,
    })
}

type Prior<'a> = (usize, &'a [Expr], &'a [Index], Option<&'a DeclaredType>);

/// The one item that gives a name its prior, if its subscripts are letters.
fn prior<'a>(program: &'a EquationProgram, name: &str) -> Option<Prior<'a>> {
    for (place, item) in program.items.iter().enumerate() {
        let ItemKind::Draw {
            variates,
            arguments,
            declared,
            ..
        } = &item.kind
        else {
            continue;
        };
        for variate in variates {
            if mentions::simple_name(variate) != Some(name) {
                continue;
            }
            let subscripts = match &variate.kind {
                ExprKind::Index { indices, .. } => indices.as_slice(),
                _ => &[],
            };
            return Some((place, arguments, subscripts, declared.as_ref()));
        }
    }
    None
}

/// Letters for all axes: those written, then for hidden axes the first that ranges over the set and is still free.
fn axis_letters(model: &tree::Model, axes: &[tree::SetId], written: &[Index]) -> Vec<String> {
    let mut letters: Vec<String> = Vec::new();
    for (place, axis) in axes.iter().enumerate() {
        if let Some(Index::Single(subscript)) = written.get(place)
            && let ExprKind::Variable(letter) = &subscript.kind
        {
            letters.push(letter.clone());
            continue;
        }
        let fitting = model.letters.iter().filter(|letter| letter.set == *axis);
        let free = fitting
            .map(|letter| &letter.name)
            .find(|name| !letters.contains(name));
        letters.push(free.cloned().unwrap_or_default());
    }
    letters
}

fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Real(_) => true,
        ExprKind::Unary {
            operator: UnaryOp::Negate | UnaryOp::Plus,
            operand,
        } => is_number(operand),
        _ => false,
    }
}

fn mentions_name(expr: &Expr, name: &str) -> bool {
    let mut names = std::collections::BTreeSet::new();
    mentions::expression(expr, &mut names);
    names.contains(name)
}
