//! One attempt of a lookup.

use std::sync::Arc;

use mesh_avro::{
    convert::{Conversion, TooLarge},
    keys::KeyRing,
    mask::{CompileError, Program, Rules, ViewSchema},
    schema::Schema,
    wire,
};
use mesh_contract::{topic::AUDIT_TOPIC, value_subject};
use mesh_kafka::ErrorKind;

use super::{Port, Prepared, Shared, Sizes, Wanted, registry};
use crate::{
    Duty,
    product::{Product, Work},
    quarantine::Reason,
    treatment::Treatment,
    trouble::Trouble,
};

/// A treatment with what it needs around it.
struct Compiled {
    treatment: Treatment,
    /// The version of the keys in it.
    key_version: u32,
    /// The views that it makes, each with its schema.
    views: Vec<ViewSchema>,
    token_keys: Option<String>,
}

/// Why an attempt found nothing.
pub(super) enum Setback {
    /// With certainty: records that need this are refused.
    Refused(Reason),
    /// For now; the cause is for the debug log and holds no payload.
    Trouble(Trouble, String),
}

pub(super) async fn attempt(shared: &Arc<Shared>, product: &Arc<Product>, wanted: Wanted) -> Result<Prepared, Setback> {
    match wanted {
        Wanted::Base => base(shared, product).await,
        Wanted::Writer(id) => writer(shared, product, id).await,
    }
}

/// The outputs are there, and the contract's own schema has a program.
async fn base(shared: &Arc<Shared>, product: &Arc<Product>) -> Result<Prepared, Setback> {
    check_outputs(shared, product).await?;
    let unusable = |why: String| Setback::Trouble(Trouble::Contract, why);
    let schema = Schema::parse_value(&product.applied.schema).map_err(|error| unusable(error.to_string()))?;
    let compiled = compile(shared, product, schema).await.map_err(|setback| match setback {
        // the contract's own schema: no record is to blame
        Setback::Refused(reason) => unusable(reason.to_string()),
        trouble => trouble,
    })?;
    let mut base = prepare(product, compiled, |_| [0; wire::HEADER_BYTES])?;
    base.sizes = sizes(shared, product, &base.ports).await;
    // what is fed shows nobody anything; what is masked of it then is told where that is done
    base.is_audited = product.duty == Duty::Mask && partitions(shared, AUDIT_TOPIC).await? > 0;
    if product.duty == Duty::Mask && !base.is_audited {
        tracing::warn!(product = %product.name, "there is no topic mesh.audit, so nothing is told there; mesh apply makes it");
    }
    Ok(base)
}

/// The views' schemas of earlier versions are registered before this one's, in whatever order records come: else an
/// older writer's would have to pass for an evolution of a newer one's.
async fn writer(shared: &Arc<Shared>, product: &Arc<Product>, id: u32) -> Result<Prepared, Setback> {
    let earlier = registry::earlier(&shared.registry, product, id).await?;
    // all that is fed has one schema, the contract's
    for earlier in earlier.into_iter().filter(|_| product.duty == Duty::Mask) {
        let key = (product.identity, Wanted::Writer(earlier));
        if shared.ready.contains_key(&key) {
            continue;
        }
        match version(shared, product, earlier).await {
            Ok(prepared) => _ = shared.ready.insert(key, Arc::new(prepared)),
            // told when a record needs it
            Err(Setback::Refused(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    version(shared, product, id).await
}

async fn version(shared: &Arc<Shared>, product: &Arc<Product>, id: u32) -> Result<Prepared, Setback> {
    let schema = registry::schema(&shared.registry, id).await?;
    let compiled = compile(shared, product, schema).await?;
    let dropped = compiled.treatment.dropped();
    if !dropped.is_empty() {
        let (product, fields) = (&*product.name, dropped.join(", "));
        tracing::warn!(
            product,
            schema_id = id,
            fields,
            "fields that the contract does not know are left out of every view"
        );
    }
    let mut ids = Vec::with_capacity(compiled.views.len());
    for view in &compiled.views {
        let Some(topic) = product.topics.view(&view.name) else { return Err(no_topic(&view.name)) };
        let subject = value_subject(topic);
        let registered = registry::register_view(&shared.registry, &view.name, &subject, &view.schema).await?;
        ids.push((view.name.clone(), registered));
    }
    prepare(product, compiled, |view| {
        let id = ids.iter().find(|(name, _)| name == view).map_or(0, |(_, id)| *id);
        wire::header(id)
    })
}

fn prepare(
    product: &Product,
    Compiled { treatment, key_version, views, token_keys }: Compiled,
    frame: impl Fn(&str) -> [u8; wire::HEADER_BYTES],
) -> Result<Prepared, Setback> {
    let ports: Result<Vec<Port>, Setback> = views
        .iter()
        .enumerate()
        .map(|(view, schema)| {
            let topic = product.topics.view(&schema.name).ok_or_else(|| no_topic(&schema.name))?;
            Ok(Port { topic: topic.to_owned(), view, frame: frame(&schema.name) })
        })
        .collect();
    let ports = ports?;
    if ports.len() != product.topics.views.len() {
        return Err(Setback::Trouble(Trouble::Contract, "the program has other views than the contract".to_owned()));
    }
    Ok(Prepared {
        ports,
        token_keys,
        dropped_fields: treatment.dropped().len() as u64,
        sizes: None,
        is_audited: false,
        key_version,
        treatment,
    })
}

fn no_topic(view: &str) -> Setback {
    Setback::Trouble(Trouble::Contract, format!("view {view} has no topic"))
}

/// `column=class@version`, separated by commas.
fn token_keys(program: &Program) -> Option<String> {
    let keys = program.token_keys().iter().map(|key| format!("{}={}@{}", key.column, key.class, key.version));
    let joined = keys.collect::<Vec<_>>().join(",");
    (!joined.is_empty()).then_some(joined)
}

/// Compiles on a blocking thread: a large schema takes milliseconds, a key provider may take longer.
async fn compile(shared: &Arc<Shared>, product: &Arc<Product>, schema: Schema) -> Result<Compiled, Setback> {
    let (keys, of) = (shared.keys.clone(), product.clone());
    let compiled = tokio::task::spawn_blocking(move || {
        match of.work.as_ref().map_err(|why| Setback::Trouble(Trouble::Contract, why.clone()))? {
            Work::Mask(rules) => {
                compile_alike(rules, &schema, &*keys, || keys.key(&of.quarantine_key).map_or(0, |key| key.version()))
            }
            Work::Convert(reader) => conversion(&of, reader, &schema),
        }
    });
    match compiled.await {
        Ok(outcome) => outcome,
        Err(_) => Err(Setback::Trouble(Trouble::Contract, "the compiler of masking programs broke".to_owned())),
    }
}

/// Compiles with keys that are not rotated meanwhile, so that their version is known.
fn compile_alike(
    rules: &Rules,
    schema: &Schema,
    keys: &dyn KeyRing,
    version: impl Fn() -> u32,
) -> Result<Compiled, Setback> {
    loop {
        let key_version = version();
        let program = Program::compile(rules, schema, keys).map_err(setback_of)?;
        if version() == key_version {
            let (token_keys, views) = (token_keys(&program), program.views().to_vec());
            return Ok(Compiled { treatment: Treatment::Mask(program), key_version, views, token_keys });
        }
    }
}

/// What makes another version's records this one's. No key is needed for it.
fn conversion(product: &Product, reader: &Schema, writer: &Schema) -> Result<Compiled, Setback> {
    let unusable = |error: TooLarge| Setback::Refused(Reason::SchemaUnusable { why: error.to_string() });
    let treatment = Treatment::Convert(Conversion::compile(reader, writer).map_err(unusable)?);
    let view = |(name, _): &(String, String)| ViewSchema { name: name.clone(), schema: product.applied.schema.clone() };
    let views = product.topics.views.iter().map(view).collect();
    Ok(Compiled { treatment, key_version: 0, views, token_keys: None })
}

fn setback_of(error: CompileError) -> Setback {
    match error {
        CompileError::Key { source, .. } => Setback::Trouble(Trouble::Keys, source.to_string()),
        other => Setback::Refused(Reason::RulesUnusable { why: other.to_string() }),
    }
}

/// Every output is there and has a partition for each of the input's.
async fn check_outputs(shared: &Arc<Shared>, product: &Product) -> Result<(), Setback> {
    let input = partitions(shared, &product.topics.input).await?;
    for topic in product.topics.all() {
        let found = partitions(shared, topic).await?;
        if found == 0 || found < input {
            let cause = format!("{topic} has {found} partitions, the input {input}");
            return Err(Setback::Trouble(Trouble::OutputMissing, cause));
        }
    }
    match product.duty {
        Duty::Mask => Ok(()),
        Duty::Feed => check_fed(shared, product, input).await,
    }
}

/// A fed port has the partitions of the one that feeds it, or the order by key would not hold across what it held before.
async fn check_fed(shared: &Arc<Shared>, product: &Product, input: u32) -> Result<(), Setback> {
    for (_, topic) in &product.topics.views {
        let found = partitions(shared, topic).await?;
        if found != input {
            let cause = format!("{topic} has {found} partitions, {}, which feeds it, {input}", product.topics.input);
            return Err(Setback::Trouble(Trouble::OutputMissing, cause));
        }
    }
    Ok(())
}

async fn partitions(shared: &Arc<Shared>, topic: &str) -> Result<u32, Setback> {
    match shared.admin.partitions(topic).await {
        Ok(found) => Ok(found.unwrap_or(0)),
        Err(error) => {
            let refused = error.kind() == ErrorKind::Unauthorised;
            let trouble = if refused { Trouble::OutputRefused } else { Trouble::Cluster };
            Err(Setback::Trouble(trouble, error.to_string()))
        }
    }
}

/// What the outputs take; none where the cluster does not tell: then only the attempt does.
async fn sizes(shared: &Arc<Shared>, product: &Product, ports: &[Port]) -> Option<Sizes> {
    let mut sizes = Vec::with_capacity(ports.len());
    for port in ports {
        sizes.push(size(shared, &port.topic).await?);
    }
    Some(Sizes { ports: sizes, quarantine: size(shared, &product.topics.quarantine).await? })
}

async fn size(shared: &Arc<Shared>, topic: &str) -> Option<usize> {
    shared.admin.config(topic).await.ok()?.get("max.message.bytes")?.parse().ok()
}
