//! Describes errors of stores, with what to do next.

use super::service::{StoreError, StoreErrorKind};
use super::url::{ObjectUrl, Store};
use crate::error::{Error, Kind};

/// Whether the object does not exist, while its bucket does.
pub(super) fn is_gone(error: &object_store::Error) -> bool {
    if let object_store::Error::NotFound { .. } = error {
        return true;
    }
    matches!(
        StoreError::behind(error).map(|failure| &failure.what),
        Some(StoreErrorKind::Refused(refusal)) if refusal.status == 404
            && !matches!(refusal.code.as_str(), "NoSuchBucket" | "ContainerNotFound")
    )
}

/// Whether it may not be asked for.
pub(super) fn is_forbidden(error: &object_store::Error) -> bool {
    matches!(
        StoreError::behind(error).map(|failure| &failure.what),
        Some(StoreErrorKind::Refused(refusal)) if refusal.status == 403
    )
}

/// Whether the object has to be restored from an archive first.
pub(super) fn is_archived(error: &object_store::Error) -> bool {
    matches!(
        StoreError::behind(error).map(|failure| &failure.what),
        Some(StoreErrorKind::Refused(refusal))
            if matches!(refusal.code.as_str(), "InvalidObjectState" | "BlobArchived" | "BlobBeingRehydrated")
    )
}

/// Whether the object was replaced.
pub(super) fn is_replaced(error: &object_store::Error) -> bool {
    if let object_store::Error::Precondition { .. } = error {
        return true;
    }
    matches!(
        StoreError::behind(error).map(|failure| &failure.what),
        Some(StoreErrorKind::Refused(refusal)) if matches!(refusal.status, 412 | 416)
    )
}

/// Describes an error about `address`, or about the object `key` in it. The text of the library is shown only
/// if nothing better is known, without its secrets.
pub(super) fn explain(
    address: &ObjectUrl,
    key: Option<&str>,
    error: &object_store::Error,
) -> Error {
    let subject = match key {
        Some(key) => format!("object `{}`", address.name(key)),
        None => format!("{} `{}`", address.store.container(), address.bucket),
    };
    let Some(failure) = StoreError::behind(error) else {
        return unknown(&subject, error);
    };
    if failure.is_about_credentials() {
        return Error::failed(format!("no credentials for {subject}"))
            .detail(failure.to_string())
            .next(credentials(address.store));
    }
    let refusal = match &failure.what {
        StoreErrorKind::Refused(refusal) => refusal,
        StoreErrorKind::Broken(_) if !failure.is_transient() => {
            return Error::failed(format!("{subject} cannot be asked for"))
                .detail(failure.to_string())
                .next("check `endpoint` (or AWS_ENDPOINT_URL); one without TLS needs `allow_http => true`");
        }
        StoreErrorKind::Broken(_) => {
            return Error::new(Kind::Exhausted, format!("{subject} cannot be read"))
                .detail(failure.to_string())
                .next("check address and network (for a store of your own: `endpoint`); it is safe to run again");
        }
        StoreErrorKind::Invalid(_) => {
            return Error::failed(format!("{subject} cannot be listed"))
                .detail(failure.to_string())
                .next("check `endpoint`; if it is right, this is a fault of the store: tell those who run it");
        }
    };
    let answer = failure.to_string();
    match refusal.status {
        _ if is_archived(error) => Error::failed(format!("{subject} is archived ({answer})"))
            .next("restore it, then run again"),
        _ if refusal.is_transient() => Error::new(Kind::Exhausted, format!("{subject} cannot be read"))
            .detail(answer)
            .detail("every retry of this run is used up")
            .next("it is safe to run again"),
        _ if refusal.is_about_old_credentials() => Error::failed(format!("{subject} may not be read"))
            .detail(answer)
            .next("the credentials in the environment have run out, or do not belong together: get new ones, then run again"),
        401 | 403 => Error::failed(format!("{subject} may not be read"))
            .detail(answer)
            .next(rights(address.store, key.is_some())),
        404 if key.is_none() || !is_gone(error) => Error::failed(format!(
            "there is no {} `{}`",
            address.store.container(),
            address.bucket
        ))
        .detail(answer)
        .next("check its name in `url`, and `endpoint` and `region` if it is not at the provider's default"),
        404 => Error::failed(format!("{subject} is gone"))
            .detail(answer)
            .next("run again; what was loaded of it stays"),
        301 | 307 | 400 if refusal.region.is_some() => Error::failed(format!(
            "{subject} is in region `{}`",
            refusal.region.as_deref().unwrap_or_default()
        ))
        .detail(answer)
        .next("set `region` in the pipeline's `object_source(…)`, or AWS_REGION"),
        _ => Error::failed(format!("{subject} cannot be read"))
            .detail(answer)
            .next("check `url`, `endpoint` and `region` of the pipeline's `object_source(…)`"),
    }
}

fn unknown(subject: &str, error: &object_store::Error) -> Error {
    if let object_store::Error::InvalidPath { source } = error {
        return Error::failed(format!("{subject} holds a key that cannot be asked for"))
            .caused_by(source.to_string())
            .next("rename that object, or read a prefix beside it: a key may have no empty parts (`a//b`), no `.` and no `..`");
    }
    Error::failed(format!("{subject} cannot be read"))
        .detail(without_queries(&error.to_string()))
        .next(
            "run again; if it stays so, check `endpoint`: what answers there, or a proxy before it, does not speak \
             as the store would (ranges of an object, ETags)",
        )
}

/// Cuts off query strings, which may hold signatures.
fn without_queries(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| match word.split_once('?') {
            Some((address, _)) if address.contains("://") => format!("{address}?… "),
            _ => word.to_owned(),
        })
        .collect()
}

fn credentials(store: Store) -> &'static str {
    match store {
        Store::Gcs => {
            "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or say `anonymous => true` for a public bucket"
        }
        Store::Azure => {
            "set AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_KEY or AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID, or say `anonymous => true` for a public container"
        }
        _ => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), run where a role is attached, or say `anonymous => true` for a public bucket"
        }
    }
}

fn rights(store: Store, is_object: bool) -> &'static str {
    match (store, is_object) {
        (Store::S3, true) => {
            "check the credentials in the environment; they need s3:GetObject (and kms:Decrypt where KMS is used)"
        }
        (Store::S3, false) => {
            "check the credentials in the environment; they need s3:ListBucket on the bucket and s3:GetObject on its objects"
        }
        (Store::Gcs, _) => {
            "check the credentials in the environment; they need the role Storage Object Viewer"
        }
        (Store::Azure, _) => {
            "check the credentials in the environment; they need the role Storage Blob Data Reader"
        }
        (Store::Local, _) => "check that this user may read it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_cut_off() {
        assert_eq!(
            without_queries("GET https://h/c?sig=hush&sv=1 failed: why?"),
            "GET https://h/c?… failed: why?"
        );
    }
}
