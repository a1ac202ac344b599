//! Who reads topics that are to be deleted.

use crate::apply::refused;
use crate::failure::Failure;
use mesh_kafka::Offsets;
use mesh_kafka::admin::{Admin, Members};
use std::collections::BTreeMap;

/// Groups that are described in one request.
const GROUPS_PER_REQUEST: usize = 100;

/// Why each of these topics, which are there, must stay: who reads it, and what nobody has read yet.
///
/// # Errors
/// It cannot be told: then nothing is known, and nothing is to be deleted.
pub(in crate::apply) async fn look<'t>(
    admin: &Admin,
    topics: impl Iterator<Item = &'t String>,
) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut read: BTreeMap<String, Vec<String>> = topics.map(|topic| (topic.clone(), Vec::new())).collect();
    if read.is_empty() {
        return Ok(read);
    }
    let failed = |error| refused("cannot tell who reads the topics that are to be deleted", error);
    let groups = admin.group_names().await.map_err(failed)?;
    let mut committed = BTreeMap::new();
    for group in &groups {
        committed.insert(group.clone(), admin.group_offsets(group).await.map_err(failed)?);
    }
    let mut members = Vec::new();
    for groups in groups.chunks(GROUPS_PER_REQUEST) {
        members.extend(admin.members(groups).await.map_err(failed)?);
    }
    for (topic, why) in &mut read {
        let starts = admin.start_offsets(&[topic]).await.map_err(failed)?;
        let ends = admin.written_offsets(&[topic]).await.map_err(failed)?;
        *why = reasons(topic, &members, &committed, &starts, &ends);
    }
    Ok(read)
}

/// Why a topic must stay.
fn reasons(
    topic: &str,
    members: &[Members],
    committed: &BTreeMap<String, Offsets>,
    starts: &Offsets,
    ends: &Offsets,
) -> Vec<String> {
    let own = |offsets: &Offsets| -> Offsets {
        offsets.iter().filter(|(partition, _)| partition.topic == topic).map(|(at, end)| (at.clone(), *end)).collect()
    };
    let subscribers = members.iter().filter(|group| group.topics.contains(topic));
    let mut why: Vec<String> =
        subscribers.map(|group| format!("group {} subscribes to it ({} members)", group.group, group.count)).collect();
    let committed: BTreeMap<&String, Offsets> =
        committed.iter().map(|(group, offsets)| (group, own(offsets))).filter(|(_, own)| !own.is_empty()).collect();
    for (group, offsets) in &committed {
        let unread = ends.iter().map(|(partition, end)| {
            let begin = starts.get(partition).copied().unwrap_or(0);
            end - offsets.get(partition).copied().unwrap_or(begin).max(begin)
        });
        let unread: i64 = unread.filter(|left| *left > 0).sum();
        if unread > 0 {
            why.push(format!("group {group} has not read {unread} of its offsets"));
        }
    }
    let held: i64 = ends.iter().map(|(partition, end)| end - starts.get(partition).copied().unwrap_or(0)).sum();
    if committed.is_empty() && held > 0 {
        why.push(format!("it holds {held} offsets that no group has read"));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_kafka::TopicPartition;

    fn offsets(offsets: &[(&str, i64)]) -> Offsets {
        offsets.iter().map(|(topic, offset)| (TopicPartition::new(*topic, 0), *offset)).collect()
    }

    fn why(members: &[Members], committed: &[(&str, i64)], end: i64) -> Vec<String> {
        let committed = committed.iter().map(|(topic, offset)| ("ana".to_owned(), offsets(&[(topic, *offset)])));
        reasons("a.b.v1", members, &committed.collect(), &offsets(&[("a.b.v1", 3)]), &offsets(&[("a.b.v1", end)]))
    }

    #[test]
    fn what_is_read_or_unread_stays() {
        let member = |topic: &str| Members { group: "ana".into(), count: 2, topics: [topic.to_owned()].into() };
        assert_eq!(why(&[], &[], 3), [""; 0], "it is empty, and nobody reads it");
        assert_eq!(why(&[], &[], 5), ["it holds 2 offsets that no group has read"]);
        assert_eq!(why(&[], &[("a.b.v1", 5)], 5), [""; 0], "all of it is read, and nobody is there");
        assert_eq!(why(&[], &[("a.b.v1", 4)], 5), ["group ana has not read 1 of its offsets"]);
        assert_eq!(why(&[], &[("a.b.v1", 1)], 5), ["group ana has not read 2 of its offsets"]);
        assert_eq!(why(&[], &[("a.b.v10", 5)], 5), ["it holds 2 offsets that no group has read"]);
        assert_eq!(why(&[member("a.b.v1")], &[("a.b.v1", 5)], 5), ["group ana subscribes to it (2 members)"]);
        assert_eq!(why(&[member("a.b.v10")], &[("a.b.v1", 5)], 5), [""; 0]);
    }
}
