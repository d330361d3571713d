//! Where deliveries go.

use super::http::Endpoint;
use super::postgres::Table;
use super::verdict::Attempted;
use crate::batch::{Claimed, Delivering};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::Budget;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One of the kinds there are.
pub(super) enum Destination {
    Http(Box<Endpoint>),
    Postgres(Box<Table>),
}

impl Destination {
    pub(super) async fn open(
        delivering: &Delivering,
        host: &HostRules,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        Ok(match delivering.settings["kind"].as_str() {
            Some("postgres") => {
                let table = Table::new(
                    understood(delivering)?,
                    delivering,
                    host,
                    Arc::clone(budget),
                )?;
                table.open().await?;
                Destination::Postgres(Box::new(table))
            }
            _ => Destination::Http(Box::new(Endpoint::new(
                understood(delivering)?,
                host,
                Arc::clone(budget),
            )?)),
        })
    }

    pub(super) async fn deliver(self: Arc<Self>, deliveries: Vec<Claimed>) -> Attempted {
        match &*self {
            Destination::Http(endpoint) => endpoint.deliver(deliveries).await,
            Destination::Postgres(table) => table.deliver(deliveries).await,
        }
    }

    /// How many go together; `None`: each goes by itself.
    pub(super) fn parcel_rows(&self) -> Option<usize> {
        match self {
            Destination::Http(endpoint) => endpoint.parcel_rows(),
            Destination::Postgres(table) => Some(table.parcel_rows()),
        }
    }

    /// So many parcels may be on their way.
    pub(super) fn most_at_a_time(&self) -> Option<usize> {
        match self {
            Destination::Http(_) => None,
            // It notes the last one that it took.
            Destination::Postgres(_) => Some(1),
        }
    }

    /// Whether all that a delivery wants is that there is nothing.
    pub(super) fn only_deletes(&self, delivery: &Claimed) -> bool {
        match self {
            Destination::Http(endpoint) => endpoint.only_deletes(delivery),
            Destination::Postgres(_) => false,
        }
    }
}

/// Settings as the engine keeps them. What it checked is not checked again.
fn understood<T: DeserializeOwned>(delivering: &Delivering) -> Result<T> {
    T::deserialize(&delivering.settings).map_err(|cause| {
        Error::usage("where the pipeline delivers cannot be understood")
            .caused_by(cause)
            .next("this database may have been written by a newer sluice; install that one")
    })
}
