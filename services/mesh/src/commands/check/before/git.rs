//! A git repository, asked by the `git` program: a handful of calls, however many files there are.

use super::log::{self, Commit};
use crate::failure::Failure;
use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// Where the main branch may be, the most certain first.
const MAIN: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];
/// What a hook's environment says of the repository at hand; the root says it better.
const ENVIRONMENT: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"];

/// The repository that a folder is in.
pub(super) struct Repository {
    root: PathBuf,
    shallow: bool,
}

/// A commit to compare with.
pub(super) struct Base {
    /// What people know it as.
    pub(super) name: String,
    pub(super) commit: String,
}

impl Repository {
    /// The repository that `root` is in, if any.
    pub(super) fn find(root: &Path) -> Result<Option<Self>, Failure> {
        let absolute = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        if !absolute.ancestors().any(|folder| folder.join(".git").exists()) {
            return Ok(None);
        }
        let mut repository = Self { root: absolute, shallow: false };
        let output = repository.run(&["rev-parse", "--is-inside-work-tree", "--is-shallow-repository"])?;
        let said = text(&output.stdout);
        let mut lines = said.lines();
        if !output.status.success() || lines.next() != Some("true") {
            return Err(repository.refused("git does not read the repository that the tree is in", &output));
        }
        repository.shallow = lines.next() == Some("true");
        Ok(Some(repository))
    }

    /// A revision that was asked for by name.
    pub(super) fn named(&self, revision: &str) -> Result<Base, Failure> {
        if self.shallow {
            return Err(Failure::usage(format!("the history of {} is cut short: it is a shallow clone", revision))
                .hint("fetch it whole: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` for GitLab"));
        }
        let output = self.resolve(revision)?;
        match commit(&output) {
            Some(commit) => Ok(Base { name: format!("`{revision}`"), commit }),
            None => Err(Failure::usage(format!("`{revision}` is no git revision, and no folder that holds topics/"))
                .hint("give a revision such as `origin/main` (fetched before), a folder, or `registry`")),
        }
    }

    /// Where the work at hand left the main branch; or why that cannot be told.
    pub(super) fn merge_base(&self) -> Result<Result<Base, String>, Failure> {
        let known = self.run(&[&["for-each-ref", "--format=%(refname)"][..], &MAIN[..]].concat())?;
        let known = text(&known.stdout);
        let Some(main) = MAIN.into_iter().find(|branch| known.lines().any(|line| line == *branch)) else {
            return Ok(Err("the git repository has no main branch".to_owned()));
        };
        if commit(&self.resolve("HEAD")?).is_none() {
            return Ok(Err("the git repository has no commit yet".to_owned()));
        }
        let output = self.run(&["merge-base", "HEAD", main])?;
        let short = main.trim_start_matches("refs/heads/").trim_start_matches("refs/remotes/");
        match commit(&output) {
            Some(commit) => Ok(Ok(Base { name: format!("the merge base with {short}"), commit })),
            None => Ok(Err(format!("HEAD and {short} have no common commit here"))),
        }
    }

    /// Whether older commits are missing.
    pub(super) fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// What happened to contracts and schemas, oldest first: the states that the branch itself was in.
    pub(super) fn log(&self, until: &str) -> Result<Vec<Commit>, Failure> {
        let output = self.run(&[
            "-c",
            "log.showRoot=true",
            "-c",
            "log.diffMerges=separate",
            "log",
            "-m",
            "--first-parent",
            "--reverse",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--no-color",
            "--no-ext-diff",
            "--no-show-signature",
            "--relative",
            log::FORMAT,
            until,
            "--",
            "topics",
            "schemas",
        ])?;
        if !output.status.success() {
            return Err(self.refused("git does not tell the history of the tree", &output));
        }
        Ok(log::parse(&text(&output.stdout)))
    }

    /// The contents of files, by their ids.
    pub(super) fn blobs(&self, ids: &HashSet<&str>) -> Result<HashMap<String, Vec<u8>>, Failure> {
        let mut git = self.command(&["cat-file", "--batch"]);
        git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn().map_err(missing)?;
        let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
        // Git answers while it is asked: one thread alone could wait for ever. It says itself why it stops reading.
        let writer = child.stdin.take().map(|mut stdin| thread::spawn(move || drop(stdin.write_all(asked.as_bytes()))));
        let output = child.wait_with_output().map_err(missing)?;
        drop(writer.map(thread::JoinHandle::join));
        if !output.status.success() {
            return Err(self.refused("git does not give the files of the tree", &output));
        }
        Ok(log::contents(&output.stdout))
    }

    fn resolve(&self, revision: &str) -> Result<Output, Failure> {
        self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        self.command(arguments).stdin(Stdio::null()).output().map_err(missing)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(arguments).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        for variable in ENVIRONMENT {
            command.env_remove(variable);
        }
        command
    }

    fn refused(&self, what: &str, output: &Output) -> Failure {
        let said = text(&output.stderr);
        Failure::usage(what)
            .because(said.trim().to_owned())
            .hint(format!("try `git -C {} log`; or compare with a folder", self.root.display()))
    }
}

/// The commit's id that git answered with, if it did.
fn commit(output: &Output) -> Option<String> {
    let said = text(&output.stdout);
    let id = said.lines().last().filter(|id| output.status.success() && !id.is_empty());
    id.map(str::to_owned)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn missing(error: std::io::Error) -> Failure {
    let failure = match error.kind() {
        ErrorKind::NotFound => Failure::usage("the tree is in a git repository, and there is no program `git`"),
        _ => Failure::internal("cannot run `git`"),
    };
    failure.because(error).hint("install git, or compare with a folder: `mesh check --against DIR`")
}
