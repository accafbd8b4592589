/** Which cron literals compile. The lines that must not are checked by `tsc -b`: an unused directive is an error. */
import { describe, expect, expectTypeOf, it } from "vitest"
import * as Trigger from "../../src/Trigger.ts"

const { cron } = Trigger

/** What a user writes who hands literals on. */
const wrapper = <const S extends string>(text: Trigger.CronText<S>) => cron(text)

describe("cron literals", () => {
  it("a valid literal compiles and is handed on", () => {
    const texts = [
      cron("* * * * *"),
      cron("0 0 1 1 0"),
      cron("59 23 31 12 7"),
      cron("05 09 01 02 00"),
      cron("0,15,30,45 9-17 1-15/2 */3 1-5"),
      cron("*/10,30-35 * * * *"),
      cron("*/90 * * * *"),
      cron("0 0 ? * ?"),
      cron("0 0 ?/2 * *"),
      cron("0 0 L * *"),
      cron("0 0 1,3,6-8,L 2 *"),
      cron("0 0 15W * *"),
      cron("0 0 LW * *"),
      cron("0 0 lw * *"),
      cron("0 0 * jan,FEB,Mar *"),
      cron("0 0 * JAN-6 MON-5"),
      cron("0 0 * * fri-sun"),
      cron("0 0 * * SUN-TUE"),
      cron("0 0 * * SUN-SUN"),
      cron("0 0 * * 5-7"),
      cron("0 0 * * 2#3,FRI#L,5L,7L,monL"),
      cron("0 12 1 * +MON"),
      cron("0 12 1 * +MON,5L"),
      cron("30 0 0 * * *"),
      cron("0 0 0 1 1 * 2024,2026-2030/2"),
      cron("0 0 0 1 1 * */2"),
      cron("0 0 0 1 1 * 1-9999"),
      cron("  0\t0 \t *    *     *  "),
      cron("@daily"),
      cron("  @Weekly "),
      cron("@MIDNIGHT")
    ]
    expect(texts).toHaveLength(31)
    expect(texts.every(Trigger.isTrigger)).toBe(true)
    expectTypeOf(cron("0 9 * * *")).toEqualTypeOf<Trigger.Cron>()
    expectTypeOf<Trigger.CronText<"0 9 * * *">>().toEqualTypeOf<"0 9 * * *">()
  })

  it("a list may be long", () => {
    expectTypeOf<
      Trigger.CronText<"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59 * * * *">
    >().not.toEqualTypeOf<never>()
    const long: Trigger.CronText<"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59 * * * *"> =
      "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59 * * * *"
    expect(long.split(",")).toHaveLength(60)
  })

  it("an invalid literal does not compile, and throws where it is run all the same", () => {
    const texts = [
      // @ts-expect-error hour field: "25" is not valid
      () => cron("0 25 * * *"),
      // @ts-expect-error minute field: "60" is not valid
      () => cron("60 * * * *"),
      // @ts-expect-error minute field: "005" is not valid
      () => cron("005 * * * *"),
      // @ts-expect-error day field: "0" is not valid
      () => cron("0 0 0 * *"),
      // @ts-expect-error month field: "13" is not valid
      () => cron("0 0 * 13 *"),
      // @ts-expect-error weekday field: "8" is not valid
      () => cron("0 0 * * 8"),
      // @ts-expect-error hour field: "17-9" is not valid
      () => cron("0 17-9 * * *"),
      // @ts-expect-error weekday field: "FRI-MON" is not valid
      () => cron("0 0 * * FRI-MON"),
      // @ts-expect-error weekday field: "MON-0" is not valid
      () => cron("0 0 * * MON-0"),
      // @ts-expect-error minute field: "*/0" is not valid
      () => cron("*/0 * * * *"),
      // @ts-expect-error minute field: "0/15" is not valid
      () => cron("0/15 * * * *"),
      // @ts-expect-error minute field: "5/5/5" is not valid
      () => cron("5/5/5 * * * *"),
      // @ts-expect-error minute field: "" is not valid
      () => cron("0,,5 * * * *"),
      // @ts-expect-error hour field: "?" is not valid
      () => cron("0 ? * * *"),
      // @ts-expect-error month field: "L" is not valid
      () => cron("0 0 * L *"),
      // @ts-expect-error month field: "MON" is not valid
      () => cron("0 0 * MON *"),
      // @ts-expect-error weekday field: "L" is not valid
      () => cron("0 0 * * L"),
      // @ts-expect-error day field: "1-15W" is not valid
      () => cron("0 0 1-15W * *"),
      // @ts-expect-error day field: "15W" is not valid
      () => cron("0 0 1,15W * *"),
      // @ts-expect-error weekday field: "2W" is not valid
      () => cron("0 0 * * 2W"),
      // @ts-expect-error weekday field: "4#6" is not valid
      () => cron("0 0 * * 4#6"),
      // @ts-expect-error weekday field: "1-5#2" is not valid
      () => cron("0 0 * * 1-5#2"),
      // @ts-expect-error weekday field: "+" is not valid
      () => cron("0 0 1 * +"),
      // @ts-expect-error weekday field: "MON+" is not valid
      () => cron("0 0 1 * MON+"),
      // @ts-expect-error minute field: "+5" is not valid
      () => cron("+5 * * * *"),
      // @ts-expect-error year field: "0" is not valid
      () => cron("0 0 0 1 1 * 0"),
      // @ts-expect-error year field: "10000" is not valid
      () => cron("0 0 0 1 1 * 10000"),
      // @ts-expect-error year field: "2030-2024" is not valid
      () => cron("0 0 0 1 1 * 2030-2024"),
      // @ts-expect-error four fields
      () => cron("* * * *"),
      // @ts-expect-error eight fields
      () => cron("* * * * * * * *"),
      // @ts-expect-error no fields
      () => cron(""),
      // @ts-expect-error nickname: "@dayly" is not valid
      () => cron("@dayly"),
      // @ts-expect-error @reboot is not a time
      () => cron("@reboot")
    ]
    expect(texts).toHaveLength(33)
    for (const text of texts) expect(text).toThrow(Trigger.CronParseError)
  })

  it("the error is a sentence that names the field and the item", () => {
    expectTypeOf<Trigger.CronText<"0 25 * * *">>().toEqualTypeOf<'hour field: "25" is not valid'>()
    expectTypeOf<Trigger.CronText<"0 1,25 * * *">>().toEqualTypeOf<'hour field: "25" is not valid'>()
    expectTypeOf<Trigger.CronText<"a 25 * * *">>().toEqualTypeOf<
      'minute field: "a" is not valid' | 'hour field: "25" is not valid'
    >()
    expectTypeOf<
      Trigger.CronText<"* * * *">
    >().toEqualTypeOf<"a cron text has 5, 6 (seconds first) or 7 (year last) fields">()
    expectTypeOf<Trigger.CronText<"@dayly">>().toEqualTypeOf<'nickname: "@dayly" is not valid'>()
  })

  it("text that is not a literal is pointed to parseCron", () => {
    const text: string = "* * * * *"
    // @ts-expect-error cron takes a literal: use Trigger.parseCron …
    expect(cron(text)).toEqual(cron("* * * * *"))
    expectTypeOf<Trigger.CronText<string>>().toExtend<`cron takes a literal: use Trigger.parseCron${string}`>()
    const either = "0 0 * * *" as "0 0 * * *" | "0 25 * * *"
    // @ts-expect-error hour field: "25" is not valid
    expect(cron(either)).toEqual(cron("0 0 * * *"))
    const hour: number = 5
    // @ts-expect-error a template of unknown parts is no literal
    expect(cron(`0 ${hour} * * *` as const)).toEqual(cron("0 5 * * *"))
  })

  it("fields pass, and a field that does not exist does not", () => {
    expect(cron({ hour: 5 })).toEqual(cron({ hour: "5" }))
    // @ts-expect-error there is no such field
    expect(() => cron({ hours: 5 })).toThrow(Trigger.CronParseError)
  })

  it("a wrapper hands a literal on", () => {
    expect(wrapper("0 9 * * 1-5")).toEqual(cron("0 9 * * 1-5"))
    // @ts-expect-error hour field: "24" is not valid
    expect(() => wrapper("0 24 * * 1-5")).toThrow(Trigger.CronParseError)
  })
})
