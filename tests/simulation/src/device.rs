//! A device and all that surrounds it: its clock, its line, its backup, the page that looks at it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{ids::DeviceId, schema::Schema};
use holdfast_store::{
    StoreError,
    replica::ConnectionState,
    testing::{Chance, Clock, Crash, CrashPoint, Device, Disk},
};

use crate::{check::Violation, hospital, world::HOSPITAL};

/// A device.
pub struct DeviceNode {
    /// Its number in the run.
    pub number: usize,
    /// Its id.
    pub id: DeviceId,
    /// Its clock.
    pub clock: Clock,
    /// It has a line.
    pub line: bool,
    /// How often it died while it did something.
    pub deaths: u64,
    /// It was locked out.
    pub revoked: bool,
    /// The number of the server that it speaks to.
    pub server: usize,
    /// Who signed in last.
    pub person: usize,
    device: Option<Device>,
    chance: Chance,
    crash: Option<Crash>,
    backup: Option<Disk>,
    page: Page,
}

/// What a page shows that renews its queries only when it is told to.
#[derive(Debug, Default)]
struct Page(BTreeMap<&'static str, Rows>);

type Rows = Vec<BTreeMap<&'static str, String>>;

impl DeviceNode {
    /// A new device.
    pub fn new(number: usize) -> Result<Self, StoreError> {
        let (clock, chance) = (Clock::default(), Chance::new(number as u64 + 1));
        // No two devices have the same time.
        clock.jump(number as i64 * 17);
        let device = Device::start(hospital::device(), clock.host_with(&chance))?;
        let id = device.replica.device_id();
        let backup = Some(device.disk()?);
        Ok(Self {
            number,
            id,
            clock,
            line: true,
            deaths: 0,
            revoked: false,
            server: HOSPITAL,
            person: number % hospital::PEOPLE.len(),
            device: Some(device),
            chance,
            crash: None,
            backup,
            page: Page::default(),
        })
    }

    /// The engine.
    pub fn device(&mut self) -> &mut Device {
        self.device
            .as_mut()
            .expect("BUG: a device is always there between two steps")
    }

    /// The engine, to be looked at.
    pub fn look(&self) -> &Device {
        self.device
            .as_ref()
            .expect("BUG: a device is always there between two steps")
    }

    /// The server wants a new sign-in.
    pub fn is_signed_out(&self) -> bool {
        let status = self.look().replica.status();
        status.is_ok_and(|status| status.connection == ConnectionState::SignedOut)
    }

    /// What it draws from now on is its own to this step.
    pub fn begin_step(&self, step: u64) {
        self.chance.reseed((step << 16) | (self.number as u64 + 1));
    }

    /// Lets it do something. `None` if it died meanwhile; it has started again then.
    pub fn attempt<T, E>(
        &mut self,
        work: impl FnOnce(&mut Device) -> Result<T, E>,
    ) -> Result<Option<Result<T, E>>, StoreError> {
        self.spare(false);
        let done = work(self.device());
        self.spare(true);
        if self.crash.as_ref().is_some_and(Crash::has_struck) {
            self.deaths += 1;
            self.restart()?;
            return Ok(None);
        }
        Ok(Some(done))
    }

    fn spare(&self, spared: bool) {
        self.crash.iter().for_each(|crash| crash.spare(spared));
    }

    /// It is going to die.
    pub fn crash_at(&mut self, point: CrashPoint) -> Result<(), StoreError> {
        let crash = self.look().crash_at(point)?;
        crash.spare(true);
        self.crash = Some(crash);
        Ok(())
    }

    /// It is switched off and on.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.crash = None;
        let device = self
            .device
            .take()
            .expect("BUG: a device is always there between two steps");
        self.start(device.restart(self.clock.host_with(&self.chance))?)
    }

    /// Its disk is copied.
    pub fn back_up(&mut self) -> Result<(), StoreError> {
        self.backup = Some(self.look().disk()?);
        Ok(())
    }

    /// Its disk is put back to its last copy.
    pub fn restore(&mut self) -> Result<(), StoreError> {
        self.crash = None;
        let Some(disk) = &self.backup else { return Ok(()) };
        let device = Device::start(disk, self.clock.host_with(&self.chance))?;
        self.start(device)
    }

    fn start(&mut self, device: Device) -> Result<(), StoreError> {
        self.device = Some(device);
        self.load_page()
    }

    /// The page asks everything anew.
    pub fn load_page(&mut self) -> Result<(), StoreError> {
        let all = Schema::hospital().tables.iter().map(|table| table.name).collect();
        self.renew(&all)
    }

    /// The page renews its queries over these tables.
    pub fn renew(&mut self, tables: &BTreeSet<&'static str>) -> Result<(), StoreError> {
        for table in tables {
            let rows = self.look().table(table)?;
            self.page.0.insert(table, rows);
        }
        Ok(())
    }

    /// The page shows what is there.
    pub fn check_page(&self) -> Result<(), Violation> {
        for (table, shown) in &self.page.0 {
            let rows = self.look().table(table).map_err(Violation::engine)?;
            if rows != *shown {
                return Err(Violation::new(format!(
                    "the page of device {} was not told that {table} changed: it shows {shown:?}, there is {rows:?}",
                    self.number
                )));
            }
        }
        Ok(())
    }
}
