//! Who is in a consumer group, and what they read.

use std::{collections::BTreeSet, ffi::CString, time::Duration};

use rdkafka::{
    bindings::{
        rd_kafka_ConsumerGroupDescription_error, rd_kafka_ConsumerGroupDescription_group_id,
        rd_kafka_ConsumerGroupDescription_member, rd_kafka_ConsumerGroupDescription_member_count,
        rd_kafka_DescribeConsumerGroups, rd_kafka_DescribeConsumerGroups_result_groups,
        rd_kafka_MemberAssignment_partitions, rd_kafka_MemberDescription_assignment, rd_kafka_admin_op_t as Operation,
        rd_kafka_error_code, rd_kafka_event_DescribeConsumerGroups_result,
    },
    client::{Client, ClientContext},
    error::RDKafkaErrorCode as Code,
};

use super::{AdminOptions, Queue, array, failure, text};
use crate::admin::Members;

/// The members of these groups, which exist.
pub(in crate::admin) fn group_members<C: ClientContext>(
    client: &Client<C>,
    groups: &[String],
    timeout: Duration,
) -> Result<Vec<Members>, Code> {
    let names = groups.iter().map(|group| CString::new(group.as_str())).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|_| Code::InvalidArgument)?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let options = AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout)?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, names, options and queue live until the call returns, which copies the names.
        unsafe {
            rd_kafka_DescribeConsumerGroups(
                client.native_ptr(),
                pointers.as_mut_ptr(),
                pointers.len(),
                options.0.as_ptr(),
                queue,
            );
        }
    })?;
    let mut count = 0;
    // SAFETY: the event answers this very request, so that its result is of this type; the array lives as long as it.
    let described = unsafe {
        let result = rd_kafka_event_DescribeConsumerGroups_result(event.0.as_ptr());
        array(rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count), count)
    };
    let mut found = Vec::with_capacity(described.len());
    for group in described {
        // SAFETY: the group and all that it points to are the event's; error, assignment and list may be null.
        let members = unsafe {
            let error = rd_kafka_ConsumerGroupDescription_error(*group);
            if !error.is_null()
                && let Some(code) = failure(rd_kafka_error_code(error))
            {
                return Err(code);
            }
            let count = rd_kafka_ConsumerGroupDescription_member_count(*group);
            let mut topics = BTreeSet::new();
            for index in 0..count {
                let member = rd_kafka_ConsumerGroupDescription_member(*group, index);
                let assignment = rd_kafka_MemberDescription_assignment(member);
                if assignment.is_null() {
                    continue;
                }
                let Some(list) = rd_kafka_MemberAssignment_partitions(assignment).as_ref() else { continue };
                let elements = array(list.elems, usize::try_from(list.cnt).unwrap_or(0));
                topics.extend(elements.iter().map(|element| text(element.topic)));
            }
            Members { group: text(rd_kafka_ConsumerGroupDescription_group_id(*group)), count, topics }
        };
        found.push(members);
    }
    Ok(found)
}
