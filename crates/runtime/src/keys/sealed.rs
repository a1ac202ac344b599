//! Key files that are of no use without Vault: sealed with a data key, which a key of Vault's transit engine has wrapped.
//!
//! ```json
//! {"transit":"transit/mesh-roots","data_key":"vault:v1:…","sealed":"<base64>"}
//! ```
//! What is sealed is a whole key document (see [`document`](super::document)), AES-256-GCM, bound to the transit key's name. Each time it
//! is written it has another data key. The transit key never leaves Vault: without a token that may use it the file says nothing, and
//! whoever takes that right away takes the keys away, from running services within the hour.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mesh_avro::keys::{Key, KeyError, KeyName, KeyRing, RootKeys, SubjectPath, open, seal};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    KeySource, KeysError,
    document::Document,
    file,
    held::HeldFile,
    vault::{TransitKey, VaultAccess, VaultTransit},
};

/// A data key has no versions: each is used once.
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    /// The transit engine's mount point and its key.
    transit: String,
    data_key: String,
    sealed: String,
}

/// A key file that is sealed with a key of Vault's, and the Vault that opens it.
#[derive(Debug)]
pub struct SealedFile {
    path: PathBuf,
    vault: VaultTransit,
}

impl SealedFile {
    /// The file, which need not be there yet.
    ///
    /// # Errors
    /// Vault's address or its authority cannot be used, or secrets would be sent in clear.
    pub fn new(path: &Path, access: &VaultAccess) -> Result<Self, KeysError> {
        let vault = VaultTransit::new(access, &path.display().to_string())?;
        Ok(Self { path: path.to_owned(), vault })
    }

    /// Whether a key file is a sealed one. One that is not there, or of no known form, is not.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        file::read_owned(path).is_ok_and(|text| serde_json::from_str::<Sealed>(&text).is_ok())
    }

    /// Writes a new file with one root secret, sealed with `key`; an existing one is never overwritten.
    ///
    /// # Errors
    /// Vault does not make a data key, the file exists or cannot be written.
    pub async fn generate(&mut self, key: &TransitKey) -> Result<(), KeysError> {
        let document = Document::fresh()?.render();
        let text = self.seal(key, &document).await?;
        file::create(&self.path, &text)
    }

    /// Seals a key file that is in clear.
    ///
    /// # Errors
    /// The file is none in clear, Vault does not make a data key, or the file cannot be replaced.
    pub async fn enclose(&mut self, key: &TransitKey) -> Result<(), KeysError> {
        let held = HeldFile::of(&self.path)?;
        let document = file::read_owned(&self.path)?;
        Document::parse(&self.origin(), &document)?;
        let text = self.seal(key, &document).await?;
        held.replace(&text)
    }

    /// Adds a new root secret, whose version is the newest; returns that.
    ///
    /// # Errors
    /// The file cannot be opened or replaced, or Vault does not make another data key.
    pub async fn rotate(&mut self) -> Result<u32, KeysError> {
        self.change(Document::rotate).await
    }

    /// Adds keys of subjects to a file that has none yet; the version that they are of.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn add_subjects(&mut self) -> Result<u32, KeysError> {
        self.change(Document::add_subjects).await
    }

    /// Takes a subject's keys out of the file, for good; the versions that had them until now: none if it was forgotten before.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn forget(&mut self, subject: SubjectPath) -> Result<Vec<u32>, KeysError> {
        self.change(|document| Ok(document.forget(subject))).await
    }

    /// Changes what is sealed, where there is something to change.
    async fn change<T>(&mut self, change: impl FnOnce(&mut Document) -> Result<T, KeysError>) -> Result<T, KeysError> {
        let held = HeldFile::of(&self.path)?;
        let (key, before) = self.unseal().await?;
        let mut document = Document::parse(&self.origin(), &before)?;
        let outcome = change(&mut document)?;
        let after = document.render();
        if after != before {
            held.replace(&self.seal(&key, &after).await?)?;
        }
        Ok(outcome)
    }

    /// Wraps the data key anew, under the newest version of the transit key: after that was rotated, so that older versions can be
    /// retired (`min_decryption_version`).
    ///
    /// # Errors
    /// The file cannot be read or replaced, or Vault does not wrap it anew.
    pub async fn rewrap(&mut self) -> Result<(), KeysError> {
        let held = HeldFile::of(&self.path)?;
        let (key, mut sealed) = self.read()?;
        sealed.data_key = self.vault.rewrap(&key, &sealed.data_key).await?;
        held.replace(&sealed.render())
    }

    /// The versions of the roots, the newest last.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub async fn versions(&mut self) -> Result<Vec<u32>, KeysError> {
        Ok(self.load().await?.versions().collect())
    }

    fn read(&self) -> Result<(TransitKey, Sealed), KeysError> {
        let text = file::read_owned(&self.path)?;
        let sealed: Sealed = serde_json::from_str(&text)
            .map_err(|_| self.malformed("it is not sealed: expected `transit`, `data_key` and `sealed`"))?;
        let key = sealed.transit.parse().map_err(|why: String| self.malformed(&why))?;
        Ok((key, sealed))
    }

    /// The document, and the transit key that it is sealed with.
    pub(super) async fn unseal(&mut self) -> Result<(TransitKey, Zeroizing<String>), KeysError> {
        let (key, sealed) = self.read()?;
        let ring = DataKey(Key::new(VERSION, self.vault.unwrap(&key, &sealed.data_key).await?));
        let opened = BASE64_STANDARD.decode(&sealed.sealed).ok().and_then(|envelope| {
            let text = open(&ring, &name(&key), key.to_string().as_bytes(), &envelope).ok()?;
            String::from_utf8(text).ok().map(Zeroizing::new)
        });
        let text = opened.ok_or_else(|| self.malformed("it does not open with its data key: was it changed?"))?;
        Ok((key, text))
    }

    /// The file's text for a document.
    pub(super) async fn seal(&mut self, key: &TransitKey, document: &str) -> Result<String, KeysError> {
        let data_key = self.vault.data_key(key).await?;
        let envelope = seal(&Key::new(VERSION, data_key.secret), key.to_string().as_bytes(), document.as_bytes())
            .map_err(|error| self.malformed(&error.to_string()))?;
        let sealed = BASE64_STANDARD.encode(envelope);
        Ok(Sealed { transit: key.to_string(), data_key: data_key.wrapped, sealed }.render())
    }

    fn malformed(&self, why: &str) -> KeysError {
        KeysError::Malformed { origin: self.origin(), why: why.to_owned() }
    }
}

impl Sealed {
    fn render(&self) -> String {
        let mut text = serde_json::json!(self).to_string();
        text.push('\n');
        text
    }
}

impl KeySource for SealedFile {
    fn origin(&self) -> String {
        self.vault.origin()
    }

    async fn load(&mut self) -> Result<RootKeys, KeysError> {
        let (_, document) = self.unseal().await?;
        let origin = self.origin();
        Document::parse(&origin, &document)?.root_keys(&origin)
    }
}

/// The key of one file.
struct DataKey(Key);

impl KeyRing for DataKey {
    fn key(&self, _: &KeyName) -> Result<Key, KeyError> {
        Ok(self.0.clone())
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        let unknown = || KeyError::UnknownVersion { name: name.clone(), version, newest: VERSION };
        (version == VERSION).then(|| self.0.clone()).ok_or_else(unknown)
    }
}

/// A data key has one use; the name is for messages.
fn name(key: &TransitKey) -> KeyName {
    KeyName::encrypt(&key.to_string())
}
