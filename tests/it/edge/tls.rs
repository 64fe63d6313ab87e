//! TLS of the server's own: what it speaks, whose certificate it has, and how that changes.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    time::Duration,
};

use freehold::config::{Config, Sources};
use reqwest::{Certificate, Client, StatusCode, redirect::Policy, tls::TlsInfo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use crate::harness::{Database, Login, PATIENCE, Pebble, Pem, Server, eventually};

/// A client that trusts these, and finds every name at this address.
fn client(trusted: Vec<Certificate>, name: &str, address: SocketAddr) -> Client {
    #[expect(clippy::disallowed_methods, reason = "it talks to servers of this run")]
    let client = Client::builder();
    let client = client.tls_certs_only(trusted).tls_info(true).no_proxy().redirect(Policy::none());
    // Each request greets anew.
    client.resolve(name, address).pool_max_idle_per_host(0).timeout(Duration::from_secs(30)).build().unwrap()
}

fn trusted(pem: &Pem) -> Certificate {
    Certificate::from_der(&pem.der).unwrap()
}

/// A server with this certificate, and its address over TLS.
async fn server(database: &Database, pem: &Pem, more: &[(&str, &str)]) -> (Server, String) {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (certificate, key) = (text(&pem.certificate), text(&pem.key));
    let settings = [("FREEHOLD_HTTP_TLS_CERTIFICATE", &*certificate), ("FREEHOLD_HTTP_TLS_KEY", &*key), PUBLIC_URL];
    let server = Server::configured(database, &[&settings, more].concat()).await;
    let url = format!("https://localhost:{}", server.address().port());
    (server, url)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const PUBLIC_URL: (&str, &str) = ("FREEHOLD_HTTP_PUBLIC_URL", "https://id.example.com");

/// Proves NET-1, NET-2.
#[tokio::test]
async fn a_server_with_a_certificate_serves_nothing_in_clear() {
    let (database, pem) = (Database::new().await, Pem::for_names(&["localhost"]));
    let beside = format!("127.0.0.1:{}", free_port());
    let (server, url) = server(&database, &pem, &[("FREEHOLD_HTTP_REDIRECT_LISTEN", &beside)]).await;
    let client = client(vec![trusted(&pem)], "localhost", server.address());
    let answer = client.get(format!("{url}/health/live")).header("host", "id.example.com").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let hsts = answer.headers()["strict-transport-security"].to_str().unwrap();
    assert_eq!(hsts, "max-age=31536000; includeSubDomains; preload");
    // The same port without TLS, and the one beside it: where to go, and nothing else.
    for clear in [format!("http://{}", server.address()), format!("http://{beside}")] {
        let answer = client.get(format!("{clear}/v1/me?a=b")).header("host", "id.example.com").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer.headers()["location"], "https://id.example.com/v1/me?a=b");
        assert!(!answer.headers().contains_key("strict-transport-security"));
        let answer = client.post(format!("{clear}/v1/sessions")).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(answer.text().await.unwrap().contains("https_required"));
    }
    server.stop().await;
}

/// An independent client looks at what is spoken.
///
/// Proves NET-1.
#[tokio::test]
async fn only_tls_1_2_and_1_3_are_spoken_with_ciphers_that_are_whole() {
    let (database, pem) = (Database::new().await, Pem::for_names(&["localhost"]));
    let (server, _) = server(&database, &pem, &[]).await;
    let address = format!("127.0.0.1:{}", server.address().port());
    let scan = tokio::task::spawn_blocking(move || {
        Command::new("sslscan")
            .args(["--no-colour", "--show-ciphers", &address])
            .output()
            .expect("make deps installs sslscan")
    });
    let seen = String::from_utf8(scan.await.unwrap().stdout).unwrap();
    for (version, word) in [
        ("SSLv2", "disabled"),
        ("SSLv3", "disabled"),
        ("TLSv1.0", "disabled"),
        ("TLSv1.1", "disabled"),
        ("TLSv1.2", "enabled"),
        ("TLSv1.3", "enabled"),
    ] {
        assert!(seen.lines().any(|line| line.split_whitespace().eq([version, word])), "{version} {word}?\n{seen}");
    }
    let ciphers: Vec<_> =
        seen.lines().filter(|line| line.starts_with("Preferred") || line.starts_with("Accepted")).collect();
    assert!(ciphers.len() >= 6, "{seen}");
    // Forward secrecy and authenticated encryption, all of them.
    let good = |line: &&str| line.contains("ECDHE") || line.contains("TLSv1.3");
    let whole = |line: &&str| line.contains("GCM") || line.contains("POLY1305");
    assert!(ciphers.iter().all(|line| good(line) && whole(line)), "{seen}");
    for weakness in ["vulnerable to heartbleed", "Insecure session renegotiation", "Compression enabled"] {
        assert!(!seen.lines().any(|line| line.contains(weakness) && !line.contains("not vulnerable")), "{seen}");
    }
    server.stop().await;
}

/// The certificate that a new client is shown. One that comes again may go on with what it agreed on before.
async fn shown(client: Client, url: &str) -> Option<Vec<u8>> {
    let answer = client.get(format!("{url}/health/live")).send().await.ok()?;
    answer.extensions().get::<TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
}

/// Proves NET-1.
#[tokio::test]
async fn a_certificate_is_replaced_without_a_failed_request() {
    let (database, old, new) = (Database::new().await, Pem::for_names(&["localhost"]), Pem::for_names(&["localhost"]));
    let (server, url) = server(&database, &old, &[]).await;
    let fresh = || client(vec![trusted(&old), trusted(&new)], "localhost", server.address());
    let client = fresh();
    let old_der = Some(old.der.clone());
    let (done, ended) = watch::channel(false);
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (client, url, ended) = (client.clone(), url.clone(), ended.clone());
            tokio::spawn(async move {
                let mut count = 0;
                while !*ended.borrow() {
                    let answer = client.get(format!("{url}/health/live")).send().await.expect("a request failed");
                    assert_eq!(answer.status(), StatusCode::OK);
                    count += 1;
                }
                count
            })
        })
        .collect();
    assert_eq!(shown(fresh(), &url).await, old_der);
    // Half a pair, and something that is none, change nothing.
    fs::copy(&new.key, &old.key).unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(shown(fresh(), &url).await, old_der);
    fs::copy(&new.certificate, &old.certificate).unwrap();
    eventually("the new certificate", Duration::from_secs(15), async || {
        (shown(fresh(), &url).await.as_ref() == Some(&new.der)).then_some(())
    })
    .await;
    fs::write(&old.certificate, "no certificate").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(shown(fresh(), &url).await.as_ref(), Some(&new.der));
    done.send(true).unwrap();
    for load in load {
        assert!(load.await.unwrap() > 10);
    }
    server.stop().await;
}

/// Who greets and says nothing is cut off, and holds nobody up.
///
/// Proves NET-1, NET-6.
#[tokio::test]
async fn a_thousand_who_dawdle_over_tls_hold_nobody_up() {
    let (database, pem) = (Database::new().await, Pem::for_names(&["localhost"]));
    let (server, url) = server(&database, &pem, &[]).await;
    let address = server.address();
    let mut dawdlers = Vec::new();
    for number in 0..1000 {
        // Some begin a handshake, some a request, a byte a second; some say nothing.
        let hello: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 0, 0, 0, 0];
        let bytes = [hello, b"GET /health/live HT", &[]][number % 3];
        let mut stream = TcpStream::connect(address).await.unwrap();
        dawdlers.push(tokio::spawn(async move {
            for byte in bytes {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let cut_off = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut Vec::new())).await;
            assert!(cut_off.is_ok(), "{number} was not cut off");
        }));
    }
    let client = client(vec![trusted(&pem)], "localhost", address);
    for _ in 0..20 {
        let asked = client.get(format!("{url}/health/live")).timeout(Duration::from_secs(5));
        assert_eq!(asked.send().await.unwrap().status(), StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for dawdler in dawdlers {
        dawdler.await.unwrap();
    }
    server.stop().await;
}

/// Proves NET-1.
#[tokio::test]
async fn an_authority_issues_a_certificate_that_the_next_start_finds() {
    let database = Database::new().await;
    // The authority has to know the port before the server is there.
    let port = free_port();
    let pebble = Pebble::start(port).await;
    let (listen, ca_file) = (format!("127.0.0.1:{port}"), pebble.ca_file.to_str().unwrap().to_owned());
    let directory = pebble.directory.clone();
    let settings = [
        PUBLIC_URL,
        ("FREEHOLD_HTTP_LISTEN", &*listen),
        ("FREEHOLD_HTTP_TLS_ACME_CONTACT", "operator@example.com"),
        ("FREEHOLD_HTTP_TLS_ACME_DIRECTORY", &*directory),
        ("FREEHOLD_HTTP_TLS_ACME_CA_FILE", &*ca_file),
    ];
    let server = Server::configured(&database, &settings).await;
    let root = pebble.root().await;
    let address = server.address();
    let fresh = || client(vec![root.clone()], "id.example.com", address);
    let url = format!("https://id.example.com:{port}");
    let issued = eventually("a certificate", PATIENCE, async || shown(fresh(), &url).await).await;
    // Sealed: neither its key nor the contact is in a dump.
    let mut psql = database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM certificates").await, 2);
    let dump = database.dump().await;
    assert!(!dump.contains("operator@example.com") && !dump.contains("PRIVATE KEY"));
    server.stop().await;
    // The authority is gone; what it issued is not.
    drop(pebble);
    let server = Server::configured(&database, &settings).await;
    let again = eventually("the certificate of before", PATIENCE, async || shown(fresh(), &url).await).await;
    assert_eq!(again, issued);
    server.stop().await;
}

/// Proves NET-1, OPS-4.
#[tokio::test]
async fn half_a_configuration_is_refused() {
    let pem = Pem::for_names(&["localhost"]);
    let (certificate, key) = (pem.certificate.to_str().unwrap(), pem.key.to_str().unwrap());
    let (cert_name, key_name) = ("FREEHOLD_HTTP_TLS_CERTIFICATE", "FREEHOLD_HTTP_TLS_KEY");
    let contact = ("FREEHOLD_HTTP_TLS_ACME_CONTACT", "operator@example.com");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[(cert_name, certificate)], "http.tls.key"),
        (&[(key_name, key)], "http.tls.certificate"),
        (&[(cert_name, "/nowhere.pem"), (key_name, key)], "http.tls.certificate"),
        (&[(cert_name, certificate), (key_name, key), contact], "http.tls.certificate"),
        (&[("FREEHOLD_HTTP_TLS_ACME_CONTACT", "nobody")], "http.tls.acme.contact"),
        (&[("FREEHOLD_HTTP_TLS_ACME_DIRECTORY", "https://acme.example.com/dir")], "http.tls.acme.directory"),
        (&[contact, ("FREEHOLD_HTTP_TLS_ACME_DIRECTORY", "http://acme.example.com/dir")], "http.tls.acme.directory"),
        (&[contact, ("FREEHOLD_HTTP_PUBLIC_URL", "https://192.0.2.1")], "http.public_url"),
        (&[contact, ("FREEHOLD_HTTP_PUBLIC_URL", "http://localhost:8080")], "http.public_url"),
        (&[("FREEHOLD_HTTP_REDIRECT_LISTEN", "127.0.0.1:8081")], "http.redirect_listen"),
    ];
    for (settings, key) in cases {
        let variables: Vec<_> =
            [("FREEHOLD_PROFILE", "development")].into_iter().chain(settings.iter().copied()).collect();
        let mistakes = Config::load(&Sources::of(&variables)).err().unwrap_or_else(|| panic!("{settings:?} was taken"));
        assert!(mistakes.to_string().contains(key), "{settings:?}: {mistakes}");
    }
    // Files that are no pair are found before anybody is served.
    let (database, other) = (Database::new().await, Pem::for_names(&["localhost"]));
    let other = other.key.to_str().unwrap();
    let variables = database.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let wrong = [variables.as_slice(), &[(cert_name, certificate), (key_name, other), PUBLIC_URL]].concat();
    let config = Config::load(&Sources::of(&wrong)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let refusal = Server::run(config).await.err().expect("it started").to_string();
    assert!(refusal.contains("are no pair"), "{refusal}");
}
