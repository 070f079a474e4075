//! A scratch database on someone's server.

use litelift::error::{Error, ErrorKind, Result};
use litelift::scratch::Borrowed;

use crate::support::pg;

fn exists(name: &str) -> bool {
    let sql = format!("select 1 from pg_database where datname = '{name}'");
    !pg::query_text(&pg::server_url(), &sql).is_empty()
}

#[tokio::test]
async fn it_is_made_and_dropped() {
    let borrowed = Borrowed::create(&pg::server_url()).await.unwrap();
    let name = borrowed.name().to_owned();
    assert!(name.starts_with("litelift_rehearse_"));
    let found = pg::query_text(borrowed.url(), "select current_database()");
    assert_eq!(found, [Some(name.clone())]);
    borrowed.remove().await.unwrap();
    assert!(!exists(&name));
}

#[tokio::test]
async fn it_is_dropped_when_the_work_fails() {
    async fn work(name: &mut String) -> Result<()> {
        let borrowed = Borrowed::create(&pg::server_url()).await?;
        borrowed.name().clone_into(name);
        // A session that is still open must not hold it up.
        let (client, connection) =
            tokio_postgres::connect(borrowed.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("create table t ()").await.unwrap();
        assert!(exists(name));
        Err(Error::target("on purpose"))
    }
    let mut name = String::new();
    assert_eq!(work(&mut name).await.unwrap_err().message(), "on purpose");
    assert!(!exists(&name));
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_left_alone() {
    let taken = pg::database();
    let error = Borrowed::create_named(&pg::server_url(), &taken.name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
    assert!(error.full_detail().unwrap().contains("already exists"), "{}", pg::explain(&error));
    assert!(exists(&taken.name));
}

#[tokio::test]
async fn errors_tell_a_bad_url_from_a_silent_server() {
    let error = Borrowed::create("postgresql://host:port/db").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let error = Borrowed::create("postgresql://ada@/db?host=/nowhere").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
}

#[test]
fn a_test_database_is_empty_and_goes_with_its_value() {
    let db = pg::database();
    db.execute("create table t (n int); insert into t values (1), (null)");
    assert_eq!(db.query_one_text("select count(*) from t").as_deref(), Some("2"));
    assert_eq!(db.query_one_text("select max(n) from t where n is null"), None);
    assert_eq!(db.query_text("select n from t order by n"), [Some("1".to_owned()), None]);
    let one: i64 = pg::blocking(async {
        let client = db.client().await;
        client.query_one("select count(n) from t", &[]).await.unwrap().get(0)
    });
    assert_eq!(one, 1);
    let name = db.name.clone();
    drop(db);
    assert!(!exists(&name));
}
