//! The no-U-turn sampler of Stan, over any density that can be differentiated; knows nothing of the language.

mod density;
mod settings;

pub use density::{Cause, DensityError, LogDensity};
pub use settings::{
    DualAveragingSettings, MetricKind, Settings, SettingsError, StepSizeSettings, WarmupWindows,
};
