//! Canonical KQL text from the syntax tree, through `Display`: one line, one blank where one is due, double quotes. The
//! tree of the text is the tree again, spans apart. Knows the grammar's order of things, nothing of meaning.

mod literal;
mod operator;

use std::fmt::{self, Display, Formatter};

use crate::ast::*;

pub use literal::quote;

/// Items with `, ` between them.
struct Commas<'a, T>(&'a [T]);

impl<T: Display> Display for Commas<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

/// Parameters of an operator, each with a blank before it.
struct Parameters<'a>(&'a [OperatorParameter]);

impl Display for Parameters<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|parameter| write!(f, " {parameter}"))
    }
}

/// ` with (name=value, …)`, or nothing.
struct WithProperties<'a>(&'a [OperatorParameter]);

impl Display for WithProperties<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " with ({})", Commas(self.0)) }
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for directive in &self.directives {
            writeln!(f, "{}", directive.text)?;
        }
        for (at, statement) in self.statements.iter().enumerate() {
            if at > 0 {
                f.write_str(";\n")?;
            }
            statement.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StatementKind::Let(LetStatement { name, value }) => match value {
                LetValue::Expression(value) => write!(f, "let {name} = {value}"),
                LetValue::Function(function) => write!(f, "let {name} = {function}"),
            },
            StatementKind::Set(SetStatement { name, value }) => {
                write!(f, "set {name}")?;
                value.iter().try_for_each(|value| write!(f, " = {value}"))
            }
            StatementKind::DeclareQueryParameters(parameters) => {
                write!(f, "declare query_parameters({})", Commas(parameters))
            }
            StatementKind::DeclarePattern(pattern) => pattern.fmt(f),
            StatementKind::Alias(AliasStatement { name, value }) => {
                write!(f, "alias database {name} = {value}")
            }
            StatementKind::Restrict(RestrictStatement { entities, properties }) => {
                write!(f, "restrict access to ({}){}", Commas(entities), WithProperties(properties))
            }
            StatementKind::Expression(expression) => expression.fmt(f),
        }
    }
}

impl Display for PatternStatement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "declare pattern {}", self.name)?;
        let Some(definition) = &self.definition else { return Ok(()) };
        write!(f, " = ({})", Commas(&definition.parameters))?;
        if let Some(path) = &definition.path {
            write!(f, "[{path}]")?;
        }
        f.write_str(" {")?;
        for case in &definition.cases {
            write!(f, " ({})", Commas(&case.arguments))?;
            if let Some(path) = &case.path {
                write!(f, ".[{path}]")?;
            }
            write!(f, " = {};", case.body)?;
        }
        f.write_str(" }")
    }
}

impl Display for FunctionDeclaration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let view = if self.view { "view " } else { "" };
        write!(f, "{view}({}) {}", Commas(&self.parameters), self.body)
    }
}

impl Display for FunctionBody {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for statement in &self.statements {
            write!(f, " {statement};")?;
        }
        if let Some(result) = &self.result {
            write!(f, " {result}")?;
        }
        f.write_str(" }")
    }
}

impl Display for Parameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ParameterKind::Scalar(type_name) => write!(f, "{}: {type_name}", self.name)?,
            ParameterKind::Tabular(schema) => write!(f, "{}: {schema}", self.name)?,
        }
        self.default.iter().try_for_each(|value| write!(f, " = {value}"))
    }
}

impl Display for RowSchema {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "({})", SchemaInside(self))
    }
}

struct SchemaInside<'a>(&'a RowSchema);

impl Display for SchemaInside<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.any {
            f.write_str(if self.0.columns.is_empty() { "*" } else { "*, " })?;
        }
        Commas(&self.0.columns).fmt(f)
    }
}

impl Display for ColumnDeclaration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.type_name)
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text.is_empty() { self.keyword.as_str() } else { &self.text })
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.style {
            NameStyle::Plain | NameStyle::Missing => f.write_str(&self.text),
            NameStyle::Bracketed => write!(f, "[{}]", quote(&self.text)),
            NameStyle::Braced => write!(f, "{{{}}}", self.text),
        }
    }
}

impl Display for OperatorParameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Display for ExprKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ExprKind::Name(name) => name.fmt(f),
            ExprKind::Wildcard(text) => f.write_str(text),
            ExprKind::BracketedWildcard(text) => write!(f, "[{text}]"),
            ExprKind::NameList(names) => Commas(names).fmt(f),
            ExprKind::DataScope { source, scope } => write!(f, "{source} datascope={scope}"),
            ExprKind::Star => f.write_str("*"),
            ExprKind::Literal(value) => value.fmt(f),
            ExprKind::TypeOf(TypeOf::Scalar(type_name)) => write!(f, "typeof({type_name})"),
            ExprKind::TypeOf(TypeOf::Row(schema)) => write!(f, "typeof{schema}"),
            ExprKind::Unary { operator, operand } => {
                write!(f, "{}{operand}", if *operator == UnaryOperator::Minus { '-' } else { '+' })
            }
            ExprKind::Binary { operator, left, right, .. } => {
                write!(f, "{left} {} {right}", operator.as_str())
            }
            ExprKind::Membership { operator, value, list, .. } => {
                write!(f, "{value} {} ({})", operator.as_str(), Commas(list))
            }
            ExprKind::Between { negated, value, low, high } => {
                write!(f, "{value} {}between ({low} .. {high})", if *negated { "!" } else { "" })
            }
            ExprKind::Call(call) => call.fmt(f),
            ExprKind::Member { object, name } => write!(f, "{object}.{name}"),
            ExprKind::Element { object, index } => match &index.kind {
                ExprKind::Wildcard(_) | ExprKind::Star => write!(f, "{object}.{index}"),
                ExprKind::BracketedWildcard(_) => write!(f, "{object}{index}"),
                _ => write!(f, "{object}[{index}]"),
            },
            ExprKind::Named { name, value } => write!(f, "{name} = {value}"),
            ExprKind::NamedTuple { names, value } => write!(f, "({}) = {value}", Commas(names)),
            ExprKind::TypedName(column) => column.fmt(f),
            ExprKind::Parenthesized(inside) => write!(f, "({inside})"),
            ExprKind::Pipeline(pipeline) => pipeline.fmt(f),
            ExprKind::DataTable(DataTable { parameters, schema, values }) => {
                write!(f, "datatable{} {schema} [{}]", Parameters(parameters), Commas(values))
            }
            ExprKind::ContextualDataTable(ContextualDataTable { id, schema }) => {
                write!(f, "__contextual_datatable {id} {schema}")
            }
            ExprKind::ExternalData(data) => {
                write!(f, "externaldata{} {} ", Parameters(&data.parameters), data.schema)?;
                write!(f, "[{}]{}", Commas(&data.uris), WithProperties(&data.properties))
            }
            ExprKind::InlineExternalTable(table) => table.fmt(f),
            ExprKind::ToScalar(wrapped) => write!(f, "toscalar{wrapped}"),
            ExprKind::ToTable(wrapped) => write!(f, "totable{wrapped}"),
            ExprKind::Materialize(wrapped) => write!(f, "materialize{wrapped}"),
            ExprKind::MaterializedViewCombine(MaterializedViewCombine { view, base, delta, aggregates }) => {
                write!(f, "materialized-view-combine ({view}) base ({base}) delta ({delta}) ")?;
                write!(f, "aggregations ({aggregates})")
            }
            ExprKind::EntityGroup(entities) => write!(f, "entity_group [{}]", Commas(entities)),
            ExprKind::Missing => Ok(()),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(object) = &self.object {
            write!(f, "{object}.")?;
        }
        write!(f, "{}({})", self.name, Commas(&self.arguments))
    }
}

impl Display for Wrapped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let blank = if self.parameters.is_empty() { "" } else { " " };
        write!(f, "{}{blank}({})", Parameters(&self.parameters), self.pipeline)
    }
}

impl Display for InlineExternalTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("inline_external_table")?;
        if !self.schema.columns.is_empty() {
            write!(f, " {}", self.schema)?;
        }
        let (kind, format): (Vec<_>, Vec<_>) =
            self.parameters.iter().partition(|parameter| parameter.name.text == "kind");
        kind.iter().try_for_each(|parameter| write!(f, " {parameter}"))?;
        if !self.partitions.is_empty() {
            write!(f, " partition by ({})", Commas(&self.partitions))?;
        }
        if !self.path_format.is_empty() {
            f.write_str(" pathformat=(")?;
            for (at, piece) in self.path_format.iter().enumerate() {
                write!(f, "{}{piece}", if at > 0 { " " } else { "" })?;
            }
            f.write_str(")")?;
        }
        format.iter().try_for_each(|parameter| write!(f, " {parameter}"))?;
        write!(f, " ({}){}", Commas(&self.uris), WithProperties(&self.properties))
    }
}

impl Display for ExternalPartition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)?;
        self.value.iter().try_for_each(|value| write!(f, " = {value}"))
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut bar = "";
        if let Some(source) = &self.source {
            source.fmt(f)?;
            bar = " | ";
        }
        for operator in &self.operators {
            write!(f, "{bar}{operator}")?;
            bar = " | ";
        }
        Ok(())
    }
}
