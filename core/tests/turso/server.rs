//! A Hrana server over SQLite, as far as the store needs one, on which something can go wrong.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::{Value, json};

/// As sqld has it.
const ANSWER_BYTES_MAX: usize = 10_000_000;
const VALUE_BYTES_MAX: usize = 5_000_000;

/// Ends with the process.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    pub shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    databases: Mutex<HashMap<String, Arc<Mutex<Connection>>>>,
    /// Batches that were asked for.
    pub requests: AtomicU64,
    /// One request of so many fails, in one way or another; 0: none.
    pub fails_one_of: AtomicU64,
    /// Every request is refused with this status; 0: none.
    pub refuses: AtomicU64,
    /// From this request on all are refused; 0: none.
    pub refuses_from: AtomicU64,
    /// Answers are lost; what was asked is carried out.
    pub is_cut_off: AtomicBool,
    /// How long everything is under way, in each direction, in microseconds.
    pub delay_us: AtomicU64,
    /// How far its clock is ahead of this machine's.
    pub ahead_seconds: AtomicU64,
    /// The token that is asked for.
    pub token: Mutex<Option<String>>,
    faults: AtomicU64,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The connection is cut before anything is done.
    Before,
    /// It is done, and the connection is cut.
    After,
    /// It is done, and half of the answer is sent.
    Half,
    /// Nothing is done, or all, and the answer is a status.
    Status(u16, bool),
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let server = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A connection that ends early is the client's business.
                thread::spawn(move || drop(serve(&client, &shared)));
            }
        });
        server
    }

    /// The address of a database that is there when it is first asked for.
    pub(crate) fn database(&self, name: &str) -> String {
        format!("http://{}/{name}?poll_ms=20", self.address)
    }

    /// The number that a statement on the server answers with.
    pub(crate) fn number(&self, name: &str, sql: &str) -> i64 {
        let database = self.shared.database(&format!("/{name}/v2/pipeline"));
        let database = database.lock().unwrap();
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn run(&self, name: &str, sql: &str) {
        let database = self.shared.database(&format!("/{name}/v2/pipeline"));
        database.lock().unwrap().execute_batch(sql).unwrap();
    }

    /// Makes a backup, in a file that is not there yet.
    pub(crate) fn save(&self, name: &str, to: &Path) {
        self.run(name, &format!("VACUUM INTO '{}'", to.display()));
    }

    /// The database is what it was, whatever came after.
    pub(crate) fn restore(&self, name: &str, from: &Path) {
        let database = self.shared.database(&format!("/{name}/v2/pipeline"));
        *database.lock().unwrap() = Connection::open(from).unwrap();
    }

    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn database(&self, path: &str) -> Arc<Mutex<Connection>> {
        let mut databases = self.databases.lock().unwrap();
        let open = || Arc::new(Mutex::new(Connection::open_in_memory().unwrap()));
        Arc::clone(databases.entry(path.to_owned()).or_insert_with(open))
    }

    fn next_fault(&self) -> Fault {
        let every = self.fails_one_of.load(Ordering::Relaxed);
        let status = self.refuses.load(Ordering::Relaxed);
        if status > 0 {
            return Fault::Status(u16::try_from(status).unwrap(), false);
        }
        let from = self.refuses_from.load(Ordering::Relaxed);
        if from > 0 && self.requests.load(Ordering::Relaxed) >= from {
            return Fault::Status(500, false);
        }
        if self.is_cut_off.load(Ordering::Relaxed) {
            return Fault::After;
        }
        let number = self.faults.fetch_add(1, Ordering::Relaxed);
        let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let chance = mixed ^ (mixed >> 27);
        if every == 0 || !chance.is_multiple_of(every) {
            return Fault::None;
        }
        match (chance / every) % 8 {
            0 | 1 => Fault::Before,
            2 | 3 => Fault::After,
            4 => Fault::Half,
            5 => Fault::Status(503, false),
            6 => Fault::Status(502, true),
            _ => Fault::Status(408, true),
        }
    }
}

fn serve(client: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client);
    loop {
        let Some((path, token, body)) = request(&mut reader)? else { return Ok(()) };
        let delay = Duration::from_micros(shared.delay_us.load(Ordering::Relaxed));
        thread::sleep(delay);
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let wanted = shared.token.lock().unwrap().clone();
        let fault = match wanted {
            Some(wanted) if token.as_deref() != Some(&format!("Bearer {wanted}")) => {
                Fault::Status(401, false)
            }
            _ if !path.ends_with("/v2/pipeline") => Fault::Status(404, false),
            _ => shared.next_fault(),
        };
        let is_done = !matches!(fault, Fault::Before | Fault::Status(_, false));
        let answer = if is_done {
            let database = shared.database(&path);
            let database = database.lock().unwrap();
            pipeline(&database, &body, shared.ahead_seconds.load(Ordering::Relaxed))
        } else {
            String::new()
        };
        thread::sleep(delay);
        match fault {
            Fault::None => respond(client, 200, &answer, answer.len())?,
            Fault::Before | Fault::After => return Ok(()),
            Fault::Half => return respond(client, 200, &answer, answer.len() / 2),
            Fault::Status(status, _) => respond(client, status, "{}", 2)?,
        }
    }
}

type Request = (String, Option<String>, Vec<u8>);

fn request(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut token) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => token = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, token, body)))
}

fn respond(mut to: &TcpStream, status: u16, body: &str, sent: usize) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
    to.write_all(&[head.as_bytes(), &body.as_bytes()[..sent]].concat())
}

fn pipeline(database: &Connection, body: &[u8], ahead_seconds: u64) -> String {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let mut results = Vec::new();
    for request in asked["requests"].as_array().unwrap() {
        results.push(match request["type"].as_str().unwrap() {
            "batch" => {
                batch(database, request["batch"]["steps"].as_array().unwrap(), ahead_seconds)
            }
            "close" => json!({ "type": "ok", "response": { "type": "close" } }),
            other => {
                json!({ "type": "error", "error": { "message": format!("unknown: {other}") } })
            }
        });
    }
    // A stream that ends takes its transaction with it.
    if !database.is_autocommit() {
        database.execute_batch("ROLLBACK").unwrap();
    }
    let answer = json!({ "baton": null, "base_url": null, "results": results }).to_string();
    if answer.len() <= ANSWER_BYTES_MAX {
        return answer;
    }
    let error = json!({ "message": "Response is too large", "code": "RESPONSE_TOO_LARGE" });
    json!({ "results": [{ "type": "error", "error": error }] }).to_string()
}

fn batch(database: &Connection, steps: &[Value], ahead_seconds: u64) -> Value {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for step in steps {
        let (mut result, mut refusal) = (Value::Null, Value::Null);
        if holds(&step["condition"], &results) {
            match execute(database, &step["stmt"], ahead_seconds) {
                Ok(rows) => result = json!({ "cols": [], "rows": rows, "affected_row_count": 0 }),
                Err(error) => refusal = error,
            }
        }
        results.push(result);
        errors.push(refusal);
    }
    let result = json!({ "step_results": results, "step_errors": errors });
    json!({ "type": "ok", "response": { "type": "batch", "result": result } })
}

fn holds(condition: &Value, results: &[Value]) -> bool {
    match condition["type"].as_str() {
        None => true,
        Some("ok") => {
            !results[usize::try_from(condition["step"].as_u64().unwrap()).unwrap()].is_null()
        }
        Some("not") => !holds(&condition["cond"], results),
        Some(other) => panic!("condition {other}"),
    }
}

fn execute(
    database: &Connection,
    statement: &Value,
    ahead_seconds: u64,
) -> Result<Vec<Vec<Value>>, Value> {
    let refuse = |error: rusqlite::Error| {
        let code = error.sqlite_error().map_or(1, |error| error.extended_code & 0xff);
        let code = match code {
            5 => "SQLITE_BUSY",
            19 => "SQLITE_CONSTRAINT",
            _ => "SQLITE_ERROR",
        };
        json!({ "message": error.to_string(), "code": code })
    };
    let args: Vec<Sql> = statement["args"].as_array().unwrap().iter().map(argument).collect();
    let is_large = |value: &Sql| matches!(value, Sql::Blob(bytes) if bytes.len() > VALUE_BYTES_MAX);
    if args.iter().any(is_large) {
        return Err(json!({ "message": "string or blob too big", "code": "SQLITE_TOOBIG" }));
    }
    let now = format!("'now', '+{ahead_seconds} seconds'");
    let sql = statement["sql"].as_str().unwrap().replace("'now'", &now);
    let mut statement = database.prepare(&sql).map_err(refuse)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(args)).map_err(refuse)?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next().map_err(refuse)? {
        answer.push((0..columns).map(|place| value(row.get_ref(place).unwrap())).collect());
    }
    Ok(answer)
}

fn argument(value: &Value) -> Sql {
    match value["type"].as_str().unwrap() {
        "null" => Sql::Null,
        "integer" => Sql::Integer(value["value"].as_str().unwrap().parse().unwrap()),
        "float" => Sql::Real(value["value"].as_f64().unwrap()),
        "text" => Sql::Text(value["value"].as_str().unwrap().to_owned()),
        "blob" => Sql::Blob(STANDARD.decode(value["base64"].as_str().unwrap()).unwrap()),
        other => panic!("value {other}"),
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => json!({ "type": "null" }),
        ValueRef::Integer(value) => json!({ "type": "integer", "value": value.to_string() }),
        ValueRef::Real(value) => json!({ "type": "float", "value": value }),
        ValueRef::Text(text) => {
            json!({ "type": "text", "value": std::str::from_utf8(text).unwrap() })
        }
        ValueRef::Blob(bytes) => json!({ "type": "blob", "base64": STANDARD_NO_PAD.encode(bytes) }),
    }
}
