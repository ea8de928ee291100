//! A plan as an indented tree of text: what `--explain` shows and what golden tests hold.
//!
//! One line an operator, inputs indented below it. Columns are shown by the names they have in the operator's
//! input; constants as the language writes them.

mod graph;

use std::fmt::Write as _;

use crate::function::{AggregateFunction, FunctionId};
use crate::plan::{
    Aggregate, Expr, ExprKind, JoinKind, Operator, ParseSegment, Plan, QueryPlan, ScanOutput, ScanStep,
    SortKey,
};
use crate::types::{Column, Schema, Type};
use crate::value::{Dynamic, Value};

/// All results of a query.
pub fn explain_query(query: &QueryPlan) -> String {
    let mut out = String::new();
    for (name, value) in &query.options {
        let _ = writeln!(out, "set {name} = {}", value_text(value));
    }
    for result in &query.results {
        if query.results.len() > 1 {
            let _ = writeln!(out, "result {}", result.name);
        }
        if let Some(visualization) = &result.visualization {
            let properties: Vec<String> =
                visualization.properties.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            let _ = writeln!(out, "render {}{}", visualization.kind, properties.concat());
        }
        out.push_str(&explain(&result.plan));
    }
    out
}

/// A plan and what is below it.
pub fn explain(plan: &Plan) -> String {
    let mut out = String::new();
    write_plan(&mut out, plan, 0);
    out
}

/// The line of one operator, without its inputs.
pub fn operator_line(plan: &Plan) -> String {
    line(plan)
}

/// The inputs of an operator, as they are printed below it.
pub fn inputs(operator: &Operator) -> Vec<&Plan> {
    match operator {
        Operator::Scan { .. }
        | Operator::External(_)
        | Operator::Values { .. }
        | Operator::Range { .. }
        | Operator::Argument => Vec::new(),
        Operator::Filter { input, .. }
        | Operator::Project { input, .. }
        | Operator::Summarize { input, .. }
        | Operator::Sort { input, .. }
        | Operator::Top { input, .. }
        | Operator::Take { input, .. }
        | Operator::MvExpand { input, .. }
        | Operator::Parse { input, .. }
        | Operator::ParseKv { input, .. }
        | Operator::MakeSeries { input, .. }
        | Operator::Serialize { input }
        | Operator::Shared { input, .. }
        | Operator::Reduce { input, .. }
        | Operator::ScanSteps { input, .. }
        | Operator::Sample { input, .. }
        | Operator::SampleDistinct { input, .. } => vec![input],
        Operator::MvApply { input, subquery, .. }
        | Operator::ScalarApply { input, subquery, .. }
        | Operator::Partition { input, subquery, .. } => {
            vec![input, subquery]
        }
        Operator::Join { left, right, .. } => vec![left, right],
        Operator::GraphSearch(search) => search.graph.inputs(),
        Operator::GraphTable { graph, .. } => graph.inputs(),
        Operator::GraphPartition { build, subquery, .. } => {
            let mut plans = build.inputs();
            plans.push(subquery);
            plans
        }
        Operator::Union { inputs, .. } | Operator::Plugin { inputs, .. } => inputs.iter().collect(),
    }
}

fn write_plan(out: &mut String, plan: &Plan, depth: usize) {
    let _ = writeln!(out, "{}{}", "  ".repeat(depth), line(plan));
    for subquery in subqueries(&plan.operator) {
        let _ = writeln!(out, "{}(subquery)", "  ".repeat(depth + 1));
        write_plan(out, subquery, depth + 2);
    }
    for input in inputs(&plan.operator) {
        write_plan(out, input, depth + 1);
    }
}

fn line(plan: &Plan) -> String {
    let nothing = Vec::new();
    let input = inputs(&plan.operator).first().map_or(&nothing, |input| &input.schema);
    match plan.operator.as_ref() {
        Operator::Scan { database, table, columns, predicate } => {
            let mut text = format!("Scan {database}.{table} [{}]", columns.join(", "));
            if let Some(predicate) = predicate {
                let _ = write!(text, " where {}", expression(predicate, &plan.schema));
            }
            text
        }
        Operator::External(source) => {
            let format = source.format.as_deref().unwrap_or("by name");
            format!("External {} files, {format}", source.addresses.len())
        }
        Operator::Values { rows } => {
            const SHOWN_MAX: usize = 3;
            let mut shown: Vec<String> = rows
                .iter()
                .take(SHOWN_MAX)
                .map(|row| {
                    let values: Vec<String> = row.iter().map(value_text).collect();
                    format!("({})", values.join(", "))
                })
                .collect();
            if rows.len() > SHOWN_MAX {
                shown.push("…".to_string());
            }
            let noun = if rows.len() == 1 { "row" } else { "rows" };
            format!("Values {} {noun} [{}] {}", rows.len(), columns(&plan.schema), shown.join(" "))
                .trim_end()
                .to_string()
        }
        Operator::Range { from, to, step } => {
            let name = plan.schema.first().map_or("", |column| column.name.as_str());
            format!(
                "Range {name} from {} to {} step {}",
                expression(from, &nothing),
                expression(to, &nothing),
                expression(step, &nothing)
            )
        }
        Operator::Filter { predicate, .. } => format!("Filter {}", expression(predicate, input)),
        Operator::Project { expressions, .. } => {
            format!("Project {}", assignments(expressions, &plan.schema, input))
        }
        Operator::Summarize { keys, aggregates, .. } => {
            let names = plan.schema.get(keys.len()..).unwrap_or_default();
            let aggregates = aggregate_list(aggregates, names, input);
            let mut text = String::from("Summarize");
            if !aggregates.is_empty() {
                let _ = write!(text, " {aggregates}");
            }
            if !keys.is_empty() {
                let _ = write!(text, " by {}", assignments(keys, &plan.schema, input));
            }
            text
        }
        Operator::Sort { keys, .. } => format!("Sort by {}", sort_keys(keys, input)),
        Operator::Top { keys, limit, .. } => {
            format!("Top {} by {}", expression(limit, &nothing), sort_keys(keys, input))
        }
        Operator::Take { limit, .. } => format!("Take {}", expression(limit, &nothing)),
        Operator::Join { kind, left, right, left_keys, right_keys } => {
            let keys: Vec<String> = left_keys
                .iter()
                .zip(right_keys)
                .map(|(a, b)| format!("{} == {}", expression(a, &left.schema), expression(b, &right.schema)))
                .collect();
            format!("Join {} on {} [{}]", join_kind(*kind), keys.join(", "), columns(&plan.schema))
        }
        Operator::Union { kind, .. } => {
            let kind = match kind {
                crate::plan::UnionKind::Inner => "inner",
                crate::plan::UnionKind::Outer => "outer",
            };
            format!("Union {kind} [{}]", columns(&plan.schema))
        }
        Operator::MvExpand { expansions, bag_expansion, with_item_index, row_limit, .. } => {
            let mut text = format!("MvExpand {}", expansion_list(expansions, &plan.schema, input));
            if *bag_expansion == crate::plan::BagExpansion::Array {
                text.push_str(" bags as arrays");
            }
            if *with_item_index {
                text.push_str(" with index");
            }
            if let Some(limit) = row_limit {
                let _ = write!(text, " limit {limit}");
            }
            text
        }
        Operator::MvApply { expansions, with_item_index, row_limit, kept, subquery, .. } => {
            let kept: Vec<&str> = kept.iter().map(|position| name_of(input, *position)).collect();
            let mut text = format!(
                "MvApply {} keep [{}]",
                expansion_list(expansions, &subquery.schema, input),
                kept.join(", ")
            );
            if *with_item_index {
                text.push_str(" with index");
            }
            if let Some(limit) = row_limit {
                let _ = write!(text, " limit {limit}");
            }
            text
        }
        Operator::Argument => "Argument".to_string(),
        Operator::Parse { source, kind, flags, segments, outputs, filter, .. } => {
            let first = plan.schema.len().saturating_sub(outputs.len());
            let segments: Vec<String> = segments
                .iter()
                .map(|segment| match segment {
                    ParseSegment::Star => "*".to_string(),
                    ParseSegment::Text(text) => quoted(text),
                    ParseSegment::Capture { output } => {
                        let ty = outputs.get(*output).map_or("", |ty| ty.name());
                        format!("{}:{ty}", name_of(&plan.schema, first + output))
                    }
                })
                .collect();
            let keyword = if *filter { "ParseWhere" } else { "Parse" };
            let kind = match kind {
                crate::plan::ParseKind::Simple => "simple",
                crate::plan::ParseKind::Regex => "regex",
                crate::plan::ParseKind::Relaxed => "relaxed",
            };
            let flags = if flags.is_empty() { String::new() } else { format!(" flags={flags}") };
            format!("{keyword} {kind}{flags} {} with {}", expression(source, input), segments.join(" "))
        }
        Operator::ParseKv { source, keys, .. } => {
            let keys: Vec<String> = keys.iter().map(|(name, ty)| format!("{name}:{ty}")).collect();
            format!("ParseKv {} as ({})", expression(source, input), keys.join(", "))
        }
        Operator::MakeSeries { aggregates, series, axis, from, to, step, keys, .. } => {
            let names = plan.schema.get(keys.len()..).unwrap_or_default();
            // Outputs of aggregates are shown as the calls they are of.
            let outputs: Schema = aggregates
                .iter()
                .flat_map(|found| {
                    let text = aggregate(found, input);
                    found.outputs.iter().map(move |ty| Column::new(text.clone(), *ty))
                })
                .collect();
            let series: Vec<String> = series
                .iter()
                .enumerate()
                .map(|(position, series)| {
                    format!(
                        "{} = {} default {}",
                        name_of(names, position),
                        expression(&series.value, &outputs),
                        expression(&series.default, input)
                    )
                })
                .collect();
            let mut text = format!("MakeSeries {} on {}", series.join(", "), expression(axis, input));
            for (word, bound) in [("from", from), ("to", to)] {
                if let Some(bound) = bound {
                    let _ = write!(text, " {word} {}", expression(bound, input));
                }
            }
            let _ = write!(text, " step {}", expression(step, input));
            if !keys.is_empty() {
                let _ = write!(text, " by {}", assignments(keys, &plan.schema, input));
            }
            text
        }
        Operator::Serialize { .. } => "Serialize".to_string(),
        Operator::Shared { id, .. } => format!("Shared #{id}"),
        Operator::Sample { count, .. } => format!("Sample {}", expression(count, &nothing)),
        Operator::SampleDistinct { count, of, .. } => {
            format!("SampleDistinct {} of {}", expression(count, &nothing), expression(of, input))
        }
        Operator::Plugin { plugin, options, .. } => {
            let options: Vec<String> = options.iter().map(value_text).collect();
            format!("Plugin {}({})", plugin.spec().name, options.join(", "))
        }
        Operator::ScalarApply { parameters, .. } => {
            let given: Vec<String> = parameters
                .iter()
                .map(|(number, value)| format!("$outer{number} = {}", expression(value, input)))
                .collect();
            format!("ScalarApply {}", given.join(", "))
        }
        Operator::Reduce { source, reduction, annotate, .. } => {
            let mut text = format!("Reduce {} threshold {}", expression(source, input), reduction.threshold);
            if let Some(characters) = &reduction.characters {
                let _ = write!(text, " characters {}", quoted(characters));
            }
            if *annotate {
                text.push_str(" beside rows");
            }
            text
        }
        Operator::ScanSteps { partition, defaults, steps, with_match_id, .. } => {
            scan_steps(input, partition, defaults, steps, *with_match_id, &plan.schema)
        }
        Operator::GraphSearch(search) => graph::search(search, &plan.schema),
        Operator::GraphTable { graph, nodes, hashes } => {
            graph::table(graph, *nodes, hashes.len(), &plan.schema)
        }
        Operator::GraphPartition { build, edge_key, .. } => {
            let name = build.edges.schema.get(*edge_key).map_or("", |column| column.name.as_str());
            format!("GraphPartition by {name}")
        }
        Operator::Partition { key, parameter, .. } => {
            let name = parameter.map(|number| format!(" as $outer{number}")).unwrap_or_default();
            format!("Partition by {}{name}", expression(key, input))
        }
    }
}

/// `step.column` stands for what a step matched.
fn scan_steps(
    input: &Schema,
    partition: &[Expr],
    defaults: &[Value],
    steps: &[ScanStep],
    with_match_id: bool,
    schema: &Schema,
) -> String {
    let record = &schema[..(input.len() + defaults.len()).min(schema.len())];
    let mut seen: Schema = record.to_vec();
    for step in steps {
        let named = |column: &Column| Column::new(format!("{}.{}", step.name, column.name), column.ty);
        seen.extend(record.iter().map(named));
    }
    let mut text = String::from("ScanSteps");
    if !partition.is_empty() {
        let keys: Vec<String> = partition.iter().map(|key| expression(key, input)).collect();
        let _ = write!(text, " partition by {}", keys.join(", "));
    }
    if with_match_id {
        let _ = write!(text, " with {}", schema.last().map_or("", |column| column.name.as_str()));
    }
    if !defaults.is_empty() {
        let declared: Vec<String> = record[input.len()..]
            .iter()
            .zip(defaults)
            .map(|(column, default)| format!("{} = {}", column.name, value_text(default)))
            .collect();
        let _ = write!(text, " declare [{}]", declared.join(", "));
    }
    for step in steps {
        let output = match step.output {
            ScanOutput::All => "",
            ScanOutput::Last => " output last",
            ScanOutput::None => " output none",
        };
        let optional = if step.optional { " optional" } else { "" };
        let _ = write!(text, " {}{optional}{output}: {}", step.name, expression(&step.condition, &seen));
        for (number, (position, value)) in step.assignments.iter().enumerate() {
            let lead = if number == 0 { " =>" } else { "," };
            let _ = write!(text, "{lead} {} = {}", name_of(record, *position), expression(value, &seen));
        }
        text.push(';');
    }
    text
}

/// The plans within the expressions of an operator.
pub fn subqueries(operator: &Operator) -> Vec<&Plan> {
    let mut found = Vec::new();
    crate::optimise::tree::visit_expressions(operator, &mut |expression| {
        collect_subqueries(expression, &mut found)
    });
    found
}

fn collect_subqueries<'a>(expression: &'a Expr, found: &mut Vec<&'a Plan>) {
    match &expression.kind {
        ExprKind::ScalarSubquery(plan) | ExprKind::CorrelatedSubquery { plan, .. } => found.push(plan),
        ExprKind::InSubquery { value, plan, .. } => {
            collect_subqueries(value, found);
            found.push(plan);
        }
        ExprKind::Call { arguments, .. } => {
            for argument in arguments {
                collect_subqueries(argument, found);
            }
        }
        ExprKind::Column(_) | ExprKind::Constant(_) | ExprKind::Parameter(_) => {}
    }
}

fn name_of(schema: &[Column], position: usize) -> &str {
    schema.get(position).map_or("?", |column| column.name.as_str())
}

fn columns(schema: &Schema) -> String {
    let columns: Vec<String> = schema.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
    columns.join(", ")
}

/// `name = expression`, or the name alone where it is that column.
fn assignments(expressions: &[Expr], names: &[Column], input: &Schema) -> String {
    let parts: Vec<String> = expressions
        .iter()
        .enumerate()
        .map(|(position, value)| {
            let (name, text) = (name_of(names, position), expression(value, input));
            if name == text { text } else { format!("{name} = {text}") }
        })
        .collect();
    parts.join(", ")
}

fn aggregate_list(aggregates: &[Aggregate], names: &[Column], input: &Schema) -> String {
    let mut first = 0;
    let mut parts = Vec::with_capacity(aggregates.len());
    for found in aggregates {
        let count = found.outputs.len();
        let outputs: Vec<&str> = (first..first + count).map(|position| name_of(names, position)).collect();
        let outputs = if count == 1 { outputs.concat() } else { format!("({})", outputs.join(", ")) };
        parts.push(format!("{outputs} = {}", aggregate(found, input)));
        first += count;
    }
    parts.join(", ")
}

fn aggregate(aggregate: &Aggregate, input: &Schema) -> String {
    let arguments: Vec<String> =
        aggregate.arguments.iter().map(|argument| expression(argument, input)).collect();
    let name = aggregate.function.spec().name;
    // The default size of a collection says nothing.
    let arguments = match aggregate.function {
        FunctionId::Aggregate(AggregateFunction::MakeList | AggregateFunction::MakeSet)
            if arguments.get(1).is_some_and(|limit| limit == "1048576") =>
        {
            arguments[..1].to_vec()
        }
        _ => arguments,
    };
    let mut text = format!("{name}({})", arguments.join(", "));
    if let Some(condition) = &aggregate.condition {
        let _ = write!(text, " if {}", expression(condition, input));
    }
    text
}

fn expansion_list(expansions: &[crate::plan::Expansion], _names: &Schema, input: &Schema) -> String {
    let parts: Vec<String> = expansions
        .iter()
        .map(|expansion| {
            let mut text = expression(&expansion.source, input);
            if let Some(position) = expansion.replaces
                && name_of(input, position) != text
            {
                text = format!("{} = {text}", name_of(input, position));
            }
            if expansion.ty != Type::Dynamic {
                let _ = write!(text, " to {}", expansion.ty);
            }
            text
        })
        .collect();
    parts.join(", ")
}

fn sort_keys(keys: &[SortKey], input: &Schema) -> String {
    let parts: Vec<String> = keys
        .iter()
        .map(|key| {
            let direction = if key.descending { "desc" } else { "asc" };
            let nulls = match (key.descending, key.nulls_first) {
                (true, true) => " nulls first",
                (false, false) => " nulls last",
                _ => "",
            };
            format!("{} {direction}{nulls}", expression(&key.expression, input))
        })
        .collect();
    parts.join(", ")
}

fn join_kind(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::InnerUnique => "innerunique",
        JoinKind::Inner => "inner",
        JoinKind::LeftOuter => "leftouter",
        JoinKind::RightOuter => "rightouter",
        JoinKind::FullOuter => "fullouter",
        JoinKind::LeftSemi => "leftsemi",
        JoinKind::RightSemi => "rightsemi",
        JoinKind::LeftAnti => "leftanti",
        JoinKind::RightAnti => "rightanti",
    }
}

/// An expression as text, over the columns of a schema.
pub fn expression(expression: &Expr, schema: &Schema) -> String {
    let mut out = String::new();
    write_expression(&mut out, expression, schema);
    out
}

fn write_expression(out: &mut String, value: &Expr, schema: &Schema) {
    match &value.kind {
        ExprKind::Column(position) => match schema.get(*position) {
            Some(column) => out.push_str(&column.name),
            None => {
                let _ = write!(out, "#{position}");
            }
        },
        ExprKind::Constant(value) => out.push_str(&value_text(value)),
        ExprKind::Call { function, arguments } => write_call(out, *function, arguments, schema),
        ExprKind::Parameter(number) => {
            let _ = write!(out, "$outer{number}");
        }
        ExprKind::ScalarSubquery(_) | ExprKind::CorrelatedSubquery { .. } => out.push_str("(subquery)"),
        ExprKind::InSubquery { value, negated, ignore_case, .. } => {
            write_operand(out, value, schema);
            let not = if *negated { "!" } else { "" };
            let tilde = if *ignore_case { "~" } else { "" };
            let _ = write!(out, " {not}in{tilde} (subquery)");
        }
    }
}

fn write_operand(out: &mut String, value: &Expr, schema: &Schema) {
    let infix = matches!(&value.kind, ExprKind::Call { function: FunctionId::Operator(_), arguments } if arguments.len() == 2)
        && !value_is_access(value);
    if infix {
        out.push('(');
        write_expression(out, value, schema);
        out.push(')');
    } else {
        write_expression(out, value, schema);
    }
}

fn value_is_access(value: &Expr) -> bool {
    use crate::function::OperatorFunction::{Element, Member};
    matches!(&value.kind, ExprKind::Call { function: FunctionId::Operator(Member | Element), .. })
}

fn write_call(out: &mut String, function: FunctionId, arguments: &[Expr], schema: &Schema) {
    use crate::function::OperatorFunction as O;
    let name = function.spec().name;
    match (function, arguments) {
        (FunctionId::Operator(O::Member), [bag, key]) => {
            write_operand(out, bag, schema);
            match &key.kind {
                ExprKind::Constant(Value::String(key)) => {
                    let _ = write!(out, ".{key}");
                }
                _ => {
                    out.push('[');
                    write_expression(out, key, schema);
                    out.push(']');
                }
            }
        }
        (FunctionId::Operator(O::Element), [array, index]) => {
            write_operand(out, array, schema);
            out.push('[');
            write_expression(out, index, schema);
            out.push(']');
        }
        (FunctionId::Operator(O::Between | O::NotBetween), [value, low, high]) => {
            write_operand(out, value, schema);
            let _ = write!(out, " {name} (");
            write_expression(out, low, schema);
            out.push_str(" .. ");
            write_expression(out, high, schema);
            out.push(')');
        }
        (
            FunctionId::Operator(
                O::In | O::NotIn | O::InIgnoreCase | O::NotInIgnoreCase | O::HasAny | O::HasAll,
            ),
            [value, list @ ..],
        ) => {
            write_operand(out, value, schema);
            let _ = write!(out, " {name} (");
            write_list(out, list, schema);
            out.push(')');
        }
        (FunctionId::Operator(O::Negate), [operand]) => {
            out.push('-');
            write_operand(out, operand, schema);
        }
        (FunctionId::Operator(O::Not), [operand]) => {
            out.push_str("not(");
            write_expression(out, operand, schema);
            out.push(')');
        }
        (FunctionId::Operator(_), [left, right]) => {
            write_operand(out, left, schema);
            let _ = write!(out, " {name} ");
            write_operand(out, right, schema);
        }
        _ => {
            let _ = write!(out, "{name}(");
            write_list(out, arguments, schema);
            out.push(')');
        }
    }
}

fn write_list(out: &mut String, list: &[Expr], schema: &Schema) {
    for (position, item) in list.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write_expression(out, item, schema);
    }
}

/// A constant as the language writes it.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Null(ty) => format!("{ty}(null)"),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => format!("int({number})"),
        Value::Long(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Decimal(number) => format!("decimal({number})"),
        Value::DateTime(ticks) => format!("datetime({})", datetime_text(*ticks)),
        Value::TimeSpan(ticks) => format!("time({})", timespan_text(*ticks)),
        Value::String(text) => quoted(text),
        Value::Guid(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("guid({hex})")
        }
        Value::Dynamic(value) => format!("dynamic({})", dynamic_text(value)),
    }
}

fn dynamic_text(value: &Dynamic) -> String {
    match value {
        Dynamic::Null => "null".to_string(),
        Dynamic::Bool(flag) => flag.to_string(),
        Dynamic::Long(number) => number.to_string(),
        Dynamic::Real(number) => format!("{number:?}"),
        Dynamic::Decimal(number) => number.to_string(),
        Dynamic::DateTime(ticks) => value_text(&Value::DateTime(*ticks)),
        Dynamic::TimeSpan(ticks) => value_text(&Value::TimeSpan(*ticks)),
        Dynamic::String(text) => format!("{text:?}"),
        Dynamic::Guid(bytes) => value_text(&Value::Guid(*bytes)),
        Dynamic::Array(items) => {
            let items: Vec<String> = items.iter().map(dynamic_text).collect();
            format!("[{}]", items.join(","))
        }
        Dynamic::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", dynamic_text(value))).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

const TICKS_A_SECOND: i64 = 10_000_000;
const TICKS_A_DAY: i64 = 86_400 * TICKS_A_SECOND;

/// `2020-01-31`, or `2020-01-31T12:00:00.5Z` if it is not midnight.
fn datetime_text(ticks: i64) -> String {
    let (days, rest) = (ticks.div_euclid(TICKS_A_DAY), ticks.rem_euclid(TICKS_A_DAY));
    // Years are counted from March, so that leap days come last (days since 0000-03-01).
    let days = days + 306;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest == 0 { date } else { format!("{date}T{}Z", clock_text(rest)) }
}

/// `[-][d.]hh:mm:ss[.fffffff]`
fn timespan_text(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let day = TICKS_A_DAY.unsigned_abs();
    let (days, rest) = (ticks / day, i64::try_from(ticks % day).unwrap_or(0));
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    format!("{sign}{days}{}", clock_text(rest))
}

fn clock_text(ticks: i64) -> String {
    let seconds = ticks / TICKS_A_SECOND;
    let fraction = ticks % TICKS_A_SECOND;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return clock;
    }
    let digits = format!("{fraction:07}");
    format!("{clock}.{}", digits.trim_end_matches('0'))
}
