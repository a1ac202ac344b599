//! The three domains' events: real purchases and page events, invented people, everything shifted to now.

use super::dice::Dice;
use super::event::{Address, Cents, Contact, Customer, Order, PageView, Segment};
use super::people::{self, Person};
use super::purchases::{self, Purchase};
use super::source::BadData;
use super::visits::{self, Visit};
use std::collections::BTreeMap;

/// The seed of everything invented: every run sees the same people.
pub const SEED: u64 = 20_240_601;
/// How long before now the newest order and customer change are.
const FRESH_MS: i64 = 90 * 1_000;
/// How long before now the newest page view is: the web domain's promise is a day, and it is broken.
pub const STALE_MS: i64 = 2 * DAY_MS;
/// How many customers ask to be forgotten.
const FORGOTTEN: usize = 3;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// All events, each product's in the order of their times.
#[derive(Debug)]
pub struct World {
    pub customers: Vec<Customer>,
    pub orders: Vec<Order>,
    pub page_views: Vec<PageView>,
}

impl World {
    /// Reads the vendored data and invents the rest, as seen at `now_ms`.
    ///
    /// # Errors
    /// The data are not as `data/README.md` describes them.
    pub fn read(now_ms: i64) -> Result<Self, BadData> {
        let purchases = purchases::read()?;
        let visits = visits::read()?;
        Ok(Self::build(&purchases, &visits, now_ms))
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.customers.len() + self.orders.len() + self.page_views.len()
    }

    /// The customers who will ask to be forgotten.
    pub fn forgotten(&self) -> &[Customer] {
        &self.customers[..FORGOTTEN.min(self.customers.len())]
    }

    /// A customer with something in every column, who looked much at the web pages: somebody to show.
    pub fn somebody(&self) -> &str {
        let mut looks: BTreeMap<&str, u32> = BTreeMap::new();
        let visitors = self.page_views.iter().filter_map(|view| view.visitor_email.as_deref());
        visitors.for_each(|visitor| *looks.entry(visitor).or_default() += 1);
        let complete = |customer: &&Customer| customer.phone.is_some() && !customer.contacts.is_empty();
        let looked = |customer: &&Customer| looks.get(customer.email.as_str()).copied().unwrap_or(0);
        let remembered = self.customers.iter().skip(FORGOTTEN);
        let somebody = remembered.filter(complete).max_by_key(looked);
        somebody.map_or("", |customer| customer.customer_id.as_str())
    }

    fn build(purchases: &[Purchase], visits: &[Visit], now_ms: i64) -> Self {
        let orders = orders(purchases, now_ms - FRESH_MS);
        let people = people(purchases);
        let customers = customers(&people, &orders);
        let page_views = page_views(visits, &people, now_ms - STALE_MS);
        Self { customers, orders, page_views }
    }
}

fn customer_id(number: u32) -> String {
    format!("C{number:05}")
}

/// One order a purchase, the newest at `newest_ms`. The file knows the day alone: the time of day is invented.
fn orders(purchases: &[Purchase], newest_ms: i64) -> Vec<Order> {
    let mut dice = Dice::new(SEED, 1);
    let mut timed: Vec<(i64, &Purchase)> =
        purchases.iter().map(|purchase| (day_ms(purchase) + opening_hours_ms(&mut dice), purchase)).collect();
    timed.sort_by_key(|(at_ms, purchase)| (*at_ms, purchase.customer));
    let shift_ms = newest_ms - timed.last().map_or(0, |(at_ms, _)| *at_ms);
    let numbered = timed.into_iter().enumerate();
    numbered.map(|(index, (at_ms, purchase))| order(index + 1, at_ms + shift_ms, purchase)).collect()
}

fn order(number: usize, ordered_at: i64, purchase: &Purchase) -> Order {
    Order {
        order_id: format!("O{number:06}"),
        customer_id: customer_id(purchase.customer),
        ordered_at,
        quantity: purchase.quantity,
        amount: Cents(purchase.cents),
        updated_at: ordered_at,
    }
}

fn day_ms(purchase: &Purchase) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    // Whole days between two civil dates: no time zone, no daylight saving.
    (purchase.date - epoch).get_days() as i64 * DAY_MS
}

/// Some time between 08:00 and 22:00.
fn opening_hours_ms(dice: &mut Dice) -> i64 {
    (8 * 3_600_000 + dice.below(14 * 3_600_000)) as i64
}

fn people(purchases: &[Purchase]) -> BTreeMap<u32, Person> {
    let mut dice = Dice::new(SEED, 2);
    let mut people = BTreeMap::new();
    for purchase in purchases {
        people.entry(purchase.customer).or_insert_with(|| people::invent(&mut dice, purchase.customer));
    }
    people
}

/// One event a customer: as the CRM knows them after their last order.
fn customers(people: &BTreeMap<u32, Person>, orders: &[Order]) -> Vec<Customer> {
    let mut bought: BTreeMap<&str, (i64, i64, usize)> = BTreeMap::new();
    for order in orders {
        let (_, last, count) = bought.entry(&order.customer_id).or_insert((order.ordered_at, 0, 0));
        (*last, *count) = (order.ordered_at, *count + 1);
    }
    let mut customers: Vec<Customer> = people
        .iter()
        .map(|(number, person)| {
            let id = customer_id(*number);
            let (first, last, count) = bought.get(id.as_str()).copied().unwrap_or_default();
            customer(id, person, (first, last), count)
        })
        .collect();
    customers.sort_by(|a, b| (a.updated_at, &a.customer_id).cmp(&(b.updated_at, &b.customer_id)));
    customers
}

fn customer(customer_id: String, person: &Person, (registered_at, updated_at): (i64, i64), orders: usize) -> Customer {
    let contact = |(kind, email): &(&str, String)| Contact { kind: (*kind).to_owned(), email: email.clone() };
    Customer {
        customer_id,
        full_name: person.full_name.clone(),
        email: person.email.clone(),
        phone: person.phone.clone(),
        birth_date: person.birth_date,
        address: Address {
            street: person.street.clone(),
            city: person.city.to_owned(),
            postcode: person.postcode.clone(),
            country: person.country.to_owned(),
        },
        contacts: person.contacts.iter().map(contact).collect(),
        segment: Segment::of(orders),
        marketing_consent: person.marketing_consent,
        registered_at,
        updated_at,
    }
}

/// One page view an event, the newest at `newest_ms`. Which web user is which customer is invented.
fn page_views(visits: &[Visit], people: &BTreeMap<u32, Person>, newest_ms: i64) -> Vec<PageView> {
    let emails = emails_of_users(visits, people);
    let mut timed: Vec<(usize, &Visit)> = visits.iter().enumerate().collect();
    timed.sort_by_key(|(index, visit)| (visit.at_ms, *index));
    let shift_ms = newest_ms - timed.last().map_or(0, |(_, visit)| visit.at_ms);
    let numbered = timed.into_iter().enumerate();
    numbered.map(|(index, (_, visit))| page_view(index + 1, visit, &emails, shift_ms)).collect()
}

fn page_view(number: usize, visit: &Visit, emails: &[Option<String>], shift_ms: i64) -> PageView {
    PageView {
        view_id: format!("V{number:06}"),
        session_id: visit.session.clone(),
        visitor_email: emails.get(visit.user as usize).cloned().flatten(),
        event: visit.event.clone(),
        platform: visit.platform.clone(),
        acquisition_channel: visit.channel.clone(),
        viewed_at: visit.at_ms + shift_ms,
    }
}

/// Nine of ten web users are signed in, as a customer of their own.
fn emails_of_users(visits: &[Visit], people: &BTreeMap<u32, Person>) -> Vec<Option<String>> {
    let mut dice = Dice::new(SEED, 3);
    let mut customers: Vec<&Person> = people.values().collect();
    let users = visits.iter().map(|visit| visit.user as usize + 1).max().unwrap_or(0);
    (0..users)
        .map(|_| {
            let signed_in = dice.chance(90) && !customers.is_empty();
            signed_in.then(|| customers.swap_remove(dice.below(customers.len() as u64) as usize).email.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn world() -> World {
        World::read(NOW_MS).unwrap()
    }

    #[test]
    fn it_is_as_large_as_the_data_and_the_same_in_every_run() {
        let world = world();
        assert_eq!((world.customers.len(), world.orders.len(), world.page_views.len()), (23_570, 69_659, 31_106));
        let again = self::world();
        assert_eq!(world.customers, again.customers);
        assert_eq!(world.orders, again.orders);
        assert_eq!(world.page_views, again.page_views);
    }

    #[test]
    fn the_newest_is_now_and_the_stale_product_is_further_back() {
        let world = world();
        assert_eq!(world.orders.last().unwrap().ordered_at, NOW_MS - FRESH_MS);
        assert_eq!(world.customers.last().unwrap().updated_at, NOW_MS - FRESH_MS);
        assert_eq!(world.page_views.last().unwrap().viewed_at, NOW_MS - STALE_MS);
        assert!(world.orders.is_sorted_by_key(|order| order.ordered_at));
        assert!(world.page_views.is_sorted_by_key(|view| view.viewed_at));
        let two_years_ms = 2 * 365 * DAY_MS;
        assert!(world.orders[0].ordered_at > NOW_MS - two_years_ms, "the contract keeps orders for two years");
    }

    #[test]
    fn keys_are_unique_and_every_order_has_its_customer() {
        let world = world();
        let customers: HashSet<&str> = world.customers.iter().map(|customer| customer.customer_id.as_str()).collect();
        assert_eq!(customers.len(), world.customers.len());
        assert!(world.orders.iter().all(|order| customers.contains(order.customer_id.as_str())));
        let orders: HashSet<&str> = world.orders.iter().map(|order| order.order_id.as_str()).collect();
        assert_eq!(orders.len(), world.orders.len());
    }

    #[test]
    fn signed_in_visitors_are_customers() {
        let world = world();
        let customers: HashSet<&str> = world.customers.iter().map(|customer| customer.email.as_str()).collect();
        let visitors: HashSet<&str> =
            world.page_views.iter().filter_map(|view| view.visitor_email.as_deref()).collect();
        assert!(visitors.len() > 500, "{}", visitors.len());
        assert!(visitors.is_subset(&customers));
        assert!(world.page_views.iter().any(|view| view.visitor_email.is_none()));
    }

    #[test]
    fn somebody_has_something_in_every_column() {
        let world = world();
        let id = world.somebody().to_owned();
        let customer = world.customers.iter().find(|customer| customer.customer_id == id).unwrap();
        assert!(customer.phone.is_some() && !customer.contacts.is_empty());
        let visited = world.page_views.iter().filter(|view| view.visitor_email.as_ref() == Some(&customer.email));
        assert!(visited.count() > 20);
    }

    #[test]
    fn money_is_kept_to_the_cent() {
        let cents: i64 = world().orders.iter().map(|order| order.amount.0).sum();
        assert_eq!(cents, 250_031_563, "the sum of the file's column");
    }
}
