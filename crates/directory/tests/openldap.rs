//! A real OpenLDAP is asked who is in which group.

#![allow(unreachable_pub, dead_code, reason = "the directory is shared with the end-to-end tests")]

#[path = "../../../tests/e2e/support/slapd.rs"]
mod slapd;

use mesh_contract::acl::Members;
use mesh_directory::{Answer, Directory, Error, open};
use slapd::{Slapd, group, person};
use std::collections::BTreeSet;
use std::error::Error as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// A directory of settings in a file of their own.
struct Asked {
    directory: Arc<dyn Directory>,
    _folder: TempDir,
}

fn asked(settings: &str) -> Asked {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file: PathBuf = folder.path().join("directory.yaml");
    std::fs::write(&file, settings).expect("the folder is ours");
    Asked { directory: open(&file).expect("the settings can be used"), _folder: folder }
}

impl Asked {
    fn ask(&self, groups: &[&str]) -> Result<Answer, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        runtime.expect("threads can be started").block_on(self.directory.members(&groups))
    }
}

fn members(of: &[(&str, &[&str])]) -> Members {
    let principals = |names: &[&str]| names.iter().map(|name| format!("User:{name}")).collect();
    of.iter().map(|(group, names)| ((*group).to_owned(), principals(names))).collect()
}

fn example() -> Slapd {
    let nobody = "dn: cn=ghost,ou=people,dc=example,dc=org\nobjectClass: person\ncn: ghost\nsn: ghost\n\n";
    let pattern = "dn: cn=star,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: *\ncn: star\nsn: star\n\n";
    let twice =
        "dn: cn=two,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ana\nuid: eve\ncn: two\nsn: two\n\n";
    let people = ["ana", "bob", "carl", "Dora"].map(person).concat();
    let odd = "dn: cn=odd,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: odd\n\
               member: cn=ghost,ou=people,dc=example,dc=org\nmember: cn=star,ou=people,dc=example,dc=org\n\
               member: cn=two,ou=people,dc=example,dc=org\nmember: uid=gone,ou=people,dc=example,dc=org\n\
               member: UID=carl, OU=people,dc=example,dc=org\n\n";
    let posix = "dn: cn=posix,ou=groups,dc=example,dc=org\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\n\
                 memberUid: bob\nmemberUid: nobody\nmemberUid: a*\n\n";
    let groups = [
        group("analysts", &["ana"], &["team"]),
        group("team", &["bob", "Dora"], &["analysts", "team"]),
        group("an*", &["carl"], &[]),
        odd.to_owned(),
        posix.to_owned(),
    ];
    Slapd::start(&format!("{people}{nobody}{pattern}{twice}{}", groups.concat()))
}

#[test]
fn nested_groups_are_followed_over_tls_and_groups_that_hold_each_other_end() {
    let slapd = example();
    let found = asked(&slapd.settings(&slapd.tls_url(), "")).ask(&["analysts", "an*", "nobody"]).expect("it answers");
    assert_eq!(found.members, members(&[("analysts", &["ana", "bob", "Dora"]), ("an*", &["carl"])]));
    assert_eq!(found.left_out, 0);
    // the same over StartTLS, and piece by piece
    let rest = "start_tls: true\npage_size: 1\n";
    let again = asked(&slapd.settings(&slapd.url(), rest)).ask(&["analysts"]).expect("it answers");
    assert_eq!(again.members, members(&[("analysts", &["ana", "bob", "Dora"])]));
}

#[test]
fn whoever_has_no_name_of_their_own_is_left_out_and_counted() {
    let slapd = example();
    let found = asked(&slapd.settings(&slapd.url(), "")).ask(&["odd"]).expect("it answers");
    assert_eq!(found.members, members(&[("odd", &["carl"])]));
    assert_eq!(found.left_out, 3);
    let names = "groups: { base: 'ou=groups,dc=example,dc=org', members: memberUid, members_are: names }\n";
    let settings = slapd.settings(&slapd.url(), "");
    let settings = settings.replace("groups: { base: 'ou=groups,dc=example,dc=org' }\n", names);
    let found = asked(&settings).ask(&["posix"]).expect("it answers");
    assert_eq!(found.members, members(&[("posix", &["bob"])]));
}

#[test]
fn what_changes_is_in_the_next_answer_and_a_directory_that_is_gone_is_an_error() {
    let mut slapd = example();
    let asked = asked(&slapd.settings(&slapd.tls_url(), "timeout_seconds: 5\n"));
    slapd.modify(
        "dn: cn=team,ou=groups,dc=example,dc=org\nchangetype: modify\ndelete: member\n\
         member: uid=bob,ou=people,dc=example,dc=org\n",
    );
    assert_eq!(asked.ask(&["analysts"]).expect("it answers").members, members(&[("analysts", &["ana", "Dora"])]));
    slapd.stop();
    assert!(matches!(asked.ask(&["analysts"]), Err(Error::Connect { .. })));
    slapd.start_again();
    assert_eq!(asked.ask(&["team"]).expect("it answers").members, members(&[("team", &["ana", "Dora"])]));
}

#[test]
fn an_answer_that_is_not_whole_is_none() {
    let slapd = example();
    // several groups of one name, each on a page of its own
    let settings = slapd.settings(&slapd.url(), "page_size: 1\n");
    let any = settings.replace("groups: { base:", "groups: { filter: '(|(cn={group})(cn=*))', base:");
    let refused = asked(&any).ask(&["analysts"]).expect_err("there are five");
    assert!(matches!(refused, Error::AmbiguousGroup { count: 5, .. }), "{refused}");
    // the server's limit is not taken for the end
    slapd.modify(
        "dn: cn=limited,ou=people,dc=example,dc=org\nobjectClass: person\ncn: limited\nsn: limited\n\
         userPassword: correct-horse\n",
    );
    let limited = any.replace("cn=admin,", "cn=limited,ou=people,");
    let refused = asked(&limited).ask(&["analysts"]).expect_err("two are allowed");
    assert!(matches!(refused, Error::Search { .. }), "{refused}");
    let why = refused.source().expect("it has a cause").to_string();
    assert!(why.contains("sizeLimitExceeded"), "{why}");
    // a base that is not there is no group without members
    let nowhere = settings.replace("'ou=groups,", "'ou=grups,");
    assert!(matches!(asked(&nowhere).ask(&["analysts"]), Err(Error::Search { .. })));
}

#[test]
fn whoever_is_not_trusted_or_not_let_in_is_told_and_no_password_is() {
    let (slapd, other) = (example(), example());
    let foreign = slapd
        .settings(&slapd.tls_url(), "")
        .replace(&slapd.authority().display().to_string(), &other.authority().display().to_string());
    let refused = asked(&foreign).ask(&["analysts"]).expect_err("another authority");
    assert!(matches!(refused, Error::Connect { .. }), "{refused}");
    std::fs::write(slapd.password_file(), "wrong-horse\n").expect("the file is ours");
    let refused = asked(&slapd.settings(&slapd.tls_url(), "")).ask(&["analysts"]).expect_err("another password");
    let said = format!("{refused}: {:?}", refused.source().map(ToString::to_string));
    assert!(matches!(refused, Error::Bind { .. }) && said.contains("invalidCredentials"), "{said}");
    assert!(!said.contains("wrong-horse"), "{said}");
    // an empty one would be let in as nobody
    std::fs::write(slapd.password_file(), "\n").expect("the file is ours");
    let refused = asked(&slapd.settings(&slapd.tls_url(), "")).ask(&["analysts"]).expect_err("no password");
    assert!(matches!(refused, Error::Settings { .. }), "{refused}");
}

#[test]
fn whatever_answers_in_place_of_a_directory_is_an_error() {
    let settings = |port: u16| {
        format!("url: ldap://127.0.0.1:{port}\ntimeout_seconds: 1\ngroups: {{ base: g }}\nusers: {{ base: p }}\n")
    };
    // nothing at all, what is no LDAP, and an entry whose parts are not those of one
    let garbage: [&[u8]; 3] = [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0x30, 0x05, 0x02, 0x01, 0x01, 0x64, 0x00]];
    for bytes in garbage {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it is asked");
            stream.write_all(bytes).expect("it listens");
            stream
        });
        asked(&settings(port)).ask(&["analysts"]).expect_err("it is none");
        drop(server.join());
    }
}
