//! Building the list of result columns of an operator, by the rules of the engine: named columns replace or
//! collide, unnamed ones are renamed until their names are unique.

use std::collections::{HashMap, HashSet};

use crate::plan::Expr;
use crate::types::{Column, Schema};

use super::naming::UniqueNames;

/// A result column with the expression it comes from.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub name: String,
    pub expression: Expr,
}

/// A name was declared twice.
#[derive(Debug)]
pub(super) struct Duplicate;

#[derive(Debug, Default)]
pub(super) struct Projection {
    items: Vec<Item>,
    /// Input columns that are not to be added (again).
    skipped: HashSet<usize>,
    positions: HashMap<String, usize>,
    declared: HashSet<String>,
    names: UniqueNames,
    /// The last number given to a column without a name (`Column1`).
    unnamed: u32,
}

impl Projection {
    /// Begins with all columns of the input; naming one of them later adds nothing.
    pub fn of_input(schema: &Schema) -> Projection {
        let mut projection = Projection::default();
        for (position, column) in schema.iter().enumerate() {
            projection.add(&column.name, Expr::column(position, column.ty), None, false);
            projection.skipped.insert(position);
        }
        projection
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Input columns of these positions are not added any more.
    pub fn skip(&mut self, column: usize) {
        self.skipped.insert(column);
    }

    /// Adds a column nobody named: the name is changed if it is taken, unless it may replace the column of
    /// that name. `source`: the input column it is.
    pub fn add(
        &mut self,
        name: &str,
        expression: Expr,
        source: Option<usize>,
        replace: bool,
    ) -> Option<usize> {
        if name.is_empty() || source.is_some_and(|source| self.skipped.contains(&source)) {
            return None;
        }
        if replace && let Some(&position) = self.positions.get(name) {
            self.items[position].expression = expression;
            return Some(position);
        }
        let name = self.names.take(name);
        self.positions.insert(name.clone(), self.items.len());
        self.items.push(Item { name, expression });
        Some(self.items.len() - 1)
    }

    /// Adds a column of a name that was written; the same name cannot be written twice.
    pub fn declare(
        &mut self,
        name: &str,
        expression: Expr,
        source: Option<usize>,
        replace: bool,
    ) -> Result<(), Duplicate> {
        if self.declared.contains(name) {
            return Err(Duplicate);
        }
        match self.positions.get(name) {
            Some(&position) if replace => {
                self.items[position].expression = expression;
                self.declared.insert(name.to_string());
            }
            _ => {
                let position = self.add(name, expression, source, false);
                let name = position.map_or(name, |position| self.items[position].name.as_str());
                self.declared.insert(name.to_string());
            }
        }
        Ok(())
    }

    /// Renames a column that is in already.
    pub fn rename(&mut self, position: usize, name: &str) -> Result<(), Duplicate> {
        if self.declared.contains(name) {
            return Err(Duplicate);
        }
        if self.positions.get(name).is_some_and(|taken| *taken != position) {
            return Err(Duplicate);
        }
        let old = std::mem::replace(&mut self.items[position].name, name.to_string());
        self.positions.remove(&old);
        self.positions.insert(name.to_string(), position);
        self.declared.insert(name.to_string());
        self.names.reserve(name);
        Ok(())
    }

    /// A name for a column that has none: `Column1`, `Column2` …, other than the given names.
    pub fn unnamed(&mut self, taken: &Schema) -> String {
        loop {
            self.unnamed += 1;
            let name = format!("Column{}", self.unnamed);
            if !self.names.contains(&name) && !taken.iter().any(|column| column.name == name) {
                return name;
            }
        }
    }

    pub fn schema(&self) -> Schema {
        self.items.iter().map(|item| Column::new(item.name.clone(), item.expression.ty)).collect()
    }

    pub fn expressions(&self) -> Vec<Expr> {
        self.items.iter().map(|item| item.expression.clone()).collect()
    }
}
