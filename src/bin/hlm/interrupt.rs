//! Ctrl-C, for the whole program: commands end properly at the first and at once at the second; the prompt goes on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a shell reports of a program ended by Ctrl-C.
pub const EXIT_CODE: u8 = 130;

/// Set by Ctrl-C.
static PRESSED: AtomicBool = AtomicBool::new(false);

/// How often it was pressed since [`watch`].
static PRESSES: AtomicUsize = AtomicUsize::new(0);

/// How many presses end the program: one more than people need who mean the command only.
static LAST_PRESS: AtomicUsize = AtomicUsize::new(2);

/// At the prompt what was asked for may not listen, and a third press means the program.
const LAST_PRESS_AT_PROMPT: usize = 3;

/// The flag that Ctrl-C sets, cleared: what runs from here on looks at it.
pub fn watch() -> &'static AtomicBool {
    static HANDLER: OnceLock<bool> = OnceLock::new();
    PRESSES.store(0, Ordering::Relaxed);
    PRESSED.store(false, Ordering::Relaxed);
    // Without a handler Ctrl-C ends the program at once, which is no reason not to start.
    HANDLER.get_or_init(|| ctrlc::set_handler(pressed).is_ok());
    &PRESSED
}

/// Says that an answer of the prompt is being computed, or that the prompt waits, and then a single press ends a
/// program that reads a script. (At a terminal the line editor reads Ctrl-C as a key.)
pub fn at_prompt(is_busy: bool) {
    let last = if is_busy { LAST_PRESS_AT_PROMPT } else { 1 };
    LAST_PRESS.store(last, Ordering::Relaxed);
    watch();
}

fn pressed() {
    PRESSED.store(true, Ordering::Relaxed);
    if PRESSES.fetch_add(1, Ordering::Relaxed) + 1 >= LAST_PRESS.load(Ordering::Relaxed) {
        std::process::exit(EXIT_CODE.into());
    }
}
