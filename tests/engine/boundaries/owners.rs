//! Who may own a pipeline, and how it passes from one to another.

use super::{Teams, rows};
use crate::support::Sluice;

#[tokio::test]
async fn members_of_the_owner_run_and_mend_it_and_nobody_else() {
    let teams = Teams::new().await;
    let team = teams.role("team");
    teams
        .db
        .execute(&format!(
            "create role {team}; grant {team} to {}; grant {team} to {}; grant usage on schema bob to {team};
             grant select, insert, update, delete on bob.items to {team}",
            teams.role("bob"),
            teams.role("rita")
        ))
        .await;
    let set = format!("select sluice.set_policy('bob', 'owner', '{team}')");
    assert_eq!(
        rows(&teams.of("bob").await, &set).await,
        [format!("pipeline bob: owner {} → {team}", teams.role("bob"))]
    );
    // A member who is an operator.
    teams.db.execute(&format!("grant {team} to {}", teams.role("alice"))).await;
    let alice = teams.of("alice").await;
    for sql in [
        "select sluice.pause_pipeline('bob')",
        "select sluice.resume_pipeline('bob')",
        "select * from sluice.replay('bob')",
        "select sluice.rewind('bob', to_start => true)",
    ] {
        alice.batch_execute(sql).await.unwrap();
    }
    teams.db.execute(&format!("revoke {team} from {}", teams.role("alice"))).await;
    let refused = teams.says("alice", "select sluice.pause_pipeline('bob')").await.unwrap();
    refused.is("42501", &format!("pipeline bob belongs to {team}"));
    assert!(refused.hint.contains(&format!("grant {team} to {}", teams.role("alice"))));
    // Who sees everything, and is a member, is no operator for that.
    let refused = teams.says("rita", "select sluice.pause_pipeline('bob')").await.unwrap();
    refused.is("42501", "permission denied for function pause_pipeline");
}

#[tokio::test]
async fn a_pipeline_is_given_only_to_whom_one_is_a_member_of_and_taken_from_nobody() {
    let teams = Teams::new().await;
    let (alice, bob) = (teams.role("alice"), teams.role("bob"));
    let define = |more: &str| {
        format!(
            "select sluice.define_pipeline(name => 'more', version => 1, transform => 'alice.items_v1', target => 'alice.items',
               key => '{{id}}', source => sluice.file_source(path => '-'), {more})"
        )
    };
    for (caller, sql, message, hint) in [
        (
            "alice",
            format!("select sluice.set_policy('alice', 'owner', '{bob}')"),
            format!("alice cannot belong to {bob}"),
            format!("grant {bob} to {alice}"),
        ),
        (
            "alice",
            define(&format!("owner => '{bob}'")),
            format!("more cannot belong to {bob}"),
            format!("grant {bob} to {alice}"),
        ),
        (
            "alice",
            define("owner => 'nobody at all'"),
            "there is no role \"nobody at all\"".to_owned(),
            "owner => 'team_a'".to_owned(),
        ),
        (
            "alice",
            "select sluice.set_policy('alice', 'owner', 'none')".to_owned(),
            "there is no role null".to_owned(),
            "owner".to_owned(),
        ),
        (
            "alice",
            define("").replace("alice.items'", "bob.items'").replace(", )", ")"),
            "cannot load bob.items: pipeline bob of".to_owned(),
            format!("owner => '{bob}'"),
        ),
    ] {
        if message.contains("bob.items") {
            // Also where the table lets her.
            teams
                .db
                .execute(&format!(
                    "grant usage on schema bob to {alice}; grant all on bob.items to {alice}"
                ))
                .await;
        }
        let refused = teams.says(caller, &sql).await.unwrap_or_else(|| panic!("{sql}"));
        refused.refuses(&message, &hint);
    }
    // Taken by the engine's owner only, with all that loads the table.
    teams
        .db
        .execute(&format!(
            "set role {bob}; select sluice.start_backfill('bob', objects => 'drop/*'); reset role;
             select sluice.set_policy('bob', 'owner', '{alice}')"
        ))
        .await;
    assert_eq!(teams.db.rows("select distinct owner from sluice.owners").await, [alice]);
}

#[tokio::test]
async fn an_owner_that_is_no_role_any_more_is_named_with_the_way_on() {
    let teams = Teams::new().await;
    teams
        .db
        .execute(&format!(
            "update sluice.pipelines set owner = '{}_gone' where name = 'bob'",
            teams.role("bob")
        ))
        .await;
    let refused = teams.says("alice", "select sluice.pause_pipeline('bob')").await.unwrap();
    refused.is("42501", "pipeline bob belongs to");
    assert!(refused.hint.contains("there is no such role any more"), "{refused:?}");
    assert_eq!(
        teams
            .db
            .rows("select verdict, next from sluice.doctor() where detail like 'its owner%'")
            .await,
        [format!(
            "warn|select sluice.set_policy('bob', 'owner', '{}')",
            teams.db.value("select current_user").await
        )]
    );
}

#[tokio::test]
async fn who_defines_a_pipeline_owns_it_and_the_definition_says_whose_it_is() {
    let teams = Teams::new().await;
    assert_eq!(
        teams.db.rows("select pipeline, owner from sluice.owners").await,
        [format!("alice|{}", teams.role("alice")), format!("bob|{}", teams.role("bob"))]
    );
    let definition = rows(&teams.of("bob").await, "select sluice.definition('bob')").await.concat();
    assert!(!definition.contains("owner =>"), "{definition}");
    let definition = teams.db.rows("select sluice.definition('bob')").await.concat();
    assert!(definition.contains(&format!("owner => '{}'", teams.role("bob"))), "{definition}");
    // Applied as it is printed, by the engine's owner, it stays bob's.
    teams.db.execute(&format!("begin; {definition} commit")).await;
    assert_eq!(
        teams.db.value("select owner from sluice.owners where pipeline = 'bob'").await,
        teams.role("bob")
    );
}

#[tokio::test]
async fn run_all_runs_what_is_ones_own_and_says_what_it_leaves_out() {
    let teams = Teams::new().await;
    let alice = teams.role("alice");
    teams.db.execute(&format!("alter role {alice} login")).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("drop")).unwrap();
    let run = |args: &[&str]| {
        Sluice::on(&teams.db.seen_as(&alice)).current_dir(folder.path()).args(args).run()
    };
    let done = run(&["run", "--all"]).exits(0);
    assert!(done.stdout.starts_with("alice ok "), "{done:?}");
    assert_eq!(done.stdout.lines().count(), 1, "{done:?}");
    let left = format!("left out, as they belong to others: bob ({})", teams.role("bob"));
    assert!(done.stderr.contains(&left), "{done:?}");
    let done = run(&["verify"]).exits(0);
    assert!(done.stderr.contains(&left), "{done:?}");
    let done = run(&["run", "bob"]);
    assert_ne!(done.code, Some(0));
    assert!(
        done.stderr.contains("pipeline bob belongs to") && done.stderr.contains("next:  grant "),
        "{done:?}"
    );
    // Of nothing there is no proof.
    let give = "select sluice.set_policy('alice', 'owner', '{}')";
    teams.db.execute(&give.replace("{}", &teams.role("bob"))).await;
    for args in [&["run", "--all"][..], &["verify"]] {
        let done = run(args).exits(2);
        assert!(done.stderr.contains("no pipeline is yours: alice ("), "{done:?}");
    }
    for command in ["status", "versions"] {
        let done = run(&[command]).exits(0);
        assert!(done.stdout.contains("no pipeline is yours: alice ("), "{done:?}");
    }
}

/// It changes the history, which nobody's own rows are.
#[tokio::test]
async fn nobody_but_the_owner_of_the_engine_erases_not_even_of_ones_own_pipeline() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    let may_not = format!("role {} may not erase", teams.role("bob"));
    for (name, message) in [
        ("bob", may_not.as_str()),
        ("alice", "pipeline bob belongs to"),
        ("rita", "permission denied for function erase"),
        ("mona", "permission denied for function erase"),
    ] {
        for call in [
            "contains => '{bobs-own}', dry_run => true",
            "contains => '{bobs-own}'",
            "key => '1', rows => true",
            "key => '1', rows => true, stop => true",
        ] {
            let erase = format!("select sluice.erase('bob', {call}, reason => 'request 17')");
            let refused = teams.says(name, &erase).await.unwrap();
            refused.is("42501", message);
        }
    }
    assert_eq!(teams.everything_of_bob().await, before);
}
