/**
 * What a worker tells the demo: events of its scheduler, one JSON text a line.
 */
import { Schema } from "effect"
import { SchedulerEvent } from "effect-scheduler"

export const tags = ["SchedulerStarted", "NodeFenced", "NodeReaped", "RunRecovered"] as const

const Told = Schema.Union([
  SchedulerEvent.SchedulerStarted,
  SchedulerEvent.NodeFenced,
  SchedulerEvent.NodeReaped,
  SchedulerEvent.RunRecovered
])

export type Told = typeof Told.Type

const Line = Schema.fromJsonString(Told)

export const encodeTold = Schema.encodeSync(Line)

/** None for a line that is something else. */
export const decodeTold = Schema.decodeUnknownOption(Line)
