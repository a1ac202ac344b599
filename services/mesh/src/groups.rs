//! Who is in which access group.

use crate::failure::Failure;
use mesh_contract::acl::Members;
use mesh_directory::Directory;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Where a file of groups is looked for: beside `topics/`.
pub const FILE: &str = "groups.yaml";

/// The directory that a file describes.
///
/// # Errors
/// The file cannot be used.
pub fn open(file: &Path) -> Result<Arc<dyn Directory>, Failure> {
    mesh_directory::open(file).map_err(|error| {
        Failure::usage(format!("cannot use the groups of {}", file.display()))
            .because(error)
            .hint("it holds groups with their members, or the settings of an LDAP directory: see docs/operations.md")
    })
}

/// The members of these groups, for a command that can do nothing before it knows them. That nobody is in any is not believed.
///
/// # Errors
/// The directory does not answer.
pub fn members(directory: &dyn Directory, groups: &BTreeSet<String>) -> Result<Members, Failure> {
    let asked = tokio::task::block_in_place(|| Handle::current().block_on(directory.members(groups)));
    let answer = asked.map_err(|error| {
        Failure::unreachable("cannot learn who is in which group")
            .because(error)
            .hint("nothing was changed; --leave-access leaves access rules as they are")
    })?;
    if answer.is_void() && !groups.is_empty() {
        let what = format!("{} knows no member of any group, which is not believed", directory.name());
        return Err(Failure::usage(what).hint("nothing was changed; --leave-access leaves access rules as they are"));
    }
    Ok(answer.members)
}
