import { Trigger } from "effect-scheduler"
import { describe, expect, it } from "tstyche"

const nightly = <const S extends string>(text: Trigger.CronText<S>) => Trigger.cron(text, { timeZone: "Europe/Berlin" })

describe("a literal cron text", () => {
  it("is a trigger where it is well formed", () => {
    expect(Trigger.cron).type.toBeCallableWith("0 9 * * MON-FRI")
    expect(Trigger.cron).type.toBeCallableWith("*/5 * * * * *")
    expect(Trigger.cron).type.toBeCallableWith("0 0 12 L * ? 2030")
    expect(Trigger.cron).type.toBeCallableWith("0 9 LW * *")
    expect(Trigger.cron).type.toBeCallableWith("0 9 * * FRI#2")
    expect(Trigger.cron).type.toBeCallableWith("@daily")
    expect(Trigger.cron("0 9 * * *")).type.toBe<Trigger.Cron>()
  })

  it("is refused with the field and what stands in it", () => {
    // @ts-expect-error not assignable to parameter of type '"hour field: \"25\" is not valid"'
    Trigger.cron("0 25 * * *")
    // @ts-expect-error not assignable to parameter of type '"minute field: \"61\" is not valid"'
    Trigger.cron("61 * * * *")
    // @ts-expect-error not assignable to parameter of type '"month field: \"JANUARY\" is not valid"'
    Trigger.cron("0 9 1 JANUARY *")
    // @ts-expect-error not assignable to parameter of type '"hour field: \"17-9\" is not valid"'
    Trigger.cron("0 17-9 * * *")
    // @ts-expect-error "a cron text has 5, 6 (seconds first) or 7 (year last) fields"
    Trigger.cron("0 9 * *")
    // @ts-expect-error "nickname: \"@dayly\" is not valid"
    Trigger.cron("@dayly")
  })

  it("is no text that becomes known when the program runs", () => {
    const text: string = "0 9 * * *"
    // @ts-expect-error cron takes a literal: use Trigger.parseCron
    Trigger.cron(text)
    expect(Trigger.parseCron).type.toBeCallableWith(text)
  })

  it("is handed on by a wrapper that names its type", () => {
    expect(nightly).type.toBeCallableWith("0 3 * * *")
    expect(nightly).type.not.toBeCallableWith("0 33 * * *")
  })

  it("has a type that is the text, or what is wrong with it", () => {
    expect<Trigger.CronText<"0 9 * * *">>().type.toBe<"0 9 * * *">()
    expect<Trigger.CronText<"0 25 * * *">>().type.toBe<'hour field: "25" is not valid'>()
  })
})

describe("cron fields", () => {
  it("are named as they are", () => {
    expect(Trigger.cron).type.toBeCallableWith({ hour: 5, dayOfWeek: "mon-fri", day: "last sun" })
    // Effect's own Cron has a field of this name, a set of numbers.
    // @ts-expect-error Type 'number' is not assignable to type 'ReadonlySet<number>'
    Trigger.cron({ hours: 5 })
    // @ts-expect-error Type 'number' is not assignable to type 'string'
    Trigger.cron({ dayOfWeek: 1 })
  })
})
