//! The run-length encodings of columns.
//!
//! A column of values is a row of runs, each headed by a signed number: `n > 0`: one value, n times; `n < 0`: −n values; `0`: then
//! a count of nulls. A column of differences is such a column over the differences of successive numbers. A column of booleans
//! is a row of counts, of false and true in turn.

use super::{
    DecodeError,
    leb128::{Reader, write_signed, write_unsigned},
};

/// A value that a run-length encoded column can hold.
pub(super) trait Item<'a>: Copy + PartialEq {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    fn write(self, out: &mut Vec<u8>);
}

impl<'a> Item<'a> for u64 {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.unsigned()
    }
    #[inline]
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self);
    }
}

impl<'a> Item<'a> for i64 {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.signed()
    }
    #[inline]
    fn write(self, out: &mut Vec<u8>) {
        write_signed(out, self);
    }
}

/// A key, in the column.
impl<'a> Item<'a> for &'a str {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let bytes = reader.prefixed()?;
        if bytes.len() > super::MAX_KEY_BYTES {
            return Err(DecodeError::TooLarge("a key is too long"));
        }
        std::str::from_utf8(bytes).map_err(|_| DecodeError::Malformed("a key is not UTF-8"))
    }
    #[inline]
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }
}

enum Run<T> {
    Repeat(T, u64),
    Literal(u64),
    Nulls(u64),
}

/// Reads a run-length encoded column. After its end every value is null.
pub(super) struct Runs<'a, T> {
    reader: Reader<'a>,
    run: Run<T>,
}

impl<'a, T: Item<'a>> Runs<'a, T> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            run: Run::Nulls(0),
        }
    }

    /// True if no run is left.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        let left = match self.run {
            Run::Repeat(_, n) | Run::Literal(n) | Run::Nulls(n) => n,
        };
        left == 0 && self.reader.is_empty()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<T>, DecodeError> {
        loop {
            match &mut self.run {
                Run::Repeat(value, left) if *left > 0 => {
                    *left -= 1;
                    return Ok(Some(*value));
                }
                Run::Literal(left) if *left > 0 => {
                    *left -= 1;
                    return T::read(&mut self.reader).map(Some);
                }
                Run::Nulls(left) if *left > 0 => {
                    *left -= 1;
                    return Ok(None);
                }
                _ if self.reader.is_empty() => return Ok(None),
                _ => self.run = self.next_run()?,
            }
        }
    }

    fn next_run(&mut self) -> Result<Run<T>, DecodeError> {
        Ok(match self.reader.signed()? {
            0 => match self.reader.unsigned()? {
                0 => return Err(DecodeError::Malformed("an empty run")),
                n => Run::Nulls(n),
            },
            n if n > 0 => Run::Repeat(T::read(&mut self.reader)?, n.unsigned_abs()),
            n => Run::Literal(n.unsigned_abs()),
        })
    }
}

/// Reads a column of differences.
pub(super) struct Differences<'a> {
    runs: Runs<'a, i64>,
    last: i64,
}

impl<'a> Differences<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            runs: Runs::new(bytes),
            last: 0,
        }
    }

    /// True if no run is left.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.runs.is_done()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<u64>, DecodeError> {
        let Some(difference) = self.runs.next()? else {
            return Ok(None);
        };
        self.last = self
            .last
            .checked_add(difference)
            .ok_or(DecodeError::Malformed("a counter overflows"))?;
        u64::try_from(self.last)
            .map(Some)
            .map_err(|_| DecodeError::Malformed("a counter is negative"))
    }
}

/// Reads a column of booleans. After its end every value is false.
pub(super) struct Booleans<'a> {
    reader: Reader<'a>,
    value: bool,
    left: u64,
    started: bool,
}

impl<'a> Booleans<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            value: false,
            left: 0,
            started: false,
        }
    }

    /// True if no count is left.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.reader.is_empty()
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<bool, DecodeError> {
        while self.left == 0 {
            if self.reader.is_empty() {
                return Ok(false);
            }
            self.value = self.started && !self.value;
            self.started = true;
            self.left = self.reader.unsigned()?;
        }
        self.left -= 1;
        Ok(self.value)
    }
}

/// Appends a run-length encoded column of `count` values; nothing if all are null.
pub(super) fn write_runs<'a, T: Item<'a>>(out: &mut Vec<u8>, count: usize, value: impl Fn(usize) -> Option<T>) {
    if (0..count).all(|i| value(i).is_none()) {
        return;
    }
    let mut i = 0;
    while i < count {
        let first = value(i);
        let same = 1 + (i + 1..count).take_while(|j| value(*j) == first).count();
        match first {
            None => {
                write_signed(out, 0);
                write_unsigned(out, same as u64);
                i += same;
            }
            Some(first) if same > 1 => {
                write_signed(out, same as i64);
                first.write(out);
                i += same;
            }
            Some(_) => {
                let end = literal_end(i, count, &value);
                write_signed(out, -((end - i) as i64));
                (i..end).filter_map(&value).for_each(|value| value.write(out));
                i = end;
            }
        }
    }
}

/// Where a run of values that are each different from the next ends.
fn literal_end<T: PartialEq>(start: usize, count: usize, value: impl Fn(usize) -> Option<T>) -> usize {
    let mut end = start + 1;
    while end < count {
        let this = value(end);
        if this.is_none() || (end + 1 < count && value(end + 1) == this) {
            break;
        }
        end += 1;
    }
    end
}

/// Appends a column of differences of `count` values; nothing if all are null.
pub(super) fn write_differences(out: &mut Vec<u8>, count: usize, value: impl Fn(usize) -> Option<u32>) {
    if (0..count).all(|i| value(i).is_none()) {
        return;
    }
    let mut last = 0i64;
    let differences: Vec<Option<i64>> = (0..count)
        .map(|i| {
            let value = i64::from(value(i)?);
            Some(value - std::mem::replace(&mut last, value))
        })
        .collect();
    write_runs(out, count, |i| differences[i]);
}

/// Appends a column of booleans.
pub(super) fn write_booleans(out: &mut Vec<u8>, values: impl Iterator<Item = bool>) {
    let (mut current, mut count) = (false, 0u64);
    for value in values {
        if value != current {
            write_unsigned(out, count);
            (current, count) = (value, 0);
        }
        count += 1;
    }
    if count > 0 {
        write_unsigned(out, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_survive_a_round_trip() {
        for values in [
            vec![Some(1u64), Some(1), Some(2), None, None, Some(3), Some(4), Some(4)],
            vec![Some(7)],
            vec![None, Some(0), None],
        ] {
            let mut out = Vec::new();
            write_runs(&mut out, values.len(), |i| values[i]);
            let mut runs = Runs::<u64>::new(&out);
            let read: Vec<_> = values.iter().map(|_| runs.next().expect("reads")).collect();
            assert_eq!(read, values);
            assert!(runs.is_done());
        }
        let mut out = Vec::new();
        let values = [Some(5), Some(3), None, Some(9)];
        write_differences(&mut out, 4, |i| values[i]);
        let mut differences = Differences::new(&out);
        let read: Vec<_> = (0..4).map(|_| differences.next().expect("reads")).collect();
        assert_eq!(read, [Some(5), Some(3), None, Some(9)]);
        let mut out = Vec::new();
        let values = [true, true, false, true];
        write_booleans(&mut out, values.into_iter());
        let mut booleans = Booleans::new(&out);
        assert_eq!(values.map(|_| booleans.next().expect("reads")), values);
    }
}
