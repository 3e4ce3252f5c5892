//! `hlm pooling`: complete, no and partial pooling of a model's varying effects, side by side.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pictures;
use super::sample::random_seed;
use crate::args::PoolingArgs;
use crate::fault::Fault;
use crate::files::{DataSource, read_model};
use crate::interrupt;
use crate::progress::Tally;
use crate::screen;
use hlm::check::CheckOptions;
use hlm::mcmc::{DualAveragingSettings, Settings, StepSizeSettings};
use hlm::model::{BindOptions, Posterior};
use hlm::pooling::effect::{self, Effect};
use hlm::pooling::{self, Derived, Fits};
use hlm::run::{self, Draws, RunSettings, Silent};

/// Runs the command.
///
/// # Errors
/// Whatever keeps the three models from being fitted.
pub fn pooling(args: &PoolingArgs) -> Result<ExitCode, Fault> {
    let model = read_model(&args.model, &CheckOptions::default())?;
    let Some((program, equations)) = pooling::equations_of(&model) else {
        return Err(Fault::new(
            "`hlm pooling` rewrites a model's priors, which it can read in equation form only; this program is in block \
             form",
        ));
    };
    let effects = chosen(
        args,
        &model_effects(&program, &equations.model, &args.effect)?,
    )?;
    let data = DataSource::read(&args.data)?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let folder = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-pooling", model.name())));
    fs::create_dir_all(&folder)
        .map_err(|error| Fault::new(format!("{} cannot be made: {error}", folder.display())))?;
    let interrupt = interrupt::watch();
    for effect in &effects {
        let models = pooling::derive(&model, &program, effect)?;
        let fit = |derived: &Derived, kind: &str| -> Result<(Posterior, Draws), Fault> {
            let options = BindOptions {
                seed,
                ..BindOptions::default()
            };
            let posterior = data.bind(&derived.model, &options)?;
            screen::note(&format!("{}: {kind}", effect.name));
            let draws = sampled(args, &posterior, seed, interrupt)?;
            Ok((posterior, draws))
        };
        let (_, none) = fit(&models.none, "no pooling")?;
        let (posterior, partial) = fit(&models.partial, "partial pooling")?;
        let (_, complete) = fit(&models.complete, "complete pooling")?;
        if interrupt.load(Ordering::Relaxed) {
            screen::note("interrupted");
            return Ok(ExitCode::from(interrupt::EXIT_CODE));
        }
        let fits = Fits {
            none: &none,
            partial: &partial,
            complete: &complete,
        };
        let comparison = pooling::compare(effect, &posterior, &fits).map_err(Fault::new)?;
        screen::print(&comparison.to_text())?;
        let figure = comparison.figure();
        screen::print(&format!("{}\n", pictures::terminal(&figure)))?;
        pictures::write(&folder, &effect.name, &figure)?;
        write(
            &folder,
            &format!("{}.csv", effect.name),
            &comparison.to_csv(),
        )?;
        write(
            &folder,
            &format!("{}-no.hlm", effect.name),
            &models.none.text,
        )?;
        write(
            &folder,
            &format!("{}-complete.hlm", effect.name),
            &models.complete.text,
        )?;
    }
    screen::print(&format!(
        "Table, picture and the two derived models: {}\n",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Fault> {
    let path = folder.join(name);
    fs::write(&path, text)
        .map_err(|error| Fault::new(format!("{} cannot be written: {error}", path.display())))
}

/// The effects asked for, or all.
fn model_effects(
    program: &hlm::syntax::equation::EquationProgram,
    model: &hlm::equation::tree::Model,
    names: &[String],
) -> Result<Vec<Effect>, Fault> {
    if names.is_empty() {
        return Ok(effect::effects(program, model));
    }
    let effect = |name: &String| {
        effect::effect(program, model, name).map_err(|reason| {
            match model.names.iter().any(|own| own.name == *name) {
                true => Fault::new(format!("`{name}` cannot be pooled: {reason}")),
                false => {
                    let effects = effect::effects(program, model);
                    let names: Vec<&str> = effects.iter().map(|effect| &*effect.name).collect();
                    let those = match names.is_empty() {
                        true => "none could be pooled".to_string(),
                        false => format!("its varying effects are {}", names.join(", ")),
                    };
                    Fault::new(format!("the model has no `{name}`; {those}"))
                }
            }
        })
    };
    names.iter().map(effect).collect()
}

fn chosen(args: &PoolingArgs, effects: &[Effect]) -> Result<Vec<Effect>, Fault> {
    if effects.is_empty() {
        return Err(Fault::new(format!(
            "{} has no effect that varies by group with a location and an unknown scale, as in `theta[j] ~ normal(mu, tau)`",
            args.model.display()
        )));
    }
    Ok(effects.to_vec())
}

fn sampled(
    args: &PoolingArgs,
    posterior: &Posterior,
    seed: u64,
    interrupt: &AtomicBool,
) -> Result<Draws, Fault> {
    let settings = RunSettings {
        sampler: Settings {
            seed,
            chains: args.chains,
            warmup: args.warmup,
            samples: args.draws,
            step_size: StepSizeSettings {
                adaptation: DualAveragingSettings {
                    target_accept: args.target_accept,
                    ..DualAveragingSettings::default()
                },
                ..StepSizeSettings::default()
            },
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let run =
        |progress: &dyn run::Progress| run::sample(posterior, &settings, None, progress, interrupt);
    let outcome = if args.quiet {
        run(&Silent)
    } else {
        let sampler = &settings.sampler;
        let tally = Tally::new(
            sampler.first_chain,
            sampler.chains,
            sampler.warmup,
            sampler.samples,
        );
        tally.watch(|| run(&tally))
    };
    let run = outcome.map_err(|error| Fault::new(error.to_string()))?;
    screen::findings(&run.findings(posterior));
    let summary = run.draws.summary(&[]);
    for warning in run.draws.warnings(&summary, settings.sampler.max_depth) {
        screen::warning(&warning.to_string(), warning.advice());
    }
    Ok(run.draws)
}
