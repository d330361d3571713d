//! An HTTP server that behaves as badly as the test wants, request by request.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What came.
#[derive(Debug, Clone)]
pub struct Request {
    /// From 1, in the order in which requests came.
    pub number: usize,
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    /// By lower-case name.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// How a body goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length,
    Chunked,
    /// Ends with the connection, as in HTTP/1.0.
    Close,
    /// So many bytes of it, then the connection ends; its length was told.
    CutLength(usize),
    /// So many bytes of it in chunks, then the connection ends without the last chunk.
    CutChunks(usize),
    /// So many bytes of it, ended by the connection: nothing tells that it is cut.
    CutClose(usize),
    /// The connection ends without a word.
    Nothing,
    /// So slowly: a byte each time so much has passed.
    Drip(Duration),
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub framing: Framing,
}

impl Answer {
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.into(),
            framing: Framing::Length,
        }
    }

    pub fn status(status: u16, body: &str) -> Self {
        Answer { status, ..Answer::json(body) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As gzip.
    pub fn compressed(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server on a free port of the loopback; it ends with the process.
pub struct Web {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    pub fn serve(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(handler), None)
    }

    /// With TLS; the second value is the certificate, in PEM.
    pub fn serve_tls(
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> (Self, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let pem = certificate.pem();
        (Self::listen(Arc::new(handler), Some(Arc::new(config))), pem)
    }

    fn listen(handler: Arc<Handler>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, seen, tls) = (Arc::clone(&handler), Arc::clone(&seen), tls.clone());
                std::thread::spawn(move || {
                    let connection = tls.map(|config| ServerConnection::new(config).unwrap());
                    // The client may go away at any time.
                    let _ = match connection {
                        None => converse(&stream, &stream, &stream, &*handler, &seen, &|| {}),
                        Some(connection) => {
                            let raw = stream.try_clone().unwrap();
                            let tls = Mutex::new(StreamOwned::new(connection, stream));
                            let say_end = || {
                                let mut tls = tls.lock().unwrap();
                                tls.conn.send_close_notify();
                                let _ = tls.flush();
                            };
                            converse(Shared(&tls), Shared(&tls), &raw, &*handler, &seen, &say_end)
                        }
                    };
                });
            }
        });
        Web { url, requests }
    }

    /// Everything that was asked, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn host(&self) -> &str {
        self.url.split("://").nth(1).unwrap()
    }
}

struct Shared<'a>(&'a Mutex<StreamOwned<ServerConnection, TcpStream>>);

impl Read for Shared<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().read(buf)
    }
}

impl Write for Shared<'_> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(buf)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}

/// Answers one request after the other, until a body ends with the connection. A whole one is
/// followed by `say_end`.
fn converse(
    input: impl Read,
    mut output: impl Write,
    stream: &TcpStream,
    handler: &Handler,
    seen: &Mutex<Vec<Request>>,
    say_end: &dyn Fn(),
) -> std::io::Result<()> {
    let mut input = BufReader::new(input);
    while let Some(mut request) = read(&mut input)? {
        {
            let mut seen = seen.lock().unwrap();
            request.number = seen.len() + 1;
            seen.push(request.clone());
        }
        let answer = handler(&request);
        let goes_on = matches!(answer.framing, Framing::Length | Framing::Chunked);
        write(&mut output, &answer)?;
        if answer.framing == Framing::Close {
            say_end();
        }
        if !goes_on {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

fn read(input: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(Some(Request {
        number: 0,
        method,
        path: path.to_owned(),
        query: pairs(query),
        headers,
        body: String::from_utf8(body).unwrap(),
    }))
}

/// Form-encoded pairs.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn write(output: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    let body = &answer.body;
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let sent = match answer.framing {
        Framing::Nothing => return Ok(()),
        Framing::CutLength(n) | Framing::CutChunks(n) | Framing::CutClose(n) => {
            &body[..n.min(body.len())]
        }
        _ => &body[..],
    };
    let (is_length, is_chunked) = match answer.framing {
        Framing::Length | Framing::CutLength(_) | Framing::Drip(_) => (true, false),
        Framing::Chunked | Framing::CutChunks(_) => (false, true),
        _ => (false, false),
    };
    if is_length && answer.status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    if is_chunked {
        head.push_str("Transfer-Encoding: chunked\r\n");
    }
    if !is_length && !is_chunked {
        head.push_str("Connection: close\r\n");
    }
    output.write_all(head.as_bytes())?;
    output.write_all(b"\r\n")?;
    if let Framing::Drip(pause) = answer.framing {
        for byte in sent {
            output.write_all(&[*byte])?;
            output.flush()?;
            std::thread::sleep(pause);
        }
    } else if is_chunked {
        for chunk in sent.chunks(1000) {
            write!(output, "{:x}\r\n", chunk.len())?;
            output.write_all(chunk)?;
            output.write_all(b"\r\n")?;
        }
        if answer.framing == Framing::Chunked {
            output.write_all(b"0\r\n\r\n")?;
        }
    } else {
        output.write_all(sent)?;
    }
    output.flush()
}
