//! Keys of subjects that a KV engine holds: a secret of their own, below that of the roots.
//!
//! Each of the secret's versions is what was left of the keys then. So there is only ever one: whoever changes it writes the next version
//! if nobody else has (check-and-set), and destroys those before it.

use std::sync::Arc;

use mesh_avro::keys::{SubjectKeys, SubjectPath};
use serde_json::{Value, json};

use super::{
    answer::{Metadata, Subjects, Versioned},
    kv::VaultKeys,
    server::Request,
};
use crate::keys::{KeysError, document};

/// How often somebody else may have been faster.
const ATTEMPTS_MAX: u32 = 5;
/// Behind the path of the roots.
const FOLDER: &str = "subjects";

/// Keys of subjects, and the version of the secret that they were read of.
pub(super) struct Kept {
    version: u32,
    pub(super) keys: Arc<SubjectKeys>,
}

impl VaultKeys {
    /// Makes keys of subjects where there are none yet; the version that they are of.
    ///
    /// # Errors
    /// They cannot be read, or the token may not write them.
    pub async fn add_subjects(&mut self) -> Result<u32, KeysError> {
        let versions = self.subject_versions().await?;
        if let Some(kept) = self.read_subjects(&versions).await? {
            return Ok(kept.keys.newest_version());
        }
        let newest = self.versions().await?.last().copied().unwrap_or(1);
        let keys = document::another(None, newest)?;
        self.write_subjects(&keys, versions.last().copied().unwrap_or(0)).await?;
        Ok(newest)
    }

    /// Takes a subject's keys out, for good; the versions that had them until now: none if it was forgotten before.
    ///
    /// # Errors
    /// They cannot be read, or the token may not write them, or not destroy what was.
    pub async fn forget(&mut self, subject: SubjectPath) -> Result<Vec<u32>, KeysError> {
        let mut attempts = 0;
        loop {
            let secret_versions = self.subject_versions().await?;
            let Some(kept) = self.read_subjects(&secret_versions).await? else { return Ok(Vec::new()) };
            let (left, versions) = kept.keys.without(subject);
            attempts += 1;
            let written = match versions.is_empty() {
                true => Ok(()),
                false => self.write_subjects(&left, kept.version).await,
            };
            if let Err(error) = written {
                // was somebody else faster?
                let is_changed = self.subject_versions().await?.last() != Some(&kept.version);
                if is_changed && attempts < ATTEMPTS_MAX {
                    continue;
                }
                return Err(error);
            }
            self.destroy_older_subjects().await?;
            return Ok(versions);
        }
    }

    /// The keys as they are there now; what was read of a version is kept.
    pub(super) async fn load_subjects(&mut self) -> Result<Option<Arc<SubjectKeys>>, KeysError> {
        let versions = self.subject_versions().await?;
        let is_known = self.subjects.as_ref().is_some_and(|kept| Some(&kept.version) == versions.last());
        if !is_known {
            self.subjects = self.read_subjects(&versions).await?;
        }
        Ok(self.subjects.as_ref().map(|kept| kept.keys.clone()))
    }

    /// The secret's versions that can be read, the newest last; none where there is no secret, or none that the token may see.
    async fn subject_versions(&mut self) -> Result<Vec<u32>, KeysError> {
        let path = self.subjects_path("metadata");
        let metadata: Option<Metadata> = self.server.find(&Request::get(&path)).await?;
        let mut versions = metadata.map(|metadata| metadata.live()).unwrap_or_default();
        versions.sort_unstable();
        Ok(versions)
    }

    async fn read_subjects(&mut self, versions: &[u32]) -> Result<Option<Kept>, KeysError> {
        let Some(version) = versions.last().copied() else { return Ok(None) };
        let path = self.subjects_path("data");
        let request = Request { version: Some(version), ..Request::get(&path) };
        let answer: Versioned<Subjects> = self.server.ask(&request).await?;
        let keys = document::parse_subjects(&self.server.origin(), &answer.data.data.subjects)?;
        Ok(Some(Kept { version, keys: Arc::new(keys) }))
    }

    /// Writes the version behind `before`, unless somebody else has.
    async fn write_subjects(&mut self, keys: &SubjectKeys, before: u32) -> Result<(), KeysError> {
        let path = self.subjects_path("data");
        let text = document::render_subjects(keys);
        let body = json!({ "options": { "cas": before }, "data": { "subjects": text.as_str() } });
        self.server.ask::<Value>(&Request::post(&path, body)).await.map(|_| ())
    }

    /// Leaves the newest version alone: those before hold keys that are to be gone.
    async fn destroy_older_subjects(&mut self) -> Result<(), KeysError> {
        let mut versions = self.subject_versions().await?;
        versions.pop();
        if versions.is_empty() {
            return Ok(());
        }
        let path = self.subjects_path("destroy");
        self.server.ask::<Value>(&Request::post(&path, json!({ "versions": versions }))).await.map(|_| ())
    }

    fn subjects_path(&self, endpoint: &str) -> String {
        format!("{}/{endpoint}/{}/{FOLDER}", self.mount, self.path)
    }
}
