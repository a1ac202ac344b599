//! Who reads a version's views, and what nobody has read yet.

use crate::commands::product::kafka_failure;
use crate::failure::Failure;
use mesh_kafka::admin::{Admin, Members};
use mesh_kafka::consumer::read_range;
use mesh_kafka::{Offsets, Settings, TopicPartition};

/// Groups that are described in one request.
const GROUPS_PER_REQUEST: usize = 100;
/// A longer stretch holds records: it is not looked through for them.
const LOOKED_THROUGH_MAX: i64 = 100_000;

/// What speaks for keeping these topics, a line each. A reader without a group is not seen.
pub(super) async fn look(kafka: &Settings, admin: &Admin, topics: &[String]) -> Result<Vec<String>, Failure> {
    let groups = admin.group_names().await.map_err(kafka_failure)?;
    let mut members = Vec::new();
    for groups in groups.chunks(GROUPS_PER_REQUEST) {
        members.extend(admin.members(groups).await.map_err(kafka_failure)?);
    }
    let mut committed = Vec::with_capacity(groups.len());
    for group in &groups {
        committed.push((group.as_str(), admin.group_offsets(group).await.map_err(kafka_failure)?));
    }
    let mut found = Vec::new();
    for topic in topics {
        found.extend(subscribers(topic, &members));
        let starts = admin.start_offsets(&[topic]).await.map_err(kafka_failure)?;
        let ends = admin.settled_end_offsets(&[topic]).await.map_err(kafka_failure)?;
        let readers = committed.iter().filter(|(_, offsets)| offsets.keys().any(|at| at.topic == *topic));
        let mut is_read = false;
        for (group, offsets) in readers {
            is_read = true;
            let unread = unread(kafka, &starts, &ends, offsets).await?;
            if unread > 0 {
                found.push(format!("{topic}: group {group} has not read {unread} of its records"));
            }
        }
        let held = if is_read { 0 } else { unread(kafka, &starts, &ends, &Offsets::new()).await? };
        if held > 0 {
            found.push(format!("{topic}: it holds {held} records that no group has read"));
        }
    }
    Ok(found)
}

fn subscribers(topic: &str, members: &[Members]) -> Vec<String> {
    let groups = members.iter().filter(|group| group.topics.contains(topic));
    groups.map(|group| format!("{topic}: group {} subscribes to it ({} members)", group.group, group.count)).collect()
}

/// How many records are behind what was committed; transaction markers have offsets, too, and are none.
async fn unread(kafka: &Settings, starts: &Offsets, ends: &Offsets, committed: &Offsets) -> Result<i64, Failure> {
    let mut unread = 0;
    for (at, end) in ends {
        let next = next(at, starts, committed);
        if end - next > LOOKED_THROUGH_MAX {
            unread += end - next;
            continue;
        }
        read_range(kafka, at, next..*end, |_| unread += 1).await.map_err(kafka_failure)?;
    }
    Ok(unread)
}

/// The offset of the first record that is there and was not read.
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
        assert_eq!(subscribers("a.b.v1", &members), ["a.b.v1: group ana subscribes to it (2 members)"]);
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
}
