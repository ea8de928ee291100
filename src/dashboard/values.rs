//! Values of parameters: from what a file or a request says to typed literals of the language. Nothing that is not
//! a value of its type gets through, so no value can become a piece of a query.

use conshelf_kql::time::{parse_datetime, parse_timespan};
use conshelf_kql::{Decimal, Type};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::dashboard::model::{Chosen, Dashboard, Parameter, ParameterKind, TimeRange};
use crate::dashboard::read::duration;
use crate::response::value_text::{datetime_text, quoted, timespan_text};

/// Values of one parameter.
const VALUES_MAX: usize = 10_000;

/// The value of a type that a text says: numbers and flags as such, all else as text in its normal form.
pub fn of_text(ty: Type, text: &str) -> Option<Value> {
    let trimmed = text.trim();
    Some(match ty {
        Type::String => json!(text),
        Type::Bool => match trimmed {
            "true" => json!(true),
            "false" => json!(false),
            _ => return None,
        },
        Type::Int => json!(trimmed.parse::<i32>().ok()?),
        Type::Long => json!(trimmed.parse::<i64>().ok()?),
        Type::Real => {
            let number = trimmed.parse::<f64>().ok().filter(|number| number.is_finite())?;
            json!(number)
        }
        Type::Decimal => {
            let is_number = trimmed.parse::<f64>().is_ok_and(f64::is_finite);
            Decimal::parse(trimmed).filter(|_| is_number)?;
            json!(trimmed)
        }
        Type::DateTime => json!(datetime_text(parse_datetime(trimmed)?)),
        Type::TimeSpan => json!(timespan_text(parse_timespan(trimmed)?)),
        Type::Guid => json!(Uuid::try_parse(trimmed).ok()?.to_string()),
        Type::Dynamic => return None,
    })
}

/// A value that a request gives: of the type, or a text that says one.
pub fn of_json(ty: Type, value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => of_text(ty, text),
        Value::Bool(_) | Value::Number(_) => of_text(ty, &value.to_string()),
        _ => None,
    }
}

/// The value as a literal of the language; within a list texts have the same form.
fn literal(ty: Type, value: &Value) -> Option<String> {
    let value = of_json(ty, value)?;
    Some(match (&value, ty) {
        (Value::String(text), Type::String) => quoted(text),
        (Value::String(text), ty) => format!("{}({text})", ty.name()),
        (value, _) => value.to_string(),
    })
}

/// Null; an empty text.
fn nothing(ty: Type) -> String {
    if ty == Type::String { quoted("") } else { format!("{}(null)", ty.name()) }
}

/// A variable of the queries with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub ty: Type,
    /// A literal of that type.
    pub literal: String,
}

/// The variables of a dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    pub all: Vec<Variable>,
    /// Those that follow from the present moment.
    pub moving: Vec<String>,
}

/// What the queries get: the given values, else the defaults.
///
/// `given` has values by the names of the parameters: `{"last"}` or `{"from","to"}` for a time range, a list, a value
/// or null (all, or none) for a choice, a value or null for a text.
pub fn variables(
    dashboard: &Dashboard,
    given: &Map<String, Value>,
    now_ticks: i64,
) -> Result<Variables, String> {
    for name in given.keys() {
        if dashboard.parameter(name).is_none() {
            let known: Vec<&str> = dashboard.parameters.iter().map(|known| known.name.as_str()).collect();
            return Err(format!("there is no parameter '{name}'; known are {}", known.join(", ")));
        }
    }
    let mut variables = Variables::default();
    for parameter in &dashboard.parameters {
        one(parameter, given.get(&parameter.name), now_ticks, &mut variables)?;
    }
    Ok(variables)
}

/// Whether a value can be given to a parameter.
pub fn check(parameter: &Parameter, value: &Value) -> Result<(), String> {
    one(parameter, Some(value), 0, &mut Variables::default())
}

fn one(
    parameter: &Parameter,
    given: Option<&Value>,
    now_ticks: i64,
    variables: &mut Variables,
) -> Result<(), String> {
    let name = &parameter.name;
    let wrong = |ty: Type| format!("the value of '{name}' is not of type {}", ty.name());
    match &parameter.kind {
        ParameterKind::TimeRange { start, end, default } => {
            let range = match given {
                None | Some(Value::Null) => default.clone(),
                Some(value) => time_range(value).ok_or_else(|| {
                    format!("the value of '{name}' is not a time range: {{\"last\":\"1h\"}} or {{\"from\":…,\"to\":…}}")
                })?,
            };
            let (from, to, moves) = match range {
                TimeRange::Last { ticks, .. } => {
                    (now_ticks.saturating_sub(ticks).max(0), now_ticks, (true, true))
                }
                TimeRange::Between { from, to: None } => (from, now_ticks.max(from), (false, true)),
                TimeRange::Between { from, to: Some(to) } => (from, to, (false, false)),
            };
            for (variable, ticks, moves) in [(start, from, moves.0), (end, to, moves.1)] {
                let literal = format!("datetime({})", datetime_text(ticks));
                variables.all.push(Variable { name: variable.clone(), ty: Type::DateTime, literal });
                if moves {
                    variables.moving.push(variable.clone());
                }
            }
        }
        ParameterKind::Choice { ty, multiple, default, .. } => {
            let chosen = match given {
                None => default.clone(),
                Some(Value::Null) => Chosen::All,
                Some(Value::Array(values)) => Chosen::Values(values.clone()),
                Some(value) => Chosen::Values(vec![value.clone()]),
            };
            let values = match chosen {
                Chosen::All | Chosen::Nothing => Vec::new(),
                Chosen::Values(values) => values,
            };
            if values.len() > VALUES_MAX {
                return Err(format!("'{name}' has more than {VALUES_MAX} values"));
            }
            let literals: Option<Vec<String>> = values.iter().map(|value| literal(*ty, value)).collect();
            let literals = literals.ok_or_else(|| wrong(*ty))?;
            let (ty, literal) = match (*multiple, literals.as_slice()) {
                // What `isempty()` takes for nothing, as queries ask whether all are meant.
                (true, []) => (Type::Dynamic, "dynamic(null)".to_owned()),
                (true, all) => (Type::Dynamic, format!("dynamic([{}])", all.join(","))),
                (false, []) => (*ty, nothing(*ty)),
                (false, [one]) => (*ty, one.clone()),
                (false, _) => return Err(format!("one value can be chosen for '{name}'")),
            };
            variables.all.push(Variable { name: name.clone(), ty, literal });
        }
        ParameterKind::Text { ty, default } => {
            let value = given.unwrap_or(default);
            let is_blank = *ty != Type::String && value.as_str().is_some_and(|text| text.trim().is_empty());
            let literal = if value.is_null() || is_blank {
                nothing(*ty)
            } else {
                literal(*ty, value).ok_or_else(|| wrong(*ty))?
            };
            variables.all.push(Variable { name: name.clone(), ty: *ty, literal });
        }
    }
    Ok(())
}

/// `{"last"}` or `{"from","to"}`.
pub fn time_range(value: &Value) -> Option<TimeRange> {
    let object = value.as_object()?;
    if object.keys().any(|name| !matches!(name.as_str(), "last" | "from" | "to")) {
        return None;
    }
    let text = |name: &str| {
        object.get(name).filter(|value| !value.is_null()).map(|value| value.as_str().unwrap_or(""))
    };
    match (text("last"), text("from"), text("to")) {
        (Some(last), None, None) => Some(TimeRange::Last { ticks: duration(last)?, text: last.to_owned() }),
        (None, Some(from), to) => {
            let from = parse_datetime(from)?;
            let to = match to {
                Some(to) => Some(parse_datetime(to).filter(|to| *to >= from)?),
                None => None,
            };
            Some(TimeRange::Between { from, to })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::model::Choices;

    fn dashboard() -> Dashboard {
        let parameter = |name: &str, kind| Parameter {
            name: name.to_owned(),
            label: String::new(),
            description: String::new(),
            pages: Vec::new(),
            kind,
        };
        let choice = |ty, multiple, default| ParameterKind::Choice {
            ty,
            multiple,
            all: true,
            values: Choices::Fixed(Vec::new()),
            default,
        };
        let default = TimeRange::Last { ticks: 36_000_000_000, text: "1h".to_owned() };
        Dashboard {
            parameters: vec![
                parameter(
                    "t",
                    ParameterKind::TimeRange { start: "a".to_owned(), end: "b".to_owned(), default },
                ),
                parameter("hosts", choice(Type::String, true, Chosen::All)),
                parameter("one", choice(Type::String, false, Chosen::Nothing)),
                parameter("n", choice(Type::Long, false, Chosen::Values(vec![json!(7)]))),
                parameter("days", choice(Type::DateTime, true, Chosen::All)),
                parameter("x", ParameterKind::Text { ty: Type::String, default: json!("d") }),
                parameter("r", ParameterKind::Text { ty: Type::Real, default: Value::Null }),
            ],
            ..Dashboard::default()
        }
    }

    fn literals(given: Value) -> Result<Vec<String>, String> {
        let Value::Object(given) = given else { panic!("an object") };
        let now = parse_datetime("2024-05-01T12:00:00Z").expect("a datetime");
        Ok(variables(&dashboard(), &given, now)?.all.into_iter().map(|variable| variable.literal).collect())
    }

    #[test]
    fn defaults() {
        let expected = [
            "datetime(2024-05-01T11:00:00Z)",
            "datetime(2024-05-01T12:00:00Z)",
            "dynamic(null)",
            "\"\"",
            "7",
            "dynamic(null)",
            "\"d\"",
            "real(null)",
        ];
        assert_eq!(literals(json!({})), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_given_becomes_literals_of_its_type() {
        let evil = "x\"); .drop table T //";
        let given = json!({
            "t": {"from": "2024-01-01", "to": "2024-01-02"},
            "hosts": ["a", evil],
            "one": "it's",
            "n": "12",
            "days": ["2024-01-01"],
            "x": evil,
            "r": 1.5,
        });
        let expected = [
            "datetime(2024-01-01T00:00:00Z)",
            "datetime(2024-01-02T00:00:00Z)",
            "dynamic([\"a\",\"x\\\"); .drop table T //\"])",
            "\"it's\"",
            "12",
            "dynamic([datetime(2024-01-01T00:00:00Z)])",
            "\"x\\\"); .drop table T //\"",
            "1.5",
        ];
        assert_eq!(literals(given), Ok(expected.map(str::to_owned).to_vec()));
        let nothing = literals(json!({"hosts": null, "one": null, "n": null, "x": null, "r": ""}));
        assert_eq!(
            nothing.map(|all| all[2..].to_vec()),
            Ok(["dynamic(null)", "\"\"", "long(null)", "dynamic(null)", "\"\"", "real(null)"]
                .map(str::to_owned)
                .to_vec())
        );
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for given in [
            json!({"t": {"last": "-1h"}}),
            json!({"t": {"last": "soon"}}),
            json!({"t": {"last": "1h", "from": "2024-01-01"}}),
            json!({"t": {"from": "2024-01-02", "to": "2024-01-01"}}),
            json!({"t": "1h"}),
            json!({"n": "1) | take 1"}),
            json!({"n": 1.5}),
            json!({"n": [1, 2]}),
            json!({"days": ["now()"]}),
            json!({"r": "nan(1)"}),
            json!({"hosts": [["a"]]}),
            json!({"hosts": {"a": 1}}),
            json!({"other": 1}),
        ] {
            assert!(literals(given.clone()).is_err(), "{given}");
        }
    }
}
