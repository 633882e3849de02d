//! The real program as a process, and HTTP to talk to it.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything here may take; far more than it does.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running program; killed when it goes out of scope.
pub(crate) struct Running {
    child: Child,
    /// Behind a lock, so that threads can share it.
    lines: Mutex<Receiver<String>>,
}

/// `scimitar demo` on free ports.
pub(crate) struct DemoProcess {
    pub(crate) running: Running,
    /// What it printed first, up to the addresses.
    pub(crate) greeting: Vec<String>,
    /// Host and port of the gateway.
    pub(crate) gateway: String,
    /// Host and port of the backend.
    pub(crate) backend: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The lines between the status line and the body.
    pub(crate) headers: Vec<String>,
    pub(crate) text: String,
}

/// The program with arguments and no variables but those given that could change what it does.
pub(crate) fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scimitar"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SCIMITAR_") {
            command.env_remove(name);
        }
    }
    command.args(args).envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    command(args, variables).output().unwrap()
}

// === impl Running ===

impl Running {
    pub(crate) fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::of(command(args, variables))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        read_lines(child.stdout.take().unwrap(), sender.clone());
        read_lines(child.stderr.take().unwrap(), sender);
        Self { child, lines: Mutex::new(lines) }
    }

    /// The next line of stdout or stderr.
    pub(crate) fn line(&self) -> String {
        self.lines.lock().unwrap().recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no more output: {error}"))
    }

    /// The next line that holds the text.
    pub(crate) fn line_with(&self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end and gives the exit code.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(since.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_lines(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

// === impl DemoProcess ===

impl DemoProcess {
    pub(crate) fn start() -> Self {
        let running = Running::start(&["demo", "--listen", "127.0.0.1:0", "--backend-listen", "127.0.0.1:0"], &[]);
        let greeting = vec![running.line(), running.line()];
        let address = |line: &str| line.split("http://").nth(1).unwrap().split(['/', ' ']).next().unwrap().to_owned();
        let (gateway, backend) = (address(&greeting[0]), address(&greeting[1]));
        Self { running, greeting, gateway, backend }
    }

    /// A request to the backend itself.
    pub(crate) fn backend(&self, method: &str, path: &str, body: &str) -> Reply {
        send(&self.backend, method, path, &["Authorization: Bearer people-directory-token"], body)
    }
}

// === impl Reply ===

impl Reply {
    /// The body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// Sends one request on a connection of its own.
pub(crate) fn send(address: &str, method: &str, target: &str, headers: &[&str], body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let length = format!("Content-Length: {}", body.len());
    for header in headers.iter().copied().chain([length.as_str(), ""]) {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str(body);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap();
    Reply { status, headers: lines.map(str::to_owned).collect(), text: text.to_owned() }
}
