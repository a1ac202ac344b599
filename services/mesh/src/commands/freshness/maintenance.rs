//! `mesh freshness maintenance`: times in which products need not be fresh, planned by hand.

use crate::audit;
use crate::cli::Format;
use crate::commands::product::catalogue_failure;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use comfy_table::{Table, presets::NOTHING};
use jiff::{SignedDuration, Timestamp};
use mesh_audit::{Event, Who};
use mesh_client::Catalogue;
use mesh_contract::{Moment, ProductRef, Span, did_you_mean};
use mesh_freshness::maintenance::{self, Planned};
use mesh_kafka::Settings;
use uuid::Uuid;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Plan a maintenance of a product, or of a whole domain
    Add(Add),
    /// What is planned by hand; what contracts plan stands in them
    List {
        /// What is over, too
        #[arg(long)]
        all: bool,
    },
    /// Cancel a maintenance; what it has excused so far stays excused
    Remove {
        /// Its id, as `list` shows it
        #[arg(value_name = "ID")]
        id: String,
        /// Who cancels it, for the audit [default: $USER]
        #[arg(long, env = "USER", value_name = "NAME", default_value = "unknown", hide_env_values = true)]
        by: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct Add {
    /// A product, such as crm.orders, or a domain, such as crm
    #[arg(value_name = "PRODUCT|DOMAIN")]
    target: String,
    /// When it begins, such as "2026-12-24 18:00 Europe/Berlin" or 2026-12-24T17:00:00Z [default: now]
    #[arg(long, value_name = "MOMENT")]
    from: Option<Moment>,
    /// When it ends
    #[arg(long, value_name = "MOMENT", required_unless_present = "lasts", conflicts_with = "lasts")]
    to: Option<Moment>,
    /// How long it lasts, such as "2 hours"
    #[arg(long = "for", value_name = "DURATION")]
    lasts: Option<Span>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Who plans it, for the audit [default: $USER]
    #[arg(long, env = "USER", value_name = "NAME", default_value = "unknown", hide_env_values = true)]
    by: String,
}

pub async fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    match command {
        Command::Add(add) => plan(add, &kafka, context).await,
        Command::List { all } => list(*all, &kafka, context.format()).await,
        Command::Remove { id, by } => cancel(id, by, &kafka, context).await,
    }
}

async fn plan(add: &Add, kafka: &Settings, context: &Context) -> Result<Exit, Failure> {
    check_target(&add.target, &Catalogue::read(kafka).await.map_err(catalogue_failure)?)?;
    let planned = planned(add, Timestamp::now())?;
    tell(context, kafka, "maintenance-planned", &planned, &add.by).await?;
    maintenance::plan(kafka, &planned).await.map_err(failed)?;
    let _reader = match context.format() {
        Format::Json => output::json(&planned)?,
        Format::Text => output::data(&table(std::slice::from_ref(&planned)))?,
    };
    Ok(Exit::Fine)
}

fn planned(add: &Add, now: Timestamp) -> Result<Planned, Failure> {
    let from = add.from.map_or(now, |from| from.0);
    let lasts = add.lasts.and_then(|lasts| i64::try_from(lasts.seconds()).ok()).map(SignedDuration::from_secs);
    let to = add.to.map(|to| to.0).or_else(|| from.checked_add(lasts?).ok());
    let to = to.filter(|to| *to > from).ok_or_else(|| {
        Failure::usage(format!("the maintenance does not end after it begins, at {from}"))
            .hint("give a later `--to`, or say how long it lasts with `--for \"2 hours\"`")
    })?;
    Ok(Planned {
        id: Uuid::new_v4().simple().to_string()[..8].to_owned(),
        target: add.target.clone(),
        from,
        to,
        reason: add.reason.clone(),
        by: add.by.clone(),
        at: now,
    })
}

/// A misspelt target would excuse nothing, and nobody would notice.
fn check_target(target: &str, catalogue: &Catalogue) -> Result<(), Failure> {
    if catalogue.domain(target).is_some() {
        return Ok(());
    }
    let unknown = |hint: Option<&str>| {
        let failure = Failure::usage(format!("there is no product and no domain {target}"));
        failure.hint(
            hint.map_or("`mesh products` lists what is applied".to_owned(), |near| format!("did you mean {near}?")),
        )
    };
    let asked: Option<ProductRef> = target.parse().ok();
    match asked.filter(|asked| asked.major.is_none()) {
        Some(asked) => catalogue.product(&asked).map(drop).map_err(catalogue_failure),
        None => Err(unknown(did_you_mean(target, catalogue.domains().map(|domain| domain.domain.as_str())))),
    }
}

async fn list(all: bool, kafka: &Settings, format: Format) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let mut planned = maintenance::read(kafka).await.map_err(failed)?;
    planned.retain(|planned| all || planned.to > now);
    let _reader = match format {
        Format::Json => output::json(&planned)?,
        Format::Text if planned.is_empty() => {
            output::talk("no maintenance is planned by hand");
            return Ok(Exit::Fine);
        }
        Format::Text => output::data(&table(&planned))?,
    };
    Ok(Exit::Fine)
}

async fn cancel(id: &str, by: &str, kafka: &Settings, context: &Context) -> Result<Exit, Failure> {
    let planned = maintenance::read(kafka).await.map_err(failed)?;
    let planned = planned.iter().find(|planned| planned.id == id).ok_or_else(|| {
        Failure::usage(format!("no maintenance {id} is planned by hand"))
            .hint("`mesh freshness maintenance list --all` lists them")
    })?;
    tell(context, kafka, "maintenance-cancelled", planned, by).await?;
    maintenance::cancel(kafka, planned).await.map_err(failed)?;
    output::talk(&format!("cancelled: {}", planned.reason));
    Ok(Exit::Fine)
}

/// On record before it is so: nothing is excused that was not told.
async fn tell(context: &Context, kafka: &Settings, event: &str, of: &Planned, by: &str) -> Result<(), Failure> {
    let who = Who::here(kafka, "mesh freshness maintenance").on_behalf_of(Some(by.to_owned()));
    let event = Event::new(event, &who)
        .with("by", by)
        .with("target", &of.target)
        .with("from", of.from)
        .with("to", of.to)
        .with("reason", &of.reason)
        .with("id", &of.id);
    audit::tell(context, kafka, &[event]).await
}

fn table(planned: &[Planned]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["id", "of", "from", "to", "by", "reason"]);
    for Planned { id, target, from, to, by, reason, .. } in planned {
        let second = |at: &Timestamp| at.strftime("%FT%TZ").to_string();
        table.add_row([id.clone(), target.clone(), second(from), second(to), by.clone(), reason.clone()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

fn failed(error: mesh_freshness::Error) -> Failure {
    let failure = if error.is_retriable() {
        Failure::unreachable("cannot reach the maintenance that is planned")
    } else {
        Failure::internal("cannot keep the maintenance that is planned")
    };
    failure.because(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn add(from: Option<&str>, to: Option<&str>, lasts: Option<&str>) -> Result<Planned, Failure> {
        let moment = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let (target, reason, by) = ("crm".to_owned(), "the disks are full".to_owned(), "ann".to_owned());
        let lasts = lasts.map(|lasts| lasts.parse().unwrap());
        let add = Add { target, from: moment(from), to: moment(to), lasts, reason, by };
        planned(&add, "2026-12-24T17:00:00Z".parse().unwrap())
    }

    #[test]
    fn it_begins_now_and_ends_when_it_is_told_to() {
        let planned = add(None, None, Some("2 hours")).unwrap();
        let shown = table(&[Planned { id: "1a2b3c4d".to_owned(), ..planned }]);
        insta::assert_snapshot!(shown, @r"
        id        of   from                  to                    by   reason
        1a2b3c4d  crm  2026-12-24T17:00:00Z  2026-12-24T19:00:00Z  ann  the disks are full
        ");
        let planned = add(Some("2026-12-31 23:00 Europe/Berlin"), Some("2027-01-01T00:00:00Z"), None).unwrap();
        assert_eq!((planned.from.to_string(), planned.id.len()), ("2026-12-31T22:00:00Z".to_owned(), 8));
    }

    #[test]
    fn what_ends_before_it_begins_is_refused() {
        assert!(add(None, Some("2026-12-24T17:00:00Z"), None).is_err());
    }
}
