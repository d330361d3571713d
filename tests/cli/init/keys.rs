//! The key: found, or asked for.

use super::Desk;

#[tokio::test]
async fn the_key_is_the_one_column_that_is_named_like_one_and_unique() {
    let desk = Desk::new().await;
    for (file, content, key) in [
        ("orders.csv", "customer_id,order_id\n1,7\n1,8\n", "{order_id}"),
        ("items.csv", "n,id\n1,7\n2,8\n", "{id}"),
        (
            "customers.ndjson",
            "{\"name\": \"a\", \"_id\": \"x1\"}\n{\"name\": \"a\", \"_id\": \"x2\"}\n",
            "{id}",
        ),
        ("carriers.csv", "name,iata_code\na,AA\nb,BB\n", "{iata_code}"),
        ("one.csv", "id,other_id\n1,2\n", "{id}"),
    ] {
        desk.write(file, content);
        let text = desk.init(&[file]);
        assert!(text.contains(&format!("key       => '{key}'")), "{file}\n{text}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_told_is_asked_for_with_what_there_is_to_choose_from() {
    let desk = Desk::new().await;
    desk.write("log.csv", "word,line,n\na,1,1\na,2,1\n");
    let refusal = desk.refusal(&["log.csv"]);
    assert!(
        refusal.contains("no key can be told from the first 2 records of log.csv")
            && refusal.contains("unique there: line")
            && refusal.contains("--key line"),
        "{refusal}"
    );
    desk.write("links.csv", "n,left_id,right_id\n1,1,1\n1,2,2\n");
    assert!(desk.refusal(&["links.csv"]).contains("unique there: left_id, right_id"));
    desk.write("same.csv", "a,b\n1,1\n1,1\n");
    assert!(desk.refusal(&["same.csv"]).contains("no column has a value of its own"));
}

#[tokio::test]
async fn a_key_that_is_given_must_be_there_in_every_record() {
    let desk = Desk::new().await;
    desk.write("a.ndjson", "{\"at\": {\"Shop\": 1}, \"n\": 1, \"l\": [1]}\n{\"at\": {\"Shop\": 1}, \"n\": 2, \"l\": []}\n{\"at\": {\"Shop\": 2}, \"n\": null, \"l\": []}\n");
    let (text, _) = {
        desk.write(
            "b.ndjson",
            "{\"at\": {\"Shop\": 1}, \"n\": 1}\n{\"at\": {\"Shop\": 1}, \"n\": 2}\n",
        );
        desk.all(&["b.ndjson", "--key", "at.Shop,n"], "b")
    };
    assert!(
        text.contains("primary key (at_shop, n)") && text.contains("key       => '{at_shop,n}'"),
        "{text}"
    );
    assert!(desk.refusal(&["a.ndjson", "--key", "x"]).contains("choose among at_shop, n, l"));
    assert!(desk.refusal(&["a.ndjson", "--key", "n"]).contains("have no value there"));
    assert!(desk.refusal(&["a.ndjson", "--key", "l"]).contains("is not a single value"));
}

#[tokio::test]
async fn the_time_of_a_change_keeps_older_records_from_overwriting_newer_ones() {
    let desk = Desk::new().await;
    desk.write("a.csv", "id,updatedAt\n1,2026-01-02T00:00:00Z\n2,2026-01-01T00:00:00Z\n");
    let (text, _) = desk.all(&["a.csv"], "a");
    assert!(text.contains("order_by  => 'updated_at'"), "{text}");
    desk.write("b.csv", "id,updatedAt\n1,2026-01-02T00:00:00Z\n2,\n");
    assert!(!desk.init(&["b.csv"]).contains("order_by"));
}

#[tokio::test]
async fn a_key_that_is_given_and_repeats_in_the_sample_is_used_with_a_word() {
    let desk = Desk::new().await;
    desk.write("log.csv", "host,line\na,1\na,2\nb,1\n");
    let text = desk.init(&["log.csv", "--key", "host"]);
    let choice = "-- choose: key: \"host\" is not another one in each of the first 3 records";
    assert!(text.contains("key       => '{host}'") && text.contains(choice), "{text}");
    assert!(!desk.init(&["log.csv", "--key", "host,line"]).contains("choose: key"));
    // Of versions of a record the newest is meant to stay.
    desk.write("hosts.csv", "host,updated_at\na,2026-01-01T00:00:00Z\na,2026-01-02T00:00:00Z\n");
    assert!(!desk.init(&["hosts.csv", "--key", "host"]).contains("choose: key"));
}

#[tokio::test]
async fn a_key_is_the_field_of_that_name_before_the_column_that_another_became() {
    let desk = Desk::new().await;
    desk.write("items.csv", "Id,id\nx,1\nx,2\n");
    let text = desk.init(&["items.csv", "--key", "id"]);
    assert!(text.contains("key       => '{id_2}'"), "{text}");
}
