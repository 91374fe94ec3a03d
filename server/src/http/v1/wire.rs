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
pub(super) use time::{Span, optional, span_in_query, time, wait_in_query};
pub(super) use topic::*;
