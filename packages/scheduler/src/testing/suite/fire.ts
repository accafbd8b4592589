import { Effect } from "effect"
import type { Transition } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { changeTo, numbers, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { nothing } from "../internal/probe.ts"

/** Moves a row on by an hour. */
const anHourOn: Transition = (_, view) =>
  changeTo({ ...view!.schedule, watermark: view!.schedule.nextAt!, nextAt: view!.schedule.nextAt! + 3_600_000 })

/** Fires a row for the last time. */
const last: Transition = (_, view) => changeTo(null, { runs: [runOf(view!.schedule, 1)] })

export const firing = group("fire", {
  *"takes due rows in the order of their next time, then of their ids"(t) {
    yield* t.put(
      schedule("d", { nextAt: t0 - 1 }),
      schedule("b", { nextAt: t0 }),
      schedule("a", { nextAt: t0 }),
      schedule("c", { nextAt: t0 - 5000 })
    )
    const { applied } = yield* t.fire({ transition: anHourOn })
    yield* check(
      applied.map((each) => each.id),
      ["c", "d", "a", "b"],
      "ids"
    )
    yield* check((yield* t.schedule("c"))?.nextAt, t0 - 5000 + 3_600_000, "its next time")
  },

  *"takes a row at its instant and not a millisecond before"(t) {
    yield* t.put(schedule("a", { nextAt: t0 + 1 }))
    yield* check((yield* t.fire({ transition: anHourOn })).applied, [], "before")
    yield* check((yield* t.fire({ now: t0 + 1, transition: anHourOn })).applied.length, 1, "at its instant")
  },

  *"answers the time that it took"(t) {
    yield* check((yield* t.fire({ now: t0 + 3 })).now, t0 + 3, "now")
  },

  *"takes at most as many as it was told, and says that there may be more"(t) {
    yield* t.put(...numbers(1, 5).map((n) => schedule(`s${n}`, { nextAt: t0 - 10 + n })))
    const first = yield* t.fire({ limit: 3, transition: anHourOn })
    yield* check([first.applied.map((each) => each.id), first.full], [["s1", "s2", "s3"], true], "first")
    const second = yield* t.fire({ limit: 3, transition: anHourOn })
    yield* check([second.applied.map((each) => each.id), second.full], [["s4", "s5"], false], "second")
  },

  *"takes a row once a call, even if it is still due then"(t) {
    yield* t.put(schedule("a"))
    let calls = 0
    const stay: Transition = (_, view) => {
      calls++
      return changeTo(view!.schedule)
    }
    yield* check((yield* t.fire({ transition: stay })).applied.length, 1, "applied")
    yield* check(calls, 1, "calls")
    yield* check((yield* t.fire({ transition: stay })).applied.length, 1, "applied by the next call")
  },

  *"sent again finds nothing that it has already moved on"(t) {
    yield* t.put(schedule("a"))
    yield* t.fire({ transition: anHourOn })
    yield* check((yield* t.fire({ transition: anHourOn })).applied, [], "applied")
    yield* check((yield* t.schedule("a"))?.revision, 1, "revision")
  },

  *"leaves a row due where the transition answers nothing"(t) {
    yield* t.put(schedule("a"), schedule("b"))
    const onlyB: Transition = (id, view, now) => (id === "b" ? anHourOn(id, view, now) : undefined)
    yield* check((yield* t.fire({ transition: onlyB })).applied.length, 1, "applied")
    yield* check(yield* t.schedule("a"), schedule("a"), "the row")
    yield* check((yield* t.fire({ transition: anHourOn })).applied[0]?.id, "a", "taken next")
  },

  *"inserts runs and may remove the row"(t) {
    yield* t.put(schedule("a"))
    const { applied } = yield* t.fire({ transition: last })
    yield* check(applied[0]?.after, undefined, "after")
    yield* check((yield* t.fire({ transition: last })).applied, [], "again")
    yield* check(
      (yield* t.claim()).map((row) => row.id),
      [uuid(1)],
      "its run"
    )
  },

  *"leaves rows that are paused, exhausted, faulty or waiting"(t) {
    yield* t.put(
      ...(["paused", "exhausted", "faulty", "waiting"] as const).map((state) =>
        schedule(state, { state, nextAt: null })
      )
    )
    yield* check((yield* t.fire({ transition: anHourOn })).applied, [], "applied")
  },

  *"leaves rows of newer versions and takes those of older ones"(t) {
    yield* t.put(...[1, 2, 3].map((version) => schedule(`v${version}`, { version })))
    const { applied } = yield* t.fire({ version: 2, transition: anHourOn })
    yield* check(
      applied.map((each) => each.id),
      ["v1", "v2"],
      "ids"
    )
    yield* check(yield* t.schedule("v3"), schedule("v3", { version: 3 }), "the newer row")
  },

  *"leaves rows that need a custom rule that it does not know"(t) {
    yield* t.put(
      schedule("none"),
      schedule("lunar", { needs: "lunar" }),
      schedule("both", { needs: "lunar,tides" }),
      schedule("moon", { needs: "lun" })
    )
    const fired = (triggers: ReadonlyArray<string>) =>
      Effect.map(t.fire({ triggers, transition: anHourOn }), ({ applied }) => applied.map((each) => each.id))
    yield* check(yield* fired([]), ["none"], "with none")
    yield* check(yield* fired(["tides"]), [], "with another")
    yield* check(yield* fired(["lunar"]), ["lunar"], "with one")
    yield* check(yield* fired(["weather", "tides", "lunar"]), ["both"], "with both")
  },

  *"does not see the rows that it may not take: they neither fill its limit nor hide later ones"(t) {
    yield* t.put(
      ...numbers(1, 300).map((n) => schedule(`new${n}`, { version: 2, nextAt: t0 - 1000 })),
      ...numbers(1, 300).map((n) => schedule(`lunar${n}`, { needs: "lunar", nextAt: t0 - 1000 })),
      schedule("z")
    )
    const { applied, full } = yield* t.fire({ limit: 2, transition: anHourOn })
    yield* check([applied.map((each) => each.id), full], [["z"], false], "ids and full")
  },

  *"of several at once decides each due row once"(t) {
    yield* t.put(...numbers(1, 100).map((n) => schedule(`s${n}`)))
    const fire = t.fire({
      limit: 30,
      transition: (id, view) =>
        changeTo(
          { ...view!.schedule, nextAt: t0 + 1000 },
          { runs: [runOf(view!.schedule, Number(id.slice(1)) + (view!.schedule.revision === 0 ? 0 : 1000))] }
        )
    })
    const answers = yield* Effect.all([fire, fire, fire, fire, fire, fire], { concurrency: "unbounded" })
    const ids = answers.flatMap(({ applied }) => applied.map((each) => each.id))
    yield* check([ids.length, new Set(ids).size], [100, 100], "decisions and schedules")
    yield* check((yield* t.claim()).length, 100, "runs")
  },

  *"takes a thousand rows with their runs"(t) {
    yield* t.put(...numbers(1, 1000).map((n) => schedule(`s${n}`)))
    const { applied, full } = yield* t.fire({
      transition: (id, view) =>
        changeTo({ ...view!.schedule, nextAt: t0 + 1 }, { runs: [runOf(view!.schedule, Number(id.slice(1)))] })
    })
    yield* checkThat(applied.length === 1000 && full, "a thousand should be applied, and full be told")
    yield* check((yield* t.fire({ transition: nothing })).full, false, "full afterwards")
    yield* check((yield* t.claim()).length, 1000, "runs")
  }
})
