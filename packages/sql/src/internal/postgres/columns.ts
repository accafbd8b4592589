const bigints = new Set([
  "revision",
  "anchor",
  "first_watermark",
  "watermark",
  "next_at",
  "fired",
  "skipped",
  "missed",
  "dropped",
  "paused",
  "success_nominal",
  "created_at",
  "updated_at",
  "nominal",
  "run_at",
  "start_by",
  "started_at",
  "cancel_at",
  "ended_at",
  "range_last",
  "range_count",
  "lease_until",
  "dead_at"
])
const smallints = new Set(["priority", "settles", "kept", "result_stored"])
const integers = new Set(["version", "attempt", "failures", "recoveries", "faults"])

/** The type of a column, by its name in any of the tables. */
export const typeOf = (column: string): "bigint" | "smallint" | "integer" | "text" | "tid" =>
  column === "place"
    ? "tid"
    : bigints.has(column)
      ? "bigint"
      : smallints.has(column)
        ? "smallint"
        : integers.has(column)
          ? "integer"
          : "text"

/** Columns as a list, of a table by its alias. */
export const list = (columns: ReadonlyArray<string>, alias?: string): string =>
  columns.map((column) => (alias === undefined ? column : `${alias}.${column}`)).join(", ")

/** One row that is given as a parameter for each column, from parameter `first` on, as table `i`. */
export const rowOf = (columns: ReadonlyArray<string>, first = 1): string =>
  `(values (${columns.map((column, index) => `$${first + index}::${typeOf(column)}`).join(", ")})) as i(${list(columns)})`

/** The rows that are given as one array for each column, from parameter `first` on, as table `i`. */
export const rowsOf = (columns: ReadonlyArray<string>, first = 1): string =>
  `unnest(${columns.map((column, index) => `$${first + index}::${typeOf(column)}[]`).join(", ")}) as i(${list(columns)})`
