//! One alert rule.

use serde_json::{Map, Value};

/// One alert rule. Labels and annotations are templates to Prometheus: what people wrote goes through [`literal`].
pub(super) struct Rule {
    pub(super) alert: &'static str,
    pub(super) expr: String,
    /// How long the expression holds before the alert fires; at once if none.
    pub(super) hold: Option<&'static str>,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) annotations: Vec<(&'static str, String)>,
}

impl Rule {
    pub(super) fn into_json(self) -> Value {
        let object = |entries: Vec<(&str, String)>| -> Value {
            entries.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
        };
        let mut rule = Map::new();
        rule.insert("alert".to_owned(), self.alert.into());
        rule.insert("expr".to_owned(), self.expr.into());
        rule.extend(self.hold.map(|hold| ("for".to_owned(), hold.into())));
        rule.insert("labels".to_owned(), object(self.labels));
        rule.insert("annotations".to_owned(), object(self.annotations));
        rule.into()
    }
}

/// What people wrote is no template.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", r#"{{"{{"}}"#)
}
