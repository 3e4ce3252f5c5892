//! Whole chains: known moments, reports, interruption, resumption, threads.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::mcmc::*;

use super::targets::{Correlated, Funnel, HalfPlane, Normals};

/// Keeps everything it is given.
#[derive(Debug, Default, PartialEq)]
struct Recorder {
    initialized: usize,
    draws: Vec<(usize, bool, Vec<f64>, f64, f64)>,
    adapted: Vec<(f64, InverseMetric)>,
    checkpoints: Vec<Checkpoint>,
    /// How many draws it takes before it fails.
    room: Option<usize>,
}

impl Recorder {
    fn sampled(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.draws.iter().filter(|draw| !draw.1).map(|draw| &draw.2)
    }
}

impl DrawSink for Recorder {
    fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause> {
        if self.room == Some(self.draws.len()) {
            return Err("the disk is full".into());
        }
        assert!((0.0..=1.0).contains(&draw.accept_stat));
        assert!(draw.energy >= -draw.log_density);
        assert!(draw.leapfrog_steps >= (1 << draw.tree_depth) - 1);
        self.draws.push((
            draw.iteration,
            draw.warmup,
            draw.position.to_vec(),
            draw.log_density,
            draw.step_size,
        ));
        Ok(())
    }

    fn initialized(&mut self, tries: &InitialTries) -> Result<(), Cause> {
        self.initialized = tries.tries;
        Ok(())
    }

    fn adapted(&mut self, adaptation: &Adaptation<'_>) -> Result<(), Cause> {
        self.adapted
            .push((adaptation.step_size, adaptation.inverse_metric.clone()));
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Cause> {
        self.checkpoints.push(checkpoint.clone());
        Ok(())
    }
}

fn run<D: LogDensity>(settings: &Settings, density: D, start: Start) -> (ChainReport, Recorder) {
    let mut sink = Recorder::default();
    let interrupt = AtomicBool::new(false);
    let report = sample_chain(settings, 0, density, &mut sink, &start, &interrupt);
    (report, sink)
}

fn from(position: &[f64]) -> Start {
    Start::Fresh(FreshStart {
        initial: InitialPoint::Given(position.to_vec()),
        ..FreshStart::default()
    })
}

/// A normal of three dimensions and its covariance.
fn correlated() -> (Correlated, [f64; 9]) {
    let precision = vec![2.0, -0.9, 0.3, -0.9, 1.0, 0.1, 0.3, 0.1, 0.7];
    let covariance = nalgebra::Matrix3::from_row_slice(&precision)
        .try_inverse()
        .unwrap();
    let target = Correlated {
        precision,
        mean: vec![1.0, -2.0, 30.0],
    };
    (
        target,
        std::array::from_fn(|at| covariance[(at / 3, at % 3)]),
    )
}

#[test]
fn a_correlated_normal_has_its_moments_under_every_metric() {
    let (target, covariance) = correlated();
    for metric in [MetricKind::Unit, MetricKind::Diagonal, MetricKind::Dense] {
        let settings = Settings {
            seed: 5,
            metric,
            samples: 4000,
            ..Settings::default()
        };
        let (report, sink) = run(&settings, target.clone(), Start::default());
        assert!(matches!(report.ending, Ending::Finished));
        assert_eq!(report.counts.sampling.draws, 4000);
        assert_eq!(report.counts.sampling.divergences, 0);
        let draws: Vec<_> = sink.sampled().collect();
        for row in 0..3 {
            let mean = draws.iter().map(|x| x[row]).sum::<f64>() / 4000.0;
            // Four standard errors of 1000 independent draws.
            let allowed = 4.0 * (covariance[row * 4] / 1000.0).sqrt();
            assert!(
                (mean - target.mean[row]).abs() < allowed,
                "{metric:?} {row} {mean}"
            );
            for column in 0..3 {
                let product =
                    |x: &&Vec<f64>| (x[row] - target.mean[row]) * (x[column] - target.mean[column]);
                let estimate = draws.iter().map(product).sum::<f64>() / 4000.0;
                let scale = (covariance[row * 4] * covariance[column * 4]).sqrt();
                let allowed = 4.0 * scale * (2.0 / 800.0f64).sqrt();
                assert!((estimate - covariance[row * 3 + column]).abs() < allowed);
            }
        }
    }
}

#[test]
fn warmup_tunes_metric_and_step_size() {
    let deviations = vec![0.01, 1.0, 100.0];
    let settings = Settings {
        seed: 2,
        ..Settings::default()
    };
    let (report, sink) = run(&settings, Normals(deviations.clone()), Start::default());
    let [(step_size, inverse_metric)] = &sink.adapted[..] else {
        panic!("announced {} times", sink.adapted.len());
    };
    assert_eq!(*step_size, report.step_size);
    assert_eq!(*inverse_metric, report.inverse_metric);
    let InverseMetric::Diagonal(variances) = inverse_metric else {
        panic!("not diagonal");
    };
    for (variance, deviation) in variances.iter().zip(deviations) {
        // 500 draws of the last window; the smallest variance also bears Stan's floor of 1e-5.
        let expected = deviation * deviation + 1e-5;
        assert!(
            (variance / expected - 1.0).abs() < 0.35,
            "{variance} {deviation}"
        );
    }
    assert!(sink.draws[1000..].iter().all(|draw| draw.4 == *step_size));
    assert!((0.5..1.5).contains(step_size), "{step_size}");
    let counts = report.counts;
    let steps = counts.warmup.leapfrog_steps + counts.sampling.leapfrog_steps;
    // The rest: initial points and searches of step sizes, six of them.
    assert!((1..200).contains(&(counts.gradient_evaluations - steps)));
}

#[test]
fn the_accept_statistic_is_near_its_target() {
    for target_accept in [0.6, 0.9] {
        let mut settings = Settings::default();
        settings.step_size.adaptation.target_accept = target_accept;
        struct Mean(f64);
        impl DrawSink for Mean {
            fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause> {
                if !draw.warmup {
                    self.0 += draw.accept_stat / 1000.0;
                }
                Ok(())
            }
        }
        let mut mean = Mean(0.0);
        let density = Normals(vec![1.0; 20]);
        let interrupt = AtomicBool::new(false);
        sample_chain(
            &settings,
            3,
            density,
            &mut mean,
            &Start::default(),
            &interrupt,
        );
        // It comes out above: ε̄ averages log ε, and acceptance falls off faster than it rises.
        let excess = mean.0 - target_accept;
        assert!((-0.03..0.15).contains(&excess), "{excess} {target_accept}");
    }
}

#[test]
fn without_warmup_the_tuning_is_as_given() {
    let mut settings = Settings {
        warmup: 0,
        samples: 10,
        ..Settings::default()
    };
    settings.step_size.initial = 0.125;
    let start = Start::Fresh(FreshStart {
        initial: InitialPoint::Partial {
            values: vec![Some(0.5), None],
            radius: 0.0,
        },
        inverse_metric: Some(InverseMetric::Diagonal(vec![1.0, 2.0])),
        step_size: None,
    });
    let (report, sink) = run(&settings, Normals(vec![1.0, 2.0]), start);
    assert!(matches!(report.ending, Ending::Finished));
    assert_eq!(
        sink.adapted,
        [(0.125, InverseMetric::Diagonal(vec![1.0, 2.0]))]
    );
    assert!(sink.draws.iter().all(|draw| !draw.1 && draw.4 == 0.125));
    assert_eq!(
        report.counts.gradient_evaluations,
        1 + report.counts.sampling.leapfrog_steps
    );
}

#[test]
fn rejections_are_counted_and_the_first_is_kept() {
    let settings = Settings {
        samples: 2000,
        ..Settings::default()
    };
    let (report, sink) = run(&settings, HalfPlane, Start::default());
    assert!(matches!(report.ending, Ending::Finished));
    assert!(sink.sampled().all(|position| position[0] >= 0.0));
    assert!(report.counts.rejections > 0);
    assert!(report.counts.sampling.divergences > 0);
    assert_eq!(report.first_rejection.as_deref(), Some("scale is negative"));
}

#[test]
fn hopeless_starts_are_explained() {
    struct Hopeless(fn() -> Result<f64, DensityError>);
    impl LogDensity for Hopeless {
        fn dimension(&self) -> usize {
            3
        }
        fn log_density_gradient(
            &mut self,
            _position: &[f64],
            gradient: &mut [f64],
        ) -> Result<f64, DensityError> {
            gradient.copy_from_slice(&[0.0, f64::NAN, 0.0]);
            self.0()
        }
    }
    let settings = Settings::default();
    let explain = |density: fn() -> _, start| {
        let (report, sink) = run(&settings, Hopeless(density), start);
        assert!(sink.draws.is_empty());
        (report.initial.to_string(), report.ending)
    };
    let origin = || from(&[0.0; 3]);
    let (told, ending) = explain(
        || Err(DensityError::rejected("sigma is 0")),
        Start::default(),
    );
    assert_eq!(
        told,
        "100 of 100 initial points failed; the first: sigma is 0"
    );
    assert!(matches!(ending, Ending::NoInitialPoint));
    let (told, _) = explain(|| Ok(f64::NEG_INFINITY), origin());
    assert_eq!(told, "the initial point failed: the log density is -inf");
    let (told, _) = explain(|| Ok(1.0), origin());
    assert_eq!(
        told,
        "the initial point failed: the gradient is NaN for unconstrained parameter 2"
    );
    let (_, ending) = explain(|| Err(DensityError::fatal("no data")), origin());
    assert_eq!(ending.to_string(), "the model failed: no data");
    let (_, ending) = explain(|| Ok(1.0), from(&[0.0]));
    assert!(matches!(
        ending,
        Ending::WrongStart(WrongStart::Dimension {
            found: 1,
            expected: 3
        })
    ));
}

#[test]
fn an_improper_posterior_is_told() {
    struct Flat;
    impl LogDensity for Flat {
        fn dimension(&self) -> usize {
            1
        }
        fn log_density_gradient(
            &mut self,
            _: &[f64],
            gradient: &mut [f64],
        ) -> Result<f64, DensityError> {
            gradient[0] = 0.0;
            Ok(0.0)
        }
    }
    let (report, _) = run(&Settings::default(), Flat, Start::default());
    assert!(matches!(
        report.ending,
        Ending::NoStepSize(StepSizeError::TooLarge)
    ));
}

#[test]
fn a_density_without_parameters_is_told() {
    let (report, _) = run(&Settings::default(), Normals(vec![]), Start::default());
    assert!(matches!(report.ending, Ending::NoParameters));
}

#[test]
fn a_failing_sink_or_density_ends_the_chain_and_keeps_its_draws() {
    let interrupt = AtomicBool::new(false);
    let mut sink = Recorder {
        room: Some(7),
        ..Recorder::default()
    };
    let density = Normals(vec![1.0]);
    let settings = Settings::default();
    let report = sample_chain(
        &settings,
        0,
        density,
        &mut sink,
        &Start::default(),
        &interrupt,
    );
    assert_eq!(
        report.ending.to_string(),
        "the draws could not be stored: the disk is full"
    );
    assert_eq!((sink.draws.len(), report.counts.warmup.draws), (7, 7));

    struct Worn(usize);
    impl LogDensity for Worn {
        fn dimension(&self) -> usize {
            1
        }
        fn log_density_gradient(
            &mut self,
            x: &[f64],
            gradient: &mut [f64],
        ) -> Result<f64, DensityError> {
            self.0 -= 1;
            if self.0 == 0 {
                return Err(DensityError::fatal("worn out"));
            }
            Normals(vec![1.0]).log_density_gradient(x, gradient)
        }
    }
    let (report, sink) = run(&settings, Worn(1000), Start::default());
    assert!(matches!(report.ending, Ending::Fatal(_)));
    assert!(!sink.draws.is_empty());
    assert_eq!(sink.draws.len(), report.counts.warmup.draws);
}

/// Sets the interrupt flag at its n-th evaluation.
struct Alarm<'a> {
    remaining: usize,
    interrupt: &'a AtomicBool,
}

impl LogDensity for Alarm<'_> {
    fn dimension(&self) -> usize {
        4
    }
    fn log_density_gradient(
        &mut self,
        x: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        self.remaining = self.remaining.saturating_sub(1);
        if self.remaining == 0 {
            self.interrupt.store(true, Ordering::Relaxed);
        }
        Funnel { dimension: 4 }.log_density_gradient(x, gradient)
    }
}

#[test]
fn an_interrupted_chain_resumes_as_if_nothing_had_been() {
    for metric in [MetricKind::Diagonal, MetricKind::Dense, MetricKind::Unit] {
        let mut settings = Settings {
            seed: 3,
            warmup: 150,
            samples: 100,
            metric,
            ..Settings::default()
        };
        settings.step_size.jitter = 0.2;
        let (whole, expected) = run(&settings, Funnel { dimension: 4 }, Start::default());
        let all = whole.counts.gradient_evaluations as usize;
        for share in 1..12 {
            let interrupt = AtomicBool::new(false);
            let density = Alarm {
                remaining: all * share / 12,
                interrupt: &interrupt,
            };
            let mut sink = Recorder::default();
            let report = sample_chain(
                &settings,
                0,
                density,
                &mut sink,
                &Start::default(),
                &interrupt,
            );
            assert!(matches!(report.ending, Ending::Interrupted));
            let checkpoint = sink.checkpoints.pop().unwrap();
            assert_eq!(checkpoint.iteration, sink.draws.len());
            let start = Start::Resume(Box::new(checkpoint));
            let (report, rest) = run(&settings, Funnel { dimension: 4 }, start);
            assert!(matches!(report.ending, Ending::Finished));
            sink.draws.extend(rest.draws);
            assert_eq!(sink.draws, expected.draws);
            assert_eq!(report.step_size, whole.step_size);
            assert_eq!(report.inverse_metric, whole.inverse_metric);
            assert_eq!(report.counts.sampling, whole.counts.sampling);
        }
    }
}

#[test]
fn periodic_checkpoints_resume_too() {
    let settings = Settings {
        warmup: 60,
        samples: 40,
        checkpoint_every: 30,
        ..Settings::default()
    };
    let (_, sink) = run(&settings, Funnel { dimension: 3 }, Start::default());
    let made: Vec<_> = sink
        .checkpoints
        .iter()
        .map(|checkpoint| checkpoint.iteration)
        .collect();
    assert_eq!(made, [30, 60, 90]);
    for checkpoint in &sink.checkpoints {
        let start = Start::Resume(Box::new(checkpoint.clone()));
        let (_, rest) = run(&settings, Funnel { dimension: 3 }, start);
        assert_eq!(rest.draws, sink.draws[checkpoint.iteration..]);
        assert_eq!(rest.adapted, sink.adapted);
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let settings = Settings {
        warmup: 30,
        samples: 1,
        checkpoint_every: 30,
        ..Settings::default()
    };
    let (_, sink) = run(&settings, Normals(vec![1.0; 2]), Start::default());
    let resume = |settings: &Settings, dimension| {
        let start = Start::Resume(Box::new(sink.checkpoints[0].clone()));
        match run(settings, Normals(vec![1.0; dimension]), start).0.ending {
            Ending::WrongStart(wrong) => wrong,
            ending => panic!("{ending}"),
        }
    };
    assert_eq!(
        resume(&settings, 3),
        WrongStart::Dimension {
            found: 2,
            expected: 3
        }
    );
    let reseeded = Settings {
        seed: 1,
        ..settings.clone()
    };
    assert_eq!(
        resume(&reseeded, 2),
        WrongStart::OtherChain {
            found: (0, 0),
            expected: (1, 0)
        }
    );
    let dense = Settings {
        metric: MetricKind::Dense,
        ..settings.clone()
    };
    assert_eq!(resume(&dense, 2), WrongStart::OtherMetric);
}

#[test]
fn draws_do_not_depend_on_the_number_of_threads() {
    let sample = |threads, first_chain, chains| {
        let settings = Settings {
            seed: 8,
            warmup: 120,
            samples: 50,
            chains,
            first_chain,
            threads,
            ..Settings::default()
        };
        let prepare = |_| ChainParts {
            density: Funnel { dimension: 3 },
            sink: Recorder::default(),
            start: Start::default(),
        };
        let outcomes = sample_chains(&settings, prepare, &AtomicBool::new(false)).unwrap();
        let numbers: Vec<u64> = outcomes
            .iter()
            .map(|outcome| outcome.report.chain)
            .collect();
        assert_eq!(
            numbers,
            (first_chain..first_chain + chains as u64).collect::<Vec<_>>()
        );
        outcomes
            .into_iter()
            .map(|outcome| outcome.sink)
            .collect::<Vec<_>>()
    };
    let alone = sample(1, 0, 5);
    assert_eq!(alone, sample(3, 0, 5));
    assert_eq!(alone, sample(0, 0, 5));
    assert_eq!(alone[2..], sample(2, 2, 3));
    assert_ne!(alone[0].draws, alone[1].draws);
}

#[test]
fn an_interruption_ends_all_chains() {
    let settings = Settings::default();
    let prepare = |_| ChainParts {
        density: Normals(vec![1.0]),
        sink: Recorder::default(),
        start: Start::default(),
    };
    let outcomes = sample_chains(&settings, prepare, &AtomicBool::new(true)).unwrap();
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        assert!(matches!(outcome.report.ending, Ending::Interrupted));
        assert!(outcome.sink.draws.is_empty());
    }
}

#[test]
fn impossible_settings_are_refused_before_anything_runs() {
    let settings = Settings {
        chains: 0,
        ..Settings::default()
    };
    let prepare = |_| -> ChainParts<Normals, Recorder> { panic!("prepared") };
    let errors = sample_chains(&settings, prepare, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(errors[0].to_string(), "chains must be at least 1, but is 0");
}

#[test]
fn draws_are_what_they_were() {
    // Recorded when the sampler was written: a dependency's update must not change a draw.
    let settings = Settings {
        seed: 2026,
        warmup: 100,
        samples: 20,
        ..Settings::default()
    };
    let (report, sink) = run(&settings, Normals(vec![0.5, 1.0, 2.0]), Start::default());
    let last = &sink.draws[119].2;
    assert_eq!(report.step_size, 0.803_544_820_593_758_4);
    assert_eq!(
        *last,
        [
            -0.025_417_278_574_490_83,
            0.534_041_534_263_856,
            2.879_590_215_539_307
        ]
    );
}
