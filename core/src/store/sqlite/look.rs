//! A look, without the right to write, at whether waiting claims have something to get.
//!
//! Invariant: what a claim could hand out is found; what is found may be gone when the claim comes.

use super::tx::{Step, Stop, Tx};
use super::{claim, due};
use crate::error::Error;
use crate::op::Source;
use crate::store::Look;

pub(super) fn look(tx: &mut Tx<'_>, waiting: &[Source]) -> Step<Look> {
    let mut look = Look { ready: Vec::new(), next_due: due::look(tx)? };
    for source in waiting {
        let at = match tx.subscriber_id(source) {
            Ok(id) if tx.is_paused(id)? => None,
            Ok(id) => claim::look_next(tx, id)?,
            // Whoever waits for what is gone is told so by the claim.
            Err(Stop::Refused(Error::UnknownTopic { .. } | Error::UnknownSubscriber { .. })) => {
                Some(tx.now)
            }
            Err(stop) => return Err(stop),
        };
        look.ready.extend(at.map(|at| (source.clone(), at)));
    }
    Ok(look)
}
