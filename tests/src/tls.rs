//! A proxy with TLS before a server, and certificates for it of an authority that a test makes.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// Where the proxy is.
const HOST: &str = "127.0.0.1";

/// An authority that gives certificates, as a hospital has its own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a server shows, and the key to it.
pub struct Certificate {
    chain: Vec<tokio_rustls::rustls::pki_types::CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    pub fn new() -> Self {
        let mut params = parameters(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a proxy on this machine.
    pub fn certificate(&self) -> Certificate {
        self.sign(&parameters(&[HOST]))
    }

    /// One for another name.
    pub fn certificate_of_another(&self) -> Certificate {
        self.sign(&parameters(&["another.example"]))
    }

    /// One that was good until 2020.
    pub fn expired_certificate(&self) -> Certificate {
        let mut params = parameters(&[HOST]);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate {
            chain: vec![signed.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    CertificateParams::new(names).expect("names that a certificate can hold")
}

/// A proxy that speaks TLS with clients and plain HTTP with the server. It ends when dropped.
pub struct TlsProxy {
    port: u16,
    _end: oneshot::Sender<()>,
}

impl TlsProxy {
    /// A proxy before the server at this address, `http://…`, that shows this certificate.
    pub fn before(server: &str, certificate: Certificate) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let acceptor = acceptor(certificate);
        let (end, ended) = oneshot::channel::<()>();
        let (port, bound) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind((HOST, 0)).await.expect("a free port");
                let address = listener.local_addr().expect("the port's number");
                port.send(address.port()).expect("somebody waits for the port");
                tokio::select! {
                    () = serve(&listener, &acceptor, &server) => {}
                    _ = ended => {}
                }
            });
        });
        Self {
            port: bound.recv().expect("the proxy listens"),
            _end: end,
        }
    }

    /// `https://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("https://{HOST}:{}", self.port)
    }
}

fn acceptor(certificate: Certificate) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("rustls has its own versions")
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key);
    TlsAcceptor::from(Arc::new(config.expect("the key belongs to the certificate")))
}

async fn serve(listener: &TcpListener, acceptor: &TlsAcceptor, server: &str) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let (acceptor, server) = (acceptor.clone(), server.to_owned());
        tokio::spawn(async move {
            // Who does not trust the certificate hangs up.
            let Ok(mut client) = acceptor.accept(client).await else {
                return;
            };
            let Ok(mut server) = TcpStream::connect(&server).await else {
                return;
            };
            copy_bidirectional(&mut client, &mut server).await.ok();
        });
    }
}
