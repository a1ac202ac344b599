use super::*;
use mesh_contract::{Limit, Quota};

const ANA: &str = "User:ana";

/// The examples, where these domains limit her.
fn limited(domains: &[&str], produce: Option<&str>, requests: Option<&str>) -> WorkingTree {
    let mut tree = examples();
    let quota = Quota {
        produce: produce.map(|rate| rate.parse().unwrap()),
        consume: None,
        requests: requests.map(|share| share.parse().unwrap()),
    };
    for domain in tree.domains.iter_mut().filter(|domain| domains.contains(&domain.value.domain.as_str())) {
        domain.value.quotas.insert(ANA.to_owned(), quota.clone());
    }
    tree
}

/// As somebody has limited her by hand.
fn limit(observed: &mut Observed, limits: &[(Limit, f64)]) {
    observed.quotas.insert(ANA.to_owned(), limits.iter().copied().collect());
}

fn quotas(plan: &Plan) -> Vec<String> {
    rows(plan).into_iter().filter(|row| row.contains("quota")).collect()
}

#[test]
fn quotas_are_set_mended_and_taken_back_and_then_nothing_is_left_to_do() {
    let mut observed = applied(&examples());
    let tree = limited(&["crm", "web"], Some("10 MB/s"), Some("50 %"));
    let first = plain(&tree, &mut observed);
    assert_eq!(quotas(&first), ["change quota User:ana: produce: none -> 10 MB/s, requests: none -> 50 %"]);
    let kinds: Vec<&str> = first.steps.iter().map(|step| step.change.row().kind).collect();
    assert_eq!(kinds, ["domain", "domain", "quota"], "whose it is stands there first");
    carry_out(&mut observed, &first);
    assert!(!plain(&tree, &mut observed).is_drift());

    limit(&mut observed, &[(Limit::Produce, 10_000_000.0), (Limit::Consume, 1024.0), (Limit::Requests, 12.5)]);
    let by_hand = plain(&tree, &mut observed);
    assert_eq!(rows(&by_hand), ["change quota User:ana: consume: 1 KiB/s -> none, requests: 12.5 % -> 50 %"]);
    carry_out(&mut observed, &by_hand);
    observed.quotas.clear();
    assert_eq!(quotas(&plain(&tree, &mut observed)).len(), 1, "taken away by hand");

    // a limit that is dropped, a domain that drops her, and the last one that does
    let less = limited(&["crm", "web"], Some("10 MB/s"), None);
    limit(&mut observed, &[(Limit::Produce, 10_000_000.0), (Limit::Requests, 50.0)]);
    let dropped = plain(&less, &mut observed);
    assert_eq!(quotas(&dropped), ["change quota User:ana: requests: 50 % -> none"]);
    carry_out(&mut observed, &dropped);
    let one = plain(&limited(&["web"], Some("10 MB/s"), None), &mut observed);
    assert_eq!(rows(&one), ["publish domain crm: "]);
    carry_out(&mut observed, &one);
    let none = plain(&examples(), &mut observed);
    assert_eq!(rows(&none), ["delete quota User:ana: produce: 10 MB/s -> none", "publish domain web: "]);
    carry_out(&mut observed, &none);
    // what was never the mesh's, or is no more, is nobody's business
    limit(&mut observed, &[(Limit::Produce, 1.0)]);
    assert!(!plain(&examples(), &mut observed).is_drift());
}

#[test]
fn an_apply_that_was_killed_between_two_steps_is_finished() {
    let tree = limited(&["crm"], Some("10 MB/s"), None);
    let mut observed = applied(&examples());
    let mut set = plain(&tree, &mut observed);
    set.steps.truncate(1);
    carry_out(&mut observed, &set);
    assert_eq!(quotas(&plain(&tree, &mut observed)).len(), 1, "published, and not set");
    let rest = plain(&tree, &mut observed);
    carry_out(&mut observed, &rest);
    let mut gone = plain(&examples(), &mut observed);
    gone.steps.truncate(1);
    carry_out(&mut observed, &gone);
    assert!(observed.quotas.is_empty());
    assert_eq!(rows(&plain(&examples(), &mut observed)), ["publish domain crm: "]);
}

#[test]
fn a_quota_of_somebody_elses_is_not_taken() {
    let mut observed = applied(&examples());
    let tree = limited(&["crm"], Some("10 MB/s"), None);
    limit(&mut observed, &[(Limit::Consume, 5.5)]);
    let taken = plain(&tree, &mut observed);
    assert_eq!((rules(&taken), quotas(&taken)), (vec!["quota-taken"], Vec::new()));
    insta::assert_snapshot!(taken.refused[0].what, @"User:ana has a quota already, and the mesh has not given it: consume 5.5 B/s");
    let wishes = Wishes { adopt: [ANA.to_owned()].into(), bootstrap: "a:9092".into(), ..Wishes::default() };
    let adopted = plan(&tree, &mut observed, &wishes);
    assert_eq!(quotas(&adopted), ["change quota User:ana: produce: none -> 10 MB/s, consume: 5.5 B/s -> none"]);
    // one that is as it is to be becomes the mesh's
    limit(&mut observed, &[(Limit::Produce, 10_000_000.0)]);
    let same = plain(&tree, &mut observed);
    assert_eq!((rules(&same), rows(&same)), (Vec::new(), vec!["publish domain crm: ".to_owned()]));
}

#[test]
fn a_domain_of_another_tree_keeps_what_it_says() {
    let other = limited(&["web"], Some("10 MB/s"), None);
    let mut observed = applied(&examples());
    let first = plain(&other, &mut observed);
    carry_out(&mut observed, &first);
    let without_web = |mut tree: WorkingTree| {
        tree.domains.retain(|domain| domain.value.domain != "web");
        tree
    };
    let differs = plain(&without_web(limited(&["crm"], Some("1 MB/s"), None)), &mut observed);
    assert_eq!((rules(&differs), quotas(&differs)), (vec!["quota-differs"], Vec::new()));
    let same = plain(&without_web(limited(&["crm"], Some("10 MB/s"), None)), &mut observed);
    carry_out(&mut observed, &same);
    let gone = plain(&without_web(examples()), &mut observed);
    assert_eq!(rows(&gone), ["publish domain crm: "], "the other domain still limits her");
}

#[test]
fn quotas_need_a_right_which_the_plan_may_give() {
    let tree = limited(&["crm"], Some("10 MB/s"), None);
    let mut observed = applied(&examples());
    observed.allowed.remove(&acl::Operation::AlterConfigs);
    let apply = acl::Part::Apply.principal();
    let wishes = Wishes { principal: Some(apply), bootstrap: "a:9092".into(), ..Wishes::default() };
    let refused = plan(&tree, &mut observed, &wishes);
    assert_eq!(rules(&refused), ["not-allowed"]);
    let what = "User:mesh-apply may not AlterConfigs the cluster (1 changes need it)";
    assert_eq!(refused.refused[0].what, what);

    observed.rights =
        Some(Rights { table: Wanted::of(&examples(), None, &acl::Sidecars::default()).table, ..Rights::default() });
    let wanted = Wanted::of(&tree, None, &acl::Sidecars::default());
    let subjects = schemas::subjects(&tree.products);
    let scope = Scope::new(wanted_topics::names(&tree), &subjects, Some(&wanted), &BTreeSet::new()).with_quotas(&tree);
    assert_eq!(scope.quotas, [ANA.to_owned()].into());
    let given = Plan::of(&tree, &subjects, &scope, &observed, &wishes);
    assert_eq!(rules(&given), [""; 0]);
    assert_eq!(rows(&given)[0], "grant rule User:mesh-apply may AlterConfigs the cluster: ");
}

#[test]
fn facts_tell_quotas_so_that_a_saved_plan_is_refused_when_they_move() {
    let tree = limited(&["crm"], Some("10 MB/s"), None);
    let mut observed = applied(&examples());
    let before = plain(&tree, &mut observed).facts;
    limit(&mut observed, &[(Limit::Produce, 10_000_000.0)]);
    let after = plain(&tree, &mut observed).facts;
    let moved = crate::apply::observed::moved(&before, &after);
    assert_eq!(moved, [("quota User:ana: produce".to_owned(), "absent".to_owned(), "10 MB/s".to_owned())]);
}
