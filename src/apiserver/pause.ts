// Long loops give way: other requests and controllers get their turn between pieces.

/** So many objects are handled in one turn of the loop. */
export const PIECE = 200;

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
