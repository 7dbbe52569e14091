import { AppError } from '@/lib/errors'
import { anyone, route } from '@/lib/http'

const nothingHere = route({
  auth: anyone,
  dialect: 'openai',
  run: async () => {
    throw new AppError('not_found', 'There is nothing at this address.')
  },
})

export {
  nothingHere as DELETE,
  nothingHere as GET,
  nothingHere as PATCH,
  nothingHere as POST,
  nothingHere as PUT,
}
