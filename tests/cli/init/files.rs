//! Files of many shapes.

use super::Desk;

/// A file, the columns it should get, and what one row of it should be, joined by `|`.
struct Shape {
    file: &'static str,
    content: &'static [u8],
    args: &'static [&'static str],
    columns: &'static str,
    row: &'static str,
}

const SHAPES: &[Shape] = &[
    Shape {
        file: "plain.csv",
        content: b"id,zip,amount,day,at,open,name,code\n1,01067,12.50,2026-01-02,2026-01-02T03:04:05Z,true, x ,7\n\
            2,10115,3,2026-01-03,2026-01-02 03:04:05+02,false,,12\n",
        args: &[],
        columns: "id bigint, zip text, amount numeric, day date, at timestamp with time zone, open boolean, name text, code text",
        row: "1|01067|12.50|2026-01-02|2026-01-02 03:04:05+00|t| x |7",
    },
    Shape {
        file: "semicolon.csv",
        content: "id;preis;größe;order\r\n1;12,50;\"a;b\r\nc\";first\r\n2;1.234,00;d;second\r\n".as_bytes(),
        args: &[],
        columns: "id bigint, preis text, größe text, order text",
        row: "1|12,50|a;b\r\nc|first",
    },
    // As Excel writes it in Western Europe, and nothing but the header, or the first record, shows it.
    Shape {
        file: "umlaut.csv",
        content: b"id;stra\xdfe;wert\n1;Hof;5\n2;Ulm;7\n3;Hof;9\n4;Ulm;5\n5;z;6\n",
        args: &[],
        columns: "id bigint, straße text, wert bigint",
        row: "1|Hof|5",
    },
    Shape {
        file: "first.csv",
        content: b"id,stadt,wert\n1,K\xf6ln,5\n2,Ulm,7\n3,Hof,9\n4,Ulm,5\n5,z,6\n",
        args: &[],
        columns: "id bigint, stadt text, wert bigint",
        row: "1|Köln|5",
    },
    Shape {
        file: "tabs.csv",
        content: b"\xef\xbb\xbfid\tname\n1\ta,b\n2\tc,d\n",
        args: &[],
        columns: "id bigint, name text",
        row: "1|a,b",
    },
    Shape {
        file: "pipes.txt",
        content: b"id|name\n1|a\n2|b\n",
        args: &[],
        columns: "id bigint, name text",
        row: "1|a",
    },
    Shape {
        file: "words.tsv",
        content: b"uuid\tword\na0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\tx\na0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12\ty\n",
        args: &[],
        columns: "uuid uuid, word text",
        row: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|x",
    },
    Shape {
        file: "bare.csv",
        content: b"1,Ann,2026-01-02\n2,Bob,2026-01-03\n3,Cleo,2026-01-04\n",
        args: &["--key", "column_1"],
        columns: "column_1 bigint, column_2 text, column_3 date",
        row: "1|Ann|2026-01-02",
    },
    // As MySQL and Hive write quotes.
    Shape {
        file: "escaped.csv",
        content: br#"id,said,n
1,"say \"hi\", then go",2
2,"a \\ b",3
"#,
        args: &[],
        columns: "id bigint, said text, n bigint",
        row: r#"1|say "hi", then go|2"#,
    },
    Shape {
        file: "twice.csv",
        content: b"id,name,name,\n1,a,b,c\n2,d,e,f\n",
        args: &[],
        columns: "id bigint, name text, name_2 text, column_4 text",
        row: "1|a|b|c",
    },
    Shape {
        file: "titled.csv",
        content: b"Report of all orders\n\nid,amount,Order Date (UTC)\n1,2.5,2026-01-02\n2,3.5,2026-01-03\n",
        args: &[],
        columns: "id bigint, amount numeric, order_date_utc date",
        row: "1|2.5|2026-01-02",
    },
    Shape {
        file: "excel.csv",
        content: b"sep=;\r\nid;name\r\n1;a\r\n2;b\r\n",
        args: &[],
        columns: "id bigint, name text",
        row: "1|a",
    },
    Shape {
        file: "na.csv",
        content: b"id,height,note\n1,NA,NA\n2,12,x\n3,,NA\n",
        args: &[],
        columns: "id bigint, height bigint, note text",
        row: "1|-|NA",
    },
    Shape {
        file: "lone.csv",
        content: b"name\na\nb\n",
        args: &["--key", "name"],
        columns: "name text",
        row: "a",
    },
    Shape {
        file: "mixed.csv",
        content: b"id,when,exact,yes\n1,2026-01-02,1e5,yes\n2,2026-01-02T03:04:05Z,2.5,no\n",
        args: &[],
        columns: "id bigint, when text, exact text, yes text",
        row: "1|2026-01-02|1e5|yes",
    },
    Shape {
        file: "odd names.csv",
        content: b"it's,a\"b,c\\d,e$$f,select,xmin\n1,2,3,4,5,6\n7,8,9,10,11,12\n",
        args: &["--key", "it's"],
        columns: "it_s bigint, a_b bigint, c_d bigint, e_f bigint, select bigint, xmin_ bigint",
        row: "1|2|3|4|5|6",
    },
    Shape {
        file: "nested.ndjson",
        content: br#"{"id": 1, "customer": {"id": 7, "address": {"zip": "01067"}}, "tags": ["a"], "more": null, "n": 1e3, "big": 123456789012345678901234567890, "any": 1, "none": null, "digits": "12"}
{"id": 2, "customer": {"id": 8, "address": {"zip": "10115"}}, "tags": [], "more": [1], "n": 0.10, "big": 1, "any": {"a": 1}, "none": null, "digits": "13"}
"#,
        args: &[],
        columns: "id bigint, customer_id bigint, customer_address_zip text, tags jsonb, more jsonb, n numeric, big numeric, any jsonb, none text, digits text",
        row: "1|7|01067|[\"a\"]|-|1000|123456789012345678901234567890|1|-|12",
    },
    Shape {
        file: "kept.ndjson",
        content: b"{\"id\": 1, \"customer\": {\"id\": 7.50}}\n{\"id\": 2, \"customer\": {\"id\": 8}}\n",
        args: &["--nested", "keep"],
        columns: "id bigint, customer jsonb",
        row: "1|{\"id\": 7.50}",
    },
    Shape {
        file: "array.json",
        content: br#"[{"userId": 1, "Active": true, "at": "2026-01-02T03:04:05.123456+05:30", "local": "2026-01-02 03:04"}, {"userId": 2, "Active": false, "at": "2026-01-02T03:04:05Z", "local": "2026-01-02T03:04:05"}]"#,
        args: &["--name", "users"],
        columns: "user_id bigint, active boolean, at timestamp with time zone, local timestamp without time zone",
        row: "1|t|2026-01-01 21:34:05.123456+00|2026-01-02 03:04:00",
    },
    Shape {
        file: "latin.csv",
        content: b"id;Gr\xf6\xdfe\n1;s\xfc\xdf\n2;wei\xdf\n",
        args: &[],
        columns: "id bigint, größe text",
        row: "1|süß",
    },
    Shape {
        file: "marked.csv",
        content: b"\xff\xfei\0d\0,\0n\0\n\0\x31\0,\0a\0\n\0",
        args: &[],
        columns: "id bigint, n text",
        row: "1|a",
    },
    Shape {
        file: "unmarked.csv",
        content: b"i\0d\0,\0n\0\n\0\x31\0,\0a\0\n\0",
        args: &[],
        columns: "id bigint, n text",
        row: "1|a",
    },
    Shape {
        file: "document.json",
        content: br#"{"made": "2026-01-02", "items": [{"id": 1, "n": 0.50}, {"id": 2, "n": 1}]}"#,
        args: &[],
        columns: "id bigint, n numeric",
        row: "1|0.50",
    },
    Shape {
        file: "keys.ndjson",
        content: br#"{"a b": {"c\"d": 1, "e,{f}": "x", "g'h\\i": 2}, "id": 5}
{"a b": {"c\"d": 2, "e,{f}": "y", "g'h\\i": 3}, "id": 6}
"#,
        args: &[],
        columns: "a_b_c_d bigint, a_b_e_f text, a_b_g_h_i bigint, id bigint",
        row: "1|x|2|5",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_shape_are_loaded_as_they_are() {
    let desk = Desk::new().await;
    for shape in SHAPES {
        desk.write(shape.file, shape.content);
        let pipeline = match shape.args {
            ["--name", name, ..] => (*name).to_owned(),
            _ => shape.file.split('.').next().unwrap().replace(' ', "_"),
        };
        let args = [&[shape.file], shape.args].concat();
        let (text, _) = desk.all(&args, &pipeline);
        assert_eq!(desk.columns(&pipeline).await, shape.columns, "{text}");
        let names: Vec<String> = shape
            .columns
            .split(", ")
            .map(|column| format!("\"{}\"", column.split(' ').next().unwrap()))
            .collect();
        let sql = format!(
            "set timezone = 'UTC'; select {} from {pipeline} order by 1, {} limit 1",
            names.join(", "),
            names.last().unwrap()
        );
        assert_eq!(desk.rows(&sql).await, [shape.row], "{text}");
    }
}

/// Few lines, and one of them is bad: those above it are no titles.
#[tokio::test]
async fn a_bad_line_near_the_top_goes_to_quarantine_alone() {
    let desk = Desk::new().await;
    for (name, content, loaded) in [
        ("short", "id,name,v\n1,a\n2,b,3\n3,c,4\n4,d,5\n", ["2", "3", "4"].as_slice()),
        ("open", "id,name\n1,\"a\n2,b\n3,c\n", &["2", "3"]),
        ("stray", "id,name\n1,a\n2,\"12\" pipe\n3,c\n", &["1", "3"]),
    ] {
        desk.write(&format!("{name}.csv"), content);
        let text = desk.init(&[&format!("{name}.csv")]);
        assert!(
            text.contains("-- choose: 1 of the records looked at will be quarantined: "),
            "{text}"
        );
        let source = format!("sluice.file_source(path => '{name}.csv'));");
        assert!(text.contains(&source), "{text}");
        desk.write("pipeline.sql", &text);
        desk.sluice(&["apply", "pipeline.sql"]).exits(0);
        let run = desk.sluice(&["run", name, "--max-bad-ratio", "1"]).exits(0);
        assert_eq!(run.summary().count("quarantined"), 1, "{text}");
        assert_eq!(desk.rows(&format!("select id from {name} order by 1")).await, loaded);
    }
}

#[tokio::test]
async fn lines_that_are_taken_for_titles_are_quoted() {
    let desk = Desk::new().await;
    desk.write("titled.csv", "Orders, all\n\nMarch\nid,n,at\n1,2,x\n2,3,y\n");
    desk.write("narrow.csv", "id,name\n1,a,x\n2,b,y\n3,c,z\n");
    for (file, key, choice, source) in [
        (
            "titled.csv",
            "id",
            "\"Orders, all\", \"March\"",
            "path => 'titled.csv', skip_lines => 3));",
        ),
        ("narrow.csv", "column_1", "\"id,name\"", "path => 'narrow.csv', skip_lines => 1, header"),
    ] {
        let text = desk.init(&[file, "--key", key]);
        let choice = format!(
            "-- choose: skip_lines, if these are no titles, which are left out: {choice}\n"
        );
        assert!(text.contains(&choice) && text.contains(source), "{text}");
    }
    // Titles are not UTF-8 either.
    desk.write("umsatz.csv", b"Ums\xe4tze\n\nid;b\n1;a\n2;b\n3;c\n");
    let text = desk.init(&["umsatz.csv"]);
    assert!(text.contains("\"Umsätze\"") && text.contains("encoding => 'windows-1252'"), "{text}");
}

/// A wrong delimiter would hide it.
#[tokio::test]
async fn quotes_that_make_no_sense_are_said_soon() {
    let desk = Desk::new().await;
    let rows: String = (0..200).map(|n| format!("{n},\"12\" pipe,5\n")).collect();
    desk.write("bare.csv", &rows);
    desk.write("headed.csv", format!("id,name,size\n{rows}"));
    let noise: Vec<u8> =
        (0..40_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    desk.write("noise.csv", noise);
    let start = std::time::Instant::now();
    for (file, message, next) in [
        (
            "headed.csv",
            "200 records are bad; the first: 22P04 a quote in the row at line 2",
            "quote => ''",
        ),
        ("bare.csv", "the header in line 1 has a quote that is not closed", "quote => ''"),
        ("noise.csv", "is not valid UTF-8", "encoding"),
    ] {
        let refusal = desk.sluice(&["init", file]).stderr;
        assert!(refusal.contains(message) && refusal.contains(next), "{refusal}");
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// What the sample does not show is no reason for a wrong value.
#[tokio::test]
async fn file_of_any_name_gives_a_pipeline_that_runs_as_printed() {
    let desk = Desk::new().await;
    let long = format!("{}.csv", "an_export_that_nobody_has_shortened_".repeat(2));
    for (file, pipeline) in [
        ("Straße 1.csv", "strasse"),
        ("sluice_x.csv", "sluice_x"),
        (long.as_str(), "an_export_that_nobody_has_shortened_an_e"),
    ] {
        desk.write(file, "id,n\n1,2\n");
        let (_, rows) = desk.all(&[file, "--key", "id"], pipeline);
        assert_eq!(rows, 1, "{file}");
    }
}

#[tokio::test]
async fn a_word_behind_the_sample_goes_to_quarantine() {
    let desk = Desk::new().await;
    let mut lines = vec!["id,amount,day".to_owned()];
    lines.extend((1..=10_000).map(|n| format!("{n},{n}.50,2026-01-02")));
    lines.extend([
        "10001,none,2026-01-02".to_owned(),
        "10002,1.50,02.01.2026".to_owned(),
        "10003,1.50,".to_owned(),
    ]);
    desk.write("many.csv", lines.join("\n") + "\n");
    let text = desk.init(&["many.csv"]);
    let summary = desk.load(&text, "many");
    assert_eq!((summary.count("inserted"), summary.count("quarantined")), (10_001, 2), "{text}");
    assert_eq!(
        desk.rows("select position from sluice.quarantine_open_details order by 1").await,
        ["10002", "10003"]
    );
    assert_eq!(desk.rows("select id from many where day is null").await, ["10003"]);
}

#[tokio::test]
async fn what_only_people_can_know_is_marked_in_the_text() {
    let desk = Desk::new().await;
    desk.write(
        "a.csv",
        "id;price;code;when;mostly\n1;12,50;12;2026-01-02;1\n2;3,00;13;2026-01-02T03:04:05Z;x\n"
            .to_owned()
            + &(3..60).map(|n| format!("{n};1,00;{n};2026-01-02;{n}\n")).collect::<String>(),
    );
    let text = desk.init(&["a.csv"]);
    for choice in [
        "-- choose: numeric, once you know what \"12,50\" means",
        "-- choose: bigint, if these are numbers and no codes\n  code text",
        "-- choose: timestamptz, if what has no zone is UTC",
        "-- choose: bigint, if the 1 of 59 records that are none, such as \"x\", are to be quarantined",
    ] {
        assert!(text.contains(choice), "{choice}\n{text}");
    }
    desk.load(&text, "a");
}

#[tokio::test]
async fn drops_in_a_folder_and_what_comes_by_a_pipe_are_looked_at_too() {
    let desk = Desk::new().await;
    desk.write("drop/2026-01.csv", "id;n\n1;a\n");
    desk.write("drop/2026-02.csv", "id;n\n2;b\n");
    let (text, rows) = desk.all(&["drop"], "drop");
    assert!(text.contains("path => 'drop', delimiter => ';'") && rows == 2, "{text}");

    let sluice = || crate::support::Sluice::on(&desk.db).current_dir(desk.path());
    let input = b"id\tname\n1\ta\n2\tb\n";
    let args = ["init", "-", "--name", "piped", "--key", "id"];
    let text = sluice().args(args).run_with_input(input).exits(0).stdout;
    assert!(text.contains("format => 'csv'"), "{text}");
    desk.write("piped.sql", &text);
    desk.sluice(&["apply", "piped.sql"]).exits(0);
    let run = sluice().args(["run", "piped"]).run_with_input(input).exits(0);
    assert_eq!(run.summary().count("inserted"), 2);
}

#[tokio::test]
async fn files_in_which_nothing_can_be_told_are_refused_by_name() {
    let desk = Desk::new().await;
    desk.write("empty.csv", "");
    desk.write("header.csv", "id,name\n");
    desk.write("letter.txt", "Dear all,\nsee you\n");
    assert!(desk.refusal(&["empty.csv"]).contains("there are no records in empty.csv"));
    assert!(desk.refusal(&["header.csv"]).contains("there are no records in header.csv"));
    assert!(desk.refusal(&["letter.txt"]).contains("set `format`, or --format, to ndjson"));
    let text = desk.init(&["letter.txt", "--format", "csv", "--key", "dear_all"]);
    assert!(text.contains("file_source(path => 'letter.txt', format => 'csv'"), "{text}");
    assert!(desk.refusal(&[]).contains("name a file, a folder or a URL"));
    assert!(desk.refusal(&["header.csv", "--table", "a.b.c"]).contains("schema.table"));
}

#[tokio::test]
async fn all_keywords_of_the_server_are_known() {
    let desk = Desk::new().await;
    let known = include_str!("../../../src/cli/init/keywords.txt");
    let known: Vec<&str> = known.split_whitespace().collect();
    let of_server = desk.rows("select word from pg_get_keywords() where catcode <> 'U'").await;
    let missing: Vec<&String> =
        of_server.iter().filter(|word| !known.contains(&&***word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
