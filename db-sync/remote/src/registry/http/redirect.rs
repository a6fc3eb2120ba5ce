//! Redirects, followed under the rules for plain http. A storage host that a registry leads to
//! sees no `Authorization`, and its challenges are not answered: they would decide where the
//! user's credentials go.

use crate::http::{Answer, Client, Question, Unanswered, is_downgrade, text};
use crate::registry::address::PlainHttp;
use std::time::Instant;
use ureq::http::header::LOCATION;
use url::Url;

/// Redirects of one request.
const MAX_REDIRECTS: usize = 5;

/// Marks an answer that another server gave than the one that was asked.
#[derive(Clone, Copy)]
struct Elsewhere;

/// Whether an answer came from another server than the one that was asked.
pub(super) fn is_elsewhere(answer: &Answer) -> bool {
    answer.extensions().get::<Elsewhere>().is_some()
}

/// Sends a request, and returns the head of the answer that its redirects end in.
pub(super) fn follow(
    client: &Client,
    plain: &PlainHttp,
    mut question: Question<'_>,
) -> Result<Answer, Unanswered> {
    let start = Instant::now();
    let follows = std::mem::replace(&mut question.follow, false);
    let origin = question.url.origin();
    let time = question.time;
    for _ in 0..=MAX_REDIRECTS {
        question.time = time.saturating_sub(start.elapsed());
        let mut answer = client.send(&question)?;
        if question.url.origin() != origin {
            answer.extensions_mut().insert(Elsewhere);
        }
        let status = answer.status().as_u16();
        let Some(to) =
            text(answer.headers(), &LOCATION).filter(|_| follows && moves(&question, status))
        else {
            return Ok(answer);
        };
        let next = destination(&question.url, to, plain)?;
        if next.origin() != question.url.origin() {
            question.authorization = None;
        }
        question.url = next;
    }
    Err(Unanswered::hopeless("too many redirects"))
}

/// Whether an answer sends a request elsewhere, as it is: one with a body must not become a `GET`
/// on the way.
fn moves(question: &Question<'_>, status: u16) -> bool {
    match status {
        301..=303 => question.body.is_none(),
        307 | 308 => true,
        _ => false,
    }
}

fn destination(from: &Url, to: &str, plain: &PlainHttp) -> Result<Url, Unanswered> {
    let next = from
        .join(to)
        .map_err(|_| Unanswered::hopeless("redirected to what is not an address"))?;
    if is_downgrade(from, &next) || plain.may_speak(&next).is_err() {
        return Err(Unanswered::hopeless("redirected to plain http"));
    }
    Ok(next)
}
