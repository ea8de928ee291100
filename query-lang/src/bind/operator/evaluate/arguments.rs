//! Reads the arguments of a plugin by the signatures of the table, by position or by name, and binds each one as
//! its parameter's kind asks.

use crate::ast::{self, ExprKind as Ast};
use crate::bind::comparison::cast;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};
use crate::plan::{Aggregate, Expr, ExprKind};
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::Type;
use crate::value::Value;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Column,
    Expression,
    Constant,
    Table,
    /// A column of the table before it.
    Key,
    Aggregate,
}

/// A parameter of a signature text (see `crate::plugin`).
struct Parameter<'s> {
    name: &'s str,
    kind: Kind,
    /// Empty: any.
    types: Vec<Type>,
    optional: bool,
    repeated: bool,
}

/// A bound argument with its place in the text.
#[derive(Clone, Debug)]
pub(in crate::bind::operator) enum Argument {
    /// The position of a column of the input, and its type.
    Column(usize, Type),
    Expression(Expr),
    Constant(Value),
    Table(Relation),
    /// The position of a column of the table, and its type.
    Key(usize, Type),
    Aggregate(Box<Aggregate>),
}

/// The arguments of a call, by the names of the parameters.
pub(in crate::bind::operator) struct PluginArguments {
    names: Vec<&'static str>,
    given: Vec<Vec<(Argument, Span)>>,
    call: Span,
}

impl PluginArguments {
    /// Binds the arguments of a call; errors are reported.
    pub fn read(
        binder: &mut Binder<'_>,
        plugin: Plugin,
        input: &Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<PluginArguments> {
        let spec = plugin.spec();
        let signatures: Vec<Vec<Parameter<'static>>> =
            spec.signatures.iter().map(|text| parameters(text)).collect();
        let count = call.arguments.len();
        let least = |signature: &Vec<Parameter<'_>>| signature.iter().filter(|p| !p.optional).count();
        let most = |signature: &Vec<Parameter<'_>>| match signature.iter().any(|p| p.repeated) {
            true => usize::MAX,
            false => signature.len(),
        };
        let fits = |signature: &&Vec<Parameter<'_>>| (least(signature)..=most(signature)).contains(&count);
        let Some(signature) = signatures.iter().find(fits) else {
            let least = signatures.iter().map(least).min().unwrap_or(0);
            let most = signatures.iter().map(most).max().unwrap_or(0);
            let expected = match (least, most) {
                (least, usize::MAX) => format!("at least {least} arguments"),
                (least, most) if least == most => format!("{least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            let message = format!("{}() expects {expected}, found {count}", spec.name);
            return Err(binder.error("SEM0219", message, span));
        };
        let mut given: Vec<Vec<(Argument, Span)>> = signature.iter().map(|_| Vec::new()).collect();
        let mut next = 0;
        for argument in &call.arguments {
            let (place, value) = match &argument.kind {
                // The name of a condition is part of the result.
                Ast::Named { name, value }
                    if signature.get(next).is_some_and(|p| p.kind == Kind::Expression)
                        && !signature.iter().any(|p| p.name.eq_ignore_ascii_case(&name.text)) =>
                {
                    let place = next;
                    if signature.get(next).is_some_and(|parameter| !parameter.repeated) {
                        next += 1;
                    }
                    (place, value.as_ref())
                }
                Ast::Named { name, value } => {
                    let same = |parameter: &Parameter<'_>| parameter.name.eq_ignore_ascii_case(&name.text);
                    let Some(place) = signature.iter().position(same) else {
                        let message = format!("{}() has no argument '{}'", spec.name, name.text);
                        let known = signature.iter().map(|parameter| parameter.name);
                        return Err(binder.unknown("SEM0196", message, name.span, &name.text, known));
                    };
                    (place, value.as_ref())
                }
                kind => {
                    let column = match kind {
                        Ast::Name(name) => input
                            .schema()
                            .iter()
                            .find(|column| column.name == name.text)
                            .map(|column| column.ty),
                        _ => None,
                    };
                    while signature.get(next..).is_some_and(|rest| passes_over(rest, column)) {
                        next += 1;
                    }
                    let place = next;
                    if signature.get(next).is_some_and(|parameter| !parameter.repeated) {
                        next += 1;
                    }
                    (place, argument)
                }
            };
            let Some(parameter) = signature.get(place) else {
                let message = format!("{}() takes no further arguments", spec.name);
                return Err(binder.error("SEM0219", message, value.span));
            };
            let table = given.iter().flatten().find_map(|(argument, _)| match argument {
                Argument::Table(relation) => Some(relation.clone()),
                _ => None,
            });
            let row = if parameter.kind == Kind::Key { table.as_ref().unwrap_or(input) } else { input };
            let bound = bind_argument(binder, row, parameter, value)?;
            given[place].push((bound, value.span));
        }
        if let Some((_, missing)) =
            given.iter().zip(signature).find(|(given, p)| given.is_empty() && !p.optional)
        {
            let message = format!("{}() lacks its argument '{}'", spec.name, missing.name);
            return Err(binder.error("SEM0219", message, span));
        }
        Ok(PluginArguments {
            names: signature.iter().map(|parameter| parameter.name).collect(),
            given,
            call: span,
        })
    }

    fn all(&self, name: &str) -> &[(Argument, Span)] {
        let place = self.names.iter().position(|known| *known == name);
        place.and_then(|place| self.given.get(place)).map_or(&[], Vec::as_slice)
    }

    /// Where the argument stands, or the whole call if it was left out.
    pub fn span(&self, name: &str) -> Span {
        self.all(name).first().map_or(self.call, |(_, span)| *span)
    }

    /// The position and type of a column.
    pub fn column(&self, name: &str) -> Option<(usize, Type)> {
        self.columns(name).first().copied()
    }

    pub fn columns(&self, name: &str) -> Vec<(usize, Type)> {
        let column = |(argument, _): &(Argument, Span)| match argument {
            Argument::Column(position, ty) => Some((*position, *ty)),
            _ => None,
        };
        self.all(name).iter().filter_map(column).collect()
    }

    /// The position of a column of the table, and its type.
    pub fn key(&self, name: &str) -> Option<(usize, Type)> {
        self.all(name).iter().find_map(|(argument, _)| match argument {
            Argument::Key(position, ty) => Some((*position, *ty)),
            _ => None,
        })
    }

    pub fn expressions(&self, name: &str) -> Vec<Expr> {
        self.expressions_with_spans(name).into_iter().map(|(expression, _)| expression).collect()
    }

    /// Expressions, with their places in the text.
    pub fn expressions_with_spans(&self, name: &str) -> Vec<(Expr, Span)> {
        let expression = |(argument, span): &(Argument, Span)| match argument {
            Argument::Expression(expression) => Some((expression.clone(), *span)),
            _ => None,
        };
        self.all(name).iter().filter_map(expression).collect()
    }

    /// A constant; `None` where it was left out.
    pub fn constant(&self, name: &str) -> Option<&Value> {
        self.constants(name).next()
    }

    pub fn constants(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.all(name).iter().filter_map(|(argument, _)| match argument {
            Argument::Constant(value) => Some(value),
            _ => None,
        })
    }

    pub fn aggregate(&self, name: &str) -> Option<&Aggregate> {
        self.all(name).iter().find_map(|(argument, _)| match argument {
            Argument::Aggregate(aggregate) => Some(aggregate.as_ref()),
            _ => None,
        })
    }

    pub fn table(&self, name: &str) -> Option<&Relation> {
        self.all(name).iter().find_map(|(argument, _)| match argument {
            Argument::Table(relation) => Some(relation),
            _ => None,
        })
    }
}

/// Whether the next argument belongs to a later parameter than the first of `rest`: `column` is the type of the
/// column that it names, if it names one.
fn passes_over(rest: &[Parameter<'_>], column: Option<Type>) -> bool {
    let Some((parameter, later)) = rest.split_first() else { return false };
    let columns_follow = later.iter().any(|parameter| parameter.kind == Kind::Column && parameter.repeated);
    !later.is_empty()
        && match parameter.kind {
            Kind::Column => parameter.repeated && column.is_none(),
            Kind::Constant => parameter.optional && columns_follow && column.is_some(),
            Kind::Expression => {
                let other = column.is_some_and(|ty| !parameter.types.contains(&ty));
                parameter.repeated && columns_follow && other
            }
            Kind::Table | Kind::Key | Kind::Aggregate => false,
        }
}

fn bind_argument(
    binder: &mut Binder<'_>,
    input: &Relation,
    parameter: &Parameter<'_>,
    argument: &ast::Expr,
) -> Bind<Argument> {
    let mismatch = |binder: &mut Binder<'_>, found: Type| {
        let types: Vec<String> = parameter.types.iter().map(Type::to_string).collect();
        let message = format!("'{}' must be of type {}, found {found}", parameter.name, types.join(" or "));
        binder.error("SEM0107", message, argument.span)
    };
    let takes = |ty: Type| parameter.types.is_empty() || parameter.types.contains(&ty);
    match parameter.kind {
        Kind::Column | Kind::Key => {
            let bound = binder.with_row(input, |binder| binder.scalar(argument))?;
            match bound.kind {
                ExprKind::Column(position) if takes(bound.ty) && parameter.kind == Kind::Key => {
                    Ok(Argument::Key(position, bound.ty))
                }
                ExprKind::Column(position) if takes(bound.ty) => Ok(Argument::Column(position, bound.ty)),
                ExprKind::Column(_) => Err(mismatch(binder, bound.ty)),
                _ => Err(binder.error("SEM0109", "A column is expected here", argument.span)),
            }
        }
        Kind::Expression => {
            let bound = binder.with_row(input, |binder| binder.scalar(argument))?;
            match takes(bound.ty) {
                true => Ok(Argument::Expression(bound)),
                false => Err(mismatch(binder, bound.ty)),
            }
        }
        Kind::Constant => {
            let bound = binder.scalar(argument)?;
            let wider = parameter.types.iter().copied().find(|ty| {
                bound.ty == Type::Dynamic || (bound.ty.is_number() && ty.is_number() && bound.ty < *ty)
            });
            let bound = match wider {
                _ if takes(bound.ty) => bound,
                Some(ty) => cast(bound, ty),
                None => return Err(mismatch(binder, bound.ty)),
            };
            match binder.constant(&bound) {
                Some(value) => Ok(Argument::Constant(value)),
                None => Err(binder.error("SEM0129", "The expression must be a constant", argument.span)),
            }
        }
        Kind::Table => Ok(Argument::Table(binder.table(argument)?)),
        Kind::Aggregate => {
            let (_, mut aggregates) = binder.aggregate_expressions(input, Default::default(), &[argument]);
            match (aggregates.len(), aggregates.pop()) {
                (1, Some(aggregate)) if aggregate.outputs.len() == 1 => {
                    Ok(Argument::Aggregate(Box::new(aggregate)))
                }
                _ => {
                    Err(binder.error("SEM0123", "An aggregate of one value is expected here", argument.span))
                }
            }
        }
    }
}

/// Reads a signature text. What cannot be read is left out; a test says there is none.
fn parameters(text: &'static str) -> Vec<Parameter<'static>> {
    let inner = text.trim_start_matches('(').trim_end_matches(')');
    inner.split(',').filter_map(|part| parameter(part.trim())).collect()
}

fn parameter(text: &'static str) -> Option<Parameter<'static>> {
    let (name, rest) = text.split_once(':')?;
    let (rest, optional) = match rest.split_once('=') {
        Some((rest, _)) => (rest.trim(), true),
        None => (rest.trim(), false),
    };
    let (rest, repeated) = match rest.strip_suffix("...") {
        Some(rest) => (rest.trim(), true),
        None => (rest, false),
    };
    let (kind, types) = rest.split_once(' ').unwrap_or((rest, ""));
    let kind = match kind {
        "column" => Kind::Column,
        "expression" => Kind::Expression,
        "const" => Kind::Constant,
        "table" => Kind::Table,
        "key" => Kind::Key,
        "aggregate" => Kind::Aggregate,
        _ => return None,
    };
    let types: Option<Vec<Type>> =
        types.split('|').map(str::trim).filter(|ty| !ty.is_empty()).map(Type::from_name).collect();
    Some(Parameter { name: name.trim(), kind, types: types?, optional: optional || repeated, repeated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_can_be_read() {
        for plugin in Plugin::ALL {
            for text in plugin.spec().signatures {
                let commas = text.trim_matches(['(', ')']).split(',').filter(|part| !part.trim().is_empty());
                assert_eq!(parameters(text).len(), commas.count(), "{}{text}", plugin.spec().name);
            }
        }
    }
}
