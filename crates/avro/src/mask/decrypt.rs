//! `encrypt` reversed, for who holds the keys.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::transform::encrypt::{Encryptor, HEAD_BYTES};
use super::transform::seal::{SUBJECT_BIT, SealedValue};
use crate::keys::{KeyError, KeyName, KeyRing};

/// A value that cannot be decrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// It is not of the form that `encrypt` writes.
    #[error("it is no value that `encrypt` has written")]
    Form,
    /// Its key cannot be had.
    #[error("its key cannot be had")]
    Key(#[from] KeyError),
    /// Its subject was forgotten, or none of these keys was ever its own: from now on that cannot be told apart.
    #[error("its key is gone for good: whom it is about was forgotten, or these keys are of another place")]
    Forgotten,
    /// Other keys, another product or column, or changed bytes.
    #[error("it does not open: another product, column or key, or changed bytes")]
    Authentication,
    /// What was encrypted is not text.
    #[error("what was encrypted is not text")]
    Text,
}

/// Reverses `encrypt` for the key's holder: bytes as they stand in a view. `class` is the column's; `product` is the product with its
/// major (`crm.customers.v1`).
///
/// # Errors
/// See [`DecryptError`].
pub fn decrypt_bytes(
    ring: &dyn KeyRing,
    class: &str,
    product: &str,
    column: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, DecryptError> {
    let (head, rest) = sealed.split_first_chunk::<HEAD_BYTES>().ok_or(DecryptError::Form)?;
    let head = u32::from_be_bytes(*head);
    if head & SUBJECT_BIT != 0 {
        return of_subject(ring, head, product, column, rest);
    }
    let key = ring.key_version(&KeyName::encrypt(class), head)?;
    Encryptor::new(&key, product, column).open(rest).ok_or(DecryptError::Authentication)
}

/// The same for text as it stands in a view.
///
/// # Errors
/// See [`DecryptError`].
pub fn decrypt_text(
    ring: &dyn KeyRing,
    class: &str,
    product: &str,
    column: &str,
    sealed: &str,
) -> Result<String, DecryptError> {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| DecryptError::Form)?;
    String::from_utf8(decrypt_bytes(ring, class, product, column, &sealed)?).map_err(|_| DecryptError::Text)
}

fn of_subject(
    ring: &dyn KeyRing,
    head: u32,
    product: &str,
    column: &str,
    rest: &[u8],
) -> Result<Vec<u8>, DecryptError> {
    let value = SealedValue::parse(rest).ok_or(DecryptError::Form)?;
    let keys = ring.subjects()?;
    let path = value.path(&keys);
    let secrets = keys.secrets(head & !SUBJECT_BIT, path).ok_or(DecryptError::Forgotten)?;
    value.open(&secrets, path, head, product, column).ok_or(DecryptError::Authentication)
}
