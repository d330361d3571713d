//! What the settings of a source may be, and what is known of it.

mod http_source;
mod settings;
mod source_news;
