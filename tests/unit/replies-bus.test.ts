import { publish, subscribe } from '../../lib/bus'
import type { Bus } from '../../lib/replies/bus'
import { describeBus } from '../support/reply-bus-contract'

const memory: Bus = { publish, subscribe }

describeBus('memory', async () => [memory, memory])
