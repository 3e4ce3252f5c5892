//! How a run tells of its progress, from the threads of its chains.

/// One transition of a chain, as progress is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The chain's number.
    pub chain: u64,
    /// Transitions made, this one included, over both phases.
    pub done: usize,
    /// Whether it belongs to warmup.
    pub warmup: bool,
    /// Whether it diverged.
    pub divergent: bool,
}

/// Watches a run. Called from all chains' threads, once a transition: it should only count.
pub trait Progress: Sync {
    /// A transition was made.
    fn transition(&self, _transition: &Transition) {}

    /// The model printed: whole lines.
    fn printed(&self, _chain: u64, _text: &str) {}
}

/// Watches nothing, and drops what the model prints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
