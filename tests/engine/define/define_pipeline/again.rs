//! A definition that is applied again, as every deploy does.

use super::*;

const V2: &str =
    "create or replace function shop.items_v2(doc jsonb) returns table (id bigint, name text)
     language sql stable as $$ select (doc->>'id')::bigint, upper(doc->>'name') $$;";

/// Two versions, defined one after the other.
async fn two_versions() -> TestDb {
    let db = shop().await;
    db.execute(V2).await;
    db.execute(&first(&[])).await;
    db.execute(&second(&[])).await;
    db
}

fn first(options: &[(&str, &str)]) -> String {
    definition(&[&[("max_bad_ratio", "0.5")], options].concat())
}

fn second(options: &[(&str, &str)]) -> String {
    let own = [("version", "2"), ("transform", "'shop.items_v2'"), ("retain_raw", "'7 days'")];
    definition(&[&own, options].concat())
}

/// What the definition made, but for when.
async fn state(db: &TestDb) -> String {
    db.value(
        "select (select jsonb_agg(to_jsonb(p) - 'updated_at') from sluice.pipelines p),
           (select jsonb_agg(to_jsonb(t) order by version) from sluice.transforms t), (select count(*) from sluice.activations)",
    )
    .await
}

#[tokio::test]
async fn versions_applied_again_activate_nothing_and_set_nothing() {
    let db = two_versions().await;
    let before = state(&db).await;
    for (sql, said) in [
        (first(&[]), "pipeline items: shop.items, version 2 active"),
        (second(&[]), "pipeline items: shop.items, version 2 active"),
    ] {
        assert_eq!(db.value(&sql).await, said);
    }
    assert_eq!(state(&db).await, before);
    assert_eq!(
        db.value("select max_bad_ratio, retain_raw from sluice.pipelines").await,
        "0.5|7 days"
    );
}

#[tokio::test]
async fn a_rollback_by_hand_survives_a_deploy_and_is_named() {
    let db = two_versions().await;
    db.execute("select sluice.activate_version('items', 1)").await;
    assert_eq!(db.value(&first(&[])).await, "pipeline items: shop.items, version 1 active");
    let said = db.value(&second(&[])).await;
    let by = db
        .value("select activated_by from sluice.activations order by activation_id desc limit 1")
        .await;
    assert!(
        said.starts_with(&format!("pipeline items: shop.items, version 1 active; version 1 stays active: activated by {by} on 20")),
        "{said}"
    );
    // The next version is the way out.
    db.execute(&V2.replace("items_v2", "items_v3")).await;
    assert_eq!(
        db.value(&definition(&[("version", "3"), ("transform", "'shop.items_v3'")])).await,
        "pipeline items: shop.items, version 1 → 3 active"
    );
}

#[tokio::test]
async fn what_was_set_by_hand_stays_and_is_named() {
    let db = two_versions().await;
    assert_eq!(
        db.value("select sluice.set_policy('items', 'retain_raw', '30 days')").await,
        "pipeline items: retain_raw 7 days → 30 days"
    );
    assert_eq!(
        db.value(&second(&[])).await,
        "pipeline items: shop.items, version 2 active; retain_raw stays 30 days, set elsewhere (the definition says 7 days)"
    );
    // What the file says anew is the newer word.
    assert_eq!(
        db.value(&second(&[("retain_raw", "'9 days'"), ("max_bad_ratio", "0.2")])).await,
        "pipeline items: shop.items, version 2 active; max_bad_ratio 0.5 → 0.2, retain_raw 30 days → 9 days"
    );
}

#[tokio::test]
async fn what_is_left_out_keeps_its_value_and_retention_ends_by_a_word() {
    let db = two_versions().await;
    assert_eq!(
        db.value(&definition(&[("version", "2"), ("transform", "'shop.items_v2'")])).await,
        "pipeline items: shop.items, version 2 active"
    );
    assert_eq!(
        db.value("select retain_raw, max_bad_ratio from sluice.pipelines").await,
        "7 days|0.5"
    );
    assert_eq!(
        db.value(&second(&[("retain_raw", "'0'")])).await,
        "pipeline items: shop.items, version 2 active; retain_raw 7 days → none"
    );
    assert_eq!(db.value("select retain_raw is null from sluice.pipelines").await, "t");
}

#[tokio::test]
async fn a_change_of_the_source_is_told_setting_by_setting() {
    let db = two_versions().await;
    assert_eq!(
        db.value(&second(&[("source", "sluice.file_source(path => 'drop', settle_seconds => 5)")]))
            .await,
        r#"pipeline items: shop.items, version 2 active; source path "-" → "drop", source settle_seconds none → 5"#
    );
}

#[tokio::test]
async fn an_old_version_need_not_fit_the_target_any_more() {
    let db = two_versions().await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    db.execute(
        "create function shop.items_v3(doc jsonb) returns table (id bigint, title text) language sql stable as $$
           select (doc->>'id')::bigint, doc->>'name' $$;
         alter table shop.items rename name to title;",
    )
    .await;
    let third = definition(&[("version", "3"), ("transform", "'shop.items_v3'")]);
    db.execute(&third).await;
    for sql in [first(&[]), second(&[]), third] {
        assert_eq!(db.value(&sql).await, "pipeline items: shop.items, version 3 active");
    }
}

#[tokio::test]
async fn a_candidate_is_activated_by_the_definition_that_says_so() {
    let db = shop().await;
    db.execute(V2).await;
    db.execute(&first(&[])).await;
    let waits = "pipeline items: shop.items, version 1 active, version 2 a candidate; retain_raw none → 7 days";
    assert_eq!(db.value(&second(&[("activate", "false")])).await, waits);
    assert_eq!(
        db.value(&second(&[("activate", "false")])).await,
        "pipeline items: shop.items, version 1 active, version 2 a candidate"
    );
    assert_eq!(db.value(&second(&[])).await, "pipeline items: shop.items, version 1 → 2 active");
}

#[tokio::test]
async fn a_definition_holds_up_no_batch() {
    let db = shop().await;
    db.execute(&first(&[])).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let open = db.connect().await;
    open.batch_execute(&format!("begin; {}", first(&[("max_bad_ratio", "1")]))).await.unwrap();
    hand.session.batch_execute("set lock_timeout = '10s'").await.unwrap();
    assert_eq!(
        hand.load(&[r#"{"id": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 inserted=1"
    );
    open.batch_execute("commit").await.unwrap();
}

#[tokio::test]
async fn operators_and_functions_of_others_are_not_called() {
    let db = shop().await;
    let mut traps = String::from(
        "create function public.trap(numeric, integer) returns boolean language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.trap(text, text) returns boolean language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.trap(integer, integer) returns boolean language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.jsonb_build_object(text, numeric) returns jsonb language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.to_regclass(text) returns regclass language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.current_setting(text) returns text language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create function public.concat(text, text) returns text language plpgsql as $$ begin raise exception 'trapped'; end $$;
         create operator public.|| (leftarg = text, rightarg = text, function = public.concat);",
    );
    for operator in ["<", ">", "<=", ">=", "="] {
        for (left, right) in [("numeric", "integer"), ("text", "text"), ("integer", "integer")] {
            traps += &format!(
                "create operator public.{operator} (leftarg = {left}, rightarg = {right}, function = public.trap);"
            );
        }
    }
    db.execute(&traps).await;
    for path in ["public", "public, pg_catalog"] {
        for sql in [first(&[]), first(&[("missing", "'delete'"), ("order_by", "'id'")])] {
            db.execute(&format!("set search_path = {path}; {sql}")).await;
        }
    }
}

#[tokio::test]
async fn definitions_from_before_they_were_kept_say_everything_anew_but_activate_nothing() {
    let db = two_versions().await;
    db.execute("update sluice.transforms set definition = null; select sluice.activate_version('items', 1)")
        .await;
    db.execute("select sluice.set_policy('items', 'retain_raw', '30 days')").await;
    assert_eq!(db.value(&first(&[])).await, "pipeline items: shop.items, version 1 active");
    let said = db.value(&second(&[])).await;
    assert!(
        said.contains("version 1 stays active") && said.ends_with("retain_raw 30 days → 7 days"),
        "{said}"
    );
    assert_eq!(db.value(&second(&[])).await.split("; ").count(), 2, "and is kept from then on");
}

#[tokio::test]
async fn a_definition_that_is_not_committed_yet_holds_up_no_batch() {
    let db = two_versions().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    let apply = db.connect().await;
    for statement in ["begin", &first(&[]), &second(&[("max_bad_ratio", "0.7")])] {
        apply.batch_execute(statement).await.unwrap();
    }
    let limit = "set lock_timeout = '10s'";
    hand.session.batch_execute(limit).await.unwrap();
    hand.load(&[r#"{"id": 1, "name": "b"}"#]).await;
    assert_eq!(db.value("select name from shop.items").await, "B");
    apply.batch_execute("commit").await.unwrap();
}
