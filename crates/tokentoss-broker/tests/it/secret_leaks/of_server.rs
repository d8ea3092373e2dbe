//! What a server of Postgres has beside the rows that it shows: its log, the write-ahead log, and the files of a database with
//! what was deleted.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::databases::log_of_own_server;
use crate::running::Home;
use crate::sign_in::PAGE;

/// Where a server of the tests' own has its files.
pub(super) struct ServerFiles {
    log: PathBuf,
    data: PathBuf,
    /// The files of the one database.
    database: PathBuf,
    /// The file of the write-ahead log that was written to at the beginning.
    first_segment: String,
}

impl ServerFiles {
    /// Has the server log every statement for a home's database, with its values. None where the server is another's.
    pub(super) async fn of(home: &Home) -> Option<Self> {
        let log = log_of_own_server()?;
        home.execute(&format!("ALTER DATABASE {} SET log_statement = 'all'", home.database_name())).await;
        let data = PathBuf::from(home.text("SHOW data_directory").await);
        let of_this = "SELECT CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()";
        let database = data.join("base").join(home.text(of_this).await);
        let first_segment = home.text("SELECT pg_walfile_name(pg_current_wal_lsn())").await;
        Some(Self { log, data, database, first_segment })
    }

    pub(super) async fn scan(&self, home: &Home, secrets: &[String]) {
        // What looks for a secret from now on is not to stand in the log itself.
        home.execute(&format!("ALTER DATABASE {} RESET log_statement", home.database_name())).await;
        home.execute("CHECKPOINT").await;
        let segments = fs::read_dir(self.data.join("pg_wal")).expect("a folder");
        let segments = segments.map(|entry| entry.expect("an entry")).filter(|entry| {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            is_file && entry.file_name() >= OsString::from(&self.first_segment)
        });
        let segments: Vec<PathBuf> = segments.map(|entry| entry.path()).collect();
        // The server's log shows bytes in hexadecimal digits.
        let digits = |secret: &String| secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let shown: Vec<String> = secrets.iter().cloned().chain(secrets.iter().map(digits)).collect();
        let files: [(&str, &[PathBuf], &[String]); 3] = [
            ("the server's log", std::slice::from_ref(&self.log), &shown),
            ("the write-ahead log", &segments, secrets),
            ("the database's files", std::slice::from_ref(&self.database), secrets),
        ];
        for (what, files, secrets) in files {
            assert_ne!(found(home.path(), files, &[PAGE.to_owned()]), "", "{what} is what it should be");
            assert_eq!(found(home.path(), files, secrets), "", "in {what}");
        }
    }
}

/// Those of the texts that stand in files or folders.
fn found(folder: &Path, files: &[PathBuf], texts: &[String]) -> String {
    let list = tempfile::NamedTempFile::new_in(folder.parent().expect("a folder")).expect("a file");
    fs::write(list.path(), texts.join("\n")).expect("written");
    let mut grep = Command::new("grep");
    grep.args([
        "--recursive",
        "--text",
        "--fixed-strings",
        "--only-matching",
        "--no-filename",
        "--max-count=1",
    ]);
    let output =
        grep.arg("--file").arg(list.path()).args(files).env("LC_ALL", "C").output().expect("it runs");
    // 1 says that there is nothing. A file may go while it is looked through.
    assert!(output.status.code().is_some_and(|code| code <= 2), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
