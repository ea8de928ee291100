//! What the plugins that mine patterns share: rows as codes of their attributes, and the closed patterns among them.
//!
//! A pattern fixes the values of some attributes. It is closed if no further attribute has one value in all the rows
//! it fits; patterns that fit the same rows are thus one. Closed patterns are found by extending them one attribute
//! at a time and keeping those whose extension adds nothing before the attribute (Uno et al., "LCM", 2004), so that
//! each is met once.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, UInt32Array};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::execute::columns;
use crate::engine::execute::key::KeyTable;
use crate::engine::literal::value_to_array;

/// The value of an attribute that a pattern leaves open.
pub const ANY: u32 = u32::MAX;

/// Patterns beyond this many are not looked at.
const PATTERNS_MAX: usize = 100_000;

/// Weights of a row in the sets that are told apart; plugins with one set use the first.
pub type Weights = [f64; 2];

/// Distinct rows as codes of their attributes.
pub struct Rows {
    /// Row by row, as many as there are attributes.
    codes: Vec<u32>,
    pub weights: Vec<Weights>,
    pub total: Weights,
    pub attributes: usize,
    /// The values of the codes of each attribute.
    values: Vec<ArrayRef>,
    /// Weight of each code of each attribute.
    pub frequencies: Vec<Vec<Weights>>,
}

/// A pattern with the rows it fits.
#[derive(Clone)]
pub struct Pattern {
    /// Code of each attribute, or `ANY`.
    pub codes: Vec<u32>,
    pub rows: Vec<u32>,
    pub weights: Weights,
}

impl Pattern {
    /// How many attributes have a value.
    pub fn size(&self) -> usize {
        self.codes.iter().filter(|code| **code != ANY).count()
    }
}

impl Rows {
    /// Numbers the values of each attribute and brings equal rows together. Rows without weight are left out.
    pub fn new(
        query: &Arc<QueryContext>,
        attributes: &[ArrayRef],
        types: &[Type],
        weights: &[Weights],
    ) -> Result<Rows> {
        let rows = weights.len();
        let _memory = query.reserve(4 * (rows * (attributes.len() + 1)) as u64)?;
        let mut of_attribute = Vec::with_capacity(attributes.len());
        let mut values = Vec::with_capacity(attributes.len());
        for (column, ty) in attributes.iter().zip(types) {
            query.check()?;
            let mut table = KeyTable::new(&[*ty]);
            let mut codes = Vec::new();
            table.assign(std::slice::from_ref(column), rows, &mut codes)?;
            for column in table.columns()? {
                values.push(columns::flatten(&column)?);
            }
            of_attribute.push(codes);
        }
        // Equal rows: by their codes, which are longs to the table of keys.
        let keys: Vec<ArrayRef> = of_attribute
            .iter()
            .map(|codes| {
                Arc::new(codes.iter().map(|code| Some(i64::from(*code))).collect::<Int64Array>()) as ArrayRef
            })
            .collect();
        let mut table = KeyTable::new(&vec![Type::Long; keys.len()]);
        let mut row_of = Vec::new();
        table.assign(&keys, rows, &mut row_of)?;
        let distinct = table.len();
        let mut result = Rows {
            codes: vec![0; distinct * attributes.len()],
            weights: vec![[0.0; 2]; distinct],
            total: [0.0; 2],
            attributes: attributes.len(),
            frequencies: values.iter().map(|values| vec![[0.0; 2]; values.len()]).collect(),
            values,
        };
        for (row, weight) in weights.iter().enumerate() {
            let into = row_of[row] as usize;
            for (side, weight) in weight.iter().enumerate() {
                result.weights[into][side] += weight;
                result.total[side] += weight;
            }
            for (attribute, codes) in of_attribute.iter().enumerate() {
                result.codes[into * attributes.len() + attribute] = codes[row];
                for (side, weight) in weight.iter().enumerate() {
                    result.frequencies[attribute][codes[row] as usize][side] += weight;
                }
            }
        }
        Ok(result)
    }

    pub fn len(&self) -> usize {
        self.weights.len()
    }

    pub fn code(&self, row: u32, attribute: usize) -> u32 {
        self.codes[row as usize * self.attributes + attribute]
    }

    pub fn weight_of(&self, rows: &[u32]) -> Weights {
        rows.iter().fold([0.0; 2], |sum, row| {
            let weight = self.weights[*row as usize];
            [sum[0] + weight[0], sum[1] + weight[1]]
        })
    }

    /// The closed pattern of some rows.
    pub fn closure(&self, rows: Vec<u32>) -> Pattern {
        let codes = (0..self.attributes)
            .map(|attribute| {
                let first = rows.first().map_or(ANY, |row| self.code(*row, attribute));
                if rows.iter().all(|row| self.code(*row, attribute) == first) { first } else { ANY }
            })
            .collect();
        Pattern { codes, weights: self.weight_of(&rows), rows }
    }

    /// All closed patterns with an attribute that are frequent, extended at most `depth_max` times.
    pub fn closed_patterns(
        &self,
        query: &Arc<QueryContext>,
        depth_max: usize,
        frequent: &dyn Fn(Weights) -> bool,
    ) -> Result<Vec<Pattern>> {
        let items: Vec<(usize, u32)> = self
            .frequencies
            .iter()
            .enumerate()
            .flat_map(|(attribute, codes)| {
                let codes = codes.iter().enumerate().filter(|(_, weights)| frequent(**weights));
                codes.map(move |(code, _)| (attribute, code as u32))
            })
            .collect();
        let chosen = (0..self.len() as u32).filter(|row| self.weights[*row as usize] != [0.0; 2]).collect();
        let root = self.closure(chosen);
        if root.rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let mut open = vec![(root, 0, 0)];
        let mut memory = query.reserve(0)?;
        let mut held = 0;
        while let Some((pattern, first, depth)) = open.pop() {
            query.check()?;
            if depth < depth_max && found.len() + open.len() < PATTERNS_MAX {
                for (place, (attribute, code)) in items.iter().enumerate().skip(first) {
                    if pattern.codes[*attribute] != ANY {
                        continue;
                    }
                    let fits = |row: &&u32| self.code(**row, *attribute) == *code;
                    let rows: Vec<u32> = pattern.rows.iter().filter(fits).copied().collect();
                    if rows.is_empty() || !frequent(self.weight_of(&rows)) {
                        continue;
                    }
                    let wider = self.closure(rows);
                    // An attribute before this one that comes with it: met from there.
                    let met = (0..*attribute).any(|before| wider.codes[before] != pattern.codes[before]);
                    if !met {
                        held += 4 * (wider.rows.len() + wider.codes.len()) as u64;
                        open.push((wider, place + 1, depth + 1));
                    }
                }
                memory.resize(held)?;
            }
            if pattern.size() > 0 {
                found.push(pattern);
            }
        }
        Ok(found)
    }

    /// The text of a code of a text attribute.
    pub fn text(&self, attribute: usize, code: u32) -> &str {
        let texts = columns::texts(&self.values[attribute]).ok();
        texts.filter(|texts| (code as usize) < texts.len()).map_or("", |texts| texts.value(code as usize))
    }

    /// The code of the empty text of a text attribute.
    pub fn code_of_empty(&self, attribute: usize) -> Option<u32> {
        (0..self.values[attribute].len() as u32).find(|code| self.text(attribute, *code).is_empty())
    }

    /// The columns of the attributes: values of the patterns, or what stands for any value.
    pub fn columns(&self, patterns: &[&Pattern], wildcards: &[Value]) -> Result<Vec<ArrayRef>> {
        self.values
            .iter()
            .enumerate()
            .map(|(attribute, values)| {
                let any = wildcards.get(attribute).map(value_to_array);
                let all = match &any {
                    Some(any) => columns::concat_column(&[values, any])?,
                    None => values.clone(),
                };
                let places = patterns.iter().map(|pattern| match pattern.codes[attribute] {
                    ANY => values.len() as u32,
                    code => code,
                });
                columns::take_column(&all, &places.collect::<UInt32Array>())
            })
            .collect()
    }
}

/// The patterns with their number as the first column.
pub fn numbered(patterns: usize, measures: Vec<ArrayRef>, attributes: Vec<ArrayRef>) -> Vec<Batch> {
    let numbers: ArrayRef = Arc::new((0..patterns as i64).collect::<Int64Array>());
    let mut columns = vec![numbers];
    columns.extend(measures);
    columns.extend(attributes);
    vec![Batch::new(columns, patterns)]
}

/// Rounded to so many decimal places.
pub fn rounded(value: f64, places: i32) -> f64 {
    let unit = 10f64.powi(places);
    (value * unit).round() / unit
}

pub fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole * 100.0 } else { 0.0 }
}
