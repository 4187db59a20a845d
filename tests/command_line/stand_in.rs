//! File servers that are not ours: a stand-in that opens what is sealed to it and answers as it likes, and Session's file
//! server in its three forms, by what each was recorded to answer.

use std::collections::HashMap;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::file_api::{BLOB_TYPE, JSON_TYPE};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::open_request;
use cloakroom::protocol::onion::v4::{RequestHead, Response};
use cloakroom::wire::random;

/// A file server that is not ours, or not honest: it opens what is sealed to it, notes it, and answers as it likes.
pub(crate) struct StandIn {
    pub(crate) address: ServerAddress,
    pub(crate) seen: Arc<Mutex<Vec<RequestHead>>>,
}

impl StandIn {
    pub(crate) fn start(
        answer: impl Fn(&RequestHead, Vec<u8>) -> (Response, bool) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let identity = Identity::from_seed([77; 32]);
        let address = ServerAddress {
            url: format!("http://{}", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
            key: identity.public(),
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let secret = identity.x25519();
        serve(listener, move |mut stream| {
            while let Some((_head, body)) = read_message(&mut stream) {
                let opened = open_request(&secret, body).unwrap();
                let (head, body) = opened.request.unwrap();
                noted.lock().unwrap().push(head.clone());
                let (response, is_blob) = answer(&head, body);
                let sealed = opened
                    .reply
                    .seal(response, is_blob, &mut random::system())
                    .unwrap();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    sealed.len()
                );
                if stream
                    .write_all(&[head.as_bytes(), &sealed].concat())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self { address, seen }
    }

    /// Starts Session's file server, which has never heard of Cloakroom.
    pub(crate) fn of_session(version: SessionServer) -> Self {
        let stored: Mutex<HashMap<String, (Vec<u8>, f64)>> = Mutex::default();
        Self::start(move |head, body| version.answer(head, body, &mut stored.lock().unwrap()))
    }

    /// What was asked, and the names of the headers that came along.
    pub(crate) fn requests(&self) -> Vec<(String, Vec<String>)> {
        let seen = self.seen.lock().unwrap();
        let names =
            |head: &RequestHead| head.headers.iter().map(|(name, _)| name.clone()).collect();
        seen.iter()
            .map(|head| (format!("{} {}", head.method, head.endpoint), names(head)))
            .collect()
    }
}

/// The forms in which Session's file server is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SessionServer {
    /// The public snapshot of November 2024: an upload is answered with its id alone, and nothing can be extended.
    Of2024,
    /// The newest one as it is configured by default: ids are numbers, whose files cannot be extended, and the time that
    /// an upload asks for is passed over.
    NumberIds,
    /// The newest one with hashes for ids and a maximum for the time that an upload asks for.
    HashIds {
        /// In seconds; more is refused.
        max_ttl: f64,
    },
}

impl SessionServer {
    /// How long a file is kept without a word: three weeks.
    pub(crate) const USUAL_SECS: f64 = 21.0 * 86_400.0;

    fn answer(
        self,
        head: &RequestHead,
        body: Vec<u8>,
        stored: &mut HashMap<String, (Vec<u8>, f64)>,
    ) -> (Response, bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = now.as_secs_f64();
        let asked = head
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("x-fs-ttl"))
            .map(|(_, secs)| secs.parse::<f64>().unwrap());
        let ttl = match (self, asked) {
            (Self::HashIds { max_ttl }, Some(asked)) if asked > max_ttl => {
                return (json(400, "{\"status_code\": 400}"), false);
            }
            (Self::HashIds { .. }, Some(asked)) => asked,
            _ => Self::USUAL_SECS,
        };
        let info = |blob: &[u8], expires: f64| {
            let size = blob.len();
            json(
                200,
                &format!("{{\"size\": {size}, \"uploaded\": {now}, \"expires\": {expires}}}"),
            )
        };
        let missing = || (json(404, "{\"status_code\": 404}"), false);
        let parts: Vec<&str> = head.endpoint.split('/').skip(1).collect();
        match (head.method.as_str(), parts.as_slice()) {
            ("POST", ["file"]) => {
                let id = match self {
                    Self::Of2024 | Self::NumberIds => "7027684208311699",
                    Self::HashIds { .. } => "1ss6oyrLyNUpYT3-AA92msmrHcZSlnEodhWloKTjwe1s",
                };
                let expires = now + ttl;
                stored.insert(id.to_owned(), (body, expires));
                let answer = match self {
                    Self::Of2024 => format!("{{\"id\": \"{id}\"}}"),
                    _ => format!("{{\"id\": \"{id}\", \"expires\": {expires}}}"),
                };
                (json(200, &answer), false)
            }
            ("GET", ["file", id]) => stored.get(*id).map_or_else(missing, |(blob, _)| {
                let headers = vec![("content-type".to_owned(), BLOB_TYPE.to_owned())];
                let response = Response {
                    code: 200,
                    headers,
                    body: blob.clone().into(),
                };
                (response, true)
            }),
            ("GET", ["file", id, "info"]) => stored
                .get(*id)
                .map_or_else(missing, |(blob, expires)| (info(blob, *expires), false)),
            ("POST", ["file", id, "extend"]) if id.len() == 44 => {
                stored.get_mut(*id).map_or_else(missing, |(blob, expires)| {
                    *expires = expires.max(now + ttl);
                    (info(blob, *expires), false)
                })
            }
            _ => missing(),
        }
    }
}

pub(crate) fn json(code: u16, body: &str) -> Response {
    Response {
        code,
        headers: vec![("content-type".to_owned(), JSON_TYPE.to_owned())],
        body: body.as_bytes().to_vec().into(),
    }
}

/// Listens, and gives every connection to a thread of its own.
pub(crate) fn serve(listener: TcpListener, serve: impl Fn(TcpStream) + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
}

/// One HTTP request or answer with a body of known length; `None` at the end of the connection.
pub(crate) fn read_message(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let len = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; len];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
