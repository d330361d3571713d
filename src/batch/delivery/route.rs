//! Which deliveries of a pipeline a sender takes.

use crate::error::Result;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// The deliveries of one of the targets of a pipeline.
#[derive(Debug, Clone)]
pub struct Route {
    /// The pipeline.
    pub pipeline: String,
    /// The target whose rows they are.
    pub target: String,
    /// Whether that is the first of the pipeline.
    pub is_first: bool,
    /// Of the unsent ones, only these are sent for now.
    pub only: Option<Operation>,
    /// And only those that were noted up to this one.
    pub up_to: Option<i64>,
    /// Whether what a constraint between rows refuses is given up: nothing else will be sent that may mend it.
    pub is_final: bool,
}

impl Route {
    /// Everything that a target of `pipeline` has to send.
    pub fn all_of(pipeline: &str, target: &str, is_first: bool) -> Self {
        Route {
            pipeline: pipeline.to_owned(),
            target: target.to_owned(),
            is_first,
            only: None,
            up_to: None,
            is_final: true,
        }
    }
}

/// What a delivery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Its row was deleted.
    Delete,
    /// Its row was inserted or updated.
    Upsert,
}

/// The targets whose rows a pipeline delivers.
#[derive(Debug, Clone)]
pub struct Delivering {
    /// In their order.
    pub routes: Vec<Route>,
    /// The last of their deliveries that is to be sent.
    pub latest: i64,
}

/// Which targets those are, as of one moment.
pub async fn delivering_targets(client: &Client, pipeline: &str) -> Result<Delivering> {
    let rows = client
        .query_typed(
            "select target, is_first, latest_unsent from sluice.delivering_targets(pipeline => $1)",
            &[(&pipeline, Type::TEXT)],
        )
        .await?;
    let routes =
        rows.iter().map(|row| Route::all_of(pipeline, row.get("target"), row.get("is_first")));
    let latest = rows.iter().filter_map(|row| row.get::<_, Option<i64>>("latest_unsent")).max();
    Ok(Delivering { routes: routes.collect(), latest: latest.unwrap_or(0) })
}
