//! Error responses of stores.

use std::fmt;

use crate::retry::is_retryable_status;

/// An error status, with the code and message of the store.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    pub(super) status: u16,
    pub(super) code: String,
    message: String,
    /// The region of the bucket, if the store says so.
    pub(super) region: Option<String>,
}

impl ErrorResponse {
    /// Keeps only code and message of the body, as the rest may contain keys and signatures.
    pub(super) fn new(status: u16, body: &str, region: Option<String>) -> Self {
        let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let text = |xml: &str, json: &serde_json::Value| match tag(body, xml) {
            Some(text) => text.to_owned(),
            None => json.as_str().unwrap_or_default().to_owned(),
        };
        let message = text("Message", &json["error"]["message"]);
        ErrorResponse {
            status,
            code: text("Code", &json["error"]["status"]),
            // Azure adds the request's number and time on lines of their own.
            message: message.lines().next().unwrap_or_default().to_owned(),
            region: region.or_else(|| tag(body, "Region").map(str::to_owned)),
        }
    }

    /// Whether the credentials have run out. S3 says so as of a bad request.
    pub(super) fn is_about_old_credentials(&self) -> bool {
        matches!(self.code.as_str(), "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired")
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        is_retryable_status(self.status)
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => Ok(()),
            ("", text) | (text, "") => write!(f, " ({text})"),
            (code, message) => write!(f, " ({code}: {message})"),
        }
    }
}

/// The text of the first element with this name.
pub(super) fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let open = format!("<{name}>");
    let from = xml.find(&open)? + open.len();
    let len = xml[from..].find("</")?;
    Some(&xml[from..from + len])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_words_of_a_refusal_are_kept_and_nothing_else() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
            <Message>The signature does not match.</Message><AWSAccessKeyId>AKIAHUSH</AWSAccessKeyId>\
            <StringToSign>HUSH</StringToSign></Error>";
        assert_eq!(
            ErrorResponse::new(403, xml, None).to_string(),
            "403 (SignatureDoesNotMatch: The signature does not match.)"
        );
        let json = r#"{"error": {"status": "NOT_FOUND", "message": "no such bucket"}}"#;
        assert_eq!(
            ErrorResponse::new(404, json, None).to_string(),
            "404 (NOT_FOUND: no such bucket)"
        );
        assert_eq!(ErrorResponse::new(502, "<html>hush", None).to_string(), "502");
    }

    #[test]
    fn only_passing_refusals_pass() {
        let is_transient = |status| ErrorResponse::new(status, "", None).is_transient();
        let of_the_client: Vec<u16> = (100..500).filter(|status| is_transient(*status)).collect();
        assert_eq!(of_the_client, [408, 425, 429]);
        let final_ones: Vec<u16> = (500..600).filter(|status| !is_transient(*status)).collect();
        assert_eq!(final_ones, [501, 505]);
    }
}
