//! What the workload's texts are made of.

pub(crate) const FIRST_NAMES: &[&str] = &[
    "Anna", "Jürgen", "Marta", "Zoë", "Paul", "Ingrid", "Tomás", "Lea", "Olga", "Bram", "Chiara", "Noah", "Amélie",
    "Piotr", "Sofia", "Hans", "Eleni", "Marek", "Ruth", "Kwame",
];

pub(crate) const LAST_NAMES: &[&str] = &[
    "Müller",
    "Novak",
    "Rossi",
    "Dubois",
    "van Dijk",
    "Kowalska",
    "García",
    "Andersen",
    "Papadopoulos",
    "Schneider",
    "O'Neill",
    "Horvat",
    "Lindqvist",
    "Silva",
    "Weber",
    "Okafor",
    "Fontaine",
    "Brandt",
];

pub(crate) const CITIES: &[&str] =
    &["Berlin", "Lyon", "Kraków", "Utrecht", "Milano", "Porto", "Graz", "Málaga", "Aarhus", "Gent"];

pub(crate) const COUNTRIES: &[&str] = &["DE", "FR", "PL", "NL", "IT", "PT", "AT", "ES", "DK", "BE"];

pub(crate) const STREETS: &[&str] =
    &["Hauptstraße", "Rue de la Paix", "Via Roma", "Kerkstraat", "Lindenallee", "Rua do Ouro"];

pub(crate) const TAGS: &[&str] =
    &["vip", "newsletter", "churn-risk", "b2b", "beta", "student", "loyal", "abandoned-cart"];

pub(crate) const PREFERENCES: &[(&str, &[&str])] = &[
    ("language", &["de", "fr", "pl", "en"]),
    ("channel", &["email", "sms", "push"]),
    ("theme", &["dark", "light"]),
    ("currency", &["EUR", "PLN", "DKK"]),
    ("contact_time", &["morning", "afternoon", "evening"]),
    ("store", &["berlin-mitte", "lyon-centre", "porto-baixa"]),
];

pub(crate) const WORDS: &[&str] = &[
    "customer", "called", "about", "the", "delivery", "of", "an", "order", "and", "asked", "for", "a", "refund",
    "because", "parcel", "was", "damaged", "agent", "offered", "voucher", "next", "purchase", "contract", "renewal",
    "in", "spring", "prefers", "café", "visits", "no", "calls", "before", "noon", "follow", "up", "on", "invoice",
    "with", "finance", "team",
];

pub(crate) const SOURCES: &[&str] = &["crm-web", "crm-store", "crm-callcenter", "import-legacy"];
