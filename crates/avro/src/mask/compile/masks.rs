//! From a rule on a leaf to what is done to its values.

use std::collections::HashMap;

use mesh_contract::{Generalisation, MaskRule};

use crate::keys::{Key, KeyName, KeyRing, SubjectKeys};
use crate::mask::CompileError;
use crate::mask::rules::{Leaf, Mask};
use crate::mask::transform::calendar::Unit;
use crate::mask::transform::constant;
use crate::mask::transform::encrypt::Encryptor;
use crate::mask::transform::hash::{HASH_BYTES, HEX_CHARS, HashKey};
use crate::mask::transform::seal::Sealer;
use crate::mask::transform::tokenise::Tokeniser;
use crate::mask::transform::{BytesMask, FixedMask, IntegerMask, TextHash, TextMask};
use crate::schema::{Kind, Logical};

/// What is done to a leaf's values.
pub(in crate::mask) enum LeafMask {
    Constant(Vec<u8>),
    Text(TextMask),
    Bytes(BytesMask),
    Seal(Box<Sealer>),
    Fixed(FixedMask),
    Integer(IntegerMask),
    Fraction(f64),
}

/// Makes masks; asks for each key once.
pub(super) struct Forge<'a> {
    pub(super) keys: &'a dyn KeyRing,
    pub(super) product: &'a str,
    /// The keys of subjects, where the contract names one.
    subjects: Option<&'a SubjectKeys>,
    known: HashMap<KeyName, Key>,
}

impl<'a> Forge<'a> {
    pub(super) fn new(keys: &'a dyn KeyRing, product: &'a str) -> Forge<'a> {
        Forge { keys, product, subjects: None, known: HashMap::new() }
    }

    /// The same, with what `encrypt` seals for subjects.
    pub(super) fn with_subjects(self, subjects: Option<&'a SubjectKeys>) -> Forge<'a> {
        Forge { subjects, ..self }
    }

    /// The mask of a leaf. `None` if the rule cannot be applied to it: no such rule is ever asked for.
    pub(super) fn leaf_mask(
        &mut self,
        rule: &MaskRule,
        leaf: Leaf<'_>,
        mask: &Mask,
    ) -> Result<Option<LeafMask>, CompileError> {
        if let Some(constant) = constant::encoded(rule, leaf) {
            return Ok(Some(LeafMask::Constant(constant)));
        }
        if *rule == MaskRule::Encrypt
            && let Some(subjects) = self.subjects
        {
            let (nobody, version) = (self.encryptor(mask)?, subjects.newest_version());
            let sealer = Sealer::new(subjects, version, nobody, self.product, &mask.column);
            return Ok(Some(LeafMask::Seal(Box::new(sealer))));
        }
        Ok(match leaf.kind {
            Kind::String => self.text(rule, leaf, mask)?.map(LeafMask::Text),
            Kind::Bytes => self.bytes(rule, mask)?.map(LeafMask::Bytes),
            Kind::Fixed { .. } => self.fixed(rule, leaf, mask)?.map(LeafMask::Fixed),
            Kind::Int | Kind::Long => integer(rule, leaf).map(LeafMask::Integer),
            Kind::Float | Kind::Double => match rule {
                MaskRule::Generalise(Generalisation::Multiple(multiple)) => Some(LeafMask::Fraction(*multiple as f64)),
                _ => None,
            },
            _ => None,
        })
    }

    fn text(&mut self, rule: &MaskRule, leaf: Leaf<'_>, mask: &Mask) -> Result<Option<TextMask>, CompileError> {
        Ok(Some(match rule {
            MaskRule::Hash(_) if leaf.logical == Some(Logical::Uuid) => {
                TextMask::HashUuid { key: self.hash_key(mask)? }
            }
            MaskRule::Hash(digits) => {
                let digits = digits.map_or(HEX_CHARS, usize::from).min(HEX_CHARS);
                TextMask::Hash(TextHash { key: self.hash_key(mask)?, digits })
            }
            MaskRule::KeepFirst(kept) => TextMask::KeepFirst(*kept as usize),
            MaskRule::KeepLast(kept) => TextMask::KeepLast(*kept as usize),
            MaskRule::Truncate(kept) => TextMask::Truncate(*kept as usize),
            MaskRule::Tokenise => TextMask::Tokenise(Box::new(Tokeniser::new(&self.token_key(mask)?))),
            MaskRule::Encrypt => TextMask::Encrypt(Box::new(self.encryptor(mask)?)),
            _ => return Ok(None),
        }))
    }

    fn bytes(&mut self, rule: &MaskRule, mask: &Mask) -> Result<Option<BytesMask>, CompileError> {
        Ok(Some(match rule {
            MaskRule::Hash(digits) => {
                let bytes = digits.map_or(HASH_BYTES, |digits| usize::from(digits).div_ceil(2)).min(HASH_BYTES);
                BytesMask::Hash { key: self.hash_key(mask)?, bytes }
            }
            MaskRule::Truncate(kept) => BytesMask::Truncate(*kept as usize),
            MaskRule::Encrypt => BytesMask::Encrypt(Box::new(self.encryptor(mask)?)),
            _ => return Ok(None),
        }))
    }

    fn fixed(&mut self, rule: &MaskRule, leaf: Leaf<'_>, mask: &Mask) -> Result<Option<FixedMask>, CompileError> {
        Ok(match rule {
            MaskRule::Hash(_) if leaf.logical == Some(Logical::Uuid) => {
                Some(FixedMask::HashUuid { key: self.hash_key(mask)? })
            }
            MaskRule::Hash(_) => Some(FixedMask::Hash { key: self.hash_key(mask)? }),
            _ => None,
        })
    }

    fn hash_key(&mut self, mask: &Mask) -> Result<HashKey, CompileError> {
        Ok(HashKey::new(&self.key(KeyName::hash(&mask.class), mask)?))
    }

    pub(super) fn token_key(&mut self, mask: &Mask) -> Result<Key, CompileError> {
        self.key(KeyName::tokenise(&mask.class), mask)
    }

    fn encryptor(&mut self, mask: &Mask) -> Result<Encryptor, CompileError> {
        let key = self.key(KeyName::encrypt(&mask.class), mask)?;
        Ok(Encryptor::new(&key, self.product, &mask.column))
    }

    fn key(&mut self, name: KeyName, mask: &Mask) -> Result<Key, CompileError> {
        if let Some(key) = self.known.get(&name) {
            return Ok(key.clone());
        }
        let unavailable = |source| CompileError::Key { column: mask.column.clone(), source };
        let key = self.keys.key(&name).map_err(unavailable)?;
        self.known.insert(name, key.clone());
        Ok(key)
    }
}

fn integer(rule: &MaskRule, leaf: Leaf<'_>) -> Option<IntegerMask> {
    let MaskRule::Generalise(to) = rule else { return None };
    let lowest = if *leaf.kind == Kind::Int { i64::from(i32::MIN) } else { i64::MIN };
    match (*to, Unit::of(*to)) {
        (Generalisation::Multiple(multiple), _) => Some(IntegerMask::Multiple { multiple, lowest }),
        (_, Some(unit)) if leaf.logical == Some(Logical::Date) => Some(IntegerMask::Date(unit)),
        (_, Some(unit)) => {
            ticks_per_day(leaf.logical?).map(|ticks| IntegerMask::Timestamp { unit, ticks_per_day: ticks })
        }
        (_, None) => None,
    }
}

fn ticks_per_day(logical: Logical) -> Option<i64> {
    const MILLIS: i64 = 86_400_000;
    match logical {
        Logical::TimestampMillis | Logical::LocalTimestampMillis => Some(MILLIS),
        Logical::TimestampMicros | Logical::LocalTimestampMicros => Some(MILLIS * 1_000),
        Logical::TimestampNanos | Logical::LocalTimestampNanos => Some(MILLIS * 1_000_000),
        _ => None,
    }
}
