//! What goes wrong, and how it is put right again.

use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::load::Load;
use crate::road::State;
use crate::stage::Stage;
use std::fmt;
use std::fs;
use std::time::Duration;

/// What there is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// kill -9 of a sidecar, which is started again.
    Crash,
    /// A sidecar is stopped in its tracks (SIGSTOP) for longer than its session lasts, and goes on.
    Freeze,
    /// The broker is stopped in an orderly way, and started again.
    BrokerRestart,
    /// kill -9 of the broker.
    BrokerCrash,
    /// All connections of the sidecars to Kafka are broken, and new ones for a while.
    Cut,
    /// Nothing comes through any more, but nobody is told.
    Hush,
    /// What the sidecars send arrives at Kafka, and its answers are lost: what was stored, nobody knows.
    Mute,
    /// Everything between the sidecars and Kafka takes longer.
    Slow,
    /// The registry cannot be reached, just when a new schema is written with.
    RegistryCut,
    /// kill -9 of the registry, when a sidecar begins that has to ask it.
    RegistryCrash,
    /// The key file is gone, when a sidecar begins that needs it.
    KeysAway,
    /// Vault cannot be reached, when a sidecar begins whose keys it has to open: its partitions wait.
    VaultCut,
    /// Vault answers nothing, when a sidecar begins.
    VaultHush,
    /// A replica comes or goes in an orderly way.
    Scale,
}

/// What a fault takes hold of: faults with one hold wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Kafka,
    Registry,
    Keys,
    Replicas,
}

/// Every kind, as often as it is to be met in one deck.
const DECK: [(Kind, usize); 14] = [
    (Kind::Crash, 5),
    (Kind::Freeze, 3),
    (Kind::BrokerRestart, 2),
    (Kind::BrokerCrash, 1),
    (Kind::Cut, 3),
    (Kind::Hush, 2),
    (Kind::Mute, 3),
    (Kind::Slow, 2),
    (Kind::RegistryCut, 2),
    (Kind::RegistryCrash, 1),
    (Kind::KeysAway, 1),
    (Kind::VaultCut, 2),
    (Kind::VaultHush, 1),
    (Kind::Scale, 3),
];

/// So many kinds, in an order that is drawn; each in its share.
pub fn deal(dice: &mut Dice, count: usize) -> Vec<Kind> {
    let mut cards = Vec::new();
    while cards.len() < count {
        let mut deck: Vec<Kind> = DECK.iter().flat_map(|(kind, times)| vec![*kind; *times]).collect();
        dice.shuffle(&mut deck);
        cards.extend(deck);
    }
    cards.truncate(count);
    cards
}

impl Kind {
    pub fn hold(self) -> Hold {
        match self {
            Kind::BrokerRestart | Kind::BrokerCrash => Hold::Kafka,
            Kind::Cut | Kind::Hush | Kind::Mute | Kind::Slow => Hold::Kafka,
            Kind::RegistryCut | Kind::RegistryCrash => Hold::Registry,
            Kind::KeysAway | Kind::VaultCut | Kind::VaultHush => Hold::Keys,
            Kind::Crash | Kind::Freeze | Kind::Scale => Hold::Replicas,
        }
    }

    /// How long it lasts, in milliseconds.
    fn lasts(self) -> std::ops::Range<u64> {
        match self {
            Kind::Crash => 0..3_000,
            // the session is 6 s
            Kind::Freeze => 7_500..10_000,
            Kind::BrokerRestart | Kind::BrokerCrash => 0..2_000,
            Kind::Cut => 100..4_000,
            // also longer than the session
            Kind::Hush => 1_000..9_000,
            // one answer, or all for longer than a delivery is waited for
            Kind::Mute => 50..5_000,
            Kind::Slow => 3_000..7_000,
            Kind::RegistryCut | Kind::RegistryCrash | Kind::KeysAway => 2_000..6_000,
            // until after the sidecar has its partitions
            Kind::VaultCut | Kind::VaultHush => 6_000..12_000,
            Kind::Scale => 1..2,
        }
    }
}

/// A fault that is under way.
pub struct Fault {
    pub kind: Kind,
    pub lasts: Duration,
    /// The replica that it hits, if it hits one.
    replica: Option<&'static str>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        if let Some(replica) = self.replica {
            write!(f, " of {replica}")?;
        }
        write!(f, ", {:.1} s", self.lasts.as_secs_f64())
    }
}

/// How many replicas run at least, and at most.
const REPLICAS_MIN: usize = 2;

impl Fault {
    /// Draws when and where a kind of fault is to be.
    pub fn draw(kind: Kind, dice: &mut Dice, fleet: &Fleet) -> Self {
        let lasts = Duration::from_millis(dice.within(kind.lasts()));
        let any = |dice: &mut Dice, names: Vec<&'static str>| names.get(dice.place(names.len().max(1))).copied();
        let replica = match kind {
            Kind::Crash | Kind::Freeze | Kind::RegistryCrash => any(dice, fleet.running()),
            Kind::KeysAway | Kind::VaultCut | Kind::VaultHush => any(dice, fleet.running()),
            Kind::Scale => {
                let goes = fleet.running().len() > REPLICAS_MIN && (fleet.idle().is_empty() || dice.within(0..2) == 0);
                any(dice, if goes { fleet.running() } else { fleet.idle() })
            }
            _ => None,
        };
        Self { kind, lasts, replica }
    }

    pub async fn begin(&self, stage: &mut Stage, fleet: &mut Fleet, load: &Load, dice: &mut Dice) {
        match self.kind {
            Kind::BrokerRestart => stage.stop_kafka().await,
            Kind::BrokerCrash => stage.kill_kafka(),
            Kind::Cut => stage.kafka_road.set(State::Cut),
            Kind::Hush => stage.kafka_road.set(State::Hushed),
            Kind::Mute => stage.kafka_road.set(State::Mute),
            Kind::Slow => stage.kafka_road.set(State::Slow(Duration::from_millis(dice.within(10..120)))),
            Kind::RegistryCut => {
                stage.registry_road.set(State::Cut);
                load.evolve();
            }
            Kind::RegistryCrash => stage.kill_registry(),
            Kind::KeysAway => fs::rename(stage.keys(), stage.hidden_keys()).expect("the folder is ours"),
            Kind::VaultCut => stage.vault_road.set(State::Cut),
            Kind::VaultHush => stage.vault_road.set(State::Hushed),
            Kind::Crash | Kind::Freeze | Kind::Scale => {}
        }
        let Some(name) = self.replica else { return };
        match self.kind {
            Kind::Crash => fleet.kill(name),
            Kind::Freeze => fleet.freeze(name),
            Kind::RegistryCrash | Kind::KeysAway | Kind::VaultCut | Kind::VaultHush => {
                fleet.kill(name);
                fleet.start(stage, name);
            }
            Kind::Scale if fleet.running().contains(&name) => fleet.retire(name),
            _ => fleet.start(stage, name),
        }
    }

    pub async fn end(&self, stage: &mut Stage, fleet: &mut Fleet) {
        match (self.kind, self.replica) {
            (Kind::Crash, Some(name)) => fleet.start(stage, name),
            (Kind::Freeze, Some(name)) => fleet.thaw(name),
            (Kind::BrokerRestart | Kind::BrokerCrash, _) => stage.start_kafka().await,
            (Kind::Cut | Kind::Hush | Kind::Mute | Kind::Slow, _) => stage.kafka_road.set(State::Open),
            (Kind::RegistryCut, _) => stage.registry_road.set(State::Open),
            (Kind::RegistryCrash, _) => stage.start_registry(),
            (Kind::VaultCut | Kind::VaultHush, _) => stage.vault_road.set(State::Open),
            (Kind::KeysAway, _) => fs::rename(stage.hidden_keys(), stage.keys()).expect("the folder is ours"),
            _ => {}
        }
    }
}
