//! Random histories: what a queue answers must be what the model says.
//!
//! A history is a script that nobody wrote: the model adds what each step must answer, and the interpreter
//! of the scripts carries it out. One that fails is made shorter as long as it fails, and printed.

mod author;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::face::{Face, Feature};
use crate::model::{Model, No};
use crate::operation::Operation;
use crate::run::{Failure, run};
use crate::script;
use author::Author;

/// Runs of shorter and shorter histories before the shortest is printed.
const SHRINKING_RUNS_MAX: usize = 500;

/// Which histories to run.
#[derive(Debug, Clone, Copy)]
pub struct Histories {
    /// The seed of the first one; each has the next.
    pub seed: u64,
    /// How many.
    pub count: u64,
    /// Steps of each.
    pub steps: usize,
}

impl Histories {
    /// So many, unless `BLOCKQUEUE_HISTORIES` asks for another number. `BLOCKQUEUE_HISTORY_SEED` is the
    /// seed of the first.
    pub fn from_env(count: u64) -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
        Self {
            seed: number("BLOCKQUEUE_HISTORY_SEED").unwrap_or(20_260_101),
            count: number("BLOCKQUEUE_HISTORIES").unwrap_or(count),
            steps: 120,
        }
    }

    /// Runs them, each on a queue of its own.
    ///
    /// # Panics
    /// With the first that fails, as a script.
    pub fn assert_hold(&self, mut face: impl FnMut() -> Arc<dyn Face>) {
        println!("{} histories of {} steps, seed {}", self.count, self.steps, self.seed);
        for seed in self.seed..self.seed + self.count {
            let new = face();
            let history = write(seed, self.steps, new.has(Feature::Reopen));
            if let Err(failure) = play(&history, &new) {
                let (shortest, failure) = shrink(history, failure, &mut face);
                let script = print(seed, &shortest);
                panic!("history {seed} differs from the model\n{failure}\n\n{script}");
            }
        }
    }
}

/// What is done, without what must be answered: a name for the answer, and a step.
type Act = (String, Value);

fn write(seed: u64, steps: usize, reopen: bool) -> Vec<Act> {
    let mut rng = Rng::with_seed(seed);
    let mut author = Author::new(&mut rng, reopen);
    let mut scribe = Scribe::new();
    let mut acts: Vec<Act> = Vec::new();
    while acts.len() < steps {
        let act = (format!("s{}", acts.len()), author.next(&mut rng, &scribe.model));
        scribe.take(&act);
        acts.push(act);
    }
    for step in Author::end(&scribe.model) {
        let act = (format!("s{}", acts.len()), step);
        scribe.take(&act);
        acts.push(act);
    }
    acts
}

/// Writes the script of a history, with what the model says.
struct Scribe {
    model: Model,
    steps: Vec<Value>,
    saved: BTreeSet<String>,
}

impl Scribe {
    fn new() -> Self {
        let mut scribe =
            Self { model: Model::default(), steps: Vec::new(), saved: BTreeSet::new() };
        let clockwork = json!({ "do": "create_topic", "topic": "clock",
                                "subscribers": [{ "name": "tick" }] });
        scribe.take(&("clock".to_owned(), clockwork));
        scribe
    }

    fn take(&mut self, (name, act): &Act) {
        let now = match (act["do"].as_str(), &act["ms"], &act["at"]) {
            (Some("advance"), ms, _) => ms.as_i64().map(|ms| self.model.now + ms),
            (Some("set_clock"), _, at) => at.as_i64(),
            _ => None,
        };
        if let Some(now) = now {
            self.model.now = now;
            self.steps.push(act.clone());
            // What is due now is done before anything else: by the next transaction at the latest.
            let tick = json!({ "do": "claim", "topic": "clock", "subscriber": "tick" });
            return self.take(&("tick".to_owned(), tick));
        }
        // A shorter history may not have what the step is about.
        if !names(&act.to_string()).is_subset(&self.saved) {
            return;
        }
        let operation: Operation = match serde_json::from_value(act.clone()) {
            Ok(operation) => operation,
            Err(error) => panic!("{act}: {error}"),
        };
        let answer = self.model.perform(name, &operation);
        let mut step = act.as_object().cloned().unwrap_or_default();
        match answer {
            Ok(expect) => {
                step.insert("expect".to_owned(), expect);
                step.insert("save".to_owned(), json!(name));
                self.saved.insert(name.clone());
            }
            Err(No::Refused(code, index)) => {
                step.insert("error".to_owned(), json!(code));
                if let Some(index) = index {
                    step.insert("index".to_owned(), json!(index));
                }
            }
            Err(No::Impossible) => return,
        }
        self.steps.push(Value::Object(step));
    }
}

/// The names of the answers that a text refers to.
fn names(text: &str) -> BTreeSet<String> {
    let names = text.split('$').skip(1).filter_map(|rest| rest.split('.').next());
    names.map(str::to_owned).collect()
}

fn steps_of(acts: &[Act]) -> Vec<Value> {
    let mut scribe = Scribe::new();
    for act in acts {
        scribe.take(act);
    }
    scribe.steps
}

fn play(acts: &[Act], face: &Arc<dyn Face>) -> Result<(), Box<Failure>> {
    let mut history = Map::new();
    history.insert("name".to_owned(), json!("history"));
    history.insert("rule".to_owned(), json!("The queue answers as the model does."));
    history.insert("steps".to_owned(), Value::from(steps_of(acts)));
    let text = Value::from(vec![Value::Object(history)]).to_string();
    match script::parse("history", &text).as_deref() {
        Ok([script]) => run(script, face),
        other => panic!("a history is no script: {other:?}"),
    }
}

/// Leaves out ever smaller parts as long as the rest still fails.
fn shrink(
    mut acts: Vec<Act>,
    mut failure: Box<Failure>,
    face: &mut impl FnMut() -> Arc<dyn Face>,
) -> (Vec<Act>, Box<Failure>) {
    let mut runs = 0;
    let mut size = acts.len();
    while size > 0 && runs < SHRINKING_RUNS_MAX {
        let mut start = 0;
        while start < acts.len() && runs < SHRINKING_RUNS_MAX {
            let part = start..(start + size).min(acts.len());
            let mut rest = acts.clone();
            rest.drain(part);
            runs += 1;
            match play(&rest, &face()) {
                Ok(()) => start += size,
                Err(shorter) => (acts, failure) = (rest, shorter),
            }
        }
        size /= 2;
    }
    (acts, failure)
}

/// As a script for a file of its own, without answers that nothing refers to.
fn print(seed: u64, acts: &[Act]) -> String {
    let mut steps = steps_of(acts);
    let text = Value::from(steps.clone()).to_string();
    let used = names(&text);
    for step in steps.iter_mut().filter_map(Value::as_object_mut) {
        if step.get("save").and_then(Value::as_str).is_some_and(|name| !used.contains(name)) {
            step.remove("save");
        }
    }
    let mut script = format!("[{{\"name\": \"history_{seed}\", \"rule\": \"…\", \"steps\": [\n");
    for (place, step) in steps.iter().enumerate() {
        let comma = if place + 1 == steps.len() { "" } else { "," };
        let _ = writeln!(script, "  {step}{comma}");
    }
    script + "]}]\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A history is worth running only if most of it is done and not refused.
    #[test]
    fn histories_do_all_there_is_to_do() {
        let mut done: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        for step in (0..100).flat_map(|seed| steps_of(&write(seed, 120, true))) {
            let word = step["do"].as_str().unwrap_or_default().to_owned();
            let [count, fruitful] = done.entry(word).or_default();
            *count += 1;
            *fruitful += usize::from(step["error"].is_null() && step["expect"] != json!([]));
        }
        for (word, [count, fruitful]) in done {
            println!("{word}: {fruitful} of {count}");
            assert!(fruitful >= 10, "{word}: {fruitful} of {count}");
        }
    }
}
