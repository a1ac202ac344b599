//! `mesh credentials`: the users of an access file, their secrets hashed.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use clap::Subcommand;
use mesh_runtime::access::{AccessError, AccessFile, NewUser, ShownUser, hashed_password, hashed_token, new_token};
use serde_json::json;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
    /// The access file; made if it is not there, for its owner's eyes only
    #[arg(long, global = true, value_name = "FILE", env = "MESH_ACCESS_FILE")]
    access: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a user, or replace one; a new token is written to standard output, once
    Add(AddArgs),
    /// Remove a user; services that follow the file stop letting them in within seconds
    Remove {
        /// The user
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// List the users and what they may
    List,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    /// What they may read: `*`, a prefix that ends with a delimiter such as `crm.`, or one subject; may be repeated
    #[arg(long, value_name = "SCOPE")]
    read: Vec<String>,
    /// What they may write, and read; may be repeated
    #[arg(long, value_name = "SCOPE")]
    write: Vec<String>,
    /// Take a password from standard input instead of making a token
    #[arg(long)]
    password: bool,
}

pub fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let path = args.access.ok_or_else(|| Failure::usage("no access file is named").hint("give --access FILE"))?;
    let mut file = AccessFile::open_or_new(&path).map_err(unusable)?;
    match args.command {
        Action::Add(add) => add_user(add, &mut file, context.format())?,
        Action::Remove { name } => {
            if !file.remove(&name) {
                return Err(Failure::usage(format!("{} has no user {name:?}", path.display())));
            }
            file.save().map_err(unusable)?;
        }
        Action::List => list(&file.users(), context.format())?,
    }
    Ok(Exit::Fine)
}

fn add_user(add: AddArgs, file: &mut AccessFile, format: Format) -> Result<(), Failure> {
    let AddArgs { name, read, write, password } = add;
    let mut user = NewUser { name: name.clone(), read, write, ..NewUser::default() };
    if password {
        user.password = Some(password_given()?);
        file.put(user);
        return file.save().map_err(unusable);
    }
    let token = new_token().map_err(|error| Failure::internal("cannot make a token").because(error))?;
    user.token = Some(hashed_token(&token));
    file.put(user);
    file.save().map_err(unusable)?;
    let _reader = match format {
        Format::Text => output::data(&token)?,
        Format::Json => output::json(&json!({ "user": name, "token": token.as_str() }))?,
    };
    Ok(())
}

/// The hash of the password on standard input's first line.
fn password_given() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::talk("the password, and Enter:");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Failure::usage("cannot read the password").because(error))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("the password is empty").hint("write it to standard input"));
    }
    hashed_password(password).map_err(|error| Failure::usage("cannot take this password").because(error.to_string()))
}

fn list(users: &[ShownUser], format: Format) -> Result<(), Failure> {
    for user in users {
        let ShownUser { name, has_password, has_token, read, write } = user;
        let secrets = [(*has_password, "password"), (*has_token, "token")];
        let secrets: Vec<&str> = secrets.iter().filter(|(there, _)| *there).map(|(_, secret)| *secret).collect();
        let _reader = match format {
            Format::Json => output::json(&json!({ "user": name, "secrets": secrets, "read": read, "write": write }))?,
            Format::Text => output::data(&format!(
                "{name}: {}; reads {}; writes {}",
                secrets.join(" and "),
                scopes(read),
                scopes(write)
            ))?,
        };
    }
    Ok(())
}

fn scopes(scopes: &[String]) -> String {
    if scopes.is_empty() { "nothing".to_owned() } else { scopes.join(", ") }
}

fn unusable(error: AccessError) -> Failure {
    Failure::usage("cannot change who may do what").because(error)
}
