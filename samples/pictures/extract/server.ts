// Takes the picture out of a tweet: answers an event of type com.twitter.tweet with one of type demo.twitter-image that is the picture itself.
// Only the first picture: the answer to a delivery is one event. A tweet without one ends here.
import { createServer, type IncomingMessage } from "node:http";

interface Medium {
  readonly type: string;
  readonly media_url_https: string;
  /** What the person who tweeted says it shows. */
  readonly ext_alt_text?: string;
}

interface Tweet {
  readonly user?: { readonly screen_name?: string };
  readonly entities?: { readonly media?: readonly Medium[] };
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

const TWEET_BYTES_MAX = 1 << 20;
const PICTURE_BYTES_MAX = 8 << 20;
const FETCH_MS_MAX = 10_000;
const BODILESS = 204;

/** The octets of a picture behind https: or data: URLs; data: ones need no network. */
async function pictureAt(url: string): Promise<{ readonly type: string; readonly octets: Uint8Array }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS_MAX) });
  if (!response.ok) throw new Error(`the picture's server answered ${response.status}`);
  const octets = new Uint8Array(await response.arrayBuffer());
  if (octets.length > PICTURE_BYTES_MAX) throw new RangeError(`the picture has more than ${PICTURE_BYTES_MAX} bytes`);
  return { type: response.headers.get("content-type") ?? "application/octet-stream", octets };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > TWEET_BYTES_MAX) throw new RangeError(`the tweet has more than ${TWEET_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Attributes stand in headers in binary mode: everything but printable ASCII is percent-encoded there. */
const inHeader = (text: string): string => text.toWellFormed().replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));

async function extract(request: IncomingMessage): Promise<Answer> {
  if (request.headers["ce-type"] !== "com.twitter.tweet") return { status: 400, body: "an event of type com.twitter.tweet is wanted\n" };
  const tweet = JSON.parse(await textOf(request)) as Tweet;
  const photo = tweet.entities?.media?.find(({ type }) => type === "photo");
  console.log(`tweet ${request.headers["ce-id"]}: ${photo === undefined ? "no picture" : "a picture"}`);
  if (photo === undefined) return { status: BODILESS };
  const { type, octets } = await pictureAt(photo.media_url_https);
  const headers = {
    "ce-specversion": "1.0",
    "ce-type": "demo.twitter-image",
    "ce-source": "/samples/pictures/extract",
    // The same tweet, delivered twice, gives the same event twice: whoever comes next can tell.
    "ce-id": `${request.headers["ce-id"]}/picture`,
    "ce-subject": inHeader(photo.ext_alt_text ?? "a picture"),
    "ce-author": inHeader(tweet.user?.screen_name ?? "somebody"),
    "content-type": type,
  };
  return { status: 200, headers, body: octets };
}

const server = createServer((request, response) => {
  extract(request).then(
    ({ status, headers = {}, body }) => response.writeHead(status, headers).end(body),
    (error: unknown) => {
      // What no second try mends is told apart from what may be better later.
      const status = error instanceof SyntaxError || error instanceof RangeError ? 400 : 502;
      response.writeHead(status).end(`${error instanceof Error ? error.message : "failed"}\n`);
    },
  );
});
server.listen(Number(process.env["PORT"] ?? 8080));

process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
