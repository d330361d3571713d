mod file;
mod object;
mod support;
