"""Tells events with OpenLineage's own Python client, as dbt, Airflow and Spark's Python jobs do.

Arguments: the base URL. On standard output: the ids of the runs, one a line.
"""

import sys
from datetime import datetime, timezone

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    Dataset,
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    ownership_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

PRODUCER = "https://example.org/warehouse"
WAREHOUSE = "postgres://warehouse:5432"


def client(url, compression=None):
    config = HttpConfig(url=url, timeout=30, verify=True, compression=compression)
    return OpenLineageClient(transport=HttpTransport(config))


def now():
    return datetime.now(timezone.utc).isoformat()


def table(columns):
    lineage = column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            "email_hash": column_lineage_dataset.Fields(
                inputFields=[
                    column_lineage_dataset.InputField(
                        namespace="kafka://broker:9092",
                        name="crm.customers.v1",
                        field="email",
                        transformations=[
                            column_lineage_dataset.Transformation(type="DIRECT", subtype="TRANSFORMATION", masking=True)
                        ],
                    )
                ]
            )
        }
    )
    fields = [schema_dataset.SchemaDatasetFacetFields(name=name, type="text") for name in columns]
    return OutputDataset(
        namespace=WAREHOUSE,
        name="public.customers",
        facets={
            "schema": schema_dataset.SchemaDatasetFacet(fields=fields),
            "columnLineage": lineage,
            "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[ownership_dataset.Owner(name="warehouse")]),
        },
        outputFacets={"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=7)},
    )


def events():
    parent, run = str(generate_new_uuid()), str(generate_new_uuid())
    job = Job(
        namespace="dbt",
        name="customers",
        facets={
            "jobType": job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType="MODEL"),
            "documentation": documentation_job.DocumentationJobFacet(description="Customers for reports."),
        },
    )
    of_parent = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=parent), job=parent_run.Job(namespace="airflow", name="nightly")
    )
    facets = {"parent": of_parent, "nominalTime": nominal_time_run.NominalTimeRunFacet(nominalStartTime=now())}
    inputs = [InputDataset(namespace="kafka://broker:9092", name="crm.customers.v1")]
    ended = dict(job=job, producer=PRODUCER, inputs=inputs, outputs=[table(["email_hash"])])
    yield RunEvent(eventType=RunState.START, eventTime=now(), run=Run(runId=run, facets=facets), job=job, producer=PRODUCER)
    yield RunEvent(eventType=RunState.COMPLETE, eventTime=now(), run=Run(runId=run, facets=facets), **ended)
    yield JobEvent(eventTime=now(), job=Job(namespace="dbt", name="designed"), inputs=inputs, producer=PRODUCER)
    yield DatasetEvent(eventTime=now(), dataset=Dataset(namespace=WAREHOUSE, name="public.designed"), producer=PRODUCER)


def failed():
    run = Run(
        runId=str(generate_new_uuid()),
        facets={"errorMessage": error_message_run.ErrorMessageRunFacet(message="no space", programmingLanguage="python")},
    )
    # the client's own documentation asks the clock naively
    naive = datetime.now().isoformat()
    return RunEvent(eventType=RunState.FAIL, eventTime=naive, run=run, job=Job(namespace="dbt", name="broken"), producer=PRODUCER)


def main(url):
    plain, zipped = client(url), client(url, HttpCompression.GZIP)
    for event in events():
        plain.emit(event)
    zipped.emit(failed())


main(sys.argv[1])
