import { globSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { drawArchitecture } from "../src/architecture.ts"
import { root } from "../src/root.ts"

const read = (file: string): string => readFileSync(join(root, file), "utf8")
const page = read("docs/architecture.md")
const internal = "packages/scheduler/src/internal"

const foldersOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

const unnamed = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => !page.includes(`\`${name}\``))

describe("docs/architecture.md", () => {
  it("has the picture that `pnpm docs:draw` draws", () => {
    assert.strictEqual(read("docs/architecture.svg"), drawArchitecture())
  })

  it("names every room of the two packages", () => {
    const rooms = [...foldersOf(internal), ...foldersOf("packages/sql/src/internal")]
    assert.isAtLeast(rooms.length, 8)
    assert.deepStrictEqual(unnamed(rooms), [])
  })

  it("is right about which rooms import which", () => {
    const below = {
      zone: [],
      trigger: ["zone"],
      decision: ["trigger"],
      transitions: ["decision", "trigger", "zone"],
      memory: []
    }
    for (const [room, allowed] of Object.entries(below)) {
      const imported = globSync(`${internal}/${room}/*.ts`, { cwd: root }).flatMap((file) =>
        Array.from(read(file).matchAll(/from "\.\.\/(\w+)\//g), ([, name]) => name!)
      )
      const others = imported.filter((name) => !(allowed as ReadonlyArray<string>).includes(name))
      assert.deepStrictEqual(others, [], room)
    }
  })

  it("has every fiber of a store in its table", () => {
    const runner = read(`${internal}/scheduler/StoreRunner.ts`)
    const forked = Array.from(runner.matchAll(/fork\("(\w+)"|fiber: "(\w+)"/g), ([, loop, other]) => loop ?? other!)
    assert.isAtLeast(forked.length, 8)
    for (const fiber of forked) assert.include(page, `\n| ${fiber} | `)
  })

  it("has every method of a store", () => {
    const [, service = ""] = read("packages/scheduler/src/JobStore.ts").split("export interface JobStoreService {")
    const methods = Array.from(service.split("\n}")[0]!.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, name]) => name!)
    const fields = ["shared", "description"]
    assert.isAtLeast(methods.length, 20)
    assert.deepStrictEqual(unnamed(methods.filter((name) => !fields.includes(name))), [])
  })
})
