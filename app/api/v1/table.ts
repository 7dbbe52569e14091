import { dispatchTo } from '@/lib/http'
import * as nothing from './[[...path]]/route'
import * as chatCompletions from './chat/completions/route'
import * as completions from './completions/route'
import * as embeddings from './embeddings/route'
import * as fileContent from './files/[fileId]/content/route'
import * as file from './files/[fileId]/route'
import * as files from './files/route'
import * as images from './images/generations/route'
import * as model from './models/[...model]/route'
import * as models from './models/route'
import * as moderations from './moderations/route'
import * as cancel from './responses/[responseId]/cancel/route'
import * as inputItems from './responses/[responseId]/input_items/route'
import * as response from './responses/[responseId]/route'
import * as compact from './responses/compact/route'
import * as responses from './responses/route'

/** All route files below this folder, by the paths of their folders: who answers calls that do not come through Next. */
export const openAiFiles = {
  '/v1/[[...path]]': nothing,
  '/v1/chat/completions': chatCompletions,
  '/v1/completions': completions,
  '/v1/embeddings': embeddings,
  '/v1/files': files,
  '/v1/files/[fileId]': file,
  '/v1/files/[fileId]/content': fileContent,
  '/v1/images/generations': images,
  '/v1/models': models,
  '/v1/models/[...model]': model,
  '/v1/moderations': moderations,
  '/v1/responses': responses,
  '/v1/responses/compact': compact,
  '/v1/responses/[responseId]': response,
  '/v1/responses/[responseId]/cancel': cancel,
  '/v1/responses/[responseId]/input_items': inputItems,
}

export const findOpenAiHandler = dispatchTo(openAiFiles)
