//! A ward as it is built: hospital, hub and devices are machines with networks of their own. Each line is cut, each process
//! is killed, and people walk from the ward's radio to the hospital's and back. One address leads to the hub in the ward and
//! to the hospital's server elsewhere.
//!
//! ```text
//!  device 10.77.1.11 ──┐
//!  device 10.77.1.12 ──┤ ward's radio: hub, 10.77.1.1
//!                      │   hub, 10.77.2.2 ─── line ──┐
//!  device 10.77.1.13 ──┤ hospital's radio:           │
//!                      └─ hospital's server, 10.77.1.1 and 10.77.2.1
//! ```

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::{
    Figures, PATIENCE, hub,
    life::Life,
    load::Worker,
    notes::{Notes, Pulse},
};
use crate::{
    device::Device,
    dice::Dice,
    hospital::Hospital,
    networks::{Cut, Line, Machine, Switch},
    server::{Kind, Server},
    ward,
};

const DEVICES: usize = 3;

/// The hospital for devices: in the ward its hub, elsewhere its server.
const HOSPITAL: &str = "10.77.1.1";
/// The hospital's second address: its server for the hub, and for nobody else. A hub speaks plain HTTP only with what is called
/// `localhost`, and TLS is not what is tried here: so that is what the hub's machine calls it.
const UPSTREAM: &str = "10.77.2.1";
/// The hub on the line to the hospital.
const HUB: &str = "10.77.2.2";

/// How long a device waits for an answer. Who walks away during a request is never told that none comes.
const DEVICE_PATIENCE: Duration = Duration::from_secs(3);

/// Something that goes wrong for a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    /// `kill -9` of the hub.
    HubKilled,
    /// `kill -9` of the hospital's server.
    ServerKilled,
    /// `kill -9` of this device.
    DeviceKilled(usize),
    /// The line between hub and hospital.
    HubCut(Cut),
    /// The line between this device and wherever it is.
    DeviceCut(usize, Cut),
}

/// All of it.
struct Site {
    hospital: Hospital,
    hub: Server,
    uplink: Line,
    ward: Switch,
    elsewhere: Switch,
    devices: Vec<Bedside>,
    pulse: Arc<Pulse>,
    /// Processes that ended without having been killed.
    ended: Vec<&'static str>,
    // Last: gone after what ends there.
    _machines: [Machine; 2],
}

/// A device on its machine.
struct Bedside {
    life: Option<Life>,
    line: Line,
    file: PathBuf,
    notes: Notes,
    machine: Machine,
}

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut site = Site::open(kind);
    site.show_that_cuts_cut();
    let before = site.hospital.server.logged().len();
    let mut dice = Dice::new(12);
    (0..DEVICES).for_each(|number| site.begin(number));
    let mut goes_on = true;
    for time in 0..times as usize {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        if dice.once_in(3) {
            site.walk(dice.below(DEVICES));
        }
        let troubles = draw(time, &mut dice);
        for trouble in &troubles {
            site.strike(*trouble);
        }
        std::thread::sleep(Duration::from_millis(50 + dice.below(450) as u64));
        for trouble in &troubles {
            site.settle(*trouble);
        }
        if dice.once_in(2) {
            goes_on &= site.pulse.wait(Pulse::acknowledged, 1, PATIENCE);
        }
    }
    goes_on &= site.pulse.wait(Pulse::acknowledged, 1, PATIENCE);
    let mut figures = site.reckon(times, before);
    figures.require(goes_on, "work does not go on");
    figures.require(
        figures.acknowledged >= times.into() && figures.by_hub > 0,
        "hardly anything was acknowledged",
    );
    figures
}

/// Each trouble in its turn, and now and then one of the other sort at the same time.
fn draw(time: usize, dice: &mut Dice) -> Vec<Trouble> {
    let device = dice.below(DEVICES);
    let kills = [Trouble::HubKilled, Trouble::ServerKilled, Trouble::DeviceKilled(device)];
    let cuts = [Cut::Down, Cut::Silent, Cut::Slow].map(|cut| [Trouble::HubCut(cut), Trouble::DeviceCut(device, cut)]);
    let cuts = cuts.as_flattened();
    let all = [&kills, cuts].concat();
    let trouble = all[time % all.len()];
    let mut troubles = vec![trouble];
    if dice.once_in(4) {
        let others = if kills.contains(&trouble) { cuts } else { &kills };
        troubles.push(*dice.pick(others));
    }
    troubles
}

impl Site {
    fn open(kind: Kind) -> Self {
        let (mut here, mut hub_machine) = (Machine::here(), Machine::new(&format!("{UPSTREAM} localhost\n")));
        let elsewhere = here.switch("radio", &format!("{HOSPITAL}/24"));
        let wires = here.switch("wires", &format!("{UPSTREAM}/24"));
        let ward = hub_machine.switch("radio", &format!("{HOSPITAL}/24"));
        let uplink = hub_machine.line(&format!("{HUB}/24"), wires, "hub");
        let mut server = Server::prepare(kind);
        let port = server.port();
        server.move_to(&here, HOSPITAL, port);
        let mut hospital = Hospital::open_on(server);
        let token = hospital
            .server
            .command(&["hub", "add", "ward"])
            .expect("the hub is added");
        let mut hub = ward::hub(&format!("http://localhost:{port}"), &token);
        hub.move_to(&hub_machine, HUB, port);
        hub.start();
        let files: Vec<PathBuf> = (0..DEVICES).map(|_| hospital.device("ada").file().to_owned()).collect();
        let head = hospital.server.stream();
        ward::wait(&hub, "the hub's copy", |_| hub.stream() == head);
        let bedside = |(number, file)| {
            let machine = Machine::new("");
            let line = machine.line(&format!("10.77.1.1{number}/24"), ward, &format!("device{number}"));
            Bedside {
                life: None,
                line,
                file,
                notes: Notes::default(),
                machine,
            }
        };
        Self {
            devices: (1..).zip(files).map(bedside).collect(),
            hospital,
            hub,
            uplink,
            ward,
            elsewhere,
            pulse: Arc::default(),
            ended: Vec::new(),
            _machines: [here, hub_machine],
        }
    }

    /// Else the figures would say nothing.
    fn show_that_cuts_cut(&mut self) {
        let hub = SocketAddr::from((HUB.parse::<Ipv4Addr>().expect("an address"), self.hub.port()));
        for cut in [Cut::Down, Cut::Silent] {
            self.uplink.cut(cut);
            let reached = TcpStream::connect_timeout(&hub, Duration::from_millis(200));
            assert!(reached.is_err(), "{cut:?} cuts nothing");
            self.uplink.mend();
            let reached = TcpStream::connect_timeout(&hub, PATIENCE);
            assert!(reached.is_ok(), "{cut:?} is not mended: {reached:?}");
        }
    }

    /// A device begins to work.
    fn begin(&mut self, number: usize) {
        let (address, device) = (self.hospital.server.address(), &mut self.devices[number]);
        let (machine, file) = (Some(&device.machine), &device.file);
        device.life = Some(Life::begin(machine, file, &address, DEVICE_PATIENCE, &self.pulse));
    }

    fn end(&mut self, number: usize) {
        let device = &mut self.devices[number];
        if let Some(life) = device.life.take() {
            device.notes.extend(life.end());
        }
    }

    /// Somebody leaves the ward, or comes back.
    fn walk(&mut self, number: usize) {
        let line = &mut self.devices[number].line;
        let goal = if line.switch() == self.ward {
            self.elsewhere
        } else {
            self.ward
        };
        line.move_to(goal);
    }

    fn strike(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::HubKilled => {
                if !self.hub.lives() {
                    self.ended.push("the hub");
                }
                self.hub.kill();
            }
            Trouble::ServerKilled => {
                if !self.hospital.server.lives() {
                    self.ended.push("the hospital's server");
                }
                self.hospital.server.kill();
            }
            Trouble::DeviceKilled(number) => self.end(number),
            Trouble::HubCut(cut) => self.uplink.cut(cut),
            Trouble::DeviceCut(number, cut) => self.devices[number].line.cut(cut),
        }
    }

    fn settle(&mut self, trouble: Trouble) {
        match trouble {
            // It may take its time: the next trouble does not wait.
            Trouble::HubKilled => self.hub.launch(),
            Trouble::ServerKilled => self.hospital.server.launch(),
            Trouble::DeviceKilled(number) => self.begin(number),
            Trouble::HubCut(_) => self.uplink.mend(),
            Trouble::DeviceCut(number, _) => self.devices[number].line.mend(),
        }
    }

    /// What the hub kept is looked for at the hospital before any device comes again; then all come to the hospital.
    fn reckon(mut self, times: u32, before: usize) -> Figures {
        let pause = self.pulse.longest_pause();
        (0..DEVICES).for_each(|number| self.end(number));
        self.hospital.server.wait_until_ready();
        self.hub.wait_until_ready();
        ward::wait_until_passed_on(&self.hub);
        let (server, pulse) = (&self.hospital.server, &self.pulse);
        let come_back = |device: &mut Bedside| {
            let mut worker = Worker::new(Device::on_file(&device.file, &server.address()), 0, pulse.clone());
            worker.may_roam = true;
            worker.notes = std::mem::take(&mut device.notes);
            worker
        };
        let workers: Vec<Worker> = self.devices.iter_mut().map(come_back).collect();
        let forgotten = hub::forgotten(server, &workers);
        let mut figures = Figures::reckon(times.into(), before, server, (workers, pause));
        figures.lost += forgotten;
        let head = server.stream();
        ward::wait(&self.hub, "the stream's end", |_| self.hub.stream() == head);
        for who in &self.ended {
            figures.require(false, &format!("{who} ended by itself"));
        }
        figures
    }
}
