/**
 * iCalendar recurrence rules as triggers of `effect-scheduler`.
 *
 * @since 0.1.0
 */
export * as Rrule from "./Rrule.ts"
