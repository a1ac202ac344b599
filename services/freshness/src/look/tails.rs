//! The newest facts of output ports, read at the tails of their partitions: back past transaction markers, and no further
//! than a bound.

use mesh_kafka::TopicPartition;
use mesh_kafka::consumer::{Glimpse, Outcome, Stretch};

use super::{Looker, Moment, Part, Target};
use crate::judge::Sighting;
use crate::sight::Found;
use crate::{Error, metrics};

/// How many offsets before the end are read at first.
const WINDOW: i64 = 16;
/// How many at most, where the nearer ones are markers, were aborted or compacted away.
const WINDOW_MAX: i64 = 4_096;
/// How much further each time.
const WINDOW_GROWTH: i64 = 16;

/// What is gathered while tails are read.
struct Tails {
    moment: Moment,
    found: Vec<Found>,
    /// Of each stretch, whether the header says when a fact happened.
    has_event_time: Vec<bool>,
}

impl Looker {
    /// Reads what is new of output ports, all of them at once, and takes it in.
    pub(super) async fn read_tails(
        &mut self,
        targets: &mut [Target<'_>],
        parts: &[Part],
        is_whole: &mut [bool],
        moment: Moment,
    ) -> Result<(), Error> {
        if parts.is_empty() {
            return Ok(());
        }
        // first, while the last marker is still the one behind the last record
        let partition =
            |part: &Part| (targets[part.target].sight.views[part.view].topic.clone(), part.unseen.partition);
        let partitions = parts.iter().map(partition).map(|(topic, number)| TopicPartition::new(topic, number));
        let partitions: Vec<TopicPartition> = partitions.collect();
        let newest = self.admin.newest_timestamps(partitions.clone()).await.map_err(Error::AskEnds)?;
        let mut left: Vec<usize> = (0..parts.len()).collect();
        let mut window = WINDOW;
        while !left.is_empty() && window <= WINDOW_MAX {
            let (outcomes, found) = self.read_round(targets, parts, &left, window, moment).await?;
            let mut further = Vec::new();
            for ((index, outcome), mut found) in left.into_iter().zip(outcomes).zip(found) {
                let (part, is_last) = (parts[index], window * WINDOW_GROWTH > WINDOW_MAX);
                if outcome != Outcome::Read {
                    // it is read again at the next look
                    is_whole[part.target] = false;
                } else if found.last.is_none() && part.unseen.end - window > part.unseen.from && !is_last {
                    further.push(index);
                } else {
                    let marker =
                        newest.found.get(&partitions[index]).filter(|marker| follows(marker.offset, found.last));
                    found.visible_ms =
                        marker.and_then(|marker| marker.timestamp_ms).map(|at_ms| at_ms.min(moment.now_ms));
                    let sight = &mut *targets[part.target].sight;
                    sight.views[part.view].observe(part.unseen, found, &sight.input, moment.now_ms);
                }
            }
            left = further;
            window *= WINDOW_GROWTH;
        }
        Ok(())
    }

    /// Reads the last `window` offsets of these parts.
    async fn read_round(
        &mut self,
        targets: &[Target<'_>],
        parts: &[Part],
        left: &[usize],
        window: i64,
        moment: Moment,
    ) -> Result<(Vec<Outcome>, Vec<Found>), Error> {
        let stretch = |index: &usize| {
            let Part { target, view, unseen } = parts[*index];
            Stretch {
                topic: targets[target].sight.views[view].topic.as_str().into(),
                partition: unseen.partition,
                offsets: unseen.from.max(unseen.end - window)..unseen.end,
                records_max: usize::MAX,
            }
        };
        let tails = Tails {
            moment,
            found: vec![Found::default(); left.len()],
            has_event_time: left.iter().map(|index| targets[parts[*index].target].sight.has_event_time).collect(),
        };
        let read = self.reader.read(left.iter().map(stretch).collect(), tails, Tails::take).await;
        let (reading, tails) = read.map_err(Error::ReadTails)?;
        metrics::tails_read(left.len(), reading.records, reading.bytes);
        Ok((reading.outcomes, tails.found))
    }
}

impl Tails {
    fn take(&mut self, index: usize, glimpse: &Glimpse<'_>) {
        let sighting = sighting(glimpse, self.has_event_time[index]);
        let found = &mut self.found[index];
        found.newest_ms = found.newest_ms.max(sighting.believed_ms(self.moment.now_ms, self.moment.tolerance_ms));
        found.last = Some((glimpse.offset(), sighting));
    }
}

/// Whether what stands at an offset is the marker right behind the last record that was found.
fn follows(offset: i64, last: Option<(i64, Sighting)>) -> bool {
    last.is_some_and(|(last, _)| offset == last + 1)
}

/// The times that a record carries; the header counts only where the contract names an event time.
pub(super) fn sighting(glimpse: &Glimpse<'_>, has_event_time: bool) -> Sighting {
    let header = if has_event_time { glimpse.header(c"mesh-event-time") } else { None };
    Sighting { event_ms: header.and_then(time), recorded_ms: glimpse.timestamp_ms() }
}

/// A header's time: milliseconds since 1970 in decimal; what is none says nothing.
fn time(header: &[u8]) -> Option<i64> {
    std::str::from_utf8(header).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_no_time_says_nothing() {
        assert_eq!(time(b"42"), Some(42));
        assert_eq!(time(b"-42"), Some(-42));
        for header in ["", "soon", "99999999999999999999", "1.5", " 1"] {
            assert_eq!(time(header.as_bytes()), None, "{header}");
        }
        assert_eq!(time(&[0xff, 0xfe]), None);
    }

    #[test]
    fn a_marker_tells_of_the_record_before_it_alone() {
        let last = Some((7, Sighting { event_ms: None, recorded_ms: None }));
        assert!(follows(8, last));
        assert!(!follows(7, last), "a record of the newest time, not a marker");
        assert!(!follows(9, last), "more came since");
        assert!(!follows(8, None));
    }
}
