import { assert, describe, it } from "@effect/vitest"
import { SortedIds } from "../../src/internal/memory/sortedIds.ts"
import { Seeded } from "../../src/testing/internal/random.ts"

describe("ids in order", () => {
  it("agree with a sorted list while ids come, go and come back", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
    const random = new Seeded(seed)
    const live = new Map<string, null>()
    const ids = new SortedIds(live)
    for (let step = 0; step < 20_000; step++) {
      const id = `id${random.int(0, 300)}`
      if (!live.has(id)) {
        live.set(id, null)
        ids.add(id)
      } else if (random.chance(0.8)) {
        live.delete(id)
        ids.remove()
      } else if (random.chance(0.05)) {
        const all = [...live.keys()].toSorted()
        assert.deepStrictEqual([...ids.from("", false)], all, `seed ${seed}`)
        assert.deepStrictEqual([...ids.from(id, true)], all.slice(all.indexOf(id) + 1), `seed ${seed}`)
      }
    }
  })

  it("are forgotten when they are gone, though nobody reads them", () => {
    const live = new Map<string, null>()
    const ids = new SortedIds(live)
    for (let step = 0; step < 100_000; step++) {
      live.set(`id${step}`, null)
      ids.add(`id${step}`)
      live.delete(`id${step}`)
      ids.remove()
    }
    assert.isAtMost(ids.size, 2000)
  })
})
