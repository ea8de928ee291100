//! Dashboards of Azure Data Explorer and of Fabric (their JSON, old and new schemas) as ours.
//!
//! Never fails on a field it does not know: what has no counterpart becomes a warning with its path. What comes out
//! is always a valid dashboard.

mod parameters;
mod tiles;
mod visual;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::dashboard::model::{BaseQuery, Dashboard, Page, Parameter};
use crate::dashboard::read::{duration, is_identifier};

/// Something that was not taken over as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// E.g. `$.tiles[3].visualOptions.horizontalLine`
    pub path: String,
    pub message: String,
}

impl Warning {
    pub fn to_json(&self) -> Value {
        json!({"path": self.path, "message": self.message})
    }
}

/// What came of a foreign dashboard.
#[derive(Clone, Debug)]
pub struct Imported {
    pub dashboard: Dashboard,
    pub warnings: Vec<Warning>,
}

/// Reads a foreign dashboard. `database`: where its queries look here; empty: as its data sources say.
pub fn import(text: &str, database: &str) -> Result<Imported, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: Value = serde_json::from_str(text).map_err(|error| format!("the file is not JSON: {error}"))?;
    if !file.is_object() {
        return Err("the file is not a dashboard of Azure Data Explorer: it is no JSON object".to_owned());
    }
    let is_dashboard = ["tiles", "pages", "dataSources", "parameters", "schema_version", "$schema"];
    if !is_dashboard.iter().any(|name| !file[*name].is_null()) {
        return Err("the file is not a dashboard of Azure Data Explorer: it has neither 'tiles' nor 'pages'"
            .to_owned());
    }
    let mut import = Import::new(&file, database);
    let dashboard = import.dashboard();
    let mut warnings: Vec<Warning> = std::mem::take(&mut import.warnings);
    for (message, (path, count)) in std::mem::take(&mut import.repeated) {
        let message = if count > 1 { format!("{message} (at {count} places)") } else { message };
        warnings.push(Warning { path, message });
    }
    Ok(Imported { dashboard, warnings })
}

/// Reads any bytes as a foreign dashboard; for fuzzing. What comes out must be a valid file.
pub fn fuzz_import(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(imported) = import(text, "") {
        for format in [super::FileFormat::Json, super::FileFormat::Yaml] {
            let written = super::write(&imported.dashboard, format);
            if written.len() < super::node::TEXT_BYTES_MAX {
                let again = super::read(&written, format);
                assert!(again.is_ok(), "{again:?}\n{written}");
            }
        }
    }
}

/// A query of the file.
struct QueryText {
    text: String,
    /// Id of its data source.
    source: Option<String>,
}

struct Import<'f> {
    file: &'f Value,
    wanted_database: &'f str,
    warnings: Vec<Warning>,
    /// Warnings that many tiles give, by their messages: the first path and how often.
    repeated: BTreeMap<String, (String, usize)>,
    /// Ids of data sources to names of databases.
    sources: HashMap<String, String>,
    /// Ids of parameters that choose a data source to the id of the one that is taken.
    source_parameters: HashMap<String, String>,
    queries: HashMap<String, QueryText>,
    /// Ids of base queries to their names.
    base_names: HashMap<String, String>,
    /// Ids of parameters to their names.
    parameter_names: HashMap<String, String>,
    /// Ids of pages to their titles.
    page_titles: Vec<(String, String)>,
    main_database: Option<String>,
    /// Names that queries use.
    names: HashSet<String>,
    ids: HashSet<String>,
}

/// The elements of a list; nothing where there is none.
fn elements(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

/// A text that is not blank.
fn text_of(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// Whether a value says nothing.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => matches!(text.trim(), "" | "auto" | "infer" | "none" | "default"),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(members) => {
            members.get("type").and_then(Value::as_str) == Some("infer") || members.values().all(is_blank)
        }
        _ => false,
    }
}

impl<'f> Import<'f> {
    fn new(file: &'f Value, wanted_database: &'f str) -> Import<'f> {
        Import {
            file,
            wanted_database,
            warnings: Vec::new(),
            repeated: BTreeMap::new(),
            sources: HashMap::new(),
            source_parameters: HashMap::new(),
            queries: HashMap::new(),
            base_names: HashMap::new(),
            parameter_names: HashMap::new(),
            page_titles: Vec::new(),
            main_database: None,
            names: HashSet::new(),
            ids: HashSet::new(),
        }
    }

    fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(Warning { path: path.to_owned(), message: message.into() });
    }

    fn warn_once(&mut self, path: &str, message: impl Into<String>) {
        let entry = self.repeated.entry(message.into()).or_insert_with(|| (path.to_owned(), 0));
        entry.1 += 1;
    }

    fn dashboard(&mut self) -> Dashboard {
        let file = self.file;
        const KNOWN: [&str; 13] = [
            "$schema",
            "schema_version",
            "id",
            "eTag",
            "etag",
            "title",
            "description",
            "tiles",
            "baseQueries",
            "parameters",
            "dataSources",
            "pages",
            "queries",
        ];
        for (name, value) in file.as_object().into_iter().flatten() {
            if !KNOWN.contains(&name.as_str()) && name != "autoRefresh" && !is_blank(value) {
                self.warn(&format!("$.{name}"), format!("'{name}' is not known and left out"));
            }
        }
        self.read_sources();
        self.read_queries();
        self.read_pages();
        let mut dashboard = Dashboard {
            title: text_of(&file["title"]).unwrap_or("Imported dashboard").to_owned(),
            description: file["description"].as_str().unwrap_or("").to_owned(),
            ..Dashboard::default()
        };
        dashboard.refresh = self.refresh();
        // Parameters first: their names are what cross filters set.
        dashboard.parameters = self.parameters();
        dashboard.base_queries = self.base_queries();
        dashboard.pages = self.pages(&dashboard.parameters);
        dashboard.database = match self.wanted_database {
            "" => self.main_database.clone(),
            wanted => Some(wanted.to_owned()),
        };
        dashboard
    }

    fn refresh(&mut self) -> Option<String> {
        let refresh = &self.file["autoRefresh"];
        if refresh["enabled"].as_bool() != Some(true) {
            return None;
        }
        let interval = text_of(&refresh["defaultInterval"]).or_else(|| text_of(&refresh["minInterval"]));
        const SECOND: i64 = 10_000_000;
        let found =
            interval.filter(|text| duration(text).is_some_and(|ticks| ticks >= SECOND)).map(str::to_owned);
        if found.is_none() {
            self.warn(
                "$.autoRefresh.defaultInterval",
                "the interval is not known; the dashboard does not refresh itself",
            );
        }
        found
    }

    fn read_sources(&mut self) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let file = self.file;
        for (at, source) in elements(&file["dataSources"]) {
            let path = format!("$.dataSources[{at}]");
            let database = text_of(&source["database"]).or_else(|| text_of(&source["name"]));
            let (Some(id), Some(database)) = (source["id"].as_str(), database) else {
                self.warn(&path, "the data source has no id or no database and is left out");
                continue;
            };
            if let Some(cluster) = text_of(&source["clusterUri"]) {
                let message = format!(
                    "queries ran on {cluster}; here they run on this server, in database '{database}'"
                );
                self.warn(&path, message);
            }
            self.sources.insert(id.to_owned(), database.to_owned());
        }
        let queries = elements(&file["queries"]).map(|(_, query)| &query["dataSource"]["dataSourceId"]);
        let tiles = elements(&file["tiles"]).map(|(_, tile)| &tile["dataSourceId"]);
        for id in queries.chain(tiles).filter_map(Value::as_str) {
            if let Some(database) = self.sources.get(id) {
                *counts.entry(database.clone()).or_default() += 1;
            }
        }
        let most = counts.iter().max_by_key(|(_, count)| **count).map(|(database, _)| database.clone());
        let first = elements(&file["dataSources"])
            .find_map(|(_, source)| self.sources.get(source["id"].as_str().unwrap_or("")).cloned());
        self.main_database = most.or(first);
        if !self.wanted_database.is_empty()
            && let Some(main) = self.main_database.as_deref().filter(|main| *main != self.wanted_database)
        {
            let message = format!("queries of the database '{main}' look in '{}' here", self.wanted_database);
            self.warn("$.dataSources", message);
        }
    }

    /// The database of a data source, where it is not the one most queries look in.
    fn other_database(&mut self, source: Option<&str>, path: &str) -> Option<String> {
        let id = source.filter(|id| !id.is_empty())?;
        let id = self.source_parameters.get(id).map_or(id, String::as_str);
        match self.sources.get(id) {
            Some(database) if Some(database) == self.main_database.as_ref() => None,
            Some(database) => Some(database.clone()),
            None => {
                self.warn_once(path, "the data source is not known; the dashboard's database is taken");
                None
            }
        }
    }

    fn read_queries(&mut self) {
        let file = self.file;
        for (at, query) in elements(&file["queries"]) {
            let text = text_of(&query["text"]).or_else(|| text_of(&query["query"]));
            let (Some(id), Some(text)) = (query["id"].as_str(), text) else {
                self.warn(&format!("$.queries[{at}]"), "the query has no id or no text and is left out");
                continue;
            };
            let source = &query["dataSource"];
            let source =
                source["dataSourceId"].as_str().or(source["parameterId"].as_str()).map(str::to_owned);
            self.queries.insert(id.to_owned(), QueryText { text: text.to_owned(), source });
        }
    }

    fn read_pages(&mut self) {
        let file = self.file;
        let mut titles = HashSet::new();
        for (at, page) in elements(&file["pages"]) {
            let wanted = text_of(&page["name"]).map_or_else(|| format!("Page {}", at + 1), str::to_owned);
            let mut title = wanted.clone();
            for number in 2.. {
                if titles.insert(title.clone()) {
                    break;
                }
                title = format!("{wanted} {number}");
            }
            self.page_titles.push((page["id"].as_str().unwrap_or("").to_owned(), title));
        }
        if self.page_titles.is_empty() {
            let title = text_of(&file["title"]).unwrap_or("Page 1").to_owned();
            self.page_titles.push((String::new(), title));
        }
    }

    /// A name for queries, as near to the wanted one as can be.
    fn name(&mut self, wanted: &str, path: &str) -> String {
        let letters = wanted.trim().chars().take(100);
        let mut name: String =
            letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        if !is_identifier(&name) {
            name = format!("_{name}");
        }
        let stem = name.clone();
        for number in 2.. {
            if self.names.insert(name.clone()) {
                break;
            }
            name = format!("{stem}_{number}");
        }
        if name != wanted {
            self.warn(
                path,
                format!("'{wanted}' is called '{name}' here; queries that use it must be changed"),
            );
        }
        name
    }

    fn base_queries(&mut self) -> Vec<BaseQuery> {
        let file = self.file;
        let mut found = Vec::new();
        for (at, base) in elements(&file["baseQueries"]) {
            let path = format!("$.baseQueries[{at}]");
            let query = base["queryId"].as_str().and_then(|id| self.queries.get(id));
            let text = query
                .map(|query| query.text.clone())
                .or_else(|| text_of(&base["query"]).or_else(|| text_of(&base["text"])).map(str::to_owned));
            let source = query.and_then(|query| query.source.clone());
            let (Some(name), Some(text)) = (text_of(&base["variableName"]), text) else {
                self.warn(&path, "the base query has no name or no text and is left out");
                continue;
            };
            if self.other_database(source.as_deref(), &path).is_some() {
                self.warn(
                    &path,
                    "the base query looks in the database of the tile that uses it, not in its own",
                );
            }
            let name = self.name(name, &format!("{path}.variableName"));
            if let Some(id) = base["id"].as_str() {
                self.base_names.insert(id.to_owned(), name.clone());
            }
            found.push(BaseQuery { name, query: text });
        }
        found
    }

    /// The text and data source of what has a `queryRef`, or of old has the text itself.
    fn query_of(&mut self, holder: &Value, path: &str) -> Option<(String, Option<String>)> {
        let reference = &holder["queryRef"];
        if let Some(id) = reference["baseQueryId"].as_str() {
            if let Some(name) = self.base_names.get(id) {
                return Some((name.clone(), None));
            }
            self.warn(&format!("{path}.queryRef"), "there is no base query of that id");
            return None;
        }
        if let Some(id) = reference["queryId"].as_str().or(holder["queryId"].as_str()) {
            if let Some(query) = self.queries.get(id) {
                return Some((query.text.clone(), query.source.clone()));
            }
            self.warn(&format!("{path}.queryRef"), "there is no query of that id");
            return None;
        }
        let text = text_of(&holder["query"]).or_else(|| text_of(&holder["query"]["text"]))?;
        let source = &holder["dataSourceId"];
        Some((text.to_owned(), source.as_str().map(str::to_owned)))
    }

    fn pages(&mut self, parameters: &[Parameter]) -> Vec<Page> {
        let mut pages: Vec<Page> = self
            .page_titles
            .iter()
            .map(|(_, title)| Page { title: title.clone(), tiles: Vec::new() })
            .collect();
        let file = self.file;
        let scale = tiles::scale_of(file);
        for (at, tile) in elements(&file["tiles"]) {
            let path = format!("$.tiles[{at}]");
            if !tile.is_object() {
                self.warn(&path, "the tile is no object and left out");
                continue;
            }
            let id = tile["pageId"].as_str().unwrap_or("");
            let page = self.page_titles.iter().position(|(known, _)| known == id);
            if page.is_none() && !id.is_empty() {
                self.warn(&format!("{path}.pageId"), "there is no page of that id; the tile is on the first");
            }
            let tiles = &mut pages[page.unwrap_or(0)].tiles;
            let below = tiles.iter().map(|tile| tile.y + tile.height).max().unwrap_or(0);
            tiles.push(self.tile(tile, &path, below, scale, parameters));
        }
        pages
    }
}

#[cfg(test)]
mod tests;
