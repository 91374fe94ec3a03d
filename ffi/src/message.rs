//! Messages as C passes them, and what a publish answers.

use blockqueue::{Message, Published, Result};

use crate::arguments::{
    Sized, instant, invalid, items, optional_duration, optional_instant_ms, sized,
};
use crate::id::bq_id;
use crate::slice::bq_slice;

/// A header of a message. Names are unique; order is not kept.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_header {
    /// Its name, not empty.
    pub name: bq_slice,
    /// Its value.
    pub value: bq_slice,
}

/// What a message has besides its payload. All zero is a plain message. Texts are UTF-8.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_message_options {
    /// sizeof(bq_message_options).
    pub size: usize,
    /// What the payload is, for example "application/json".
    pub content_type: bq_slice,
    /// An array of headers.
    pub headers: *const bq_header,
    /// How many headers.
    pub header_count: usize,
    /// Ties the message to others, for example to a request.
    pub correlation_id: bq_slice,
    /// A repeat of the key within the topic's window publishes nothing and answers with the first id.
    pub idempotency_key: bq_slice,
    /// Messages of one key go to a subscriber that asks for order one at a time.
    pub ordering_key: bq_slice,
    /// While some subscriber is not done with a message of this key, the topic takes no other of it.
    pub unique_key: bq_slice,
    /// Deliver it this long after now. Not together with deliver_at_ms.
    pub delay_ms: i64,
    /// Deliver it at this time, in milliseconds since 1970; a time in the past means now.
    pub deliver_at_ms: i64,
    /// It is not delivered any more this long after it was published. 0: as the topic says.
    pub ttl_ms: i64,
    /// From -1000 to 1000; higher is delivered first, and lower ones may starve.
    pub priority: i32,
}

// SAFETY: integers and pointers only, the size first.
unsafe impl Sized for bq_message_options {}

/// A message of a batch.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_message {
    /// Any bytes, also none.
    pub payload: bq_slice,
    /// What it has besides, or NULL. Messages may share it.
    pub options: *const bq_message_options,
}

/// The answer to a publish.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_published {
    /// The message's id, for all its life.
    pub id: bq_id,
    /// When it will become deliverable, in milliseconds since 1970; 0: now.
    pub deliver_at_ms: i64,
    /// Subscribers that the topic has now, each of which will get it.
    pub subscriber_count: u64,
    /// The idempotency key was used before: nothing was published, this is the first message's id.
    pub duplicate: bool,
}

impl From<Published> for bq_published {
    fn from(published: Published) -> Self {
        Self {
            id: published.id.into(),
            deliver_at_ms: optional_instant_ms(published.deliver_at),
            subscriber_count: published.subscriber_count as u64,
            duplicate: published.duplicate,
        }
    }
}

/// A message with this payload.
///
/// # Safety
/// The options are NULL, or can be read with all that they point to.
pub(crate) unsafe fn message(
    payload: &[u8],
    options: *const bq_message_options,
) -> Result<Message> {
    let message = Message::new(payload);
    if options.is_null() {
        return Ok(message);
    }
    // SAFETY: passed on.
    unsafe { with_options(message, &sized("the message's options", options)?) }
}

/// The messages of a batch.
///
/// # Safety
/// They can be read, with all that they point to.
pub(crate) unsafe fn messages(first: *const bq_message, count: usize) -> Result<Vec<Message>> {
    // SAFETY: passed on.
    let messages = unsafe { items("the array of messages", first, count) }?;
    messages
        .iter()
        // SAFETY: passed on.
        .map(|each| unsafe { message(each.payload.bytes("a payload")?, each.options) })
        .collect()
}

/// # Safety
/// What the options point to can be read.
unsafe fn with_options(mut message: Message, options: &bq_message_options) -> Result<Message> {
    // SAFETY: passed on, for all of them.
    unsafe {
        for header in items("the array of headers", options.headers, options.header_count)? {
            let (name, value) =
                (header.name.text("the name of a header")?, header.value.text("a header")?);
            message.headers.insert(name.to_owned(), value.to_owned());
        }
        message.content_type = options.content_type.optional_string("content_type")?;
        message.correlation_id = options.correlation_id.optional_string("correlation_id")?;
        message.idempotency_key = options.idempotency_key.optional_string("idempotency_key")?;
        message.ordering_key = options.ordering_key.optional_string("ordering_key")?;
        message.unique_key = options.unique_key.optional_string("unique_key")?;
    }
    if message.headers.len() != options.header_count {
        return Err(invalid("two headers have the same name"));
    }
    // What does not even fit in is as wrong as what the core refuses, and it says why.
    message.priority = i16::try_from(options.priority).unwrap_or(i16::MAX);
    message.delay = optional_duration("delay_ms", options.delay_ms)?;
    message.deliver_at = (options.deliver_at_ms != 0).then(|| instant(options.deliver_at_ms));
    message.ttl = optional_duration("ttl_ms", options.ttl_ms)?;
    Ok(message)
}
