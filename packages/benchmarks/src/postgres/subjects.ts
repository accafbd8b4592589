/** The libraries beside which this one is measured on Postgres, with their settings. */
import { named } from "../machine.ts"
import type { SideName } from "./crew.ts"
import { forms as effectMq } from "./sides/effectMq.ts"
import { forms as graphile } from "./sides/graphile.ts"
import { forms as persistedQueue } from "./sides/persistedQueue.ts"
import { forms as pgBoss } from "./sides/pgBoss.ts"
import type { Form } from "./sides/side.ts"

export interface Subject {
  readonly side: SideName
  readonly form: string
  readonly name: string
  readonly settings: Form
}

const all = (side: SideName, name: string, forms: Readonly<Record<string, Form>>): ReadonlyArray<Subject> =>
  Object.entries(forms).map(([form, settings]) => ({ side, form, name, settings }))

export const peers: ReadonlyArray<Subject> = [
  ...all("graphile", named("graphile-worker"), graphile),
  ...all("pgBoss", named("pg-boss"), pgBoss),
  ...all("effectMq", named("effect-mq"), effectMq),
  ...all("persistedQueue", "Effect's PersistedQueue", persistedQueue)
]

export const ours: Subject = {
  side: "ours",
  form: "default",
  name: "effect-scheduler",
  settings: {
    settings: "the README's layer",
    quote: "",
    lacks: "–",
    isRecommended: true,
    count: 20_000
  }
}

export const subjectOf = (side: SideName, form: string): Subject =>
  peers.find((each) => each.side === side && each.form === form)!

/** The settings of this library as the README's layer has them. */
export const ourSettings =
  "effect-scheduler: `Scheduler.layer({ stores: { default: SqlJobStore.layer() } })` on `PgClient.layer({ url })`, no option set, so " +
  "`maxRunning: 100`, `lease: 15 s`, `pollInterval: 1 s`, `storeTimeout: 5 s`, a pool of 10 connections; each run has a row of history."

export const serverSettings =
  "Postgres as it is by default: every commit waits for the disk (fsync, full_page_writes and synchronous_commit on). Each library has a " +
  "database and a process of its own."

export const noteOf = ({ name, settings }: Subject): string => `${name}, ${settings.settings}: ${settings.quote}`
