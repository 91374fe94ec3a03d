//! Random histories: what a queue answers must be what the model says.
//!
//! A history is a script that nobody wrote: the model adds what each step must answer, and the interpreter
//! of the scripts carries it out. One that fails is made shorter as long as it fails, and printed.
#![expect(clippy::indexing_slicing, reason = "members of JSON objects, null if they are not there")]

mod author;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::expect::shorten;
use crate::face::{Face, Feature};
use crate::model::{Model, No};
use crate::operation::Operation;
use crate::run::{Failure, Runner};
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
        let reopens = face().has(Feature::Reopen);
        let kind = Kind { reopens, dies: false, waits: true };
        self.run(kind, &mut Faces::Plain(&mut face), false);
    }

    /// Runs them on faces of one or several processes, which die now and then, also in the middle of an
    /// operation. Which process is asked is up to the face: what only one of them remembers nobody counts on.
    ///
    /// # Panics
    /// With the first that fails, as a script. What was carried out although its process died is in it.
    pub fn assert_hold_through_deaths(&self, mut face: impl FnMut() -> Arc<dyn Mortal>) {
        let kind = Kind { reopens: true, dies: true, waits: false };
        self.run(kind, &mut Faces::Mortal(&mut face), true);
    }

    fn run(&self, kind: Kind, faces: &mut Faces<'_>, forgets: bool) {
        println!("{} histories of {} steps, seed {}", self.count, self.steps, self.seed);
        let mut deaths = Deaths::default();
        for seed in self.seed..self.seed + self.count {
            let history = write(seed, self.steps, kind);
            match faces.play(&history, forgets) {
                Ok(Deaths { after, before }) => {
                    deaths.after += after;
                    deaths.before += before;
                }
                Err(broken) => {
                    let Broken { failure, steps } = shrink(history, broken, faces, forgets);
                    let script = print(seed, steps);
                    panic!("history {seed} differs from the model\n{failure}\n\n{script}");
                }
            }
        }
        if kind.dies {
            let Deaths { after, before } = deaths;
            println!(
                "died {before} times before an operation was carried out, {after} times after"
            );
            assert!(before + after > 0, "nobody died");
        }
    }
}

/// What is done, without what must be answered: a name for the answer, and a step.
type Act = (String, Value);

/// A face whose processes can die.
pub trait Mortal: Face {
    /// Asks for an operation and dies at some moment while it is carried out, or right after. What comes
    /// next finds the queue opened again.
    fn perform_and_die(&self, operation: &Operation);
}

/// How often a process died in an operation that was then found to be carried out, and not to be.
#[derive(Debug, Default, Clone, Copy)]
struct Deaths {
    after: usize,
    before: usize,
}

/// A new face for each run.
enum Faces<'f> {
    Plain(&'f mut dyn FnMut() -> Arc<dyn Face>),
    Mortal(&'f mut dyn FnMut() -> Arc<dyn Mortal>),
}

impl Faces<'_> {
    fn play(&mut self, acts: &[Act], forgets: bool) -> Result<Deaths, Broken> {
        match self {
            Self::Plain(new) => play(acts, &new(), None, forgets),
            Self::Mortal(new) => {
                let mortal = new();
                let face: Arc<dyn Face> = Arc::<dyn Mortal>::clone(&mortal);
                play(acts, &face, Some(mortal.as_ref()), forgets)
            }
        }
    }
}

/// A history that did not go as the model says: where, and what was done up to there.
struct Broken {
    failure: Box<Failure>,
    steps: Vec<Value>,
}

/// What a history may have in it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    reopens: bool,
    dies: bool,
    /// Claims wait while the next step is carried out.
    waits: bool,
}

fn write(seed: u64, steps: usize, kind: Kind) -> Vec<Act> {
    let mut rng = Rng::with_seed(seed);
    let mut author = Author::new(&mut rng, kind);
    let mut scribe = Scribe::new(false);
    let mut acts: Vec<Act> = Vec::new();
    while acts.len() < steps {
        let mut step = author.next(&mut rng, &scribe.model);
        if kind.dies
            && DIE_IN.contains(&step["do"].as_str().unwrap_or_default())
            && rng.u8(..12) == 0
        {
            step = json!({ "do": "die", "in": step });
        }
        let act = (format!("s{}", acts.len()), step);
        // Whether it was carried out shows when it is played; what comes later is made up as if not.
        if act.1["do"] != "die" {
            scribe.take(&act);
        }
        acts.push(act);
    }
    for step in Author::end(&scribe.model) {
        let act = (format!("s{}", acts.len()), step);
        scribe.take(&act);
        acts.push(act);
    }
    acts
}

/// Operations of which the numbers that [`Scribe::looks`] asks for show whether they were carried out.
const DIE_IN: [&str; 14] = [
    "publish",
    "publish_batch",
    "claim",
    "claim_any",
    "ack",
    "ack_batch",
    "nack",
    "nack_batch",
    "defer",
    "cancel",
    "cancel_batch",
    "redrive",
    "purge_dead_letters",
    "run_schedule_now",
];

/// Writes the script of a history, with what the model says.
#[derive(Clone)]
struct Scribe {
    model: Model,
    steps: Vec<Value>,
    saved: BTreeSet<String>,
}

impl Scribe {
    fn new(forgets: bool) -> Self {
        let mut model = Model::default();
        model.forgets = forgets;
        let mut scribe = Self { model, steps: Vec::new(), saved: BTreeSet::new() };
        let clockwork = json!({ "do": "create_topic", "topic": "clock",
                                "subscribers": [{ "name": "tick" }] });
        scribe.take(&("clock".to_owned(), clockwork));
        scribe
    }

    fn take(&mut self, (name, act): &Act) {
        if act["do"] == "await" {
            return self.take_awaited(
                name,
                &act["claim"],
                &(format!("{name}b"), act["then"].clone()),
            );
        }
        let now = match (act["do"].as_str(), &act["ms"], &act["at"]) {
            (Some("advance"), ms, _) => ms.as_i64().map(|ms| self.model.now + ms),
            (Some("set_clock"), _, at) => at.as_i64(),
            _ => None,
        };
        if let Some(now) = now {
            self.model.now = now;
            self.steps.push(act.clone());
            return self.tick();
        }
        // A shorter history may not have what the step is about.
        if !names(&act.to_string()).is_subset(&self.saved) {
            return;
        }
        let operation: Operation = match serde_json::from_value(act.clone()) {
            Ok(operation) => operation,
            Err(error) => panic!("{act}: {error}"),
        };
        let before = self.model.clone();
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
            Err(No::Impossible) => {
                self.model = before;
                return;
            }
        }
        self.steps.push(Value::Object(step));
        if self.model.is_overdue() {
            self.tick();
        }
    }

    /// A claim waits, and a step lets it have something, whichever of them reaches the queue first.
    fn take_awaited(&mut self, name: &str, claim: &Value, then: &Act) {
        let (mut step_first, mut claim_first) = (self.clone(), self.clone());
        step_first.take(then);
        let found = claim_first.claimed(name, claim);
        claim_first.take(then);
        let is_same = step_first.steps == claim_first.steps;
        let (filled, late) = (claim_first.claimed(name, claim), step_first.claimed(name, claim));
        let is_certain = is_same && filled == late && claim_first.model == step_first.model;
        if found != Some(json!([])) || filled == found || filled.is_none() || !is_certain {
            return self.take(then);
        }
        let mut started = claim.clone();
        started["start"] = json!(name);
        let joined = json!({ "join": name, "expect": filled, "save": name });
        step_first.steps.insert(self.steps.len(), started);
        *self = step_first;
        self.steps.push(joined);
        self.saved.insert(name.to_owned());
        self.tick();
    }

    /// What a claim answers, if that is certain.
    fn claimed(&mut self, name: &str, claim: &Value) -> Option<Value> {
        let operation = serde_json::from_value(claim.clone()).ok()?;
        self.model.perform(name, &operation).ok()
    }

    /// Takes a step whose answer nobody got, if it is possible.
    fn take_unanswered(&mut self, name: &str, act: &Value) -> bool {
        let possible = serde_json::from_value(act.clone())
            .is_ok_and(|operation| self.model.perform(name, &operation) != Err(No::Impossible));
        self.model.forget_names(name);
        self.steps.push(act.clone());
        possible
    }

    /// Steps that ask for every number, after what is due; `None` if there is no telling.
    fn looks(&self) -> Option<Vec<Value>> {
        let mut looking = self.clone();
        looking.steps.clear();
        looking.tick();
        let mut looks = Vec::new();
        for (name, topic) in &looking.model.topics {
            looks.push(json!({ "do": "topic_stats", "topic": name }));
            looks.extend(topic.subscribers.keys().map(|subscriber| {
                json!({ "do": "subscriber_stats", "topic": name, "subscriber": subscriber })
            }));
        }
        let count = looking.steps.len() + looks.len();
        for look in looks {
            looking.take(&("look".to_owned(), look));
        }
        (looking.steps.len() == count).then_some(looking.steps)
    }

    /// What is due now is done before anything else: by the next transaction at the latest.
    fn tick(&mut self) {
        let tick = json!({ "do": "claim", "topic": "clock", "subscriber": "tick" });
        self.take(&("tick".to_owned(), tick));
    }
}

/// The names of the answers that a text refers to.
fn names(text: &str) -> BTreeSet<String> {
    let names = text.split('$').skip(1).filter_map(|rest| rest.split('.').next());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
fn steps_of(acts: &[Act]) -> Vec<Value> {
    let mut scribe = Scribe::new(false);
    for act in acts {
        scribe.take(act);
    }
    scribe.steps
}

fn play(
    acts: &[Act],
    face: &Arc<dyn Face>,
    mortal: Option<&dyn Mortal>,
    forgets: bool,
) -> Result<Deaths, Broken> {
    let runner = Runner::new(face);
    let (scribe, deaths) = (Scribe::new(forgets), Deaths::default());
    let mut player = Player { scribe, runner, carried_out: 0, deaths };
    let outcome = acts.iter().try_for_each(|act| player.act(act, mortal));
    face.close();
    let deaths = player.deaths;
    outcome.map(|()| deaths).map_err(|(step, detail)| {
        let Player { scribe: Scribe { mut steps, .. }, carried_out, .. } = player;
        steps.truncate(carried_out + 1);
        let failure = Failure {
            file: "history".to_owned(),
            script: "history".to_owned(),
            rule: "The queue answers as the model does.".to_owned(),
            step: carried_out + 1,
            action: shorten(&step),
            detail,
        };
        Broken { failure: Box::new(failure), steps }
    })
}

/// Writes a history and carries it out, step by step.
struct Player {
    scribe: Scribe,
    runner: Runner,
    /// How many of the steps.
    carried_out: usize,
    deaths: Deaths,
}

/// The step that failed, and why.
type Played = Result<(), (Value, String)>;

impl Player {
    fn act(&mut self, act: &Act, mortal: Option<&dyn Mortal>) -> Played {
        match (act.1["do"].as_str(), mortal) {
            (Some("die"), Some(mortal)) => self.die(&act.0, &act.1["in"], mortal)?,
            _ => self.scribe.take(act),
        }
        self.catch_up()
    }

    fn catch_up(&mut self) -> Played {
        while let Some(step) = self.scribe.steps.get(self.carried_out).cloned() {
            self.carry_out(&step)?;
            self.carried_out += 1;
        }
        Ok(())
    }

    fn carry_out(&mut self, step: &Value) -> Played {
        let parsed = script::parse_step(step.as_object().cloned().unwrap_or_default());
        parsed.and_then(|parsed| self.runner.step(&parsed)).map_err(|detail| (step.clone(), detail))
    }

    /// Dies in an operation, and finds out whether it was carried out: all of it, or nothing.
    fn die(&mut self, name: &str, step: &Value, mortal: &dyn Mortal) -> Played {
        self.catch_up()?;
        if !names(&step.to_string()).is_subset(&self.scribe.saved) {
            return Ok(());
        }
        let mut done = self.scribe.clone();
        if !done.take_unanswered(name, step) {
            return Ok(());
        }
        // If there is no telling now, neither is there afterwards.
        let (Some(without), Some(with)) = (self.scribe.looks(), done.looks()) else {
            return Ok(());
        };
        let operation = self.runner.resolved(step).map_err(|detail| (step.clone(), detail))?;
        mortal.perform_and_die(&operation);
        if with.iter().try_for_each(|look| self.carry_out(look)).is_ok() {
            self.deaths.after += 1;
            self.carried_out = done.steps.len();
            self.scribe = done;
        } else {
            self.deaths.before += 1;
            without.iter().try_for_each(|look| self.carry_out(look))?;
        }
        self.scribe.take(&("reopen".to_owned(), json!({ "do": "reopen" })));
        Ok(())
    }
}

/// Leaves out ever smaller parts as long as the rest still fails.
fn shrink(mut acts: Vec<Act>, mut broken: Broken, faces: &mut Faces<'_>, forgets: bool) -> Broken {
    let mut runs = 0;
    let mut size = acts.len();
    while size > 0 && runs < SHRINKING_RUNS_MAX {
        let mut start = 0;
        while start < acts.len() && runs < SHRINKING_RUNS_MAX {
            let part = start..(start + size).min(acts.len());
            let mut rest = acts.clone();
            rest.drain(part);
            runs += 1;
            match faces.play(&rest, forgets) {
                Ok(_) => start += size,
                Err(shorter) => (acts, broken) = (rest, shorter),
            }
        }
        size /= 2;
    }
    broken
}

/// As a script for a file of its own, without answers that nothing refers to.
fn print(seed: u64, mut steps: Vec<Value>) -> String {
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
        for step in (0..100).flat_map(|seed| {
            steps_of(&write(seed, 120, Kind { reopens: true, dies: false, waits: true }))
        }) {
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
