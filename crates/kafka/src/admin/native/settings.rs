//! Single settings of topics, changed without a word about the others (KIP-339).

use std::{
    ffi::CString,
    ptr::{self, NonNull},
    time::Duration,
};

use rdkafka::{
    bindings::{
        rd_kafka_AlterConfigOpType_t as Change, rd_kafka_ConfigResource_add_incremental_config,
        rd_kafka_ConfigResource_destroy, rd_kafka_ConfigResource_error, rd_kafka_ConfigResource_error_string,
        rd_kafka_ConfigResource_name, rd_kafka_ConfigResource_new, rd_kafka_ConfigResource_t,
        rd_kafka_IncrementalAlterConfigs, rd_kafka_IncrementalAlterConfigs_result_resources,
        rd_kafka_ResourceType_t as Kind, rd_kafka_admin_op_t as Operation, rd_kafka_error_code, rd_kafka_error_destroy,
        rd_kafka_event_IncrementalAlterConfigs_result,
    },
    client::{Client, ClientContext},
    error::RDKafkaErrorCode as Code,
};

use super::{AdminOptions, Queue, array, failure, text};
use crate::admin::SettingChanges;

/// A topic whose settings were not changed.
pub(in crate::admin) struct Refused {
    pub(in crate::admin) topic: String,
    pub(in crate::admin) code: Code,
    pub(in crate::admin) said: String,
}

/// Changes settings of topics, all in one request; the topics that Kafka did not change.
pub(in crate::admin) fn change_settings<C: ClientContext>(
    client: &Client<C>,
    changes: &SettingChanges,
    timeout: Duration,
) -> Result<Vec<Refused>, Code> {
    let owned = changes.iter().map(|(topic, settings)| Resource::of(topic, settings)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = owned.iter().map(|resource| resource.0.as_ptr()).collect();
    let options = AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, timeout)?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, resources, options and queue live until the call returns, which copies the resources.
        unsafe {
            rd_kafka_IncrementalAlterConfigs(
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
    let resources = unsafe {
        let result = rd_kafka_event_IncrementalAlterConfigs_result(event.0.as_ptr());
        array(rd_kafka_IncrementalAlterConfigs_result_resources(result, &raw mut count), count)
    };
    let refused = resources.iter().filter_map(|resource| {
        // SAFETY: each resource is the event's; its texts live as long as it does and are copied.
        let (code, topic, said) = unsafe {
            let code = failure(rd_kafka_ConfigResource_error(*resource))?;
            let said = text(rd_kafka_ConfigResource_error_string(*resource));
            (code, text(rd_kafka_ConfigResource_name(*resource)), said)
        };
        Some(Refused { topic, code, said })
    });
    Ok(refused.collect())
}

struct Resource(NonNull<rd_kafka_ConfigResource_t>);

impl Resource {
    fn of<'s>(topic: &str, settings: impl IntoIterator<Item = (&'s String, &'s Option<String>)>) -> Result<Self, Code> {
        let topic = CString::new(topic).map_err(|_| Code::InvalidArgument)?;
        // SAFETY: the name is copied; the call returns a resource that is ours, or null.
        let resource = unsafe { rd_kafka_ConfigResource_new(Kind::RD_KAFKA_RESOURCE_TOPIC, topic.as_ptr()) };
        let resource = Resource(NonNull::new(resource).ok_or(Code::InvalidArgument)?);
        settings.into_iter().try_for_each(|(setting, value)| resource.add(setting, value.as_deref()))?;
        Ok(resource)
    }

    fn add(&self, setting: &str, value: Option<&str>) -> Result<(), Code> {
        let setting = CString::new(setting).map_err(|_| Code::InvalidArgument)?;
        let value = value.map(CString::new).transpose().map_err(|_| Code::InvalidArgument)?;
        let change = match value {
            Some(_) => Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET,
            None => Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE,
        };
        let value = value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
        // SAFETY: the resource is ours; the texts are copied; an error is ours and is given back.
        let code = unsafe {
            let error =
                rd_kafka_ConfigResource_add_incremental_config(self.0.as_ptr(), setting.as_ptr(), change, value);
            let code = (!error.is_null()).then(|| rd_kafka_error_code(error));
            if !error.is_null() {
                rd_kafka_error_destroy(error);
            }
            code
        };
        code.map_or(Ok(()), |code| Err(code.into()))
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        // SAFETY: ours, given back once.
        unsafe { rd_kafka_ConfigResource_destroy(self.0.as_ptr()) }
    }
}
