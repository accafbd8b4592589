/**
 * What the transitions need beside the stored row.
 */
import type { Policy, ScheduleRecord } from "../../JobSchedule.ts"
import type { Trigger } from "../../Trigger.ts"
import type { MakeId } from "../uuid.ts"

/** The definition of a row, as values. */
export interface Resolved {
  /** Closed by the row's anchor, its custom rules resolved. */
  readonly trigger: Trigger
  readonly policy: Policy
}

export interface TransitionContext {
  /** Undefined where this node cannot read the row: it was written by a newer version, or needs a rule that is not
   * registered here. */
  readonly resolve: (record: ScheduleRecord) => Resolved | undefined
  readonly newId: MakeId
  /** The version of this node's zone data. */
  readonly zoneData: string
}
