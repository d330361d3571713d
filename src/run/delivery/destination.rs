//! The destinations there are: an HTTP endpoint, or a table.

use super::http::{self, Endpoint};
use super::outcome::Attempt;
use super::postgres::{self, Table};
use crate::batch::{Claimed, DeliveryRun};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::Budget;
use crate::stop::Stop;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

pub(super) enum Destination {
    Http(Box<Endpoint>),
    Postgres(Box<Table>),
}

impl Destination {
    pub(super) async fn open(
        delivering: &DeliveryRun,
        host: &HostRules,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        Ok(match delivering.settings["kind"].as_str() {
            Some("postgres") => {
                let table = Table::new(
                    understood(&delivering.settings)?,
                    delivering,
                    host,
                    Arc::clone(budget),
                )?;
                table.open().await?;
                Destination::Postgres(Box::new(table))
            }
            _ => Destination::Http(Box::new(Endpoint::new(
                understood(&delivering.settings)?,
                host,
                Arc::clone(budget),
            )?)),
        })
    }

    pub(super) async fn deliver(self: Arc<Self>, deliveries: Vec<Claimed>) -> Attempt {
        match &*self {
            Destination::Http(endpoint) => endpoint.deliver(deliveries).await,
            Destination::Postgres(table) => table.deliver(deliveries).await,
        }
    }

    /// How many rows are sent together; none if one by one.
    pub(super) fn parcel_rows(&self) -> Option<usize> {
        match self {
            Destination::Http(endpoint) => endpoint.parcel_rows(),
            Destination::Postgres(table) => Some(table.parcel_rows()),
        }
    }

    /// How many parcels may be in flight, if that is limited.
    pub(super) fn most_at_a_time(&self) -> Option<usize> {
        match self {
            Destination::Http(_) => None,
            // Its log has only the last parcel.
            Destination::Postgres(_) => Some(1),
        }
    }

    /// Whether the delivery has succeeded if there is nothing to delete.
    pub(super) fn only_deletes(&self, delivery: &Claimed) -> bool {
        match self {
            Destination::Http(endpoint) => endpoint.only_deletes(delivery),
            Destination::Postgres(_) => false,
        }
    }
}

/// For `doctor`: where deliveries would be sent, and what would keep the first one from being sent.
pub(crate) async fn look(settings: &Value, host: &HostRules) -> Vec<Result<String>> {
    if settings["kind"] == "postgres" {
        return vec![match understood(settings) {
            Ok(settings) => postgres::look(settings, host).await,
            Err(error) => Err(error),
        }];
    }
    let parsed =
        understood(settings).and_then(|settings: http::Settings| Ok((settings.home()?, settings)));
    let (home, settings) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return vec![Err(error)],
    };
    let mut found = crate::http::preflight(&home, &[], settings.auth.as_ref(), host);
    let budget = Arc::new(Budget::new(0, Stop::never()));
    found.extend(Endpoint::new(settings, host, budget).err().map(Err));
    found
}

/// Settings as the engine keeps them. What it checked is not checked again.
fn understood<T: DeserializeOwned>(settings: &Value) -> Result<T> {
    T::deserialize(settings).map_err(|cause| {
        Error::usage("the settings of the delivery cannot be read")
            .caused_by(cause)
            .next("this database may have been written by a newer sluice; install that one")
    })
}
