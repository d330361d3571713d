//! Records from files: NDJSON, JSON arrays, CSV and TSV, plain or compressed, in a file, a
//! folder or a glob.
//!
//! Every file is read from where the last committed batch left it. Three facts decide
//! whether it still is the same file: its size, the hash of its first bytes, and the hash of
//! the bytes before the place where reading resumes. A file counts as done only when its end
//! proves to be one; a file that is still being written is loaded up to its last whole
//! record, and goes on from there in a later run.

mod discover;
mod identity;
mod listing;
mod reading;
mod settings;
mod start;
mod watch;

use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Result;
use crate::host::HostRules;
use crate::source::records::{Compression, RecordSettings};
use crate::source::units::{
    ASKED_AT_ONCE, Answer, ChangedUnits, KnownObjects, ListedUnit, PassedOver, Unit, UnitChange,
    UnitRead, Units, ask, by_name, lost, read_after_all,
};
use crate::source::{BatchBuilder, ObjectState, Progress, Proof, Reason, Source, SourceContext};

use self::identity::{Facts, FileIdentity, KnownFile};
use self::reading::FileReading;
use self::settings::FileSettings;
use self::start::{OpenedFile, identify, open};

/// The source that reads files.
pub struct FileSource {
    settings: FileSettings,
    /// The files that may have something new, and what is known about them.
    queue: VecDeque<(String, Option<KnownFile>)>,
    /// Begun by an earlier run, and gone.
    gone: Vec<ObjectState>,
    current: Option<FileReading>,
    /// A folder that is empty today is no proof that the rows are gone.
    is_empty: bool,
    total_bytes: u64,
    units: Units,
    host: HostRules,
}

/// Of a file source's settings, those about records in what comes on standard input.
pub(super) fn stream_settings(settings: &Value) -> Result<RecordSettings> {
    Ok(FileSettings::parse(settings)?.records)
}

/// Whether the files may be listed and read here.
pub(super) fn preflight(settings: &Value, host: &HostRules) -> Result<String> {
    let address = FileSettings::parse(settings)?.address;
    let files = address.readable(host)?;
    Ok(format!("may read {}, files: {files}", address.path))
}

impl FileSource {
    /// A source for the pipeline's `settings`, which continues from what is `known` of each file.
    pub fn open(
        settings: &Value,
        known: Arc<dyn KnownObjects>,
        context: &SourceContext,
    ) -> Result<Self> {
        let settings = FileSettings::parse(settings)?;
        let found = settings.address.files(&context.host)?;
        let units = Units::new(settings.on_replace, &context.remarks);
        for remark in found.remarks {
            units.remark(remark);
        }
        let mut source = FileSource {
            is_empty: found.names.is_empty(),
            settings,
            queue: VecDeque::new(),
            gone: Vec::new(),
            current: None,
            total_bytes: 0,
            units,
            host: context.host.clone(),
        };
        let all = Arc::clone(&known);
        let mut begun = by_name(ask(&context.runtime, async move { all.begun().await })?);
        let mut names = found.names;
        if let Some(after) = &source.settings.after {
            let mut passed_over = PassedOver::default();
            names.retain(|name| {
                // What was begun is read to its end.
                let is_wanted = name > after || begun.contains_key(name);
                if !is_wanted {
                    passed_over.not_after.add(name);
                }
                is_wanted
            });
            for remark in passed_over.remarks() {
                source.units.remark(remark);
            }
        }
        for name in &names {
            begun.remove(name);
        }
        source.queue(names, &known, context)?;
        // Earlier runs may have read other paths, and other sources.
        begun.retain(|name, _| source.settings.address.covers(name));
        source.gone = begun.into_values().collect();
        source.gone.sort_unstable_by(|a, b| b.object.cmp(&a.object));
        Ok(source)
    }

    /// Takes up the files in which there may be something new. While some are asked for, the sizes and times of the
    /// next are looked up.
    fn queue(
        &mut self,
        names: Vec<String>,
        known: &Arc<dyn KnownObjects>,
        context: &SourceContext,
    ) -> Result<()> {
        let mut found = names.into_iter().map(|name| {
            let meta = fs::metadata(&name).ok();
            let facts = meta.as_ref().map(Facts::new);
            Ok((ListedUnit::new::<FileIdentity>(name, &facts)?, meta))
        });
        let mut asked = None;
        loop {
            let some = found.by_ref().take(ASKED_AT_ONCE);
            let (listed, metas) = some.collect::<Result<(Vec<_>, Vec<_>)>>()?;
            if let Some(answer) = asked.take() {
                let (mut news, mut listed, metas): (
                    ChangedUnits,
                    Vec<ListedUnit>,
                    Vec<Option<Metadata>>,
                ) = Answer::wait(answer)?;
                news.sort_unstable_by_key(|(place, _)| *place);
                for (place, state) in news {
                    let name = std::mem::take(&mut listed[place].name);
                    let known = state.map(KnownFile::new).transpose()?;
                    self.total_bytes += remaining(metas[place].as_ref(), known.as_ref());
                    self.queue.push_back((name, known));
                }
            }
            if listed.is_empty() {
                return Ok(());
            }
            let known = Arc::clone(known);
            let question = async move { Ok((known.news(&listed).await?, listed, metas)) };
            asked = Some(Answer::to(question, &context.runtime));
        }
    }

    /// Opens the next file in the queue; says so if afterwards nothing is current that has to be noted.
    fn open_next(
        &mut self,
        name: String,
        known: Option<KnownFile>,
        out: &mut BatchBuilder,
    ) -> Result<Option<Proof>> {
        self.host.file(Path::new(&name))?;
        let state = match known {
            Some(KnownFile::ToSkip(state)) => {
                self.units.pass_over(*state, &identify(&name)?, out)?;
                return Ok(Some(Proof::Complete));
            }
            Some(KnownFile::Read(state)) => Some(*state),
            Some(KnownFile::Done(_) | KnownFile::Skipped(_)) => {
                self.units.remark(read_after_all(&name));
                None
            }
            None => None,
        };
        match open(&self.settings, &name, state)? {
            OpenedFile::Reading(reading) => self.current = Some(*reading),
            OpenedFile::Unchanged => {}
            OpenedFile::Replaced(difference) => self.begin_again(name, &difference, true)?,
            OpenedFile::Waiting(why) => {
                return Ok(Some(Proof::Partial(Reason::Waiting { name, why })));
            }
        }
        Ok(None)
    }

    fn begin_again(&mut self, name: String, difference: &str, is_handed_out: bool) -> Result<()> {
        self.units.begin_again::<FileIdentity>(&name, difference, is_handed_out)?;
        self.queue.push_front((name, None));
        Ok(())
    }

    /// Reads on in a file.
    fn read_on(&mut self, file: FileReading, out: &mut BatchBuilder) -> Result<Progress> {
        Ok(match self.units.read_on(file, out)? {
            UnitRead::BatchFull(file) => {
                self.current = Some(file);
                Progress::Full
            }
            UnitRead::Ended(proof) => Progress::UnitEnded(proof),
            UnitRead::Overread(file) => {
                let known = file.state()?.map(KnownFile::new).transpose()?;
                self.queue.push_front((file.name().to_owned(), known));
                Progress::UnitEnded(Proof::Complete)
            }
            UnitRead::Changed(file, UnitChange::Replaced(difference)) => {
                let is_handed_out = file.is_handed_out();
                self.begin_again(file.name().to_owned(), &difference, is_handed_out)?;
                Progress::UnitEnded(Proof::Complete)
            }
            // A file that is open can be read to its end.
            UnitRead::Changed(_, UnitChange::Gone) => Progress::UnitEnded(Proof::Complete),
        })
    }
}

impl Source for FileSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        loop {
            if let Some(file) = self.current.take() {
                return self.read_on(file, out);
            }
            if out.is_full() && !self.queue.is_empty() {
                return Ok(Progress::Full);
            }
            let Some((name, known)) = self.queue.pop_front() else {
                if let Some(gone) = self.gone.pop() {
                    return Ok(Progress::UnitEnded(Proof::Partial(lost(gone))));
                }
                return Ok(Progress::End(match self.is_empty {
                    true => Proof::Partial(Reason::Inconclusive("there was no file".to_owned())),
                    false => Proof::Complete,
                }));
            };
            if let Some(proof) = self.open_next(name, known, out)? {
                return Ok(Progress::UnitEnded(proof));
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        self.units.cursor()
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes)
    }
}

/// How many bytes of the file are still to be read.
fn remaining(meta: Option<&Metadata>, known: Option<&KnownFile>) -> u64 {
    let size = meta.map_or(0, Metadata::len);
    match known {
        Some(KnownFile::ToSkip(_)) => 0,
        Some(KnownFile::Read(known)) if known.position.compression == Compression::None => {
            size.saturating_sub(known.position.place.bytes)
        }
        _ => size,
    }
}
