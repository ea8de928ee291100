//! Signed addresses of embedded dashboards.
//!
//! A token is `1.<claims>.<signature>`: the claims as JSON in base64url, HMAC-SHA256 of all before the last dot with
//! the key of the server's data directory. What it names can be read by whoever has it; nobody else than this server
//! can make or change one. A new key ends all tokens.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The key's file in the data directory: 32 bytes, readable by the server's user only.
const KEY_FILE: &str = "embed.key";
const KEY_BYTES: usize = 32;
const VERSION: &str = "1";
/// Longer tokens are refused; addresses have bounds.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// What a token lets its bearer see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Empty: built in.
    pub database: String,
    pub dashboard: String,
    /// That tile alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<String>,
    /// The tiles of the page with that title alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Seconds since 1970.
    pub expires: i64,
    /// Values in place of the defaults.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Parameters that the bearer cannot set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locked: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this address was not signed by this server, or its key has been changed since")]
    NotSigned,
    #[error("this address has expired")]
    Expired,
}

/// The key of a server.
pub struct EmbedKey(hmac::Key);

impl std::fmt::Debug for EmbedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmbedKey")
    }
}

impl EmbedKey {
    pub fn of_bytes(bytes: &[u8]) -> EmbedKey {
        EmbedKey(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The key of a data directory, if it has one.
    pub fn read(directory: &Path) -> io::Result<Option<EmbedKey>> {
        match fs::read(directory.join(KEY_FILE)) {
            Ok(bytes) if bytes.len() == KEY_BYTES => Ok(Some(EmbedKey::of_bytes(&bytes))),
            Ok(_) => {
                Err(io::Error::other(format!("{KEY_FILE} is damaged; '.rotate embed key' makes a new one")))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key of a data directory; makes one where there is none.
    pub fn read_or_make(directory: &Path) -> io::Result<EmbedKey> {
        if let Some(key) = EmbedKey::read(directory)? {
            return Ok(key);
        }
        match write_key(directory, false) {
            // Another request was first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        EmbedKey::read(directory)?.ok_or_else(|| io::Error::other("the key is gone"))
    }

    /// Makes a new key: every token of the old one ends.
    pub fn rotate(directory: &Path) -> io::Result<()> {
        write_key(directory, true)
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let signed = format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// What a token says, if this key signed it and it has not expired. Takes the same time for any wrong signature.
    pub fn verify(&self, token: &str, now_seconds: i64) -> Result<Claims, Refused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::NotSigned);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::NotSigned)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::NotSigned)?;
        hmac::verify(&self.0, signed.as_bytes(), &signature).map_err(|_| Refused::NotSigned)?;
        let claims = claims_of(signed).ok_or(Refused::NotSigned)?;
        if claims.expires <= now_seconds { Err(Refused::Expired) } else { Ok(claims) }
    }
}

fn claims_of(signed: &str) -> Option<Claims> {
    let claims = signed.strip_prefix(VERSION)?.strip_prefix('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Whether claims give a token that is not too long.
pub fn fits(token: &str) -> bool {
    token.len() <= TOKEN_BYTES_MAX
}

/// Writes a new key, whole or not at all.
fn write_key(directory: &Path, replace: bool) -> io::Result<()> {
    let mut bytes = [0u8; KEY_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    let name = directory.join(format!("{KEY_FILE}.{}", uuid::Uuid::new_v4()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&name).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    let target = directory.join(KEY_FILE);
    let placed = written.and_then(|()| match replace {
        true => fs::rename(&name, &target),
        // Fails where there is one.
        false => fs::hard_link(&name, &target),
    });
    let _ = fs::remove_file(&name);
    placed?;
    fs::File::open(directory)?.sync_all()
}

/// Reads any text as a token, and any as claims; for fuzzing. Must neither panic nor accept.
pub fn fuzz_token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(EmbedKey::of_bytes(&[7; KEY_BYTES]).verify(text, 0).is_err());
    if let Some(claims) = claims_of(text) {
        let key = EmbedKey::of_bytes(&[7; KEY_BYTES]);
        let verified = key.verify(&key.sign(&claims), i64::MIN);
        assert!(
            verified.is_ok_and(|again| again.dashboard == claims.dashboard)
                || claims.expires == i64::MIN
                || !fits(&key.sign(&claims))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            database: "D".to_owned(),
            dashboard: "d".to_owned(),
            tile: Some("t".to_owned()),
            expires: 1000,
            locked: vec!["a".to_owned()],
            ..Claims::default()
        }
    }

    #[test]
    fn only_the_key_that_signed_accepts() {
        let key = EmbedKey::of_bytes(&[1; 32]);
        let token = key.sign(&claims());
        assert_eq!(key.verify(&token, 999), Ok(claims()));
        assert_eq!(key.verify(&token, 1000), Err(Refused::Expired));
        assert_eq!(EmbedKey::of_bytes(&[2; 32]).verify(&token, 999), Err(Refused::NotSigned));
    }

    #[test]
    fn every_changed_token_is_refused() {
        let key = EmbedKey::of_bytes(&[1; 32]);
        let token = key.sign(&claims());
        for at in 0..token.len() {
            for other in ["A", "b", ".", "-", ""] {
                if token[at..=at] == *other {
                    continue;
                }
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert_eq!(key.verify(&changed, 999), Err(Refused::NotSigned), "{changed}");
            }
        }
        let longer = Claims { expires: 9_999_999, ..claims() };
        let (signed, _) =
            key.sign(&longer).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a dot");
        let (_, signature) = token.rsplit_once('.').expect("a dot");
        assert_eq!(key.verify(&format!("{signed}.{signature}"), 999), Err(Refused::NotSigned));
        for wrong in ["", ".", "..", "1..", "1.e30.", "2.e30.AAAA", &"a".repeat(100_000)] {
            assert_eq!(key.verify(wrong, 0), Err(Refused::NotSigned), "{wrong}");
            fuzz_token(wrong.as_bytes());
        }
    }

    #[test]
    fn the_key_is_kept_until_it_is_rotated() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(EmbedKey::read(directory.path()).expect("read").is_none());
        let token = EmbedKey::read_or_make(directory.path()).expect("made").sign(&claims());
        let again = EmbedKey::read_or_make(directory.path()).expect("read");
        assert_eq!(again.verify(&token, 0), Ok(claims()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(directory.path().join(KEY_FILE)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        EmbedKey::rotate(directory.path()).expect("rotated");
        let new = EmbedKey::read(directory.path()).expect("read").expect("there");
        assert_eq!(new.verify(&token, 0), Err(Refused::NotSigned));
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 1);
        fs::write(directory.path().join(KEY_FILE), b"short").expect("written");
        assert!(EmbedKey::read_or_make(directory.path()).is_err());
    }
}
