//! A hospital with a few users and a listening server.

use std::{path::Path, sync::LazyLock};

use holdfast_core::{
    ids::{RowId, UserId},
    row::{RowAction, RowWrite},
    schema::Schema,
    value::Value,
};
use holdfast_server::{
    http::{Limits, Server, serve},
    sign_in::password,
    store::{Location, Store, random},
    writer::{OPERATOR, Writer},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use super::{Answer, Database, Device, get};

/// Everybody's.
pub const PASSWORD: &str = "correct horse";

static HASH: LazyLock<String> = LazyLock::new(|| password::hash(PASSWORD));

/// Who works here: user name, role.
pub mod users {
    pub const ADMIN: (&str, &str) = ("ada", "admin");
    pub const NURSE: (&str, &str) = ("nils", "nurse");
    pub const AUDITOR: (&str, &str) = ("audrey", "auditor");
    pub const ALL: [(&str, &str); 3] = [ADMIN, NURSE, AUDITOR];
}

pub struct Hospital {
    pub url: String,
    pub store: Store,
    runtime: Option<Runtime>,
    database: Option<Database>,
    folder: TempDir,
}

impl Hospital {
    pub fn on_sqlite() -> Self {
        Self::start(false, Limits::default())
    }

    pub fn on_postgres() -> Self {
        Self::start(true, Limits::default())
    }

    /// On a server with little room.
    pub fn with(limits: Limits) -> Self {
        Self::start(false, limits)
    }

    fn start(postgres: bool, limits: Limits) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = TempDir::new().unwrap();
        let database = postgres.then(|| runtime.block_on(Database::create()));
        let location = match &database {
            Some(database) => Location::Database(database.url()),
            None => Location::Folder(folder.path().join("data")),
        };
        let app = folder.path().join("app");
        std::fs::create_dir(&app).unwrap();
        std::fs::write(app.join("index.html"), "<!doctype html><title>Holdfast</title>").unwrap();
        let (store, url) = runtime.block_on(async {
            let store = Store::open(&location).await.unwrap();
            add_users(&store).await;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = Server {
                store: store.clone(),
                app: Some(app),
                limits,
                link: None,
            };
            tokio::spawn(serve(server, listener, std::future::pending()));
            (store, url)
        });
        Self {
            url,
            store,
            runtime: Some(runtime),
            database,
            folder,
        }
    }

    /// The folder of the app that the server serves.
    pub fn app(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("app")
    }

    /// The options with which a command finds the hospital's store.
    pub fn store_arguments(&self) -> [String; 2] {
        let data = || self.folder.path().join("data").display().to_string();
        match &self.database {
            Some(database) => ["--database".to_owned(), database.url()],
            None => ["--data".to_owned(), data()],
        }
    }

    /// Runs something on the store.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }

    /// A new device on which somebody has signed in.
    pub fn device(&self, (username, _): (&str, &str)) -> Device {
        let mut device = Device::new(&self.url);
        let answer = device.sign_in(username, PASSWORD);
        assert_eq!(answer.status, 200, "{}", answer.text());
        device
    }

    /// The end of the stream and the rows of a table.
    pub fn stored(&self, table: &'static str) -> (u64, u64) {
        self.block_on(async {
            (
                self.store.head().await.unwrap().0,
                self.store.count(table).await.unwrap(),
            )
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.url), &[])
    }
}

impl Drop for Hospital {
    fn drop(&mut self) {
        if let (Some(database), Some(runtime)) = (&self.database, &self.runtime) {
            runtime.block_on(database.drop_it());
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn add_users(store: &Store) {
    let table = Schema::hospital().expect("users");
    let mut groups = Vec::new();
    for (username, role) in users::ALL {
        let user = UserId(random::new_id());
        store.set_password(user, &HASH).await.unwrap();
        let values = [
            ("id", Value::Uuid(user.0)),
            ("username", username.into()),
            ("email", format!("{username}@hospital.example").into()),
            ("role", role.into()),
            ("first_name", username.into()),
            ("last_name", "Berg".into()),
            ("is_active", true.into()),
        ];
        let values = values.map(|(name, value)| (table.expect(name).id, value)).to_vec();
        groups.push(vec![RowWrite {
            table: table.id,
            row: RowId(user.0),
            action: RowAction::Create(values),
        }]);
    }
    let mut writer = Writer::new(store, OPERATOR).await.unwrap();
    for outcome in writer.write("addUsers", groups).await.unwrap() {
        outcome.unwrap();
    }
}
