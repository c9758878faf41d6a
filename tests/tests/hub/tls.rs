//! Between a ward's hub and the hospital's server is TLS, and nothing that is not trusted gets the hub's token.

use holdfast_store::replica::Durability;
use holdfast_tests::{
    device::Device,
    hospital::{Hospital, PASSWORD},
    server::{Kind, Server},
    tls::{Authority, Certificate, TlsProxy},
    ward::{hub, wait, wait_until_passed_on},
};

use crate::{durability, patient, start::ends};

/// A hospital whose server is reached with this certificate, and a hub of it that does not run yet.
struct Behind {
    hospital: Hospital,
    proxy: TlsProxy,
    hub: Server,
}

impl Behind {
    /// The hub trusts this authority, or the public ones.
    fn new(certificate: Certificate, trusted: Option<&Authority>) -> Self {
        let hospital = Hospital::open(Kind::Sqlite);
        let proxy = TlsProxy::before(&hospital.server.address(), certificate);
        let token = hospital.server.command(&["hub", "add", "ward 3"]);
        let mut hub = hub(&proxy.address(), &token.expect("the hub is added"));
        if let Some(authority) = trusted {
            trust(&mut hub, authority);
        }
        Self { hospital, proxy, hub }
    }

    /// A nurse's device that has copied the hospital from the hub.
    fn device(&mut self) -> Device {
        let mut device = self.hospital.new_device();
        device.server = self.hub.address();
        device.sign_in("nora", PASSWORD).expect("the hub passes the sign-in on");
        device.sync();
        device
    }
}

fn trust(hub: &mut Server, authority: &Authority) {
    let file = hub.folder().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("the certificate is written");
    hub.add_arguments(&["--upstream-ca", file.to_str().expect("a path that is text")]);
}

#[test]
fn a_hub_that_trusts_the_hospitals_own_authority_copies_and_passes_on_over_tls() {
    let authority = Authority::new();
    let mut behind = Behind::new(authority.certificate(), Some(&authority));
    behind.hub.start();
    let mut device = behind.device();
    let id = patient(&mut device, "T-1");
    device.sync();
    wait_until_passed_on(&behind.hub);
    device.sync();
    assert_eq!(durability(&device, id), Some(Durability::Hospital));
    assert_eq!(behind.hub.stream(), behind.hospital.server.stream());

    // The way back: what happens at the hospital comes over the live channel.
    let mut elsewhere = behind.hospital.device("mona");
    patient(&mut elsewhere, "T-2");
    elsewhere.sync();
    let head = behind.hospital.server.stream().len();
    wait(&behind.hub, "the news", |_| behind.hub.stream().len() == head);
}

#[test]
fn a_new_hub_refuses_a_certificate_that_it_does_not_trust_and_says_what_to_do() {
    let (own, other) = (Authority::new(), Authority::new());
    let cases = [
        (
            "of an authority that is not public",
            Behind::new(own.certificate(), None),
            "--upstream-ca",
        ),
        (
            "of another authority",
            Behind::new(other.certificate(), Some(&own)),
            "--upstream-ca",
        ),
        (
            "that is expired",
            Behind::new(own.expired_certificate(), Some(&own)),
            "renew it there",
        ),
        (
            "for another name",
            Behind::new(own.certificate_of_another(), Some(&own)),
            "another.example",
        ),
    ];
    for (what, behind, advice) in cases {
        let said = ends(behind.hub);
        assert!(said.contains("no trusted connection"), "{what}: {said}");
        assert!(said.contains(advice), "{what}: {said}");
        let hubs = behind
            .hospital
            .server
            .command(&["hub", "list"])
            .expect("hubs are listed");
        assert!(
            hubs.contains("never"),
            "{what}: nothing was asked with the token: {hubs}"
        );
        drop(behind.proxy);
    }
}

#[test]
fn a_hub_whose_hospitals_certificate_expires_goes_on_and_tells_why_the_link_is_down() {
    let authority = Authority::new();
    let mut behind = Behind::new(authority.certificate(), Some(&authority));
    behind.hub.start();
    let mut device = behind.device();
    behind.hub.stop();

    let renewed = TlsProxy::before(&behind.hospital.server.address(), authority.expired_certificate());
    let token = behind.hub.folder().join("token");
    let token = token.to_str().expect("a path that is text").to_owned();
    behind
        .hub
        .set_arguments(&["--upstream", &renewed.address(), "--upstream-token-file", &token]);
    trust(&mut behind.hub, &authority);
    behind.hub.start();
    wait(&behind.hub, "what is wrong", |hub| {
        let problem = hub["problem"].as_str().unwrap_or_default();
        hub["link"] == "down" && problem.contains("expired") && problem.contains("renew it there")
    });
    let id = patient(&mut device, "T-3");
    device.sync();
    assert_eq!(durability(&device, id), Some(Durability::Hub), "the ward goes on");
}

#[test]
fn plain_http_is_refused_where_it_would_leave_the_machine_and_an_authority_that_is_none() {
    let token = "00".repeat(32);
    for address in ["http://central.hospital.example", "http://10.0.0.1:8080"] {
        let said = ends(hub(address, &token));
        assert!(said.contains("https://"), "{address}: {said}");
        assert!(said.contains("password hashes"), "it says why: {said}");
    }
    let mut without = hub("https://127.0.0.1:1", &token);
    let file = without.folder().join("none.pem");
    std::fs::write(&file, "no certificate").expect("a file");
    without.add_arguments(&["--upstream-ca", file.to_str().expect("a path that is text")]);
    let said = ends(without);
    assert!(
        said.contains("there is no certificate (PEM) in --upstream-ca"),
        "{said}"
    );

    let plain = Hospital::open(Kind::Sqlite);
    let said = ends(hub(&plain.server.address().replace("http://", "https://"), &token));
    assert!(said.contains("speaks no TLS"), "{said}");
}
