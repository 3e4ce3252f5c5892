//! The models that pool completely and not at all, from the one that pools partially: by rewriting its syntax tree.
//!
//! With complete pooling an effect is its location; without pooling it is a flat parameter, or where its location is a
//! number (the mean is elsewhere in the model) a flat parameter that sums to zero. What nothing needs any more goes:
//! hyperparameters, their priors, the data that only they used.

use super::effect::{Deviation, Effect};
use super::mentions;
use crate::source::Span;
use crate::syntax::ast::{BaseType, Bounds, Expr, ExprKind, Identifier, Index};
use crate::syntax::equation::{DeclaredType, EquationProgram, Item, ItemKind, Term};
use std::collections::BTreeSet;

/// What the rewritten models call an effect's location and its standard deviation between groups.
pub const LOCATION: &str = "pooling_location";
/// See [`LOCATION`].
pub const DEVIATION: &str = "pooling_deviation";

/// The model in which an effect is its location: groups do not differ but for what the location says.
pub fn complete(
    program: &EquationProgram,
    effect: &Effect,
    observed: &[String],
) -> EquationProgram {
    needed(at_location(program, effect), observed)
}

/// The program with an effect's location in its place, and everything else as it was.
pub fn at_location(program: &EquationProgram, effect: &Effect) -> EquationProgram {
    let subscripts = if effect.has_fixed_location() {
        // A number has no axes; the left side shows them all.
        letters(&effect.letters, effect.span)
    } else {
        effect.subscripts.clone()
    };
    let definition = ItemKind::Define {
        declared: None,
        term: term(&effect.name, subscripts, effect.span),
        value: effect.location.clone(),
    };
    replaced(program, effect, definition)
}

/// The model in which every group stands for itself.
pub fn none(program: &EquationProgram, effect: &Effect, observed: &[String]) -> EquationProgram {
    let sums_to_zero = effect.has_fixed_location() && effect.letters.len() == 1;
    let declared = sums_to_zero.then_some(DeclaredType {
        base: BaseType::SumToZeroVector,
        bounds: Bounds::None,
        span: effect.span,
    });
    let subscripts = letters(&effect.letters, effect.span);
    let declaration = ItemKind::Declare {
        declared: declared.or_else(|| effect.declared.clone()),
        terms: vec![term(&effect.name, subscripts, effect.span)],
    };
    needed(replaced(program, effect, declaration), observed)
}

/// The model as it is, with definitions of the effect's location and of its standard deviation between groups.
pub fn partial(program: &EquationProgram, effect: &Effect) -> EquationProgram {
    let letters = program_letters(program);
    let mut program = program.clone();
    let mut define = |name: &str, value: Expr| {
        let mut names = BTreeSet::new();
        mentions::expression(&value, &mut names);
        let subscripts = if letters.iter().any(|letter| names.contains(letter)) {
            effect.subscripts.clone()
        } else {
            Vec::new()
        };
        let kind = ItemKind::Define {
            declared: None,
            term: term(name, subscripts, effect.span),
            value,
        };
        let span = effect.span;
        program.items.push(Item { kind, span });
    };
    if !effect.has_fixed_location() {
        define(LOCATION, effect.location.clone());
    }
    define(DEVIATION, deviation(&effect.deviation, effect.span));
    program
}

fn program_letters(program: &EquationProgram) -> Vec<String> {
    let letter = |item: &Item| match &item.kind {
        ItemKind::Index { letter, .. } => Some(letter.name.clone()),
        _ => None,
    };
    program.items.iter().filter_map(letter).collect()
}

/// The standard deviations: of a covariance matrix the roots of its diagonal, of its Cholesky factor the rows' lengths.
fn deviation(deviation: &Deviation, span: Span) -> Expr {
    let call = |function: &str, argument: Expr| Expr {
        kind: ExprKind::Call {
            function: Identifier {
                name: function.to_string(),
                span,
            },
            arguments: vec![argument],
            bar: false,
        },
        span,
    };
    match deviation {
        Deviation::Scale(scale) => scale.clone(),
        Deviation::Covariance(matrix) => call("sqrt", call("diagonal", matrix.clone())),
        Deviation::CholeskyFactor(factor) => call("sqrt", call("rows_dot_self", factor.clone())),
    }
}

fn term(name: &str, subscripts: Vec<Index>, span: Span) -> Term {
    Term {
        name: Identifier {
            name: name.to_string(),
            span,
        },
        subscripts,
        span,
    }
}

fn letters(names: &[String], span: Span) -> Vec<Index> {
    let letter = |name: &String| {
        Index::Single(Expr {
            kind: ExprKind::Variable(name.clone()),
            span,
        })
    };
    names.iter().map(letter).collect()
}

/// The program with the effect's prior replaced; other names that shared the statement keep it.
fn replaced(program: &EquationProgram, effect: &Effect, by: ItemKind) -> EquationProgram {
    let mut program = program.clone();
    let item = &mut program.items[effect.item];
    let span = item.span;
    if let ItemKind::Draw { variates, .. } = &mut item.kind
        && variates.len() > 1
    {
        variates.retain(|variate| mentions::simple_name(variate) != Some(effect.name.as_str()));
        program
            .items
            .insert(effect.item + 1, Item { kind: by, span });
    } else {
        item.kind = by;
    }
    program
}

/// The items that what was observed depends on: likelihoods, definitions of these names, and what they need. Index sets
/// stay.
pub fn needed(program: EquationProgram, observed: &[String]) -> EquationProgram {
    let is_observed = |name: &str| observed.iter().any(|other| other == name);
    let is_root = |item: &Item| match &item.kind {
        ItemKind::Target { .. } => true,
        ItemKind::Draw { variates, .. } => variates
            .iter()
            .any(|variate| mentions::simple_name(variate).is_none_or(is_observed)),
        ItemKind::Define { term, .. } => is_observed(&term.name.name),
        _ => false,
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut kept = vec![false; program.items.len()];
    let mut has_changed = true;
    while has_changed {
        has_changed = false;
        for (item, kept) in program.items.iter().zip(&mut kept) {
            let subjects = mentions::subjects(item);
            if !*kept && (is_root(item) || subjects.iter().any(|name| names.contains(*name))) {
                *kept = true;
                has_changed = true;
                names.extend(mentions::mentioned(item));
                let observed = subjects.into_iter().filter(|name| is_observed(name));
                names.extend(observed.map(str::to_string));
            }
        }
    }
    let items = program.items.into_iter().zip(kept);
    let items = items.filter_map(|(item, kept)| match item.kind {
        ItemKind::Index { .. } => Some(item),
        ItemKind::Draw {
            declared,
            mut variates,
            distribution,
            arguments,
            truncation,
        } if kept => {
            variates.retain(|variate| {
                mentions::simple_name(variate).is_none_or(|name| names.contains(name))
            });
            Some(Item {
                kind: ItemKind::Draw {
                    declared,
                    variates,
                    distribution,
                    arguments,
                    truncation,
                },
                span: item.span,
            })
        }
        ItemKind::Declare {
            declared,
            mut terms,
        } if kept => {
            terms.retain(|term| names.contains(&term.name.name));
            let span = item.span;
            Some(Item {
                kind: ItemKind::Declare { declared, terms },
                span,
            })
        }
        ItemKind::Data(mut columns) => {
            columns.retain(|column| names.contains(&column.name.name));
            let span = item.span;
            (!columns.is_empty()).then_some(Item {
                kind: ItemKind::Data(columns),
                span,
            })
        }
        _ => kept.then_some(item),
    });
    EquationProgram {
        functions: program.functions,
        items: items.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{complete, none, partial};
    use crate::pooling::effect::{Deviation, Effect};
    use crate::source::{SourceMap, Span};
    use crate::syntax::equation::{EquationProgram, ItemKind};
    use crate::syntax::{Form, NoIncludes, format_equations, parse_form};

    fn parsed(text: &str) -> EquationProgram {
        let mut sources = SourceMap::new();
        let source = sources.add("test.hlm", text);
        match parse_form(&mut sources, source, &mut NoIncludes) {
            Ok(Form::Equation(program)) => program,
            other => panic!("{other:?}"),
        }
    }

    /// The effect whose prior is the item at a place, with the letters given.
    fn effect(program: &EquationProgram, item: usize, name: &str, letters: &[&str]) -> Effect {
        let ItemKind::Draw {
            variates,
            arguments,
            ..
        } = &program.items[item].kind
        else {
            panic!("no prior: {:?}", program.items[item]);
        };
        let own = variates
            .iter()
            .find(|variate| crate::pooling::mentions::simple_name(variate) == Some(name));
        let subscripts = match &own.unwrap().kind {
            crate::syntax::ast::ExprKind::Index { indices, .. } => indices.clone(),
            _ => Vec::new(),
        };
        let cholesky = arguments.len() == 2 && letters.len() == 2;
        let scale = arguments[1].clone();
        Effect {
            name: name.to_string(),
            letters: letters.iter().map(ToString::to_string).collect(),
            axes: Vec::new(),
            is_group: vec![true; letters.len()],
            subscripts,
            declared: None,
            location: arguments[0].clone(),
            deviation: if cholesky {
                Deviation::CholeskyFactor(scale)
            } else {
                Deviation::Scale(scale)
            },
            item,
            span: Span::default(),
        }
    }

    const RADON: &str = "index i
index j = county[i]
data y[i], x[i], u[j]
y[i] ~ normal(a[j] + b * x[i], sigma)
a[j] ~ normal(g0 + g1 * u[j], s_a)
b, g0, g1 ~ normal(0, 5)
sigma, s_a ~ exponential(1)
";

    #[test]
    fn complete_pooling_puts_the_location_in_the_effect_s_place() {
        let program = parsed(RADON);
        let effect = effect(&program, 4, "a", &["j"]);
        let text = format_equations(&complete(&program, &effect, &["y".to_string()]));
        assert!(text.contains("a[j] = g0 + g1 * u[j]"), "{text}");
        assert!(!text.contains("s_a"), "{text}");
        assert!(text.contains("sigma ~ exponential(1)"), "{text}");
    }

    #[test]
    fn no_pooling_forgets_the_population() {
        let program = parsed(RADON);
        let effect = effect(&program, 4, "a", &["j"]);
        let text = format_equations(&none(&program, &effect, &["y".to_string()]));
        assert!(text.contains("param a[j]"), "{text}");
        for gone in ["g0", "g1", "s_a", "u[j]"] {
            assert!(!text.contains(gone), "{gone} in\n{text}");
        }
        assert!(text.contains("b ~ normal(0, 5)"), "{text}");
    }

    #[test]
    fn partial_pooling_says_where_the_population_is() {
        let program = parsed(RADON);
        let effect = effect(&program, 4, "a", &["j"]);
        let text = format_equations(&partial(&program, &effect));
        assert!(
            text.contains("pooling_location[j] = g0 + g1 * u[j]"),
            "{text}"
        );
        assert!(text.contains("pooling_deviation = s_a"), "{text}");
    }

    #[test]
    fn effects_about_zero_sum_to_zero_without_pooling() {
        let program = parsed(
            "index i
index r = reader[i]
index w = word[i]
data y[i]
y[i] ~ normal(mu + a[r] + b[w], sigma)
a[r] ~ normal(0, s_a)
b[w] ~ normal(0, s_b)
mu ~ normal(0, 5)
sigma, s_a, s_b ~ exponential(1)
",
        );
        let effect = effect(&program, 5, "a", &["r"]);
        let observed = ["y".to_string()];
        let text = format_equations(&none(&program, &effect, &observed));
        assert!(text.contains("sum_to_zero_vector a[r]"), "{text}");
        assert!(text.contains("sigma, s_b ~ exponential(1)"), "{text}");
        let text = format_equations(&complete(&program, &effect, &observed));
        assert!(text.contains("a[r] = 0"), "{text}");
    }

    #[test]
    fn hidden_axes_are_shown_where_nothing_else_tells_them() {
        let program = parsed(
            "index i
index s = subject[i]
index p = {1, days}
data reaction[i], X[i, p]
reaction[i] ~ normal(X[i] * b[s], sigma)
b[s] ~ multi_normal_cholesky(mu, diag_pre_multiply(tau, L))
L ~ lkj_corr_cholesky(2)
mu ~ normal(0, 100)
tau, sigma ~ cauchy(0, 25)
",
        );
        let effect = effect(&program, 5, "b", &["s", "p"]);
        let observed = ["reaction".to_string()];
        let text = format_equations(&none(&program, &effect, &observed));
        assert!(text.contains("param b[s, p]"), "{text}");
        assert!(!text.contains("lkj") && !text.contains("tau"), "{text}");
        let text = format_equations(&complete(&program, &effect, &observed));
        assert!(
            text.contains("b[s] = mu") && text.contains("mu ~ normal(0, 100)"),
            "{text}"
        );
        let text = format_equations(&partial(&program, &effect));
        let deviation = "pooling_deviation = sqrt(rows_dot_self(diag_pre_multiply(tau, L)))";
        assert!(text.contains(deviation), "{text}");
    }
}
