//! The streams of a tap or connector, and how it is started for some of them.

use serde_json::Value;

use super::message_parser::{CatalogStream, MessageParser};
use super::output::Output;
use super::settings::{ProgramSettings, Protocol};
use super::{airbyte, singer};
use crate::error::Result;
use crate::source::{Declared, SourceContext};

/// A catalog: from a file of the host, or discovered.
pub(super) enum Catalog {
    /// None if the tap is not to be asked.
    Singer(Option<Value>),
    Airbyte(Value),
}

impl Catalog {
    pub(super) fn of(settings: &ProgramSettings, context: &SourceContext) -> Result<Self> {
        Ok(match settings.protocol {
            Protocol::Airbyte => Catalog::Airbyte(airbyte::catalog(settings, context)?),
            _ => Catalog::Singer(singer::catalog(settings, context)?),
        })
    }

    /// The stream of the pipeline.
    pub(super) fn find(&self, settings: &ProgramSettings) -> Result<CatalogStream> {
        match self {
            Catalog::Singer(catalog) => singer::find(settings, catalog.as_ref()),
            Catalog::Airbyte(catalog) => airbyte::find(settings, catalog),
        }
    }

    /// The fields that the catalog declares for the stream.
    pub(super) fn declared(&self, settings: &ProgramSettings) -> Result<Declared> {
        match self {
            Catalog::Singer(None) => Ok(Declared::default()),
            Catalog::Singer(Some(catalog)) => singer::declared(settings, catalog),
            Catalog::Airbyte(catalog) => airbyte::declared(settings, catalog),
        }
    }

    /// Starts the program for the streams in `settings`, at `state`.
    pub(super) fn start(
        &self,
        settings: &[&ProgramSettings],
        state: Option<&str>,
        context: &SourceContext,
    ) -> Result<(Output, Box<dyn MessageParser>)> {
        match self {
            Catalog::Singer(catalog) => singer::start(settings, catalog.as_ref(), state, context),
            Catalog::Airbyte(catalog) => airbyte::start(settings, catalog, state, context),
        }
    }
}
