//! Relays in TLS: how one shows its Ed25519 key, and how a client checks it. TLS 1.3 only, no names, no chains.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, PeerMisbehaved,
    ServerConfig, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};
use zeroize::Zeroizing;

use crate::protocol::keys::{Ed25519Public, Identity};

/// The `ring` provider, made the process's default by the first call.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| {
        let provider = crypto::ring::default_provider();
        // Somebody else's choice of the default changes nothing here: configurations below name theirs.
        provider.clone().install_default().ok();
        Arc::new(provider)
    }))
}

/// The TLS side of a relay: one certificate with the relay's own key, and one with a passing ECDSA P-256 key for
/// clients that do not offer Ed25519.
///
/// # Errors
/// [`TlsSetupError`] when a certificate cannot be made from the key.
pub fn relay_server_config(identity: &Identity) -> Result<ServerConfig, TlsSetupError> {
    let provider = provider();
    let der = ed25519_pkcs8(identity);
    let ed25519_key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
        &PrivatePkcs8KeyDer::from(der.as_slice()),
        &rcgen::PKCS_ED25519,
    )?;
    let p256_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let resolver = TwoCertificates {
        ed25519: certified(&ed25519_key, &provider)?,
        p256: certified(&p256_key, &provider)?,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    // No tickets: they would let a network tell that two connections are of one client.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The TLS side of whoever calls the relay with exactly this key.
///
/// # Errors
/// [`TlsSetupError`] when the provider lacks TLS 1.3.
pub fn pinned_client_config(key: &Ed25519Public) -> Result<ClientConfig, TlsSetupError> {
    let provider = provider();
    let verifier = PinnedKey {
        spki: ed25519_spki(key),
        provider: Arc::clone(&provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// A certificate could not be made.
    #[error("a certificate for the relay's key cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused the configuration.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// Chooses between the relay's two certificates.
#[derive(Debug)]
struct TwoCertificates {
    ed25519: Arc<CertifiedKey>,
    p256: Arc<CertifiedKey>,
}

impl ResolvesServerCert for TwoCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let ed25519 = hello
            .signature_schemes()
            .contains(&SignatureScheme::ED25519);
        Some(Arc::clone(if ed25519 { &self.ed25519 } else { &self.p256 }))
    }
}

/// Accepts one key, and only a handshake signed by it.
#[derive(Debug)]
struct PinnedKey {
    spki: [u8; 44],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if shown.as_ref() == self.spki {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerMisbehaved::SelectedUnofferedCipherSuite.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if dss.scheme != SignatureScheme::ED25519 {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}

fn certified(
    key: &rcgen::KeyPair,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsSetupError> {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "localhost");
    let certificate = params.self_signed(key)?;
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signer = provider.key_provider.load_private_key(private)?;
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        signer,
    )))
}

/// The seed as a PKCS #8 document (RFC 8410 section 7).
fn ed25519_pkcs8(identity: &Identity) -> Zeroizing<Vec<u8>> {
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let mut der = Zeroizing::new(Vec::with_capacity(48));
    der.extend_from_slice(&PREFIX);
    der.extend_from_slice(identity.seed().as_ref());
    der
}

/// The key as a `SubjectPublicKeyInfo` (RFC 8410 section 4), which has one encoding.
fn ed25519_spki(key: &Ed25519Public) -> [u8; 44] {
    const PREFIX: [u8; 12] = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    let mut spki = [0; 44];
    let (head, tail) = spki.split_at_mut(PREFIX.len());
    head.copy_from_slice(&PREFIX);
    tail.copy_from_slice(key.as_bytes());
    spki
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    fn identity(byte: u8) -> Identity {
        Identity::from_seed([byte; 32])
    }

    /// A handshake over a pipe: the client's result, and how many bytes of its greeting the server saw.
    async fn handshake(
        server: ServerConfig,
        client: ClientConfig,
    ) -> std::io::Result<Vec<CertificateDer<'static>>> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let accept = async {
            let mut stream = TlsAcceptor::from(Arc::new(server)).accept(far).await?;
            let mut greeting = [0; 2];
            stream.read_exact(&mut greeting).await
        };
        let connect = async {
            let name = ServerName::try_from("192.0.2.1").unwrap();
            let mut stream = TlsConnector::from(Arc::new(client))
                .connect(name, near)
                .await?;
            stream.write_all(b"hi").await?;
            stream.flush().await?;
            Ok(stream.get_ref().1.peer_certificates().unwrap().to_vec())
        };
        let (_served, shown) = tokio::join!(accept, connect);
        shown
    }

    #[tokio::test]
    async fn the_relay_with_the_key_is_accepted_and_any_other_is_not() {
        let accepted = handshake(
            relay_server_config(&identity(1)).unwrap(),
            pinned_client_config(&identity(1).public()).unwrap(),
        );
        accepted.await.unwrap();
        let refused = handshake(
            relay_server_config(&identity(2)).unwrap(),
            pinned_client_config(&identity(1).public()).unwrap(),
        );
        refused.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_certificate_without_its_key_is_refused() {
        // The certificate of relay 1, signed for with the key of relay 2.
        let provider = provider();
        let [one, two] = [1, 2].map(|byte| {
            let der = ed25519_pkcs8(&identity(byte));
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
                &PrivatePkcs8KeyDer::from(der.as_slice()),
                &rcgen::PKCS_ED25519,
            )
            .unwrap()
        });
        let forged = Arc::new(CertifiedKey::new(
            certified(&one, &provider).unwrap().cert.clone(),
            Arc::clone(&certified(&two, &provider).unwrap().key),
        ));
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(TwoCertificates {
                ed25519: Arc::clone(&forged),
                p256: forged,
            }));
        handshake(server, pinned_client_config(&identity(1).public()).unwrap())
            .await
            .unwrap_err();
    }

    #[tokio::test]
    async fn a_client_without_ed25519_is_shown_the_other_certificate() {
        #[derive(Debug)]
        struct AnyP256(Arc<CryptoProvider>);
        impl ServerCertVerifier for AnyP256 {
            fn verify_server_cert(
                &self,
                _: &CertificateDer<'_>,
                _: &[CertificateDer<'_>],
                _: &ServerName<'_>,
                _: &[u8],
                _: UnixTime,
            ) -> Result<ServerCertVerified, rustls::Error> {
                Ok(ServerCertVerified::assertion())
            }
            fn verify_tls12_signature(
                &self,
                _: &[u8],
                _: &CertificateDer<'_>,
                _: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, rustls::Error> {
                unreachable!("TLS 1.3 only")
            }
            fn verify_tls13_signature(
                &self,
                message: &[u8],
                cert: &CertificateDer<'_>,
                dss: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, rustls::Error> {
                crypto::verify_tls13_signature(
                    message,
                    cert,
                    dss,
                    &self.0.signature_verification_algorithms,
                )
            }
            fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
                vec![SignatureScheme::ECDSA_NISTP256_SHA256]
            }
        }
        let client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyP256(provider())))
            .with_no_client_auth();
        let shown = handshake(relay_server_config(&identity(1)).unwrap(), client)
            .await
            .unwrap();
        let spki = ParsedCertificate::try_from(&shown[0])
            .unwrap()
            .subject_public_key_info();
        assert_ne!(spki.as_ref(), ed25519_spki(&identity(1).public()));
    }

    #[test]
    fn both_certificates_stay_what_they_are() {
        let public = identity(1).public();
        let spki = ed25519_spki(&public);
        assert_eq!(&spki[12..], public.as_bytes());
    }
}
