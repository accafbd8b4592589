/** Plots as SVG, by echarts, which draws without a browser. */
import { init } from "echarts"
import type { Plot } from "./report.ts"

const width = 760

const short = (value: number): string =>
  value >= 1e6
    ? `${Number((value / 1e6).toPrecision(3))}M`
    : value >= 1e3
      ? `${Number((value / 1e3).toPrecision(3))}k`
      : `${Number(value.toPrecision(3))}`

const axis = (name: string, logarithmic: boolean) => ({
  type: logarithmic ? ("log" as const) : ("value" as const),
  name,
  nameLocation: "middle" as const,
  nameGap: 30,
  axisLabel: { formatter: short }
})

const optionsOf = (title: string, plot: Plot) => {
  const head = { text: title, left: "center", textStyle: { fontSize: 14 } }
  if (plot.kind === "bars") {
    // The first bar is the lowest of a horizontal axis of categories; read from the top it is the first.
    const bars = plot.bars.toReversed()
    return {
      title: head,
      grid: { left: 20, right: 70, top: 40, bottom: 45, containLabel: true },
      xAxis: axis(plot.unit, plot.logarithmic ?? false),
      yAxis: { type: "category" as const, data: bars.map(({ name }) => name) },
      series: [
        {
          type: "bar" as const,
          data: bars.map(({ name, value }) => ({
            value,
            itemStyle: { color: name.startsWith("effect-scheduler") ? "#2f6fde" : "#9aa5b1" }
          })),
          label: {
            show: true,
            position: "right" as const,
            formatter: ({ value }: { readonly value: unknown }) => short(Number(value))
          }
        }
      ]
    }
  }
  return {
    title: head,
    legend: { bottom: 0 },
    grid: { left: 55, right: 30, top: 40, bottom: 75, containLabel: true },
    xAxis: axis(plot.of, true),
    yAxis: { ...axis(plot.unit, true), nameGap: 45 },
    series: plot.lines.map(({ name, points }) => ({
      type: "line" as const,
      name,
      data: points.map((point) => [...point]),
      ...(name.startsWith("effect-scheduler") ? { lineStyle: { width: 4 } } : {})
    }))
  }
}

export const draw = (title: string, plot: Plot): string => {
  const height = plot.kind === "bars" ? 110 + 26 * plot.bars.length : 420
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height })
  try {
    chart.setOption({ animation: false, backgroundColor: "#ffffff", ...optionsOf(title, plot) })
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}
