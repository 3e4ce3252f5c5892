//! Reads Stan JSON in one pass, straight into flat arrays.

use std::collections::BTreeMap;
use std::ops::Range;

use super::builder::{Builder, Fault, Scalar};
use super::error::LineCounter;
use super::{Data, DataEntry, DataError, DataProblem, IgnoredEntry, is_identifier};

/// How deep brackets may nest: far above any declared shape, far below what would exhaust a thread's stack (a guess).
pub(super) const MAX_DEPTH: usize = 128;

/// Longest piece of the file that an error message quotes, in bytes.
const MAX_QUOTED: usize = 40;

/// Reads a Stan JSON data file.
///
/// An error is returned for text that is not JSON, for a name given twice and for brackets nested too deep. A value
/// that is JSON but that no Stan variable can hold is kept as an error in its [`DataEntry`].
pub fn parse_data_json(file: &[u8]) -> Result<Data, DataError> {
    let mut parser = Parser { file, at: 0 };
    let members = match parser.parse_file() {
        Ok(members) => members,
        Err((problem, span)) => return Err(LineCounter::new(file).locate(problem, span)),
    };
    let mut data = Data::default();
    let mut counter = LineCounter::new(file);
    for Member {
        name,
        name_span,
        value_span,
        value,
    } in members
    {
        if is_identifier(&name) {
            let value = value
                .finish(&[])
                .map_err(|(problem, span)| counter.locate(problem, span));
            data.put(DataEntry {
                name,
                name_span,
                value,
            });
        } else {
            data.ignored.push(IgnoredEntry {
                name,
                name_span,
                value_span,
            });
        }
    }
    Ok(data)
}

struct Member {
    name: String,
    name_span: Range<usize>,
    value_span: Range<usize>,
    value: Builder,
}

struct Parser<'a> {
    file: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn parse_file(&mut self) -> Result<Vec<Member>, Fault> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.file.starts_with(BYTE_ORDER_MARK) {
            self.at = BYTE_ORDER_MARK.len();
        }
        let mut members: Vec<Member> = Vec::new();
        let mut first_spans: BTreeMap<String, Range<usize>> = BTreeMap::new();
        self.expect(
            b'{',
            "`{`: a data file is one object, as {\"N\": 3, \"y\": [1, 2, 3]}",
        )?;
        self.parse_object(|parser, name, name_span| {
            if let Some(first) = first_spans.insert(name.clone(), name_span.clone()) {
                return Err((DataProblem::RepeatedName { name, first }, name_span));
            }
            let start = parser.at;
            let mut value = Builder::default();
            parser.parse_value(&mut value, 0, 1)?;
            members.push(Member {
                name,
                name_span,
                value_span: start..parser.at,
                value,
            });
            Ok(())
        })?;
        self.skip_space();
        if self.at < self.file.len() {
            return Err(self.unexpected("the end of the file after the closing `}`"));
        }
        Ok(members)
    }

    /// The members of an object whose `{` has been read, up to and with its `}`.
    fn parse_object(
        &mut self,
        mut parse_member: impl FnMut(&mut Self, String, Range<usize>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a name in double quotes"));
            }
            let start = self.at + 1;
            let name = self.parse_string()?;
            let name_span = start..self.at - 1;
            self.expect(b':', "`:` after the name")?;
            self.skip_space();
            parse_member(self, name, name_span)?;
            if self.eat(b'}') {
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// One value at `level` dimensions inside the variable (or tuple slot) that `builder` collects. `depth` counts all
    /// brackets around it.
    fn parse_value(
        &mut self,
        builder: &mut Builder,
        level: usize,
        depth: usize,
    ) -> Result<(), Fault> {
        self.skip_space();
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err((DataProblem::TooDeep, start..self.file.len().min(start + 1)));
        }
        match self.peek() {
            Some(b'[') => {
                self.at += 1;
                builder.open_array(level, start);
                let length = self.parse_elements(builder, level, depth)?;
                builder.close_array(level, length, start..self.at);
            }
            Some(b'{') => {
                self.at += 1;
                self.parse_tuple(builder, level, depth, start)?;
            }
            Some(b'"') => {
                let text = self.parse_string()?;
                match special_value(&text) {
                    Some(scalar) => builder.push(scalar, level, start..self.at),
                    None => builder.fault(DataProblem::Text(shorten(&text)), start..self.at),
                }
            }
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                let scalar = match self.parse_short_integer() {
                    Some(scalar) => scalar,
                    None => self.parse_word(builder)?,
                };
                builder.push(scalar, level, start..self.at);
            }
            _ => return Err(self.unexpected("a number or an array")),
        }
        if level == 0 {
            builder.values += 1;
            builder.span.get_or_insert(start..self.at);
        }
        Ok(())
    }

    /// The elements of an array whose `[` has been read, up to and with its `]`; their number.
    fn parse_elements(
        &mut self,
        builder: &mut Builder,
        level: usize,
        depth: usize,
    ) -> Result<usize, Fault> {
        if self.eat(b']') {
            return Ok(0);
        }
        let mut length = 0;
        loop {
            self.parse_value(builder, level + 1, depth + 1)?;
            length += 1;
            if self.eat(b']') {
                return Ok(length);
            }
            self.expect(b',', "`,` or `]`")?;
            self.skip_space();
            if self.peek() == Some(b']') {
                return Err(self.unexpected("another element: JSON allows no comma before `]`"));
            }
        }
    }

    fn parse_tuple(
        &mut self,
        builder: &mut Builder,
        level: usize,
        depth: usize,
        start: usize,
    ) -> Result<(), Fault> {
        builder.open_tuple(level, start);
        let mut keys = 0;
        self.parse_object(|parser, key, key_span| {
            keys += 1;
            match slot_number(&key) {
                Some(slot) => {
                    parser.parse_value(builder.slots.entry(slot).or_default(), 0, depth + 1)
                }
                None => {
                    builder.fault(DataProblem::NotATuple(shorten(&key)), key_span);
                    parser.parse_value(&mut Builder::default(), 0, depth + 1)
                }
            }
        })?;
        builder.close_tuple(keys, start..self.at);
        Ok(())
    }

    /// An integer of so few digits that it certainly fits 32 bits: most of what data files hold. Reads nothing if the word
    /// is any other.
    fn parse_short_integer(&mut self) -> Option<Scalar> {
        const MOST_DIGITS: usize = 9;
        let rest = &self.file[self.at..];
        let (is_negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let mut value = 0;
        let mut count = 0;
        while let Some(digit @ b'0'..=b'9') = digits.get(count) {
            if count == MOST_DIGITS {
                return None;
            }
            value = 10 * value + i64::from(digit - b'0');
            count += 1;
        }
        let has_leading_zero = count > 1 && digits[0] == b'0';
        let goes_on = digits.get(count).is_some_and(|&byte| is_word(byte));
        if count == 0 || has_leading_zero || goes_on {
            return None;
        }
        self.at += usize::from(is_negative) + count;
        Some(Scalar::Int(if is_negative { -value } else { value }))
    }

    /// A number, `true`, `false`, `null` or a bare special value.
    fn parse_word(&mut self, builder: &mut Builder) -> Result<Scalar, Fault> {
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        let span = start..self.at;
        let word = str::from_utf8(&self.file[span.clone()]).unwrap_or_default();
        if let Some(is_integer) = number_form(word) {
            let scalar = number(word, is_integer);
            if matches!(scalar, Scalar::Real(value) if value.is_infinite()) {
                builder.fault(DataProblem::NumberTooLarge(shorten(word)), span);
            }
            return Ok(scalar);
        }
        match word {
            "true" => Ok(Scalar::Int(1)),
            "false" => Ok(Scalar::Int(0)),
            "null" => Ok(Scalar::Missing),
            _ => special_value(word).ok_or_else(|| {
                let unsigned = word.trim_start_matches(['-', '+', '.']);
                let problem = if unsigned.starts_with(|c: char| c.is_ascii_digit()) || unsigned.is_empty() {
                    DataProblem::BadNumber(shorten(word))
                } else {
                    let expected = "a number or an array (text stands in double quotes, a missing value is null)";
                    DataProblem::Unexpected { found: format!("`{}`", shorten(word)), expected }
                };
                (problem, span)
            }),
        }
    }

    /// A string, from its opening quote to after its closing one.
    fn parse_string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n' | b'\r') => {
                    return Err((DataProblem::UnterminatedString, start..self.at));
                }
                Some(b'"') => {
                    self.at += 1;
                    return String::from_utf8(bytes)
                        .map_err(|_| (DataProblem::NotUtf8, start..self.at));
                }
                Some(b'\\') => {
                    let escape = self.at;
                    let character = self.parse_escape().ok_or(()).map_err(|()| {
                        (
                            DataProblem::BadEscape,
                            escape..(escape + 2).min(self.file.len()),
                        )
                    })?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) => {
                    self.at += 1;
                    bytes.push(byte);
                }
            }
        }
    }

    fn parse_escape(&mut self) -> Option<char> {
        let letter = *self.file.get(self.at + 1)?;
        self.at += 2;
        match letter {
            b'"' | b'\\' | b'/' => Some(char::from(letter)),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'u' => {
                let unit = self.parse_hex4()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                if self.file.get(self.at..self.at + 2)? != b"\\u" {
                    return None;
                }
                self.at += 2;
                let low = self
                    .parse_hex4()?
                    .checked_sub(0xDC00)
                    .filter(|&low| low < 0x400)?;
                char::from_u32(0x10000 + ((unit - 0xD800) << 10) + low)
            }
            _ => None,
        }
    }

    fn parse_hex4(&mut self) -> Option<u32> {
        let digits = self.file.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, &digit| {
            Some(unit * 16 + char::from(digit).to_digit(16)?)
        })
    }

    fn peek(&self) -> Option<u8> {
        self.file.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Skips space and, if `wanted` follows, reads it.
    fn eat(&mut self, wanted: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), Fault> {
        if self.eat(wanted) {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// What stands at the current place, as an error.
    fn unexpected(&self, expected: &'static str) -> Fault {
        let rest = &self.file[self.at..];
        let is_word =
            |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-+._".contains(byte);
        let length = rest
            .iter()
            .take_while(|byte| is_word(byte))
            .count()
            .max(usize::from(!rest.is_empty()));
        let found = match rest {
            [] => "the end of the file".to_string(),
            _ => format!("`{}`", shorten(&String::from_utf8_lossy(&rest[..length]))),
        };
        (
            DataProblem::Unexpected { found, expected },
            self.at..self.at + length,
        )
    }
}

/// Whether a byte may be part of a number, a name of a special value, or a mistake for one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
}

fn shorten(text: &str) -> String {
    if text.len() <= MAX_QUOTED {
        return text.to_string();
    }
    let end = (0..=MAX_QUOTED)
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Whether `word` is a JSON number, and if so whether it is written as an integer.
fn number_form(word: &str) -> Option<bool> {
    fn digits(text: &[u8]) -> usize {
        text.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }
    let mut rest = word.strip_prefix('-').unwrap_or(word).as_bytes();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return None;
    }
    rest = &rest[whole..];
    let mut is_integer = true;
    if let [b'.', fraction @ ..] = rest {
        let count = digits(fraction);
        if count == 0 {
            return None;
        }
        is_integer = false;
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = if let [b'+' | b'-', unsigned @ ..] = exponent {
            unsigned
        } else {
            exponent
        };
        let count = digits(exponent);
        if count == 0 {
            return None;
        }
        is_integer = false;
        rest = &exponent[count..];
    }
    rest.is_empty().then_some(is_integer)
}

/// The value of a word that has the form of a number; infinite when it is too large.
fn number(word: &str, is_integer: bool) -> Scalar {
    if is_integer && let Ok(value) = word.parse::<i32>() {
        return Scalar::Int(i64::from(value));
    }
    match word.parse::<f64>() {
        Ok(value) if is_integer && value.is_finite() => Scalar::BigInt(value),
        Ok(value) => Scalar::Real(value),
        Err(_) => Scalar::Real(f64::NAN),
    }
}

/// `NaN`, `Inf`, `Infinity` with an optional sign in any case, and R's `NA`.
fn special_value(text: &str) -> Option<Scalar> {
    let (magnitude, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (f64::NEG_INFINITY, &text[1..]),
        Some(b'+') => (f64::INFINITY, &text[1..]),
        _ => (f64::INFINITY, text),
    };
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        Some(Scalar::Real(magnitude))
    } else if text.eq_ignore_ascii_case("nan") {
        Some(Scalar::Real(f64::NAN))
    } else if text == "NA" {
        Some(Scalar::Missing)
    } else {
        None
    }
}

/// The slot that a key of a tuple names, from 1.
fn slot_number(key: &str) -> Option<usize> {
    let is_plain = key.bytes().all(|byte| byte.is_ascii_digit()) && !key.starts_with('0');
    if is_plain { key.parse().ok() } else { None }
}
