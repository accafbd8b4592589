import { Scheduler } from "effect-scheduler"
import { runOn } from "./program.ts"

await runOn(Scheduler.layer())
