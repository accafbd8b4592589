import { Rrule } from "@effect-scheduler/rrule"
import { Console, DateTime, Effect, Option } from "effect"
import { Trigger } from "effect-scheduler"

const trigger = Rrule.rrule("DTSTART:20300101T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO")
Effect.runSync(
  Console.log(Option.map(Trigger.next(trigger, "2030-01-01T00:00:00Z"), DateTime.formatIso).pipe(Option.getOrThrow))
)
