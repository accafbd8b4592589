import type { ClaimableJob } from "effect-scheduler/JobStore"
import type { Params } from "./port.ts"
import type { Row } from "./values.ts"

export type Limited = Pick<Params<"claim">, "jobs" | "queues">

/** How many runs of a job or a queue may still be started. Nothing is counted where nothing is limited. */
export class Room {
  private readonly running = new Map<string, number>()
  private readonly queues: Limited["queues"]
  private readonly isLimited: boolean

  constructor(queues: Limited["queues"], rows: ReadonlyArray<Row> | undefined) {
    this.queues = queues
    this.isLimited = rows !== undefined
    if (rows === undefined) return
    for (const [job, queue, count] of rows) this.add(job as string, queue as string, count as number)
  }

  add(job: string, queue: string, count: number): void {
    if (!this.isLimited) return
    this.running.set(`job ${job}`, (this.running.get(`job ${job}`) ?? 0) + count)
    this.running.set(`queue ${queue}`, (this.running.get(`queue ${queue}`) ?? 0) + count)
  }

  of(job: ClaimableJob): number {
    if (!this.isLimited) return Infinity
    const ofJob = (job.concurrency ?? Infinity) - (this.running.get(`job ${job.name}`) ?? 0)
    const ofQueue = (this.queues[job.queue] ?? Infinity) - (this.running.get(`queue ${job.queue}`) ?? 0)
    return Math.min(ofJob, ofQueue)
  }
}
