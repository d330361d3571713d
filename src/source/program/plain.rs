//! A program whose output is records and nothing else. Each run prints all of them.

use std::io;

use serde_json::{Value, json};

use super::command::command;
use super::output::Output;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::records::{
    Compression, Content, Decoder, Input, Parser, Progress as Framed, Raw, Reading, RecordSettings,
    Settled, Window,
};
use crate::source::{BatchBuilder, Means, Progress, Proof, Reason, Remarks, Source};

pub(super) struct Plain {
    reading: Reading,
    remarks: Remarks,
    has_begun: bool,
    is_complete: bool,
}

impl Plain {
    pub(super) fn new(settings: &Settings, records: RecordSettings, means: &Means) -> Result<Self> {
        let name = settings.origin();
        let command = command(settings, means)?;
        let output = Output::of(command, &name, settings.silence(), means)?;
        let unreadable = |cause: io::Error| match cause.downcast::<Error>() {
            Ok(error) => error,
            Err(cause) => {
                Error::failed(format!("the program `{name}` cannot be read")).caused_by(cause)
            }
        };
        let decoder = Decoder::new(Compression::None, Raw::new(output, 0));
        let decoder = decoder.and_then(Decoder::telling_silence);
        let window = Window::new(decoder.map_err(unreadable)?, 0);
        let mut reading = Reading::new(&name, Ended, Compression::None, window);
        reading.begin(&records, settings.protocol.format(), Parser::default())?;
        Ok(Plain {
            reading,
            remarks: means.remarks.clone(),
            has_begun: false,
            is_complete: settings.complete.unwrap_or(true),
        })
    }
}

impl Source for Plain {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(self.reading.name());
        let progress = self.reading.read_what_came(out)?;
        self.has_begun |= out.rows() > 0;
        match progress {
            Some(Framed::BatchIsFull) => return Ok(Progress::Full),
            // What has come need not wait for what comes behind.
            None => return Ok(Progress::UnitEnded(Proof::Complete)),
            Some(Framed::InputHasEnded) => {}
        }
        for remark in self.reading.note().into_iter().chain(self.reading.remark()) {
            self.remarks.add(remark);
        }
        Ok(Progress::End(match self.is_complete {
            true => Proof::Complete,
            false => Proof::Partial(Reason::Inconclusive("complete => false".to_owned())),
        }))
    }

    fn cursor(&self) -> Option<Value> {
        let (_, records) = self.reading.progress();
        (records > 0).then(|| json!({"object": self.reading.name(), "records": records}))
    }

    fn is_at_start(&self) -> bool {
        !self.has_begun && self.is_complete
    }
}

/// Its output has ended only if the program has ended well.
struct Ended;

impl Input for Ended {
    fn noun(&self) -> &'static str {
        "program"
    }

    fn may_go_on(&self) -> bool {
        false
    }

    fn settle(&mut self, _: u64) -> io::Result<Settled> {
        Ok(Settled::Whole)
    }
}
