//! Names that give sensitive data away, compared word by word.

/// Words that a number cannot be, and what stands for them.
const TEXT_ONLY: &[&str] = &[
    "email",
    "e mail",
    "mail address",
    "full name",
    "fullname",
    "first name",
    "firstname",
    "last name",
    "lastname",
    "given name",
    "family name",
    "middle name",
    "maiden name",
    "surname",
    "forename",
    "street",
    "address",
    "iban",
    "bank account",
    "password",
];
/// Words that may be written as a number.
const TEXT_OR_NUMBER: &[&str] = &[
    "phone",
    "telephone",
    "mobile",
    "fax",
    "ssn",
    "social security",
    "national insurance",
    "national id",
    "tax id",
    "birth",
    "birthday",
    "birthdate",
    "dob",
    "passport",
    "driving licence",
    "driving license",
    "driver license",
    "drivers license",
    "card number",
    "credit card",
    "cvv",
    "cvc",
    "ip",
    "ipv4",
    "ipv6",
];
/// Words that may follow and change nothing: `phone_number`, `birth_date`, `street_line_1`. Any other makes it a
/// different thing: a `telephone_model` is no telephone number.
const TAIL: &[&str] = &[
    "number",
    "numbers",
    "no",
    "nr",
    "num",
    "address",
    "addresses",
    "addr",
    "value",
    "text",
    "raw",
    "clear",
    "plain",
    "date",
    "day",
    "year",
    "month",
    "place",
    "name",
    "line",
    "home",
    "work",
    "private",
    "personal",
    "business",
    "office",
    "primary",
    "secondary",
    "main",
    "alternative",
    "alt",
    "old",
    "new",
    "current",
    "previous",
];
/// A phrase is a few words; more is a mistake.
const WORDS_MAX: usize = 8;

/// Names that look sensitive.
///
/// A name matches if its words end with those of a phrase, or go on with words that change nothing: `workEmail`,
/// `e_mail`, `phone_number`, `dateOfBirth`; but neither `hemail` nor `telephone_model`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitiveNames {
    phrases: Vec<Phrase>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Phrase {
    words: Vec<String>,
    numbers: bool,
}

/// A phrase that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no sensitive name: write one to eight words, such as \"staff number\"; a `-` before it takes one out"
)]
pub struct NameError(String);

impl Default for SensitiveNames {
    fn default() -> Self {
        let phrases = |texts: &[&str], numbers| -> Vec<Phrase> {
            texts.iter().map(|text| Phrase { words: words(text), numbers }).collect()
        };
        Self { phrases: [phrases(TEXT_ONLY, false), phrases(TEXT_OR_NUMBER, true)].concat() }
    }
}

impl SensitiveNames {
    /// The same with a further phrase (`staff number`), or without one (`-street`).
    ///
    /// # Errors
    /// The text has no words, or too many.
    pub fn changed(mut self, text: &str) -> Result<Self, NameError> {
        let (removes, phrase) = match text.trim().strip_prefix('-') {
            Some(phrase) => (true, phrase),
            None => (false, text),
        };
        let words = words(phrase);
        if words.is_empty() || words.len() > WORDS_MAX {
            return Err(NameError(text.chars().take(80).collect()));
        }
        self.phrases.retain(|known| known.words != words);
        if !removes {
            self.phrases.push(Phrase { words, numbers: true });
        }
        Ok(self)
    }

    /// The phrase that a name looks like.
    pub(super) fn find(&self, name: &str, only_numbers: bool) -> Option<String> {
        let words = words(name);
        let phrases = self.phrases.iter().filter(|phrase| phrase.numbers || !only_numbers);
        // A number that is called `phones` counts them.
        let found =
            phrases.filter(|phrase| phrase.is_in(&words, !only_numbers)).max_by_key(|phrase| phrase.words.len());
        found.map(|phrase| phrase.words.join(" "))
    }
}

impl Phrase {
    fn is_in(&self, name: &[String], plural: bool) -> bool {
        let count = self.words.len();
        (0..=name.len().saturating_sub(count)).any(|start| {
            let part = name.get(start..start + count).unwrap_or_default();
            let rest = name.get(start + count..).unwrap_or_default();
            self.matches(part, plural) && rest.iter().all(|word| changes_nothing(word))
        })
    }

    fn matches(&self, part: &[String], plural: bool) -> bool {
        let same = |(own, other): (&String, &String)| own == other;
        let Some(((own, leading), (other, others))) = self.words.split_last().zip(part.split_last()) else {
            return false;
        };
        let ending = other.strip_prefix(own.as_str());
        let last = ending.is_some_and(|ending| ending.is_empty() || (plural && matches!(ending, "s" | "es")));
        last && leading.iter().zip(others).all(same)
    }
}

fn changes_nothing(word: &str) -> bool {
    TAIL.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name, in lower case: `workEmail`, `IPAddress`, `e-mail` and `phone2` are two each.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        if !character.is_alphanumeric()
            || before.is_some_and(|before| begins(*before, *character, characters.get(index + 1)))
        {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a word begins at a character.
fn begins(before: char, character: char, after: Option<&char>) -> bool {
    let camel = before.is_lowercase() && character.is_uppercase();
    let acronym = before.is_uppercase() && character.is_uppercase() && after.is_some_and(|after| after.is_lowercase());
    camel || acronym || before.is_numeric() != character.is_numeric()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of names")]
    fn names_are_read_word_by_word() {
        let names = SensitiveNames::default();
        for name in [
            "email",
            "Email",
            "e_mail",
            "eMail",
            "work_email",
            "workEmail",
            "email_address",
            "emails",
            "contactEmail2",
            "phone",
            "phoneNumber",
            "mobile_phone_no",
            "telephone",
            "phones",
            "ssn",
            "IBAN",
            "birth_date",
            "dateOfBirth",
            "birthday",
            "DOB",
            "first_name",
            "lastName",
            "FullName",
            "surname",
            "street",
            "street_line_1",
            "streetName",
            "passport_no",
            "card_number",
            "creditCardNumber",
            "ip",
            "ip_address",
            "IPAddress",
            "client_ip",
            "ipv4",
            "shipping_address",
            "addresses",
            "place_of_birth",
            "birth_place",
        ] {
            assert!(names.find(name, false).is_some(), "{name}");
        }
        for name in [
            "hemail",
            "telephone_model",
            "phone_brand",
            "emailed_at",
            "email_verified_at",
            "mobile_app_version",
            "hobby",
            "dobby",
            "ship",
            "zip_file",
            "recipe",
            "script",
            "name",
            "product_name",
            "file_name",
            "streets_ahead",
            "passport_checked",
            "customer_id",
            "birthrate",
            "description",
            "ip_range_count",
            "assn",
            "librarian",
        ] {
            assert_eq!(names.find(name, false), None, "{name}");
        }
    }

    #[test]
    fn a_number_may_be_a_phone_but_no_street() {
        let names = SensitiveNames::default();
        for name in ["phone", "birth_year", "ssn", "card_number"] {
            assert!(names.find(name, true).is_some(), "{name}");
        }
        for name in ["emails", "phones", "street", "address"] {
            assert_eq!(names.find(name, true), None, "{name}");
        }
    }

    #[test]
    fn phrases_are_added_and_taken_out() {
        let names = SensitiveNames::default().changed("staff number").unwrap().changed("-street").unwrap();
        assert_eq!(names.find("staffNumber", false).as_deref(), Some("staff number"));
        assert_eq!(names.find("street", false), None);
        for text in ["", "-", " _ ", "a b c d e f g h i"] {
            assert!(SensitiveNames::default().changed(text).is_err(), "{text:?}");
        }
    }
}
