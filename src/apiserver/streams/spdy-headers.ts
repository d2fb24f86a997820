// Header blocks of SPDY/3.1: pairs of names and values in one zlib stream a direction, with the dictionary that the specification gives.
import { constants, createInflate } from "node:zlib";

export type SpdyHeaders = ReadonlyMap<string, string>;

/** A stream's headers, unpacked; ours to accept need a few hundred bytes. */
const HEADERS_BYTES_MAX = 64 << 10;

/** The words of the dictionary (SPDY/3, 2.6.10.1), each with its length in 32 bits before it. */
const WORDS =
  "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-ranges|age|allow|authorization|cache-control|connection|" +
  "content-base|content-encoding|content-language|content-length|content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|host|" +
  "if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|max-forwards|pragma|proxy-authenticate|proxy-authorization|" +
  "range|referer|retry-after|server|te|trailer|transfer-encoding|upgrade|user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|" +
  "HTTP/1.1|url|public|set-cookie|keep-alive|origin";
/** Its end, without lengths. */
const REST =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content" +
  "301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif," +
  "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function spdyDictionary(): Buffer {
  return Buffer.concat([...WORDS.split("|").map(prefixed), Buffer.from(REST, "latin1")]);
}

/** Throws RangeError for what is no block of headers. Values that were given several times are joined by commas. */
export function parseHeaders(block: Uint8Array): SpdyHeaders {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let at = 4;
  const next = (): string => {
    const length = view.getUint32(at);
    const from = at + 4;
    at = from + length;
    if (at > block.length) throw new RangeError("a header is longer than its block");
    return Buffer.from(block.subarray(from, at)).toString("latin1");
  };
  const headers = new Map<string, string>();
  for (let count = view.getUint32(0); count > 0; count--) {
    const name = next().toLowerCase();
    const value = next().replaceAll("\0", ", ");
    if (name === "" || headers.has(name)) throw new RangeError(`the header ${JSON.stringify(name)} may not be there`);
    headers.set(name, value);
  }
  if (at !== block.length) throw new RangeError("a block of headers has bytes behind its end");
  return headers;
}

/** One direction's headers, in the order in which they come: each block needs all that were before it. */
export class HeaderInflater {
  readonly #inflate = createInflate({ dictionary: spdyDictionary(), flush: constants.Z_SYNC_FLUSH });
  #parts: Buffer[] = [];
  #size = 0;
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.#inflate.on("error", (error) => this.#fail(error));
    this.#inflate.on("data", (part: Buffer) => {
      this.#parts.push(part);
      this.#size += part.length;
      if (this.#size > HEADERS_BYTES_MAX) this.#inflate.destroy(new RangeError(`the headers of a stream are longer than ${HEADERS_BYTES_MAX} bytes`));
    });
  }

  /** One call after the other. Rejects for what cannot be unpacked, is too much, or is no block of headers. */
  async unpack(block: Uint8Array): Promise<SpdyHeaders> {
    this.#parts = [];
    this.#size = 0;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      if (this.#inflate.destroyed) return reject(new RangeError("the headers' compression is broken"));
      // What the last piece of output waits for happens before the next immediate.
      this.#inflate.write(block, () => setImmediate(resolve));
    });
    return parseHeaders(Buffer.concat(this.#parts));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** An empty stored block: Go's reader gives out what it has when it sees one. */
const FLUSH = Uint8Array.of(0, 0, 0, 0xff, 0xff);

/** Packs headers without making them smaller: stored blocks of zlib, which need neither memory nor an order of calls. */
export class HeaderPacker {
  #begun = false;

  pack(headers: SpdyHeaders): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(headers.size);
    const plain = Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [prefixed(name), prefixed(value)])]);
    // Deflate with a window of 32 kB and no dictionary; then a block that is stored and not the last one.
    const head = Buffer.from(this.#begun ? [0, 0, 0, 0, 0] : [0x78, 0x01, 0, 0, 0, 0, 0]);
    head.writeUInt16LE(plain.length, head.length - 4);
    head.writeUInt16LE(plain.length ^ 0xffff, head.length - 2);
    this.#begun = true;
    return Buffer.concat([head, plain, FLUSH]);
  }
}
