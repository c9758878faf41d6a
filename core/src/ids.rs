//! Newtypes for every number and name that means something.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Compares 16 bytes as two numbers, without a call: trees of ids compare often.
#[inline]
fn compare(one: &[u8; 16], other: &[u8; 16]) -> Ordering {
    let halves = |bytes: &[u8; 16]| {
        let (halves, _) = bytes.as_chunks::<8>();
        (u64::from_be_bytes(halves[0]), u64::from_be_bytes(halves[1]))
    };
    halves(one).cmp(&halves(other))
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        /// By its bytes.
        impl Ord for $name {
            #[inline]
            fn cmp(&self, other: &Self) -> Ordering {
                compare(self.0.as_bytes(), other.0.as_bytes())
            }
        }

        impl PartialOrd for $name {
            #[inline]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Uuid::from_slice(d.bytes()?)
                    .map(Self)
                    .map_err(|_| minicbor::decode::Error::message(concat!(stringify!($name), " is not 16 bytes")))
            }
        }
    };
}

uuid_newtype!(
    /// The key of a row within its table. For a table with a composite key it is derived from the parts: see
    /// [`crate::schema::Table::row_id`].
    RowId
);
uuid_newtype!(
    /// A user of the hospital: the id of a row of `users`.
    UserId
);
uuid_newtype!(
    /// A ward's hub: made with its store.
    HubId
);
uuid_newtype!(
    /// A transaction, named by its maker (UUID v7).
    TransactionId
);
uuid_newtype!(
    /// A device, named by its public key: see [`DeviceId::of_public_key`].
    DeviceId
);

impl DeviceId {
    /// The id that belongs to an Ed25519 public key: the first 16 bytes of its SHA-256. Nobody can take another
    /// device's id without its key.
    pub fn of_public_key(key: &[u8; 32]) -> Self {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(key);
        let mut id = [0u8; 16];
        id.copy_from_slice(&digest[..16]);
        Self(Uuid::from_bytes(id))
    }
}

/// A place in the hospital's stream. The first transaction has seq 1; a cursor of 0 has nothing yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Seq(#[n(0)] pub u64);

impl Seq {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seq({})", self.0)
    }
}

/// Microseconds since 1970-01-01 UTC, as fine as PostgreSQL's `timestamptz`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// PostgreSQL's `infinity` and `-infinity`, which imported rows may hold.
    pub const INFINITY: Self = Self(i64::MAX);
    /// See [`Timestamp::INFINITY`].
    pub const NEG_INFINITY: Self = Self(i64::MIN);

    /// Reads RFC 3339 (`2026-01-31T12:00:00Z`), PostgreSQL's own form (`2026-01-31 12:00:00.5+00`), or a time without
    /// zone, which is taken as UTC. `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "infinity" => return Some(Self::INFINITY),
            "-infinity" => return Some(Self::NEG_INFINITY),
            _ => {}
        }
        let time = DateTime::parse_from_rfc3339(&as_rfc3339(text)?).ok()?;
        Some(Self(time.timestamp_micros()))
    }

    /// Whole minutes from `earlier` to this time: 0 if it is not earlier (clocks differ), at most what a 32-bit integer holds.
    pub fn minutes_since(self, earlier: Self) -> i64 {
        (self.0.saturating_sub(earlier.0) / 60_000_000).clamp(0, i64::from(i32::MAX))
    }

    /// The calendar time, if it is one (the infinities are not).
    pub fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

/// A time in one of the forms that [`Timestamp::parse`] reads, written as RFC 3339 has it: a format with placeholders
/// would bring a whole language of them to every device.
fn as_rfc3339(text: &str) -> Option<String> {
    let (date, time) = text.split_once([' ', 'T', 't'])?;
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let (seconds, zone) = match (clock.len(), zone.split_at_checked(3)) {
        (5, _) if zone.is_empty() => (":00", "Z".to_owned()),
        _ if zone.is_empty() => ("", "Z".to_owned()),
        (_, Some((hours, ""))) => ("", format!("{hours}:00")),
        (_, Some((hours, minutes))) if !minutes.starts_with(':') => ("", format!("{hours}:{minutes}")),
        _ => ("", zone.to_owned()),
    };
    Some(format!("{date}T{clock}{seconds}{zone}"))
}

/// Fixed width: `2026-01-31T12:00:00.000000Z`, so that text order is time order.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.to_datetime()) {
            (Self::INFINITY, _) => f.write_str("infinity"),
            (Self::NEG_INFINITY, _) => f.write_str("-infinity"),
            (_, Some(t)) => match of_four_digits(&t) {
                Some(text) => f.write_str(std::str::from_utf8(&text).expect("BUG: digits are UTF-8")),
                None => f.write_str(&t.to_rfc3339_opts(SecondsFormat::Micros, true)),
            },
            (Self(micros), None) => write!(f, "{micros}us"),
        }
    }
}

/// A time as RFC 3339 has it, with microseconds; `None` for a year that has not four digits. Written without a formatter, as each
/// row of the tables holds several.
fn of_four_digits(time: &DateTime<Utc>) -> Option<[u8; 27]> {
    let year = u32::try_from(time.year()).ok().filter(|year| *year <= 9_999)?;
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut write = |end: usize, mut number: u32| {
        let mut at = end;
        while number > 0 {
            at -= 1;
            text[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    write(4, year);
    write(7, time.month());
    write(10, time.day());
    write(13, time.hour());
    write(16, time.minute());
    write(19, time.second());
    write(26, time.timestamp_subsec_micros());
    Some(text)
}

/// The SHA-256 hash that names an Automerge change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeHash(pub [u8; 32]);

impl fmt::Display for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangeHash({self})")
    }
}

impl<C> Encode<C> for ChangeHash {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ChangeHash {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.bytes()?
            .try_into()
            .map(Self)
            .map_err(|_| minicbor::decode::Error::message("a change hash is not 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_every_form_that_postgres_and_browsers_write() {
        let noon = Timestamp(1_769_860_800_000_000);
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.000000Z",
            "2026-01-31 12:00:00+00",
            "2026-01-31 14:00:00+02:00",
            "2026-01-31 13:30:00+0130",
            "2026-01-31T12:00:00.0+00",
            "2026-01-31 10:00:00-02",
            "2026-01-31 12:00:00",
            "2026-01-31T12:00",
        ] {
            assert_eq!(Timestamp::parse(text), Some(noon), "{text}");
        }
        assert_eq!(noon.to_string(), "2026-01-31T12:00:00.000000Z");
    }

    #[test]
    fn a_time_is_written_as_a_formatter_writes_it() {
        let seconds = [
            -62_167_219_201,
            -62_167_219_200,
            -1,
            0,
            951_782_400,
            253_402_300_799,
            253_402_300_800,
        ];
        for micros in [0, 1, 10_203, 999_999] {
            for seconds in seconds {
                let time = Timestamp(seconds * 1_000_000 + micros);
                let formatted = time
                    .to_datetime()
                    .map(|t| t.to_rfc3339_opts(SecondsFormat::Micros, true));
                assert_eq!(Some(time.to_string()), formatted);
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            " ",
            "yesterday",
            "2026-01-31",
            "2026-01-31T",
            "2026-01-31T12",
            "2026-01-31T12:00Z",
            "2026-02-30T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31 12:00:00+",
            "2026-01-31 12:00:00+0é",
            "2026-01-31 12:00:00+00:53:28",
            "12026-01-31T12:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_infinities_survive_a_round_trip() {
        for t in [Timestamp::INFINITY, Timestamp::NEG_INFINITY] {
            assert_eq!(Timestamp::parse(&t.to_string()), Some(t));
        }
    }
}
