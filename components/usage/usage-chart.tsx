'use client'

import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import './usage.css'
import type { Plot, PlotDay, Series } from './usage-series'
import type { Measure } from './usage-view'
import { inWords, longDay, onAxis, shortDay } from './usage-words'

type ChartProps = { plot: Plot; measure: Measure; label: string }

const tick = { fill: 'var(--ink-soft)', fontSize: 12 }

/** Bars for days, one on the other for groups. With the arrow keys one goes from day to day. */
export default function UsageChart({ plot: { series, days }, measure, label }: ChartProps) {
  const isSingle = series.length === 1
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart
        data={days}
        title={label}
        accessibilityLayer
        margin={{ top: 8, right: 0, bottom: 0, left: 0 }}
        barCategoryGap="20%"
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="day"
          tickFormatter={shortDay}
          tick={tick}
          tickLine={false}
          axisLine={{ stroke: 'var(--line)' }}
          minTickGap={24}
          interval="equidistantPreserveStart"
        />
        <YAxis
          width={56}
          tick={tick}
          tickLine={false}
          axisLine={false}
          tickFormatter={(value: number) => onAxis(measure, value)}
          allowDecimals={measure === 'cost'}
        />
        <Tooltip
          cursor={{ fill: 'var(--ink)', fillOpacity: 0.06 }}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const day: PlotDay | undefined = active ? payload?.[0]?.payload : undefined
            return day ? <Told day={day} series={series} measure={measure} /> : null
          }}
        />
        {series.map(({ id, name }, index) => (
          <Bar
            key={id}
            name={name}
            dataKey={(day: PlotDay) => day.values[index] ?? 0}
            stackId="all"
            fill={isSingle ? 'var(--plot-0)' : `var(--plot-${index + 1})`}
            maxBarSize={48}
            isAnimationActive={false}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  )
}

function Told({ day, series, measure }: { day: PlotDay; series: Series[]; measure: Measure }) {
  const told = series.map(({ id, name }, index) => ({ id, name, index, value: day.values[index] ?? 0 }))
  const isSingle = series.length === 1
  return (
    <div className="max-w-72 rounded-panel bg-raised px-3 py-2 text-label shadow-float">
      <p className="font-medium">{longDay(day.day)}</p>
      {isSingle ? (
        <p className="tabular-nums">{inWords(measure, told[0]?.value ?? 0)}</p>
      ) : (
        <ul>
          {told
            .filter(({ value }) => value > 0)
            .map(({ id, name, index, value }) => (
              <li key={id} className="flex items-center gap-2">
                <span
                  className="size-2.5 shrink-0 rounded-[3px]"
                  style={{ background: `var(--plot-${index + 1})` }}
                />
                <span className="min-w-0 flex-1 truncate">{name}</span>
                <span className="tabular-nums">{inWords(measure, value)}</span>
              </li>
            ))}
        </ul>
      )}
    </div>
  )
}
