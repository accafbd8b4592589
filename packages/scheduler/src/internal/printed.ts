import { Cause, Effect, Result } from "effect"

/** What a user's code failed with may be anything, also something that throws when it is made a text. */
export const printed = (print: () => string): string =>
  Result.getOrElse(Result.try({ try: print, catch: () => undefined }), () => "it failed with what cannot be printed")

/** `Cause.pretty` of any cause. */
export const pretty = (cause: Cause.Cause<unknown>): string => printed(() => Cause.pretty(cause))

/** Logs any cause. A logger that throws at it must not end who tells of it. */
export const logFailure = (message: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.catchDefect(Effect.logError(message, cause), () =>
    Effect.ignoreCause(Effect.logError(`${message}: ${pretty(cause)}`))
  )
