import { makeHome, makeTemplate, startServer } from "@effect-scheduler/postgres-server"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** The URL of the run's Postgres. */
    readonly postgres: string
    /** A data folder as `initdb` makes it, for servers of a test's own to start from. */
    readonly postgresTemplate: string
  }
}

/** One real Postgres for the whole run, gone after it. */
export default async function setup(project: TestProject) {
  const home = makeHome()
  const template = makeTemplate(home)
  const server = await startServer({ home, template })
  project.provide("postgres", server.url)
  project.provide("postgresTemplate", template)
  return server.destroy
}
