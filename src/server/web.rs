//! The web page: `GET /` for browsers, `/dashboards…`, its files below `/web/`, and the plain page at `/plain`; the
//! small page that shows an embedded dashboard.
//!
//! The files are built from `src/web` by its build script and embedded, compressed. Names of files carry a hash of
//! what is in them, so browsers keep them for good; `/` is asked for each time and answered by its `ETag`. The content
//! security policy lets the page load from this server only; scripts and styles inside a page only by their hash.

use std::io::Read as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use crate::server::pages;

/// Name below the root and content, compressed with gzip. Empty when the page was not built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_assets.rs"));

/// One file that needs no build: queries, a table, a simple chart.
const PLAIN: &str = include_str!("../web/plain/index.html");

const KEEP_FOR_GOOD: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";

fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// A dashboard in a frame of another page, without a build.
const PLAIN_EMBED: &str = include_str!("../web/plain/embed.html");

/// What the page may load and do. `script` and `style` are sources beside the server's own files; `ancestors` says
/// where the page may be framed.
fn policy(script: &str, style: &str, ancestors: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'{script}; style-src 'self'{style}; img-src 'self' data: blob:; \
         connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )
}

/// The hashes of the texts between `<tag>` and `</tag>`, as a policy names them.
fn hashes(html: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let mut found = String::new();
    for piece in html.split(&open).skip(1) {
        let Some((text, _)) = piece.split_once(&close) else { continue };
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
        found.push_str(" 'sha256-");
        found.push_str(&digest);
        found.push('\'');
    }
    found
}

static POLICY: LazyLock<String> = LazyLock::new(|| policy("", "", "'self'"));
static PLAIN_POLICY: LazyLock<String> =
    LazyLock::new(|| policy(&hashes(PLAIN, "script"), &hashes(PLAIN, "style"), "'self'"));

/// A file as an answer: 304 if the browser has it, decompressed for the few that ask so.
fn answer(
    asked: &HeaderMap,
    name: &str,
    content: Content,
    policy: &str,
    keep: &'static str,
) -> Response<Body> {
    let bytes = match content {
        Content::Plain(text) => text.as_bytes(),
        Content::Compressed(bytes) => bytes,
    };
    let tag = format!("\"{:016x}\"", xxh3_64(bytes));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    let takes_gzip = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let mut response = match content {
        _ if is_known => Response::new(Body::empty()),
        Content::Plain(text) => Response::new(Body::from(text)),
        Content::Compressed(bytes) if takes_gzip => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Content::Compressed(bytes) => {
            let mut text = Vec::new();
            match GzDecoder::new(bytes).read_to_end(&mut text) {
                Ok(_) => Response::new(Body::from(text)),
                Err(_) => Response::new(Body::empty()),
            }
        }
    };
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

#[derive(Clone, Copy)]
enum Content {
    Plain(&'static str),
    Compressed(&'static [u8]),
}

/// `GET /`: the page for browsers, the list of routes for everything else.
pub async fn home(request: Request) -> Response<Body> {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !accept.contains("text/html") {
        return pages::hello();
    }
    page(request).await
}

/// `GET /dashboards` and below: the same page, which reads its address.
pub async fn page(request: Request) -> Response<Body> {
    match find("index.html") {
        Some(bytes) => {
            answer(request.headers(), "index.html", Content::Compressed(bytes), &POLICY, ASK_EACH_TIME)
        }
        None => plain(request).await,
    }
}

/// The page of an embedded dashboard or tile, for those who were let in; `ancestors` are the places that may frame it,
/// as the policy `frame-ancestors` names them. `None` when the page was not built.
fn embedded(asked: &HeaderMap, ancestors: &str) -> Option<Response<Body>> {
    let bytes = find("embed.html")?;
    let policy = policy("", "", ancestors);
    Some(answer(asked, "embed.html", Content::Compressed(bytes), &policy, ASK_EACH_TIME))
}

/// `GET /plain`: the page that needs no build.
pub async fn plain(request: Request) -> Response<Body> {
    answer(request.headers(), "index.html", Content::Plain(PLAIN), &PLAIN_POLICY, ASK_EACH_TIME)
}

/// The allowed origins as the policy names them; what is no origin is left out.
fn ancestors_of(origins: &[String]) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || ":/.*-_[]'".contains(letter);
    let known = origins
        .iter()
        .map(|origin| origin.trim())
        .filter(|origin| !origin.is_empty() && origin.chars().all(is_part));
    let known: Vec<&str> =
        std::iter::once("'self'").chain(known.filter(|origin| *origin != "'self'")).collect();
    known.join(" ")
}

/// The page of an embedded dashboard, plain where the page was not built.
pub fn embed(request: Request, frame_ancestors: &[String]) -> Response<Body> {
    let ancestors = ancestors_of(frame_ancestors);
    embedded(request.headers(), &ancestors).unwrap_or_else(|| {
        let policy = policy(&hashes(PLAIN_EMBED, "script"), &hashes(PLAIN_EMBED, "style"), &ancestors);
        answer(request.headers(), "embed.html", Content::Plain(PLAIN_EMBED), &policy, ASK_EACH_TIME)
    })
}

const REFUSED_STYLE: &str = "body{margin:0;min-height:100vh;display:grid;place-items:center;text-align:center;\
    font:14px/1.5 system-ui,sans-serif}main{padding:24px}h1{font-size:18px;margin:0 0 8px}p{margin:0}";

/// The page in place of a dashboard that is not shown.
pub fn embed_refused(status: u16, reason: &str, frame_ancestors: &[String]) -> Response<Body> {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Not shown</title><style>{REFUSED_STYLE}</style>\
         <main><h1>Not shown</h1><p role=\"alert\">{reason}</p></main></html>\n"
    );
    let style = hashes(&html, "style");
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(value) = HeaderValue::from_str(&policy("", &style, &ancestors_of(frame_ancestors))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// `GET /web/{name}`
pub async fn file(Path(name): Path<String>, request: Request) -> Response<Body> {
    let path = format!("web/{name}");
    match find(&path) {
        Some(bytes) => {
            // Only hashed names are for good.
            let keep = if name.contains('-') { KEEP_FOR_GOOD } else { ASK_EACH_TIME };
            answer(request.headers(), &name, Content::Compressed(bytes), &POLICY, keep)
        }
        None => pages::not_found(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_plain_page_names_its_script_and_style() {
        assert_eq!(
            hashes("<p><script>a</script>", "script"),
            " 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"
        );
        assert!(PLAIN_POLICY.matches("'sha256-").count() >= 2);
        assert!(!POLICY.contains("unsafe"));
    }

    #[test]
    fn only_origins_get_into_the_policy() {
        let given = ["https://a.example", "x; script-src *", "*", " https://b:8443 ", ""].map(str::to_owned);
        assert_eq!(ancestors_of(&given), "'self' https://a.example * https://b:8443");
        assert_eq!(ancestors_of(&[]), "'self'");
        assert!(policy("", "", "'self' *").ends_with("frame-ancestors 'self' *"));
    }

    #[test]
    fn the_page_asks_no_other_host() {
        let html = find("index.html").map(|bytes| {
            let mut text = String::new();
            GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
            text
        });
        for page in html.iter().map(String::as_str).chain([PLAIN]) {
            for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "@import"] {
                assert!(!page.contains(attribute), "{attribute}");
            }
        }
    }
}
