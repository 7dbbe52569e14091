import { Hub } from './hub'
import { hubName } from './protocol'

// One worker for all tabs of a user's browser; a browser ends it with the last of them.
const hub = new Hub(self.name.slice(hubName('').length))

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports
  if (port) hub.serve(port)
})
