//! Parameters of foreign dashboards: time ranges, choices, free texts, choices of a data source.

use conshelf_kql::Type;
use conshelf_kql::time::parse_datetime;
use serde_json::Value;

use super::{Import, elements, is_blank, text_of};
use crate::dashboard::model::{Choice, Choices, Chosen, Parameter, ParameterKind, TimeRange};
use crate::dashboard::read::duration;
use crate::dashboard::values;

impl Import<'_> {
    pub(super) fn parameters(&mut self) -> Vec<Parameter> {
        let file = self.file;
        let mut found: Vec<Parameter> = Vec::new();
        for (at, parameter) in elements(&file["parameters"]) {
            let path = format!("$.parameters[{at}]");
            let kind = parameter["kind"].as_str().unwrap_or("");
            let read = match kind {
                "duration" => Some(self.time_range(parameter, &path)),
                "dataSource" | "datasource" => {
                    self.source_parameter(parameter, &path);
                    None
                }
                _ => self.variable(parameter, kind, &path),
            };
            let Some(read) = read else { continue };
            if let Some(id) = parameter["id"].as_str() {
                self.parameter_names.insert(id.to_owned(), read.name.clone());
            }
            self.warn_unknown(parameter, &path);
            found.push(read);
        }
        found
    }

    fn warn_unknown(&mut self, parameter: &Value, path: &str) {
        const KNOWN: [&str; 14] = [
            "id",
            "kind",
            "displayName",
            "description",
            "showOnPages",
            "beginVariableName",
            "endVariableName",
            "variableName",
            "defaultValue",
            "selectionType",
            "includeAllOption",
            "dataSource",
            "allIsNull",
            "dataSourceIds",
        ];
        for (name, value) in parameter.as_object().into_iter().flatten() {
            if !KNOWN.contains(&name.as_str()) && !is_blank(value) {
                self.warn_once(
                    &format!("{path}.{name}"),
                    format!("'{name}' of a parameter is not known and left out"),
                );
            }
        }
    }

    /// What all kinds have.
    fn common(&mut self, parameter: &Value, name: String, kind: ParameterKind) -> Parameter {
        let shown = &parameter["showOnPages"];
        let pages = match shown["kind"].as_str() {
            Some("selection") => elements(&shown["pageIds"])
                .filter_map(|(_, id)| self.page_titles.iter().find(|(known, _)| id == known.as_str()))
                .map(|(_, title)| title.clone())
                .collect(),
            _ => Vec::new(),
        };
        Parameter {
            name,
            label: parameter["displayName"].as_str().unwrap_or("").to_owned(),
            description: parameter["description"].as_str().unwrap_or("").to_owned(),
            pages,
            kind,
        }
    }

    fn time_range(&mut self, parameter: &Value, path: &str) -> Parameter {
        let variable = |name: &str, usual: &str| text_of(&parameter[name]).unwrap_or(usual).to_owned();
        let start = variable("beginVariableName", "_startTime");
        let end = variable("endVariableName", "_endTime");
        let start = self.name(&start, &format!("{path}.beginVariableName"));
        let end = self.name(&end, &format!("{path}.endVariableName"));
        let default = self.default_range(&parameter["defaultValue"], &format!("{path}.defaultValue"));
        let taken: Vec<&String> = self.parameter_names.values().collect();
        let name = (1..)
            .map(|number| if number == 1 { "_time".to_owned() } else { format!("_time_{number}") })
            .find(|name| !taken.contains(&name) && !self.names.contains(name))
            .unwrap_or_default();
        self.common(parameter, name, ParameterKind::TimeRange { start, end, default })
    }

    fn default_range(&mut self, default: &Value, path: &str) -> TimeRange {
        let usual = TimeRange::Last { ticks: 36_000_000_000, text: "1h".to_owned() };
        match default["kind"].as_str() {
            Some("fixed") => {
                let datetime = |name: &str| default[name].as_str().and_then(parse_datetime);
                match (datetime("start"), datetime("end")) {
                    (Some(from), Some(to)) if from <= to => return TimeRange::Between { from, to: Some(to) },
                    _ => self.warn(path, "the default time range cannot be read; it is the last hour"),
                }
            }
            Some("dynamic") => {
                let count = default["count"].as_u64().filter(|count| (1..=1_000_000).contains(count));
                let unit = default["unit"].as_str().unwrap_or("").trim_end_matches('s');
                let (factor, unit) = match unit {
                    "second" => (1, "s"),
                    "minute" => (1, "m"),
                    "hour" => (1, "h"),
                    "day" => (1, "d"),
                    "week" => (7, "d"),
                    "month" => {
                        self.warn(path, "a month of the default time range is 30 days");
                        (30, "d")
                    }
                    "year" => {
                        self.warn(path, "a year of the default time range is 365 days");
                        (365, "d")
                    }
                    _ => (0, ""),
                };
                let text = format!("{}{unit}", count.unwrap_or(0) * factor);
                match duration(&text).filter(|_| factor > 0) {
                    Some(ticks) => return TimeRange::Last { ticks, text },
                    None => self.warn(path, "the default time range cannot be read; it is the last hour"),
                }
            }
            _ if is_blank(default) => {}
            _ => self.warn(path, "the default time range cannot be read; it is the last hour"),
        }
        usual
    }

    /// A data source that the reader chooses: the default one is taken.
    fn source_parameter(&mut self, parameter: &Value, path: &str) {
        let default = &parameter["defaultValue"];
        let chosen = default["value"]
            .as_str()
            .or(default["dataSourceId"].as_str())
            .or_else(|| elements(&parameter["dataSourceIds"]).find_map(|(_, id)| id.as_str()))
            .or_else(|| elements(&parameter["values"]).find_map(|(_, id)| id.as_str()));
        if let (Some(id), Some(chosen)) = (parameter["id"].as_str(), chosen) {
            self.source_parameters.insert(id.to_owned(), chosen.to_owned());
        }
        let database = chosen.and_then(|id| self.sources.get(id)).cloned().unwrap_or_default();
        let message =
            format!("a data source cannot be chosen here; tiles that let it be chosen look in '{database}'");
        self.warn(path, message);
    }

    fn variable(&mut self, parameter: &Value, kind: &str, path: &str) -> Option<Parameter> {
        let Some(wanted) = text_of(&parameter["variableName"]) else {
            self.warn(path, format!("the parameter of kind '{kind}' has no variable and is left out"));
            return None;
        };
        if self.names.contains(wanted) {
            let message =
                format!("another parameter gives the variable '{wanted}' already; this one is left out");
            self.warn(&format!("{path}.variableName"), message);
            return None;
        }
        let name = self.name(wanted, &format!("{path}.variableName"));
        let ty = match Type::from_name(kind).filter(|ty| *ty != Type::Dynamic) {
            Some(ty) => ty,
            None => {
                self.warn(
                    &format!("{path}.kind"),
                    format!("the kind '{kind}' is not known; the values are texts"),
                );
                Type::String
            }
        };
        let selection = parameter["selectionType"].as_str().unwrap_or("");
        let lower = selection.to_ascii_lowercase();
        let is_free = lower.contains("free");
        let multiple = lower == "array" || lower.starts_with("multi");
        if !is_free && !multiple && !matches!(lower.as_str(), "" | "scalar") && !lower.starts_with("single") {
            let message = format!("the selection '{selection}' is not known; one value can be chosen");
            self.warn(&format!("{path}.selectionType"), message);
        }
        let choices = if is_free { None } else { self.choices(&parameter["dataSource"], ty, path) };
        let Some(choices) = choices else {
            if !is_free {
                self.warn(path, "the parameter has nothing to choose from; its value is typed in");
            }
            let default = &parameter["defaultValue"];
            let default = values::of_json(ty, &default["value"])
                .or_else(|| elements(&default["values"]).find_map(|(_, value)| values::of_json(ty, value)));
            let kind = ParameterKind::Text { ty, default: default.unwrap_or_default() };
            return Some(self.common(parameter, name, kind));
        };
        let all = parameter["includeAllOption"].as_bool() == Some(true);
        let default = self.default_choice(&parameter["defaultValue"], ty, (multiple, all), path);
        let kind = ParameterKind::Choice { ty, multiple, all, values: choices, default };
        Some(self.common(parameter, name, kind))
    }

    fn choices(&mut self, source: &Value, ty: Type, path: &str) -> Option<Choices> {
        let path = format!("{path}.dataSource");
        let kind = source["kind"].as_str().unwrap_or("");
        if kind == "static" || source["values"].is_array() {
            let mut choices = Vec::new();
            for (at, entry) in elements(&source["values"]) {
                let value = if entry.is_object() { &entry["value"] } else { entry };
                match values::of_json(ty, value) {
                    Some(value) => {
                        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        let label = text_of(&entry["displayText"]).map_or(shown, str::to_owned);
                        choices.push(Choice { value, label });
                    }
                    None => {
                        let message = format!("the value is not of type {} and is left out", ty.name());
                        self.warn(&format!("{path}.values[{at}]"), message);
                    }
                }
            }
            return Some(Choices::Fixed(choices));
        }
        let (query, source_id) = self.query_of(source, &path)?;
        let column = |name: &str| text_of(&source["columns"][name]).map(str::to_owned);
        let database = self.other_database(source_id.as_deref(), &path);
        Some(Choices::Query { query, value: column("value"), label: column("label"), database })
    }

    fn default_choice(
        &mut self,
        default: &Value,
        ty: Type,
        (multiple, all): (bool, bool),
        path: &str,
    ) -> Chosen {
        let usual = if all { Chosen::All } else { Chosen::Nothing };
        let path = format!("{path}.defaultValue");
        match default["kind"].as_str() {
            None if is_blank(default) => usual,
            Some("all") if all => Chosen::All,
            Some("all" | "null") => {
                // Nothing is a default of its own only where "all" is not offered.
                usual
            }
            Some("query-result" | "queryResult") => {
                self.warn(&path, "a default that a query gives has no counterpart");
                usual
            }
            _ => {
                let one = default.get("value").filter(|value| !value.is_null());
                let given: Vec<&Value> = match one {
                    Some(Value::Array(values)) => values.iter().collect(),
                    Some(value) => vec![value],
                    None => elements(&default["values"]).map(|(_, value)| value).collect(),
                };
                let known: Vec<Value> = given.iter().filter_map(|value| values::of_json(ty, value)).collect();
                if known.len() < given.len() || (known.len() > 1 && !multiple) {
                    self.warn(&path, "not every default value can be taken over");
                }
                match known.len() {
                    0 => usual,
                    _ if multiple => Chosen::Values(known),
                    _ => Chosen::Values(known.into_iter().take(1).collect()),
                }
            }
        }
    }
}
