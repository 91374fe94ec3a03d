//! The baseline by itself: what the bare database does per second on this machine.

use blockqueue_bench::measure::{per_second, time};
use blockqueue_bench::raw::Raw;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let payload = [b'x'; 100];
    for group in [1_usize, 64, 1_000] {
        let mut raw = Raw::create(&directory.path().join(format!("{group}.db")))?;
        let transactions = if group == 1_000 { 200 } else { 1_000 };
        let (took, result) =
            time(|| (0..transactions).try_for_each(|_| raw.insert(group, &payload)));
        result?;
        #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
        let speed = (group * transactions) as f64 / took.as_secs_f64();
        println!("inserts of 100 B in transactions of {group}: {}", per_second(speed));
    }
    Ok(())
}
