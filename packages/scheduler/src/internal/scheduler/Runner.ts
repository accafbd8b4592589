import type { Context, Latch, Random } from "effect"
import type { JobRegistryService } from "../../JobRegistry.ts"
import type { ClaimableJob, JobStoreService, Transition } from "../../JobStore.ts"
import type { MakeId } from "../uuid.ts"
import type { Deadlines } from "./Deadlines.ts"
import type { EventHub } from "./EventHub.ts"
import type { Foretold } from "./Foretold.ts"
import type { Running } from "./Running.ts"
import type { Settings } from "./settings.ts"
import type { Slots } from "./Slots.ts"
import type { StoreCalls } from "./StoreCalls.ts"
import type { StoreTime } from "./StoreTime.ts"
import type { ClockWatch, Wakeup } from "./Wakeup.ts"

/** What the loops of one store share. Each of them is in a file of its own and knows no other loop, only these. */
export interface Runner {
  readonly alias: string
  readonly store: JobStoreService
  readonly calls: StoreCalls
  readonly settings: Settings
  readonly hub: EventHub
  readonly foretold: Foretold
  readonly registry: JobRegistryService
  readonly slots: Slots
  readonly clock: ClockWatch
  /** For whatever is compared with stored instants, or becomes one. */
  readonly time: StoreTime
  readonly random: Random.Random
  readonly newId: MakeId
  /** Services of the scheduler's own fiber: clock, tracer, logger. */
  readonly context: Context.Context<never>
  /** Decides a schedule up to an instant. */
  readonly advance: Transition
  /** The custom rules that are known here. */
  readonly triggers: () => ReadonlyArray<string>
  /** The jobs that this node can be given runs of: the same array until a handler comes or goes. */
  readonly claimable: () => ReadonlyArray<ClaimableJob>
  /** Claimed and not yet reported: running, or ended and waiting for the finisher. */
  readonly running: Map<string, Running>
  /** Ended runs that the finisher has not stored. */
  readonly reports: Array<Running>
  readonly deadlines: Deadlines
  readonly bells: {
    readonly fire: Wakeup
    readonly claim: Wakeup
    readonly finish: Wakeup
    readonly heart: Wakeup
    readonly idle: Wakeup
  }
  readonly state: {
    /** Another one after it was fenced. */
    node: string
    /** Monotonic milliseconds until which this node may claim; `Infinity` where there are no leases. */
    leaseUntil: number
    /** The same instant by the wall clock. It passes alone while the machine sleeps. */
    leaseUntilWall: number
    /** Monotonic milliseconds since which every renewal succeeded in time; undefined after one that failed. */
    healthySince: number | undefined
    /** Nothing is fired or claimed. */
    paused: boolean
    /** No claim is made any more, for good. */
    closing: boolean
    /** A reaper's call is under way: what it recovered is told of before it is started. */
    reaping: Latch.Latch
    /** The last claim came back full: there is more that is due, and waits for its start. */
    behind: boolean
    /** A claim failed after it was sent: the store may have runs for this node that it does not know of. */
    uncertain: boolean
  }
  /** Told of each run that ended on this node. */
  readonly onEnd: (runId: string) => void
}
