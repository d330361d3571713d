//! What the short views of the quarantine cost.

use crate::support::TestDb;

#[tokio::test]
async fn the_width_left_for_an_error_is_measured_once_and_not_for_each_row() {
    let db = TestDb::new().await;
    for view in ["quarantine_open", "quarantine_by_error"] {
        let plan = db
            .rows(&format!("explain (verbose, costs off) select * from sluice.{view}"))
            .await
            .join("\n");
        assert_eq!(plan.matches("_width_left(50)").count(), 1, "{plan}");
        assert!(plan.contains("InitPlan"), "{plan}");
    }
}
