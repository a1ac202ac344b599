//! How much the graph holds, and what is said where there is no room.

/// How much the graph holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Data sets.
    pub datasets_max: usize,
    /// Jobs.
    pub jobs_max: usize,
    /// Data sets that one job may touch.
    pub edges_of_job_max: usize,
    /// Edges of all jobs together.
    pub edges_max: usize,
    /// Bytes of names, of all nodes together.
    pub name_bytes_max: usize,
    /// Bytes of facets, of all versions of all data sets, jobs and edges together; beyond it they are kept without.
    pub facet_bytes_max: usize,
    /// Versions kept of one data set; the oldest go first.
    pub versions_of_dataset_max: usize,
    /// Runs kept of one job; the oldest go first, and those that ended before those that did not.
    pub runs_of_job_max: usize,
    /// Runs of all jobs together.
    pub runs_max: usize,
    /// What runs counted, of all runs, edges and partitions together.
    pub counts_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            datasets_max: 50_000,
            jobs_max: 50_000,
            edges_of_job_max: 1_000,
            edges_max: 200_000,
            name_bytes_max: 32 << 20,
            facet_bytes_max: 128 << 20,
            versions_of_dataset_max: 32,
            runs_of_job_max: 64,
            runs_max: 200_000,
            counts_max: 1_000_000,
        }
    }
}

/// Why an event is not, or not wholly, in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GraphFull {
    /// No room for another data set.
    #[error("the lineage graph holds its most data sets")]
    Datasets,
    /// No room for another job.
    #[error("the lineage graph holds its most jobs")]
    Jobs,
    /// No room for another name.
    #[error("the lineage graph holds its most bytes of names")]
    Names,
    /// No room for what is known of the data set.
    #[error("the lineage graph holds its most facets")]
    Facets,
    /// No room for another edge of this job.
    #[error("the job touches the most data sets that the lineage graph holds for one job")]
    EdgesOfJob,
    /// No room for another edge.
    #[error("the lineage graph holds its most edges")]
    Edges,
    /// No room for another run.
    #[error("the lineage graph holds its most runs")]
    Runs,
    /// No room for what another run counted.
    #[error("the lineage graph holds its most counts of runs")]
    Counts,
}

impl GraphFull {
    /// The reason in one word, for metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Datasets => "datasets",
            Self::Jobs => "jobs",
            Self::Names => "names",
            Self::Facets => "facets",
            Self::EdgesOfJob => "edges-of-job",
            Self::Edges => "edges",
            Self::Runs => "runs",
            Self::Counts => "counts",
        }
    }
}
