//! Signs requests as Standard Webhooks: the receiver can tell that the sender has the secret.

use super::settings::Signature;
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::secret::{Redactor, SecretLocation};
use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(super) fn new(settings: &Signature, redactor: &Redactor, host: &HostRules) -> Result<Self> {
        let location = SecretLocation::of(settings.env.as_deref(), settings.file.as_ref())?;
        let secret = location.read(host)?;
        redactor.add(&secret);
        let unusable = || {
            Error::usage(format!("the secret in {location} cannot sign anything"))
                .next(format!("{PREFIX} and base64 behind it, or any text without {PREFIX}"))
        };
        let bytes = match secret.expose().strip_prefix(PREFIX) {
            Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| unusable())?,
            None => secret.expose().as_bytes().to_vec(),
        };
        let mac = Hmac::new_from_slice(&bytes).map_err(|_| unusable())?;
        Ok(Signer(mac))
    }

    /// The headers of an attempt. The time is that of the attempt, the id that of the delivery.
    pub(super) fn headers(
        &self,
        id: &str,
        seconds: u64,
        body: &str,
    ) -> [(&'static str, String); 3] {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", format!("v1,{signature}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_the_one_of_the_standard() {
        let bytes = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer(Hmac::new_from_slice(&bytes).unwrap());
        let [_, _, (_, signature)] = signer.headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
