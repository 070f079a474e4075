//! A proxy between litelift and the server that breaks the wire where a test wants it.
//!
//! Purpose: one fault, once, over all connections that pass through it, decided by a count of bytes, of
//! calls or of answers, so that a trial can be seen again. Afterwards everything passes, so that one
//! proxy also serves a program that connects again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio_postgres::config::{Config, Host};

use super::frontend::Frontend;

/// From where bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Client,
    Server,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Closed, as by a program that ends.
    Fin,
    /// Reset, as by a machine that knows nothing of it.
    Reset,
    /// Nothing passes any more, and nobody is told; new connections are fine.
    Swallow,
    /// The same, and new connections are swallowed too.
    SwallowAll,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// After so many bytes from one side.
    Bytes { from: From, after: u64, how: How },
    /// After the n-th call was answered, but before the answer arrives.
    Answer { number: u64, how: How },
    /// The n-th call fails at the server, with this SQLSTATE.
    Call { number: u64, code: &'static str },
}

struct Shared {
    fault: Fault,
    counted: AtomicU64,
    fired: AtomicBool,
    /// Set when every connection that is open then is to end like this.
    end: watch::Sender<Option<How>>,
}

impl Shared {
    /// True for the one caller that is to do it.
    fn fire(&self) -> bool {
        !self.fired.swap(true, Ordering::SeqCst)
    }
}

/// A proxy that runs until it is dropped.
pub(super) struct Proxy {
    /// How to reach the database through it.
    pub(super) url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Proxy {
    /// Starts one before the server of a URL.
    pub(super) fn start(server: &str, fault: Fault) -> Self {
        let config: Config = server.parse().unwrap();
        let upstream = match (&config.get_hosts()[0], config.get_ports().first()) {
            (Host::Unix(folder), port) => {
                Upstream::Unix(folder.join(format!(".s.PGSQL.{}", port.unwrap_or(&5432))))
            }
            (Host::Tcp(host), port) => Upstream::Tcp(host.clone(), *port.unwrap_or(&5432)),
        };
        let shared = Arc::new(Shared {
            fault,
            counted: AtomicU64::new(0),
            fired: AtomicBool::new(false),
            end: watch::Sender::new(None),
        });
        let (told, port) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = accept(listener, upstream, for_thread) => {}
                    _ = stopped => {}
                }
            });
        });
        let password = config.get_password().map(|p| format!(":{}", String::from_utf8_lossy(p)));
        let url = format!(
            "postgresql://{}{}@127.0.0.1:{}/{}",
            config.get_user().unwrap(),
            password.unwrap_or_default(),
            port.recv().unwrap(),
            config.get_dbname().unwrap()
        );
        Self { url, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Whether the fault took place.
    pub(super) fn fired(&self) -> bool {
        self.shared.fired.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The thread may have ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

#[derive(Debug, Clone)]
enum Upstream {
    Unix(PathBuf),
    Tcp(String, u16),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Upstream {
    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(host, port) => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
        })
    }
}

async fn accept(listener: TcpListener, upstream: Upstream, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let _ = client.set_nodelay(true);
        let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            if matches!(*shared.end.borrow(), Some(How::SwallowAll)) {
                swallow(client, None).await;
                return;
            }
            // A server that is down: what comes is closed.
            let Ok(server) = upstream.connect().await else { return };
            Connection { client, server, frontend: Frontend::default(), shared }.run().await;
        });
    }
}

/// Takes what comes and answers nothing. What goes to the server is kept open: it does not know.
async fn swallow(mut client: TcpStream, server: Option<Box<dyn Stream>>) {
    let mut bytes = vec![0; 64 << 10];
    while matches!(client.read(&mut bytes).await, Ok(count) if count > 0) {}
    drop(server);
}

struct Connection {
    client: TcpStream,
    server: Box<dyn Stream>,
    frontend: Frontend,
    shared: Arc<Shared>,
}

/// What a piece of the stream leads to.
enum Then {
    GoOn,
    /// One side ended.
    Ended,
    Break(How),
}

impl Connection {
    async fn run(mut self) {
        let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        let mut end = self.shared.end.subscribe();
        end.mark_unchanged();
        // The answer of this connection is not to arrive.
        let mut withheld = None;
        loop {
            let then = tokio::select! {
                Ok(()) = end.changed() => {
                    let how = *end.borrow();
                    how.map_or(Then::GoOn, Then::Break)
                }
                read = self.client.read(&mut up) => match read {
                    Ok(count) if count > 0 => self.take_up(&up[..count], &mut withheld).await,
                    _ => Then::Ended,
                },
                read = self.server.read(&mut down) => match read {
                    Ok(count) if count > 0 => match withheld {
                        Some(how) => Then::Break(how),
                        None => self.take_down(&down[..count]).await,
                    },
                    _ => Then::Ended,
                },
            };
            match then {
                Then::GoOn => {}
                Then::Ended => return,
                Then::Break(how) => return self.end(how).await,
            }
        }
    }

    async fn end(self, how: How) {
        match how {
            How::Fin => {}
            // Also without an effect it is an end.
            How::Reset => drop(self.client.set_zero_linger()),
            How::Swallow | How::SwallowAll => swallow(self.client, Some(self.server)).await,
        }
    }

    /// Ends this connection, and the others that are open now.
    fn break_all(&self, how: How) -> Then {
        self.shared.end.send_replace(Some(how));
        Then::Break(how)
    }

    async fn take_up(&mut self, bytes: &[u8], withheld: &mut Option<How>) -> Then {
        let shared = Arc::clone(&self.shared);
        match shared.fault {
            Fault::Bytes { from: From::Client, after, how } => {
                let before = shared.counted.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                if before + (bytes.len() as u64) <= after || !shared.fire() {
                    return to(&mut self.server, bytes).await;
                }
                let kept = usize::try_from(after.saturating_sub(before)).unwrap();
                to(&mut self.server, &bytes[..kept.min(bytes.len())]).await;
                self.break_all(how)
            }
            Fault::Bytes { .. } => to(&mut self.server, bytes).await,
            Fault::Answer { number, how } => {
                for group in self.frontend.take(bytes) {
                    let is_it = group.is_call
                        && shared.counted.fetch_add(1, Ordering::SeqCst) + 1 == number
                        && shared.fire();
                    if is_it {
                        *withheld = Some(how);
                    }
                    if !matches!(to(&mut self.server, &group.bytes).await, Then::GoOn) {
                        return Then::Ended;
                    }
                }
                Then::GoOn
            }
            Fault::Call { number, code } => {
                for group in self.frontend.take(bytes) {
                    let is_it = group.can_fail()
                        && shared.counted.fetch_add(1, Ordering::SeqCst) + 1 == number
                        && shared.fire();
                    let sent = if is_it { group.failing(code) } else { group.bytes };
                    if !matches!(to(&mut self.server, &sent).await, Then::GoOn) {
                        return Then::Ended;
                    }
                }
                Then::GoOn
            }
        }
    }

    async fn take_down(&mut self, bytes: &[u8]) -> Then {
        let shared = Arc::clone(&self.shared);
        if let Fault::Bytes { from: From::Server, after, how } = shared.fault {
            let before = shared.counted.fetch_add(bytes.len() as u64, Ordering::SeqCst);
            if before + (bytes.len() as u64) > after && shared.fire() {
                let kept = usize::try_from(after.saturating_sub(before)).unwrap();
                to(&mut self.client, &bytes[..kept.min(bytes.len())]).await;
                return self.break_all(how);
            }
        }
        to(&mut self.client, bytes).await
    }
}

async fn to(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Then {
    match stream.write_all(bytes).await {
        Ok(()) => Then::GoOn,
        Err(_) => Then::Ended,
    }
}
