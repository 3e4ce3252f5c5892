//! Stan's schedule of warmup: a fast phase, windows of doubling length that estimate the metric, a fast phase.
//!
//! Stan reference manual, "Automatic parameter tuning"; `windowed_adaptation.hpp` for its corner cases.

use super::settings::WarmupWindows;

/// With fewer transitions than this no metric is estimated (Stan's bound).
const SHORTEST_WITH_METRIC: usize = 20;

/// Shares of the first and last phase when warmup is too short for the windows asked for (Stan: 15 % and 10 %).
const SHORT_INITIAL: f64 = 0.15;
const SHORT_TERMINAL: f64 = 0.10;

/// What the transition just made means for the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// A fast phase: the draw tells nothing about the metric.
    Outside,
    /// The draw belongs to the current window.
    Inside,
    /// The draw is the last of its window: time for a new metric.
    Closes,
}

/// The place in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    /// First transition whose draw is collected.
    begin: usize,
    /// One beyond the last such transition.
    end: usize,
    /// Length of the current window before stretching.
    length: usize,
    /// The transition that closes the current window.
    closing: usize,
    /// The next transition, counted from 0.
    next: usize,
}

impl Schedule {
    pub(super) fn new(warmup: usize, windows: &WarmupWindows) -> Self {
        if warmup < SHORTEST_WITH_METRIC {
            return Self {
                begin: warmup,
                end: warmup,
                length: 1,
                closing: usize::MAX,
                next: 0,
            };
        }
        let WarmupWindows {
            mut initial,
            mut base,
            mut terminal,
        } = *windows;
        if initial.saturating_add(base).saturating_add(terminal) > warmup {
            initial = (SHORT_INITIAL * warmup as f64) as usize;
            terminal = (SHORT_TERMINAL * warmup as f64) as usize;
            base = warmup - initial - terminal;
        }
        Self {
            begin: initial,
            end: warmup - terminal,
            length: base,
            closing: initial + base - 1,
            next: 0,
        }
    }

    /// Steps over one transition and says which window it was in.
    pub(super) fn advance(&mut self) -> Window {
        let transition = self.next;
        self.next += 1;
        if !(self.begin..self.end).contains(&transition) {
            return Window::Outside;
        }
        if transition != self.closing {
            return Window::Inside;
        }
        self.open_next(transition);
        Window::Closes
    }

    /// Doubles the window; stretches it to the end if the one after it would not fit.
    fn open_next(&mut self, closed: usize) {
        let last = self.end - 1;
        if closed == last {
            return;
        }
        self.length *= 2;
        self.closing = closed + self.length;
        if self.closing + 2 * self.length >= self.end {
            self.closing = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updates(warmup: usize, windows: WarmupWindows) -> (usize, Vec<usize>) {
        let mut schedule = Schedule::new(warmup, &windows);
        let windows: Vec<Window> = (0..warmup).map(|_| schedule.advance()).collect();
        let collected = windows.iter().filter(|window| **window != Window::Outside);
        let closing = |at: &usize| windows[*at] == Window::Closes;
        (collected.count(), (0..warmup).filter(closing).collect())
    }

    #[test]
    fn a_thousand_transitions_update_when_stan_does() {
        assert_eq!(
            updates(1000, WarmupWindows::default()),
            (875, vec![99, 149, 249, 449, 949])
        );
    }

    #[test]
    fn other_lengths_follow_stans_rules() {
        let default = WarmupWindows::default();
        // Exactly the three phases: one window.
        assert_eq!(updates(150, default), (25, vec![99]));
        // A window of 50 fits exactly, is cut short, or stretched as one of 100 would not fit after it.
        assert_eq!(updates(200, default), (75, vec![99, 149]));
        assert_eq!(updates(180, default), (55, vec![99, 129]));
        assert_eq!(updates(299, default), (174, vec![99, 248]));
        assert_eq!(updates(500, default), (375, vec![99, 149, 249, 449]));
        // Too short: 15 % and 10 %, one window.
        assert_eq!(updates(149, default), (113, vec![134]));
        assert_eq!(updates(100, default), (75, vec![89]));
        assert_eq!(updates(20, default), (15, vec![17]));
        assert_eq!(updates(19, default), (0, vec![]));
        assert_eq!(updates(0, default), (0, vec![]));
    }

    #[test]
    fn windows_may_be_chosen() {
        let windows = WarmupWindows {
            initial: 0,
            base: 10,
            terminal: 0,
        };
        assert_eq!(updates(70, windows), (70, vec![9, 29, 69]));
    }
}
