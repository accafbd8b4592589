/** What each library must be able to do to be measured: jobs with a text as payload, on one database of its own. */
export interface Side {
  /** One by one, each stored when the promise is fulfilled. */
  readonly enqueue: (text: string) => Promise<unknown>
  /** In bulk, by the function that the library has for it. */
  readonly enqueueAll: (texts: ReadonlyArray<string>) => Promise<unknown>
  /** Starts to run jobs, and answers how to stop. */
  readonly work: (handler: Handler) => Promise<() => Promise<unknown>>
  /** A query of one boolean: whether a job is not stored as ended. */
  readonly unfinished: string
  readonly close: () => Promise<unknown>
}

/** A handler takes no time, or waits. */
export interface Handler {
  readonly run: (text: string) => void
  readonly waits: number
}

/** A library with certain settings. */
export interface Form {
  /** As the table names it. */
  readonly settings: string
  /** Where this says it: a quoted line of the library's documentation, and its source. */
  readonly quote: string
  /** What it does not keep. */
  readonly lacks: string
  /** Whether it is what the library recommends, beside which the target is set. */
  readonly isRecommended: boolean
  /** How many runs are measured, of 20,000: fewer where they would take minutes. */
  readonly count: number
}

export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

export const handle = async (handler: Handler, text: string): Promise<void> => {
  handler.run(text)
  if (handler.waits > 0) await pause(handler.waits)
}
