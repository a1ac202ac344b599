//! Root secrets on the command line: a key file made, rotated and listed; and the same secrets from Vault.

use crate::support::{Finished, VAULT_TOKEN, Vault, mesh, repository};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const USAGE: i32 = 2;
const UNREACHABLE: i32 = 4;

fn keys(command: &str, file: &Path) -> Finished {
    Finished::of(mesh(["keys", command, "--format", "json", "--keys"]).arg(file))
}

/// What the default view shows of a customer's e-mail address, given where the keys are.
fn shown(given: &[&str], environment: &[(&str, &str)]) -> Finished {
    let contract = repository().join("topics/crm/customers.yaml");
    let mut command: Command = mesh(["mask", "--encoding", "hex", "--view", "masked"]);
    command.args(given).arg("--contract").arg(contract).arg("--root").arg(repository());
    command.envs(environment.iter().copied());
    // an e-mail address alone, in a schema with that one column
    let schema = json!({ "type": "record", "name": "Customer", "namespace": "crm", "fields": [{ "name": "email", "type": "string" }] });
    let line = json!({ "id": 1, "schema": schema, "payload_hex": "1061406263642e6566" });
    Finished::given(&mut command, &format!("{line}\n"))
}

fn masked(finished: Finished) -> String {
    let line = finished.expect(0).json_lines().remove(0);
    line["payload_hex"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn a_key_file_is_made_rotated_and_listed_and_shows_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys.json");
    let versions = |finished: Finished| finished.expect(0).json_lines().remove(0)["versions"].clone();
    assert_eq!(versions(keys("generate", &file)), json!([1]));
    keys("generate", &file).expect(USAGE);
    let path = file.to_str().expect("temporary folders are UTF-8");
    let before = masked(shown(&["--keys", path], &[]));
    assert_eq!(versions(keys("rotate", &file)), json!([1, 2]));
    assert_eq!(versions(keys("list", &file)), json!([1, 2]));
    assert_ne!(masked(shown(&["--keys", path], &[])), before, "the newest version masks");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("ours")).expect("JSON");
    let secret = document["roots"][1]["secret"].as_str().expect("base64").to_owned();
    for command in ["list", "rotate"] {
        let said = keys(command, &file);
        assert!(!said.stdout.contains(&secret) && !said.stderr.contains(&secret));
    }
}

#[test]
fn vaults_secrets_mask_as_the_same_ones_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys.json");
    keys("generate", &file).expect(0);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("ours")).expect("JSON");
    let address = Vault::start(document["roots"][0]["secret"].as_str().expect("base64")).address();
    let expected = masked(shown(&["--keys", file.to_str().expect("temporary folders are UTF-8")], &[]));

    let given = ["--vault-keys", "secret/mesh/roots"];
    assert_eq!(masked(shown(&given, &[("VAULT_ADDR", &address), ("VAULT_TOKEN", VAULT_TOKEN)])), expected);
    let refused = shown(&given, &[("VAULT_ADDR", &address), ("VAULT_TOKEN", "hvs.wrong")]).expect(USAGE);
    assert!(refused.stderr.contains("refuses the token") && !refused.stderr.contains("hvs."), "{}", refused.stderr);
    let unnamed = shown(&given, &[("VAULT_TOKEN", VAULT_TOKEN)]).expect(USAGE);
    assert!(unnamed.stderr.contains("VAULT_ADDR"), "{}", unnamed.stderr);
    let clear =
        shown(&given, &[("VAULT_ADDR", "http://vault.example.org:8200"), ("VAULT_TOKEN", VAULT_TOKEN)]).expect(USAGE);
    assert!(clear.stderr.contains("in clear"), "{}", clear.stderr);
}

#[test]
fn a_key_file_that_vault_seals_masks_as_it_did_and_is_of_no_use_without_vault() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys.json");
    let path = file.to_str().expect("temporary folders are UTF-8");
    let address = Vault::start("").address();
    let vault = [("VAULT_ADDR", address.as_str()), ("VAULT_TOKEN", VAULT_TOKEN)];
    let sealed = |args: &[&str]| {
        Finished::of(mesh(["keys", "--format", "json", "--keys", path]).args(args).envs(vault)).expect(0).json_lines()
    };
    keys("generate", &file).expect(0);
    let before = masked(shown(&["--keys", path], &[]));
    let said = json!([{ "file": path, "versions": [1], "sealed": true }]);
    assert_eq!(json!(sealed(&["seal", "--transit", "transit/mesh-roots"])), said);
    assert_eq!(masked(shown(&["--keys", path], &vault)), before);
    assert_eq!(sealed(&["rotate"])[0]["versions"], json!([1, 2]));
    assert_ne!(masked(shown(&["--keys", path], &vault)), before, "the newest version masks");

    let unnamed = shown(&["--keys", path], &[]).expect(USAGE);
    assert!(unnamed.stderr.contains("VAULT_ADDR"), "{}", unnamed.stderr);
    let refused = shown(&["--keys", path], &[vault[0], ("VAULT_TOKEN", "hvs.wrong")]).expect(USAGE);
    assert!(refused.stderr.contains("POST transit/decrypt/mesh-roots"), "{}", refused.stderr);
    let away = shown(&["--keys", path], &[("VAULT_ADDR", "http://127.0.0.1:1"), vault[1]]).expect(UNREACHABLE);
    assert!(away.stderr.contains("cannot reach the Vault"), "{}", away.stderr);
    let other = folder.path().join("other.json");
    let generate = ["keys", "generate", "--transit", "transit/mesh-roots", "--format", "json", "--keys"];
    let made = Finished::of(mesh(generate).arg(&other).envs(vault)).expect(0).json_lines();
    assert_eq!((&made[0]["versions"], &made[0]["sealed"]), (&json!([1]), &json!(true)));
}
