//! A figure of a benchmark: its runs, what it stands beside, and whether it comes to what was aimed at.

use serde_json::Value as Json;

/// A figure as a benchmark gave it.
pub struct Figure<'a>(pub &'a Json);

/// Several runs of the same.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least and the most.
    pub range: (f64, f64),
}

impl Figure<'_> {
    /// Holdfast's.
    pub fn ours(&self) -> Option<Spread> {
        Spread::of(&self.0["runs"])
    }

    /// What it stands beside, and its name.
    pub fn beside(&self) -> Option<(&str, Spread)> {
        let beside = &self.0["beside"];
        Some((beside["name"].as_str()?, Spread::of(&beside["runs"])?))
    }

    /// How many times what it stands beside.
    pub fn ratio(&self) -> Option<f64> {
        let (ours, (_, beside)) = (self.ours()?, self.beside()?);
        (beside.median != 0.0).then(|| ours.median / beside.median)
    }

    /// What was aimed at in words, and whether it is met.
    pub fn goal(&self) -> Option<(String, bool)> {
        let (goal, ours) = (&self.0["goal"], self.ours()?.median);
        let unit = self.0["unit"].as_str().unwrap_or_default();
        if let Some(limit) = goal["times"].as_f64() {
            return Some((format!("at most {}", times(limit)), self.ratio()? <= limit));
        }
        if let Some(limit) = goal["atMost"].as_f64() {
            return Some((format!("at most {}", value(limit, unit)), ours <= limit));
        }
        let limit = goal["atLeast"].as_f64()?;
        Some((format!("at least {}", value(limit, unit)), ours >= limit))
    }
}

impl Spread {
    fn of(runs: &Json) -> Option<Self> {
        let mut runs: Vec<f64> = runs.as_array()?.iter().filter_map(Json::as_f64).collect();
        runs.sort_by(f64::total_cmp);
        let (first, last) = (*runs.first()?, *runs.last()?);
        let middle = runs.len() / 2;
        let median = if runs.len().is_multiple_of(2) {
            f64::midpoint(runs[middle - 1], runs[middle])
        } else {
            runs[middle]
        };
        Some(Self {
            median,
            range: (first, last),
        })
    }

    /// The median, and the range where runs differ.
    pub fn words(&self, unit: &str) -> String {
        let (least, most) = (number(self.range.0), number(self.range.1));
        if least == most {
            return value(self.median, unit);
        }
        format!("{} ({least}–{most})", value(self.median, unit))
    }
}

/// A ratio: `1.8×`, or `1/12×` where it is much less than one.
pub fn times(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.5 {
        return format!("1/{}×", number(1.0 / ratio));
    }
    format!("{}×", number(ratio))
}

fn value(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value))
}

/// About three figures, thousands apart.
fn number(number: f64) -> String {
    let size = number.abs();
    if number != 0.0 && size < 0.001 {
        return format!("{number:.1e}");
    }
    match size {
        n if n >= 99.95 || n.fract() == 0.0 => thousands(number),
        n if n >= 9.995 => format!("{number:.1}"),
        n if n >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.4}"),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_as_exact_as_people_read_them() {
        for (given, shown) in [
            (1_234_567.8, "1,234,568"),
            (100.0, "100"),
            (12.345, "12.3"),
            (1.2345, "1.23"),
            (0.0123, "0.0123"),
            (0.000_012, "1.2e-5"),
            (0.0, "0"),
            (-1_500.0, "-1,500"),
        ] {
            assert_eq!(number(given), shown);
        }
        assert_eq!(times(1.8), "1.80×");
        assert_eq!(times(0.05), "1/20×");
    }

    #[test]
    fn the_median_counts_and_a_goal_is_met_or_not() {
        let figure = |goal: Json| json!({ "unit": "s", "runs": [3.0, 1.0, 2.0], "beside": { "name": "bulk", "runs": [1.0, 1.0] }, "goal": goal });
        for (goal, words, met) in [
            (json!({ "times": 2.0 }), "at most 2×", true),
            (json!({ "times": 1.5 }), "at most 1.50×", false),
            (json!({ "atMost": 1.0 }), "at most 1 s", false),
            (json!({ "atLeast": 2.0 }), "at least 2 s", true),
        ] {
            let figure = figure(goal);
            assert_eq!(Figure(&figure).goal(), Some((words.to_owned(), met)));
            assert_eq!(Figure(&figure).ours().unwrap().words("s"), "2 s (1–3)");
        }
        let without = figure(Json::Null);
        assert_eq!(Figure(&without).goal(), None);
        assert_eq!(Figure(&without).ratio(), Some(2.0));
    }
}
