/**
 * The jobs of a shop: what each is given, and how much of it may run at once, over all processes.
 */
import { Schema } from "effect"
import { Job } from "effect-scheduler"

/** One at a time for each customer. */
export class SendInvoice extends Job.make("SendInvoice", {
  payload: { customer: Schema.String, invoice: Schema.Finite },
  key: ({ customer }) => customer
}) {}

/** How many images may be resized at once. */
export const RESIZES = 4

export class ResizeImage extends Job.make("ResizeImage", {
  payload: { image: Schema.Finite },
  concurrency: RESIZES
}) {}

/** On a schedule, and urgent: it is claimed before all that waits. The demo has a night each second. */
export class NightlyReport extends Job.make("NightlyReport", { priority: 0 }) {}

export const jobNames = [SendInvoice, ResizeImage, NightlyReport].map(({ jobName }) => jobName)
