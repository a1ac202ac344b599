//! Where the mesh's secrets come from: a file, the environment, or thin air for a preview.
