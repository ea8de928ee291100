//! `buildschema`: the least schema that admits all dynamic values of a group.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{Array, ArrayRef, BinaryViewArray, BooleanArray};
use conshelf_storage::dynamic::{DynamicBuilder, DynamicKind, DynamicRef};

use crate::engine::aggregate::Accumulator;
use crate::engine::aggregate::states::{
    GroupOf, GroupStates, StateReader, StateWriter, Typed, argument, valued_rows,
};
use crate::engine::error::{EngineError, Result};

/// How deep the values are looked into.
const MAX_DEPTH: usize = 128;

/// The key under which a schema shows what the elements of an array are.
const INDEXER: &str = "`indexer`";

#[derive(Clone, Debug, Default)]
struct Schema {
    /// Names of scalar types, in the order in which they were met.
    scalars: Vec<&'static str>,
    fields: Option<Vec<(String, Schema)>>,
    elements: Option<Box<Schema>>,
}

const SCALARS: [&str; 8] = ["bool", "long", "double", "decimal", "datetime", "timespan", "string", "guid"];

fn scalar_name(kind: DynamicKind) -> Option<&'static str> {
    Some(match kind {
        DynamicKind::Bool => "bool",
        DynamicKind::Long => "long",
        DynamicKind::Real => "double",
        DynamicKind::Decimal => "decimal",
        DynamicKind::DateTime => "datetime",
        DynamicKind::TimeSpan => "timespan",
        DynamicKind::String => "string",
        DynamicKind::Guid => "guid",
        DynamicKind::Null | DynamicKind::Array | DynamicKind::Object => return None,
    })
}

impl Schema {
    fn admit(&mut self, value: DynamicRef<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value.kind() {
            DynamicKind::Null => {}
            DynamicKind::Array => {
                let elements = self.elements.get_or_insert_default();
                for element in value.iter_array() {
                    elements.admit(element, depth + 1);
                }
            }
            DynamicKind::Object => {
                for (key, value) in value.iter_object() {
                    self.field(key).admit(value, depth + 1);
                }
                self.fields.get_or_insert_default();
            }
            kind => self.scalars_add(scalar_name(kind)),
        }
    }

    fn scalars_add(&mut self, name: Option<&'static str>) {
        if let Some(name) = name
            && !self.scalars.contains(&name)
        {
            self.scalars.push(name);
        }
    }

    fn field(&mut self, key: &str) -> &mut Schema {
        let fields = self.fields.get_or_insert_default();
        let position = match fields.iter().position(|(name, _)| name == key) {
            Some(position) => position,
            None => {
                fields.push((key.to_string(), Schema::default()));
                fields.len() - 1
            }
        };
        &mut fields[position].1
    }

    fn merge(&mut self, other: Schema) {
        for name in other.scalars {
            self.scalars_add(Some(name));
        }
        if let Some(fields) = other.fields {
            self.fields.get_or_insert_default();
            for (key, schema) in fields {
                self.field(&key).merge(schema);
            }
        }
        if let Some(elements) = other.elements {
            self.elements.get_or_insert_default().merge(*elements);
        }
    }

    /// One alternative as itself, several as an array.
    fn write(&self, builder: &mut DynamicBuilder) {
        let alternatives =
            self.scalars.len() + usize::from(self.fields.is_some()) + usize::from(self.elements.is_some());
        if alternatives == 0 {
            return builder.null();
        }
        if alternatives > 1 {
            builder.begin_array();
        }
        for name in &self.scalars {
            builder.string(name);
        }
        if let Some(fields) = &self.fields {
            builder.begin_object();
            for (key, schema) in fields {
                builder.key(key);
                schema.write(builder);
            }
            builder.end_object();
        }
        if let Some(elements) = &self.elements {
            builder.begin_object();
            builder.key(INDEXER);
            elements.write(builder);
            builder.end_object();
        }
        if alternatives > 1 {
            builder.end_array();
        }
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.scalars.len() as u64);
        for name in &self.scalars {
            out.number(SCALARS.iter().position(|scalar| scalar == name).unwrap_or(0) as u8);
        }
        out.number(self.fields.is_some());
        if let Some(fields) = &self.fields {
            out.number(fields.len() as u64);
            for (key, schema) in fields {
                out.bytes(key.as_bytes());
                schema.encode(out);
            }
        }
        out.number(self.elements.is_some());
        if let Some(elements) = &self.elements {
            elements.encode(out);
        }
    }

    fn decode(from: &mut StateReader<'_>, depth: usize) -> Result<Schema> {
        let damaged = || EngineError::Internal(String::from("a stored schema is damaged"));
        if depth > MAX_DEPTH + 1 {
            return Err(damaged());
        }
        let scalars = from.numbers::<u8>()?;
        let scalars = scalars.iter().map(|scalar| SCALARS.get(usize::from(*scalar)).copied());
        let scalars = scalars.collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
        let fields = if from.number::<bool>()? {
            let count = from.count()?;
            let field = |_| Ok((from.text()?.to_string(), Schema::decode(from, depth + 1)?));
            Some((0..count).map(field).collect::<Result<Vec<_>>>()?)
        } else {
            None
        };
        let elements =
            if from.number::<bool>()? { Some(Box::new(Schema::decode(from, depth + 1)?)) } else { None };
        Ok(Schema { scalars, fields, elements })
    }

    fn memory_bytes(&self) -> usize {
        let fields = self.fields.iter().flatten();
        size_of::<Schema>()
            + fields.map(|(key, schema)| key.len() + schema.memory_bytes()).sum::<usize>()
            + self.elements.as_ref().map_or(0, |elements| elements.memory_bytes())
    }
}

#[derive(Default)]
struct SchemaStates {
    groups: Vec<Option<Schema>>,
}

pub fn create() -> Box<dyn Accumulator> {
    Typed::boxed(SchemaStates::default())
}

impl GroupStates for SchemaStates {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, None);
    }

    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let array = argument::<BinaryViewArray>(arguments, 0)?;
        let chosen = valued_rows(array, condition);
        let states = self.groups.as_mut_slice();
        groups.visit(array.len(), chosen.as_ref(), |group, row| {
            states[group].get_or_insert_default().admit(DynamicRef::new(array.value(row)), 0);
        });
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (schema, group) in other.groups.into_iter().zip(group_of) {
            if let Some(schema) = schema {
                self.groups[*group as usize].get_or_insert_default().merge(schema);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        let mut values = BinaryViewBuilder::with_capacity(self.groups.len());
        let mut builder = DynamicBuilder::new();
        for schema in &self.groups {
            match schema {
                Some(schema) => {
                    schema.write(&mut builder);
                    builder.finish_with(|bytes| values.append_value(bytes));
                }
                None => values.append_null(),
            }
        }
        Ok(vec![Arc::new(values.finish())])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.number(self.groups.len() as u64);
        for schema in &self.groups {
            out.number(schema.is_some());
            if let Some(schema) = schema {
                schema.encode(out);
            }
        }
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        let groups = from.count()?;
        let group = |_| if from.number::<bool>()? { Ok(Some(Schema::decode(from, 0)?)) } else { Ok(None) };
        self.groups = (0..groups).map(group).collect::<Result<_>>()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.iter().flatten().map(Schema::memory_bytes).sum()
    }
}
