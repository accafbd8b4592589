import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { account } from "../src/accounting.ts"
import * as Crontab from "../src/Crontab.ts"
import { readHistory } from "../src/history.ts"
import { isGood } from "../src/table.ts"
import { program } from "./processes.ts"

/** Uses a copy of what the demo kept, with its history changed. */
const tampered = <A, E, R>(folder: string, sql: string, use: (copy: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const copy = mkdtempSync(join(tmpdir(), "tampered-"))
      for (const file of ["crontab", "crontab.sqlite", "window.json"])
        copyFileSync(join(folder, file), join(copy, file))
      const database = new DatabaseSync(join(copy, "crontab.sqlite"))
      database.exec(sql)
      database.close()
      return copy
    }),
    use,
    (copy) => Effect.sync(() => rmSync(copy, { recursive: true }))
  )

const accountOf = (folder: string) =>
  Effect.map(readHistory(join(folder, "crontab.sqlite")), (history) =>
    account(
      Crontab.parse(readFileSync(join(folder, "crontab"), "utf8")).entries,
      history,
      JSON.parse(readFileSync(join(folder, "window.json"), "utf8"))
    )
  )

const SOME_RUN = `(select id from scheduler_history where nominal is not null and outcome = 'succeeded'
  order by nominal limit 1 offset 3)`

describe("the demo", () => {
  it.live(
    "recovers the run in which its scheduler is killed, and accounts for every nominal time",
    () =>
      Effect.gen(function* () {
        const { code, lines } = yield* program("demo.ts", ["--keep"])
        const text = lines.join("\n")
        const folder = /^Kept: (.*)$/m.exec(text)?.[1] ?? assert.fail(text)
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        assert.match(lines.at(-1)!, /^All \d+ nominal times from first to last are accounted for exactly once\.$/, text)
        assert.strictEqual(code, 0)

        // The table has a run that was recovered, and what was missed, skipped and failed.
        const rows = lines.slice(lines.findIndex((line) => line.startsWith("line ")) + 1, -2)
        const totals = rows
          .map((row) => row.slice(31).trim().split(/ +/).map(Number))
          .reduce((sums, row) => row.map((value, index) => (sums[index] ?? 0) + (value || 0)), [] as Array<number>)
        const [nominal, runs, ok, failed, missed, skipped, recovered] = totals as [
          number,
          number,
          number,
          number,
          number,
          number,
          number
        ]
        assert.strictEqual(rows.length, 8)
        assert.strictEqual(nominal, runs - 2 + missed + skipped)
        assert.strictEqual(runs, ok + failed)
        assert.isTrue(
          [ok, failed, missed, skipped, recovered].every((count) => count > 0),
          text
        )

        // The killed run was recovered under its id, and what it had left running was ended before.
        const [, run, group] =
          /in the middle of run (#\w+)\.\n== Its command goes on without it: process group (\d+)/.exec(text)!
        const after = (pattern: string) => {
          const index = lines.findIndex((line) => new RegExp(pattern).test(line))
          assert.isAbove(index, 0, `${pattern}\n${text}`)
          return index
        }
        assert.isBelow(after(`recovered .*${run}$`), after(`again ${run}$`))
        assert.isBelow(after(`recovered .*${run}$`), after(`ended .*its process group ${group}$`))
        assert.isBelow(after(`ended .*its process group ${group}$`), after(`ok .*${run}$`))
        after(`^== Process group ${group} was ended \\d+ ms before the repeat began`)
        after('crontab:17:5: hour field: "25" is not valid')
        assert.isTrue(
          lines.filter((line) => !line.startsWith("/")).every((line) => line.length <= 80),
          text
        )

        // What history does not have, or has twice, is found.
        for (const sql of [
          `delete from scheduler_history where id = ${SOME_RUN}`,
          `update scheduler_history set nominal = nominal + 1 where id = ${SOME_RUN}`,
          "update scheduler_history set range_count = range_count + 1 where outcome = 'missed'",
          "delete from scheduler_history where outcome = 'skipped'"
        ]) {
          assert.isFalse(isGood(yield* tampered(folder, sql, accountOf)), sql)
        }
        assert.isTrue(isGood(yield* tampered(folder, "", accountOf)))
        const checked = yield* tampered(folder, `delete from scheduler_history where id = ${SOME_RUN}`, (copy) =>
          program("demo.ts", ["--check", copy])
        )
        assert.match(checked.lines.at(-1)!, /^NOT every one of \d+ nominal times/)
        assert.strictEqual(checked.code, 1)
      }).pipe(Effect.scoped),
    90_000
  )
})
