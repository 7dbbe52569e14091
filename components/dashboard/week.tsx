import { Section } from '@/components/portal/page'
import type { DayOfUse } from '@/lib/contracts/usage'

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' })

/** This week's answers as seven bars, with the table that they are made from for those who do not see them. */
export function Week({ days }: { days: DayOfUse[] }) {
  const most = Math.max(1, ...days.map(({ requests }) => requests))
  const requests = days.reduce((sum, day) => sum + day.requests, 0)
  const tokens = days.reduce((sum, day) => sum + day.tokens, 0)
  return (
    <Section title="This week">
      <div className="flex flex-col gap-4 border-t pt-4">
        <p className="text-ink-soft text-ui tabular-nums">
          <span className="font-medium text-ink">{compact.format(requests)}</span>{' '}
          {requests === 1 ? 'answer' : 'answers'},{' '}
          <span className="font-medium text-ink">{compact.format(tokens)}</span> tokens
        </p>
        <div aria-hidden className="grid h-28 grid-cols-7">
          {days.map((day) => (
            <div
              key={day.day}
              className="flex flex-col items-center gap-1.5"
              title={`${day.requests} answers, ${compact.format(day.tokens)} tokens`}
            >
              <div className="flex w-full flex-1 items-end border-b px-1.5">
                <div
                  className="w-full rounded-t-[3px] bg-ink-soft/70"
                  style={{ height: day.requests === 0 ? 0 : `max(2px, ${(day.requests / most) * 100}%)` }}
                />
              </div>
              <span className="text-ink-soft text-label">
                {weekday.format(new Date(`${day.day}T00:00:00Z`))}
              </span>
            </div>
          ))}
        </div>
        <table className="sr-only">
          <caption>Answers and tokens of the last seven days</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Answers</th>
              <th scope="col">Tokens</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.day}>
                <th scope="row">{day.day}</th>
                <td>{day.requests}</td>
                <td>{day.tokens}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}
