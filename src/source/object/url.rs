//! The URL of an object source: store, bucket, and prefix or key.

use crate::error::{Error, Result};

/// Which store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    S3,
    Gcs,
    Azure,
    Local,
}

impl Store {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" | "s3a" => Some(Store::S3),
            "gs" => Some(Store::Gcs),
            "az" | "azure" | "abfs" | "abfss" => Some(Store::Azure),
            "file" => Some(Store::Local),
            _ => None,
        }
    }

    /// What the store calls its container of objects.
    pub(super) fn container(self) -> &'static str {
        match self {
            Store::S3 | Store::Gcs => "bucket",
            Store::Azure => "container",
            Store::Local => "folder",
        }
    }
}

/// A parsed URL. The name of an object is `root` and its key, whatever prefix is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectUrl {
    pub(super) store: Store,
    /// The URL up to the bucket, with the slash behind it.
    pub(super) root: String,
    /// Bucket, container, or the folder of a local address.
    pub(super) bucket: String,
    /// Prefix or key, without slashes at its ends.
    pub(super) key: String,
    /// The URL ends in a slash.
    pub(super) is_prefix: bool,
}

impl ObjectUrl {
    pub(super) fn parse(url: &str) -> Result<Self> {
        if url.is_empty() {
            return Err(Error::usage("the object source has no `url`").next(FORMS));
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let store = Store::of(scheme);
        let (authority, key) = match store {
            Some(Store::Local) => ("", rest),
            _ => rest.split_once('/').unwrap_or((rest, "")),
        };
        // The URL is not quoted: what comes before an @ or after a ? may be a secret.
        let has_password = authority
            .split_once('@')
            .is_some_and(|(user, _)| user.contains(':') || store != Some(Store::Azure));
        let has_parameters =
            rest.contains('?') && (store != Some(Store::Local) || rest.contains("sig="));
        if has_password || has_parameters {
            return Err(Error::usage(
                "the object source's setting `url` holds credentials or parameters",
            )
            .next("name bucket and prefix alone; credentials come from the environment"));
        }
        let store = store.ok_or_else(|| {
            Error::usage(format!("`{url}` names no object store this binary knows")).next(FORMS)
        })?;
        if store == Store::Local {
            return Self::local(url, rest);
        }
        if authority.is_empty() {
            return Err(Error::usage(format!("`{url}` names no {}", store.container())).next(FORMS));
        }
        let bucket = authority.split_once('@').map_or(authority, |(b, _)| b);
        Ok(ObjectUrl {
            store,
            root: format!("{scheme}://{authority}/"),
            bucket: bucket.to_owned(),
            key: key.trim_matches('/').to_owned(),
            is_prefix: key.is_empty() || key.ends_with('/'),
        })
    }

    fn local(url: &str, path: &str) -> Result<Self> {
        if !path.starts_with('/') {
            return Err(Error::usage(format!("`{url}` is not an absolute path"))
                .next("write it with three slashes: file:///srv/drop/"));
        }
        let path = path.trim_end_matches('/');
        // A file is an object in its folder.
        let (folder, key) = match path.rsplit_once('/') {
            Some((folder, file)) if std::path::Path::new(path).is_file() => (folder, file),
            _ => (path, ""),
        };
        Ok(ObjectUrl {
            store: Store::Local,
            root: format!("file://{folder}/"),
            bucket: if folder.is_empty() { "/" } else { folder }.to_owned(),
            key: key.to_owned(),
            is_prefix: key.is_empty(),
        })
    }

    /// The name of the object under `key`.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    /// The URL as a user writes it.
    pub(super) fn url(&self) -> String {
        match self.is_prefix && !self.key.is_empty() {
            true => format!("{}{}/", self.root, self.key),
            false => self.name(&self.key),
        }
    }

    /// The part of `key` behind the prefix.
    pub(super) fn below<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.key).and_then(|rest| rest.strip_prefix('/')).unwrap_or(key)
    }
}

const FORMS: &str = "write s3://bucket/prefix/, gs://bucket/prefix/, az://container/prefix/, \
    abfss://container@account.dfs.core.windows.net/prefix/ or file:///folder/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, store, root, bucket, key, is_prefix) in [
            ("s3://b", Store::S3, "s3://b/", "b", "", true),
            ("s3://b/", Store::S3, "s3://b/", "b", "", true),
            ("s3://b/in/orders", Store::S3, "s3://b/", "b", "in/orders", false),
            ("gs://b/in/", Store::Gcs, "gs://b/", "b", "in", true),
            ("az://c/a b%20", Store::Azure, "az://c/", "c", "a b%20", false),
            (
                "abfss://c@acc.dfs.core.windows.net/x/",
                Store::Azure,
                "abfss://c@acc.dfs.core.windows.net/",
                "c",
                "x",
                true,
            ),
            ("file:///no/such/", Store::Local, "file:///no/such/", "/no/such", "", true),
        ] {
            let address = ObjectUrl::parse(url).unwrap();
            assert_eq!(
                (address.store, address.root.as_str(), address.bucket.as_str()),
                (store, root, bucket),
                "{url}"
            );
            assert_eq!((address.key.as_str(), address.is_prefix), (key, is_prefix), "{url}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for url in ["", "bucket/x", "s3://", "s3:///x", "ftp://b/x", "file://x/y", "file:x"] {
            let error = ObjectUrl::parse(url).unwrap_err();
            assert!(error.next_step().unwrap().contains('/'), "{url}: {error}");
        }
    }

    #[test]
    fn secrets_in_a_url_are_refused_and_not_repeated() {
        for url in [
            "s3://AKIA:hush@bucket/x",
            "s3://hush@bucket/x",
            "az://c/x?sv=1&sig=hush",
            "https://hush:hush@host/x",
            "abfss://c:hush@acc.dfs.core.windows.net/",
        ] {
            let text = ObjectUrl::parse(url).unwrap_err().to_string();
            assert!(text.contains("credentials"), "{text}");
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
