//! What was shown in all requests of a use case, in memory that does not grow with their number.

use super::RequestShown;
use crate::protocol::disclosure::ShownTotals;

/// What each party was shown in some requests, in the order in which they ended: the first tries one by one, and what all
/// of them showed together. A transfer in parts makes up to some hundred thousand requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhoSawWhat {
    requests: Vec<RequestShown>,
    /// Number of tries in `requests`.
    kept: usize,
    totals: ShownTotals,
}

impl WhoSawWhat {
    /// The most tries that are kept one by one.
    pub const MOST_KEPT: usize = 1_000;

    /// The requests one by one; when there were more than [`WhoSawWhat::MOST_KEPT`] tries, the first ones.
    #[must_use]
    pub fn requests(&self) -> &[RequestShown] {
        &self.requests
    }

    /// What all tries showed together.
    #[must_use]
    pub const fn totals(&self) -> &ShownTotals {
        &self.totals
    }

    /// Number of tries of all requests.
    #[must_use]
    pub const fn tries(&self) -> usize {
        self.totals.tries()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Adds what `later` showed, as if it came after this.
    pub fn append(&mut self, later: Self) {
        for request in later.requests {
            self.keep(request);
        }
        self.totals.append(later.totals);
    }

    fn keep(&mut self, mut request: RequestShown) {
        let room = Self::MOST_KEPT.saturating_sub(self.kept);
        if room == 0 {
            return;
        }
        request.attempts.truncate(room);
        self.kept += request.attempts.len();
        self.requests.push(request);
    }
}

impl Extend<RequestShown> for WhoSawWhat {
    fn extend<I: IntoIterator<Item = RequestShown>>(&mut self, requests: I) {
        for request in requests {
            for attempt in &request.attempts {
                self.totals.add(attempt);
            }
            self.keep(request);
        }
    }
}

impl FromIterator<RequestShown> for WhoSawWhat {
    fn from_iter<I: IntoIterator<Item = RequestShown>>(requests: I) -> Self {
        let mut shown = Self::default();
        shown.extend(requests);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    fn of_requests(number: usize) -> WhoSawWhat {
        std::iter::repeat_with(|| request(2)).take(number).collect()
    }

    #[test]
    fn of_a_hundred_thousand_requests_a_thousand_tries_are_kept_and_all_are_in_the_sums() {
        let shown = of_requests(130_000);
        assert_eq!(shown.requests().len(), WhoSawWhat::MOST_KEPT / 2);
        assert_eq!(shown.tries(), 260_000);
        let [server] = shown.totals().parties() else {
            panic!("the server alone");
        };
        assert_eq!((server.tries, server.sent_bytes), (260_000, 260_000_000));
    }

    #[test]
    fn what_is_appended_counts_as_if_it_had_come_in_one() {
        for (first, second) in [(0, 3), (3, 0), (2, 3), (499, 2), (501, 1), (600, 600)] {
            let mut shown = of_requests(first);
            shown.append(of_requests(second));
            assert_eq!(shown, of_requests(first + second), "{first} and {second}");
        }
    }

    #[test]
    fn the_tries_of_one_request_are_cut_off_where_no_more_are_kept() {
        let shown: WhoSawWhat = [request(900), request(200), request(1)]
            .into_iter()
            .collect();
        let requests = shown.requests().iter();
        let kept: Vec<_> = requests.map(|request| request.attempts.len()).collect();
        assert_eq!(kept, [900, 100]);
        assert_eq!(shown.tries(), 1_101);
    }
}
