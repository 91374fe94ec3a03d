//! Random histories over one, two and three processes on one queue, in a file and on a server. Each operation is asked of one of them
//! by chance; now and then one is killed, between operations and in the middle of one.
//!
//! `BLOCKQUEUE_HISTORIES` and `BLOCKQUEUE_HISTORY_SEED` choose how many and which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use blockqueue::{OpenOptions, Queue, TestClock};
use blockqueue_conformance::{Face, Feature, Histories, Mortal, Operation, Refusal, START_MS};
use blockqueue_tests::chance::Chance;
use blockqueue_tests::child::Talking;
use blockqueue_tests::place::Place;
use serde_json::{Value, json};

/// An operation takes some of these; its process is killed after any number up to this one, in a file and on a
/// server.
const DEATH_MICROS_MAX: (u64, u64) = (4_000, 12_000);

#[test]
fn a_process_that_is_killed_at_any_time_leaves_what_the_model_says() {
    Histories::from_env(12).assert_hold_through_deaths(|| Processes::start(Place::file(), 1));
}

#[test]
fn two_processes_that_are_killed_at_any_time_are_one_queue() {
    Histories::from_env(10).assert_hold_through_deaths(|| Processes::start(Place::file(), 2));
}

#[test]
fn three_processes_that_are_killed_at_any_time_are_one_queue() {
    Histories::from_env(6).assert_hold_through_deaths(|| Processes::start(Place::file(), 3));
}

#[test]
fn three_processes_that_are_killed_at_any_time_are_one_queue_on_postgresql() {
    if Place::on_server().is_some() {
        let start = || Processes::start(Place::on_server().unwrap(), 3);
        Histories::from_env(4).assert_hold_through_deaths(start);
    }
}

/// Processes on a queue of their own.
struct Processes {
    place: Place,
    state: Mutex<State>,
}

struct State {
    /// `None`: it is started when it is asked next.
    workers: Vec<Option<Worker>>,
    started: u64,
    chance: Chance,
    now_ms: i64,
}

struct Worker {
    /// Each that was started has another.
    name: String,
    talking: Talking,
}

impl Processes {
    fn start(place: Place, count: usize) -> Arc<dyn Mortal> {
        let workers = (0..count).map(|_| None).collect();
        let chance = Chance::new(count as u64);
        let state = State { workers, started: 0, chance, now_ms: START_MS };
        Arc::new(Self { place, state: Mutex::new(state) })
    }

    fn worker(&self, name: String, now_ms: i64) -> Worker {
        let mut command = Command::new(env!("CARGO_BIN_EXE_history-worker"));
        command.arg(self.place.address_for(&name)).arg(now_ms.to_string());
        let talking = Talking::start(&mut command).unwrap();
        assert_eq!(talking.line().unwrap(), "ready");
        Worker { name, talking }
    }

    /// One of them by chance, with its number.
    fn choose<'s>(&self, state: &'s mut State) -> (usize, &'s mut Worker) {
        let count = state.workers.len();
        let number = usize::try_from(state.chance.below(count as u64)).unwrap();
        let State { workers, started, now_ms, .. } = state;
        let worker = workers.get_mut(number).unwrap();
        let start = || {
            *started += 1;
            self.worker(started.to_string(), *now_ms)
        };
        (number, worker.get_or_insert_with(start))
    }
}

fn heard(worker: &Talking) -> Value {
    serde_json::from_str(&worker.line().unwrap()).unwrap()
}

impl Face for Processes {
    fn perform(&self, operation: &Operation) -> Result<Value, Refusal> {
        let mut state = self.state.lock().unwrap();
        let is_killed = state.chance.below(2) == 0;
        let (number, Worker { talking, .. }) = self.choose(&mut state);
        if *operation == (Operation::Reopen {}) && is_killed {
            *state.workers.get_mut(number).unwrap() = None;
            return Ok(json!({}));
        }
        talking.say(&serde_json::to_string(operation).unwrap()).unwrap();
        let mut told = heard(talking);
        match told.get("code").and_then(Value::as_str) {
            None => Ok(told.get_mut("answer").unwrap().take()),
            Some(code) => {
                let detail = told.get("detail").and_then(Value::as_str).unwrap_or_default();
                let index = told.get("index").and_then(Value::as_u64);
                let index = index.map(|index| usize::try_from(index).unwrap());
                Err(Refusal { index, ..Refusal::new(code, detail) })
            }
        }
    }

    fn set_clock(&self, at_ms: i64) {
        let mut state = self.state.lock().unwrap();
        state.now_ms = at_ms;
        for Worker { talking, .. } in state.workers.iter_mut().flatten() {
            talking.say(&json!({ "clock": at_ms }).to_string()).unwrap();
            assert_eq!(heard(talking), Value::Null);
        }
    }

    fn has(&self, feature: Feature) -> bool {
        feature == Feature::Reopen
    }

    /// What is left must be in order.
    fn close(&self) {
        let mut state = self.state.lock().unwrap();
        state.workers.clear();
        let clock = TestClock::new(UNIX_EPOCH + Duration::from_millis(state.now_ms.unsigned_abs()));
        let queue =
            Queue::open_with(self.place.address(), OpenOptions::default().with_clock(clock))
                .unwrap();
        let diagnosis = queue.diagnose().wait().unwrap();
        assert_eq!(diagnosis.problems, Vec::<String>::new());
        queue.shutdown().wait().unwrap();
    }
}

impl Mortal for Processes {
    fn perform_and_die(&self, operation: &Operation) {
        let mut state = self.state.lock().unwrap();
        let latest = if self.place.is_file() { DEATH_MICROS_MAX.0 } else { DEATH_MICROS_MAX.1 };
        let moment = Duration::from_micros(state.chance.below(latest));
        let (number, Worker { talking, .. }) = self.choose(&mut state);
        talking.say(&serde_json::to_string(operation).unwrap()).unwrap();
        // When it dies is part of the chance, not a wait for anything.
        thread::sleep(moment);
        let killed = state.workers.get_mut(number).and_then(Option::take);
        let name = killed.map(|worker| worker.name).unwrap();
        self.place.wait_until_gone(&name);
    }
}
