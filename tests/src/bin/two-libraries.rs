//! A process with two SQLite libraries on one file: the queue's own, and the system's, as Python, PHP and
//! many others bring one along.
//!
//! `two-libraries FILE visit` opens the queue, lets the other library open the file, read it and close it,
//! publishes 100 messages, and dies. `two-libraries FILE stress SECONDS` publishes from two threads while
//! the other library opens, reads, writes and closes all the time, and dies. Each acknowledged number is a
//! line. `two-libraries FILE rollback SECONDS` is the same with another file, in the mode of a rollback journal,
//! that the queue's library and the other one write, as an application's own `rusqlite` beside it would.
//! `two-libraries FILE rollback-visit` writes to that file, lets the other library open it, read it and close
//! it in the middle of the transaction, and then write too.
//! `two-libraries FILE detect` opens the queue while the other library has the file open, and says
//! what that answers.
#![expect(unsafe_code, reason = "the interface of SQLite and of the dynamic linker")]
#![expect(clippy::unwrap_used, reason = "a part of a test: what cannot go on has failed")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr::{null, null_mut};
use std::thread;
use std::time::Duration;

use blockqueue::Queue;

type Open = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int;
type Exec = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    *const c_void,
    *const c_void,
    *const c_void,
) -> c_int;
type Close = unsafe extern "C" fn(*mut c_void) -> c_int;

/// The system's SQLite.
#[derive(Clone, Copy)]
struct Other {
    open: Open,
    exec: Exec,
    close: Close,
}

impl Other {
    fn load() -> Self {
        // SAFETY: a library without surprises when it is loaded; its functions have these signatures.
        unsafe {
            // Its names stay its own: they are those of the bundled library, too.
            let flags = libc::RTLD_NOW | libc::RTLD_LOCAL;
            let library = libc::dlopen(c"libsqlite3.so.0".as_ptr(), flags);
            assert!(!library.is_null(), "libsqlite3.so.0 is not installed");
            let symbol = |name: &CStr| {
                let found = libc::dlsym(library, name.as_ptr());
                assert!(!found.is_null(), "{name:?}");
                found
            };
            Self {
                open: transmute::<*mut c_void, Open>(symbol(c"sqlite3_open")),
                exec: transmute::<*mut c_void, Exec>(symbol(c"sqlite3_exec")),
                close: transmute::<*mut c_void, Close>(symbol(c"sqlite3_close")),
            }
        }
    }

    fn open(self, file: &str) -> Connection {
        let name = CString::new(file).unwrap();
        let mut handle = null_mut();
        // SAFETY: the name ends with a zero, and there is room for the handle.
        assert_eq!(unsafe { (self.open)(name.as_ptr(), &raw mut handle) }, 0);
        let connection = Connection { other: self, handle };
        connection.run(c"PRAGMA busy_timeout = 5000");
        connection
    }
}

struct Connection {
    other: Other,
    handle: *mut c_void,
}

impl Connection {
    /// The answer is SQLite's.
    fn run(&self, sql: &CStr) -> c_int {
        // SAFETY: an open connection; nothing is called back.
        unsafe { (self.other.exec)(self.handle, sql.as_ptr(), null(), null(), null()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: open until now.
        unsafe { (self.other.close)(self.handle) };
    }
}

const READ: &CStr = c"SELECT count(*) FROM blockqueue_topic";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [file, "visit"] => visit(file),
        [file, "stress", seconds] => stress(file, seconds.parse().unwrap()),
        [file, "rollback", seconds] => rollback(file, seconds.parse().unwrap()),
        [file, "rollback-visit"] => rollback_visit(file),
        [file, "detect"] => detect(file),
        _ => panic!(
            "usage: two-libraries FILE visit|stress SECONDS|rollback SECONDS|rollback-visit|detect"
        ),
    }
}

/// As a signal would end it.
fn die() -> ! {
    std::process::abort();
}

fn visit(file: &str) {
    let queue = Queue::open(file).unwrap();
    let other = Other::load();
    assert_eq!(other.open(file).run(READ), 0);
    for number in 0..100 {
        queue.publish("t", number.to_string()).wait().unwrap();
        println!("{number}");
    }
    die();
}

fn stress(file: &str, seconds: u64) {
    let queue = Queue::open(file).unwrap();
    let other = Other::load();
    for publisher in 0..2 {
        let queue = queue.clone();
        thread::spawn(move || {
            for number in 0_u64.. {
                let name = format!("{}-{publisher}-{number}", std::process::id());
                queue.publish("t", name.as_str()).wait().unwrap();
                println!("{name}");
            }
        });
    }
    for _ in 0..2 {
        let file = file.to_owned();
        thread::spawn(move || {
            loop {
                let connection = other.open(&file);
                assert_eq!(connection.run(READ), 0);
                // It may find the file locked, which is no damage.
                let write = c"CREATE TABLE IF NOT EXISTS app(x); INSERT INTO app VALUES (1)";
                assert!([0, 5].contains(&connection.run(write)));
            }
        });
    }
    thread::sleep(Duration::from_secs(seconds));
    die();
}

fn rollback(file: &str, seconds: u64) {
    // The queue's locks are those of its library from now on, for every file.
    let _queue = Queue::open(file).unwrap();
    let own = format!("{file}.own");
    let other = Other::load();
    for writer in 0..2 {
        let own = own.clone();
        thread::spawn(move || {
            let connection = rusqlite::Connection::open(own).unwrap();
            connection.busy_timeout(Duration::from_secs(30)).unwrap();
            for number in 0_u64.. {
                let name = format!("{}-{writer}-{number}", std::process::id());
                let inserted = connection.execute("INSERT INTO app VALUES (?1)", [&name]);
                if inserted.is_ok() {
                    println!("{name}");
                }
            }
        });
    }
    for writer in 0..2 {
        let own = own.clone();
        thread::spawn(move || {
            for number in 0_u64.. {
                let connection = other.open(&own);
                let name = format!("{}-other{writer}-{number}", std::process::id());
                let insert = CString::new(format!("INSERT INTO app VALUES ('{name}')")).unwrap();
                match connection.run(&insert) {
                    0 => println!("{name}"),
                    // Locked, which is no damage.
                    code => assert_eq!(code, 5),
                }
            }
        });
    }
    thread::sleep(Duration::from_secs(seconds));
    die();
}

fn rollback_visit(file: &str) {
    let _queue = Queue::open(file).unwrap();
    let own = format!("{file}.own");
    let other = Other::load();
    let connection = rusqlite::Connection::open(&own).unwrap();
    for number in 0..100 {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection.execute("INSERT INTO app VALUES (?1)", [number.to_string()]).unwrap();
        assert_eq!(other.open(&own).run(c"SELECT count(*) FROM app"), 0);
        // Whoever holds the lock that the transaction has keeps this one out.
        let visitor = other.open(&own);
        visitor.run(c"PRAGMA busy_timeout = 0");
        let insert = CString::new(format!("INSERT INTO app VALUES ('other{number}')")).unwrap();
        if visitor.run(&insert) == 0 {
            println!("other{number}");
        }
        if connection.execute_batch("COMMIT").is_ok() {
            println!("{number}");
        }
    }
    die();
}

fn detect(file: &str) {
    let other = Other::load();
    let connection = other.open(file);
    assert_eq!(connection.run(READ), 0);
    match Queue::open(file) {
        Ok(_) => println!("open"),
        Err(error) => println!("{}", error.code()),
    }
}
