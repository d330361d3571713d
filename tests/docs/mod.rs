//! What README.md and docs/ tell is run: the commands, the SQL, and the output shown.
//!
//! Each page is one user's session, with a folder and a database of its own. Its fenced blocks
//! are taken in order:
//!
//! - `LANG file=PATH` is written to PATH in the folder.
//! - `LANG object=KEY` is put under KEY into the bucket `s3://lake`, which the commands reach.
//! - `sql run` is run on the database; `sql run fails=SL005` has to fail with that SQLSTATE.
//! - `console`: a line that begins with `$ ` is run in the folder by sh, with `sluice` in the
//!   path and the database in DATABASE_URL. It has to exit with 0, or with N where the line
//!   ends in `# exit N`. The lines below it are what it prints; `...` stands for anything,
//!   in a line or for lines. Seconds may differ. Without such lines anything may be printed.
//!
//! Behind https://shop.example stands a server of the tests with 250 orders under every paging
//! model (`tests/support/api.rs`), and under `/crm/` one that takes what is sent to it, but for states that it does not know.
//!
//! Other blocks are for reading only.

mod interface;
mod moving;
mod page;
mod stranger;

use page::{Block, Page, Step};

/// One test a page: they run side by side, and a failure names its page.
macro_rules! pages {
    ($($test:ident: $path:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            Page::read($path).play().await;
        })*

        #[test]
        fn every_page_is_played() {
            let mut played = vec![$($path.to_owned()),*];
            played.sort();
            assert_eq!(page::all(), played, "add the page to tests/docs/mod.rs");
        }
    };
}

pages! {
    readme_is_true: "README.md",
    databases_is_true: "docs/databases.md",
    definitions_is_true: "docs/definitions.md",
    delivery_is_true: "docs/delivery.md",
    distributed_is_true: "docs/distributed.md",
    exactly_once_is_true: "docs/exactly-once.md",
    http_is_true: "docs/http.md",
    init_is_true: "docs/init.md",
    output_is_true: "docs/output.md",
    programs_is_true: "docs/programs.md",
    psql_is_true: "docs/psql.md",
    retention_is_true: "docs/retention.md",
    runbook_is_true: "docs/runbook.md",
    running_is_true: "docs/running.md",
    sources_is_true: "docs/sources.md",
    targets_is_true: "docs/targets.md",
    trust_is_true: "docs/trust.md",
    transforms_is_true: "docs/transforms.md",
}

#[test]
fn blocks_are_told_apart() {
    let text = "text\n```sql run\nselect 1\n```\n```csv file=drop/a.csv\nid\n```\n\
        ```console\n$ sluice status\nnothing ...\n$ sluice run x # exit 2\n```\n```sh\nrm -rf\n```\n";
    let blocks: Vec<Block> = page::blocks(text);
    assert_eq!(blocks.iter().map(|block| block.line).collect::<Vec<_>>(), [2, 5, 8]);
    assert_eq!(
        blocks.into_iter().map(|block| block.step).collect::<Vec<_>>(),
        [
            Step::Sql { text: "select 1\n".into(), fails: None },
            Step::File { path: "drop/a.csv".into(), text: "id\n".into() },
            Step::Console {
                text: "$ sluice status\nnothing ...\n$ sluice run x # exit 2\n".into()
            },
        ]
    );
}

#[test]
fn shown_output_is_compared_with_the_real_one() {
    let real = "a ok rows=3 seconds=0.4 run=1\nb\nc\n";
    for shown in [
        "a ok rows=3 seconds=9.1 run=1\nb\nc\n",
        "a ok ...run=1\n...\nc",
        "...\nc",
        "a ...\n...",
        "",
    ] {
        assert!(page::is_shown(shown, real), "{shown}");
    }
    for shown in ["a ok rows=4 seconds=0.4 run=1\nb\nc", "a ...\nb", "b", "...\nb", "...\nd\n..."] {
        assert!(!page::is_shown(shown, real), "{shown}");
    }
}
