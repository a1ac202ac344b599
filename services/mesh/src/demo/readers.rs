//! Subscribes as each access group, to see what it sees.

use super::canary::Aviary;
use super::cast::PRODUCTS;
use super::failed;
use super::hunt::Mark;
use super::progress::Progress;
use super::publish::Stage;
use super::search::Grants;
use super::side_by_side::{Sight, compare};
use super::story::{SideBySide, ViewCount};
use super::watch::groups;
use crate::failure::Failure;
use mesh_client::subscriber::{Event, Options, Subscriber};
use mesh_kafka::consumer::Start;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What the readers saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub views: Vec<ViewCount>,
    pub same_customer: SideBySide,
    /// Canary customers whose birth date came through whole where no view grants it: (topic, customer).
    pub birth_dates: BTreeSet<(String, String)>,
}

/// Reads every view of every product since `mark`, each as the groups that may.
pub struct Readers<'a> {
    pub stage: &'a Stage,
    pub mark: &'a Mark,
    pub aviary: &'a Aviary,
    pub grants: &'a Grants,
    /// The customer who is shown side by side.
    pub customer_id: &'a str,
    sights: Vec<Sight>,
    /// How many page views each (masked) visitor has.
    page_views: HashMap<String, u64>,
    seen: Seen,
}

impl<'a> Readers<'a> {
    /// Readers of what was written since `mark`.
    pub fn new(stage: &'a Stage, mark: &'a Mark, aviary: &'a Aviary, grants: &'a Grants, customer_id: &'a str) -> Self {
        let (sights, page_views, seen) = Default::default();
        Self { stage, mark, aviary, grants, customer_id, sights, page_views, seen }
    }

    /// Reads every view, telling `progress` of each record.
    ///
    /// # Errors
    /// A view cannot be read, or what is in it does not decode.
    pub async fn read_all(mut self, progress: &Progress) -> Result<Seen, Failure> {
        for product in PRODUCTS {
            for (view, topic) in self.stage.cast.topics(product).views {
                self.read(product, &view, &topic, progress).await?;
            }
        }
        let mut sights = std::mem::take(&mut self.sights);
        sights.sort_by_key(|sight| self.rank(&sight.group));
        self.sights = sights;
        self.seen.same_customer = compare(self.customer_id, &self.sights);
        self.seen.same_customer.elsewhere = self.elsewhere();
        Ok(self.seen)
    }

    async fn read(&mut self, product: &str, view: &str, topic: &str, progress: &Progress) -> Result<(), Failure> {
        let groups = groups(&self.stage.cast, product, view);
        let mut records = 0;
        let Stage { kafka, registry, cast, .. } = self.stage;
        let options = Options { until_end: true, ..Options::default() };
        let subscriber = Subscriber::open(kafka, registry, cast.product(product), view, options).await;
        let mut subscriber = subscriber.map_err(failed::subscribe)?;
        while let Some(event) = subscriber.next_until_end().await.map_err(failed::subscribe)? {
            if !self.is_of_this_run(&event) {
                continue;
            }
            records += 1;
            progress.step(1);
            if let Some(record) = event.json().map_err(failed::subscribe)? {
                let key = event.key().unwrap_or_default();
                self.look(product, view, topic, &groups, key.as_str().unwrap_or_default(), record);
            }
        }
        let (product, view, topic) = (product.to_owned(), view.to_owned(), topic.to_owned());
        self.seen.views.push(ViewCount { product, view, topic, groups, records });
        Ok(())
    }

    /// Groups stand in the order in which the contract names them.
    fn rank(&self, group: &str) -> usize {
        let grants = &self.stage.cast.product("crm.customers").contract.access_group;
        grants.iter().position(|grant| grant.group == group).unwrap_or(usize::MAX)
    }

    fn is_of_this_run(&self, event: &Event) -> bool {
        let record = event.record();
        match self.mark.start(&record.topic, record.partition) {
            Start::Offset(first) => record.offset >= first,
            _ => true,
        }
    }

    fn look(&mut self, product: &str, view: &str, topic: &str, groups: &[String], key: &str, record: Value) {
        match product {
            "crm.customers" => {
                self.look_at_birth_date(topic, key, &record);
                if key == self.customer_id {
                    let group = groups.first().cloned().unwrap_or_default();
                    self.sights.push(Sight { group, view: view.to_owned(), record });
                }
            }
            "web.page_views" => {
                if let Some(visitor) = record["visitor_email"].as_str() {
                    *self.page_views.entry(visitor.to_owned()).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    fn look_at_birth_date(&mut self, topic: &str, key: &str, record: &Value) {
        let granted = self.grants.allow_column(topic, "crm.customers", "birth_date", "pii.birth");
        let planted = self.aviary.birth_date(key);
        if !granted && planted.is_some() && record["birth_date"].as_str() == planted.as_deref() {
            self.seen.birth_dates.insert((topic.to_owned(), key.to_owned()));
        }
    }

    /// What the web domain's masked view shows of the customer, found by the hashed e-mail address.
    fn elsewhere(&self) -> Option<String> {
        let masked = self.sights.iter().find(|sight| sight.view == mesh_contract::MASKED_VIEW)?;
        let hash = masked.record["email"].as_str()?;
        let page_views = self.page_views.get(hash)?;
        let short: String = hash.chars().take(12).collect();
        Some(format!(
            "The masked view of web.page_views shows {page_views} page views of the visitor {short}...: the same person."
        ))
    }
}
