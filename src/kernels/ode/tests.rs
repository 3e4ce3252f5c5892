//! Solves systems whose solutions are known, stiff ones too, and checks how the solvers fail.

use super::*;
use std::convert::Infallible;

type Never = Result<(), Infallible>;

fn tight() -> Tolerances {
    Tolerances {
        relative: 1e-10,
        absolute: 1e-10,
        max_steps: 100_000,
    }
}

/// A rotation with angular velocity 2.
fn rotation(_: f64, y: &[f64], slope: &mut [f64]) -> Never {
    slope[0] = 2.0 * y[1];
    slope[1] = -2.0 * y[0];
    Ok(())
}

fn rotation_jacobian(_: f64, _: &[f64], jacobian: &mut [f64]) -> Never {
    jacobian.copy_from_slice(&[0.0, -2.0, 2.0, 0.0]);
    Ok(())
}

#[test]
fn a_rotation_is_followed_to_the_tolerance() {
    // t0 itself and equal times are allowed.
    let times = [0.0_f64, 0.01, 0.5, 0.5, 3.0, 10.0];
    let check = |out: &[f64], tolerance: f64| {
        for (row, t) in out.chunks_exact(2).zip(times) {
            let want = [(2.0 * t).sin(), (2.0 * t).cos()];
            assert!(
                (row[0] - want[0]).abs() < tolerance && (row[1] - want[1]).abs() < tolerance,
                "t = {t}: {row:?}"
            );
        }
    };
    let mut out = [0.0; 12];
    rk45(rotation, 0.0, &[0.0, 1.0], &times, &tight(), &mut out).unwrap();
    check(&out, 1e-8);
    rk45(
        rotation,
        0.0,
        &[0.0, 1.0],
        &times,
        &Tolerances::RK45,
        &mut out,
    )
    .unwrap();
    check(&out, 1e-4);
    bdf(
        rotation,
        rotation_jacobian,
        2,
        0.0,
        &[0.0, 1.0],
        &times,
        &tight(),
        &mut out,
    )
    .unwrap();
    check(&out, 1e-7);
}

#[test]
fn tighter_tolerances_are_more_accurate() {
    let error = |tolerance: f64| {
        let tolerances = Tolerances {
            relative: tolerance,
            absolute: tolerance,
            max_steps: 100_000,
        };
        let (mut explicit, mut implicit) = ([0.0; 2], [0.0; 2]);
        rk45(
            rotation,
            0.0,
            &[0.0, 1.0],
            &[5.0],
            &tolerances,
            &mut explicit,
        )
        .unwrap();
        bdf(
            rotation,
            rotation_jacobian,
            2,
            0.0,
            &[0.0, 1.0],
            &[5.0],
            &tolerances,
            &mut implicit,
        )
        .unwrap();
        let distance = |y: [f64; 2]| (y[0] - 10.0_f64.sin()).hypot(y[1] - 10.0_f64.cos());
        (distance(explicit), distance(implicit))
    };
    let (coarse, fine) = (error(1e-5), error(1e-9));
    assert!(
        fine.0 < 1e-3 * coarse.0 && fine.1 < 1e-2 * coarse.1,
        "{coarse:?} {fine:?}"
    );
}

/// Robertson's chemical kinetics, the classical stiff problem.
fn robertson(_: f64, y: &[f64], slope: &mut [f64]) -> Never {
    slope[0] = -0.04 * y[0] + 1e4 * y[1] * y[2];
    slope[2] = 3e7 * y[1] * y[1];
    slope[1] = -slope[0] - slope[2];
    Ok(())
}

fn robertson_jacobian(_: f64, y: &[f64], jacobian: &mut [f64]) -> Never {
    let third = [0.0, 6e7 * y[1], 0.0];
    let first = [-0.04, 1e4 * y[2], 1e4 * y[1]];
    for j in 0..3 {
        jacobian[3 * j] = first[j];
        jacobian[3 * j + 2] = third[j];
        jacobian[3 * j + 1] = -first[j] - third[j];
    }
    Ok(())
}

/// The solution at 40 and 4e5, from tests/reference/ode.py.
const ROBERTSON: [f64; 6] = [
    0.715827068719,
    9.1855347677e-6,
    0.284163745746,
    0.00493827452098,
    1.98499408807e-8,
    0.995061705629,
];

#[test]
fn stiff_kinetics() {
    let tolerances = Tolerances {
        relative: 1e-9,
        absolute: 1e-12,
        max_steps: 10_000,
    };
    let mut out = [0.0; 6];
    bdf(
        robertson,
        robertson_jacobian,
        3,
        0.0,
        &[1.0, 0.0, 0.0],
        &[40.0, 4e5],
        &tolerances,
        &mut out,
    )
    .unwrap();
    for (got, want) in out.iter().zip(ROBERTSON) {
        assert!((got / want - 1.0).abs() < 1e-6, "{out:?}");
    }
}

#[test]
fn sensitivities_share_the_states_jacobian() {
    // y' = -k y³ with k = 50, y(0) = 1, and s = dy/dk: y = (1 + 2kt)^(-1/2), s = -t (1 + 2kt)^(-3/2).
    let k = 50.0;
    let system = |_: f64, y: &[f64], slope: &mut [f64]| -> Never {
        slope[0] = -k * y[0].powi(3);
        slope[1] = -y[0].powi(3) - 3.0 * k * y[0] * y[0] * y[1];
        Ok(())
    };
    let jacobian = |_: f64, y: &[f64], jacobian: &mut [f64]| -> Never {
        jacobian[0] = -3.0 * k * y[0] * y[0];
        Ok(())
    };
    let mut out = [0.0; 2];
    bdf(
        system,
        jacobian,
        1,
        0.0,
        &[1.0, 0.0],
        &[2.0],
        &tight(),
        &mut out,
    )
    .unwrap();
    let base: f64 = 1.0 + 2.0 * k * 2.0;
    assert!((out[0] * base.sqrt() - 1.0).abs() < 1e-7, "{out:?}");
    assert!(
        (out[1] * base.powf(1.5) / -2.0 - 1.0).abs() < 1e-6,
        "{out:?}"
    );
}

#[test]
fn failures_are_values() {
    let mut out = [0.0];
    // y' = y² blows up at t = 1.
    let explode = |_: f64, y: &[f64], slope: &mut [f64]| -> Never {
        slope[0] = y[0] * y[0];
        Ok(())
    };
    let jacobian = |_: f64, y: &[f64], jacobian: &mut [f64]| -> Never {
        jacobian[0] = 2.0 * y[0];
        Ok(())
    };
    let beyond = |failure: Failure<Infallible>| match failure {
        Failure::StepTooSmall { time } | Failure::TooManySteps { time } => {
            (time - 1.0).abs() < 1e-3
        }
        Failure::System(_) => false,
    };
    assert!(beyond(
        rk45(explode, 0.0, &[1.0], &[2.0], &tight(), &mut out).unwrap_err()
    ));
    assert!(beyond(
        bdf(
            explode,
            jacobian,
            1,
            0.0,
            &[1.0],
            &[2.0],
            &tight(),
            &mut out
        )
        .unwrap_err()
    ));

    let few = Tolerances {
        max_steps: 3,
        ..tight()
    };
    let failure = rk45(rotation, 0.0, &[0.0, 1.0], &[100.0], &few, &mut [0.0; 2]).unwrap_err();
    assert!(matches!(failure, Failure::TooManySteps { .. }));

    let nan = |_: f64, _: &[f64], slope: &mut [f64]| -> Never {
        slope[0] = f64::NAN;
        Ok(())
    };
    assert_eq!(
        rk45(nan, 0.0, &[1.0], &[2.0], &tight(), &mut out),
        Err(Failure::StepTooSmall { time: 0.0 })
    );
    assert_eq!(
        bdf(nan, jacobian, 1, 0.0, &[1.0], &[2.0], &tight(), &mut out),
        Err(Failure::StepTooSmall { time: 0.0 })
    );

    let refuse = |t: f64, _: &[f64], slope: &mut [f64]| {
        slope[0] = 1.0;
        if t > 0.5 { Err("late") } else { Ok(()) }
    };
    assert_eq!(
        rk45(refuse, 0.0, &[1.0], &[2.0], &tight(), &mut out),
        Err(Failure::System("late"))
    );
}
