import { parseJson } from '../../providers'
import type { CallPiece } from './chat-answer'
import { asObject, makeId } from './json'
import { type Called, CallItem, type Place } from './output-items'

/** A call as it comes in, in any number of pieces. */
class IncomingCall {
  id = ''
  name = ''
  #isCustom = false
  #waiting = ''
  #last = ''
  #item: CallItem | null = null

  take(piece: CallPiece): void {
    this.id ||= piece.id
    this.name ||= piece.name
    this.#isCustom ||= piece.isCustom
    if (piece.text !== '') this.#last = piece.text
    if (this.#item) this.#item.write(piece.text)
    else this.#waiting += piece.text
  }

  /** True if a piece that names a function begins another call: servers differ in what they number and repeat. */
  isOtherThan({ id, name, text }: CallPiece): boolean {
    if (name === '') return false
    if (id !== '' && this.id !== '') return id !== this.id
    if (this.#last === '' || text === '') return false
    return name !== this.name || (this.#last.endsWith('}') && text.startsWith('{'))
  }

  /** It is known what is called, and by which id the output will be told. */
  get isKnown(): boolean {
    return this.name !== '' && this.id !== ''
  }

  get isAnnounced(): boolean {
    return this.#item !== null
  }

  announce(place: Place, customTools: Set<string>): CallItem {
    const as: Called['as'] = this.#isCustom ? 'custom' : customTools.has(this.name) ? 'wrapped' : 'function'
    this.id ||= makeId('call')
    this.#item = new CallItem(place, { callId: this.id, name: this.name, as }, unwrapInput)
    this.#item.write(this.#waiting)
    this.#waiting = ''
    return this.#item
  }
}

/** The text for a custom tool, from the arguments of the function that stood for it. */
function unwrapInput(args: string): string {
  const { input } = asObject(parseJson(args))
  return typeof input === 'string' ? input : args
}

/** Tells which piece belongs to which call. */
export class CallBook {
  readonly #calls: IncomingCall[] = []
  readonly #byIndex = new Map<number, IncomingCall>()
  readonly #byId = new Map<string, IncomingCall>()

  /** Takes a piece and gives the call that it belongs to. */
  take(piece: CallPiece): IncomingCall {
    const call = this.#find(piece) ?? this.#begin()
    call.take(piece)
    if (piece.index !== null) this.#byIndex.set(piece.index, call)
    if (piece.id !== '') this.#byId.set(piece.id, call)
    return call
  }

  /** Calls that nobody was told of, since no id came with them. */
  unannounced(): IncomingCall[] {
    return this.#calls.filter((call) => !call.isAnnounced && call.name !== '')
  }

  #find(piece: CallPiece): IncomingCall | undefined {
    const known = piece.index === null ? this.#findWithoutIndex(piece) : this.#byIndex.get(piece.index)
    return known?.isOtherThan(piece) ? undefined : known
  }

  #findWithoutIndex({ id, name }: CallPiece): IncomingCall | undefined {
    if (id !== '') return this.#byId.get(id)
    return name === '' ? this.#calls.at(-1) : undefined
  }

  #begin(): IncomingCall {
    const call = new IncomingCall()
    this.#calls.push(call)
    return call
  }
}
