/** The names of the store's tables, all with one prefix. */
export interface Tables {
  readonly prefix: string
  readonly schedules: string
  readonly runs: string
  readonly history: string
  readonly nodes: string
  readonly keys: string
  /** Only where there are several writers. */
  readonly limits: string
  readonly migrations: string
}

export const makeTables = (prefix: string): Tables => ({
  prefix,
  schedules: `${prefix}schedules`,
  runs: `${prefix}runs`,
  history: `${prefix}history`,
  nodes: `${prefix}nodes`,
  keys: `${prefix}keys`,
  limits: `${prefix}limits`,
  migrations: `${prefix}migrations`
})

/** The tables that hold rows, without the one that records migrations. */
export const dataTables = (tables: Tables): ReadonlyArray<string> => [
  tables.schedules,
  tables.runs,
  tables.history,
  tables.nodes,
  tables.keys
]
