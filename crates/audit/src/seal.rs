//! What only a holder of the mesh's keys can put on an entry, and check.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mesh_avro::keys::{KeyError, KeyName, KeyRing};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::digest::Digest;

/// What an entry of this hash is sealed with: HMAC-SHA-256 in hexadecimal digits.
pub(crate) fn seal(keys: &Arc<dyn KeyRing>, version: u32, hash: Digest) -> Result<String, KeyError> {
    let key = keys.key_version(&KeyName::audit(), version)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret()).expect("HMAC takes keys of any length");
    mac.update(hash.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The version that new entries are sealed with.
pub(crate) fn newest(keys: &Arc<dyn KeyRing>) -> Result<u32, KeyError> {
    Ok(keys.key(&KeyName::audit())?.version())
}

/// Whether this is the seal of an entry of this hash.
pub(crate) fn is_sealed(keys: &Arc<dyn KeyRing>, version: u32, hash: Digest, given: &[u8]) -> Result<bool, KeyError> {
    Ok(seal(keys, version, hash)?.as_bytes().ct_eq(given).into())
}
