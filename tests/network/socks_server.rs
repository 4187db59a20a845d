//! A small SOCKS5 proxy: CONNECT, without login or with user name and password. It notes what it is asked for, and can
//! lead its users astray.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a proxy behaves.
#[derive(Clone, Default)]
pub(crate) struct Manners {
    /// The user name and password it wants.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// It needs no login, but takes any that it is offered, as Tor does.
    pub(crate) any_login: bool,
    /// Where every connection goes instead of where it was asked to go.
    pub(crate) astray: Option<SocketAddr>,
}

/// A proxy on loopback that runs until it is dropped.
pub(crate) struct SocksServer {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    logins: Arc<Mutex<Vec<[String; 2]>>>,
    stopped: Arc<AtomicBool>,
}

impl SocksServer {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            addr: listener.local_addr().unwrap(),
            asked: Arc::default(),
            logins: Arc::default(),
            stopped: Arc::default(),
        };
        let (asked, stopped) = (Arc::clone(&server.asked), Arc::clone(&server.stopped));
        let logins = Arc::clone(&server.logins);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, manners) = (Arc::clone(&asked), manners.clone());
                let logins = Arc::clone(&logins);
                thread::spawn(move || serve(&mut stream?, &asked, &logins, &manners));
            }
        });
        server
    }

    /// `socks5://` and where it listens; `login` is `user:password@` or nothing.
    pub(crate) fn url(&self, login: &str) -> String {
        format!("socks5://{login}{}", self.addr)
    }

    /// User name and password of every connection that gave some, in order.
    pub(crate) fn logins(&self) -> Vec<[String; 2]> {
        self.logins.lock().unwrap().clone()
    }

    /// Every `host:port` it was asked to connect to, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for SocksServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        TcpStream::connect(self.addr).ok();
    }
}

fn serve(
    client: &mut TcpStream,
    asked: &Mutex<Vec<String>>,
    logins: &Mutex<Vec<[String; 2]>>,
    manners: &Manners,
) -> io::Result<()> {
    let [_version, count] = read(client)?;
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods)?;
    let wants_login = manners.login.is_some() || (manners.any_login && methods.contains(&2));
    let method = if wants_login { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]);
    }
    client.write_all(&[5, method])?;
    if wants_login {
        let [_version] = read(client)?;
        let given = [text(client)?, text(client)?];
        let good = manners
            .login
            .is_none_or(|(user, password)| given == [user, password]);
        logins.lock().unwrap().push(given);
        client.write_all(&[1, u8::from(!good)])?;
        if !good {
            return Ok(());
        }
    }
    let [_version, _connect, _reserved, kind] = read(client)?;
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(client)?).to_string(),
        4 => format!("[{}]", Ipv6Addr::from(read::<16>(client)?)),
        _ => text(client)?,
    };
    let target = format!("{host}:{}", u16::from_be_bytes(read(client)?));
    asked.lock().unwrap().push(target.clone());
    let connected = match manners.astray {
        Some(other) => TcpStream::connect(other),
        None => TcpStream::connect(&target),
    };
    let Ok(mut server) = connected else {
        return client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    };
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let there = thread::spawn(move || {
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Write).ok();
    });
    io::copy(&mut server, client).ok();
    client.shutdown(Shutdown::Write).ok();
    there.join().ok();
    Ok(())
}

fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn text(stream: &mut TcpStream) -> io::Result<String> {
    let [len] = read(stream)?;
    let mut bytes = vec![0; usize::from(len)];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
