//! Figures in files and on the terminal.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use crate::fault::Fault;
use hlm::plot::Figure;

/// Dots per pixel of PNG files: sharp on paper and on today's screens.
#[cfg(feature = "png")]
const SCALE: f64 = 2.0;

/// Writes a figure as `NAME.svg`, and as `NAME.png` where hlm was built with that.
///
/// # Errors
/// A file that cannot be written.
pub fn write(folder: &Path, name: &str, figure: &Figure) -> Result<(), Fault> {
    let scene = figure.scene();
    put(&folder.join(format!("{name}.svg")), scene.svg().as_bytes())?;
    #[cfg(feature = "png")]
    {
        let png = scene
            .png(SCALE)
            .map_err(|error| Fault::new(error.to_string()))?;
        put(&folder.join(format!("{name}.png")), &png)?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    fs::write(path, bytes)
        .map_err(|error| Fault::new(format!("{} cannot be written: {error}", path.display())))
}

/// A figure in characters, as wide as the terminal and in colour if its user wants any.
pub fn terminal(figure: &Figure) -> String {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = std::io::stdout().is_terminal() && !no_colour;
    figure.terminal(columns.unwrap_or(100).clamp(60, 140), colour)
}
