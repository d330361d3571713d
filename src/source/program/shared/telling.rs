//! Who is told what a shared program says.

use crate::error::Result;
use crate::source::program::hearing::{Hearing, Message, To};
use crate::source::program::queue::Teller;

/// Tells each what is its own, to the end, or as long as somebody listens.
pub(super) fn tell(
    hearing: &mut Hearing,
    tellers: &mut [Option<Teller>],
    mut on_state: impl FnMut(&str, u64),
) -> Result<()> {
    while tellers.iter().any(Option::is_some) {
        let Some((to, message)) = hearing.next()? else {
            return Ok(());
        };
        match (to, message) {
            (To::One(at), message) => {
                let (message, line) = match message {
                    Message::Record { payload, version } => {
                        let line = match &tellers[at] {
                            Some(_) => hearing.line()[payload].to_vec(),
                            None => continue,
                        };
                        let payload = 0..line.len();
                        (Message::Record { payload, version }, line)
                    }
                    Message::TooLong(_) => (message, hearing.line().to_vec()),
                    Message::State { .. } | Message::Whole(_) => (message, Vec::new()),
                };
                tellers[at].take_if(|teller| !teller.tell(message, line));
            }
            (To::All, Message::State { text, number }) => {
                on_state(&text, number.unwrap_or_default());
                for teller in tellers.iter_mut() {
                    let text = text.clone();
                    let message = Message::State { text, number };
                    teller.take_if(|teller| !teller.tell(message, Vec::new()));
                }
            }
            (To::All, _) => {}
        }
    }
    Ok(())
}
