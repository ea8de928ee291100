//! Expressions over batches: plan expressions prepared once, evaluated for every batch.
//!
//! Preparing resolves kernels, runs subqueries (through whoever asks), computes constant parts once and lets
//! kernels get ready for constant arguments (search patterns, sets of values). Evaluating masks nulls by the
//! function's rule, and runs a pure function whose varying arguments are dictionaries of texts on the
//! values of the dictionaries instead of the rows. Knows the shape of columns, not what any function means.

use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, StringViewArray, UInt32Array, make_array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;
use conshelf_kql::function::{FunctionId, NullRule};
use conshelf_kql::plan::{Expr, ExprKind, Plan};
use conshelf_kql::{Type, Value};
use hashbrown::HashMap;

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::union_of_nulls;
use crate::engine::kernel::{self, Datum, Kernel, KernelCall, Prepared};
use crate::engine::literal::{array_to_value, flatten, repeat, value_to_array};

/// Runs the subqueries that stand inside expressions.
pub trait SubqueryResolver {
    /// First column of the first row of the plan, or null of that type.
    fn scalar(&mut self, plan: &Plan, ty: Type) -> Result<Value>;

    /// The first column of the plan, in any number of pieces.
    fn column(&mut self, plan: &Plan) -> Result<Vec<ArrayRef>>;

    /// What the operator around this subquery gives it under that number.
    fn parameter(&mut self, number: u32) -> Result<Value> {
        Err(EngineError::Internal(format!("a subquery without its parameter {number}")))
    }
}

/// For expressions that hold no subquery.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSubqueries;

impl SubqueryResolver for NoSubqueries {
    fn scalar(&mut self, _: &Plan, _: Type) -> Result<Value> {
        Err(EngineError::Internal(String::from("a subquery stands where none can run")))
    }

    fn column(&mut self, _: &Plan) -> Result<Vec<ArrayRef>> {
        Err(EngineError::Internal(String::from("a subquery stands where none can run")))
    }
}

/// An expression ready to be evaluated for any number of batches, by any number of threads.
pub struct PreparedExpression {
    node: Node,
    ty: Type,
}

enum Node {
    Column(usize),
    Constant(ArrayRef),
    Call(Box<Call>),
}

struct Call {
    function: FunctionId,
    code: Code,
    arguments: Vec<Node>,
    argument_types: Vec<Type>,
    return_type: Type,
    /// Any null argument gives null, and the evaluator sees to it.
    masks_nulls: bool,
    volatile: bool,
}

enum Code {
    Kernel(Kernel),
    Prepared(Prepared),
}

impl PreparedExpression {
    /// Prepares an expression. Fails on subqueries that fail, on constants no row could be computed with
    /// (a malformed regular expression) and on functions that are not scalar.
    pub fn prepare(
        expr: &Expr,
        query: &Arc<QueryContext>,
        subqueries: &mut dyn SubqueryResolver,
    ) -> Result<PreparedExpression> {
        Ok(PreparedExpression { node: prepare(expr, query, subqueries)?, ty: expr.ty })
    }

    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The value, if it is the same for all rows of all batches.
    pub fn constant(&self) -> Option<Result<Value>> {
        match &self.node {
            Node::Constant(array) => Some(array_to_value(array, 0, self.ty)),
            _ => None,
        }
    }

    /// The position, if the expression is just a column.
    pub fn column(&self) -> Option<usize> {
        match self.node {
            Node::Column(position) => Some(position),
            _ => None,
        }
    }

    /// The positions of the input columns it reads, each once, in ascending order.
    pub fn columns(&self) -> Vec<usize> {
        fn collect(node: &Node, positions: &mut Vec<usize>) {
            match node {
                Node::Column(position) => positions.push(*position),
                Node::Constant(_) => {}
                Node::Call(call) => call.arguments.iter().for_each(|part| collect(part, positions)),
            }
        }
        let mut positions = Vec::new();
        collect(&self.node, &mut positions);
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// A value per row, or one for all rows. Texts may come as a dictionary.
    pub fn evaluate(&self, batch: &Batch, query: &Arc<QueryContext>) -> Result<Datum> {
        match evaluate_node(&self.node, batch, query)? {
            // Only expressions know dictionaries of dynamic values.
            Datum::Array(array) if self.ty == Type::Dynamic && is_dictionary(&array) => {
                Ok(Datum::Array(flatten(&array)?))
            }
            datum => Ok(datum),
        }
    }

    /// A value per row. Texts may come as a dictionary.
    pub fn evaluate_column(&self, batch: &Batch, query: &Arc<QueryContext>) -> Result<ArrayRef> {
        match self.evaluate(batch, query)? {
            Datum::Array(array) => Ok(array),
            Datum::Constant(array) => repeat(&array, batch.rows),
        }
    }

    /// The rows for which a condition holds; null counts as false.
    pub fn select(&self, batch: &Batch, query: &Arc<QueryContext>) -> Result<BooleanBuffer> {
        select(&self.node, batch, query)
    }
}

impl std::fmt::Debug for PreparedExpression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn write(node: &Node, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match node {
                Node::Column(position) => write!(f, "#{position}"),
                Node::Constant(array) => write!(f, "{array:?}"),
                Node::Call(call) => {
                    write!(f, "{}(", call.function.spec().name)?;
                    for (index, argument) in call.arguments.iter().enumerate() {
                        f.write_str(if index > 0 { ", " } else { "" })?;
                        write(argument, f)?;
                    }
                    f.write_str(")")
                }
            }
        }
        write(&self.node, f)
    }
}

/// Evaluates an expression without subqueries for one batch. For many batches prepare it once.
pub fn evaluate(expr: &Expr, batch: &Batch, query: &Arc<QueryContext>) -> Result<Datum> {
    PreparedExpression::prepare(expr, query, &mut NoSubqueries)?.evaluate(batch, query)
}

/// The value of an expression that needs no rows, no subquery and no chance; `None` for any other, and
/// where computing it fails (running the query will say why).
pub fn fold(expr: &Expr, query: &Arc<QueryContext>) -> Option<Value> {
    PreparedExpression::prepare(expr, query, &mut NoSubqueries).ok()?.constant()?.ok()
}

fn prepare(expr: &Expr, query: &Arc<QueryContext>, subqueries: &mut dyn SubqueryResolver) -> Result<Node> {
    match &expr.kind {
        ExprKind::Column(position) => Ok(Node::Column(*position)),
        ExprKind::Constant(value) => Ok(Node::Constant(value_to_array(value))),
        ExprKind::Parameter(number) => {
            let value = subqueries.parameter(*number)?;
            Ok(Node::Constant(value_to_array(&value)))
        }
        ExprKind::CorrelatedSubquery { .. } => {
            Err(EngineError::NotSupported(String::from("a subquery that depends on the row at this place")))
        }
        ExprKind::ScalarSubquery(plan) => {
            let value = subqueries.scalar(plan, expr.ty)?;
            Ok(Node::Constant(value_to_array(&value)))
        }
        ExprKind::InSubquery { value, plan, negated, ignore_case } => {
            let argument = prepare(value, query, subqueries)?;
            let pieces = subqueries.column(plan)?;
            let ty = plan.schema.first().map_or(Type::Dynamic, |column| column.ty);
            let set = kernel::operator::prepare_membership(value.ty, ty, &pieces, *negated, *ignore_case)?;
            let operator = if *negated {
                conshelf_kql::function::OperatorFunction::NotIn
            } else {
                conshelf_kql::function::OperatorFunction::In
            };
            finish_call(
                Call {
                    function: FunctionId::Operator(operator),
                    code: Code::Prepared(set),
                    arguments: vec![argument],
                    argument_types: vec![value.ty],
                    return_type: Type::Bool,
                    masks_nulls: false,
                    volatile: false,
                },
                query,
            )
        }
        ExprKind::Call { function, arguments } => {
            if let Some((text, prepared)) = kernel::string::piece::piece_of(expr) {
                return finish_call(
                    Call {
                        function: *function,
                        code: Code::Prepared(prepared),
                        arguments: vec![prepare(text, query, subqueries)?],
                        argument_types: vec![text.ty],
                        return_type: expr.ty,
                        masks_nulls: false,
                        volatile: false,
                    },
                    query,
                );
            }
            let spec = function.spec();
            let Some(kernel) = kernel::kernel(*function) else {
                return Err(EngineError::NotSupported(format!("{} as a scalar function", spec.name)));
            };
            let argument_types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
            let arguments =
                arguments.iter().map(|part| prepare(part, query, subqueries)).collect::<Result<Vec<_>>>()?;
            let constants: Vec<Option<&ArrayRef>> = arguments
                .iter()
                .map(|argument| match argument {
                    Node::Constant(array) => Some(array),
                    _ => None,
                })
                .collect();
            let code = match kernel::prepare(*function, &argument_types, &constants)? {
                Some(prepared) => Code::Prepared(prepared),
                None => Code::Kernel(kernel),
            };
            finish_call(
                Call {
                    function: *function,
                    code,
                    arguments,
                    argument_types,
                    return_type: expr.ty,
                    masks_nulls: spec.nulls == NullRule::NullGivesNull,
                    volatile: spec.volatile,
                },
                query,
            )
        }
    }
}

/// The call, or its value when nothing in it varies.
fn finish_call(call: Call, query: &Arc<QueryContext>) -> Result<Node> {
    let constant =
        !call.volatile && call.arguments.iter().all(|argument| matches!(argument, Node::Constant(_)));
    if !constant {
        return Ok(Node::Call(Box::new(call)));
    }
    match evaluate_call(&call, &Batch::new(Vec::new(), 1), query)? {
        Datum::Array(array) | Datum::Constant(array) => Ok(Node::Constant(array)),
    }
}

fn evaluate_node(node: &Node, batch: &Batch, query: &Arc<QueryContext>) -> Result<Datum> {
    match node {
        Node::Column(position) => match batch.columns.get(*position) {
            Some(column) => Ok(Datum::Array(column.clone())),
            None => Err(EngineError::Internal(format!("a batch has no column {position}"))),
        },
        Node::Constant(array) => Ok(Datum::Constant(array.clone())),
        Node::Call(call) => evaluate_call(call, batch, query),
    }
}

fn is_dictionary(array: &ArrayRef) -> bool {
    matches!(array.data_type(), DataType::Dictionary(_, _))
}

fn evaluate_call(call: &Call, batch: &Batch, query: &Arc<QueryContext>) -> Result<Datum> {
    let mut arguments = Vec::with_capacity(call.arguments.len());
    for argument in &call.arguments {
        arguments.push(evaluate_node(argument, batch, query)?);
    }
    if let Some(array) = evaluate_on_dictionary(call, &mut arguments, batch.rows, query)? {
        return Ok(Datum::Array(array));
    }
    for argument in &mut arguments {
        if let Datum::Array(array) = argument
            && is_dictionary(array)
        {
            *array = flatten(array)?;
        }
    }
    let constant = !call.volatile && arguments.iter().all(|argument| matches!(argument, Datum::Constant(_)));
    let rows = if constant { 1 } else { batch.rows };
    let result = run(call, &arguments, rows, query)?;
    Ok(if constant { Datum::Constant(result) } else { Datum::Array(result) })
}

/// Runs the kernel over flat arguments and masks nulls.
fn run(call: &Call, arguments: &[Datum], rows: usize, query: &Arc<QueryContext>) -> Result<ArrayRef> {
    let kernel_call =
        KernelCall { rows, argument_types: &call.argument_types, return_type: call.return_type, query };
    let result = match &call.code {
        Code::Kernel(kernel) => kernel(&kernel_call, arguments)?,
        Code::Prepared(prepared) => prepared(&kernel_call, arguments)?,
    };
    if result.len() != rows {
        return Err(EngineError::Internal(format!(
            "{} gave {} rows for {rows}",
            call.function.spec().name,
            result.len()
        )));
    }
    // Texts that grow from call to call must not take the machine's memory.
    if result.get_array_memory_size() as u64 > query.limits.memory_bytes {
        return Err(EngineError::Memory { limit_bytes: query.limits.memory_bytes });
    }
    if !call.masks_nulls {
        return Ok(result);
    }
    match union_of_nulls(arguments, rows) {
        Some(nulls) => mask(&result, &nulls),
        None => Ok(result),
    }
}

/// The column with nulls (for texts: empty texts) where the mask has them.
fn mask(array: &ArrayRef, nulls: &NullBuffer) -> Result<ArrayRef> {
    if nulls.null_count() == 0 {
        return Ok(array.clone());
    }
    if let Some(texts) = array.as_string_view_opt() {
        let masked = texts.iter().zip(nulls.iter()).map(|(text, valid)| match text {
            Some(text) if valid => text,
            _ => "",
        });
        return Ok(Arc::new(StringViewArray::from_iter_values(masked)));
    }
    let union = NullBuffer::union(array.nulls(), Some(nulls));
    let data = array
        .to_data()
        .into_builder()
        .nulls(union)
        .build()
        .map_err(|error| EngineError::Internal(error.to_string()))?;
    Ok(make_array(data))
}

/// Where all varying arguments are dictionaries of texts, computes the function for their values, or for the
/// combinations of values that occur, and spreads the results to the rows. `None`: not such a call, or there are too
/// many combinations.
fn evaluate_on_dictionary(
    call: &Call,
    arguments: &mut [Datum],
    rows: usize,
    query: &Arc<QueryContext>,
) -> Result<Option<ArrayRef>> {
    if call.volatile {
        return Ok(None);
    }
    let mut varying: Vec<(usize, ArrayRef)> = Vec::new();
    for (position, argument) in arguments.iter().enumerate() {
        if let Datum::Array(array) = argument {
            if !is_dictionary(array) {
                return Ok(None);
            }
            varying.push((position, array.clone()));
        }
    }
    let mut dictionaries = Vec::with_capacity(varying.len());
    let mut combinations = 1usize;
    for (_, array) in &varying {
        let Some(dictionary) = array.as_dictionary_opt::<UInt32Type>() else { return Ok(None) };
        let values = dictionary.values();
        let texts_with_nulls = values.null_count() > 0 && *values.data_type() != DataType::BinaryView;
        if dictionary.keys().null_count() > 0 || texts_with_nulls {
            return Ok(None);
        }
        combinations = combinations.saturating_mul(values.len());
        dictionaries.push(dictionary);
    }
    match &dictionaries[..] {
        [] => Ok(None),
        [dictionary] if combinations <= rows => {
            arguments[varying[0].0] = Datum::Array(dictionary.values().clone());
            let results = run(call, arguments, combinations, query)?;
            spread(call, &results, dictionary.keys()).map(Some)
        }
        [_, _, ..] if combinations <= rows / MANY_ROWS => {
            let mut codes = vec![0u32; rows];
            for dictionary in &dictionaries {
                let count = dictionary.values().len() as u32;
                for (code, key) in codes.iter_mut().zip(dictionary.keys().values()) {
                    *code = *code * count + key;
                }
            }
            // Only combinations that occur: of others a function might fail.
            let mut places = vec![u32::MAX; combinations];
            let mut occurring: Vec<u32> = Vec::new();
            for code in &mut codes {
                let place = &mut places[*code as usize];
                if *place == u32::MAX {
                    *place = occurring.len() as u32;
                    occurring.push(*code);
                }
                *code = *place;
            }
            let mut left = occurring.clone();
            for ((position, _), dictionary) in varying.iter().zip(&dictionaries).rev() {
                let count = dictionary.values().len() as u32;
                let keys = UInt32Array::from_iter_values(left.iter().map(|code| code % count));
                left.iter_mut().for_each(|code| *code /= count);
                let values = arrow_select::take::take(dictionary.values(), &keys, None)
                    .map_err(|error| EngineError::Internal(error.to_string()))?;
                arguments[*position] = Datum::Array(values);
            }
            let results = run(call, arguments, occurring.len(), query)?;
            spread(call, &results, &UInt32Array::from(codes)).map(Some)
        }
        _ => Ok(None),
    }
}

/// Several dictionaries are worth combining where there are so many rows to a combination.
const MANY_ROWS: usize = 4;

/// The results by the keys of the rows.
fn spread(call: &Call, results: &ArrayRef, keys: &UInt32Array) -> Result<ArrayRef> {
    if let Some(truths) = results.as_boolean_opt()
        && truths.null_count() == 0
    {
        let by_code: Vec<bool> = truths.values().iter().collect();
        let codes = keys.values();
        let rows = BooleanBuffer::collect_bool(codes.len(), |row| by_code[codes[row] as usize]);
        return Ok(Arc::new(BooleanArray::new(rows, None)));
    }
    if call.return_type == Type::String
        && let Some(texts) = results.as_string_view_opt()
    {
        return dictionary_of(keys, texts);
    }
    arrow_select::take::take(results, keys, None).map_err(|error| EngineError::Internal(error.to_string()))
}

/// A dictionary column whose values are all different, from values that may repeat.
fn dictionary_of(keys: &UInt32Array, texts: &StringViewArray) -> Result<ArrayRef> {
    let mut codes: HashMap<&str, u32, foldhash::fast::RandomState> = HashMap::default();
    let mut distinct: Vec<&str> = Vec::with_capacity(texts.len());
    let mut translation: Vec<u32> = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        let text = text.unwrap_or_default();
        let next = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
        let code = *codes.entry(text).or_insert_with(|| {
            distinct.push(text);
            next
        });
        translation.push(code);
    }
    let built = if distinct.len() == texts.len() {
        DictionaryArray::<UInt32Type>::try_new(keys.clone(), Arc::new(texts.clone()))
    } else {
        let keys: UInt32Array = keys.values().iter().map(|key| translation[*key as usize]).collect();
        DictionaryArray::<UInt32Type>::try_new(
            UInt32Array::new(keys.values().clone(), None),
            Arc::new(StringViewArray::from_iter_values(distinct)),
        )
    };
    Ok(Arc::new(built.map_err(|error| EngineError::Internal(error.to_string()))?))
}

/// The right side of an `and` is computed only for the rows its left side leaves, when these are at most one
/// in this many.
const SPARSE: usize = 4;

fn select(node: &Node, batch: &Batch, query: &Arc<QueryContext>) -> Result<BooleanBuffer> {
    if let Node::Call(call) = node
        && call.function == FunctionId::Operator(conshelf_kql::function::OperatorFunction::And)
        && let [left, right] = call.arguments.as_slice()
    {
        let first = select(left, batch, query)?;
        let chosen = first.count_set_bits();
        if chosen == 0 {
            return Ok(first);
        }
        if chosen * SPARSE > batch.rows || matches!(right, Node::Column(_) | Node::Constant(_)) {
            return Ok(&first & &select(right, batch, query)?);
        }
        let second = select(right, &chosen_rows(right, batch, &first, chosen)?, query)?;
        let mut both = BooleanBufferBuilder::new(batch.rows);
        both.append_n(batch.rows, false);
        for (position, row) in first.set_indices().enumerate() {
            both.set_bit(row, second.value(position));
        }
        return Ok(both.finish());
    }
    let (array, constant) = match evaluate_node(node, batch, query)? {
        Datum::Array(array) => (array, false),
        Datum::Constant(array) => (array, true),
    };
    let truths = array
        .as_boolean_opt()
        .ok_or_else(|| EngineError::Internal(format!("a condition is held as {}", array.data_type())))?;
    if constant {
        let holds = truths.is_valid(0) && truths.value(0);
        return Ok(if holds {
            BooleanBuffer::new_set(batch.rows)
        } else {
            BooleanBuffer::new_unset(batch.rows)
        });
    }
    Ok(match truths.nulls() {
        Some(nulls) => truths.values() & nulls.inner(),
        None => truths.values().clone(),
    })
}

/// The batch with only the chosen rows; columns that the node does not read are empty stand-ins.
fn chosen_rows(node: &Node, batch: &Batch, rows: &BooleanBuffer, count: usize) -> Result<Batch> {
    fn reads(node: &Node, position: usize) -> bool {
        match node {
            Node::Column(column) => *column == position,
            Node::Constant(_) => false,
            Node::Call(call) => call.arguments.iter().any(|argument| reads(argument, position)),
        }
    }
    let predicate = arrow_select::filter::FilterBuilder::new(&BooleanArray::new(rows.clone(), None)).build();
    let mut columns = Vec::with_capacity(batch.columns.len());
    for (position, column) in batch.columns.iter().enumerate() {
        columns.push(if reads(node, position) {
            predicate.filter(column).map_err(|error| EngineError::Internal(error.to_string()))?
        } else {
            column.slice(0, 0)
        });
    }
    Ok(Batch { columns, rows: count })
}
