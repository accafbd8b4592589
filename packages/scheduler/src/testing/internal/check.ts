import { Data, Effect, Equal, Formatter } from "effect"

/**
 * An expectation of the suite that a store did not meet; the message lists what differs, path by path.
 *
 * **Example** (What a store says that does not keep what it is given)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { JobStore, MemoryJobStore } from "effect-scheduler"
 * import { StoreSuite } from "effect-scheduler/testing"
 *
 * // A store that forgets everything that is enqueued.
 * const forgetful = Effect.map(MemoryJobStore.make(), (store) =>
 *   JobStore.JobStore.of({ ...store, enqueue: ({ runs }) => Effect.succeed({ ids: runs.map(({ run }) => run.id) }) })
 * )
 *
 * const [first] = StoreSuite.groups.get("enqueue")!
 * const failure = first!.run.pipe(
 *   Effect.provideServiceEffect(JobStore.JobStore, forgetful),
 *   Effect.scoped,
 *   Effect.flip,
 *   Effect.map((error) => error instanceof StoreSuite.AssertionFailure)
 * )
 *
 * await Effect.runPromise(failure) // => true
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class AssertionFailure extends Data.TaggedError("AssertionFailure")<{ readonly message: string }> {}

/** Fails with a list of differences unless both values are structurally equal. */
export const check = (actual: unknown, expected: unknown, what: string): Effect.Effect<void, AssertionFailure> =>
  Effect.suspend(() =>
    isSame(actual, expected)
      ? Effect.void
      : Effect.fail(new AssertionFailure({ message: describe(what, differences(actual, expected)) }))
  )

/** Fails with the message unless the condition holds. */
export const checkThat = (condition: boolean, what: string): Effect.Effect<void, AssertionFailure> =>
  condition ? Effect.void : Effect.fail(new AssertionFailure({ message: what }))

const describe = (what: string, found: ReadonlyArray<string>): string => {
  const shown = found.slice(0, 20)
  const rest = found.length - shown.length
  return [what, ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n  ")
}

/** Where two values differ, one line a path: `items[0].state: is "pending", should be "running"`. */
export const differences = (actual: unknown, expected: unknown, path = "value"): Array<string> => {
  if (Object.is(actual, expected)) return []
  if (Array.isArray(actual) && Array.isArray(expected)) {
    const lines = actual.length === expected.length ? [] : [`${path}: has ${actual.length}, not ${expected.length}`]
    for (let index = 0; index < Math.max(actual.length, expected.length); index++) {
      lines.push(...differences(actual[index], expected[index], `${path}[${index}]`))
    }
    return lines
  }
  if (isRecord(actual) && isRecord(expected)) {
    const keys = new Set([...Object.keys(actual), ...Object.keys(expected)])
    return [...keys].flatMap((key) => differences(actual[key], expected[key], `${path}.${key}`))
  }
  return Equal.equals(actual, expected)
    ? []
    : [`${path}: is ${Formatter.format(actual)}, should be ${Formatter.format(expected)}`]
}

/** Whether there are no differences, without writing any path. */
export const isSame = (actual: unknown, expected: unknown): boolean => {
  if (Object.is(actual, expected)) return true
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.length === expected.length && actual.every((value, index) => isSame(value, expected[index]))
  }
  if (isRecord(actual) && isRecord(expected)) {
    for (const key in actual) if (!isSame(actual[key], expected[key])) return false
    for (const key in expected) if (actual[key] === undefined && expected[key] !== undefined) return false
    return true
  }
  return Equal.equals(actual, expected)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
