// Databases, tables, columns and functions of the server, with row counts and sizes.

import { Observable } from "../base/observable";
import { runCommand } from "./query";

export interface SchemaColumn {
  name: string;
  type: string;
  documentation: string;
}

export interface SchemaTable {
  name: string;
  documentation: string;
  folder: string;
  columns: SchemaColumn[];
  rows: number | null;
  bytes: number | null;
}

export interface SchemaFunction {
  name: string;
  parameters: string;
  documentation: string;
}

export interface SchemaDatabase {
  name: string;
  tables: SchemaTable[];
  functions: SchemaFunction[];
}

export const schema = new Observable<SchemaDatabase[]>([]);
export const schemaProblem = new Observable<string>("");

interface Described {
  Name: string;
  Tables?: Record<
    string,
    {
      Name: string;
      Folder?: string;
      DocString?: string;
      OrderedColumns: { Name: string; CslType: string; DocString?: string }[];
    }
  >;
}

/** Reads everything again. */
export async function refreshSchema(): Promise<void> {
  try {
    const names = await runCommand<{ DatabaseName: string }>("NetDefaultDB", ".show databases");
    const found = await Promise.all(names.map((row) => readDatabase(row.DatabaseName)));
    // The server's own events come last: they are not what one came for.
    found.sort(
      (left, right) =>
        Number(left.name === "Conshelf") - Number(right.name === "Conshelf") || left.name.localeCompare(right.name),
    );
    schemaProblem.value = "";
    schema.value = found;
  } catch (failure) {
    schemaProblem.value = failure instanceof Error ? failure.message : String(failure);
  }
}

async function readDatabase(name: string): Promise<SchemaDatabase> {
  const [described, details, functions] = await Promise.all([
    runCommand<{ DatabaseSchema: string }>(name, ".show database schema as json"),
    runCommand<{ TableName: string; TotalRowCount: number; TotalExtentSize: number }>(
      name,
      ".show tables details | project TableName, TotalRowCount, TotalExtentSize",
    ),
    runCommand<{ Name: string; Parameters: string; DocString: string }>(
      name,
      ".show functions | project Name, Parameters, DocString",
    ),
  ]);
  const text = described[0]?.DatabaseSchema ?? "{}";
  const databases = (JSON.parse(text) as { Databases?: Record<string, Described> }).Databases ?? {};
  const sizes = new Map(details.map((row) => [row.TableName, row]));
  const tables = Object.values(databases[name]?.Tables ?? {}).map((table) => ({
    name: table.Name,
    documentation: table.DocString ?? "",
    folder: table.Folder ?? "",
    columns: table.OrderedColumns.map((column) => ({
      name: column.Name,
      type: column.CslType,
      documentation: column.DocString ?? "",
    })),
    rows: sizes.get(table.Name)?.TotalRowCount ?? null,
    bytes: sizes.get(table.Name)?.TotalExtentSize ?? null,
  }));
  tables.sort((left, right) => left.name.localeCompare(right.name));
  return {
    name,
    tables,
    functions: functions.map((row) => ({ name: row.Name, parameters: row.Parameters, documentation: row.DocString })),
  };
}
