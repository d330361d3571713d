//! `sluice migrate`

use super::args;
use super::context::Context;
use crate::error::Result;
use crate::install;

pub(super) async fn migrate(context: &Context, args: &args::Migrate) -> Result<u8> {
    let connector = context.bare_connector("sluice migrate").await?;
    if args.dry_run {
        print!("{}", install::dry_run(&connector).await?);
        return Ok(0);
    }
    let installed = install::migrate(&connector).await?;
    if context.json {
        println!("{}", serde_json::json!(installed));
    } else if installed.migrations.is_empty() && !installed.functions_replaced {
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
            if installed.functions_replaced {
                "replaced"
            } else {
                "unchanged"
            },
        );
    }
    Ok(0)
}
