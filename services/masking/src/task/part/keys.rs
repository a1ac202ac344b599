//! Which version of the keys a partition is masked with.

/// The keys in force of a partition. They change with the base, so between two batches; a program that was made with other keys
/// than the base has to be made anew. Versions are from 1; 0 stands for a program that masks with no keys.
#[derive(Debug, Default)]
pub(crate) struct KeysInForce {
    /// No version before this one is ever in force again.
    floor: u32,
    /// What the base was made with.
    base: u32,
}

impl KeysInForce {
    /// After keys of this version.
    pub(crate) fn since(floor: u32) -> Self {
        KeysInForce { floor, base: 0 }
    }

    /// The newest version that was in force.
    pub(crate) fn floor(&self) -> u32 {
        self.floor
    }

    /// Another product: its base is not made yet.
    pub(super) fn forget_base(&mut self) {
        self.base = 0;
    }

    /// Whether a base's keys are not older than those that were in force; they are in force from now on.
    pub(crate) fn admit_base(&mut self, version: u32) -> bool {
        let is_behind = version != 0 && version < self.floor;
        if !is_behind {
            (self.base, self.floor) = (version, self.floor.max(version));
        }
        !is_behind
    }

    /// Whether a program masks with the keys in force. Programs are made at different times, also of one product: newer keys
    /// may have come in between.
    pub(crate) fn admit(&mut self, version: u32) -> bool {
        match (version, self.base) {
            (0, _) => true,
            (_, 0) if version >= self.floor => {
                self.floor = version;
                true
            }
            (_, 0) => false,
            (_, base) => version == base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_two_versions_are_never_in_force_together() {
        // a schema is met for the first time after a rotation that the base does not know of
        let mut keys = KeysInForce::default();
        assert!(keys.admit_base(1) && keys.admit(1));
        assert!(!keys.admit(2), "tombstones would still be masked with version 1");
        assert!(keys.admit(1) && keys.floor() == 1);
        // the base is made anew after an aborted transaction, and programs at hand are of before the rotation
        assert!(keys.admit_base(2) && keys.floor() == 2);
        assert!(!keys.admit(1), "a key of before comes back");
        assert!(keys.admit(2));
    }

    #[test]
    fn no_version_of_before_is_in_force_again() {
        let mut keys = KeysInForce::since(2);
        assert!(!keys.admit_base(1) && !keys.admit(1));
        assert!(keys.admit_base(2));
        keys.forget_base();
        assert!(!keys.admit_base(1) && keys.floor() == 2);
    }

    #[test]
    fn what_masks_with_no_keys_is_always_in_force() {
        let mut keys = KeysInForce::since(2);
        assert!(keys.admit_base(0) && keys.admit(0) && keys.floor() == 2);
        // keys could not be had when the base was made, which needs none
        assert!(!keys.admit(1) && keys.admit(3) && !keys.admit(2));
        assert_eq!(keys.floor(), 3);
    }
}
