/**
 * What happens in the demo, in its order.
 */
import { Clock, Console, Effect, Fiber, Schedule } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { boardOf } from "./board.ts"
import { createTable } from "./executions.ts"
import { NightlyReport, ResizeImage, SendInvoice } from "./jobs.ts"
import { busiest, readFacts, readNow, unfinished } from "./rows.ts"
import type { Screen } from "./screen.ts"
import { type News, table } from "./table.ts"
import type { Paint } from "./text.ts"
import { DemoFailed, Workers } from "./Workers.ts"

export interface Options {
  readonly url: string
  /** Invoices to send. There is an image to resize for every eight of them. */
  readonly work: number
  /** Milliseconds from the first execution to the kill. */
  readonly killAfter: number
}

const CUSTOMERS = 40

/** Answers what there is to be audited. */
export const play = Effect.fnUntraced(function* ({ killAfter, url, work }: Options, screen: Screen, paint: Paint) {
  const scheduler = yield* Scheduler
  const began = yield* Clock.currentTimeMillis
  const workers = new Workers()
  const own: Array<News> = []
  const tell = (text: string) => Effect.map(Clock.currentTimeMillis, (at) => void own.push({ at: at - began, text }))

  yield* createTable
  for (let i = 0; i < 3; i++) yield* workers.start(url)
  const draw = Effect.flatMap(readNow, (now) => screen.draw(table(boardOf(now, workers, own, began), paint)))
  const drawing = yield* Effect.forkScoped(Effect.repeat(draw, Schedule.spaced(screen.every)))
  yield* workers.until(
    "three schedulers",
    Effect.sync(() => workers.all.every(({ nodes }) => nodes.length > 0))
  )

  const enqueued = yield* enqueue(work)
  yield* tell(`enqueued ${enqueued.length} runs, and a schedule of one more each second`)
  yield* workers.until(
    "the work to begin",
    Effect.map(busiest, (nodes) => nodes.length > 0)
  )
  yield* Effect.sleep(killAfter)
  const victim = yield* kill(workers)
  yield* tell(`killed process ${victim.pid} (SIGKILL) in the middle of its work`)

  yield* workers.until(
    "its node to be found dead",
    Effect.sync(() => workers.heard.some(({ told }) => told._tag === "NodeReaped" && victim.nodes.includes(told.dead)))
  )
  const fourth = yield* workers.start(url)
  yield* tell(`started process ${fourth.pid} in its place`)

  yield* workers.until(
    "all that was enqueued to end",
    Effect.map(unfinished(SendInvoice.jobName, ResizeImage.jobName), (n) => n === 0)
  )
  yield* workers.until(
    "the one in its place to start",
    Effect.sync(() => fourth.nodes.length > 0)
  )
  yield* scheduler.unschedule("report")
  yield* workers.until(
    "the last report to end",
    Effect.map(unfinished(), (n) => n === 0)
  )
  yield* tell("all has ended: asked the schedulers to stop (SIGTERM)")
  const alive = workers.all.filter(({ code }) => code === undefined)
  yield* Effect.forEach(alive, ({ stop }) => stop, { discard: true })
  yield* workers.until(
    "the schedulers to stop",
    Effect.sync(() => alive.every(({ code }) => code !== undefined))
  )
  const wrong = alive.find(({ code }) => code !== 0)
  if (wrong !== undefined) {
    return yield* new DemoFailed({
      message: `Process ${wrong.pid} was asked to stop, and ended with code ${wrong.code}`
    })
  }
  yield* Fiber.interrupt(drawing)
  yield* draw
  yield* Console.log("")
  return {
    facts: yield* readFacts,
    enqueued,
    processes: workers.all.map(({ killed, nodes, pid }) => ({ pid, nodes, end: killed ? "killed" : "in order" }))
  }
})

const numbers = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

const enqueue = Effect.fnUntraced(function* (work: number) {
  const scheduler = yield* Scheduler
  const invoices = numbers(work).map((invoice) => ({ customer: `customer ${invoice % CUSTOMERS}`, invoice }))
  const images = numbers(Math.ceil(work / 8)).map((image) => ({ image }))
  yield* scheduler.schedule(NightlyReport, { id: "report", trigger: Trigger.every("1 second") })
  return [
    ...(yield* scheduler.enqueueAll(ResizeImage, images)),
    ...(yield* scheduler.enqueueAll(SendInvoice, invoices))
  ]
})

/** Kills the scheduler that has the most to do, when that is more than one run. */
const kill = Effect.fnUntraced(function* (workers: Workers) {
  let victim = workers.all[0]!
  yield* workers.until(
    "a scheduler in the middle of its work",
    Effect.map(busiest, ([first]) => {
      const found = first !== undefined && first.n > 1 ? workers.ofNode(first.node) : undefined
      if (found !== undefined) victim = found
      return found !== undefined
    })
  )
  yield* victim.kill
  return victim
})
