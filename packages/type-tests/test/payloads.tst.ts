import { Effect, Schema } from "effect"
import { Job, Scheduler } from "effect-scheduler"
import { describe, expect, it } from "tstyche"
import { type Database, Plain, trigger, Work } from "./given.ts"

declare const scheduler: Scheduler["Service"]
declare const needing: Schema.Codec<string, string, Database>

describe("a payload", () => {
  it("is that of the job, in every verb", () => {
    expect(scheduler.schedule(Work, { id: "a", trigger, payload: { n: 1 } })).type.toBeAssignableTo<
      Effect.Effect<unknown, unknown>
    >()
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.schedule(Work, { id: "a", trigger, payload: { n: "1" } })
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.scheduleAll(Work, [{ id: "a", trigger, payload: { n: "1" } }])
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.enqueue(Work, { n: "1" })
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.enqueueAll(Work, [{ n: "1" }])
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.execute(Work, { n: "1" })
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    scheduler.update(Work, "a", { payload: { n: "1" } })
  })

  it("is missed where the job has one", () => {
    // @ts-expect-error Property 'payload' is missing
    scheduler.schedule(Work, { id: "a", trigger })
    // @ts-expect-error Expected 2-3 arguments, but got 1
    scheduler.enqueue(Work)
    // @ts-expect-error Expected 2-3 arguments, but got 1
    scheduler.execute(Work)
  })

  it("is refused where the job has none, or has no such field", () => {
    // @ts-expect-error is not assignable
    scheduler.schedule(Plain, { id: "a", trigger, payload: { n: 1 } })
    // @ts-expect-error is not assignable
    scheduler.enqueue(Plain, { n: 1 })
    // @ts-expect-error 'm' does not exist
    scheduler.enqueue(Work, { n: 1, m: 2 })
  })

  it("is given to the handler and to the key as the schema has it", () => {
    Work.toLayer((payload) => {
      expect(payload).type.toBe<{ readonly n: number }>()
      return Effect.succeed("")
    })
    Job.make("J", {
      payload: { day: Schema.DateFromString },
      key: (payload) => {
        expect(payload.day).type.toBe<Date>()
        return payload.day.toISOString()
      }
    })
    // @ts-expect-error Type 'number' is not assignable to type 'string'
    Job.make("J", { payload: { n: Schema.Finite }, key: ({ n }) => n })
  })

  it("is of schemas that need no service, so that it is readable anywhere", () => {
    // @ts-expect-error is not assignable
    Job.make("J", { payload: needing })
  })
})
