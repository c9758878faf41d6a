//! Machines with networks of their own, and lines between them that can be cut: Linux's network namespaces, bridges and
//! pairs of virtual cards. Nothing of it has a name outside: it is gone with the processes that live in it, however they end.
//!
//! Only for a program that has a [network of its own](crate::faults::own).

use std::{
    fmt,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::NamedTempFile;

use crate::{postgres, server::Kind};

/// What must be possible where networks are made.
const PROBE: &str = "ip link set lo up && ip link add probe0 type bridge \
                     && ip link add probe1 type veth peer name probe2 && ip link set probe1 master probe0 up \
                     && tc qdisc replace dev probe1 root tbf rate 1mbit burst 4kb latency 1s \
                     && mount --bind /etc/hosts /etc/hosts";

/// True if this machine permits networks of their own, and what runs in them reaches the databases. An error says why not.
pub fn possible(kinds: &[Kind]) -> Result<(), String> {
    let mut probe = crate::faults::own::unshare(&["--net", "--mount"]);
    let output = probe.args(["sh", "-c", PROBE]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("unshare: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    if kinds.contains(&Kind::Postgres) {
        postgres::url_of_socket()?;
    }
    Ok(())
}

/// A machine: what runs on it has its own addresses and ports. It is dropped after the lines that end at it.
#[derive(Debug)]
pub struct Machine {
    /// Keeps the network; none for the machine of this process.
    keeper: Option<Child>,
    /// What it has for `/etc/hosts`.
    _hosts: Option<NamedTempFile>,
    switches: Vec<&'static str>,
}

/// How a line is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Both ends see that there is no line any more.
    Down,
    /// Both ends see a line, and whatever is sent vanishes.
    Silent,
    /// It carries next to nothing: 64 kbit a second, what is sent waits for its turn up to two seconds.
    Slow,
}

/// Where lines end: a switch, or a radio, with an address of the machine that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switch {
    machine: u32,
    name: &'static str,
}

/// A line between a machine and a switch.
#[derive(Debug)]
pub struct Line {
    switch: Switch,
    port: String,
    cut: Option<Cut>,
}

impl Machine {
    /// The machine of this process, which has a network of its own.
    pub fn here() -> Self {
        let here = Self {
            keeper: None,
            _hosts: None,
            switches: Vec::new(),
        };
        here.ip("link set lo up");
        here
    }

    /// A new machine that is connected with nothing and has these lines in its `/etc/hosts`. Gone when dropped.
    pub fn new(hosts: &str) -> Self {
        let file = NamedTempFile::new().expect("a temporary file can be made");
        std::fs::write(file.path(), hosts).expect("a temporary file can be written");
        let mut keeper = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "unshare", "--net", "--mount", "sh", "-c"])
            .arg("ip link set lo up && mount --bind \"$0\" /etc/hosts && echo up && exec cat")
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("setpriv and unshare (Debian's util-linux) are there");
        let mut line = String::new();
        let out = keeper.stdout.take().expect("its output is ours");
        let read = BufReader::new(out).read_line(&mut line);
        assert!(read.is_ok() && line == "up\n", "a machine does not come up: {line}");
        Self {
            keeper: Some(keeper),
            _hosts: Some(file),
            switches: Vec::new(),
        }
    }

    /// A switch with an address, such as `10.77.1.1/24`, of this machine. Switches with the same address look the same to
    /// who is moved from one to the other.
    pub fn switch(&mut self, name: &'static str, address: &str) -> Switch {
        self.ip(&format!("link add name {name} address 02:00:00:00:00:01 type bridge"));
        self.ip(&format!("addr add {address} dev {name}"));
        self.ip(&format!("link set {name} up"));
        self.switches.push(name);
        let machine = self.process();
        Switch { machine, name }
    }

    /// A line from this machine, where it is called `eth0` and has this address, to a switch, where it is called `port`.
    pub fn line(&self, address: &str, switch: Switch, port: &str) -> Line {
        let (id, name) = (self.process(), switch.name);
        let ip = |arguments: &str| run(switch.machine, "ip", arguments);
        ip(&format!("link add name {port} type veth peer name eth0 netns {id}"));
        ip(&format!("link set {port} master {name} up"));
        self.ip(&format!("addr add {address} dev eth0"));
        self.ip("link set eth0 up");
        Line {
            switch,
            port: port.to_owned(),
            cut: None,
        }
    }

    /// A program on this machine, which ends with the thread that starts it.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = on(self.process());
        command.arg(program.as_ref());
        command
    }

    /// A process that lives in its network.
    pub(crate) fn process(&self) -> u32 {
        self.keeper.as_ref().map_or_else(std::process::id, Child::id)
    }

    fn ip(&self, arguments: &str) {
        run(self.process(), "ip", arguments);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            keeper.kill().ok();
            keeper.wait().ok();
            return;
        }
        for name in &self.switches {
            attempt(self.process(), "ip", &format!("link del {name}")).ok();
        }
    }
}

impl Line {
    /// Cuts it.
    pub fn cut(&mut self, cut: Cut) {
        assert!(self.cut.is_none(), "{self} is cut already");
        let (port, id) = (&self.port, self.switch.machine);
        match cut {
            Cut::Down => run(id, "ip", &format!("link set {port} down")),
            // The card keeps its partner; what arrives is for nobody.
            Cut::Silent => run(id, "ip", &format!("link set {port} nomaster")),
            Cut::Slow => run(
                id,
                "tc",
                &format!("qdisc replace dev {port} root tbf rate 64kbit burst 4kb latency 2s"),
            ),
        }
        self.cut = Some(cut);
    }

    /// Mends it.
    pub fn mend(&mut self) {
        let (port, id) = (&self.port, self.switch.machine);
        match self.cut.take() {
            None => {}
            Some(Cut::Down) => run(id, "ip", &format!("link set {port} up")),
            Some(Cut::Silent) => run(id, "ip", &format!("link set {port} master {}", self.switch.name)),
            Some(Cut::Slow) => run(id, "tc", &format!("qdisc del dev {port} root")),
        }
    }

    /// Where it ends.
    pub fn switch(&self) -> Switch {
        self.switch
    }

    /// Lets it end at another switch from now on, as when somebody walks from one radio to the next.
    pub fn move_to(&mut self, switch: Switch) {
        assert!(self.cut.is_none(), "{self} is cut");
        let (port, new) = (&self.port, switch.machine);
        run(self.switch.machine, "ip", &format!("link set {port} netns {new}"));
        run(new, "ip", &format!("link set {port} master {} up", switch.name));
        self.switch = switch;
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the line {} at {}", self.port, self.switch.name)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        attempt(self.switch.machine, "ip", &format!("link del {}", self.port)).ok();
    }
}

/// What runs a program in the network of a process, and ends with the thread that starts it.
pub(crate) fn on(process: u32) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig=KILL", "nsenter"]);
    command.args([
        format!("--net=/proc/{process}/ns/net"),
        format!("--mount=/proc/{process}/ns/mnt"),
    ]);
    command
}

fn run(process: u32, program: &str, arguments: &str) {
    attempt(process, program, arguments).unwrap_or_else(|said| panic!("{program} {arguments}: {said}"));
}

fn attempt(process: u32, program: &str, arguments: &str) -> Result<(), String> {
    let output = on(process).arg(program).args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("setpriv (Debian's util-linux): {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
