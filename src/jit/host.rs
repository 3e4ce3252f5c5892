//! The machine that code is compiled for: this one.

use super::CompileError;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};

/// Which instructions the machine has, as far as code depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    /// Rounding to integers of all kinds (SSE 4.1).
    pub rounds: bool,
    /// Fused multiply-add.
    pub fuses: bool,
    /// What [`wide`](super::wide) writes: AVX-512 of these kinds, under the calling convention of System V.
    pub wide: bool,
}

impl Host {
    /// This machine.
    pub fn detect() -> Host {
        #[cfg(target_arch = "x86_64")]
        let host = Host {
            rounds: std::arch::is_x86_feature_detected!("sse4.1"),
            fuses: std::arch::is_x86_feature_detected!("fma"),
            wide: cfg!(not(windows))
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("bmi2"),
        };
        #[cfg(not(target_arch = "x86_64"))]
        let host = Host {
            rounds: true,
            fuses: true,
            wide: false,
        };
        host
    }
}

/// The code generator for this machine.
pub(super) fn target(optimise: bool) -> Result<OwnedTargetIsa, CompileError> {
    let failed = |error: &dyn std::fmt::Display| CompileError::Host(error.to_string());
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    for (name, value) in [
        ("opt_level", if optimise { "speed" } else { "none" }),
        ("enable_verifier", verify),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        ("probestack_strategy", "inline"),
    ] {
        flags.set(name, value).map_err(|error| failed(&error))?;
    }
    let builder = cranelift_native::builder().map_err(|error| failed(&error))?;
    builder
        .finish(settings::Flags::new(flags))
        .map_err(|error| failed(&error))
}
