//! Embedded dashboards: signed addresses that show one dashboard, page or tile, and nothing else, without a token of
//! the server.
//!
//! What a bearer may do is read off the claims each time: run the tiles they name with parameters that they leave
//! open. Neither the queries' texts nor the names of databases leave the server. Where the dashboard no longer has
//! what the claims name, nothing is shown.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{Response, StatusCode, header};
use conshelf_kql::time::parse_datetime;
use conshelf_storage::ticks::{TICKS_PER_SECOND, UNIX_EPOCH_TICKS};
use serde_json::{Map, Value, json};

use crate::dashboard::model::{Choices, Content, Dashboard, Page, ParameterKind, Tile};
use crate::dashboard::query::compose;
use crate::dashboard::read::duration;
use crate::dashboard::source::Found;
use crate::dashboard::token::{self, Claims, EmbedKey, Refused};
use crate::dashboard::values;
use crate::response::value_text::datetime_text;
use crate::server::chart;
use crate::server::dashboards::{
    Answer, Ready, Refusal, TileRun, ValuesRun, blocking, find, given_parameters, json_response, model,
    parameter_values, read_object, respond, run_tile,
};
use crate::server::error::ApiError;
use crate::server::friendly::header_text;
use crate::server::kusto::caller_of;
use crate::server::query_string;
use crate::server::service::{Caller, Service};
use crate::server::web;

/// How long an address holds that does not say so, and the longest it may.
const USUAL_DAYS: i64 = 30;
const DAYS_MAX: i64 = 3660;
const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;

fn seconds_of(ticks: i64) -> i64 {
    (ticks - UNIX_EPOCH_TICKS).div_euclid(TICKS_PER_SECOND)
}

/// `POST /v1/dashboards/{database}/{name}/embed`
pub async fn make_route(
    State(service): State<Arc<Service>>,
    Path((database, name)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let caller = caller_of(&request);
    let answer = async {
        let found = find(&service, &database, &name).await?;
        let body = read_object(&service, request).await?;
        let claims = claims_of(&found, model(&found)?, &body)?;
        let expires = claims.expires;
        let token = blocking(&service, move |service| {
            EmbedKey::read_or_make(service.store.directory()).map(|key| key.sign(&claims))
        })
        .await?
        .map_err(|error| ApiError::internal(format!("the key of embedded dashboards: {error}")))?;
        if !token::fits(&token) {
            return Err(ApiError::bad_request("the parameters are too long for an address").into());
        }
        let expires = datetime_text(expires * TICKS_PER_SECOND + UNIX_EPOCH_TICKS);
        let body = json!({"url": format!("/embed/{token}"), "token": token, "expires": expires});
        Ok(json_response(StatusCode::OK, &body))
    }
    .await;
    respond(&caller, answer)
}

/// What a request for an address asks for, if the dashboard has it.
fn claims_of(found: &Found, dashboard: &Dashboard, body: &Map<String, Value>) -> Result<Claims, Refusal> {
    const KNOWN: [&str; 6] = ["tile", "page", "expires", "parameters", "locked", "theme"];
    if let Some(name) = body.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let message = format!("there is no member '{name}' here; known are {}", KNOWN.join(", "));
        return Err(ApiError::bad_request(message).into());
    }
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::bad_request(format!("'{name}' must be a text"))),
    };
    let now = crate::machine::now_ticks();
    let (tile, page, theme) = (text("tile")?, text("page")?, text("theme")?);
    if let Some(tile) = tile.as_ref().filter(|tile| dashboard.tile(tile).is_none()) {
        return Err(ApiError::missing("tile", tile).into());
    }
    if let Some(page) =
        page.as_ref().filter(|title| !dashboard.pages.iter().any(|page| page.title == **title))
    {
        return Err(ApiError::missing("page", page).into());
    }
    if theme.as_ref().is_some_and(|theme| !matches!(theme.as_str(), "light" | "dark" | "auto")) {
        return Err(ApiError::bad_request("'theme' is one of light, dark, auto").into());
    }
    let expires = match text("expires")? {
        None => now + USUAL_DAYS * TICKS_PER_DAY,
        Some(text) => match (duration(&text), parse_datetime(&text)) {
            (Some(ticks), _) => now.saturating_add(ticks),
            (None, Some(ticks)) => ticks,
            (None, None) => {
                let message = format!("'expires' is neither a timespan such as 30d nor a datetime: '{text}'");
                return Err(ApiError::bad_request(message).into());
            }
        },
    };
    if expires <= now || expires > now + DAYS_MAX * TICKS_PER_DAY {
        let message = format!("'expires' must be in the future, {DAYS_MAX} days at most");
        return Err(ApiError::bad_request(message).into());
    }
    let parameters = given_parameters(body)?;
    values::variables(dashboard, &parameters, now).map_err(ApiError::bad_request)?;
    let locked = match body.get("locked") {
        // What is fixed stays fixed unless it is said otherwise.
        None | Some(Value::Null) => parameters.keys().cloned().collect(),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .ok_or_else(|| ApiError::bad_request("'locked' must be a list of names of parameters"))?,
        Some(_) => return Err(ApiError::bad_request("'locked' must be a list of names of parameters").into()),
    };
    if let Some(name) = locked.iter().find(|name| dashboard.parameter(name).is_none()) {
        return Err(ApiError::missing("parameter", name).into());
    }
    Ok(Claims {
        database: found.database.clone(),
        dashboard: found.name.clone(),
        tile,
        page,
        expires: seconds_of(expires),
        parameters,
        locked,
        theme,
    })
}

/// A dashboard as the bearer of a token sees it.
struct Shown {
    claims: Claims,
    found: Found,
    /// All of it: base queries and parameters serve tiles that are shown.
    dashboard: Dashboard,
}

/// Reads a token. 403 where it is not of this server or too old.
async fn verified(service: &Arc<Service>, token: String) -> Result<Claims, ApiError> {
    let now = seconds_of(crate::machine::now_ticks());
    let verified = blocking(service, move |service| match EmbedKey::read(service.store.directory()) {
        Ok(Some(key)) => key.verify(&token, now),
        _ => Err(Refused::NotSigned),
    })
    .await?;
    verified.map_err(|refused| ApiError::forbidden(refused.to_string()))
}

async fn shown(service: &Arc<Service>, token: String) -> Result<Shown, ApiError> {
    let gone =
        || ApiError::new(404, "NotFound", "EntityNotFoundException", true, "what this address shows is gone");
    let claims = verified(service, token).await?;
    let database = if claims.database.is_empty() { "-" } else { &claims.database };
    let found = find(service, database, &claims.dashboard).await.map_err(|_| gone())?;
    let dashboard = found.dashboard.clone().map_err(|_| gone())?;
    // A parameter that has got another name would not be held any more.
    let is_held = |name: &String| dashboard.parameter(name).is_some();
    if !claims.locked.iter().all(is_held) || !claims.parameters.keys().all(is_held) {
        return Err(gone());
    }
    let shown = Shown { claims, found, dashboard };
    if shown.tiles().next().is_none() { Err(gone()) } else { Ok(shown) }
}

impl Shown {
    fn shows(&self, page: &Page, tile: &Tile) -> bool {
        self.claims.page.as_ref().is_none_or(|title| page.title == *title)
            && self.claims.tile.as_ref().is_none_or(|id| tile.id == *id)
    }

    fn tiles(&self) -> impl Iterator<Item = &Tile> {
        self.dashboard
            .pages
            .iter()
            .flat_map(move |page| page.tiles.iter().filter(move |tile| self.shows(page, tile)))
    }

    fn tile(&self, id: &str) -> Result<&Tile, ApiError> {
        self.tiles().find(|tile| tile.id == id).ok_or_else(|| ApiError::missing("tile", id))
    }

    fn is_locked(&self, name: &str) -> bool {
        self.claims.locked.iter().any(|locked| locked == name)
    }

    /// The values of the claims and those that are given; 403 where one of these is not the bearer's to give.
    fn values(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
        let fixed = &self.claims.parameters;
        let mut all = fixed.clone();
        all.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        let literals = |values: &Map<String, Value>| {
            values::variables(&self.dashboard, values, 0).map(|variables| variables.all)
        };
        let (wanted, held) = (literals(&all), literals(fixed));
        for name in given.keys().filter(|name| self.is_locked(name)) {
            // To repeat what is fixed changes nothing.
            let variables: Vec<&str> = match self.dashboard.parameter(name).map(|parameter| &parameter.kind) {
                Some(ParameterKind::TimeRange { start, end, .. }) => vec![start, end],
                _ => vec![name],
            };
            let is_same = match (&wanted, &held) {
                (Ok(wanted), Ok(held)) => wanted
                    .iter()
                    .zip(held)
                    .filter(|(one, _)| variables.contains(&one.name.as_str()))
                    .all(|(one, other)| one == other),
                _ => false,
            };
            if !is_same {
                return Err(ApiError::forbidden(format!("the parameter '{name}' is fixed in this address")));
            }
            match fixed.get(name) {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        Ok(all)
    }

    /// The dashboard without what the bearer need not know.
    fn to_json(&self) -> Value {
        let mut dashboard = self.dashboard.clone();
        for page in &mut dashboard.pages {
            let title = page.title.clone();
            let shows = |tile: &Tile| {
                self.claims.page.as_ref().is_none_or(|wanted| title == *wanted)
                    && self.claims.tile.as_ref().is_none_or(|id| tile.id == *id)
            };
            page.tiles.retain(shows);
            for tile in &mut page.tiles {
                tile.database = None;
                if let Content::Query(query) = &mut tile.content {
                    *query = self.variables_of(query);
                }
                tile.cross_filter.retain(|filter| !self.is_locked(&filter.parameter));
            }
        }
        dashboard.pages.retain(|page| !page.tiles.is_empty());
        dashboard.base_queries.clear();
        dashboard.database = None;
        for parameter in &mut dashboard.parameters {
            let is_locked = self.is_locked(&parameter.name);
            parameter.pages.retain(|title| dashboard.pages.iter().any(|page| page.title == *title));
            if let ParameterKind::Choice { values, .. } = &mut parameter.kind {
                match values {
                    // The other values are not for the bearer of one.
                    _ if is_locked => *values = Choices::Fixed(Vec::new()),
                    Choices::Query { query, value, label, database } => {
                        *query = self.variables_of(query);
                        (*value, *label, *database) = (None, None, None);
                    }
                    Choices::Fixed(_) => {}
                }
            }
        }
        let mut json = dashboard.to_json();
        for parameter in json["parameters"].as_array_mut().into_iter().flatten() {
            let fixed = parameter["name"].as_str().and_then(|name| self.claims.parameters.get(name));
            match fixed {
                Some(Value::Null) => parameter["default"] = json!("all"),
                Some(value) => parameter["default"] = value.clone(),
                None => {}
            }
        }
        json
    }

    /// In place of a query the variables that it uses: a page runs again what a change concerns.
    fn variables_of(&self, query: &str) -> String {
        let composed = values::variables(&self.dashboard, &Map::new(), 0)
            .and_then(|variables| compose(&self.dashboard, query, &variables));
        let names: Vec<String> = composed
            .map(|composed| composed.parameters.into_iter().map(|parameter| parameter.name).collect())
            .unwrap_or_default();
        names.join(" ")
    }
}

/// Who looks at an embedded dashboard.
fn bearer(mut caller: Caller) -> Caller {
    caller.read_only = true;
    caller.user = "embed".to_owned();
    caller
}

/// `GET /embed/{token}`: the page.
pub async fn page_route(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
    request: Request,
) -> Response<Body> {
    let ancestors = &service.settings.frame_ancestors;
    match shown(&service, token).await {
        Ok(_) => web::embed(request, ancestors),
        Err(error) => web::embed_refused(error.status, &error.message, ancestors),
    }
}

/// `GET /embed/{token}/dashboard`
pub async fn dashboard_route(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
    request: Request,
) -> Response<Body> {
    let caller = bearer(caller_of(&request));
    let answer = async {
        let shown = shown(&service, token).await?;
        let claims = &shown.claims;
        let body = json!({
            "dashboard": shown.to_json(),
            "theme": claims.theme,
            "tile": claims.tile,
            "page": claims.page,
            "values": claims.parameters,
            "locked": claims.locked,
            "expires": datetime_text(claims.expires * TICKS_PER_SECOND + UNIX_EPOCH_TICKS),
        });
        Ok(json_response(StatusCode::OK, &body))
    }
    .await;
    respond(&caller, answer)
}

/// `POST /embed/{token}/tiles/{tile}/run`
pub async fn run_route(
    State(service): State<Arc<Service>>,
    Path((token, tile)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let caller = bearer(caller_of(&request));
    let known = header_text(&request, header::IF_NONE_MATCH);
    let answer = async {
        let shown = shown(&service, token).await?;
        let body = read_object(&service, request).await?;
        let given = shown.values(&given_parameters(&body)?)?;
        let run = TileRun {
            found: &shown.found,
            dashboard: &shown.dashboard,
            tile: shown.tile(&tile)?,
            given: &given,
            is_hidden: true,
        };
        run_tile(&service, &run, caller.clone(), &known).await
    }
    .await;
    respond(&caller, answer)
}

/// `POST /embed/{token}/parameters/{parameter}/values`
pub async fn values_route(
    State(service): State<Arc<Service>>,
    Path((token, parameter)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let caller = bearer(caller_of(&request));
    let answer = async {
        let shown = shown(&service, token).await?;
        if shown.is_locked(&parameter) {
            return Err(
                ApiError::forbidden(format!("the parameter '{parameter}' is fixed in this address")).into()
            );
        }
        let body = read_object(&service, request).await?;
        let given = shown.values(&given_parameters(&body)?)?;
        let run = ValuesRun {
            found: &shown.found,
            dashboard: &shown.dashboard,
            parameter: &parameter,
            given: &given,
            is_hidden: true,
        };
        parameter_values(&service, &run, caller.clone()).await
    }
    .await;
    respond(&caller, answer)
}

/// `GET /embed/{token}/tiles/{tile}/chart?format=&width=&height=&theme=&parameters=`: a picture, for `<img>`.
pub async fn chart_route(
    State(service): State<Arc<Service>>,
    Path((token, tile)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response<Body> {
    let caller = bearer(caller_of(&request));
    let known = header_text(&request, header::IF_NONE_MATCH);
    let query = query.unwrap_or_default();
    let answer: Answer = async {
        let shown = shown(&service, token).await?;
        let pairs = query_string::pairs(&query);
        let given = match query_string::find(&pairs, "parameters") {
            None => Map::new(),
            Some(text) => serde_json::from_str::<Map<String, Value>>(text).map_err(|error| {
                ApiError::bad_request(format!("'parameters' is not a JSON object: {error}"))
            })?,
        };
        let given = shown.values(&given)?;
        let tile = shown.tile(&tile)?;
        let run = TileRun {
            found: &shown.found,
            dashboard: &shown.dashboard,
            tile,
            given: &given,
            is_hidden: true,
        };
        let ready = Ready::of_tile(&service, &run)?;
        Ok(chart::picture_of(&service, ready, &query, caller.clone(), &known).await)
    }
    .await;
    respond(&caller, answer)
}
