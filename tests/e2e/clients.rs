//! What the registry's real clients see: the same conversation, each in its own words, all at once.

use crate::support::{Client, World};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::thread;

#[test]
fn real_clients_register_look_up_check_configure_and_delete() {
    let world = World::start();
    assert_conversations(&[&world.registry_url]);
}

/// Has every client talk with a registry: its address, and an authority and `user:password` if it wants them.
pub fn assert_conversations(registry: &[&str]) {
    let talk = |client: Client| client.run("registry", registry, "").json_lines();
    let [python, go, node] = thread::scope(|scope| {
        let talks = Client::ALL.map(|client| scope.spawn(move || talk(client)));
        talks.map(|talk| talk.join().expect("the client is content"))
    });
    insta::assert_snapshot!("what_python_sees", readable(&python));
    insta::assert_snapshot!("what_go_sees", readable(&go));
    insta::assert_snapshot!("what_node_sees", readable(&node));
}

/// Each step with what was seen, a line each.
fn readable(lines: &[Value]) -> String {
    let mut text = String::new();
    for line in lines {
        let nothing = Map::new();
        let seen = line.as_object().unwrap_or(&nothing);
        let step = seen.get("step").and_then(Value::as_str).unwrap_or_default();
        writeln!(text, "{step}").expect("a String takes what it is given");
        for (name, value) in seen.iter().filter(|(name, _)| *name != "step") {
            writeln!(text, "  {name}: {value}").expect("a String takes what it is given");
        }
    }
    text
}
