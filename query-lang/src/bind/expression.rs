//! Expressions: what a name or a written form stands for, be it a scalar, a table or a database.

use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast};
use crate::function::{FunctionId, FunctionKind, OperatorFunction};
use crate::plan::graph::GraphPlan;
use crate::plan::{Expr, ExprKind, Operator};
use crate::span::Span;
use crate::types::Type;
use crate::value::{Dynamic, Value};

use super::comparison::{cast, operator};
use super::scope::{Entity, Function, Relation};
use super::{Bind, Binder, Reported, has_columns, literal};

/// What an expression of the text turned out to be.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Scalar(Expr),
    Table(Box<Relation>),
    Graph(Box<GraphPlan>),
    /// A pipeline that only gave names to results.
    Named,
    Database(String),
}

/// A `toscalar` being bound: what its subquery reads of the row around it.
pub(super) struct Correlation {
    row: Option<u32>,
    parameters: Vec<(u32, Expr)>,
}

impl Meaning {
    fn kind(&self) -> &'static str {
        match self {
            Meaning::Scalar(_) => "scalar",
            Meaning::Table(_) => "tabular",
            Meaning::Graph(_) => "graph",
            Meaning::Named => "named",
            Meaning::Database(_) => "database",
        }
    }
}

impl Binder<'_> {
    /// An expression that must be a scalar.
    pub(super) fn scalar(&mut self, expression: &ast::Expr) -> Bind<Expr> {
        match self.meaning(expression)? {
            Meaning::Scalar(expression) => Ok(expression),
            other => {
                let found = shortened(expression.span.text(self.text));
                let message =
                    format!("A scalar value is expected here, found a {} one: {found}", other.kind());
                Err(self.error("SEM0108", message, expression.span))
            }
        }
    }

    /// A scalar of exactly that type, or dynamic, which is converted.
    pub(super) fn scalar_of(&mut self, expression: &ast::Expr, ty: Type) -> Bind<Expr> {
        let bound = self.scalar(expression)?;
        self.expect_type(bound, ty, expression.span)
    }

    pub(super) fn expect_type(&mut self, bound: Expr, ty: Type, span: Span) -> Bind<Expr> {
        let widens = bound.ty.is_number() && ty.is_number() && bound.ty < ty;
        if bound.ty == ty || bound.ty == Type::Dynamic || widens {
            return Ok(cast(bound, ty));
        }
        Err(self.error("SEM0141", format!("A value of type {ty} is expected here, found {}", bound.ty), span))
    }

    /// A scalar that comes to a constant.
    pub(super) fn constant_of(&mut self, expression: &ast::Expr) -> Bind<Value> {
        let bound = self.scalar(expression)?;
        match self.constant(&bound) {
            Some(value) => Ok(value),
            None => Err(self.error("SEM0129", "The expression must be a constant", expression.span)),
        }
    }

    pub(super) fn constant_text(&mut self, expression: &ast::Expr) -> Bind<String> {
        match self.constant_of(expression)? {
            Value::String(text) | Value::Dynamic(Dynamic::String(text)) => Ok(text),
            other => {
                let message = format!("A constant text is expected here, found {}", other.ty());
                Err(self.error("SEM0141", message, expression.span))
            }
        }
    }

    /// A scalar without columns, of integer type: the count of `take`, `top` and their kin.
    pub(super) fn row_count(&mut self, expression: &ast::Expr) -> Bind<Expr> {
        let bound = self.with_row_scope(None, |binder| binder.scalar(expression))?;
        let bound = self.folded(bound);
        if !bound.ty.is_integer() && bound.ty != Type::Dynamic {
            return Err(self.error("SEM0134", "The expression value must be an integer", expression.span));
        }
        Ok(cast(bound, Type::Long))
    }

    /// An expression that must be a table. A table within an expression knows no columns around it.
    pub(super) fn table(&mut self, expression: &ast::Expr) -> Bind<Relation> {
        match self.with_row_scope(None, |binder| binder.meaning(expression))? {
            Meaning::Table(relation) => Ok(*relation),
            Meaning::Graph(_) => {
                let message = "A tabular value is expected here, found a graph: an operator such as 'graph-match' or 'graph-to-table' makes rows of it";
                Err(self.error("SEM0111", message, expression.span))
            }
            Meaning::Scalar(_) | Meaning::Database(_) | Meaning::Named => {
                Err(self.error("SEM0111", "A tabular value is expected here", expression.span))
            }
        }
    }

    pub(super) fn meaning(&mut self, expression: &ast::Expr) -> Bind<Meaning> {
        self.deeper(expression.span, |binder| binder.meaning_of(expression))
    }

    fn meaning_of(&mut self, expression: &ast::Expr) -> Bind<Meaning> {
        let span = expression.span;
        let scalar = match &expression.kind {
            Ast::Name(name) => return self.name(&name.text, name.span),
            Ast::Literal(literal) => Expr::constant(literal::value_of(literal)),
            Ast::Parenthesized(inner) => return self.meaning(inner),
            Ast::Pipeline(pipeline) => return self.pipeline_meaning(pipeline, span),
            Ast::Call(call) => return self.call(call, span),
            Ast::Member { object, name } => return self.member(object, name),
            Ast::DataTable(table) => return self.data_table(table, span).map(table_meaning),
            Ast::Materialize(wrapped) => {
                let relation = self.table(&wrapped.pipeline)?;
                return Ok(table_meaning(self.share(relation)));
            }
            Ast::ToTable(wrapped) => return self.table(&wrapped.pipeline).map(table_meaning),
            Ast::DataScope { source, .. } => return self.meaning(source),
            Ast::ToScalar(wrapped) => self.first_value(&wrapped.pipeline)?,
            Ast::Unary { operator, operand } => {
                let bound = self.scalar(operand)?;
                match operator {
                    ast::UnaryOperator::Minus => self.negated(bound, span)?,
                    ast::UnaryOperator::Plus => {
                        if bound.ty.is_number() || matches!(bound.ty, Type::TimeSpan | Type::Dynamic) {
                            bound
                        } else {
                            let message =
                                format!("The operator '+' is not defined for the operand type {}", bound.ty);
                            return Err(self.error("SEM0064", message, span));
                        }
                    }
                }
            }
            Ast::Binary { .. } => self.binary_chain(expression)?,
            Ast::Membership { operator, operator_span, value, list } => {
                self.membership_of(*operator, *operator_span, value, list)?
            }
            Ast::Between { negated, value, low, high } => {
                let value = self.scalar(value);
                let low = self.scalar(low);
                let high = self.scalar(high);
                self.between(*negated, value?, low?, high?, span)?
            }
            Ast::Element { object, index } => self.element(object, index)?,
            Ast::Named { value, .. } => return self.meaning(value),
            Ast::Wildcard(_) | Ast::BracketedWildcard(_) | Ast::Star => {
                return Err(self.error("SEM0191", "A wildcard is not allowed here", span));
            }
            Ast::TypeOf(_) => return Err(self.error("SEM0160", "A type is not allowed here", span)),
            Ast::NamedTuple { .. } | Ast::TypedName(_) | Ast::NameList(_) => {
                return Err(self.error("SEM0149", "This form is not allowed here", span));
            }
            Ast::ExternalData(node) => return self.external_data(node, span).map(table_meaning),
            Ast::ContextualDataTable(_) => return Err(self.unsupported("'__contextual_datatable'", span)),
            Ast::InlineExternalTable(node) => {
                return self.inline_external_table(node, span).map(table_meaning);
            }
            Ast::MaterializedViewCombine(_) => {
                return Err(self.unsupported("'materialized-view-combine'", span));
            }
            Ast::EntityGroup(_) => return Err(self.unsupported("'entity_group'", span)),
            Ast::Missing => return Err(self.give_up()),
        };
        Ok(Meaning::Scalar(scalar))
    }

    /// Binary operators nest to the left, often deeply (`a + b + c …`): they are taken without recursion.
    fn binary_chain(&mut self, expression: &ast::Expr) -> Bind<Expr> {
        let mut chain = Vec::new();
        let mut leftmost = expression;
        while let Ast::Binary { operator, operator_span, left, right } = &leftmost.kind {
            chain.push((*operator, *operator_span, right));
            leftmost = left;
        }
        let mut chain = chain.into_iter().rev();
        let mut value = match (&leftmost.kind, &self.row) {
            // `* has "x"`: in any column.
            (Ast::Star, Some(row)) if !row.hidden => {
                let columns: Vec<(usize, Type)> =
                    row.columns.iter().map(|column| column.ty).enumerate().collect();
                match chain.next() {
                    Some((operator, span, right)) => {
                        let right = self.scalar(right)?;
                        self.in_any_column(operator, right, &columns, span)
                    }
                    None => Err(self.give_up()),
                }
            }
            _ => self.scalar(leftmost),
        };
        for (operator, span, right) in chain {
            let right = self.scalar(right);
            value = match (value, right) {
                (Ok(left), Ok(right)) => self.binary(operator, left, right, span),
                _ => Err(Reported),
            };
        }
        value
    }

    /// A name: a column of the row, something named in the query, a table or a stored function.
    fn name(&mut self, name: &str, span: Span) -> Bind<Meaning> {
        if self.note_cursor(name) {
            return Err(self.give_up());
        }
        if let Some(row) = &self.row
            && let Some(position) = row.position(name)
        {
            let ty = row.columns[position].ty;
            if self.broken_columns.contains(name) {
                return Err(self.give_up());
            }
            self.note_use(span, |_| Some(super::notes::Use::Column(ty)));
            return Ok(Meaning::Scalar(Expr::column(position, ty)));
        }
        if let Some(entity) = self.names.find(name).cloned() {
            self.note_entity(span, &entity);
            // What a name stands for is copied to its place: names of names could grow without bound.
            let size = match &entity {
                Entity::Table(relation) => plan_size(&relation.plan),
                Entity::Graph(graph) => graph.inputs().into_iter().map(plan_size).sum(),
                Entity::Scalar { expression, .. } => expression_size(expression),
                _ => 0,
            };
            self.charge(size, span)?;
            return self.entity(entity, name, span);
        }
        let database = self.database.clone();
        if let Some(found) = self.stored(&database, name, span)? {
            self.note_meaning(span, &found);
            return Ok(found);
        }
        Err(self.unknown_name(name, span))
    }

    fn entity(&mut self, entity: Entity, name: &str, span: Span) -> Bind<Meaning> {
        match entity {
            Entity::Broken => Err(self.give_up()),
            Entity::Hidden => Err(self.unreachable(name, span)),
            Entity::Cluster => Ok(Meaning::Database(self.database.clone())),
            Entity::Group(_) => {
                let message = format!("The entity group '{name}' is for 'macro-expand' only");
                Err(self.error("SEM0100", message, span))
            }
            Entity::Table(relation) => Ok(table_meaning(Relation::clone(&relation))),
            Entity::Graph(graph) => Ok(Meaning::Graph(Box::new(GraphPlan::clone(&graph)))),
            Entity::GraphElement(element) => self.whole_graph_element(element, span).map(Meaning::Scalar),
            Entity::Database(database) => Ok(Meaning::Database(database)),
            Entity::Scalar { expression, row } => {
                if row.is_some() && row != self.row.as_ref().map(|row| row.number) {
                    if let Some(parameter) = self.correlated(&expression, row) {
                        return Ok(Meaning::Scalar(parameter));
                    }
                    let message = format!(
                        "'{name}' depends on a column of a row and cannot be used in a subquery over other rows"
                    );
                    return Err(self.error("SEM0100", message, span));
                }
                Ok(Meaning::Scalar(expression))
            }
            Entity::Function(function) => self.call_without_arguments(&function, span),
            Entity::Pattern(_) => {
                let message = format!("The pattern '{name}' requires an argument list");
                Err(self.error("SEM0117", message, span))
            }
        }
    }

    /// A function named without parentheses stands for its call if it needs no arguments.
    fn call_without_arguments(&mut self, function: &Rc<Function>, span: Span) -> Bind<Meaning> {
        if function.least_arguments() > 0 {
            let message = format!("The function '{}' requires an argument list", function.name);
            return Err(self.error("SEM0117", message, span));
        }
        self.call_function(function, &[], span)
    }

    /// A table or stored function of a database.
    pub(super) fn stored(&mut self, database: &str, name: &str, span: Span) -> Bind<Option<Meaning>> {
        if let Some(info) = self.catalog.table(database, name) {
            if !self.is_reachable(database, name) {
                return Err(self.unreachable(name, span));
            }
            let operator = Operator::Scan {
                database: database.to_string(),
                table: name.to_string(),
                columns: info.schema.iter().map(|column| column.name.clone()).collect(),
                predicate: None,
            };
            let plan = self.plan(operator, info.schema);
            return Ok(Some(table_meaning(Relation::new(plan).named(Some(name.to_string())))));
        }
        match self.stored_function(database, name, span)? {
            Some(function) => self.call_without_arguments(&function, span).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn unknown_name(&mut self, name: &str, span: Span) -> Reported {
        let mut candidates: Vec<String> = Vec::new();
        let in_row = self.row.as_ref().is_some_and(|row| !row.hidden);
        if let Some(row) = self.row.as_ref().filter(|row| !row.hidden) {
            candidates.extend(row.columns.iter().map(|column| column.name.clone()));
        }
        candidates.extend(self.names.all().map(|(name, _)| name.to_string()));
        if !in_row {
            candidates.extend(self.catalog.tables(&self.database));
            candidates.extend(self.catalog.functions(&self.database));
        }
        let what = if in_row { "scalar" } else { "table or column" };
        let message =
            format!("'{}' operator: Failed to resolve {what} expression named '{name}'", self.operator);
        self.unknown("SEM0100", message, span, name, candidates.iter().map(String::as_str))
    }

    /// `object.name`: a side of a join, something of a database, or a property of a dynamic value.
    fn member(&mut self, object: &ast::Expr, name: &ast::Name) -> Bind<Meaning> {
        if let Ast::Name(side) = &object.kind
            && (side.text == "$left" || side.text == "$right")
        {
            return self.side_column(&side.text, name).map(Meaning::Scalar);
        }
        if let Ast::Name(step) = &object.kind
            && let Some(found) = self.step_column(step, name)
        {
            return found.map(Meaning::Scalar);
        }
        if let Ast::Call(call) = &object.kind
            && let Some(Entity::Pattern(pattern)) = self.names.find(&call.name.text)
        {
            let pattern = pattern.clone();
            return self.call_pattern(&pattern, call, Some(&name.text), object.span.to(name.span));
        }
        if let Some(element) = self.graph_element(object) {
            if self.takes_notes() {
                self.note_entity(object.span, &Entity::GraphElement(element));
                if name.text == super::notes::CURSOR
                    && let Some(properties) = self.graph_properties(element)
                {
                    self.note_member(super::notes::Object::Properties(properties.as_ref().clone()));
                }
            }
            return self.graph_property(element, &name.text, name.span).map(Meaning::Scalar);
        }
        let object_meaning = self.meaning(object)?;
        if self.takes_notes() && name.text == super::notes::CURSOR {
            match &object_meaning {
                Meaning::Database(database) => {
                    self.note_member(super::notes::Object::Database(database.clone()));
                }
                Meaning::Scalar(value) => self.note_member(super::notes::Object::Value(value.ty)),
                Meaning::Table(_) | Meaning::Graph(_) | Meaning::Named => {}
            }
        }
        match object_meaning {
            Meaning::Database(database) if name.text == "$current_database" => {
                Ok(Meaning::Scalar(Expr::constant(Value::String(database))))
            }
            Meaning::Database(_) if name.text == "$current_cluster_endpoint" => {
                let endpoint = self.catalog.cluster_endpoint();
                Ok(Meaning::Scalar(Expr::constant(Value::String(endpoint))))
            }
            Meaning::Database(database) => match self.stored(&database, &name.text, name.span)? {
                Some(found) => {
                    self.note_meaning(name.span, &found);
                    Ok(found)
                }
                None => Err(self.unknown_stored(&database, &name.text, name.span)),
            },
            Meaning::Scalar(bag) if bag.ty == Type::Dynamic => {
                let key = Expr::constant(Value::String(name.text.clone()));
                Ok(Meaning::Scalar(operator(OperatorFunction::Member, vec![bag, key], Type::Dynamic)))
            }
            Meaning::Scalar(other) => {
                let message = format!("A value of type {} has no property '{}'", other.ty, name.text);
                Err(self.error("SEM0100", message, name.span))
            }
            Meaning::Graph(_) | Meaning::Named => {
                let message = format!("A graph has no property '{}'", name.text);
                Err(self.error("SEM0100", message, name.span))
            }
            Meaning::Table(_) => {
                let message = format!("A table has no property '{}'", name.text);
                Err(self.error("SEM0100", message, name.span))
            }
        }
    }

    fn side_column(&mut self, side: &str, name: &ast::Name) -> Bind<Expr> {
        let found = self.row.as_ref().and_then(|row| {
            let split = row.left_columns?;
            let (start, columns) =
                if side == "$left" { (0, &row.columns[..split]) } else { (split, &row.columns[split..]) };
            let position = columns.iter().position(|column| column.name == name.text);
            Some(position.map(|position| Expr::column(start + position, columns[position].ty)))
        });
        match found {
            Some(Some(column)) => Ok(column),
            Some(None) => {
                let message =
                    format!("'{}' operator: Failed to resolve column named '{}'", self.operator, name.text);
                let columns: Vec<String> = self
                    .row
                    .as_ref()
                    .map(|row| row.columns.iter().map(|column| column.name.clone()).collect())
                    .unwrap_or_default();
                Err(self.unknown(
                    "SEM0100",
                    message,
                    name.span,
                    &name.text,
                    columns.iter().map(String::as_str),
                ))
            }
            None => Err(self.error(
                "SEM0100",
                format!("'{side}' is allowed only in the condition of a join"),
                name.span,
            )),
        }
    }

    fn element(&mut self, object: &ast::Expr, index: &ast::Expr) -> Bind<Expr> {
        if let Ast::Name(step) = &object.kind
            && let Some(found) = self.step_element(step, index)
        {
            return found;
        }
        let object_span = object.span;
        if let (Some(element), Ast::Literal(ast::LiteralValue::String(text))) =
            (self.graph_element(object), &index.kind)
        {
            return self.graph_property(element, &text.value, index.span);
        }
        let object = self.scalar(object)?;
        let bound = self.scalar(index)?;
        if object.ty != Type::Dynamic {
            let message = format!("The operator '[]' is not defined for the operand type {}", object.ty);
            return Err(self.error("SEM0147", message, object_span));
        }
        match bound.ty {
            Type::String => Ok(operator(OperatorFunction::Member, vec![object, bound], Type::Dynamic)),
            Type::Int | Type::Long => {
                Ok(operator(OperatorFunction::Element, vec![object, cast(bound, Type::Long)], Type::Dynamic))
            }
            Type::Dynamic => {
                // Which of the two it is shows only in the rows: what is no name is a number.
                let by_name = operator(
                    OperatorFunction::Member,
                    vec![object.clone(), cast(bound.clone(), Type::String)],
                    Type::Dynamic,
                );
                let by_index =
                    operator(OperatorFunction::Element, vec![object, cast(bound, Type::Long)], Type::Dynamic);
                match FunctionId::by_name("coalesce") {
                    Some(coalesce) => Ok(Expr::call(coalesce, vec![by_index, by_name], Type::Dynamic)),
                    None => Ok(by_name),
                }
            }
            ty => Err(self.error(
                "SEM0147",
                format!("An index must be a number or a text, found {ty}"),
                index.span,
            )),
        }
    }

    fn membership_of(
        &mut self,
        operator: ast::MembershipOperator,
        span: Span,
        value: &ast::Expr,
        list: &[ast::Expr],
    ) -> Bind<Expr> {
        let value = self.scalar(value)?;
        if let [single] = list {
            match self.list_meaning(single)? {
                Meaning::Table(relation) => return self.in_table(operator, value, *relation, single.span),
                Meaning::Scalar(item) => return self.membership(operator, value, vec![item], span),
                Meaning::Database(_) | Meaning::Graph(_) | Meaning::Named => {
                    return Err(self.error(
                        "SEM0108",
                        "A scalar or tabular value is expected here",
                        single.span,
                    ));
                }
            }
        }
        let mut items = Vec::with_capacity(list.len());
        let mut failed = false;
        for item in list {
            match self.scalar(item) {
                Ok(item) => items.push(item),
                Err(Reported) => failed = true,
            }
        }
        if failed { Err(Reported) } else { self.membership(operator, value, items, span) }
    }

    /// The only item of a list may be a table, which does not see the row around it.
    fn list_meaning(&mut self, item: &ast::Expr) -> Bind<Meaning> {
        let mut inner = item;
        while let Ast::Parenthesized(next) = &inner.kind {
            inner = next;
        }
        match &inner.kind {
            Ast::Pipeline(_) | Ast::DataTable(_) | Ast::Materialize(_) | Ast::ToTable(_) => {
                self.table(inner).map(table_meaning)
            }
            _ => self.meaning(inner),
        }
    }

    fn in_table(
        &mut self,
        operator: ast::MembershipOperator,
        value: Expr,
        relation: Relation,
        span: Span,
    ) -> Bind<Expr> {
        use ast::MembershipOperator as M;
        let Some(first) = relation.schema().first().cloned() else {
            return Err(self.error("SEM0113", "A table with a column is expected here", span));
        };
        let column = Expr::column(0, first.ty);
        if matches!(operator, M::HasAny | M::HasAll) {
            let texts = self.column_array(relation, column);
            return self.membership(operator, value, vec![texts], span);
        }
        let ignore_case = matches!(operator, M::InIgnoreCase | M::NotInIgnoreCase);
        if ignore_case && !matches!(value.ty, Type::String | Type::Dynamic) {
            let message = format!(
                "The operator '{}' is not defined for the operand type {}",
                operator.as_str(),
                value.ty
            );
            return Err(self.error("SEM0064", message, span));
        }
        let negated = matches!(operator, M::NotIn | M::NotInIgnoreCase);
        // Both sides are compared in one type: that of the value, or the wider of two numbers.
        let ty = match (value.ty, first.ty) {
            _ if ignore_case => Type::String,
            (Type::Dynamic, ty) => ty,
            (left, right) if left.is_number() && right.is_number() => left.max(right),
            (ty, _) => ty,
        };
        let value = cast(value, ty);
        let projected = vec![cast(column, ty)];
        let schema = vec![crate::types::Column::new(first.name, ty)];
        let plan = if relation.schema().len() == 1 && first.ty == ty {
            relation.plan
        } else {
            self.plan(Operator::Project { input: relation.plan, expressions: projected }, schema)
        };
        let kind =
            ExprKind::InSubquery { value: Box::new(value), plan: Box::new(plan), negated, ignore_case };
        Ok(Expr { kind, ty: Type::Bool })
    }

    /// All values of a column as one array.
    fn column_array(&mut self, relation: Relation, column: Expr) -> Expr {
        let Some(function) =
            FunctionId::by_name("make_set").filter(|f| f.spec().kind == FunctionKind::Aggregate)
        else {
            return Expr::constant(Value::Dynamic(Dynamic::Array(Vec::new())));
        };
        let limit = Expr::constant(Value::Long(1_048_576));
        let aggregate = crate::plan::Aggregate {
            function,
            arguments: vec![cast(column, Type::String), limit],
            condition: None,
            outputs: vec![Type::Dynamic],
        };
        let operator =
            Operator::Summarize { input: relation.plan, keys: Vec::new(), aggregates: vec![aggregate] };
        let plan = self.plan(operator, vec![crate::types::Column::new("values", Type::Dynamic)]);
        Expr { kind: ExprKind::ScalarSubquery(Box::new(plan)), ty: Type::Dynamic }
    }

    /// `toscalar(…)`: of a table the first value of the first row; a scalar is itself.
    fn first_value(&mut self, inner: &ast::Expr) -> Bind<Expr> {
        let around = self.row.as_ref().map(|row| row.number);
        self.correlations.push(Correlation { row: around, parameters: Vec::new() });
        let found = self.with_row_scope(None, |binder| binder.meaning(inner));
        let parameters = self.correlations.pop().map(|frame| frame.parameters).unwrap_or_default();
        match found? {
            Meaning::Scalar(expression) => {
                let given = |number: u32| parameters.iter().find(|(known, _)| *known == number);
                Ok(match expression.kind {
                    ExprKind::Parameter(number) => match given(number) {
                        Some((_, value)) => value.clone(),
                        None => expression,
                    },
                    _ if !parameters.is_empty() => {
                        let schema = vec![crate::types::Column::new("value", expression.ty)];
                        let ty = expression.ty;
                        let one = self.plan(Operator::Values { rows: vec![Vec::new()] }, Vec::new());
                        let operator = Operator::Project { input: one, expressions: vec![expression] };
                        let plan = Box::new(self.plan(operator, schema));
                        Expr { kind: ExprKind::CorrelatedSubquery { plan, parameters }, ty }
                    }
                    // Drawn once, not for every row.
                    _ if crate::bind::is_drawn(&expression) => {
                        let ty = expression.ty;
                        let schema = vec![crate::types::Column::new("value", ty)];
                        let one = self.plan(Operator::Values { rows: vec![Vec::new()] }, Vec::new());
                        let operator = Operator::Project { input: one, expressions: vec![expression] };
                        let drawn = Relation::new(self.plan(operator, schema));
                        let shared = self.share(drawn);
                        Expr { kind: ExprKind::ScalarSubquery(Box::new(shared.plan)), ty }
                    }
                    _ => expression,
                })
            }
            Meaning::Table(relation) if !parameters.is_empty() => {
                let Some(ty) = relation.schema().first().map(|column| column.ty) else {
                    return Err(self.error("SEM0190", "The table has no columns", inner.span));
                };
                let plan = Box::new(relation.plan);
                Ok(Expr { kind: ExprKind::CorrelatedSubquery { plan, parameters }, ty })
            }
            Meaning::Table(relation) => {
                let Some(ty) = relation.schema().first().map(|column| column.ty) else {
                    return Err(self.error("SEM0190", "The table has no columns", inner.span));
                };
                let shared = self.share(*relation);
                Ok(Expr { kind: ExprKind::ScalarSubquery(Box::new(shared.plan)), ty })
            }
            Meaning::Database(_) | Meaning::Graph(_) | Meaning::Named => {
                Err(self.error("SEM0111", "A tabular value is expected here", inner.span))
            }
        }
    }

    /// A value of an outer row, for the subquery of a `toscalar` that stands within that row.
    fn correlated(&mut self, expression: &Expr, row: Option<u32>) -> Option<Expr> {
        let number = self.next_parameter();
        let frame = self.correlations.iter_mut().rev().find(|frame| frame.row == row)?;
        let number = match frame.parameters.iter().find(|(_, known)| known == expression) {
            Some((known, _)) => *known,
            None => {
                frame.parameters.push((number, expression.clone()));
                number
            }
        };
        Some(Expr { kind: ExprKind::Parameter(number), ty: expression.ty })
    }

    /// The relation, to be computed once however often it is used.
    pub(super) fn share(&mut self, relation: Relation) -> Relation {
        if matches!(*relation.plan.operator, Operator::Shared { .. }) {
            return relation;
        }
        let id = self.next_shared();
        let schema = relation.plan.schema.clone();
        let (serialized, sorted, name) = (relation.serialized, relation.sorted, relation.name);
        let plan = self.plan(Operator::Shared { id, input: relation.plan }, schema);
        Relation::flagged(plan, serialized, sorted).named(name)
    }

    /// A scalar under a name: with the row it belongs to if it reads columns.
    pub(super) fn scalar_entity(&self, expression: Expr) -> Entity {
        let row = if has_columns(&expression) { self.row.as_ref().map(|row| row.number) } else { None };
        Entity::Scalar { expression, row }
    }
}

pub(super) fn table_meaning(relation: Relation) -> Meaning {
    Meaning::Table(Box::new(relation))
}

/// The operators of a plan, in subqueries too.
fn plan_size(plan: &crate::plan::Plan) -> usize {
    let mut size = 1;
    crate::optimise::tree::visit_expressions(&plan.operator, &mut |expression| {
        size += expression_size(expression) / 8;
    });
    size + crate::explain::inputs(&plan.operator).into_iter().map(plan_size).sum::<usize>()
}

/// The parts of an expression, with the operators of its subqueries.
fn expression_size(expression: &Expr) -> usize {
    match &expression.kind {
        ExprKind::Column(_) | ExprKind::Constant(_) | ExprKind::Parameter(_) => 1,
        ExprKind::Call { arguments, .. } => 1 + arguments.iter().map(expression_size).sum::<usize>(),
        ExprKind::ScalarSubquery(plan) | ExprKind::CorrelatedSubquery { plan, .. } => 1 + plan_size(plan),
        ExprKind::InSubquery { value, plan, .. } => 1 + expression_size(value) + plan_size(plan),
    }
}

/// The beginning of a piece of the query, for messages.
fn shortened(text: &str) -> String {
    const LENGTH_MAX: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_string(),
    }
}
