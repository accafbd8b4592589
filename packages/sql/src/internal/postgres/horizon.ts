/** Where claims begin to look. */
export interface Horizon {
  /** The lowest `runAt` of interest for each of these jobs. */
  readonly lows: (jobs: ReadonlyArray<string>) => ReadonlyArray<number>
}

export const none: Horizon = {
  lows: (jobs) => jobs.map(() => Number.MIN_SAFE_INTEGER)
}
