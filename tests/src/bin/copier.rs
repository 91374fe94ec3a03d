//! A process that copies a queue, and may die on the way: `copier FROM TO`.

use std::error::Error;

use blockqueue::{CopyOptions, copy};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(from), Some(to)) = (words.next(), words.next()) else {
        return Err("usage: copier FROM TO".into());
    };
    copy(from, to, &CopyOptions::default())?;
    Ok(())
}
