//! What is printed.

use crate::Failure;
use crate::args::Case;
use crate::cases::{Bench, Sample};
use clap::ValueEnum;

/// Machine, server and settings, one a line.
pub(crate) fn machine(bench: &Bench) -> Result<String, Failure> {
    let cluster = &bench.cluster;
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpus, "model name").unwrap_or("unknown processor");
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let gib = field(&memory, "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or("?".to_owned(), |kib| format!("{:.0}", kib / 1024.0 / 1024.0));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let settings = cluster.query(
        "sluice",
        "select string_agg(name || '=' || current_setting(name), ' ' order by name) from pg_settings
         where name in ('shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit', 'data_checksums', 'full_page_writes', 'wal_level')",
    )?;
    let or_own = |set: Option<String>| set.unwrap_or("default".to_owned());
    Ok(format!(
        "machine   {model}, {} cores, {gib} GiB, load before {}\nserver    PostgreSQL {}\nsettings  {settings}\nsluice    {} workers={} batch_rows={}\nrun       rows={} runs={}\n",
        std::thread::available_parallelism()?,
        load.split(' ').next().unwrap_or("?"),
        cluster.query("sluice", "show server_version")?,
        env!("CARGO_PKG_VERSION"),
        or_own(bench.args.workers.map(|n| n.to_string())),
        or_own(bench.args.batch_rows.map(|n| n.to_string())),
        bench.args.rows,
        bench.args.runs,
    ))
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find(|line| line.starts_with(name))
        .and_then(|line| Some(line.split_once(':')?.1.trim()))
}

/// The loads of a whole file: medians, and how far the runs were apart.
pub(crate) fn loads(bench: &Bench) -> String {
    let mut rows = vec![
        ["", "seconds", "min..max", "rows/s", "of \\copy", "WAL MB", "client MB", "client CPU s"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let seconds_of = |case: Case| median(samples(bench, case).map(|sample| sample.seconds));
    let floor = seconds_of(Case::Copy);
    for case in Case::value_variants() {
        let Some(seconds) = seconds_of(*case) else {
            continue;
        };
        let all = || samples(bench, *case);
        let least = all().map(|sample| sample.seconds).fold(f64::INFINITY, f64::min);
        let most = all().map(|sample| sample.seconds).fold(0.0, f64::max);
        let speed = (*case != Case::Nothing).then(|| bench.args.rows_of(*case) as f64 / seconds);
        rows.push(vec![
            label(*case).to_owned(),
            format!("{seconds:.2}"),
            format!("{least:.2}..{most:.2}"),
            speed.map_or("-".to_owned(), |speed| thousands(speed as u64)),
            speed.zip(floor).map_or("-".to_owned(), |(speed, floor)| {
                format!("{:.2}", speed * floor / bench.args.rows as f64)
            }),
            shown(median(all().map(|sample| sample.wal_bytes as f64 / 1e6))),
            shown(median(all().filter_map(|sample| Some(sample.peak_kib? as f64 / 1024.0)))),
            shown(median(all().filter_map(|sample| sample.cpu_seconds))),
        ]);
    }
    aligned(&rows)
}

/// Holds the ratios to what `--at-least` asks for.
pub(crate) fn check_ratios(bench: &Bench) -> Result<(), Failure> {
    let seconds_of = |case: Case| median(samples(bench, case).map(|sample| sample.seconds));
    for (case, least) in &bench.args.at_least {
        let (Some(floor), Some(seconds)) = (seconds_of(Case::Copy), seconds_of(*case)) else {
            return Err(format!("{}: not measured beside \\copy", label(*case)).into());
        };
        if floor / seconds < *least {
            return Err(format!(
                "{}: {:.2} of \\copy's speed, at least {least} was asked for",
                label(*case),
                floor / seconds
            )
            .into());
        }
    }
    Ok(())
}

fn samples<'b>(bench: &'b Bench, case: Case) -> impl Iterator<Item = &'b Sample> {
    bench.samples.iter().filter(move |(of, _)| *of == case).map(|(_, sample)| sample)
}

fn label(case: Case) -> &'static str {
    match case {
        Case::Copy => "psql \\copy, CSV",
        Case::First => "first load, NDJSON",
        Case::Same => "same again",
        Case::Nothing => "nothing new",
        Case::Changed => "1 % changed",
        Case::Bad => "first load, 1 % bad",
        Case::Csv => "first load, CSV",
        Case::Rows => "first load, rows",
        Case::CsvRows => "first load, rows of CSV",
        Case::Meta => "first load, with meta",
        Case::Small => "files of one record",
        Case::Open => "first load, one open",
        Case::Big | Case::Memory | Case::Http | Case::Budget | Case::Age => "",
    }
}

/// The middle of the numbers, `None` if there are none.
pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        length if length % 2 == 1 => Some(numbers[half]),
        _ => Some((numbers[half - 1] + numbers[half]) / 2.0),
    }
}

fn shown(number: Option<f64>) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.1}"))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

/// Columns of equal width; the first to the left, the others to the right.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| match column {
                0 => format!("{cell:<width$}", width = width(0)),
                _ => format!("{cell:>width$}", width = width(column)),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
