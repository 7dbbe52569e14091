import { Table, Td, Th } from '@/components/ui/table'
import type { UsageGroup, UsageGroupSum } from '@/lib/contracts/usage'
import { costWords, groupWords, inFull, longDay, nameOf } from './usage-words'

type Row = UsageGroupSum & { day?: string }
type UsageTableProps = { label: string; group: UsageGroup; rows: Row[]; isByDay?: boolean }

const numbers = {
  Requests: 'requests',
  Failed: 'errors',
  'Tokens in': 'input_tokens',
  Cached: 'cached_tokens',
  'Tokens out': 'output_tokens',
} as const

/** Columns that there is room for; where there is not, each line says it in words. */
const wide = 'hidden text-right @2xl:table-cell'

/** What the plot is made from: a line for each group, or for each day and group. */
export function UsageTable({ label, group, rows, isByDay = false }: UsageTableProps) {
  return (
    <div className="@container">
      <Table label={label}>
        <thead>
          <tr>
            {isByDay ? <Th>Day</Th> : null}
            <Th>{groupWords[group]}</Th>
            {Object.keys(numbers).map((name) => (
              <Th key={name} className={wide}>
                {name}
              </Th>
            ))}
            <Th className="text-right last:pr-0">Cost</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={`${row.day ?? ''} ${row.key ?? ''}`} group={group} row={row} isByDay={isByDay} />
          ))}
        </tbody>
      </Table>
    </div>
  )
}

function Line({ group, row, isByDay }: { group: UsageGroup; row: Row; isByDay: boolean }) {
  const isPartly = row.unpriced_requests > 0 && row.unpriced_requests < row.requests
  return (
    <tr>
      {isByDay ? <Td className="whitespace-nowrap">{row.day}</Td> : null}
      <th scope="row" className="wrap-anywhere border-b py-3 pr-4 text-left font-medium">
        {group === 'day' ? (
          <time dateTime={row.key ?? ''}>{longDay(row.key ?? '')}</time>
        ) : (
          nameOf(group, row)
        )}
        <span className="block font-normal text-ink-soft text-label @2xl:hidden">{inShort(row)}</span>
      </th>
      {Object.entries(numbers).map(([name, sum]) => (
        <Td key={name} className={wide}>
          {inFull(row[sum])}
        </Td>
      ))}
      <Td className="whitespace-nowrap text-right last:pr-0">
        {costWords(row)}
        {isPartly ? (
          <span className="block text-ink-soft text-label">{inFull(row.unpriced_requests)} unpriced</span>
        ) : null}
      </Td>
    </tr>
  )
}

function inShort({ requests, errors, input_tokens, output_tokens }: Row): string {
  const failed = errors === 0 ? '' : `, ${inFull(errors)} failed`
  const asked = `${inFull(requests)} ${requests === 1 ? 'request' : 'requests'}${failed}`
  return `${asked} · ${inFull(input_tokens)} tokens in, ${inFull(output_tokens)} out`
}
