//! Requests of librdkafka's admin client that rdkafka does not wrap: access rules, and SCRAM users.
//!
//! Each is sent and waited for on a queue of its own; what librdkafka hands out is given back when it goes out of scope.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use rdkafka::bindings::{self, rd_kafka_AclBinding_t as Binding, rd_kafka_admin_op_t as Request};
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::types::{RDKafka, RDKafkaAdminOptions, RDKafkaEvent, RDKafkaQueue};

pub(super) use rdkafka::bindings::{
    rd_kafka_AclOperation_t as NativeOperation, rd_kafka_AclPermissionType_t as Permission,
    rd_kafka_ResourcePatternType_t as Pattern, rd_kafka_ResourceType_t as Kind,
};

/// Room for librdkafka's own words.
const WORDS_BYTES: usize = 512;
/// Each guess at a password costs this many hashes.
const SCRAM_ITERATIONS: i32 = 8192;

/// What librdkafka or Kafka said instead of doing it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) said: String,
}

/// A rule as librdkafka has it; of a filter, what is not given matches anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) pattern: Pattern,
    pub(super) principal: Option<String>,
    pub(super) host: Option<String>,
    pub(super) operation: NativeOperation,
    pub(super) permission: Permission,
}

/// A rule in librdkafka's memory.
struct OwnedBinding(NonNull<Binding>);

impl Drop for OwnedBinding {
    fn drop(&mut self) {
        // SAFETY: made by us, destroyed once; librdkafka copies what a request carries.
        unsafe { bindings::rd_kafka_AclBinding_destroy(self.0.as_ptr()) }
    }
}

type MakeBinding = unsafe extern "C" fn(
    Kind,
    *const c_char,
    Pattern,
    *const c_char,
    *const c_char,
    NativeOperation,
    Permission,
    *mut c_char,
    usize,
) -> *mut Binding;

impl Rule {
    fn binding(&self) -> Result<OwnedBinding, Refusal> {
        self.make(bindings::rd_kafka_AclBinding_new)
    }

    fn filter(&self) -> Result<OwnedBinding, Refusal> {
        self.make(bindings::rd_kafka_AclBindingFilter_new)
    }

    fn make(&self, make: MakeBinding) -> Result<OwnedBinding, Refusal> {
        let texts = [&self.name, &self.principal, &self.host].map(|text| text.as_deref().map(text_of).transpose());
        let [name, principal, host] = texts;
        let (name, principal, host) = (name?, principal?, host?);
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let mut words = [0; WORDS_BYTES];
        // SAFETY: the strings are null or NUL-terminated and outlive the call, which copies them; it writes at most
        // WORDS_BYTES of words and returns null or a rule that is ours.
        let made = unsafe {
            make(
                self.kind,
                pointer(&name),
                self.pattern,
                pointer(&principal),
                pointer(&host),
                self.operation,
                self.permission,
                words.as_mut_ptr(),
                words.len(),
            )
        };
        NonNull::new(made)
            .map(OwnedBinding)
            .ok_or_else(|| Refusal { code: Code::InvalidArgument, said: read(words.as_ptr()) })
    }

    /// # Safety
    /// `binding` must point to a rule that lives for the call.
    unsafe fn read(binding: *const Binding) -> Self {
        // SAFETY: the caller vouches for the rule; its strings live as long as it does and are copied.
        unsafe {
            Rule {
                kind: bindings::rd_kafka_AclBinding_restype(binding),
                name: Some(read(bindings::rd_kafka_AclBinding_name(binding))),
                pattern: bindings::rd_kafka_AclBinding_resource_pattern_type(binding),
                principal: Some(read(bindings::rd_kafka_AclBinding_principal(binding))),
                host: Some(read(bindings::rd_kafka_AclBinding_host(binding))),
                operation: bindings::rd_kafka_AclBinding_operation(binding),
                permission: bindings::rd_kafka_AclBinding_permission_type(binding),
            }
        }
    }
}

/// Has Kafka keep these rules; one that is there already stays.
pub(super) fn create<C: ClientContext>(client: &Client<C>, rules: &[Rule], timeout: Duration) -> Result<(), Refusal> {
    let owned = rules.iter().map(Rule::binding).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = owned.iter().map(|rule| rule.0.as_ptr()).collect();
    let answer = ask(client, Request::RD_KAFKA_ADMIN_OP_CREATEACLS, timeout, |handle, options, queue| {
        // SAFETY: as many rules as said, which outlive the call; handle, options and queue are valid.
        unsafe { bindings::rd_kafka_CreateAcls(handle, pointers.as_mut_ptr(), pointers.len(), options, queue) }
    })?;
    let mut count = 0;
    // SAFETY: the answer is to this request, by its kind; the results live as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_CreateAcls_result(answer.0.as_ptr());
        let results = list(bindings::rd_kafka_CreateAcls_result_acls(result, &raw mut count), count);
        results.iter().try_for_each(|result| judge(bindings::rd_kafka_acl_result_error(*result)))
    }
}

/// The rules that match a filter.
pub(super) fn describe<C: ClientContext>(
    client: &Client<C>,
    filter: &Rule,
    timeout: Duration,
) -> Result<Vec<Rule>, Refusal> {
    let filter = filter.filter()?;
    let answer = ask(client, Request::RD_KAFKA_ADMIN_OP_DESCRIBEACLS, timeout, |handle, options, queue| {
        // SAFETY: the filter outlives the call; handle, options and queue are valid.
        unsafe { bindings::rd_kafka_DescribeAcls(handle, filter.0.as_ptr(), options, queue) }
    })?;
    let mut count = 0;
    // SAFETY: the answer is to this request, by its kind; the rules live as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeAcls_result(answer.0.as_ptr());
        let rules = list(bindings::rd_kafka_DescribeAcls_result_acls(result, &raw mut count), count);
        Ok(rules.iter().map(|rule| Rule::read(*rule)).collect())
    }
}

/// Removes the rules that match any of these filters.
pub(super) fn delete<C: ClientContext>(client: &Client<C>, filters: &[Rule], timeout: Duration) -> Result<(), Refusal> {
    let owned = filters.iter().map(Rule::filter).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = owned.iter().map(|filter| filter.0.as_ptr()).collect();
    let answer = ask(client, Request::RD_KAFKA_ADMIN_OP_DELETEACLS, timeout, |handle, options, queue| {
        // SAFETY: as many filters as said, which outlive the call; handle, options and queue are valid.
        unsafe { bindings::rd_kafka_DeleteAcls(handle, pointers.as_mut_ptr(), pointers.len(), options, queue) }
    })?;
    let mut count = 0;
    // SAFETY: the answer is to this request, by its kind; the responses live as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_DeleteAcls_result(answer.0.as_ptr());
        let responses = list(bindings::rd_kafka_DeleteAcls_result_responses(result, &raw mut count), count);
        responses.iter().try_for_each(|response| judge(bindings::rd_kafka_DeleteAcls_result_response_error(*response)))
    }
}

/// Gives a user a password for SCRAM-SHA-512, whether or not it had one; the salt is random, the password never leaves this process.
pub(super) fn set_password<C: ClientContext>(
    client: &Client<C>,
    user: &str,
    password: &str,
    timeout: Duration,
) -> Result<(), Refusal> {
    let user = text_of(user)?;
    // SAFETY: user and password outlive the call, which copies them; without a salt librdkafka draws one. It returns a
    // change that is ours.
    let mut change = unsafe {
        bindings::rd_kafka_UserScramCredentialUpsertion_new(
            user.as_ptr(),
            bindings::rd_kafka_ScramMechanism_t::RD_KAFKA_SCRAM_MECHANISM_SHA_512,
            SCRAM_ITERATIONS,
            password.as_ptr(),
            password.len(),
            ptr::null(),
            0,
        )
    };
    let answer =
        ask(client, Request::RD_KAFKA_ADMIN_OP_ALTERUSERSCRAMCREDENTIALS, timeout, |handle, options, queue| {
            // SAFETY: one change, which outlives the call and is copied; handle, options and queue are valid.
            unsafe { bindings::rd_kafka_AlterUserScramCredentials(handle, &raw mut change, 1, options, queue) }
        });
    // SAFETY: the change is ours and not used after this.
    unsafe { bindings::rd_kafka_UserScramCredentialAlteration_destroy(change) };
    let (answer, mut count) = (answer?, 0);
    // SAFETY: the answer is to this request, by its kind; the responses live as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_AlterUserScramCredentials_result(answer.0.as_ptr());
        let responses = bindings::rd_kafka_AlterUserScramCredentials_result_responses(result, &raw mut count);
        let error = |response: &*const _| bindings::rd_kafka_AlterUserScramCredentials_result_response_error(*response);
        list(responses, count).iter().try_for_each(|response| judge(error(response)))
    }
}

/// The answer to a request.
struct Answer(NonNull<RDKafkaEvent>);

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: handed to us by the queue, destroyed once.
        unsafe { bindings::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// A queue that is given back at the end.
struct Queue(*mut RDKafkaQueue);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by us, destroyed once; the client outlives it.
        unsafe { bindings::rd_kafka_queue_destroy(self.0) }
    }
}

/// Options that are given back at the end.
struct Options(*mut RDKafkaAdminOptions);

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by us, destroyed once; a request copies them.
        unsafe { bindings::rd_kafka_AdminOptions_destroy(self.0) }
    }
}

fn ask<C: ClientContext>(
    client: &Client<C>,
    request: Request,
    timeout: Duration,
    send: impl FnOnce(*mut RDKafka, *const RDKafkaAdminOptions, *mut RDKafkaQueue),
) -> Result<Answer, Refusal> {
    let handle = client.native_ptr();
    let timeout_ms = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    let mut words = [0; WORDS_BYTES];
    // SAFETY: the handle lives as long as `client`; queue and options are ours.
    let (queue, options) = unsafe {
        let options = Options(bindings::rd_kafka_AdminOptions_new(handle, request));
        bindings::rd_kafka_AdminOptions_set_request_timeout(options.0, timeout_ms, words.as_mut_ptr(), words.len());
        (Queue(bindings::rd_kafka_queue_new(handle)), options)
    };
    send(handle, options.0, queue.0);
    // librdkafka answers itself when the time is up; the second more is for that answer to come
    // SAFETY: the queue is valid; the call returns null or an event that is ours.
    let event = unsafe { bindings::rd_kafka_queue_poll(queue.0, timeout_ms.saturating_add(1000)) };
    let unanswered = || Refusal { code: Code::OperationTimedOut, said: "no broker answered".to_owned() };
    let answer = NonNull::new(event).map(Answer).ok_or_else(unanswered)?;
    // SAFETY: the event is ours; its words live as long as it does and are copied.
    let (code, said) = unsafe {
        let code: Code = bindings::rd_kafka_event_error(answer.0.as_ptr()).into();
        (code, read(bindings::rd_kafka_event_error_string(answer.0.as_ptr())))
    };
    if code == Code::NoError { Ok(answer) } else { Err(Refusal { code, said }) }
}

/// # Safety
/// `error` must be null or an error that lives for the call.
unsafe fn judge(error: *const bindings::rd_kafka_error_t) -> Result<(), Refusal> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: not null, and the caller vouches for it; its words are copied.
    let (code, said) =
        unsafe { (bindings::rd_kafka_error_code(error).into(), read(bindings::rd_kafka_error_string(error))) };
    if code == Code::NoError { Ok(()) } else { Err(Refusal { code, said }) }
}

/// # Safety
/// `items` must be null or point to `count` items that live as long as the slice is used.
unsafe fn list<'a, T>(items: *mut *const T, count: usize) -> &'a [*const T] {
    if items.is_null() {
        return &[];
    }
    // SAFETY: as the caller vouches.
    unsafe { slice::from_raw_parts(items, count) }
}

fn text_of(text: &str) -> Result<CString, Refusal> {
    CString::new(text)
        .map_err(|_| Refusal { code: Code::InvalidArgument, said: "a name holds a NUL character".to_owned() })
}

/// A copy of librdkafka's words; none where there are none.
fn read(words: *const c_char) -> String {
    if words.is_null() {
        return String::new();
    }
    // SAFETY: not null; librdkafka's words are NUL-terminated, and a buffer of ours begins zeroed.
    unsafe { CStr::from_ptr(words) }.to_string_lossy().into_owned()
}
