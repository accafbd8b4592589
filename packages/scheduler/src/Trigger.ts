/**
 * When a job runs: immutable values, made by constructors, changed by modifiers, and asked for their instants by pure
 * functions. They encode to versioned JSON and back by the schema `Trigger.Trigger`.
 *
 * Instants are milliseconds inside and `DateTime.Utc` outside; whatever takes an instant takes milliseconds, a `Date`, a
 * `DateTime` or ISO text. A zone that is not given is UTC, never the machine's.
 *
 * @module
 * @since 0.1.0
 */

// -- models
export type { CronFields, CronOptions } from "./internal/trigger/cron.ts"
export type { CalendarSteps } from "./internal/trigger/constructors.ts"
export type { LocalDate, TimeZoneInput } from "./internal/trigger/localText.ts"
export type { Bounds, ExcludedDates, WindowOptions } from "./internal/trigger/modifiers.ts"
export type {
  And,
  At,
  Bounded,
  Calendar,
  Cron,
  Custom,
  During,
  Every,
  Except,
  ExceptDates,
  Offset,
  Or,
  Rule,
  Spaced,
  StartNow
} from "./internal/trigger/model.ts"
export { ClockChange, ClockChangeRule } from "./internal/trigger/clockChange.ts"
export type { CronText } from "./internal/trigger/literal.ts"

// -- schemas
export { Trigger } from "./internal/trigger/codec.ts"
export { version } from "./internal/trigger/encode.ts"
export { TriggerJson } from "./internal/trigger/json.ts"

// -- guards
export { isSpaced, isTrigger } from "./internal/trigger/model.ts"
export { isClosed, isRule } from "./internal/trigger/queries.ts"

// -- constructors
export { and, at, calendar, every, or, spaced } from "./internal/trigger/constructors.ts"
export { cron, parseCron } from "./internal/trigger/cron.ts"
export { custom, type CustomDefinition, type CustomTrigger } from "./internal/trigger/custom.ts"

// -- modifiers
export { bounded, during, except, offset, startNow } from "./internal/trigger/modifiers.ts"

// -- instants
export { anchor, between, count, matches, next, prev, upcoming } from "./internal/trigger/queries.ts"

export { describe } from "./internal/trigger/describe.ts"
export { toCron, toSchedule, toStream } from "./internal/trigger/interop.ts"

// -- custom rules of a process
export { layerRegistry, TriggerRegistry } from "./internal/trigger/custom.ts"

// -- errors
export { CronParseError, TriggerError, TriggerErrorReason } from "./internal/trigger/error.ts"
