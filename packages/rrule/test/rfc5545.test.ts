/**
 * The examples of RFC 5545, section 3.8.5.3, with the instants that it gives for them. Where it counts on forever, the
 * list here ends and the rule goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import { Trigger } from "effect-scheduler"
import { Rrule } from "../src/index.ts"

const ZONE = "America/New_York"

interface Example {
  readonly title: string
  /** Local date, at 09:00 in New York. */
  readonly start: string
  readonly rule: string
  /** Local dates at 09:00, or dates with times; ends with "…" where the rule goes on. */
  readonly fires: string
  readonly more?: string
}

const range = (from: string, to: string, step = 1): string => {
  const days: Array<string> = []
  const end = DateTime.makeUnsafe(to)
  for (let day = DateTime.makeUnsafe(from); day.epochMilliseconds <= end.epochMilliseconds;) {
    days.push(DateTime.formatIsoDateUtc(day))
    day = DateTime.add(day, { days: step })
  }
  return days.join(" ")
}

const januaries = [1998, 1999, 2000].map((year) => range(`${year}-01-01`, `${year}-01-31`)).join(" ")

const tuesdaysAndThursdays =
  "1997-09-02 1997-09-04 1997-09-09 1997-09-11 1997-09-16 1997-09-18 1997-09-23 1997-09-25 1997-09-30 1997-10-02"

const eachTwentyMinutes = ["1997-09-02", "1997-09-03"]
  .flatMap((day) =>
    ["09", "10", "11", "12", "13", "14", "15", "16"].flatMap((hour) =>
      ["00", "20", "40"].map((minute) => `${day}T${hour}:${minute}`)
    )
  )
  .join(" ")

const examples: ReadonlyArray<Example> = [
  {
    title: "daily for 10 occurrences",
    start: "1997-09-02",
    rule: "FREQ=DAILY;COUNT=10",
    fires: range("1997-09-02", "1997-09-11")
  },
  {
    title: "daily until December 24, 1997",
    start: "1997-09-02",
    rule: "FREQ=DAILY;UNTIL=19971224T000000Z",
    fires: range("1997-09-02", "1997-12-23")
  },
  {
    title: "every other day",
    start: "1997-09-02",
    rule: "FREQ=DAILY;INTERVAL=2",
    fires: `${range("1997-09-02", "1997-12-03", 2)} …`
  },
  {
    title: "every 10 days, 5 occurrences",
    start: "1997-09-02",
    rule: "FREQ=DAILY;INTERVAL=10;COUNT=5",
    fires: "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12"
  },
  {
    title: "every day in January, for 3 years, yearly",
    start: "1998-01-01",
    rule: "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
    fires: januaries
  },
  {
    title: "every day in January, for 3 years, daily",
    start: "1998-01-01",
    rule: "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
    fires: januaries
  },
  {
    title: "weekly for 10 occurrences",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;COUNT=10",
    fires: range("1997-09-02", "1997-11-04", 7)
  },
  {
    title: "weekly until December 24, 1997",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;UNTIL=19971224T000000Z",
    fires: range("1997-09-02", "1997-12-23", 7)
  },
  {
    title: "every other week",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
    fires: `${range("1997-09-02", "1998-02-17", 14)} …`
  },
  {
    title: "weekly on Tuesday and Thursday for five weeks, until",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
    fires: tuesdaysAndThursdays
  },
  {
    title: "weekly on Tuesday and Thursday for five weeks, counted",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
    fires: tuesdaysAndThursdays
  },
  {
    title: "every other week on Monday, Wednesday and Friday until December 24, 1997",
    start: "1997-09-01",
    rule: "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
    fires:
      "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17 1997-09-19 1997-09-29 1997-10-01 1997-10-03 1997-10-13 1997-10-15 1997-10-17 1997-10-27 1997-10-29 1997-10-31 1997-11-10 1997-11-12 1997-11-14 1997-11-24 1997-11-26 1997-11-28 1997-12-08 1997-12-10 1997-12-12 1997-12-22"
  },
  {
    title: "every other week on Tuesday and Thursday, for 8 occurrences",
    start: "1997-09-02",
    rule: "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
    fires: "1997-09-02 1997-09-04 1997-09-16 1997-09-18 1997-09-30 1997-10-02 1997-10-14 1997-10-16"
  },
  {
    title: "monthly on the first Friday for 10 occurrences",
    start: "1997-09-05",
    rule: "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
    fires:
      "1997-09-05 1997-10-03 1997-11-07 1997-12-05 1998-01-02 1998-02-06 1998-03-06 1998-04-03 1998-05-01 1998-06-05"
  },
  {
    title: "monthly on the first Friday until December 24, 1997",
    start: "1997-09-05",
    rule: "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
    fires: "1997-09-05 1997-10-03 1997-11-07 1997-12-05"
  },
  {
    title: "every other month on the first and last Sunday for 10 occurrences",
    start: "1997-09-07",
    rule: "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
    fires:
      "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25 1998-03-01 1998-03-29 1998-05-03 1998-05-31"
  },
  {
    title: "monthly on the second-to-last Monday for 6 months",
    start: "1997-09-22",
    rule: "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
    fires: "1997-09-22 1997-10-20 1997-11-17 1997-12-22 1998-01-19 1998-02-16"
  },
  {
    title: "monthly on the third-to-the-last day",
    start: "1997-09-28",
    rule: "FREQ=MONTHLY;BYMONTHDAY=-3",
    fires: "1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26 …"
  },
  {
    title: "monthly on the 2nd and 15th for 10 occurrences",
    start: "1997-09-02",
    rule: "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
    fires:
      "1997-09-02 1997-09-15 1997-10-02 1997-10-15 1997-11-02 1997-11-15 1997-12-02 1997-12-15 1998-01-02 1998-01-15"
  },
  {
    title: "monthly on the first and last day for 10 occurrences",
    start: "1997-09-30",
    rule: "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
    fires:
      "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30 1997-12-01 1997-12-31 1998-01-01 1998-01-31 1998-02-01"
  },
  {
    title: "every 18 months on the 10th thru 15th for 10 occurrences",
    start: "1997-09-10",
    rule: "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
    fires: `${range("1997-09-10", "1997-09-15")} ${range("1999-03-10", "1999-03-13")}`
  },
  {
    title: "every Tuesday, every other month",
    start: "1997-09-02",
    rule: "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
    fires: `${range("1997-09-02", "1997-09-30", 7)} ${range("1997-11-04", "1997-11-25", 7)} ${range(
      "1998-01-06",
      "1998-01-27",
      7
    )} ${range("1998-03-03", "1998-03-31", 7)} …`
  },
  {
    title: "yearly in June and July for 10 occurrences",
    start: "1997-06-10",
    rule: "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
    fires: [1997, 1998, 1999, 2000, 2001].map((year) => `${year}-06-10 ${year}-07-10`).join(" ")
  },
  {
    title: "every other year in January, February and March for 10 occurrences",
    start: "1997-03-10",
    rule: "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
    fires: `1997-03-10 ${[1999, 2001, 2003].map((year) => `${year}-01-10 ${year}-02-10 ${year}-03-10`).join(" ")}`
  },
  {
    title: "every third year on the 1st, 100th and 200th day for 10 occurrences",
    start: "1997-01-01",
    rule: "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
    fires:
      "1997-01-01 1997-04-10 1997-07-19 2000-01-01 2000-04-09 2000-07-18 2003-01-01 2003-04-10 2003-07-19 2006-01-01"
  },
  {
    title: "every 20th Monday of the year",
    start: "1997-05-19",
    rule: "FREQ=YEARLY;BYDAY=20MO",
    fires: "1997-05-19 1998-05-18 1999-05-17 …"
  },
  {
    title: "Monday of week number 20",
    start: "1997-05-12",
    rule: "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    fires: "1997-05-12 1998-05-11 1999-05-17 …"
  },
  {
    title: "every Thursday in March",
    start: "1997-03-13",
    rule: "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
    fires: `${range("1997-03-13", "1997-03-27", 7)} ${range("1998-03-05", "1998-03-26", 7)} ${range(
      "1999-03-04",
      "1999-03-25",
      7
    )} …`
  },
  {
    title: "every Thursday, but only during June, July and August",
    start: "1997-06-05",
    rule: "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
    fires: `${range("1997-06-05", "1997-08-28", 7)} ${range("1998-06-04", "1998-08-27", 7)} ${range(
      "1999-06-03",
      "1999-08-26",
      7
    )} …`
  },
  {
    title: "every Friday the 13th",
    start: "1997-09-02",
    rule: "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    more: `EXDATE;TZID=${ZONE}:19970902T090000`,
    fires: "1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13 …"
  },
  {
    title: "the first Saturday that follows the first Sunday of the month",
    start: "1997-09-13",
    rule: "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
    fires:
      "1997-09-13 1997-10-11 1997-11-08 1997-12-13 1998-01-10 1998-02-07 1998-03-07 1998-04-11 1998-05-09 1998-06-13 …"
  },
  {
    title: "every 4 years, the first Tuesday after a Monday in November",
    start: "1996-11-05",
    rule: "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
    fires: "1996-11-05 2000-11-07 2004-11-02 …"
  },
  {
    title: "the third instance of Tuesday, Wednesday or Thursday, for 3 months",
    start: "1997-09-04",
    rule: "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
    fires: "1997-09-04 1997-10-07 1997-11-06"
  },
  {
    title: "the second-to-last weekday of the month",
    start: "1997-09-29",
    rule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
    fires: "1997-09-29 1997-10-30 1997-11-27 1997-12-30 1998-01-29 1998-02-26 1998-03-30 …"
  },
  {
    title: "every 3 hours from 9:00 to 17:00 on a day, its UNTIL in UTC",
    start: "1997-09-02",
    rule: "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
    fires: "1997-09-02T09:00 1997-09-02T12:00 1997-09-02T15:00"
  },
  {
    title: "every 15 minutes for 6 occurrences",
    start: "1997-09-02",
    rule: "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
    fires: "1997-09-02T09:00 1997-09-02T09:15 1997-09-02T09:30 1997-09-02T09:45 1997-09-02T10:00 1997-09-02T10:15"
  },
  {
    title: "every hour and a half for 4 occurrences",
    start: "1997-09-02",
    rule: "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
    fires: "1997-09-02T09:00 1997-09-02T10:30 1997-09-02T12:00 1997-09-02T13:30"
  },
  {
    title: "every 20 minutes from 9:00 to 16:40 every day, daily",
    start: "1997-09-02",
    rule: "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
    fires: `${eachTwentyMinutes} …`
  },
  {
    title: "every 20 minutes from 9:00 to 16:40 every day, minutely",
    start: "1997-09-02",
    rule: "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
    fires: `${eachTwentyMinutes} …`
  },
  {
    title: "weeks that start on Monday",
    start: "1997-08-05",
    rule: "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
    fires: "1997-08-05 1997-08-10 1997-08-19 1997-08-24"
  },
  {
    title: "weeks that start on Sunday",
    start: "1997-08-05",
    rule: "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
    fires: "1997-08-05 1997-08-17 1997-08-19 1997-08-31"
  },
  {
    title: "a day that some months do not have is ignored",
    start: "2007-01-15",
    rule: "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
    fires: "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30"
  }
]

const local = (instant: DateTime.Utc): string =>
  DateTime.formatIsoZoned(DateTime.setZone(instant, DateTime.zoneMakeNamedUnsafe(ZONE))).slice(0, 16)

describe("an example of RFC 5545", () => {
  it.each(examples)("$title: $rule", ({ fires, more, rule, start }) => {
    const trigger = Rrule.rrule(
      [`DTSTART;TZID=${ZONE}:${start.replaceAll("-", "")}T090000`, `RRULE:${rule}`, ...(more ? [more] : [])].join("\n")
    )
    const goesOn = fires.endsWith("…")
    const wanted = fires
      .replace(" …", "")
      .split(" ")
      .map((day) => (day.includes("T") ? day : `${day}T09:00`))
    const instants: Array<DateTime.Utc> = []
    let at = Trigger.next(trigger, `${start}T00:00:00Z`)
    while (Option.isSome(at) && instants.length < wanted.length) {
      instants.push(at.value)
      at = Trigger.next(trigger, at.value)
    }
    assert.deepStrictEqual(instants.map(local), wanted)
    assert.strictEqual(Option.isSome(at), goesOn)
    // And back again.
    const back: Array<DateTime.Utc> = []
    let before = Option.some(instants.at(-1)!)
    while (Option.isSome(before)) {
      back.unshift(before.value)
      before = Trigger.prev(trigger, before.value.epochMilliseconds - 1)
    }
    assert.deepStrictEqual(back.map(local), wanted)
  })
})
