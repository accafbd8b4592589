// A program of its own: it ends a postmaster whose starter is gone, by whatever end, and removes what is left. Each line
// that it reads is the process id of the postmaster that runs now, or 0. Its input closes when the starter is gone.
// Arguments: the folder to remove.
import { rmSync } from "node:fs"
import { isAlive, signal, thaw } from "./processes.ts"

const home = process.argv[2]
let text = ""
process.stdin.on("data", (chunk) => (text += String(chunk)))
process.stdin.on("end", () => {
  const postmaster = Number(text.trimEnd().split("\n").at(-1))
  if (postmaster > 0) {
    thaw(postmaster)
    signal(postmaster, "SIGQUIT")
  }
  const look = setInterval(() => {
    if (postmaster > 0 && isAlive(postmaster)) return
    clearInterval(look)
    if (home !== undefined) rmSync(home, { recursive: true, force: true })
  }, 20)
})
