//! Whoever takes more than there is room for is told when to come back, and leaves room for the others.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use holdfast_core::protocol::{PushRequest, encode};
use holdfast_server::{http::Limits, places::Room};

use crate::{
    live::listen,
    support::{Answer, Device, Hospital, PASSWORD, get, users},
};

/// How long something may take that happens at once.
const SOON: Duration = Duration::from_secs(5);

fn assert_busy(answer: &Answer, seconds: &str) {
    assert_eq!(answer.error(), (429, "busy".to_owned()));
    assert_eq!(answer.headers["retry-after"], seconds);
}

/// A push whose body does not go on. The server has begun to read it, so it has a place.
fn stuck_push(device: &Device) -> TcpStream {
    let mut line = TcpStream::connect(device.url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000\r\n\
         Expect: 100-continue\r\n\r\n",
        device.token
    );
    line.write_all(head.as_bytes()).unwrap();
    let mut said = [0; 64];
    let count = line.read(&mut said).unwrap();
    assert!(
        said[..count].starts_with(b"HTTP/1.1 100"),
        "{}",
        String::from_utf8_lossy(&said[..count])
    );
    line.write_all(b"abc").unwrap();
    line
}

/// Asks until there is room.
fn eventually(ask: impl Fn() -> Answer, status: u16) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.status == status || begun.elapsed() > SOON {
            assert_eq!(answer.status, status, "{}", answer.text());
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn push(device: &Device) -> Answer {
    device.push_bytes(&encode(&PushRequest {
        transactions: Vec::new(),
    }))
}

#[test]
fn a_device_with_many_pushes_leaves_room_for_others_and_all_together_are_bounded() {
    let hospital = Hospital::with(Limits {
        pushes: Room { all: 3, each: 2 },
        ..Limits::default()
    });
    let devices = [users::NURSE, users::ADMIN, users::NURSE].map(|user| hospital.device(user));
    let mut lines = vec![stuck_push(&devices[0]), stuck_push(&devices[0])];
    assert_busy(&push(&devices[0]), "1");
    assert_eq!(push(&devices[1]).status, 200, "others are not held up");
    lines.push(stuck_push(&devices[1]));
    assert_busy(&push(&devices[2]), "1");
    drop(lines);
    for device in &devices {
        eventually(|| push(device), 200);
    }
}

#[test]
fn a_push_that_makes_no_progress_is_given_up() {
    let hospital = Hospital::with(Limits {
        silence: Duration::from_millis(200),
        pushes: Room { all: 1, each: 1 },
        ..Limits::default()
    });
    let phone = hospital.device(users::NURSE);
    let mut line = stuck_push(&phone);
    line.set_read_timeout(Some(SOON)).unwrap();
    let mut said = [0; 4_096];
    let count = line.read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..count]).into_owned();
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    assert!(said.contains("retry-after: 1"), "{said}");
    assert_eq!(push(&phone).status, 200);
}

#[test]
fn live_channels_are_bounded_for_each_device_and_for_all() {
    let hospital = Hospital::with(Limits {
        live: Room { all: 3, each: 2 },
        ..Limits::default()
    });
    let devices = [users::NURSE, users::ADMIN, users::NURSE].map(|user| hospital.device(user));
    let ask = |device: &Device| device.send("GET", "/v1/live", &[], &[]);
    let mut open: Vec<_> = [0, 0, 1].map(|n| listen(&devices[n])).into_iter().collect();
    for channel in &mut open {
        assert!(channel.next().is_some());
    }
    for device in &devices {
        assert_busy(&ask(device), "60");
    }
    assert_eq!(
        devices[2].pull(0, 10).entries.len(),
        3,
        "pulling goes on without a channel"
    );
    drop(open);
    // The server learns of it when it next says something.
    let begun = Instant::now();
    let mut phone = hospital.device(users::NURSE);
    let mut number = 0;
    while begun.elapsed() < 3 * SOON {
        number += 1;
        let (_, made) = phone.new_patient(&format!("P-{number}"));
        assert!(phone.accepted(&made));
        let line = stuck_live(&devices[0]);
        if line.starts_with("HTTP/1.1 200") {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("places of channels that have ended stay taken");
}

/// The first line of the answer to who asks for a channel, and goes.
fn stuck_live(device: &Device) -> String {
    let mut line = TcpStream::connect(device.url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        device.token
    );
    line.write_all(head.as_bytes()).unwrap();
    line.set_read_timeout(Some(SOON)).unwrap();
    let mut said = [0; 256];
    let count = line.read(&mut said).unwrap();
    String::from_utf8_lossy(&said[..count]).into_owned()
}

#[test]
fn pages_are_bounded() {
    let hospital = Hospital::with(Limits {
        pages: Room { all: 1, each: 0 },
        ..Limits::default()
    });
    let phone = hospital.device(users::NURSE);
    for path in ["/v1/pull", "/v1/snapshot"] {
        assert_busy(&phone.send("GET", path, &[], &[]), "1");
    }
    assert_eq!(push(&phone).status, 200);
}

#[test]
fn pages_that_wait_for_their_turn_all_get_it() {
    let hospital = Hospital::with(Limits {
        pages: Room { all: 100, each: 100 },
        page_makers: 1,
        ..Limits::default()
    });
    let phone = hospital.device(users::NURSE);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert_eq!(phone.pull(0, 10).entries.len(), 3));
        }
    });
}

#[test]
fn sign_ins_that_wait_for_their_password_are_bounded() {
    let hospital = Hospital::with(Limits {
        sign_ins: 1,
        ..Limits::default()
    });
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let sign_in = || Device::new(&hospital.url).sign_in(users::NURSE.0, PASSWORD);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(sign_in)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let (good, busy): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!good.is_empty() && !busy.is_empty(), "{} came in", good.len());
    for answer in busy {
        assert_busy(&answer, "1");
    }
}

#[test]
fn a_connection_that_asks_nothing_or_never_ends_asking_is_closed() {
    let hospital = Hospital::with(Limits {
        head: Duration::from_millis(300),
        ..Limits::default()
    });
    let address = hospital.url.strip_prefix("http://").unwrap();
    for said in ["", "GET /health HT", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut line = TcpStream::connect(address).unwrap();
        line.write_all(said.as_bytes()).unwrap();
        line.set_read_timeout(Some(SOON)).unwrap();
        let mut answered = Vec::new();
        line.read_to_end(&mut answered)
            .expect("the server closes the connection");
        let complete = said.ends_with("\r\n\r\n");
        assert_eq!(complete, answered.starts_with(b"HTTP/1.1 200"), "{said:?}");
    }
}

#[test]
fn connections_are_bounded_and_the_next_ones_wait() {
    let hospital = Hospital::with(Limits {
        connections: 2,
        head: Duration::from_secs(1),
        ..Limits::default()
    });
    let address = hospital.url.strip_prefix("http://").unwrap();
    let idle: Vec<_> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    let health = get(&format!("{}/health", hospital.url), &[]);
    assert_eq!(health.status, 200);
    let waited = begun.elapsed();
    assert!(
        waited > Duration::from_millis(300),
        "it had to wait for a place: {waited:?}"
    );
    drop(idle);
}
