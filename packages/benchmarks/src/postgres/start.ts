/** The start of a scheduler on a store that holds many schedules. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inChild } from "../child.ts"
import { millis, type Options } from "../measure.ts"
import type { Sections, TargetRow } from "../report.ts"
import { filled, makeDatabase, withServer } from "./databases.ts"
import { fillPostgres, fillSqlite } from "./stored.ts"
import { ourSettings } from "./subjects.ts"

interface Found {
  readonly built: number
  readonly ran: number
  readonly grown: number
  readonly most: number
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

export const start = ({ quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    const sizes = quick ? [1_000, 5_000] : [1_000, 1_000_000]
    const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-bench-"))
    try {
      const rows: Array<TargetRow | ReadonlyArray<string>> = []
      const lines: Array<{ readonly name: string; readonly points: Array<readonly [number, number]> }> = []
      for (const kind of ["SQLite", "Postgres"]) {
        const line = { name: kind, points: [] as Array<readonly [number, number]> }
        lines.push(line)
        for (const size of sizes) {
          let found: Found
          if (kind === "SQLite") {
            const file = join(folder, `${size}.sqlite`)
            await fillSqlite(file, size)
            found = await inChild<Found>("postgres/startChild.ts", ["sqlite", file])
            rmSync(file)
          } else {
            const url = server.urlOf(await makeDatabase(server))
            await fillPostgres(url, size)
            found = await inChild<Found>("postgres/startChild.ts", ["postgres", url])
          }
          line.points.push([size, found.ran])
          const cells = [
            kind,
            size.toLocaleString("en"),
            millis(found.built),
            millis(found.ran),
            megabytes(found.grown),
            megabytes(found.most)
          ]
          const isLargest = size === sizes.at(-1)
          rows.push(isLargest ? { cells, target: "1 s, 100 MB", met: found.ran < 1_000 && found.grown < 100e6 } : cells)
        }
      }
      return [
        {
          name: "start",
          title: "Start on a store that holds many schedules",
          text:
            "All but one of them are half a year away. A process that has loaded its code builds the README's layer: until that is built, and " +
            "until the handler of the schedule that is due runs. Memory: the most that the process ever had, and by how much that is " +
            "more than before the layer was built. The server does not wait for the disk.",
          head: ["store", "schedules", "built", "the due one ran", "memory grew by", "memory of the process"],
          rows,
          notes: [ourSettings],
          plot: { kind: "lines", of: "stored schedules", unit: "ms until the due one ran", lines }
        }
      ]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, filled)
