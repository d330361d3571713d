//! Pages of 100 records from a local API: does loading keep up with what the API gives?

use crate::Failure;
use crate::cases::{Bench, DATABASE, check_summary};
use crate::orders::Order;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

const PAGE: u64 = 100;

/// Fetches all pages with a client that does nothing else, then loads them.
pub(crate) fn measure(bench: &mut Bench) -> Result<String, Failure> {
    let rows = bench.args.http_rows();
    let address = serve(rows)?;
    eprintln!("http: {} pages of {PAGE} records", rows / PAGE);
    let started = Instant::now();
    let bytes = fetch_all(&address, rows)?;
    let fetched = started.elapsed().as_secs_f64();
    bench.fresh()?;
    let source = format!(
        "sluice.http_source(url => 'http://{address}/orders', records => '/data', paging => sluice.cursor_paging(param => 'after', next => '/next'))"
    );
    bench.cluster.query(
        DATABASE,
        &format!(
            "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'bench.orders_v1', target => 'bench.orders',
               key => '{{order_id}}', order_by => 'updated_at', source => {source})"
        ),
    )?;
    let command: Command = bench.sluice(DATABASE, ["run", "orders"]);
    let (finished, sample) = bench.measure(command, None)?;
    let expected = ["extracted", "transformed", "inserted"].map(|name| (name, rows));
    check_summary(&finished.stdout, &expected)?;
    Ok(format!(
        "http: {rows} records in pages of {PAGE}, {} MB: fetched one page after the other in {fetched:.1} s, loaded in {:.1} s; sluice peaked at {}",
        bytes / 1_000_000,
        sample.seconds,
        sample
            .peak_kib
            .map_or("(unknown)".to_owned(), |kib| format!("{:.1} MB", kib as f64 / 1024.0)),
    ))
}

/// An API that ends with the benchmark.
fn serve(rows: u64) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client goes away when it has all.
            std::thread::spawn(move || answer_all(stream, rows).is_ok());
        }
    });
    Ok(address)
}

fn answer_all(stream: TcpStream, rows: u64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        while input.read_line(&mut String::new())? > 2 {}
        let after = line.split_once("after=").map_or("0", |(_, rest)| rest);
        let digits = after.split(|c: char| !c.is_ascii_digit()).next();
        let start: u64 = digits.and_then(|text| text.parse().ok()).unwrap_or(0);
        let body = page(start, rows)?;
        write!(output, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        output.write_all(&body)?;
    }
}

fn page(start: u64, rows: u64) -> std::io::Result<Vec<u8>> {
    let end = rows.min(start + PAGE);
    let mut body = b"{\"data\": [".to_vec();
    for id in start..end {
        if id > start {
            body.push(b',');
        }
        Order::new(id + 1).write_json(&mut body, None)?;
    }
    match end < rows {
        true => write!(body, "], \"next\": {end}}}")?,
        false => body.extend(b"], \"next\": null}"),
    }
    Ok(body)
}

/// The pace of the API: one connection, one page after the other, nothing done with them.
fn fetch_all(address: &str, rows: u64) -> Result<u64, Failure> {
    let mut output = TcpStream::connect(address)?;
    output.set_nodelay(true)?;
    let mut input = BufReader::new(output.try_clone()?);
    let mut bytes = 0;
    for start in (0..rows).step_by(usize::try_from(PAGE)?) {
        write!(output, "GET /orders?after={start} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if input.read_line(&mut line)? <= 2 {
                break;
            }
            if let Some(text) = line.strip_prefix("Content-Length: ") {
                length = text.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        bytes += length as u64;
    }
    Ok(bytes)
}
