/** How a test lets a schedule's past begin earlier than it did: as if nobody had looked at it for so long. */
import type { Effect } from "effect"
import type { Applied, JobStoreError, JobStoreService } from "effect-scheduler/JobStore"
import { changeTo } from "../support.ts"

/** Moves all that a schedule's row says of time back by so many milliseconds. What was due then is due now. */
export const backdate = (
  store: JobStoreService,
  id: string,
  millis: number
): Effect.Effect<ReadonlyArray<Applied>, JobStoreError> =>
  store.modify({
    now: 0,
    ids: [id],
    transition: (_, view) => {
      const { anchor, firstWatermark, nextAt, watermark, ...row } = view!.schedule
      return changeTo({
        ...row,
        anchor: anchor - millis,
        firstWatermark: firstWatermark - millis,
        watermark: watermark - millis,
        nextAt: nextAt === null ? null : nextAt - millis
      })
    }
  })
