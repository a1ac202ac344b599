//! The vendored page events: `data/web_events.csv.gz`, see `data/README.md`.

use super::source::{BadData, Source};

/// One page event, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The web user's number, 0 based.
    pub user: u32,
    pub session: String,
    pub event: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    pub platform: String,
    pub channel: String,
}

/// The file.
pub const FILE: Source =
    Source { name: "web_events.csv.gz", bytes: include_bytes!("../../../../data/web_events.csv.gz") };

/// All of them, in the file's order.
///
/// # Errors
/// The file is not as `data/README.md` describes it.
pub fn read() -> Result<Vec<Visit>, BadData> {
    FILE.parse(parse)
}

/// `user_0000,sess_000001,home,2024-03-13 10:21:14,desktop,email,2024-01,returning`: no column is ever quoted.
fn parse(line: &str) -> Option<Visit> {
    let mut columns = line.split(',');
    let user = columns.next()?.strip_prefix("user_")?.parse().ok()?;
    let session = columns.next()?.to_owned();
    let event = columns.next()?.to_owned();
    let at = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", columns.next()?).ok()?;
    let at_ms = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    let platform = columns.next()?.to_owned();
    let channel = columns.next()?.to_owned();
    (columns.count() == 2).then_some(Visit { user, session, event, at_ms, platform, channel })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_page_event() {
        let line = "user_0599,sess_003605,home,2024-03-13 10:21:14,desktop,email,2024-01,returning";
        let expected = Visit {
            user: 599,
            session: "sess_003605".into(),
            event: "home".into(),
            at_ms: 1_710_325_274_000,
            platform: "desktop".into(),
            channel: "email".into(),
        };
        assert_eq!(parse(line), Some(expected));
    }

    #[test]
    fn anything_else_is_not() {
        for line in ["", "user_1,s,home,2024-13-13 10:21:14,desktop,email,c,l", "user_1,s,home,2024-03-13 10:21:14,d,e"]
        {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
