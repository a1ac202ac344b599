//! What the sidecar counts. Counters are looked up once per partition and revision, and added to once per transaction.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::{Duty, product::Product};

/// What became of lineage events since the start, each counted for every place it goes to.
pub(crate) fn lineage_events(duty: Duty, delivered: u64, superseded: u64, dropped: u64) {
    for (outcome, events) in [("delivered", delivered), ("superseded", superseded), ("dropped", dropped)] {
        let counter = match duty {
            Duty::Mask => counter!("mesh_masking_lineage_events_total", "outcome" => outcome),
            Duty::Feed => counter!("mesh_feed_lineage_events_total", "outcome" => outcome),
        };
        counter.absolute(events);
    }
}

/// How many partitions of a product wait for something.
pub(crate) fn paused_partitions(duty: Duty, product: &str, reason: &'static str, partitions: usize) {
    let product = product.to_owned();
    let gauge = match duty {
        Duty::Mask => gauge!("mesh_masking_paused_partitions", "product" => product, "reason" => reason),
        Duty::Feed => gauge!("mesh_feed_paused_partitions", "product" => product, "reason" => reason),
    };
    gauge.set(partitions as f64);
}

/// A partition's counters; they are the product's.
pub(crate) struct Meters {
    duty: Duty,
    product: String,
    records_in: Counter,
    bytes_in: Counter,
    views: Vec<Counter>,
    dropped_fields: Counter,
    dropped_keys: Counter,
    forgotten: Counter,
}

impl Meters {
    pub(crate) fn of(product: &Product) -> Self {
        match product.duty {
            Duty::Mask => Meters::of_masked(product),
            Duty::Feed => Meters::of_fed(product),
        }
    }

    fn of_fed(product: &Product) -> Self {
        let name = product.name.to_string();
        let nothing = Counter::noop;
        Meters {
            duty: Duty::Feed,
            records_in: counter!("mesh_feed_records_in_total", "product" => name.clone()),
            bytes_in: counter!("mesh_feed_bytes_in_total", "product" => name.clone()),
            views: vec![counter!("mesh_feed_records_out_total", "product" => name.clone())],
            dropped_fields: nothing(),
            dropped_keys: nothing(),
            forgotten: nothing(),
            product: name,
        }
    }

    fn of_masked(product: &Product) -> Self {
        let name = product.name.to_string();
        let view = |view: &String| counter!("mesh_masking_records_out_total", "product" => name.clone(), "view" => view.clone());
        Meters {
            duty: Duty::Mask,
            records_in: counter!("mesh_masking_records_in_total", "product" => name.clone()),
            bytes_in: counter!("mesh_masking_bytes_in_total", "product" => name.clone()),
            views: product.topics.views.iter().map(|(name, _)| view(name)).collect(),
            dropped_fields: counter!("mesh_masking_dropped_fields_total", "product" => name.clone()),
            dropped_keys: counter!("mesh_masking_dropped_keys_total", "product" => name.clone()),
            forgotten: counter!("mesh_masking_forgotten_subject_total", "product" => name.clone()),
            product: name,
        }
    }

    pub(crate) fn records_in(&self, records: u64, bytes: u64) {
        self.records_in.increment(records);
        self.bytes_in.increment(bytes);
    }

    pub(crate) fn out(&self, records: u64) {
        self.views.iter().for_each(|view| view.increment(records));
    }

    pub(crate) fn dropped(&self, fields: u64, keys: u64) {
        self.dropped_fields.increment(fields);
        self.dropped_keys.increment(keys);
    }

    pub(crate) fn forgotten(&self, records: u64) {
        self.forgotten.increment(records);
    }

    pub(crate) fn quarantined(&self, reason: &'static str, records: u64) {
        let product = self.product.clone();
        let counter = match self.duty {
            Duty::Mask => counter!("mesh_masking_quarantined_total", "product" => product, "reason" => reason),
            Duty::Feed => counter!("mesh_feed_quarantined_total", "product" => product, "reason" => reason),
        };
        counter.increment(records);
    }
}

/// How far a partition is behind its input's end.
pub(crate) struct Lag(Gauge);

impl Lag {
    pub(crate) fn of(product: &Product, partition: i32) -> Self {
        let labels = [("product", product.name.to_string()), ("partition", partition.to_string())];
        Lag(match product.duty {
            Duty::Mask => gauge!("mesh_masking_lag_records", &labels),
            Duty::Feed => gauge!("mesh_feed_lag_records", &labels),
        })
    }

    pub(crate) fn set(&self, records: i64) {
        self.0.set(records as f64);
    }
}

impl Drop for Lag {
    /// Whoever holds the partition next has its own.
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

/// A task's counters of transactions.
pub(crate) struct TransactionMeters {
    committed: Counter,
    aborted: Counter,
    restarts: Counter,
    seconds: Histogram,
}

impl TransactionMeters {
    pub(crate) fn of(duty: Duty, domain: &str) -> Self {
        match duty {
            Duty::Mask => TransactionMeters::of_masking(domain),
            Duty::Feed => TransactionMeters::of_feed(domain),
        }
    }

    fn of_feed(domain: &str) -> Self {
        let transactions = |outcome: &'static str| counter!("mesh_feed_transactions_total", "domain" => domain.to_owned(), "outcome" => outcome);
        TransactionMeters {
            committed: transactions("committed"),
            aborted: transactions("aborted"),
            restarts: counter!("mesh_feed_task_restarts_total", "domain" => domain.to_owned()),
            seconds: histogram!("mesh_feed_batch_seconds", "domain" => domain.to_owned()),
        }
    }

    fn of_masking(domain: &str) -> Self {
        let transactions = |outcome: &'static str| counter!("mesh_masking_transactions_total", "domain" => domain.to_owned(), "outcome" => outcome);
        TransactionMeters {
            committed: transactions("committed"),
            aborted: transactions("aborted"),
            restarts: counter!("mesh_masking_task_restarts_total", "domain" => domain.to_owned()),
            seconds: histogram!("mesh_masking_batch_seconds", "domain" => domain.to_owned()),
        }
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.committed.increment(1);
        self.seconds.record(took);
    }

    pub(crate) fn aborted(&self) {
        self.aborted.increment(1);
    }

    pub(crate) fn restarted(&self) {
        self.restarts.increment(1);
    }
}

/// Says what each metric means; once per process.
pub(crate) fn describe(duty: Duty) {
    match duty {
        Duty::Mask => describe_masking(),
        Duty::Feed => describe_feed(),
    }
}

fn describe_feed() {
    describe_counter!("mesh_feed_lineage_events_total", "lineage events by what became of them");
    describe_counter!("mesh_feed_records_in_total", "records read from feeding input ports and committed");
    describe_counter!(
        "mesh_feed_bytes_in_total",
        "bytes of keys and values read from feeding input ports and committed"
    );
    describe_counter!("mesh_feed_records_out_total", "records written to fed input ports and committed");
    describe_counter!("mesh_feed_quarantined_total", "records put into a fed version's quarantine, by reason");
    describe_counter!("mesh_feed_transactions_total", "transactions by outcome");
    describe_counter!("mesh_feed_task_restarts_total", "times that a task opened its consumer and producer anew");
    describe_histogram!("mesh_feed_batch_seconds", "from a batch's gathering to its commit");
    describe_gauge!("mesh_feed_lag_records", "records of a held partition that wait to be fed, as of the last fetch");
    describe_gauge!("mesh_feed_paused_partitions", "partitions that are held, by reason");
}

fn describe_masking() {
    describe_counter!("mesh_masking_lineage_events_total", "Lineage events by what became of them.");
    describe_counter!("mesh_masking_records_in_total", "records read from input ports and committed");
    describe_counter!("mesh_masking_bytes_in_total", "bytes of keys and values read from input ports and committed");
    describe_counter!("mesh_masking_records_out_total", "records written to a view's output port and committed");
    describe_counter!("mesh_masking_quarantined_total", "records put into quarantine and committed, by reason");
    describe_counter!(
        "mesh_masking_dropped_fields_total",
        "fields that the contract's schema does not know, left out of every view"
    );
    describe_counter!(
        "mesh_masking_dropped_keys_total",
        "record keys that the contract does not know, left out of every view"
    );
    describe_counter!(
        "mesh_masking_forgotten_subject_total",
        "records about a subject that was forgotten, let through with nothing in their encrypted columns"
    );
    describe_counter!("mesh_masking_transactions_total", "transactions by outcome");
    describe_counter!("mesh_masking_task_restarts_total", "times that a task opened its consumer and producer anew");
    describe_histogram!("mesh_masking_batch_seconds", "from a batch's gathering to its commit");
    describe_gauge!(
        "mesh_masking_lag_records",
        "records of a held partition that wait in the input port, as of the last fetch"
    );
    describe_gauge!(
        "mesh_masking_paused_partitions",
        "partitions that are held, by reason; they go on by themselves once it is over"
    );
}
