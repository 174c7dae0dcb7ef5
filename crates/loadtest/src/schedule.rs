//! When each request is due: stages in which the number of users changes evenly.

use std::time::Duration;

/// A stretch of time in which the number of users goes evenly from one to another.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name in the report.
    pub name: &'static str,
    /// How long it takes.
    pub length: Duration,
    /// Users at its beginning.
    pub from: f64,
    /// Users at its end.
    pub to: f64,
}

impl Stage {
    /// A stage of whole seconds.
    pub(crate) fn new(name: &'static str, seconds: u64, from: u32, to: u32) -> Self {
        Self { name, length: Duration::from_secs(seconds), from: from.into(), to: to.into() }
    }

    /// Requests due within the stage when each user sends `rate` a second.
    fn requests(&self, rate: f64) -> f64 {
        f64::midpoint(self.from, self.to) * self.length.as_secs_f64() * rate
    }

    /// Seconds from the stage's beginning until `count` requests were due: the root of `from·t + (to − from)·t² / 2L = count / rate`,
    /// in the form that loses no digits when the users hardly change.
    fn after(&self, count: f64, rate: f64) -> f64 {
        let (need, slope) = (count / rate, (self.to - self.from) / self.length.as_secs_f64());
        let root = (self.from * self.from + 2.0 * need * slope).max(0.0).sqrt();
        if need == 0.0 { 0.0 } else { 2.0 * need / (self.from + root) }
    }

    fn users_at(&self, seconds: f64) -> f64 {
        self.from + (self.to - self.from) * seconds / self.length.as_secs_f64()
    }
}

/// One request of the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    /// When, from the beginning of the run.
    pub at: Duration,
    /// Index of its stage.
    pub stage: usize,
    /// Users that take turns at that instant, at least one.
    pub users: usize,
}

/// Stages one after another, and how often each user asks.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The stages.
    pub stages: Vec<Stage>,
    /// Requests a second of each user.
    pub rate: f64,
}

impl Schedule {
    /// How long the whole takes.
    pub fn length(&self) -> Duration {
        self.stages.iter().map(|stage| stage.length).sum()
    }

    /// Requests in all.
    pub fn count(&self) -> u64 {
        self.stages.iter().map(|stage| stage.requests(self.rate)).sum::<f64>().round() as u64
    }

    /// The most users that there are at any instant.
    pub fn most_users(&self) -> usize {
        self.stages.iter().map(|stage| stage.from.max(stage.to)).fold(1.0, f64::max).ceil() as usize
    }

    /// The request of number `n`, counted from 0; `None` past the end.
    pub fn due(&self, n: u64) -> Option<Due> {
        let (mut left, mut start) = (n as f64, Duration::ZERO);
        for (index, stage) in self.stages.iter().enumerate() {
            let held = stage.requests(self.rate);
            if left < held {
                let seconds = stage.after(left, self.rate);
                let users = stage.users_at(seconds).ceil().max(1.0) as usize;
                return Some(Due { at: start + Duration::from_secs_f64(seconds), stage: index, users });
            }
            left -= held;
            start += stage.length;
        }
        None
    }

    /// The same shape in another time.
    #[must_use]
    pub fn lasting(mut self, length: Duration) -> Self {
        let factor = length.as_secs_f64() / self.length().as_secs_f64();
        for stage in &mut self.stages {
            stage.length = stage.length.mul_f64(factor);
        }
        self
    }

    /// The same shape with another number of users at its height.
    #[must_use]
    pub fn with_users(mut self, users: u32) -> Self {
        let factor = f64::from(users) / self.stages.iter().map(|s| s.from.max(s.to)).fold(1.0, f64::max);
        for stage in &mut self.stages {
            (stage.from, stage.to) = (stage.from * factor, stage.to * factor);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(schedule: &Schedule) -> Vec<Due> {
        (0..).map_while(|n| schedule.due(n)).collect()
    }

    #[test]
    fn a_level_stage_is_evenly_spaced() {
        let schedule = Schedule { stages: vec![Stage::new("main", 10, 4, 4)], rate: 0.5 };
        let dues = dues(&schedule);
        assert_eq!(dues.len(), 20);
        assert_eq!(schedule.count(), 20);
        for (n, due) in dues.iter().enumerate() {
            assert!((due.at.as_secs_f64() - n as f64 * 0.5).abs() < 1e-9, "{n}: {due:?}");
            assert_eq!((due.stage, due.users), (0, 4));
        }
    }

    #[test]
    fn a_ramp_has_as_many_requests_as_the_area_under_it() {
        let stages =
            vec![Stage::new("up", 10, 0, 10), Stage::new("flat", 10, 10, 10), Stage::new("down", 10, 10, 0)];
        let schedule = Schedule { stages, rate: 2.0 };
        let dues = dues(&schedule);
        assert_eq!(dues.len() as u64, schedule.count());
        assert_eq!(dues.len(), 100 + 200 + 100);
        assert_eq!(schedule.most_users(), 10);
        assert!(dues.windows(2).all(|pair| pair[0].at <= pair[1].at), "time never runs backwards");
        assert!(dues.last().is_some_and(|due| due.at < schedule.length()));
        // A quarter of the ramp's requests lie in its first half.
        let early = dues.iter().filter(|due| due.at < Duration::from_secs(5)).count();
        assert!((24..=26).contains(&early), "{early}");
        assert_eq!(dues.iter().filter(|due| due.stage == 1).count(), 200);
    }

    #[test]
    fn duration_and_users_keep_the_shape() {
        let stages = vec![Stage::new("up", 30, 5, 10), Stage::new("main", 90, 10, 10)];
        let schedule = Schedule { stages, rate: 1.0 };
        let short = schedule.clone().lasting(Duration::from_secs(12)).with_users(20);
        assert_eq!(short.length(), Duration::from_secs(12));
        assert_eq!(short.stages[0].length, Duration::from_secs(3));
        assert_eq!((short.stages[0].from, short.stages[0].to), (10.0, 20.0));
        assert_eq!(short.count(), 45 + 180);
    }
}
