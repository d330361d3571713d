//! Writes the benchmark's files for other programs, `benches/peers` above all.

use crate::Failure;
use crate::files::{self, Format, ONE_IN, Variant};
use crate::sums::Sums;
use serde_json::{Map, json};
use std::path::Path;

const FORMATS: [(Format, &str); 2] = [(Format::Ndjson, "ndjson"), (Format::Csv, "csv")];
const VARIANTS: [(Variant, &str); 3] =
    [(Variant::Plain, "plain"), (Variant::Changed, "changed"), (Variant::Bad, "bad")];

/// Writes each variant in each format, and `expected.json`: what a table holds once the good
/// records of a variant are in it, and the SQL that tells it.
pub(crate) fn write_files(folder: &Path, rows: u64) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let mut expected = Map::new();
    for (variant, name) in VARIANTS {
        let write = |(format, extension)| {
            let path = folder.join(format!("{name}.{extension}"));
            files::write(&path, rows, format, variant)
        };
        let [ndjson, csv] = FORMATS.map(write);
        let sums: Sums = ndjson?;
        if csv? != sums {
            return Err(format!("{name}: CSV and NDJSON do not hold the same orders").into());
        }
        expected.insert(name.to_owned(), sums.line().into());
    }
    let told = json!({
        "rows": rows,
        "chosen": files::chosen(rows),
        "is_chosen_sql": format!("order_id % {ONE_IN} = {}", ONE_IN / 2),
        "sums_sql": Sums::SQL,
        "sums": expected,
    });
    std::fs::write(folder.join("expected.json"), format!("{told:#}\n"))?;
    Ok(())
}
