//! `.show version`, `.show cluster …`, `.show capacity`: the server itself.

use std::time::SystemTime;

use conshelf_kql::Type;

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandOutput, Result, database, extent, policy, principal};
use crate::machine::{UNIX_EPOCH_TICKS, machine_memory};

/// When the binary was built, as well as the file system knows.
fn build_ticks() -> i64 {
    std::env::current_exe()
        .and_then(|path| path.metadata())
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_nanos() / 100).ok())
        .map_or(UNIX_EPOCH_TICKS, |ticks| UNIX_EPOCH_TICKS + ticks)
}

pub fn version(reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("BuildVersion", Type::String),
        ("BuildTime", Type::DateTime),
        ("ServiceType", Type::String),
        ("ProductVersion", Type::String),
        ("ServiceOffering", Type::String),
    ]);
    let version = env!("CARGO_PKG_VERSION");
    rows.text(version)
        .ticks(build_ticks())
        .text("Engine")
        .text(format!("Conshelf {version}"))
        .text("{\"Type\":\"Conshelf\"}")
        .end_row();
    Ok(rows.into())
}

/// `.show cluster [databases | policy … | details | extents | principals …]`
pub fn show_cluster(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    if reader.eat("databases") {
        return database::show_databases(context, reader);
    }
    if reader.eat("policy") {
        return policy::show_cluster(reader);
    }
    if reader.eat("extents") {
        return extent::show_cluster_extents(context, reader);
    }
    if reader.at("principals") || reader.at("principal") {
        return principal::show_roles(context, reader);
    }
    let _ = reader.eat("details") || reader.eat("nodes");
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("NodeId", Type::String),
        ("Address", Type::String),
        ("Name", Type::String),
        ("StartTime", Type::DateTime),
        ("IsAdmin", Type::Bool),
        ("MachineTotalMemory", Type::Long),
        ("MachineAvailableMemory", Type::Long),
        ("ProcessorCount", Type::Int),
        ("EnvironmentDescription", Type::String),
    ]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    rows.text("conshelf_0")
        .text("localhost")
        .text("conshelf")
        .ticks(context.started_ticks)
        .bool(true)
        .long(machine_memory("MemTotal:"))
        .long(machine_memory("MemAvailable:"))
        .int(i32::try_from(cores).unwrap_or(i32::MAX))
        .text(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH))
        .end_row();
    Ok(rows.into())
}

pub fn capacity(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let only = if reader.at_name() { Some(reader.name("a resource")?) } else { None };
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("Resource", Type::String),
        ("Total", Type::Long),
        ("Consumed", Type::Long),
        ("Remaining", Type::Long),
        ("Origin", Type::String),
    ]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let running = context.activity.running_count() as u64;
    let resources = [
        ("ingestions", cores * 8, 0),
        ("queries", cores * 4, running),
        ("extents-merge", 1, 0),
        ("extents-purge-rebuild", 1, 0),
        ("data-export", 0, 0),
        ("extents-partition", 0, 0),
        ("materialized-view", 0, 0),
    ];
    for (resource, total, consumed) in resources {
        if only.as_ref().is_some_and(|only| !only.eq_ignore_ascii_case(resource)) {
            continue;
        }
        rows.text(resource)
            .long(total)
            .long(consumed)
            .long(total.saturating_sub(consumed))
            .text("CapacityPolicy/Default")
            .end_row();
    }
    Ok(rows.into())
}

pub fn diagnostics(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let status = context.store.status();
    let tables = context.store.statistics();
    let mut rows = RowsBuilder::new(&[
        ("IsHealthy", Type::Bool),
        ("NotHealthyReason", Type::String),
        ("IsAttentionRequired", Type::Bool),
        ("AttentionRequiredReason", Type::String),
        ("ExtentsTotal", Type::Long),
        ("TotalOriginalDataSize", Type::Long),
        ("TotalExtentSize", Type::Long),
        ("RowsTotal", Type::Long),
        ("DataWarmingPercentage", Type::Real),
    ]);
    let problems = context.store.problems();
    rows.bool(status.degraded.is_none())
        .text(status.degraded.as_deref().unwrap_or(""))
        .bool(!problems.is_empty())
        .text(problems.first().map(ToString::to_string).unwrap_or_default())
        .long(tables.iter().map(|table| table.extents).sum())
        .long(tables.iter().map(|table| table.original_bytes).sum())
        .long(tables.iter().map(|table| table.sealed_bytes).sum())
        .long(tables.iter().map(|table| table.sealed_rows + table.row_store_rows).sum())
        .real(100.0)
        .end_row();
    Ok(rows.into())
}

pub fn plugins(reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let rows = RowsBuilder::new(&[
        ("PluginName", Type::String),
        ("IsEnabled", Type::Bool),
        ("IsGloballyEnabled", Type::Bool),
    ]);
    Ok(rows.into())
}
