//! Round numbers on axes: 1, 2, 2.5 and 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels", with 2.5
//! added), and the text that shows them.

/// Ticks of a linear axis within a range, about as many as wanted.
pub fn linear(range: (f64, f64), wanted: usize) -> Vec<f64> {
    let (low, high) = range;
    let length = high - low;
    if !(length > 0.0 && length.is_finite()) {
        return vec![low];
    }
    let step = nice_step(length, wanted);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).max(0.0) as usize;
    // A multiple of the step, not a running sum: 0.3, not 0.30000000000000004.
    (0..=count)
        .map(|k| clean((first + k as f64) * step, step))
        .collect()
}

/// The nice step whose number of ticks comes nearest to the wanted one.
fn nice_step(length: f64, wanted: usize) -> f64 {
    let rough = length / wanted.max(1) as f64;
    let power = power_of_ten(libm::floor(libm::log10(rough)) as i32);
    let distance = |step: f64| (libm::log10(step) - libm::log10(rough)).abs();
    let mut best = power;
    for factor in [2.0, 2.5, 5.0, 10.0] {
        if distance(factor * power) < distance(best) {
            best = factor * power;
        }
    }
    best
}

/// Ticks of a logarithmic axis within a range: 1 and 3, or 1, 2 and 5 times powers of ten, or powers of ten alone.
pub fn logarithmic(range: (f64, f64), wanted: usize) -> Vec<f64> {
    let decades = libm::log10(range.1 / range.0);
    let factors: &[f64] = if decades * 3.0 <= wanted as f64 + 1.0 {
        &[1.0, 2.0, 5.0]
    } else if decades * 2.0 <= wanted as f64 + 1.0 {
        &[1.0, 3.0]
    } else {
        &[1.0]
    };
    let first = libm::floor(libm::log10(range.0)) as i32;
    let last = libm::ceil(libm::log10(range.1)) as i32;
    let slack = 1.0 + 1e-9;
    let mut ticks = Vec::new();
    for exponent in first..=last {
        for factor in factors {
            let tick = factor * power_of_ten(exponent);
            if tick * slack >= range.0 && tick <= range.1 * slack {
                ticks.push(tick);
            }
        }
    }
    if ticks.len() < 2 {
        return linear(range, wanted.min(4));
    }
    ticks
}

/// Exact for the exponents that doubles can hold exactly, both ways.
fn power_of_ten(exponent: i32) -> f64 {
    let power = 10f64.powi(exponent.abs());
    if exponent < 0 { 1.0 / power } else { power }
}

/// Zero where the difference from it is rounding error.
fn clean(value: f64, step: f64) -> f64 {
    if value.abs() < step * 1e-6 {
        0.0
    } else {
        value
    }
}

/// The texts of ticks, all with the decimals that the finest of them needs.
pub fn texts(ticks: &[f64]) -> Vec<String> {
    let most = ticks.iter().fold(0.0f64, |most, tick| most.max(tick.abs()));
    if most >= 1e7 || (most > 0.0 && most < 1e-4) {
        return ticks.iter().map(|&tick| scientific(tick)).collect();
    }
    let decimals = ticks.iter().map(|&tick| decimals_of(tick, most)).max();
    let decimals = decimals.unwrap_or(0);
    ticks.iter().map(|&tick| fixed(tick, decimals)).collect()
}

/// Each tick with only the decimals that it needs itself: 0.1, 1, 10 on a logarithmic axis.
pub fn texts_each(ticks: &[f64]) -> Vec<String> {
    ticks
        .iter()
        .flat_map(|&tick| texts(std::slice::from_ref(&tick)))
        .collect()
}

fn decimals_of(value: f64, most: f64) -> usize {
    let exact = |decimals: &usize| {
        let text = format!("{value:.decimals$}");
        text.parse::<f64>()
            .is_ok_and(|shown| (shown - value).abs() <= 1e-9 * most)
    };
    (0..10).find(exact).unwrap_or(10)
}

/// With a minus sign that is as wide as a plus, and commas from five digits on.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole.to_string(), format!(".{fraction}")),
        None => (text, String::new()),
    };
    let grouped = if whole.len() >= 5 {
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    } else {
        whole
    };
    let is_zero = grouped
        .chars()
        .chain(fraction.chars())
        .all(|c| "0.".contains(c));
    let sign = if value < 0.0 && !is_zero { "−" } else { "" };
    format!("{sign}{grouped}{fraction}")
}

fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    // Three digits are more than nice steps need.
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{exponent}").replace('-', "−")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{linear, logarithmic, texts, texts_each};

    fn shown(range: (f64, f64), wanted: usize) -> Vec<String> {
        texts(&linear(range, wanted))
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(
            shown((0.0, 1.0), 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(shown((-1.3, 2.2), 4), ["−1", "0", "1", "2"]);
        assert_eq!(shown((0.0, 100.0), 4), ["0", "25", "50", "75", "100"]);
        assert_eq!(
            shown((12_000.0, 31_000.0), 4),
            ["15,000", "20,000", "25,000", "30,000"]
        );
        assert_eq!(shown((0.1, 0.7), 6)[2], "0.3");
    }

    #[test]
    fn extreme_ranges_have_ticks_too() {
        assert_eq!(shown((3.0, 3.0), 5), ["3"]);
        assert_eq!(shown((0.0, 4e-9), 4), ["0", "1e−9", "2e−9", "3e−9", "4e−9"]);
        assert_eq!(shown((-2e9, 2e9), 4), ["−2e9", "−1e9", "0", "1e9", "2e9"]);
    }

    #[test]
    fn logarithmic_ticks_thin_out_over_many_decades() {
        assert_eq!(
            texts_each(&logarithmic((1.0, 120.0), 6)),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
        assert_eq!(
            texts_each(&logarithmic((0.1, 1e5), 6))
                .first()
                .map(String::as_str),
            Some("0.1")
        );
        assert_eq!(logarithmic((1.0, 1e5), 6).len(), 6);
    }
}
