//! A real OpenLDAP (Debian's `slapd`), with a folder of its own, for as long as the test runs.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const NEEDED: &str = "OpenLDAP is needed: apt-get install slapd ldap-utils";
const ADMIN: &str = "cn=admin,dc=example,dc=org";
const PASSWORD: &str = "correct-horse";
const PATIENCE: Duration = Duration::from_secs(60);
/// What each directory begins with.
const TREE: &str = "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n\
                    dn: ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\n\n\
                    dn: ou=groups,dc=example,dc=org\nobjectClass: organizationalUnit\n\n";

/// A running directory.
pub struct Slapd {
    folder: TempDir,
    port: u16,
    tls_port: u16,
    child: Option<Child>,
}

impl Slapd {
    /// Starts one with people and groups, each a line of LDIF entries below `dc=example,dc=org`.
    pub fn start(entries: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("data")).expect("the folder is ours");
        certify(folder.path());
        let mut slapd = Self { folder, port: 0, tls_port: 0, child: None };
        fs::write(slapd.file("slapd.conf"), slapd.config()).expect("the folder is ours");
        private(&slapd.file("password"), PASSWORD);
        slapd.load(&format!("{TREE}{entries}"));
        slapd.run();
        slapd
    }

    /// Its address without TLS, on loopback.
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Its address with TLS from the first byte on.
    pub fn tls_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    /// The authority of its certificate.
    pub fn authority(&self) -> PathBuf {
        self.file("authority.crt")
    }

    /// A file with the administrator's password.
    pub fn password_file(&self) -> PathBuf {
        self.file("password")
    }

    /// Settings of `mesh` for it: the rest follows.
    pub fn settings(&self, url: &str, rest: &str) -> String {
        format!(
            "url: {url}\nauthority: {}\nbind: {{ dn: '{ADMIN}', password_file: {} }}\n\
             groups: {{ base: 'ou=groups,dc=example,dc=org' }}\nusers: {{ base: 'ou=people,dc=example,dc=org' }}\n{rest}",
            self.authority().display(),
            self.password_file().display()
        )
    }

    /// Changes entries, in LDIF's words.
    pub fn modify(&self, ldif: &str) {
        let mut command = Command::new("ldapmodify");
        command.args(["-x", "-a", "-H", &self.url(), "-D", ADMIN, "-y"]).arg(self.password_file());
        feed(&mut command, ldif);
    }

    /// Stops it; its data stay.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // it may have ended by itself
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        let listens = format!("{}/ {}/", self.url(), self.tls_url());
        assert!(self.try_start(&listens), "slapd does not start again on {listens}");
    }

    fn run(&mut self) {
        for _ in 0..10 {
            // free now; another process may be faster
            (self.port, self.tls_port) = (free_port(), free_port());
            let listens = format!("{}/ {}/", self.url(), self.tls_url());
            if self.try_start(&listens) {
                return;
            }
        }
        panic!("slapd does not start: {}", fs::read_to_string(self.file("slapd.log")).unwrap_or_default());
    }

    /// Whether it answers at these addresses.
    fn try_start(&mut self, listens: &str) -> bool {
        let log = fs::File::create(self.file("slapd.log")).expect("the folder is ours");
        let mut command = Command::new(sbin("slapd"));
        command.arg("-f").arg(self.file("slapd.conf")).args(["-h", listens, "-d", "0"]);
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().expect(NEEDED);
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().expect("it is our child").is_none() {
            if TcpStream::connect(("127.0.0.1", self.tls_port)).is_ok() {
                self.child = Some(child);
                return true;
            }
            assert!(Instant::now() < deadline, "slapd does not answer within {PATIENCE:?}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        false
    }

    fn load(&self, ldif: &str) {
        let mut command = Command::new(sbin("slapadd"));
        feed(command.arg("-f").arg(self.file("slapd.conf")), ldif);
    }

    fn config(&self) -> String {
        let schemas = ["core", "cosine", "inetorgperson", "nis"];
        let schemas = schemas.map(|name| format!("include /etc/ldap/schema/{name}.schema\n")).concat();
        let file = |name: &str| self.file(name).display().to_string();
        format!(
            "{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {}\nargsfile {}\n\
             TLSCertificateFile {}\nTLSCertificateKeyFile {}\nTLSCACertificateFile {}\n\
             database mdb\nsuffix dc=example,dc=org\nrootdn {ADMIN}\nrootpw {PASSWORD}\ndirectory {}\nmaxsize 10485760\n\
             limits dn.exact=\"cn=limited,ou=people,dc=example,dc=org\" size=2\n\
             access to attrs=userPassword by * auth\naccess to * by users read\n",
            file("pid"),
            file("args"),
            file("slapd.crt"),
            file("slapd.key"),
            file("authority.crt"),
            file("data"),
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A person, whose principal is `User:<name>`.
pub fn person(name: &str) -> String {
    format!(
        "dn: uid={name},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\n"
    )
}

/// A group of people and groups.
pub fn group(name: &str, people: &[&str], groups: &[&str]) -> String {
    let people = people.iter().map(|name| format!("member: uid={name},ou=people,dc=example,dc=org\n"));
    let groups = groups.iter().map(|name| format!("member: cn={name},ou=groups,dc=example,dc=org\n"));
    let members: String = people.chain(groups).collect();
    format!("dn: cn={name},ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: {name}\n{members}\n")
}

/// An authority, and a certificate of it for loopback.
fn certify(folder: &Path) {
    let key = || KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).expect("a certificate can be made");
    let (own, names) = (key(), vec!["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let certificate = CertificateParams::new(names).expect("an address");
    let certificate = certificate.signed_by(&own, &authority).expect("it can be signed");
    fs::write(folder.join("authority.crt"), authority.pem()).expect("the folder is ours");
    fs::write(folder.join("slapd.crt"), certificate.pem()).expect("the folder is ours");
    private(&folder.join("slapd.key"), &own.serialize_pem());
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
}

fn feed(command: &mut Command, input: &str) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect(NEEDED);
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Debian keeps it where users' paths do not lead.
fn sbin(program: &str) -> PathBuf {
    let usual = Path::new("/usr/sbin").join(program);
    if usual.exists() { usual } else { program.into() }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
