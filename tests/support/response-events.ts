/** What OpenAI's reference (OpenAPI 2.3.0) requires in each event of a Response, besides its type and number. */
const required: Record<string, string> = {
  'response.created': 'response',
  'response.in_progress': 'response',
  'response.completed': 'response',
  'response.incomplete': 'response',
  'response.failed': 'response',
  'response.output_item.added': 'output_index item',
  'response.output_item.done': 'output_index item',
  'response.content_part.added': 'item_id output_index content_index part',
  'response.content_part.done': 'item_id output_index content_index part',
  'response.output_text.delta': 'item_id output_index content_index delta logprobs',
  'response.output_text.done': 'item_id output_index content_index text logprobs',
  'response.output_text.annotation.added': 'item_id output_index content_index annotation_index annotation',
  'response.refusal.delta': 'item_id output_index content_index delta',
  'response.refusal.done': 'item_id output_index content_index refusal',
  'response.reasoning_summary_part.added': 'item_id output_index summary_index part',
  'response.reasoning_summary_part.done': 'item_id output_index summary_index part',
  'response.reasoning_summary_text.delta': 'item_id output_index summary_index delta',
  'response.reasoning_summary_text.done': 'item_id output_index summary_index text',
  'response.function_call_arguments.delta': 'item_id output_index delta',
  'response.function_call_arguments.done': 'item_id output_index name arguments',
  'response.custom_tool_call_input.delta': 'item_id output_index delta',
  'response.custom_tool_call_input.done': 'item_id output_index input',
  // The reference has it flat; on the wire the fields are in an object.
  error: 'error',
}

/** The fields that an event of this type must have; undefined for a type that is not OpenAI's. */
export function requiredFieldsOf(type: string): string[] | undefined {
  const fields = required[type]
  return fields === undefined ? undefined : ['type', 'sequence_number', ...fields.split(' ')]
}
