/** What a column holds, and what a parameter may be. */
export type Value = string | number | null

/** A row as the values of its columns, in the order of the statement. */
export type Row = ReadonlyArray<Value>
