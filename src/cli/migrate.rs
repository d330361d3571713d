//! `sluice migrate`

use super::args;
use super::context::Context;
use super::diagnostics;
use crate::error::Result;
use crate::install;
use serde_json::json;

pub(super) async fn migrate(context: &Context, args: &args::Migrate) -> Result<u8> {
    let connector = context.bare_connector("sluice migrate").await?;
    if args.dry_run {
        let (planned, script) = install::dry_run(&connector).await?;
        match context.json {
            true => println!("{}", json!(planned)),
            false => print!("{script}"),
        }
        // Where the script went into a file, or out of sight.
        if !planned.told().is_empty() && !planned.is_nothing() {
            diagnostics::note(planned.told().trim_end());
        }
        return Ok(0);
    }
    let installed = install::migrate(&connector).await?;
    if let Some(edited) = &installed.functions.edited
        && !edited.is_empty()
    {
        diagnostics::note(&format!(
            "functions that were edited by hand are as sluice has them again: {}",
            edited.join(", ")
        ));
    }
    if context.json {
        println!("{}", json!(installed));
    } else if installed.is_nothing() {
        println!("engine {} is installed; nothing to do", installed.to);
    } else {
        println!(
            "engine {}: {} migrations applied, functions {}",
            match &installed.from {
                Some(from) if *from != installed.to =>
                    format!("upgraded from {from} to {}", installed.to),
                Some(_) => format!("{} refreshed", installed.to),
                None => format!("{} installed", installed.to),
            },
            installed.migrations.len(),
            if installed.functions_replaced { "replaced" } else { "unchanged" },
        );
    }
    Ok(0)
}
