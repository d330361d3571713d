//! The columns of a Parquet file: what they mean, and how they are read.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

/// What a column without columns below it means, beyond what its type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    Plain,
    /// Bytes that are meant as text.
    Text,
    Uuid,
    Interval,
    /// A timestamp of 96 bits.
    Of96Bits,
}

impl Leaf {
    fn of(column: &ColumnDescriptor) -> Self {
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Physical::INT96, _, _) => Leaf::Of96Bits,
            (_, Some(LogicalType::String | LogicalType::Json | LogicalType::Enum), _)
            | (_, None, ConvertedType::UTF8 | ConvertedType::JSON | ConvertedType::ENUM) => {
                Leaf::Text
            }
            (_, Some(LogicalType::Uuid), _) => Leaf::Uuid,
            (_, None, ConvertedType::INTERVAL) => Leaf::Interval,
            _ => Leaf::Plain,
        }
    }
}

/// The leaves of each column, in order.
pub(super) fn leaves(schema: &SchemaDescriptor) -> Vec<Vec<Leaf>> {
    let roots = schema.root_schema().get_fields().len();
    let mut leaves = vec![Vec::new(); roots];
    for (i, column) in schema.columns().iter().enumerate() {
        leaves[schema.get_column_root_idx(i)].push(Leaf::of(column));
    }
    leaves
}

/// The schema as if texts and intervals were plain bytes: otherwise one text that is not UTF-8 would fail
/// all rows beside it, and intervals would lose their months.
pub(super) fn as_bytes(schema: &SchemaDescriptor) -> Result<SchemaDescriptor> {
    let root = without_meaning(schema.root_schema())?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

fn without_meaning(column: &Type) -> Result<Type> {
    let info = column.get_basic_info();
    if let Type::GroupType { fields, .. } = column {
        let fields = fields.iter().map(|field| without_meaning(field).map(Arc::new));
        let mut group = Type::group_type_builder(info.name())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields.collect::<Result<_>>()?);
        if info.has_repetition() {
            group = group.with_repetition(info.repetition());
        }
        return group.build();
    }
    let is_bytes = matches!(
        (info.logical_type_ref(), info.converted_type()),
        (Some(LogicalType::String | LogicalType::Json | LogicalType::Enum), _)
            | (
                None,
                ConvertedType::UTF8
                    | ConvertedType::JSON
                    | ConvertedType::ENUM
                    | ConvertedType::INTERVAL
            )
    );
    let Type::PrimitiveType { physical_type, type_length, .. } = column else {
        return Ok(column.clone());
    };
    if !is_bytes {
        return Ok(column.clone());
    }
    let repetition = match info.has_repetition() {
        true => info.repetition(),
        false => Repetition::REQUIRED,
    };
    Type::primitive_type_builder(info.name(), *physical_type)
        .with_length(*type_length)
        .with_repetition(repetition)
        .build()
}

/// The schema to read by: bytes are shared instead of copied, however often a value is repeated.
pub(super) fn read_by(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| mapped(field, &views));
    Schema::new(fields.collect::<Vec<_>>())
}

/// The same with whole seconds for timestamps of 96 bits, beside which nanoseconds may wrap.
pub(super) fn in_seconds(schema: &Schema, leaves: &[Vec<Leaf>]) -> Schema {
    let fields = schema.fields().iter().zip(leaves).map(|(field, leaves)| {
        let leaves = std::cell::RefCell::new(leaves.iter());
        mapped(field, &|kind| match (leaves.borrow_mut().next(), kind) {
            (Some(Leaf::Of96Bits), _) => DataType::Timestamp(TimeUnit::Second, None),
            (_, kind) => views(kind),
        })
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn views(kind: &DataType) -> DataType {
    match kind {
        DataType::Binary => DataType::BinaryView,
        kind => kind.clone(),
    }
}

fn mapped(field: &Field, leaf: &dyn Fn(&DataType) -> DataType) -> Field {
    let child = |field: &Arc<Field>| Arc::new(mapped(field, leaf));
    let kind = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(child).collect::<Fields>()),
        DataType::List(item) => DataType::List(child(item)),
        DataType::Map(entries, is_sorted) => DataType::Map(child(entries), *is_sorted),
        kind => leaf(kind),
    };
    field.clone().with_data_type(kind)
}
