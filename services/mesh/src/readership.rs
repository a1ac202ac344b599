//! Who reads topics, and what nobody has read yet. Records are counted: transaction markers have offsets, too, and are none.

use mesh_kafka::admin::{Admin, Members};
use mesh_kafka::consumer::read_range;
use mesh_kafka::{Error, ErrorKind, Offsets, Settings, TopicPartition};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Groups that are described in one request.
const GROUPS_PER_REQUEST: usize = 100;
/// A longer stretch holds records: it is not looked through for them.
const LOOKED_THROUGH_MAX: i64 = 100_000;

/// What speaks for keeping each of these topics, which are there. A reader without a group is not seen.
///
/// # Errors
/// It cannot be told: then nothing is known, and nothing is to be deleted.
pub async fn look<'t>(
    kafka: &Settings,
    admin: &Admin,
    topics: impl Iterator<Item = &'t String>,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut readers: BTreeMap<String, Vec<String>> = topics.map(|topic| (topic.clone(), Vec::new())).collect();
    if readers.is_empty() {
        return Ok(readers);
    }
    let groups = admin.group_names().await?;
    let mut members = Vec::new();
    for groups in groups.chunks(GROUPS_PER_REQUEST) {
        members.extend(admin.members(groups).await?);
    }
    let mut committed = Vec::with_capacity(groups.len());
    for group in &groups {
        committed.push((group.as_str(), admin.group_offsets(group).await?));
    }
    for (topic, why) in &mut readers {
        why.extend(subscribers(topic, &members));
        why.extend(behind(kafka, admin, topic, &committed).await?);
    }
    Ok(readers)
}

fn subscribers(topic: &str, members: &[Members]) -> Vec<String> {
    let groups = members.iter().filter(|group| group.topics.contains(topic));
    groups.map(|group| format!("group {} subscribes to it ({} members)", group.group, group.count)).collect()
}

/// Which groups have not read all of a topic, or that none has read any of it.
async fn behind(
    kafka: &Settings,
    admin: &Admin,
    topic: &str,
    committed: &[(&str, Offsets)],
) -> Result<Vec<String>, Error> {
    let starts = admin.start_offsets(&[topic]).await?;
    let ends = admin.settled_end_offsets(&[topic]).await?;
    let (mut found, mut is_read) = (Vec::new(), false);
    for (group, offsets) in committed.iter().filter(|(_, offsets)| offsets.keys().any(|at| at.topic == *topic)) {
        is_read = true;
        let unread = unread(kafka, &starts, &ends, offsets).await?;
        if unread.count > 0 {
            found.push(format!("group {group} has not read {}", unread.words("of its ")));
        }
    }
    if !is_read {
        let held = unread(kafka, &starts, &ends, &Offsets::new()).await?;
        if held.count > 0 {
            found.push(format!("it holds {} that no group has read", held.words("")));
        }
    }
    Ok(found)
}

/// How much is unread.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unread {
    count: i64,
    /// Whether offsets were counted that may not be those of records.
    at_most: bool,
}

impl Unread {
    /// `up to 3 of its records`
    fn words(&self, of: &str) -> String {
        let up_to = if self.at_most { "up to " } else { "" };
        format!("{up_to}{} {of}records", self.count)
    }
}

impl AddAssign for Unread {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.at_most |= other.at_most;
    }
}

/// How many records are behind what was committed.
async fn unread(kafka: &Settings, starts: &Offsets, ends: &Offsets, committed: &Offsets) -> Result<Unread, Error> {
    let mut unread = Unread::default();
    for (at, end) in ends {
        unread += stretch(kafka, at, next(at, starts, committed), *end).await?;
    }
    Ok(unread)
}

/// How many records are in a stretch of offsets; where one may not read it, or that would take long, how many there may be.
async fn stretch(kafka: &Settings, at: &TopicPartition, from: i64, to: i64) -> Result<Unread, Error> {
    let most = Unread { count: (to - from).max(0), at_most: true };
    if most.count > LOOKED_THROUGH_MAX {
        return Ok(most);
    }
    let mut count = 0;
    match read_range(kafka, at, from..to, |_| count += 1).await {
        Ok(()) => Ok(Unread { count, at_most: false }),
        Err(error) if error.kind() == ErrorKind::Unauthorised => Ok(most),
        Err(error) => Err(error),
    }
}

/// The offset of the first record that is there and was not read: what was lost before is not waited for.
fn next(at: &TopicPartition, starts: &Offsets, committed: &Offsets) -> i64 {
    let start = starts.get(at).copied().unwrap_or(0);
    committed.get(at).copied().unwrap_or(start).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_subscribes_to_the_topics_of_its_members_and_to_no_other() {
        let members = [Members { group: "ana".to_owned(), count: 2, topics: ["a.b.v1".to_owned()].into() }];
        assert_eq!(subscribers("a.b.v1", &members), ["group ana subscribes to it (2 members)"]);
        assert_eq!(subscribers("a.b.v10", &members), [""; 0]);
    }

    #[test]
    fn what_was_lost_before_it_was_read_is_not_waited_for() {
        let at = TopicPartition::new("a.b.v1", 0);
        let offsets = |offset: i64| Offsets::from([(at.clone(), offset)]);
        assert_eq!(next(&at, &offsets(5), &offsets(3)), 5);
        assert_eq!(next(&at, &offsets(5), &offsets(9)), 9);
        assert_eq!(next(&at, &offsets(5), &Offsets::new()), 5);
    }

    #[test]
    fn what_was_not_looked_through_is_said_to_be_the_most_that_there_is() {
        let mut unread = Unread { count: 2, at_most: false };
        assert_eq!(unread.words("of its "), "2 of its records");
        unread += Unread { count: 100_001, at_most: true };
        assert_eq!(unread.words(""), "up to 100003 records");
    }
}
