//! What streams a tap or connector has, and how it is started for some of them.

use serde_json::Value;

use super::output::Output;
use super::settings::{Protocol, Settings};
use super::speaker::{Speaker, Wholeness};
use super::{airbyte, singer};
use crate::error::Result;
use crate::source::{Declared, Means};

/// A catalog: that of the host, or the program's own.
pub(super) enum Offer {
    /// None of a tap that is not to be asked.
    Singer(Option<Value>),
    Airbyte(Value),
}

/// A stream that is there.
pub(super) struct Offered {
    /// The same whatever the pipeline calls it.
    pub(super) identity: String,
    pub(super) wholeness: Wholeness,
}

impl Offer {
    pub(super) fn of(settings: &Settings, means: &Means) -> Result<Self> {
        Ok(match settings.protocol {
            Protocol::Airbyte => Offer::Airbyte(airbyte::catalog(settings, means)?),
            _ => Offer::Singer(singer::catalog(settings, means)?),
        })
    }

    /// Looks for the stream that is wanted.
    pub(super) fn find(&self, settings: &Settings) -> Result<Offered> {
        match self {
            Offer::Singer(catalog) => singer::find(settings, catalog.as_ref()),
            Offer::Airbyte(catalog) => airbyte::find(settings, catalog),
        }
    }

    /// What the catalog says of the stream.
    pub(super) fn declared(&self, settings: &Settings) -> Result<Declared> {
        match self {
            Offer::Singer(None) => Ok(Declared::default()),
            Offer::Singer(Some(catalog)) => singer::declared(settings, catalog),
            Offer::Airbyte(catalog) => airbyte::declared(settings, catalog),
        }
    }

    /// Starts the program for the streams in `settings`, at `state`.
    pub(super) fn start(
        &self,
        settings: &[&Settings],
        state: Option<&str>,
        means: &Means,
    ) -> Result<(Output, Box<dyn Speaker>)> {
        match self {
            Offer::Singer(catalog) => singer::start(settings, catalog.as_ref(), state, means),
            Offer::Airbyte(catalog) => airbyte::start(settings, catalog, state, means),
        }
    }
}
