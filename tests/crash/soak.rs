//! Memory does not grow with the number of records.

use crate::fleet::Fleet;
use crate::load::Load;
use crate::stage::Stage;
use crate::{ONE_AT_A_TIME, catch_up, register, setting, tell};
use std::fs;
use std::time::{Duration, Instant};

/// How long, unless `MESH_SOAK_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Records a second, of each product.
const LOAD: u64 = 1_000;
const STEP: Duration = Duration::from_millis(250);
/// How much larger the last quarter's peak may be than the second's.
const GROWTH_MAX: f64 = 1.10;

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_flat() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let seconds = setting("MESH_SOAK_SECONDS").unwrap_or(SECONDS);
    let stage = Stage::start().await;
    let ids = register(&stage).await;
    let mut fleet = Fleet::new(&["a"]);
    fleet.start(&stage, "a");
    let load = Load::start(&stage.settings(), ids, LOAD);
    let peaks = peaks(Duration::from_secs(seconds), &mut fleet, &stage).await;
    let sent = load.stop().await;
    catch_up(&stage, &mut fleet).await;
    fleet.retire("a");
    stage.stop().await;
    let shown = peaks.map(|peak| format!("{:.1}", peak as f64 / 1024.0)).join(", ");
    tell(&format!("soak of {seconds} s, {sent} records of each product: peaks by quarter {shown} MB"));
    let growth = peaks[3] as f64 / peaks[1] as f64;
    assert!(growth <= GROWTH_MAX, "memory has grown: {shown} MB");
}

/// The largest resident size in each quarter of the time, in KB.
async fn peaks(total: Duration, fleet: &mut Fleet, stage: &Stage) -> [u64; 4] {
    let mut peaks = [0; 4];
    let started = Instant::now();
    while started.elapsed() < total {
        fleet.tend(stage);
        let quarter = (started.elapsed().as_secs_f64() / total.as_secs_f64() * 4.0) as usize;
        let peak = &mut peaks[quarter.min(3)];
        *peak = (*peak).max(resident_kb(fleet.pid("a")));
        tokio::time::sleep(STEP).await;
    }
    peaks
}

/// `VmRSS` of proc(5).
fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has one");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}
