//! What went wrong in a run, as diagnostics at the lines of the program.

use super::initial::free_parts;
use super::sample::{ChainRun, Run};
use crate::diag::{Code, Diagnostic};
use crate::loops::Stop;
use crate::mcmc::{Ending, InitialFailure};
use crate::model::Posterior;
use crate::session::Failure;
use crate::source::Span;

impl Run {
    /// Why chains failed (errors) and what else the model reported (warnings), with the texts that they point into.
    /// Empty after a run without incidents; interruptions are none.
    pub fn findings(&self, posterior: &Posterior) -> Failure {
        let mut groups: Vec<(Diagnostic, Vec<&ChainRun>)> = Vec::new();
        for chain in &self.chains {
            let Some(found) = chain_failure(posterior, chain) else {
                continue;
            };
            // At the same place the words differ in their values only.
            let is_same = |known: &Diagnostic| {
                let has_place = found.label.span != Span::default();
                (known.code, known.label.span) == (found.code, found.label.span)
                    && (has_place || known.title == found.title)
            };
            match groups.iter_mut().find(|(known, _)| is_same(known)) {
                Some((_, chains)) => chains.push(chain),
                None => groups.push((found, vec![chain])),
            }
        }
        let mut diagnostics: Vec<Diagnostic> = groups
            .into_iter()
            .map(|(found, chains)| with_ends(found, &chains))
            .collect();
        diagnostics.extend(self.generated_failures());
        Failure {
            sources: posterior.model().program().sources.clone(),
            diagnostics,
        }
    }

    /// One warning for all draws whose generated quantities failed.
    fn generated_failures(&self) -> Option<Diagnostic> {
        let count: usize = self
            .chains
            .iter()
            .map(|chain| chain.generated_failures)
            .sum();
        let mut failures = self.chains.iter();
        let first = failures.find_map(|chain| chain.first_generated_failure.as_ref())?;
        let draws = match count {
            1 => "one draw".to_string(),
            count => format!("{count} draws"),
        };
        Some(
            Diagnostic::warning(
                Code::GeneratedFailed,
                format!("generated quantities failed for {draws}"),
                first.span,
                first.text.clone(),
            )
            .with_note("they are NaN in these draws; this is the first of the reasons"),
        )
    }
}

/// Why a chain failed.
fn chain_failure(posterior: &Posterior, chain: &ChainRun) -> Option<Diagnostic> {
    let report = &chain.report;
    let placeless = |code| Diagnostic::error(code, report.ending.to_string(), Span::default(), "");
    match &report.ending {
        Ending::Finished | Ending::Interrupted => None,
        Ending::NoInitialPoint => Some(no_initial_point(posterior, chain)),
        Ending::Fatal(cause) => Some(match cause.downcast_ref::<Stop>() {
            Some(stop) => Diagnostic::error(Code::RunFailed, stop.text.clone(), stop.span, ""),
            None => placeless(Code::RunFailed),
        }),
        Ending::NoStepSize(_) => Some(placeless(Code::RunFailed).with_hint(
            "look for a density without a finite integral, such as a flat prior that no data bound",
        )),
        Ending::SinkFailed(_) => Some(placeless(Code::DrawsNotStored)),
        Ending::NoParameters | Ending::WrongStart(_) | Ending::BadMetric(_) => {
            Some(placeless(Code::RunFailed))
        }
    }
}

fn no_initial_point(posterior: &Posterior, chain: &ChainRun) -> Diagnostic {
    let initial = &chain.report.initial;
    let title = match initial.tries {
        1 => "the initial value was not accepted".to_string(),
        tries => format!("none of {tries} random initial values was accepted"),
    };
    let (span, reason) = match (&initial.first_failure, &chain.first_rejection) {
        (Some(InitialFailure::Rejected(_)), Some(stop)) => (stop.span, stop.text.clone()),
        (Some(InitialFailure::Gradient { parameter, value }), _) => {
            let reason = match owner(posterior, *parameter) {
                Some(name) => format!("the gradient with respect to `{name}` is {value}"),
                None => format!("the gradient is {value}"),
            };
            (Span::default(), reason)
        }
        (Some(failure), _) => (Span::default(), failure.to_string()),
        (None, _) => (Span::default(), String::new()),
    };
    let place_has_words = span != Span::default();
    let label = if place_has_words { reason.as_str() } else { "" };
    let mut found = Diagnostic::error(Code::NoInitialValue, title, span, label);
    if place_has_words && initial.tries > 1 {
        found = found.with_note("this is the first of the reasons");
    } else if !place_has_words && !reason.is_empty() {
        found = found.with_note(if initial.tries > 1 {
            format!("the first of the reasons: {reason}")
        } else {
            reason
        });
    }
    found.with_hint(
        "declare parameters with the constraints that the model relies on (such as `<lower=0>` for a scale), or give \
         initial values, or a smaller radius for random ones",
    )
}

/// The name of the parameter that a place in the position vector belongs to.
fn owner(posterior: &Posterior, place: usize) -> Option<String> {
    let parts = free_parts(posterior).ok()?;
    let part = parts.iter().find(|part| part.places.contains(&place))?;
    Some(part.name.clone())
}

/// Says which chains ended, and when.
fn with_ends(found: Diagnostic, chains: &[&ChainRun]) -> Diagnostic {
    let before_any = |chain: &&ChainRun| {
        let counts = &chain.report.counts;
        counts.warmup.draws + counts.sampling.draws == 0
    };
    if chains.iter().all(before_any) {
        let numbers: Vec<u64> = chains.iter().map(|chain| chain.report.chain).collect();
        return found.with_note(format!("{} did not start", chain_names(&numbers)));
    }
    chains.iter().fold(found, |found, chain| {
        let counts = &chain.report.counts;
        let number = chain.report.chain;
        found.with_note(match counts.sampling.draws {
            0 => format!(
                "chain {number} ended in warmup, after {} transitions",
                counts.warmup.draws
            ),
            1 => format!("chain {number} ended after 1 draw, which is kept"),
            draws => format!("chain {number} ended after {draws} draws, which are kept"),
        })
    })
}

/// `chain 1`, `chains 1 and 2`, `chains 1, 2 and 3`.
fn chain_names(numbers: &[u64]) -> String {
    let names: Vec<String> = numbers.iter().map(u64::to_string).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!("chain {only}"),
        Some((last, others)) => format!("chains {} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::chain_names;

    #[test]
    fn chains_are_listed_as_people_do() {
        assert_eq!(chain_names(&[3]), "chain 3");
        assert_eq!(chain_names(&[1, 2]), "chains 1 and 2");
        assert_eq!(chain_names(&[1, 2, 4]), "chains 1, 2 and 4");
    }
}
