//! Characters with colours: the sheet that is printed, and the canvas of braille cells that a panel draws on.

use crate::plot::palette::{Colour, INK};

#[derive(Clone, Copy)]
struct Cell {
    letter: char,
    colour: Colour,
}

const BLANK: Cell = Cell {
    letter: ' ',
    colour: INK,
};

/// Lines of characters, as long as they need to be.
pub struct Sheet(Vec<Vec<Cell>>);

impl Sheet {
    pub fn new() -> Self {
        Sheet(Vec::new())
    }

    /// How many lines there are.
    pub fn height(&self) -> usize {
        self.0.len()
    }

    /// Leaves a line free.
    pub fn skip(&mut self) {
        self.0.push(Vec::new());
    }

    /// Writes from a place to the right, over what is there.
    pub fn write(&mut self, x: usize, y: usize, text: &str, colour: Colour) {
        while self.0.len() <= y {
            self.0.push(Vec::new());
        }
        let row = &mut self.0[y];
        for (column, letter) in (x..).zip(text.chars()) {
            while row.len() <= column {
                row.push(BLANK);
            }
            let letter = if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            };
            row[column] = Cell { letter, colour };
        }
    }

    /// Adds text below, broken between words.
    pub fn paragraph(&mut self, text: &str, columns: usize, colour: Colour) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            let length = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && length > columns {
                self.write(0, self.height(), &line, colour);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.write(0, self.height(), &line, colour);
        }
    }

    /// Adds a line below in the middle.
    pub fn centred(&mut self, text: &str, columns: usize, colour: Colour) {
        if !text.is_empty() {
            let left = columns.saturating_sub(text.chars().count()) / 2;
            self.write(left, self.height(), text, colour);
        }
    }

    /// The lines, with escape codes where the colour changes if `colour`; ink has the terminal's own colour.
    pub fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        for row in &self.0 {
            let end = row.iter().rposition(|cell| cell.letter != ' ');
            let mut current = INK;
            for cell in &row[..end.map_or(0, |end| end + 1)] {
                if colour && cell.letter != ' ' && cell.colour != current {
                    current = cell.colour;
                    text.push_str(&escape(current));
                }
                text.push(cell.letter);
            }
            if current != INK {
                text.push_str(&escape(INK));
            }
            text.push('\n');
        }
        text
    }
}

fn escape(colour: Colour) -> String {
    if colour == INK {
        return "\u{1b}[0m".to_string();
    }
    let Colour { red, green, blue } = colour;
    format!("\u{1b}[38;2;{red};{green};{blue}m")
}

/// The inside of a panel. Places are shares of its width and height, from the lower left.
pub struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<Drawn>,
}

/// What a cell of the canvas holds; letters hide braille, and braille hides shades.
#[derive(Clone, Copy)]
struct Drawn {
    braille: u8,
    letter: Option<char>,
    colour: Colour,
    shade: Option<(u8, Colour)>,
}

/// The bits of braille's dots, by row and column (Unicode 15, block U+2800).
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    pub fn new(columns: usize, rows: usize) -> Self {
        let empty = Drawn {
            braille: 0,
            letter: None,
            colour: INK,
            shade: None,
        };
        Canvas {
            columns,
            rows,
            cells: vec![empty; columns * rows],
        }
    }

    fn cell(&mut self, column: usize, row: usize) -> &mut Drawn {
        &mut self.cells[row * self.columns + column]
    }

    /// The braille dot at a place; `None` outside and where a place is no number.
    fn raster(&self, (x, y): (f64, f64)) -> Option<(usize, usize)> {
        // A mark on the frame itself belongs to the outermost dots.
        let index = |share: f64, count: usize| {
            let inside = (-1e-9..=1.0 + 1e-9).contains(&share);
            inside.then(|| ((share.max(0.0) * count as f64) as usize).min(count - 1))
        };
        Some((index(x, 2 * self.columns)?, index(1.0 - y, 4 * self.rows)?))
    }

    fn braille(&mut self, place: (f64, f64), colour: Colour) {
        if let Some((column, row)) = self.raster(place) {
            let cell = self.cell(column / 2, row / 4);
            cell.braille |= DOTS[row % 4][column % 2];
            cell.colour = if cell.letter.is_some() {
                cell.colour
            } else {
                colour
            };
        }
    }

    /// A straight line, in steps of less than one dot.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, is_dashed: bool) {
        for (step, at) in self.steps(from, to).enumerate() {
            if !is_dashed || step % 4 < 2 {
                self.braille(at, colour);
            }
        }
    }

    /// A straight line of shaded cells.
    pub fn shaded(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, shade: u8) {
        for at in self.steps(from, to) {
            if let Some((column, row)) = self.raster(at) {
                self.cell(column / 2, row / 4).shade = Some((shade, colour));
            }
        }
    }

    /// Places from one end to the other, less than a dot apart.
    fn steps(&self, from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = (f64, f64)> + use<> {
        let across = (to.0 - from.0) * 2.0 * self.columns as f64;
        let upwards = (to.1 - from.1) * 4.0 * self.rows as f64;
        let steps = across.abs().max(upwards.abs()).ceil();
        // A line far beyond the frame is not worth its steps, and one that ends nowhere has none.
        let is_drawn = steps.is_finite() && steps < 1e5;
        let steps = (steps as usize).clamp(1, 100_000);
        let places = if is_drawn { 0..steps + 1 } else { 0..0 };
        places.map(move |step| {
            let share = step as f64 / steps as f64;
            let across = from.0 + share * (to.0 - from.0);
            (across, from.1 + share * (to.1 - from.1))
        })
    }

    /// The area between two pairs of x, lower y, upper y; darker shades hide lighter ones.
    pub fn ribbon(&mut self, [from, to]: [[f64; 3]; 2], colour: Colour, shade: u8) {
        for column in 0..self.columns {
            let x = (column as f64 + 0.5) / self.columns as f64;
            if x < from[0] || x > to[0] {
                continue;
            }
            let length = to[0] - from[0];
            let share = if length > 0.0 {
                (x - from[0]) / length
            } else {
                0.0
            };
            let [low, high] = [1, 2].map(|end| from[end] + share * (to[end] - from[end]));
            for row in 0..self.rows {
                let y = 1.0 - (row as f64 + 0.5) / self.rows as f64;
                if (low..=high).contains(&y) {
                    let cell = self.cell(column, row);
                    if cell.shade.is_none_or(|(other, _)| other <= shade) {
                        cell.shade = Some((shade, colour));
                    }
                }
            }
        }
    }

    /// A point: a letter, or one dot of braille.
    pub fn dot(&mut self, at: (f64, f64), letter: Option<char>, colour: Colour) {
        let Some(letter) = letter else {
            self.braille(at, colour);
            return;
        };
        if let Some((column, row)) = self.raster(at) {
            let cell = self.cell(column / 2, row / 4);
            cell.letter = Some(letter);
            cell.colour = colour;
        }
    }

    /// Words that end at the right of a place, in its row or the next free one above or below.
    pub fn words(&mut self, at: (f64, f64), text: &str, colour: Colour) {
        let length = text.chars().count();
        if length == 0 || length > self.columns {
            return;
        }
        let Some((_, row)) = self.raster((at.0.clamp(0.0, 1.0), at.1)) else {
            return;
        };
        let (row, left) = (row / 4, self.columns - length);
        let above = row.checked_sub(1);
        let rows = [above, Some(row + 1), Some(row)].into_iter().flatten();
        for row in rows.filter(|&row| row < self.rows) {
            let cells = &mut self.cells[row * self.columns..][left..left + length];
            if cells
                .iter()
                .any(|cell| cell.braille != 0 || cell.letter.is_some())
            {
                continue;
            }
            for (cell, letter) in cells.iter_mut().zip(text.chars()) {
                cell.letter = Some(letter);
                cell.colour = colour;
            }
            return;
        }
    }

    pub fn print(&self, (left, top): (usize, usize), sheet: &mut Sheet) {
        for (place, drawn) in self.cells.iter().enumerate() {
            let (letter, colour) = match *drawn {
                Drawn {
                    letter: Some(letter),
                    colour,
                    ..
                } => (letter, colour),
                Drawn {
                    braille, colour, ..
                } if braille != 0 => {
                    let letter = char::from_u32(0x2800 + u32::from(braille));
                    (letter.unwrap_or(' '), colour)
                }
                Drawn {
                    shade: Some((shade, colour)),
                    ..
                } => (['░', '▒', '▓'][usize::from(shade.min(2))], colour),
                _ => continue,
            };
            let (x, y) = (left + place % self.columns, top + place / self.columns);
            sheet.write(x, y, letter.encode_utf8(&mut [0; 4]), colour);
        }
    }
}
