/**
 * One line of text for what is told.
 */
import type { SchedulerEvent } from "effect-scheduler"
import type { Told } from "./Report.ts"
import { clip, type Colour, column, type Paint } from "./text.ts"

interface Parts {
  readonly verb: string
  readonly colour?: Colour | undefined
  readonly title: string
  readonly detail?: string | undefined
}

/** Undefined for what a person need not see. */
export const render = ({ at, message }: Told, paint: Paint): string | undefined => {
  const line = (parts: Parts) => {
    const detail = clip(parts.detail ?? "", 34)
    const title = detail === "" ? clip(parts.title, 57) : column(parts.title, 56 - detail.length)
    const verb = column(parts.verb, 10)
    const text = `${title}${detail === "" ? "" : ` ${detail}`}`
    return `${paint("dim", clock(at))} ${parts.colour === undefined ? verb : paint(parts.colour, verb)}${text}`
  }
  switch (message._tag) {
    case "Note":
      return message.text
    case "Problem":
      return paint("red", message.text)
    case "Synced":
      return line({
        verb: "crontab",
        title: `${message.lines} ${message.lines === 1 ? "line" : "lines"}, ${message.removed} removed, ${message.problems} wrong`
      })
    case "LeftoverEnded":
      return line({
        verb: "ended",
        colour: "cyan",
        title: message.title,
        detail: `its process group ${message.group}`
      })
    case "CommandStarted":
      return undefined
    case "Output":
      return paint("dim", `${" ".repeat(13)}| ${clip(message.line, 65)}`)
    case "Event": {
      const parts = ofEvent(message.event)
      return parts === undefined ? undefined : line({ title: message.title, ...parts })
    }
  }
}

/** UTC. */
const clock = (at: number): string => new Date(at).toISOString().slice(11, 23)

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(2)} s`

type EventParts = Omit<Parts, "title"> & { readonly title?: string }

const ofEvent = (event: SchedulerEvent.SchedulerEvent): EventParts | undefined => {
  switch (event._tag) {
    case "SchedulerStarted":
      return { verb: "started", title: `node ${event.node}` }
    case "SchedulerStopped":
      return { verb: "stopped", title: `node ${event.node}` }
    case "ScheduleAdded":
      return { verb: "added" }
    case "ScheduleUpdated":
      return { verb: "updated" }
    case "ScheduleRemoved":
      return { verb: "removed" }
    case "RunStarted":
      return { verb: "run", detail: event.execution === 1 ? tail(event.runId) : `again ${tail(event.runId)}` }
    case "RunSucceeded":
      return { verb: "ok", colour: "green", detail: `${seconds(event.duration)} ${tail(event.runId)}` }
    case "RunFailed":
      return { verb: "failed", colour: "red", detail: `${event.message} ${tail(event.runId)}` }
    case "RunMissed":
      return { verb: "missed", colour: "yellow", detail: times(event.count) }
    case "RunSkipped":
      return { verb: "skipped", colour: "yellow", detail: `${times(event.count)}: still running` }
    case "RunDropped":
      return { verb: "dropped", colour: "yellow", detail: times(event.count) }
    case "RunRecovered":
      return { verb: "recovered", colour: "cyan", detail: tail(event.runId) }
    case "RunReleased":
      return { verb: "put back", colour: "yellow", detail: tail(event.runId) }
    case "RunLost":
      return { verb: "lost", colour: "red", detail: tail(event.runId) }
    case "NodeReaped":
      return { verb: "dead", colour: "cyan", title: `node ${event.dead}`, detail: "its lease has passed" }
    case "NodeFenced":
      return { verb: "fenced", colour: "red", title: `was taken for dead, goes on as ${event.newNode}` }
    case "StoreDegraded":
      return { verb: "store", colour: "red", title: `${event.reason} in ${event.method}: ${event.message}` }
    case "StoreRecovered":
      return { verb: "store", colour: "green", title: `answers again after ${seconds(event.after)}` }
    case "FiberRestarted":
      return { verb: "restarted", colour: "red", title: `${event.fiber}: ${event.message}` }
    case "ClockJumped":
      return { verb: "clock", colour: "yellow", title: `jumped by ${seconds(event.by)}` }
    case "EventsLost":
      return { verb: "lost", colour: "yellow", title: `${event.count} events` }
    default:
      return undefined
  }
}

const times = (count: number): string => (count === 1 ? "1 time" : `${count} times`)

/** Enough of a run's id to tell it from others. */
const tail = (runId: string): string => `#${runId.slice(-5)}`
