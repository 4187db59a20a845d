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
    /// Where every connection goes instead of where it was asked to go.
    pub(crate) astray: Option<SocketAddr>,
}

/// A proxy on loopback that runs until it is dropped.
pub(crate) struct SocksServer {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
}

impl SocksServer {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            addr: listener.local_addr().unwrap(),
            asked: Arc::default(),
            stopped: Arc::default(),
        };
        let (asked, stopped) = (Arc::clone(&server.asked), Arc::clone(&server.stopped));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, manners) = (Arc::clone(&asked), manners.clone());
                thread::spawn(move || serve(&mut stream?, &asked, &manners));
            }
        });
        server
    }

    /// `socks5://` and where it listens; `login` is `user:password@` or nothing.
    pub(crate) fn url(&self, login: &str) -> String {
        format!("socks5://{login}{}", self.addr)
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

fn serve(client: &mut TcpStream, asked: &Mutex<Vec<String>>, manners: &Manners) -> io::Result<()> {
    let [_version, count] = read(client)?;
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods)?;
    let method = if manners.login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]);
    }
    client.write_all(&[5, method])?;
    if let Some((user, password)) = manners.login {
        let [_version] = read(client)?;
        let given = [text(client)?, text(client)?];
        let good = given == [user, password];
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
