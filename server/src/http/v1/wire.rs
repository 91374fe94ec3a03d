//! What stands on the wire, and its words: translated here, once, in both directions.

mod message;
mod page;
mod schedule;
mod subscriber;
mod time;
mod topic;

pub(super) use message::*;
pub(super) use page::PageQuery;
pub(super) use schedule::{RunOut, ScheduleIn, ScheduleOut};
pub(super) use subscriber::*;
pub(super) use time::{Span, span_in_query, time};
pub(super) use topic::*;
