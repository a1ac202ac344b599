//! The keys of a preview: those that are given, or a key that is thrown away.

use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use mesh_avro::keys::KeyRing;
use mesh_runtime::keys::ThrowAwayKeys;
use std::sync::Arc;

/// Whether the mesh's own keys are used, and not one that is thrown away.
pub(super) fn are_the_meshs(context: &Context) -> bool {
    context.keys_file().is_some() || context.gives_keys()
}

/// The keys of `--keys`, of the environment or of the running `mesh up`; with none of them, a throw-away key.
pub(super) fn find(context: &Context) -> Result<Arc<dyn KeyRing>, Failure> {
    if are_the_meshs(context) {
        return context.keys();
    }
    output::talk(
        "note: no keys are given, so a throw-away key is used: hashes and tokens differ from the mesh's and from run to run",
    );
    output::talk("hint: give --keys FILE, or set MESH_KEYS, to see the mesh's own");
    let keys = ThrowAwayKeys::generate().map_err(|error| Failure::internal("cannot make a key").because(error))?;
    Ok(Arc::new(keys))
}
