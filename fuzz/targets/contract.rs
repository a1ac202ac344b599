//! Any text is a contract, a domain, waivers or columns, or is refused with findings that lie inside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_contract::{
    Contract, Finding, draft_contract, parse_contract, parse_domain, parse_sensitive_columns, parse_waivers,
};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let contract = parse_contract("f.yaml", text);
    if let Ok(contract) = &contract {
        let json = serde_json::to_string(&contract.value).expect("a contract has a JSON form");
        let again: Contract = serde_json::from_str(&json).expect("a contract's JSON is a contract");
        assert_eq!(again, contract.value);
        assert!(contract.value.view_names().len() == contract.value.topics().views.len());
        assert!(draft_contract("f.yaml", text).is_some());
    }
    let _ = draft_contract("f.yaml", text);
    let refusals = [
        contract.err(),
        parse_domain("f.yaml", text).err(),
        parse_sensitive_columns("f.yaml", text).err(),
        parse_waivers("f.yaml", text).err(),
    ];
    let lines: Vec<usize> =
        text.replace("\r\n", "\n").replace('\r', "\n").split('\n').map(|line| line.chars().count() + 1).collect();
    for findings in refusals.iter().flatten() {
        assert!(!findings.is_empty(), "refused without a finding");
        findings.iter().for_each(|finding| is_inside(&lines, finding));
    }
});

fn is_inside(lines: &[usize], finding: &Finding) {
    let longest = lines.get(finding.place.line as usize - 1).unwrap_or_else(|| panic!("{finding} is behind the end"));
    assert!((1..=*longest).contains(&(finding.place.column as usize)), "{finding} is behind its line's end");
    assert!(!finding.to_string().is_empty() && !finding.message.is_empty());
}
