//! The command line, as a user meets it.

use crate::support::{Sluice, TestDb};

#[tokio::test]
async fn migrate_on_an_installed_database_has_nothing_to_do() {
    let db = TestDb::new().await;
    let done = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert_eq!(
        done.stdout,
        format!(
            "engine {} is installed; nothing to do\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}
