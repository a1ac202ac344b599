//! The keys of each mapping: the grammar's one list, which the JSON Schemas are checked against.

/// A mapping's keys.
pub(crate) struct Keys {
    /// What the mapping is, in messages.
    pub(crate) what: &'static str,
    /// Keys that must be there, each with an example.
    pub(crate) required: &'static [(&'static str, &'static str)],
    /// Keys that may be there.
    pub(crate) optional: &'static [&'static str],
}

impl Keys {
    /// All of them.
    pub(crate) fn all(&self) -> Vec<&'static str> {
        self.required.iter().map(|(key, _)| *key).chain(self.optional.iter().copied()).collect()
    }
}

pub(crate) const CONTRACT: Keys = Keys {
    what: "a contract",
    required: &[
        ("unique_id", "unique_id: <a new UUID, such as `uuidgen` prints>"),
        ("owner", "owner: <the domain whose folder holds this file>"),
        ("name", "name: <this file's name without `.yaml`>"),
        ("version", "version: 1"),
        ("description", "description: <what one record means>"),
        ("schema", "schema: schemas/<domain>/<record>.avsc"),
        ("refresh_rate", "refresh_rate: hour"),
        ("history", "history: 2 years"),
        ("sensitive_columns", "sensitive_columns: [email], or [] if nothing is sensitive"),
        ("access_group", "access_group: <the group that may read the masked view>"),
    ],
    optional: &[
        "key",
        "subject",
        "compatibility",
        "storage",
        "views",
        "dependencies",
        "partitions",
        "replication",
        "headers",
        "maintenance",
        "deprecated",
        "fed_by",
    ],
};

pub(crate) const REFRESH_RATE: Keys = Keys {
    what: "a refresh rate",
    required: &[("every", "every: 15 minutes")],
    optional: &["event_time", "objective", "over", "hours"],
};

pub(crate) const HOURS: Keys = Keys {
    what: "the hours of a promise",
    required: &[("at", "at: Mon-Fri 08:00-18:00 Europe/Berlin")],
    optional: &["except"],
};

pub(crate) const MAINTENANCE: Keys = Keys {
    what: "a maintenance",
    required: &[("reason", "reason: <why it need not be fresh>")],
    optional: &["from", "to", "hours"],
};

pub(crate) const DEPRECATED: Keys = Keys {
    what: "a deprecation",
    required: &[
        ("until", "until: <the last day that it is there on, such as 2027-06-30>"),
        ("reason", "reason: <what its subscribers should know>"),
    ],
    optional: &["successor", "since"],
};

pub(crate) const SENSITIVE_COLUMN: Keys =
    Keys { what: "a sensitive column", required: &[("column", "column: email")], optional: &["class", "mask"] };

pub(crate) const VIEW: Keys = Keys { what: "a view", required: &[("clear", "clear: [phone]")], optional: &[] };

pub(crate) const ACCESS_GRANT: Keys =
    Keys { what: "an access group", required: &[("group", "group: analysts")], optional: &["view"] };

pub(crate) const DOMAIN: Keys = Keys {
    what: "a domain",
    required: &[
        ("domain", "domain: <this folder's name>"),
        ("description", "description: <what the domain is about>"),
        ("team", "team: { name: CRM, contact: crm-oncall@example.org }"),
    ],
    optional: &["producers", "actors", "terms", "classes", "maintenance", "quotas"],
};

pub(crate) const QUOTA: Keys = Keys { what: "a quota", required: &[], optional: &["produce", "consume", "requests"] };

pub(crate) const TEAM: Keys = Keys {
    what: "a team",
    required: &[("name", "name: CRM"), ("contact", "contact: crm-oncall@example.org")],
    optional: &["escalation"],
};

pub(crate) const CLASS: Keys =
    Keys { what: "a class", required: &[("grants", "grants: [web], or [] for nobody else")], optional: &[] };

pub(crate) const WAIVER: Keys = Keys {
    what: "a waiver",
    required: &[
        ("rule", "rule: <the id of the finding's rule>"),
        ("product", "product: crm.orders, or crm.orders@1 for one version"),
        ("reason", "reason: <why readers have to live with it>"),
        ("owner", "owner: <who answers for it>"),
        ("expires", "expires: <the last day that it holds on, such as 2026-12-31>"),
    ],
    optional: &["column"],
};
