import { Effect } from "effect"
import type { Params } from "../../../internal/memory/params.ts"
import { recoverAfter } from "../../../internal/recovery.ts"
import type { RunRecord } from "../../../JobRun.ts"
import type { ScheduleRecord } from "../../../JobSchedule.ts"
import type { JobStoreError, JobStoreService, ScheduleChange, ScheduleView, Transition } from "../../../JobStore.ts"
import { changeTo } from "../fixtures.ts"
import { periodic, resumed, runAtNominal, uuidOf } from "./periodic.ts"

/** What a user's verb does to one schedule. */
export type Edit =
  | { readonly _tag: "Put"; readonly row: ScheduleRecord }
  | { readonly _tag: "Remove" }
  | { readonly _tag: "Pause" }
  | { readonly _tag: "Resume" }
  | { readonly _tag: "Update"; readonly fields: Partial<ScheduleRecord> }
  | { readonly _tag: "RunNow" }
  | { readonly _tag: "Cancel"; readonly deferred: boolean; readonly active: boolean }
  | { readonly _tag: "Leave" }

/** What a reaper was told, as data. */
type Reap = Omit<Without<"reap">, "recovery"> & { readonly delays: ReadonlyArray<number> }

type Without<Method extends keyof JobStoreService> = Omit<Params<Method>, "transition">

/** A call of a store as data, to be printed and to be sent to two stores. */
export type Command =
  | { readonly _tag: "Modify"; readonly now: number; readonly edits: ReadonlyArray<readonly [string, Edit]> }
  | { readonly _tag: "Fire"; readonly params: Without<"fire"> }
  | { readonly _tag: "Enqueue"; readonly params: Params<"enqueue"> }
  | { readonly _tag: "Claim"; readonly params: Params<"claim"> }
  | { readonly _tag: "Finish"; readonly params: Without<"finish"> }
  | { readonly _tag: "Progress"; readonly params: Params<"progress"> }
  | { readonly _tag: "Register"; readonly params: Params<"register"> }
  | { readonly _tag: "Heartbeat"; readonly params: Params<"heartbeat"> }
  | { readonly _tag: "Leave"; readonly params: Params<"leave"> }
  | { readonly _tag: "Reap"; readonly params: Reap }
  | { readonly _tag: "Cancel"; readonly params: Without<"cancel"> }
  | { readonly _tag: "Wake"; readonly params: Params<"wake"> }
  | { readonly _tag: "Maintain"; readonly params: Without<"maintain"> }
  | { readonly _tag: "Held"; readonly params: Params<"held"> }
  | { readonly _tag: "GetRuns"; readonly params: Params<"getRuns"> }
  | { readonly _tag: "GetSchedules"; readonly params: Params<"getSchedules"> }
  | { readonly _tag: "ListSchedules"; readonly params: Without<"listSchedules"> }
  | { readonly _tag: "ListRuns"; readonly params: Without<"listRuns"> }
  | { readonly _tag: "History"; readonly params: Without<"history"> }

/** Sends a command to a store; its answer. */
export const send = (store: JobStoreService, command: Command): Effect.Effect<unknown, JobStoreError> => {
  const transition = periodic
  switch (command._tag) {
    case "Modify": {
      const edits = new Map(command.edits)
      const edit: Transition = (id, view, now) => carryOut(id, edits.get(id)!, view, now)
      return store.modify({ now: command.now, ids: [...edits.keys()], transition: edit })
    }
    case "Fire":
      return store.fire({ ...command.params, transition })
    case "Enqueue":
      return store.enqueue(command.params)
    case "Claim":
      return Effect.flatMap(store.claim(command.params), (answer) => withNext(store, command.params, answer))
    case "Finish":
      return store.finish({ ...command.params, transition })
    case "Progress":
      return store.progress(command.params)
    case "Register":
      return store.register(command.params)
    case "Heartbeat":
      return store.heartbeat(command.params)
    case "Leave":
      return store.leave(command.params)
    case "Reap": {
      const { delays, ...params } = command.params
      return store.reap({ ...params, recovery: recoverAfter(delays), transition })
    }
    case "Cancel":
      return store.cancel({ ...command.params, transition })
    case "Wake":
      return store.wake(command.params)
    case "Maintain":
      return store.maintain({ ...command.params, transition })
    case "Held":
      return store.held(command.params)
    case "GetRuns":
      return store.getRuns(command.params)
    case "GetSchedules":
      return store.getSchedules(command.params)
    case "ListSchedules":
      return pages((cursor) => store.listSchedules({ ...command.params, cursor }))
    case "ListRuns":
      return pages((cursor) => store.listRuns({ ...command.params, cursor }))
    case "History":
      return pages((cursor) => store.history({ ...command.params, cursor }))
  }
}

/** A claim's answer with when the next run is due, which only some stores say of themselves. */
const withNext = (
  store: JobStoreService,
  { jobs, now, queues }: Params<"claim">,
  answer: { readonly next?: number | null | undefined }
): Effect.Effect<unknown, JobStoreError> =>
  answer.next !== undefined
    ? Effect.succeed(answer)
    : Effect.map(store.wake({ now, version: 0, triggers: [], jobs, queues }), ({ runs }) => ({
        ...answer,
        next: runs ?? null
      }))

/** The pages of a list as lists of ids: a cursor is a store's own affair. */
const pages = (
  page: (
    cursor: string | undefined
  ) => Effect.Effect<
    { readonly items: ReadonlyArray<{ readonly id: string }>; readonly cursor: string | undefined },
    JobStoreError
  >
): Effect.Effect<ReadonlyArray<ReadonlyArray<string>>, JobStoreError> => {
  const from = (
    cursor: string | undefined,
    before: ReadonlyArray<ReadonlyArray<string>>
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<string>>, JobStoreError> =>
    Effect.flatMap(page(cursor), (answer) => {
      const all = [...before, answer.items.map((row) => row.id)]
      return answer.cursor === undefined ? Effect.succeed(all) : from(answer.cursor, all)
    })
  return from(undefined, [])
}

const carryOut = (id: string, edit: Edit, view: ScheduleView | undefined, now: number): ScheduleChange | undefined => {
  if (edit._tag === "Put") return changeTo(edit.row)
  if (view === undefined || edit._tag === "Leave") return undefined
  // What has passed is decided by the old definition first; the next command goes on from there.
  const decided = periodic(id, view, now)
  const { schedule } = view
  switch (edit._tag) {
    case "Remove":
      return { ...(decided ?? changeTo(null)), schedule: null }
    case "Pause":
      return schedule.state === "active" ? changeTo({ ...schedule, state: "paused", nextAt: null }) : decided
    case "Resume":
      return schedule.state === "paused" ? resumed(schedule, now) : decided
    case "Update":
      return changeTo({ ...schedule, ...edit.fields, updatedAt: now })
    case "RunNow":
      return changeTo(schedule, { runs: [byHand(schedule, now)] })
    case "Cancel":
      return changeTo(schedule, { replaceDeferred: edit.deferred, cancelActive: edit.active })
  }
}

const byHand = (row: ScheduleRecord, now: number): RunRecord =>
  runAtNominal(row, now, {
    id: uuidOf(`${row.id} ${row.generation} ${row.revision} by hand`),
    cause: "runNow",
    nominal: null
  })
