/**
 * What a part of the benchmark gives back, and how it is printed.
 *
 * A part is a function `(options: Options) => Sections | Promise<Sections>` that is named in `main.ts`. It measures and returns;
 * printing, keeping and drawing are done here and in `page.ts`:
 *
 * ```
 * export const enqueue = async ({ quick }: Options): Promise<Sections> => [
 *   {
 *     name: "enqueue",                          // of the plot's file too: unique among all parts
 *     title: "Enqueue, one at a time",
 *     text: "What is measured, and how: a paragraph of markdown.",
 *     head: ["library", "settings", "runs/s"],
 *     rows: [
 *       ["graphile-worker 0.18.0", "its defaults", "1.2k"],
 *       { cells: ["effect-scheduler", "the README's layer", "2.0k"], target: "ahead of both", met: 2.0 > 1.2 }
 *     ],
 *     notes: ["Markdown, one bullet each: settings, quoted lines of a peer's documentation with their source."],
 *     plot: { kind: "bars", unit: "runs/s", bars: [{ name: "ours", value: 2000 }, { name: "graphile-worker", value: 1200 }] }
 *   }
 * ]
 * ```
 *
 * A row with a target brings the columns `target` and `met`, which are filled here. A plot needs numbers, so it is given beside the
 * rows. Without `--quick` the results of each part are kept in `docs/benchmarks/PART.json` until its next full run, and
 * `docs/benchmarks.md` is written from the kept results of all parts. Where a target is missed, what the profile says, what bounds
 * it and what was tried is written by hand in `docs/benchmarks/PART.missed.md`, which the page includes below the part's tables.
 */

/** A row that is held against a target. */
export interface TargetRow {
  readonly cells: ReadonlyArray<string>
  readonly target: string
  readonly met: boolean
}

/** Values beside each other, or values that grow with a size (both axes logarithmic). */
export type Plot =
  | {
      readonly kind: "bars"
      readonly unit: string
      readonly logarithmic?: boolean
      readonly bars: ReadonlyArray<{ readonly name: string; readonly value: number }>
    }
  | {
      readonly kind: "lines"
      /** What is on the horizontal axis. */
      readonly of: string
      readonly unit: string
      readonly lines: ReadonlyArray<{
        readonly name: string
        readonly points: ReadonlyArray<readonly [size: number, value: number]>
      }>
    }

export interface Section {
  readonly name: string
  readonly title: string
  readonly text?: string
  readonly head: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string> | TargetRow>
  readonly notes?: ReadonlyArray<string>
  readonly plot?: Plot
}

export type Sections = ReadonlyArray<Section>

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const isTargetRow = (row: ReadonlyArray<string> | TargetRow): row is TargetRow => "cells" in row

/** The columns and rows as they are shown. */
export const tableOf = (
  section: Section
): { readonly head: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<string>> } => {
  const held = section.rows.some(isTargetRow)
  const rows = section.rows.map((row) =>
    isTargetRow(row) ? [...row.cells, row.target, row.met ? "yes" : "NO"] : held ? [...row, "", ""] : row
  )
  const head = held ? [...section.head, "target", "met"] : section.head
  const odd = rows.find((row) => row.length !== head.length)
  if (odd !== undefined)
    throw new Error(`${section.name}: ${odd.length} cells under ${head.length} heads: ${odd.join(" | ")}`)
  return { head, rows }
}

/** The targets that a section misses. */
export const missed = (section: Section): ReadonlyArray<TargetRow> =>
  section.rows.filter((row): row is TargetRow => isTargetRow(row) && !row.met)

export const printSection = (section: Section): void => {
  const { head, rows } = tableOf(section)
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd()
  print(section.title)
  if (section.text !== undefined) print(section.text)
  print("")
  print(line(head))
  print(widths.map((width) => "-".repeat(width)).join("  "))
  for (const row of rows) print(line(row))
  for (const note of section.notes ?? []) print(`- ${note}`)
  print("")
}
