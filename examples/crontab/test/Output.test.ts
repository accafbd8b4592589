import { assert, describe, it } from "@effect/vitest"
import { lineSplitter, outputTail } from "../src/Output.ts"

describe("lines", () => {
  it("are put together from what comes in any pieces", () => {
    const lines = lineSplitter()
    assert.deepStrictEqual(lines.push("on"), [])
    assert.deepStrictEqual(lines.push("e\ntwo\n\nthr"), ["one", "two", ""])
    assert.deepStrictEqual(lines.end(), ["thr"])
  })

  it("that are too long come in pieces", () => {
    const lines = lineSplitter(4)
    assert.deepStrictEqual(lines.push("abcdefghij"), ["abcd", "efgh"])
    assert.deepStrictEqual(lines.push("k\nlmnopq\n"), ["ijk", "lmno", "pq"])
    assert.deepStrictEqual(lines.end(), [])
  })
})

describe("the end of an output", () => {
  it("is all of a short one", () => {
    const tail = outputTail()
    tail.push("one")
    tail.push("")
    tail.push("two")
    assert.strictEqual(tail.text(), "one\n\ntwo")
  })

  it("says how many lines it left out", () => {
    const tail = outputTail(10)
    for (const line of ["aaaa", "bbbb", "cccc", "dddd"]) tail.push(line)
    assert.strictEqual(tail.text(), "(2 earlier lines)\ncccc\ndddd")
  })
})
