/** Makes one file of the worker and all that it imports: most of what its processes did was to load some hundred modules. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** The script that processes of the fault tests run: `worker.ts` with its imports. */
    readonly worker: string
  }
}

export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-worker-"))
  const file = join(folder, "worker.mjs")
  await build({
    input: fileURLToPath(new URL("worker.ts", import.meta.url)),
    platform: "node",
    output: { file },
    logLevel: "warn"
  })
  project.provide("worker", file)
  return () => rmSync(folder, { recursive: true, force: true })
}
