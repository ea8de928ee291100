//! Request bodies: read whole under a limit, or handed to a blocking reader piece by piece.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::server::error::ApiError;

/// A client that sends nothing for so long has gone.
const STALL: Duration = Duration::from_secs(60);
/// Pieces between the socket and the reader.
const PIECES_IN_FLIGHT: usize = 16;

/// The whole body, decompressed by its `Content-Encoding`.
pub async fn read_whole(body: Body, headers: &HeaderMap, limit: u64) -> Result<Vec<u8>, ApiError> {
    let raw = read_raw(body, limit).await?;
    let encoding = headers
        .get("content-encoding")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    let decompressed = |reader: &mut dyn Read| -> Result<Vec<u8>, ApiError> {
        let mut out = Vec::new();
        reader
            .take(limit + 1)
            .read_to_end(&mut out)
            .map_err(|error| ApiError::bad_request(format!("the body is not valid {encoding}: {error}")))?;
        if out.len() as u64 > limit { Err(ApiError::too_large(limit)) } else { Ok(out) }
    };
    match encoding.as_str() {
        "" | "identity" => Ok(raw),
        "gzip" | "x-gzip" => decompressed(&mut flate2::read::MultiGzDecoder::new(raw.as_slice())),
        "deflate" => decompressed(&mut flate2::read::ZlibDecoder::new(raw.as_slice())),
        "zstd" => match zstd::stream::read::Decoder::new(raw.as_slice()) {
            Ok(mut decoder) => decompressed(&mut decoder),
            Err(error) => Err(ApiError::internal(error.to_string())),
        },
        other => Err(ApiError::bad_request(format!(
            "Content-Encoding '{other}' is not supported; use gzip, deflate or zstd"
        ))),
    }
}

/// The whole body as it was sent.
pub async fn read_raw(body: Body, limit: u64) -> Result<Vec<u8>, ApiError> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    loop {
        match tokio::time::timeout(STALL, stream.next()).await {
            Ok(None) => return Ok(whole),
            Ok(Some(Ok(piece))) => {
                if whole.len() as u64 + piece.len() as u64 > limit {
                    drain(stream).await;
                    return Err(ApiError::too_large(limit));
                }
                whole.extend_from_slice(&piece);
            }
            Ok(Some(Err(error))) => {
                return Err(ApiError::bad_request(format!("the body broke off: {error}")));
            }
            Err(_) => return Err(ApiError::bad_request("the body stopped coming")),
        }
    }
}

/// Reads on for a little, so that a client that is still sending gets to see the answer.
async fn drain(mut stream: BodyDataStream) {
    const DRAINED_MAX: usize = 64 << 20;
    let mut drained = 0;
    let reading = async {
        while let Some(Ok(piece)) = stream.next().await {
            drained += piece.len();
            if drained > DRAINED_MAX {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), reading).await;
}

/// The blocking end of a body.
#[derive(Debug)]
pub struct BodyReader {
    receiver: mpsc::Receiver<std::io::Result<Bytes>>,
    current: Bytes,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.current = piece?,
            }
        }
        let length = self.current.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.current[..length]);
        self.current = self.current.split_off(length);
        Ok(length)
    }
}

/// Feeds a body to a [`BodyReader`].
#[derive(Debug)]
pub struct BodyFeeder {
    sender: mpsc::Sender<std::io::Result<Bytes>>,
}

/// Two ends: one for the task that has the body, one for the thread that reads it.
pub fn channel() -> (BodyFeeder, BodyReader) {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    (BodyFeeder { sender }, BodyReader { receiver, current: Bytes::new() })
}

/// The message of an error that says the body was longer than allowed.
pub const TOO_LARGE: &str = "the body is larger than the limit";

impl BodyFeeder {
    /// Passes the body on until it ends, breaks, grows too long, or the reader is gone; the rest is then read
    /// off for a little. Gives the bytes passed on.
    pub async fn feed(self, body: Body, limit: Option<u64>) -> u64 {
        let mut stream = body.into_data_stream();
        let mut bytes = 0;
        loop {
            let piece = match tokio::time::timeout(STALL, stream.next()).await {
                Ok(None) => return bytes,
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => {
                    let _ = self.sender.send(Err(std::io::Error::other(error))).await;
                    return bytes;
                }
                Err(_) => {
                    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the body stopped coming");
                    let _ = self.sender.send(Err(error)).await;
                    return bytes;
                }
            };
            bytes += piece.len() as u64;
            if limit.is_some_and(|limit| bytes > limit) {
                let error = std::io::Error::new(std::io::ErrorKind::FileTooLarge, TOO_LARGE);
                let _ = self.sender.send(Err(error)).await;
                drain(stream).await;
                return bytes;
            }
            if self.sender.send(Ok(piece)).await.is_err() {
                drain(stream).await;
                return bytes;
            }
        }
    }
}
