//! A device without a screen: a [`Replica`] on a SQLite file, and HTTP.

use std::{
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use holdfast_core::{
    command::Command,
    ids::Timestamp,
    protocol::{ErrorResponse, SignInRequest, SignInResponse},
};
use holdfast_store::{
    Host, Replica, StoreError,
    replica::{HttpRequest, HttpResponse, Receipt, ReplicaError},
};
use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use crate::http::{Answer, Client, Question};

/// A device.
pub struct Device {
    /// Its store.
    pub replica: Replica,
    /// Its server's address; a test may put something in between.
    pub server: String,
    /// Every byte that the server ever answered, if a test wants to look for something there.
    pub transcript: Option<Vec<u8>>,
    http: Client,
    file: Option<PathBuf>,
}

/// What an exchange came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There may be more.
    Exchanged,
    /// All is exchanged.
    Idle,
}

impl Device {
    /// A device with its store in this file; the same one if the file is there already.
    pub fn on_file(file: &Path, server: &str) -> Self {
        let connection = Connection::open(file).expect("the device's file opens");
        Self::on(connection, Some(file.to_owned()), server)
    }

    /// A device that forgets everything when dropped.
    pub fn in_memory(server: &str) -> Self {
        let connection = Connection::open_in_memory().expect("SQLite opens in memory");
        Self::on(connection, None, server)
    }

    fn on(connection: Connection, file: Option<PathBuf>, server: &str) -> Self {
        Self {
            replica: Replica::open(connection, host(), None).expect("the device's store opens"),
            server: server.to_owned(),
            transcript: None,
            http: Client::default(),
            file,
        }
    }

    /// The file of its store.
    pub fn file(&self) -> &Path {
        self.file.as_deref().expect("this device is in memory")
    }

    /// Somebody signs in.
    pub fn sign_in(&mut self, username: &str, password: &str) -> Result<(), String> {
        let request = SignInRequest {
            username: username.to_owned(),
            password: password.to_owned(),
            device_key: self.replica.device_key(),
            device_name: "test".to_owned(),
        };
        let question = Question {
            body: Some(serde_json::to_vec(&request).map_err(|e| e.to_string())?),
            content_type: Some("application/json"),
            ..Question::default()
        };
        let answer = self.http.ask(&format!("{}/v1/session", self.server), &question)?;
        self.record(&answer.body);
        if answer.status != 200 {
            let error: Result<ErrorResponse, _> = serde_json::from_slice(&answer.body);
            return Err(error.map_or_else(|e| e.to_string(), |error| error.message));
        }
        let response: SignInResponse = serde_json::from_slice(&answer.body).map_err(|e| e.to_string())?;
        let begun = self.replica.begin_session(&response, &self.server);
        begun.map(drop).map_err(|e| e.to_string())
    }

    /// Carries out a command, given as the page gives it.
    pub fn try_run(&mut self, kind: &str, mut command: Json) -> Result<Receipt, ReplicaError> {
        command["type"] = kind.into();
        let command: Command = serde_json::from_value(command).unwrap_or_else(|e| panic!("{kind} is no command: {e}"));
        let receipt = self.replica.run(&command)?;
        self.replica.wake();
        Ok(receipt)
    }

    /// Carries out a command, which must go well.
    pub fn run(&mut self, kind: &str, command: Json) -> Receipt {
        let said = command.to_string();
        self.try_run(kind, command)
            .unwrap_or_else(|e| panic!("{kind} {said}: {e}"))
    }

    /// What to ask the server next.
    pub fn next_request(&mut self) -> Option<HttpRequest> {
        self.replica.next_request().expect("the store can be read")
    }

    /// Asks the server and takes its answer in.
    pub fn exchange(&mut self, request: &HttpRequest) -> Result<(), String> {
        self.exchange_timed(request).map(drop)
    }

    /// Asks the server and takes its answer in. Returns how long the answer took.
    pub fn exchange_timed(&mut self, request: &HttpRequest) -> Result<Duration, String> {
        let begun = Instant::now();
        let answer = self.ask(request);
        let took = begun.elapsed();
        self.take(request, answer).expect("the store takes an answer")?;
        Ok(took)
    }

    /// Asks the server, no more. An error says why no whole answer came.
    pub fn ask(&mut self, request: &HttpRequest) -> Result<Answer, String> {
        let answer = self.asking(request)();
        if let Ok(answer) = &answer {
            self.record(&answer.body);
        }
        answer
    }

    /// Asks the server when it is called, on whichever thread.
    fn asking(&self, request: &HttpRequest) -> impl FnOnce() -> Result<Answer, String> + Send + 'static {
        let token = self
            .replica
            .token()
            .filter(|_| request.needs_token())
            .map(ToOwned::to_owned);
        let body = (!request.body.is_empty()).then(|| request.body.clone());
        let (http, address) = (self.http.clone(), format!("{}{}", self.server, request.path));
        move || {
            let question = Question {
                body,
                token: token.as_deref(),
                ..Question::default()
            };
            http.ask(&address, &question)
        }
    }

    /// Takes in what came of a request. The inner error is what the replica says of the exchange.
    pub fn take(
        &mut self,
        request: &HttpRequest,
        answer: Result<Answer, String>,
    ) -> Result<Result<(), String>, StoreError> {
        self.take_response(request, answer.map(HttpResponse::from))
    }

    fn take_response(
        &mut self,
        request: &HttpRequest,
        response: Result<HttpResponse, String>,
    ) -> Result<Result<(), String>, StoreError> {
        match response {
            Ok(response) => drop(self.replica.take_response(&request.kind, &response)?),
            Err(problem) => self.replica.take_failure(&problem),
        }
        Ok(match self.replica.status()?.problem {
            None => Ok(()),
            Some(problem) => Err(problem),
        })
    }

    /// Gives a request up after this time; a minute unless told.
    pub fn set_patience(&mut self, patience: Duration) {
        self.http = Client::with_patience(patience);
    }

    /// One request and its answer.
    pub fn step(&mut self) -> Result<Step, String> {
        match self.next_request() {
            None => Ok(Step::Idle),
            Some(request) => self.exchange(&request).map(|()| Step::Exchanged),
        }
    }

    /// Exchanges everything with the server, and asks for the next of many pages ahead; the first failure ends it.
    pub fn try_sync(&mut self) -> Result<(), String> {
        self.replica.wake();
        let mut ahead: Option<(HttpRequest, JoinHandle<Result<Answer, String>>)> = None;
        while let Some(request) = self.next_request() {
            let asked = ahead.take().map(|(asked, answer)| (asked, answer.join()));
            let answer = match asked.filter(|(asked, _)| asked.path == request.path) {
                Some((_, answer)) => answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                None => self.asking(&request)(),
            };
            if let Ok(answer) = &answer {
                self.record(&answer.body);
            }
            let response = answer.map(HttpResponse::from);
            let next = response.as_ref().ok();
            let next = next.map(|response| self.replica.request_ahead(&request.kind, response));
            let next = next.transpose().expect("the store can be read").flatten();
            ahead = next.map(|next| (next.clone(), std::thread::spawn(self.asking(&next))));
            self.take_response(&request, response)
                .expect("the store takes an answer")?;
        }
        Ok(())
    }

    /// Exchanges everything with the server, which must go well.
    pub fn sync(&mut self) {
        self.try_sync().unwrap_or_else(|e| panic!("the sync ended: {e}"));
    }

    /// Rows of a query.
    pub fn rows(&mut self, sql: &str) -> Vec<Map<String, Json>> {
        self.replica.query(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// The one value of a query, as text.
    pub fn text(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        let [row] = rows.as_slice() else {
            panic!("{sql} gives {} rows", rows.len())
        };
        match row.values().next() {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.extend_from_slice(bytes);
        }
    }
}

/// The operating system's clock and randomness.
fn host() -> Host {
    Host {
        now: Box::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(since.as_micros() as i64)
        }),
        random: Box::new(|bytes| getrandom::fill(bytes).expect("the operating system has randomness")),
    }
}
