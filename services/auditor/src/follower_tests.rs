#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Follower, LINE_MAX};

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn lines(follower: &mut Follower) -> Vec<String> {
    std::iter::from_fn(|| follower.next_line().unwrap()).collect()
}

fn log(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("kafka-authorizer.log")
}

/// As log4j rotates: the log is renamed, and a new one begun.
fn rotate(path: &Path, to: &str) {
    fs::rename(path, path.with_file_name(format!("kafka-authorizer.log.{to}"))).unwrap();
}

/// The order of files is that of their last change, which a fast test has to see to.
fn age(path: &Path, seconds: u64) {
    let time = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn resumed(path: &Path, follower: &Follower) -> Follower {
    Follower::resume(path, follower.position()).unwrap()
}

#[test]
fn lines_come_once_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    let mut follower = Follower::resume(&path, None).unwrap();
    assert!(lines(&mut follower).is_empty(), "it is not there yet");
    append(&path, "one\ntwo\nthr");
    assert_eq!(lines(&mut follower), ["one", "two"]);
    append(&path, "ee\n");
    assert_eq!(lines(&mut follower), ["three"]);
    assert!(lines(&mut follower).is_empty());
}

#[test]
fn a_rotation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&path, "one\n");
    let mut follower = Follower::resume(&path, None).unwrap();
    assert_eq!(lines(&mut follower), ["one"]);
    append(&path, "two\n");
    age(&path, 20);
    rotate(&path, "1");
    append(&path, "three\n");
    age(&path, 10);
    rotate(&path, "2");
    append(&path, "four\n");
    assert_eq!(lines(&mut follower), ["two", "three", "four"]);
}

#[test]
fn a_restart_goes_on_where_it_was_whatever_the_file_is_called_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&path, "one\ntwo\n");
    let mut follower = Follower::resume(&path, None).unwrap();
    assert_eq!(follower.next_line().unwrap().as_deref(), Some("one"));
    age(&path, 20);
    rotate(&path, "1");
    append(&path, "three\n");
    let mut again = resumed(&path, &follower);
    assert_eq!(lines(&mut again), ["two", "three"]);
    assert!(lines(&mut resumed(&path, &again)).is_empty());
}

#[test]
fn a_log_that_is_gone_is_followed_by_the_oldest_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&path, "one\n");
    let mut follower = Follower::resume(&path, None).unwrap();
    assert_eq!(lines(&mut follower), ["one"]);
    fs::remove_file(&path).unwrap();
    append(&path, "two\n");
    assert_eq!(lines(&mut resumed(&path, &follower)), ["two"]);
    assert_eq!(lines(&mut follower), ["two"], "while it is followed, too");
}

#[test]
fn a_log_that_is_emptied_in_its_place_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&path, "one\ntwo\n");
    let mut follower = Follower::resume(&path, None).unwrap();
    assert_eq!(lines(&mut follower), ["one", "two"]);
    fs::write(&path, "three\n").unwrap();
    assert_eq!(lines(&mut follower), ["three"]);
}

#[test]
fn a_line_without_end_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&path, &format!("one\n{}\ntwo\n", "x".repeat(3 * LINE_MAX)));
    let mut follower = Follower::resume(&path, None).unwrap();
    assert_eq!(lines(&mut follower), ["one", "two"]);
    assert_eq!(follower.position().unwrap().1, fs::metadata(&path).unwrap().len());
    assert!(lines(&mut resumed(&path, &follower)).is_empty());
}

#[test]
fn other_files_beside_it_are_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(&folder);
    append(&folder.path().join("kafka.log"), "no\n");
    append(&folder.path().join("kafka-authorizer.log.1.gz"), "no\n");
    append(&path, "one\n");
    assert_eq!(lines(&mut Follower::resume(&path, None).unwrap()), ["one"]);
}
