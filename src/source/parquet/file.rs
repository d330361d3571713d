//! A Parquet file by its footer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::schema::types::TypePtr;

use super::blocks::Blocks;
use super::declared::declared;
use super::json::{JsonColumn, JsonRows};
use super::schema::{self, Leaf};
use crate::source::DeclaredField;
use crate::source::records::{RecordSettings, WHAT_TO_DO_ABOUT_LACKING};

/// What is decoded at once, and how many rows at most.
const DECODED: u64 = 4 << 20;
const MOST_ROWS: u64 = 1024;

/// Why a file cannot be read.
pub(super) enum ParquetFault {
    /// It makes no sense.
    Damaged(String),
    /// What is wrong, and what to do.
    Refused(String, String),
}

impl From<ParquetError> for ParquetFault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::NYI(what) => ParquetFault::Refused(
                format!("is Parquet of a kind that is not read: {what}"),
                "write it by another program, or with another compression".to_owned(),
            ),
            error => ParquetFault::Damaged(error.to_string()),
        }
    }
}

/// The library may panic on what makes no sense.
pub(super) fn guarded<T>(
    work: impl FnOnce() -> Result<T, ParquetFault>,
) -> Result<T, ParquetFault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied());
        Err(ParquetFault::Damaged(said.unwrap_or("its pages make no sense").to_owned()))
    })
}

/// What the footer says, and how the file is read by it.
pub(super) struct ParquetFile {
    pub(super) metadata: Arc<ParquetMetaData>,
    /// One way to read it; a second one beside if there are timestamps of 96 bits.
    layouts: Vec<ArrowReaderMetadata>,
    mask: ProjectionMask,
    /// The columns that are read.
    pub(super) names: Arc<[String]>,
    /// What they are in a database.
    pub(super) declared: Arc<[DeclaredField]>,
    /// The leaves of the columns that are read.
    leaves: Vec<Vec<Leaf>>,
}

impl ParquetFile {
    pub(super) fn new(footer: &[u8], settings: &RecordSettings) -> Result<Self, ParquetFault> {
        let metadata = ParquetMetaDataReader::decode_metadata(footer)?;
        let described = metadata.file_metadata().schema_descr();
        let leaves = schema::leaves(described);
        let roots = selected(described.root_schema().get_fields(), settings)?;
        let as_bytes = Arc::new(schema::as_bytes(described)?);
        let mask = ProjectionMask::roots(&as_bytes, roots.iter().copied());
        let options = ParquetMetaDataOptions::new().with_schema(as_bytes);
        let metadata = ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&options))?;
        let metadata = Arc::new(metadata);
        let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let layout = |options| ArrowReaderMetadata::try_new(Arc::clone(&metadata), options);
        let plain = layout(options())?;
        let read_by = Arc::new(schema::read_by(plain.schema()));
        let mut layouts = vec![layout(options().with_schema(read_by))?];
        let has_96_bits = |root: &usize| leaves[*root].contains(&Leaf::Of96Bits);
        if roots.iter().any(has_96_bits) {
            let in_seconds = Arc::new(schema::in_seconds(plain.schema(), &leaves));
            layouts.push(layout(options().with_schema(in_seconds))?);
        }
        let declared =
            roots.iter().map(|root| declared(plain.schema().field(*root), &leaves[*root]));
        Ok(ParquetFile {
            metadata,
            declared: declared.collect(),
            layouts,
            mask,
            names: roots
                .iter()
                .map(|root| described.root_schema().get_fields()[*root].name().to_owned())
                .collect(),
            leaves: roots.iter().map(|root| leaves[*root].clone()).collect(),
        })
    }

    /// How many columns are read side by side.
    pub(super) fn columns(&self) -> usize {
        self.leaves.iter().map(Vec::len).sum::<usize>() * self.layouts.len()
    }

    /// The row group with this row, and how many rows of it are before.
    pub(super) fn group_of(&self, row: u64) -> Option<(usize, u64)> {
        let mut before = row;
        for (group, facts) in self.metadata.row_groups().iter().enumerate() {
            let rows = rows_of(facts);
            if before < rows {
                return Some((group, before));
            }
            before -= rows;
        }
        None
    }

    pub(super) fn readers(
        &self,
        blocks: &Blocks,
        group: usize,
        before: u64,
    ) -> Result<Vec<ParquetRecordBatchReader>, ParquetFault> {
        let facts = self.metadata.row_group(group);
        let size = u64::try_from(facts.total_byte_size()).unwrap_or_default();
        let row = (size / rows_of(facts).max(1)).max(1);
        let rows = (DECODED / row).clamp(1, MOST_ROWS);
        let reader = |layout: &ArrowReaderMetadata| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(blocks.clone(), layout.clone())
                .with_row_groups(vec![group])
                .with_projection(self.mask.clone())
                .with_batch_size(rows as usize)
                .with_offset(before as usize)
                .build()
        };
        Ok(self.layouts.iter().map(reader).collect::<Result<_, _>>()?)
    }

    pub(super) fn rows(&self, batches: &[RecordBatch]) -> Result<Option<JsonRows>, ParquetFault> {
        let Some((batch, beside)) = batches.split_first() else {
            return Ok(None);
        };
        let schema = batch.schema_ref();
        let columns = batch.columns().iter().enumerate().map(|(i, values)| JsonColumn {
            name: schema.field(i).name(),
            values,
            seconds: beside.first().map(|beside| beside.column(i)),
            leaves: &self.leaves[i],
        });
        JsonRows::new(batch.num_rows(), columns).map(Some).map_err(|what| {
            ParquetFault::Refused(
                what,
                "leave it out: name the others in the source's `columns`".to_owned(),
            )
        })
    }
}

/// The columns to read, by their place.
fn selected(columns: &[TypePtr], settings: &RecordSettings) -> Result<Vec<usize>, ParquetFault> {
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    if let Some(lacks) = settings.require.refusal(&names) {
        return Err(ParquetFault::Refused(
            format!("its schema {lacks}"),
            WHAT_TO_DO_ABOUT_LACKING.to_owned(),
        ));
    }
    let Some(wanted) = settings.columns() else {
        let again = (1..names.len()).find(|i| names[..*i].contains(&names[*i]));
        return match again {
            None => Ok((0..names.len()).collect()),
            Some(i) => Err(ParquetFault::Refused(
                format!("two columns are named `{}`", names[i]),
                "write it with a name of its own for each".to_owned(),
            )),
        };
    };
    let mut found = Vec::new();
    for name in wanted {
        let at = names.iter().position(|known| known == name);
        found.push(at.ok_or_else(|| {
            ParquetFault::Refused(
                format!("there is no column `{name}`; there are {}", names.join(", ")),
                "correct the source's `columns`, or read such files by a pipeline of their own"
                    .to_owned(),
            )
        })?);
    }
    found.sort_unstable();
    Ok(found)
}

pub(super) fn rows_of(group: &RowGroupMetaData) -> u64 {
    u64::try_from(group.num_rows()).unwrap_or_default()
}
