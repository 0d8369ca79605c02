//! Makes order events, for the demo and for benches: the shape of `queries/order_analytics.sql`, from a seed.

use std::fmt::Write;

use crate::time::EventTime;

/// A small generator of numbers that look random (xorshift64); the same seed gives the same events.
#[derive(Debug, Clone)]
pub struct Orders {
    state: u64,
    users: u64,
}

const STATUSES: [&str; 5] = ["pending", "confirmed", "shipped", "delivered", "cancelled"];
const EVENTS: [&str; 3] = ["order.created", "order.updated", "order.cancelled"];

impl Orders {
    /// Orders of `users` users.
    pub fn new(seed: u64, users: u64) -> Self {
        Orders { state: seed | 1, users: users.max(1) }
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end.max(1)
    }

    fn id(&mut self) -> String {
        let (high, low) = (self.below(u64::MAX), self.below(u64::MAX));
        let (a, b, c, d) = (high >> 32, high >> 16 & 0xffff, high & 0xfff, low >> 48 & 0xfff);
        format!("{a:08x}-{b:04x}-4{c:03x}-a{d:03x}-{:012x}", low & 0xffff_ffff_ffff)
    }

    /// One order as JSON, some 400 bytes, replacing what is in `out`.
    pub fn write(&mut self, created_at: EventTime, out: &mut String) {
        out.clear();
        let items = 1 + self.below(4);
        let (id, order_id) = (self.id(), self.id());
        let (user, amount, cents) = (self.below(self.users), 10 + self.below(20_000), self.below(100));
        let status = STATUSES[self.below(STATUSES.len() as u64) as usize];
        let event = EVENTS[self.below(EVENTS.len() as u64) as usize];
        let at = created_at.to_string().replace(' ', "T");
        let written = write!(
            out,
            r#"{{"id":"{id}","order_id":"{order_id}","user_id":"user-{user}","total_amount":{amount}."#
        );
        let more = write!(
            out,
            r#"{cents:02},"status":"{status}","items_count":{items},"event_type":"{event}","created_at":"#
        );
        debug_assert!(written.and(more).is_ok(), "a String takes everything");
        out.push_str(&format!(r#""{at}","items":["#));
        for item in 0..items {
            let (product, quantity) = (self.below(500), 1 + self.below(9));
            let (price, cents) = (10 + self.below(3_000), self.below(100));
            out.push_str(if item == 0 { "" } else { "," });
            let written = write!(
                out,
                r#"{{"product_id":"prod-{product:03}","quantity":{quantity},"price":{price}.{cents:02}}}"#
            );
            debug_assert!(written.is_ok(), "a String takes everything");
        }
        out.push_str("]}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_json_and_follow_from_the_seed() {
        let at = EventTime(1_763_975_296_293_872);
        let (mut first, mut second) = (String::new(), String::new());
        Orders::new(7, 10).write(at, &mut first);
        Orders::new(7, 10).write(at, &mut second);
        assert_eq!(first, second);
        let order: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert_eq!(order["created_at"], "2025-11-24T09:08:16.293872");
        assert!(order["user_id"].as_str().unwrap().starts_with("user-"));
    }
}
