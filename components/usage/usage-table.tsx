import { Table, Td, Th } from '@/components/ui/table'
import type { UsageGroup, UsageGroupSum } from '@/lib/contracts/usage'
import { costWords, groupWords, inFull, longDay, nameOf } from './usage-words'

type Row = UsageGroupSum & { day?: string }
type UsageTableProps = { label: string; group: UsageGroup; rows: Row[]; isByDay?: boolean }

const numbers = ['Requests', 'Failed', 'Tokens in', 'Cached', 'Tokens out', 'Cost'] as const

/** What the plot is made from: a line for each group, or for each day and group. */
export function UsageTable({ label, group, rows, isByDay = false }: UsageTableProps) {
  return (
    <Table label={label} className="min-w-160">
      <thead>
        <tr>
          {isByDay ? <Th>Day</Th> : null}
          <Th>{groupWords[group]}</Th>
          {numbers.map((name) => (
            <Th key={name} className="text-right last:pr-0">
              {name}
            </Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.day ?? ''} ${row.key ?? ''}`}>
            {isByDay ? <Td className="whitespace-nowrap">{row.day}</Td> : null}
            <th scope="row" className="wrap-anywhere min-w-40 border-b py-3 pr-4 text-left font-medium">
              {group === 'day' ? (
                <time dateTime={row.key ?? ''}>{longDay(row.key ?? '')}</time>
              ) : (
                nameOf(group, row)
              )}
            </th>
            <Td className="text-right">{inFull(row.requests)}</Td>
            <Td className="text-right">{inFull(row.errors)}</Td>
            <Td className="text-right">{inFull(row.input_tokens)}</Td>
            <Td className="text-right">{inFull(row.cached_tokens)}</Td>
            <Td className="text-right">{inFull(row.output_tokens)}</Td>
            <Td className="whitespace-nowrap pr-0 text-right">
              {costWords(row)}
              {row.unpriced_requests > 0 && row.unpriced_requests < row.requests ? (
                <span className="sr-only"> {row.unpriced_requests} of unknown price</span>
              ) : null}
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
