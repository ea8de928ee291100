//! The HTTP server: Kusto's wire protocol, the friendly routes, ingestion, health.
//!
//! ```text
//! observe (ids, token, counting) → cors → compression → route → run (query) | management | ingest
//! ```
//!
//! Async only here; queries, commands and ingestions run on threads that may block. This module knows no
//! operator of the engine and no byte of storage.

pub mod body;
pub mod chart;
pub mod chart_choice;
pub mod dashboards;
pub mod embed;
pub mod error;
pub mod friendly;
pub mod ingest;
pub mod kusto;
pub mod language;
pub mod management;
pub mod metrics;
pub mod observe;
pub mod options;
pub mod pages;
pub mod progress;
pub mod query_string;
pub mod request;
pub mod results;
pub mod run;
pub mod service;
pub mod web;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, Method};
use axum::routing::{get, post};
use conshelf_storage::Store;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

pub use service::{Service, Settings};

use crate::saved_cache::CacheKeeper;
use crate::telemetry::{FLUSH_EVERY, HealthEvent};

/// All routes with everything around them.
pub fn router(service: Arc<Service>) -> Router {
    let router = Router::new()
        .route("/", get(web::home))
        .route("/plain", get(web::plain))
        .route("/web/{name}", get(web::file))
        .route("/dashboards", get(web::page))
        .route("/dashboards/{*name}", get(web::page))
        .route("/query", get(friendly::query_route).post(friendly::query_route))
        .route("/chart", get(chart::chart_route).post(chart::chart_route))
        .route("/ingest/{database}/{table}", post(ingest::friendly).put(ingest::friendly))
        .route("/v1/kql/complete", get(language::complete).post(language::complete))
        .route("/v1/kql/hover", get(language::hover).post(language::hover))
        .route("/v1/kql/signature", get(language::signature).post(language::signature))
        .route("/v1/kql/format", get(language::format).post(language::format))
        .route("/v1/kql/tokens", get(language::tokens).post(language::tokens))
        .route("/v1/kql/check", get(friendly::check_route).post(friendly::check_route))
        .route("/v1/kql/chart", post(chart_choice::choice_route))
        .route("/v1/queries/{client_request_id}", get(progress::progress_route))
        .route("/v1/dashboards", get(dashboards::list))
        .route("/v1/dashboards/check", post(dashboards::check_route))
        .route("/v1/dashboards/import", post(dashboards::import_route))
        .route(
            "/v1/dashboards/{database}/{name}",
            get(dashboards::one).put(dashboards::one).delete(dashboards::one),
        )
        .route("/v1/dashboards/{database}/{name}/embed", post(embed::make_route))
        .route("/embed/{token}", get(embed::page_route))
        .route("/embed/{token}/dashboard", get(embed::dashboard_route))
        .route("/embed/{token}/tiles/{tile}/run", post(embed::run_route))
        .route("/embed/{token}/tiles/{tile}/chart", get(embed::chart_route))
        .route("/embed/{token}/parameters/{parameter}/values", post(embed::values_route))
        .route("/v1/dashboards/{database}/{name}/tiles/{tile}/run", post(dashboards::run_route))
        .route(
            "/v1/dashboards/{database}/{name}/parameters/{parameter}/values",
            post(dashboards::values_route),
        )
        .route("/v1/rest/query", get(kusto::v1_query).post(kusto::v1_query))
        .route("/v2/rest/query", get(kusto::v2_query).post(kusto::v2_query))
        .route("/v1/rest/mgmt", post(kusto::management))
        .route("/v1/rest/ingest/{database}/{table}", post(ingest::streaming))
        .route("/v1/rest/auth/metadata", get(kusto::auth_metadata))
        .route("/v1/rest/ping", get(pages::ready))
        .route("/docs/kql", get(pages::docs_index))
        .route("/docs/kql/{chapter}", get(pages::docs))
        .route("/health", get(pages::health))
        .route("/ready", get(pages::ready))
        .route("/metrics", get(pages::metrics))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::method_not_allowed)
        .layer(CompressionLayer::new());
    let router = match cors(&service.settings.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(axum::middleware::from_fn_with_state(service.clone(), observe::observe)).with_state(service)
}

/// Lets browsers call from the configured origins.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.trim_end_matches('/').parse().ok()))
    };
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS])
            .allow_headers(AllowHeaders::mirror_request())
            .allow_private_network(true)
            .expose_headers([
                HeaderName::from_static("x-ms-activity-id"),
                HeaderName::from_static("x-ms-client-request-id"),
            ])
            .max_age(Duration::from_secs(600)),
    )
}

/// Serves until `stop` is done, then lets running requests finish and closes the store.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    use axum::serve::ListenerExt;

    let prepared = service.clone();
    run_blocking(move || {
        if let Err(error) = prepared.telemetry.prepare(&prepared.store) {
            tracing::warn!("the system database is not available: {error}");
        }
    })
    .await;
    let keeper = tokio::spawn(keep_telemetry(service.clone()));
    let cache_keeper = keep_cache(&service);
    let (stopped_sender, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopping = service.clone();
    let shutdown = async move {
        stop.await;
        stopping.stop();
        let _ = stopped_sender.send(());
    };
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let serving = axum::serve(listener, router(service.clone())).with_graceful_shutdown(shutdown);
    let grace = service.settings.shutdown_grace;
    let cancelling = service.clone();
    let hurry = async move {
        // Never ends while the server runs.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(grace).await;
        cancelling.activity.cancel_all();
        tokio::time::sleep(Duration::from_secs(5)).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = hurry => Ok(()),
    };
    keeper.abort();
    let closing = service.clone();
    run_blocking(move || {
        // Writes its file while the directory is ours.
        drop(cache_keeper);
        if let Err(error) = closing.telemetry.flush(&closing.store) {
            tracing::warn!("the last events of the server were not stored: {error}");
        }
        if let Err(error) = closing.store.close() {
            tracing::error!("closing the store: {error}");
        }
    })
    .await;
    served
}

/// Keeps what queries keep for later ones over a restart, if the settings want that.
fn keep_cache(service: &Service) -> Option<CacheKeeper> {
    let settings = &service.settings;
    let (cache, every) = (settings.query.cache.clone()?, settings.query_cache_saved_every?);
    let keeper = CacheKeeper::start(service.store.clone(), cache, settings.locations.identity(), every);
    keeper.inspect_err(|error| tracing::warn!("the query cache is not kept over a restart: {error}")).ok()
}

async fn run_blocking(work: impl FnOnce() + Send + 'static) {
    let _ = tokio::task::spawn_blocking(work).await;
}

/// Stores the server's own events every few seconds.
async fn keep_telemetry(service: Arc<Service>) {
    let mut every = tokio::time::interval(FLUSH_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let service = service.clone();
        run_blocking(move || {
            let event = HealthEvent {
                uptime: service.started.elapsed(),
                running_requests: service.activity.running_count() as u64,
            };
            service.telemetry.health(&service.store, &event);
            if let Err(error) = service.telemetry.flush(&service.store) {
                tracing::debug!("the server's events were not stored: {error}");
            }
        })
        .await;
    }
}

/// A server in this process, for tests, shells and demos.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<io::Result<()>>>,
}

impl RunningServer {
    /// Starts serving a store on an address (port 0: any) with a runtime of its own.
    pub fn start(store: Store, settings: Settings, address: &str) -> io::Result<RunningServer> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                let stopped = async move {
                    let _ = stopped.await;
                };
                serve(listener, Service::new(store, settings), stopped).await
            })
        })?;
        Ok(RunningServer { address, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops gracefully and waits for the end.
    pub fn stop(mut self) -> io::Result<()> {
        self.stop.take();
        match self.thread.take().map(std::thread::JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the server's thread panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
