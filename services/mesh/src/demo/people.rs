//! Invented people. Nothing here is anybody's: names are put together from lists, e-mail addresses end in
//! `example.org` (RFC 2606), phone numbers are of the exchange 555-01xx, which is kept for fiction.

use super::dice::Dice;

/// What is invented about one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub full_name: String,
    pub email: String,
    pub phone: Option<String>,
    /// Days since 1970.
    pub birth_date: i32,
    pub street: String,
    pub city: &'static str,
    pub postcode: String,
    pub country: &'static str,
    /// Kind and e-mail address of further contacts.
    pub contacts: Vec<(&'static str, String)>,
    pub marketing_consent: bool,
}

const FIRST: [&str; 40] = [
    "Ada", "Amir", "Anouk", "Bela", "Carla", "Chidi", "Dana", "Dmitri", "Elif", "Emil", "Farah", "Finn", "Greta",
    "Hana", "Hugo", "Ines", "Ivo", "Jana", "Jonas", "Kaya", "Lars", "Leila", "Luca", "Maeve", "Mateo", "Mina", "Nadia",
    "Noor", "Oskar", "Paula", "Priya", "Rafael", "Rosa", "Samir", "Selma", "Tomas", "Uma", "Viktor", "Yara", "Zoe",
];
const LAST: [&str; 40] = [
    "Abendroth",
    "Adeyemi",
    "Bakker",
    "Bellini",
    "Castro",
    "Cohen",
    "Dubois",
    "Eriksen",
    "Farkas",
    "Fischer",
    "Garcia",
    "Haddad",
    "Hughes",
    "Ivanova",
    "Jansen",
    "Kaplan",
    "Keller",
    "Kowalski",
    "Laurent",
    "Lindqvist",
    "Mancini",
    "Moreau",
    "Nakamura",
    "Novak",
    "Okafor",
    "Olsen",
    "Petrov",
    "Quinn",
    "Rossi",
    "Sato",
    "Schuster",
    "Silva",
    "Sousa",
    "Tanaka",
    "Toth",
    "Urban",
    "Vogel",
    "Weiss",
    "Yilmaz",
    "Zeman",
];
const STREETS: [&str; 12] = [
    "Acacia Avenue",
    "Birch Lane",
    "Canal Street",
    "Dover Road",
    "Elm Street",
    "Foundry Row",
    "Garden Walk",
    "Harbour Street",
    "Linden Avenue",
    "Mill Lane",
    "Orchard Road",
    "Station Street",
];
const CITIES: [(&str, &str, u64); 8] = [
    ("Springfield", "US", 60_000),
    ("Riverton", "US", 80_000),
    ("Lindenau", "DE", 10_000),
    ("Neustadt", "DE", 30_000),
    ("Beaulieu", "FR", 40_000),
    ("Villanova", "IT", 20_000),
    ("Nieuwdorp", "NL", 1_000),
    ("Santa Clara", "ES", 28_000),
];
const KINDS: [&str; 3] = ["billing", "delivery", "gift"];
/// 1940-01-01 and how many days after it births are spread.
const BIRTH_FROM_DAYS: i32 = -10_957;
const BIRTH_SPREAD_DAYS: u64 = 24_000;

/// Invents the person behind customer `number`.
pub fn invent(dice: &mut Dice, number: u32) -> Person {
    let (first, last) = (dice.pick(&FIRST), dice.pick(&LAST));
    let (city, country, postcode_base) = CITIES[dice.below(CITIES.len() as u64) as usize];
    Person {
        full_name: format!("{first} {last}"),
        email: format!("{}.{}.{number}@example.org", first.to_lowercase(), last.to_lowercase()),
        phone: dice.chance(80).then(|| phone(dice)),
        birth_date: BIRTH_FROM_DAYS + dice.below(BIRTH_SPREAD_DAYS) as i32,
        street: format!("{} {}", 1 + dice.below(180), dice.pick(&STREETS)),
        city,
        postcode: format!("{:05}", postcode_base + dice.below(900)),
        country,
        contacts: contacts(dice, number),
        marketing_consent: dice.chance(60),
    }
}

fn phone(dice: &mut Dice) -> String {
    format!("+1-{}-555-01{:02}", 201 + dice.below(700), dice.below(100))
}

fn contacts(dice: &mut Dice, number: u32) -> Vec<(&'static str, String)> {
    let count = if dice.chance(15) { 1 + dice.below(2) } else { 0 };
    (0..count)
        .map(|_| {
            let kind = dice.pick(&KINDS);
            (kind, format!("{kind}.{}.{number}@example.org", dice.pick(&LAST).to_lowercase()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_marked_as_invented_and_the_same_in_every_run() {
        let people = |seed| {
            let mut dice = Dice::new(seed, 0);
            (1..=2_000).map(|number| invent(&mut dice, number)).collect::<Vec<_>>()
        };
        let invented = people(1);
        assert_eq!(invented, people(1));
        assert!(invented.iter().all(|person| person.email.ends_with("@example.org")));
        assert!(invented.iter().filter_map(|person| person.phone.as_ref()).all(|phone| phone.contains("-555-01")));
        assert!(invented.iter().flat_map(|person| &person.contacts).all(|(_, email)| email.ends_with("@example.org")));
        let emails: std::collections::HashSet<_> = invented.iter().map(|person| &person.email).collect();
        assert_eq!(emails.len(), invented.len(), "an e-mail address belongs to one customer");
    }
}
