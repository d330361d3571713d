//! Bodies other than one JSON document, encodings, and records that are no sound JSON.

use serde_json::json;

use super::support::{WIDE, in_turn, page, read, read_in_pieces, read_with, settings};
use crate::sources::file::support::{gzip, zstd};
use crate::support::web::{Answer, Framing, Web};

#[test]
fn payloads_are_the_bytes_of_the_source() {
    let records = [
        "{\"n\": 1.50, \"big\":12345678901234567890123}",
        "{ \"a\" :\"\\u00e9\" , \"a\":2}",
        "1e400",
        "null",
        "[1 ,2]",
        "\"x\"",
    ];
    let web = in_turn(vec![page(&records.join(" ,\n"))]);
    assert_eq!(read(&settings(&web.url, json!({}))).ok().payloads(), records);
}

#[test]
fn a_bad_record_spoils_itself_and_not_its_page() {
    let mut body = b"{\"data\": [{\"a\": 1}, {\"b\": \"".to_vec();
    body.extend([0xff, 0xfe]);
    body.extend(b"\"}, {\"c\": NaN}, {\"d\": 4}]}");
    let web = in_turn(vec![Answer::json(body)]);
    let run = read(&settings(&web.url, json!({}))).ok();
    assert_eq!(run.payloads(), ["{\"a\": 1}", "{\"c\": NaN}", "{\"d\": 4}"]);
    assert_eq!(run.records[1].fault.as_ref().unwrap().0, "22021");
    assert_eq!(run.records[1].payload, b"{\"b\": \"\xff\xfe\"}");
}

#[test]
fn records_stand_where_the_pointer_leads() {
    for (pointer, body) in [
        ("", "[1, 2]"),
        ("", "\u{feff} [1,2] \n"),
        ("/a/b", "{\"x\": [9], \"a\": {\"b\": [1,2]}}"),
        ("/0/rows", "[{\"rows\": [1,2]}, {\"rows\": [9]}]"),
        ("/a~1b", "{\"a/b\": [1,2], \"a\": 9}"),
    ] {
        let web = in_turn(vec![Answer::json(body)]);
        assert_eq!(
            read(&settings(&web.url, json!({"records": pointer}))).ok().payloads(),
            ["1", "2"],
            "{body}"
        );
    }
}

#[test]
fn lines_and_rows_are_records_too() {
    let ndjson = "{\"i\": 1}\r\n\n{\"i\": 2}\nbroken\n{\"i\": 4}";
    let csv = "\u{feff}i,t\n1,\"a\nb\"\n2\n3,NA\n";
    for (format, body, payloads) in [
        ("ndjson", ndjson, vec!["{\"i\": 1}", "{\"i\": 2}", "broken", "{\"i\": 4}"]),
        ("csv", csv, vec![r#"{"i":"1","t":"a\nb"}"#, r#"{"i":"3","t":null}"#]),
    ] {
        let web = in_turn(vec![Answer::json(body)]);
        let mut source = json!({"kind": "http", "url": web.url, "format": format});
        if format == "csv" {
            source["null_string"] = json!("NA");
        }
        let run = read(&source).ok();
        assert_eq!(run.payloads(), payloads, "{format}");
        assert_eq!(
            run.records.iter().filter(|r| r.fault.is_some()).count(),
            usize::from(format == "csv")
        );
        for n in 1..=5 {
            assert_eq!(read_in_pieces(&source, n).unwrap(), run.records, "{format} by {n}");
        }
    }
}

#[test]
fn lines_are_paged_by_number_offset_or_header() {
    let web = Web::serve(|request| {
        match (request.path.as_str(), request.param("page").or(request.param("offset"))) {
            ("/page", Some("1")) | ("/offset", Some("0")) => Answer::json("i\n1\n2\n"),
            ("/page", Some("2")) | ("/offset", Some("2")) => Answer::json("i\n3\n"),
            ("/link", None) => Answer::json("i\n1\n2\n").header("Link", "</link?page=2>; rel=next"),
            ("/link", _) => Answer::json("i\n3\n"),
            _ => Answer::json("i\n"),
        }
    });
    for (path, paging) in [
        ("/page", json!({"model": "page_number", "param": "page"})),
        ("/offset", json!({"model": "offset", "param": "offset", "size_param": "n", "size": 2})),
        ("/link", json!({"model": "link_header", "rel": "next"})),
    ] {
        let source = json!({"kind": "http", "url": format!("{}{path}", web.url), "format": "csv", "paging": paging});
        assert_eq!(
            read(&source).ok().payloads(),
            [r#"{"i":"1"}"#, r#"{"i":"2"}"#, r#"{"i":"3"}"#],
            "{path}"
        );
    }
}

#[test]
fn lines_without_length_need_an_end() {
    let whole = Answer::json("{\"i\": 1}\n{\"i\": 2}\n");
    let read = |format: &str, answers: Vec<Answer>| {
        let web = in_turn(answers);
        read_with(&json!({"kind": "http", "url": web.url, "format": format}), None, WIDE, 2)
    };
    assert_eq!(read("ndjson", vec![whole.clone().framed(Framing::Close)]).ok().payloads().len(), 2);
    let run = read("ndjson", vec![whole.clone().framed(Framing::CutClose(14)), whole.clone()]).ok();
    assert_eq!((run.payloads().len(), run.retried()), (2, 1));
    let run = read("ndjson", vec![whole.clone().framed(Framing::CutClose(14))]);
    assert!(
        run.error_text().contains("may be cut: it has neither a length nor an end"),
        "{}",
        run.error_text()
    );
    let run = read("csv", vec![Answer::json("i\n1\n").framed(Framing::Close)]);
    assert!(
        run.error_text().contains("let the server send Content-Length or chunks"),
        "{}",
        run.error_text()
    );
    let packed = Answer { body: gzip(b"i\n1\n"), ..whole }
        .header("Content-Encoding", "gzip")
        .framed(Framing::Close);
    assert_eq!(
        read("csv", vec![packed]).ok().payloads(),
        [r#"{"i":"1"}"#],
        "a gzip stream shows its own end"
    );
}

#[test]
fn compressed_bodies_are_read_to_their_last_member() {
    let body = page("1, 2, 3").body;
    let members: Vec<u8> = body.chunks(5).flat_map(gzip).collect();
    for (encoding, packed) in [("gzip", gzip(&body)), ("gzip", members), ("zstd", zstd(&body))] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            let answer =
                Answer::json(packed.clone()).header("Content-Encoding", encoding).framed(framing);
            let web = in_turn(vec![answer]);
            assert_eq!(
                read(&settings(&web.url, json!({}))).ok().payloads(),
                ["1", "2", "3"],
                "{encoding}"
            );
        }
    }
    let web = in_turn(vec![Answer::json(body).header("Content-Encoding", "deflate")]);
    let text = read(&settings(&web.url, json!({}))).error_text();
    assert!(
        text.contains(
            "is encoded as `deflate`\n  next:  let the server send one of gzip, br, zstd"
        ),
        "{text}"
    );
}

#[test]
fn rows_in_another_encoding_are_read_if_it_is_set() {
    let body = b"id,name\n1,K\xe4se\n2,f\x81r\n";
    let more = json!({"format": "csv", "records": null, "encoding": "windows-1252"});
    let web = in_turn(vec![Answer::json(body.to_vec())]);
    let run = read(&settings(&web.url, more)).ok();
    assert_eq!(run.payloads(), ["{\"id\":\"1\",\"name\":\"K\u{e4}se\"}"]);
    assert_eq!(run.records[1].payload, b"2,f\x81r");
}

#[test]
fn a_page_whose_header_lacks_a_column_is_refused() {
    let web = in_turn(vec![Answer::json("id,name\n1,a\n")]);
    let more = json!({"format": "csv", "records": null, "require": ["id", "city"]});
    let run = read(&settings(&web.url, more));
    assert_eq!(run.records, []);
    let told = run.error_text();
    assert!(
        told.contains("the header in line 1 lacks `city`, which `require` names; it has: id, name"),
        "{told}"
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_its_line_and_not_the_rest_of_the_page() {
    let web = in_turn(vec![Answer::json("id,name\n1,\"a\n2,b\n3,c\n")]);
    let run = read(&settings(&web.url, json!({"format": "csv", "records": null}))).ok();
    assert_eq!(run.payloads(), ["{\"id\":\"2\",\"name\":\"b\"}", "{\"id\":\"3\",\"name\":\"c\"}"]);
    assert_eq!(run.records[0].payload, b"1,\"a");
}

#[test]
fn what_a_page_is_packed_or_written_in_is_told() {
    let csv = json!({"format": "csv", "records": null});
    let web = in_turn(vec![Answer::json(gzip(b"id\n1\n"))]);
    let text = read(&settings(&web.url, csv.clone())).error_text();
    assert!(text.contains("is compressed by gzip"), "{text}");
    let web = in_turn(vec![Answer::json(b"id,name\n1,K\xe4se\n".to_vec())]);
    let run = read(&settings(&web.url, csv.clone())).ok();
    assert!(run.remarks[0].contains("encoding => 'windows-1252'"), "{:?}", run.remarks);
    let units = "\u{feff}id,name\n1,K\u{e4}se\n".encode_utf16();
    let body: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let web = in_turn(vec![Answer::json(body)]);
    let run = read(&settings(&web.url, csv)).ok();
    assert_eq!(run.payloads(), ["{\"id\":\"1\",\"name\":\"K\u{e4}se\"}"]);
}
