/** A network that can lose a connection for the one side while the other still gets what was sent on it, and later. */
import { connect, type Socket } from "node:net"
import { Duplex } from "node:stream"

/** A connection of which the server's side goes on when the client's has ended. */
class Line extends Duplex {
  readonly server: Socket
  private readonly kept: Array<Buffer> = []
  private readonly isKept: (data: Buffer) => boolean
  private isHolding = false

  constructor(port: number, isKept: (data: Buffer) => boolean) {
    super()
    this.isKept = isKept
    this.server = connect({ host: "127.0.0.1", port })
    this.server.on("data", (data) => this.push(data))
    this.server.on("close", () => this.destroy())
    this.server.on("error", () => {})
  }

  override _read(): void {}

  override _write(data: Buffer, _: string, done: () => void): void {
    this.isHolding ||= this.isKept(data)
    if (this.isHolding) this.kept.push(data)
    else this.server.write(data)
    done()
  }

  override _final(done: () => void): void {
    if (!this.isHolding) this.server.end()
    done()
  }

  override _destroy(_: Error | null, done: (error?: Error | null) => void): void {
    if (!this.isHolding) this.server.destroy()
    done()
  }

  get isKeeping(): boolean {
    return this.kept.length > 0
  }

  /** What was held arrives now. Waits until the server has answered or ended the connection. */
  async arrive(): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.server.on("data", () => resolve())
      this.server.on("close", () => resolve())
    })
    if (this.server.closed || this.server.destroyed) return
    for (const data of this.kept) this.server.write(data)
    await seen
    this.server.destroy()
  }
}

/** One connection keeps the first statement that has this in it, and all that comes after it. */
export const network = (url: string, marker: string) => {
  const port = Number(new URL(url).port)
  const lines: Array<Line> = []
  const kept = () => lines.find((line) => line.isKeeping)
  return {
    stream: () => {
      const line = new Line(port, (data) => kept() === undefined && data.includes(marker))
      lines.push(line)
      return line
    },
    kept
  }
}
