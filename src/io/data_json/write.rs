//! Writes numbers and data files as Stan JSON.

use std::fmt::Write;

use super::{Data, DataKind, DataValue};

/// Appends `value` as JSON with the fewest digits that read back as the same double; what JSON has no number for
/// becomes the strings `"Infinity"`, `"-Infinity"` and `"NaN"`, which Stan reads. A whole number keeps its `.0`.
pub fn write_json_number(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 {
            "\"Infinity\""
        } else {
            "\"-Infinity\""
        });
    } else {
        let _ = write!(out, "{value:?}");
    }
}

/// `data` as a Stan JSON file, one variable a line; variables without a usable value are left out, and so are members
/// whose names are not identifiers. Reading the text gives the same values and sizes (except that arrays with a zero
/// dimension lose the dimensions after it).
pub fn write_data_json(data: &Data) -> String {
    let mut out = String::from("{");
    let mut separator = "\n";
    for entry in data.entries() {
        let Ok(value) = &entry.value else { continue };
        let _ = write!(out, "{separator}  \"{}\": ", entry.name);
        write_value(value, &value.dims, 0, &mut out);
        separator = ",\n";
    }
    out.push_str("\n}\n");
    out
}

/// Writes the part of `value` with the remaining sizes `dims` whose first element is number `index` in units of that
/// part's size, so that `index` means the same in every slot of an array of tuples.
fn write_value(value: &DataValue, dims: &[usize], index: usize, out: &mut String) {
    if let [length, inner @ ..] = dims {
        out.push('[');
        for element in 0..*length {
            out.push_str(if element > 0 { ", " } else { "" });
            write_value(value, inner, index * length + element, out);
        }
        out.push(']');
        return;
    }
    match &value.kind {
        _ if value
            .missing
            .binary_search_by_key(&index, |element| element.index)
            .is_ok() =>
        {
            out.push_str("null")
        }
        DataKind::Int(values) => {
            let _ = write!(out, "{}", values[index]);
        }
        DataKind::Real(values) => write_json_number(values[index], out),
        DataKind::Tuple(slots) => {
            for (place, slot) in slots.iter().enumerate() {
                let _ = write!(
                    out,
                    "{}\"{}\": ",
                    if place == 0 { "{" } else { ", " },
                    place + 1
                );
                write_value(slot, &slot.dims[value.dims.len()..], index, out);
            }
            out.push('}');
        }
    }
}
