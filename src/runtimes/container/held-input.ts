// One writer of an input that goes on after him.
import { Writable, type Duplex } from "node:stream";

/** What is written goes to the connection; its end, or that of the writer, is not the connection's. */
export function heldInput(connection: Duplex): Writable {
  const onError = (): void => void input.destroy();
  const input = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => void connection.write(chunk, (error) => done(error ?? null)),
    destroy(error, done) {
      connection.off("close", onError);
      done(error);
    },
  });
  if (connection.destroyed) onError();
  else connection.once("close", onError);
  return input;
}
