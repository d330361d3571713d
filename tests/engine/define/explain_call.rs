//! Calls that PostgreSQL only calls unknown.

use crate::engine::problem;
use crate::support::TestDb;

async fn explained(db: &TestDb, call: &str) -> String {
    let message = problem(db, call).await.message;
    db.value(&format!(
        "select what, next from sluice.explain_call('{}')",
        message.replace('\'', "''")
    ))
    .await
}

#[tokio::test]
async fn a_misspelt_argument_of_any_function_is_named_with_those_there_are() {
    let db = TestDb::new().await;
    let functions = db
        .rows("select proname, proargnames[1] from pg_proc where pronamespace = 'sluice'::regnamespace and proname not like '\\_%' and pronargs > 0")
        .await;
    assert!(functions.len() > 50, "{}", functions.len());
    for function in functions {
        let (name, argument) = function.split_once('|').unwrap();
        let said = explained(&db, &format!("select sluice.{name}(\"{argument}x\" => 1)")).await;
        let (what, next) = said.split_once('|').unwrap();
        assert_eq!(what, format!("sluice.{name} has no argument {argument}x"));
        assert!(next.starts_with("its arguments are ") && next.contains(argument), "{next}");
        assert!(next.ends_with(&format!("where name = '{name}'")), "{next}");
    }
}

#[tokio::test]
async fn what_is_missing_of_the_wrong_type_or_no_function_is_named() {
    let db = TestDb::new().await;
    for (call, what, next) in [
        (
            "sluice.define_pipeline(name => 'x', version => 1)",
            "sluice.define_pipeline lacks transform, target, key, source",
            "its arguments are name, version, transform, target",
        ),
        (
            "sluice.activate_version('x', 'y'::text)",
            "sluice.activate_version does not take (unknown, text)",
            "its arguments are pipeline text, version integer",
        ),
        (
            "sluice.define_pipelin(name => 'x')",
            "the engine has no function define_pipelin",
            "define_pipeline",
        ),
        ("sluice._lock_clas('x')", "the engine has no function _lock_clas", "define_pipeline"),
    ] {
        let said = explained(&db, &format!("select {call}")).await;
        let (told, steps) = said.split_once('|').unwrap();
        assert_eq!(told, what);
        assert!(steps.contains(next), "{steps}");
    }
    assert_eq!(
        db.value(
            "select what, next from sluice.explain_call('function lower(integer) does not exist')"
        )
        .await,
        "-|-"
    );
}

#[tokio::test]
async fn the_manual_has_every_function_and_view_and_fits_a_screen() {
    let db = TestDb::new().await;
    assert_eq!(
        db.value(
            "select count(*) filter (where manual not like E'%\\n\\n%'), max(length(l)) <= 68
             from sluice.manual, regexp_split_to_table(manual, E'\\n') l"
        )
        .await,
        "0|t"
    );
    assert_eq!(
        db.value(
            "select split_part(manual, E'\\n', 1) from sluice.manual where name = 'set_policy'"
        )
        .await,
        "set_policy(pipeline text, policy text, value text) → text"
    );
    assert_eq!(
        db.value(
            "select count(*) from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%'
               and not exists (select from sluice.manual m where m.name = p.proname and m.manual like p.proname || '(%')"
        )
        .await,
        "0"
    );
}
